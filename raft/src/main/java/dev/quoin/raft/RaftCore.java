package dev.quoin.raft;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;

import dev.quoin.base.Bytes;
import dev.quoin.base.Invariant;

/**
 * The consensus of one node: a pure state machine. Single owner: whoever calls {@link #step} is the only one who ever
 * touches it.
 *
 * <p>Rules that hold everywhere:
 * <ul>
 * <li>A node acts on its own vote and counts its own log only after the disk has acknowledged them
 *     ({@link Input.Persisted}); a leader that is its own quorum is no exception (etcd issue 14370 is what happens
 *     else).
 * <li>A leader commits only entries of its own term by counting (Raft §5.4.2).
 * <li>Entries are handed out to be applied only when they are committed and on this node's own disk.
 * <li>A read index is given out only once an entry of the leader's own term is committed (Raft §6.4, §8): before that
 *     a leader does not know how far the log is committed.
 * </ul>
 */
public final class RaftCore {
    private enum Role {
        FOLLOWER,
        CANDIDATE,
        LEADER
    }

    /** A write that the disk has not acknowledged yet, with what its acknowledgement will mean. */
    private record Outstanding(long ticket, long lastIndex, long term, long vote) {}

    private final long id;
    private final int electionTicks;
    private ConfState configuration;
    private final RaftLog log;

    private long term;
    private long vote;
    private long leader;
    private Role role = Role.FOLLOWER;
    private int ticksSinceHeard;
    /** The index of the first entry of the term this node leads; reads wait until it is committed. */
    private long firstIndexOfTerm;

    private HardState persistedState;
    private long lastTicket;
    private final Deque<Outstanding> outstanding = new ArrayDeque<>();
    private final Deque<Long> waitingReads = new ArrayDeque<>();

    /** Gathered during one step, in the order in which they are to be performed. */
    private List<Effect> effects = new ArrayList<>();
    private final List<Entry> unpersisted = new ArrayList<>();

    /**
     * A node as a restart finds it.
     *
     * @param electionTicks how many silent ticks make a follower stand for election
     */
    public RaftCore(Restart restart, int electionTicks) {
        Invariant.check(restart.id() != 0, "a node's id is never 0");
        Invariant.check(electionTicks > 0, "election after %d ticks", electionTicks);
        Invariant.check(restart.configuration().voters().size() <= 1,
                "the core serves one voter so far, the configuration has %d",
                restart.configuration().voters().size());
        id = restart.id();
        this.electionTicks = electionTicks;
        configuration = restart.configuration();
        // What was applied was committed, even when the note of it was not synced before the crash.
        long committed = Math.max(restart.hardState().commit(), restart.applied());
        log = new RaftLog(restart.baseIndex(), restart.baseTerm(), restart.entries(), committed, restart.applied());
        term = restart.hardState().term();
        vote = restart.hardState().vote();
        persistedState = restart.hardState();
    }

    /** Takes one input and answers what is to be done, in order. Throws nothing but {@link Invariant.Violation}. */
    public List<Effect> step(Input input) {
        effects = new ArrayList<>();
        switch (input) {
            case Input.Tick() -> onTick();
            case Input.Campaign() -> onCampaign();
            case Input.Proposed(List<Input.Proposal> proposals) -> onProposed(proposals);
            case Input.ReadRequested(long readId) -> onReadRequested(readId);
            case Input.Persisted(long ticket) -> onPersisted(ticket);
            case Input.Applied(long index) -> log.forgetTo(index);
            case Input.Reconfigured(ConfState next) -> onReconfigured(next);
        }
        askToPersist();
        handOverCommitted();
        return effects;
    }

    public boolean isLeader() {
        return role == Role.LEADER;
    }

    /** Whether this node is the only voter and neither leads nor stands for election. */
    public boolean isAloneWithoutLeader() {
        return role == Role.FOLLOWER && configuration.voters().size() == 1 && configuration.isVoter(id);
    }

    /** The leader this node knows, 0 for none. */
    public long leader() {
        return leader;
    }

