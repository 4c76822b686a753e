package dev.quoin.sim;

import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.NavigableMap;
import java.util.Set;
import java.util.TreeMap;

import dev.quoin.raft.ConfState;
import dev.quoin.raft.Entry;
import dev.quoin.raft.EntryKind;
import dev.quoin.raft.Event;
import dev.quoin.raft.RaftCore;
import dev.quoin.raft.SnapshotMeta;

/** What Raft promises, checked against all members at every step of each. */
final class Promises {
    private static final int LOOK_BACK = 2_000;

    private final Simulation simulation;
    private final Map<Long, Host> leaderOfTerm = new HashMap<>();
    /** All that was ever committed, in order; what it says is at {@link Model}. */
    private final LogImage committed = new LogImage();
    /** The terms in which leaders committed so far; the latest of these. */
    private final NavigableMap<Long, Long> commits = new TreeMap<>();

    /** Those that somebody stood for election in, and the first, which every cluster begins with. */
    private final Set<Long> terms = new HashSet<>(List.of(0L, 1L));

    Promises(Simulation simulation) {
        this.simulation = simulation;
    }

    long committedIndex() {
        return committed.lastIndex();
    }

    /** A term comes from an election: nobody else may raise one. */
    void isIn(Host host, long term) {
        Violation.check(terms.contains(term), "%s is in term %d, in which nobody stood for election", host, term);
    }

    void mix(Host host, long term, long commit, long last) {
        Trace trace = simulation.trace();
        trace.mix(((long) host.number << 48) + (term << 40) + (commit << 20) + last);
    }

    void noted(Host host, Event event) {
        switch (event) {
            case Event.BecameLeader(long term) -> simulation.note(host, "leads in term", term);
            case Event.BecameCandidate(long term) -> {
                terms.add(term);
                simulation.note(host, "is candidate in term", term);
            }
            case Event.QuorumLost() -> simulation.note(host, "has lost its quorum", null);
            case Event.TransferStarted(long to, long term) -> simulation.note(host, "hands over to", to);
            default -> {}
        }
    }

    void restarted(Witnessed it, Host host, long itsCommit, long itsApplied) {
        Violation.check(itsApplied <= committed.lastIndex(), "%s starts with %d applied of %d", host, itsApplied,
                committed.lastIndex());
        checkAgainstCommitted(it, host, Math.min(itsCommit, committed.lastIndex()));
    }

    /** One log, where it is committed. */
    private void checkAgainstCommitted(Witnessed it, Host host, long upTo) {
        LogImage log = it.asked();
        for (long index = Math.max(log.base() + 1, upTo - LOOK_BACK); index <= upTo; index++) {
            Violation.check(index < 1 || log.termAt(index) == committed.termAt(index),
                    "%s: entry %d is of term %d, the committed one of term %d", host, index, log.termAt(index),
                    committed.termAt(index));
        }
    }

    void leads(Host host, long term) {
        Host other = leaderOfTerm.putIfAbsent(term, host);
        Violation.check(other == null || other == host, "%s and %s lead in term %d", other, host, term);
    }

    void elected(Witnessed it, Host host, RaftCore core) {
        leads(host, core.term());
        simulation.tally().count("leaders");
        ConfState members = core.members();
        Violation.check(isElected(members.voters(), host, core.term()),
                "%s leads in term %d without a quorum of votes on disks", host, core.term());
        LogImage log = it.asked();
        for (long index = Math.max(log.base() + 1, committed.lastIndex() - LOOK_BACK); index <= committed
                .lastIndex(); index++) {
            Violation.check(index < 1 || log.termAt(index) == committed.termAt(index)
                    || committedInTerm(index) >= core.term(), "%s leads in term %d without the committed entry %d",
                    host,
                    core.term(), index);
        }
    }

    /**
     * In which term it was committed, which may be much later than that of the entry: only leaders of still later terms must have
     * it, and one that was elected before may find that out late.
     */
    private long committedInTerm(long index) {
        Map.Entry<Long, Long> by = commits.ceilingEntry(index);
        return by == null ? Long.MAX_VALUE : by.getValue();
    }

    /** Whether more than half may have voted for it, as their disks say; one that is further on may have. */
    private boolean isElected(List<Long> voters, Host candidate, long term) {
        int votes = 0;
        for (long voter : voters) {
            Host host = simulation.hostOf(voter);
            var state = host == null ? null : host.witnessed.durableState();
            if (state != null && (state.term() > term || (state.term() == term && state.vote() == candidate.id))) {
                votes++;
            }
        }
        return votes > voters.size() / 2;
    }

    void appended(Witnessed it, Host host, RaftCore core, List<Entry> entries) {
        boolean leader = core.isLeader();
        for (Entry entry : entries) {
            if (leader && entry.term() == core.term() && entry.kind() != EntryKind.NORMAL) {
                it.checkOneChangeAtATime(entry);
            }
            if (leader && entry.term() == core.term()) {
                simulation.leaseJudge().appended(host, entry);
            }
            if (entry.index() <= committed.lastIndex() && committed.termAt(entry.index()) == entry.term()) {
                Violation.check(committed.holds(entry), "%s appends another entry %d of term %d than was committed",
                        host,
                        entry.index(), entry.term());
            }
        }
    }

    /** It counted, and may go by what a quorum of disks holds. */
    void committedByLeader(Witnessed it, Host host, RaftCore core) {
        long index = core.committedIndex();
        List<Long> voters = core.members().voters();
        int held = 0;
        for (long voter : voters) {
            Host other = simulation.hostOf(voter);
            if (other != null && other.witnessed.durable().holds(index, core.term())) {
                held++;
            }
        }
        commits.putIfAbsent(index, core.term());
        commits.headMap(index - LOOK_BACK).clear();
        Violation.check(held > voters.size() / 2, "%s commits %d in term %d, which %d of %d voters have on disk", host,
                index, core.term(), held, voters.size());
    }

    void handedOut(Witnessed it, Host host, List<Entry> entries) {
        for (Entry entry : entries) {
            Violation.check(it.durable().holds(entry), "%s hands out %s, which is not on its disk", host, entry);
            long next = committed.lastIndex() + 1;
            Violation.check(entry.index() <= next, "%s hands out %s after %d", host, entry, next - 1);
            if (entry.index() == next) {
                committed.put(entry);
                simulation.model().committed(entry);
            } else {
                Violation.check(committed.holds(entry), "%s hands out %s, another has committed one of term %d", host,
                        entry, committed.termAt(entry.index()));
            }
        }
    }

    void installed(Host host, SnapshotMeta snapshot) {
        Violation.check(committed.lastIndex() >= snapshot.index()
                && committed.termAt(snapshot.index()) == snapshot.term(), "%s installs %s, which was never committed",
                host,
                snapshot);
        simulation.tally().count("snapshots");
        simulation.note(host, "installs", snapshot);
    }
}