    public long term() {
        return term;
    }

    public long committedIndex() {
        return log.committedIndex();
    }

    /** The data of the entries in memory, which are those that are not applied yet. */
    public long heldBytes() {
        return log.heldBytes();
    }

    private void onTick() {
        if (role == Role.LEADER) {
            return;
        }
        ticksSinceHeard++;
        if (ticksSinceHeard >= electionTicks) {
            onCampaign();
        }
    }

    private void onCampaign() {
        if (role == Role.LEADER || !configuration.isVoter(id)) {
            return;
        }
        ticksSinceHeard = 0;
        term++;
        vote = id;
        role = Role.CANDIDATE;
        setLeader(0);
        // The own vote counts in onPersisted, when it is on disk.
    }

    private void becomeLeader() {
        role = Role.LEADER;
        setLeader(id);
        firstIndexOfTerm = log.lastIndex() + 1;
        append(new Input.Proposal(EntryKind.NORMAL, Bytes.EMPTY));
    }

    private void onProposed(List<Input.Proposal> proposals) {
        Invariant.check(role == Role.LEADER, "proposals given to a node that does not lead");
        for (Input.Proposal proposal : proposals) {
            append(proposal);
        }
    }

    private void append(Input.Proposal proposal) {
        Entry entry = new Entry(term, log.lastIndex() + 1, proposal.kind(), proposal.data());
        log.append(entry);
        unpersisted.add(entry);
    }

    private void onReadRequested(long readId) {
        if (role == Role.LEADER && log.committedIndex() >= firstIndexOfTerm) {
            effects.add(new Effect.ReadReady(readId, log.committedIndex()));
        } else {
            waitingReads.add(readId);
        }
    }

    private void onPersisted(long ticket) {
        while (!outstanding.isEmpty() && outstanding.getFirst().ticket() <= ticket) {
            Outstanding done = outstanding.removeFirst();
            log.durableTo(done.lastIndex());
            if (role == Role.CANDIDATE && done.term() == term && done.vote() == id) {
                becomeLeader();
            }
        }
        if (role == Role.LEADER) {
            advanceCommit(log.durableIndex());
        }
    }

    private void advanceCommit(long quorumIndex) {
        if (quorumIndex <= log.committedIndex()) {
            return;
        }
        // A leader may commit only entries of its own term (Raft §5.4.2, figure 8): an older entry on a majority can
        // still be overwritten by a leader that never saw it.
        if (log.termAt(quorumIndex) != term) {
            return;
        }
        log.commitTo(quorumIndex);
        while (log.committedIndex() >= firstIndexOfTerm && !waitingReads.isEmpty()) {
            effects.add(new Effect.ReadReady(waitingReads.removeFirst(), log.committedIndex()));
        }
    }

    private void onReconfigured(ConfState next) {
        Invariant.check(next.voters().size() <= 1, "the core serves one voter so far, asked for %d",
                next.voters().size());
        configuration = next;
    }

    private void setLeader(long next) {
        if (leader != next) {
            leader = next;
            effects.add(new Effect.LeaderChanged(next, term));
        }
    }

    private void askToPersist() {
        HardState state = new HardState(term, vote, log.committedIndex());
        if (unpersisted.isEmpty() && state.equals(persistedState)) {
            return;
        }
        boolean sync = !unpersisted.isEmpty() || state.mustSync(persistedState);
        lastTicket++;
        outstanding.add(new Outstanding(lastTicket, log.lastIndex(), term, vote));
        effects.add(new Effect.Persist(lastTicket, List.copyOf(unpersisted), state, sync));
        unpersisted.clear();
        persistedState = state;
    }

    private void handOverCommitted() {
        List<Entry> ready = log.handOver();
        if (!ready.isEmpty()) {
            effects.add(new Effect.Commit(ready));
        }
    }

    @Override
    public String toString() {
        return "%x %s term=%d vote=%x %s".formatted(id, role, term, vote, log);
    }
}
