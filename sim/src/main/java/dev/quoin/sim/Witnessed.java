package dev.quoin.sim;

import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;
import java.util.TreeMap;

import org.jspecify.annotations.Nullable;

import dev.quoin.member.Witness;
import dev.quoin.raft.Effect;
import dev.quoin.raft.Entry;
import dev.quoin.raft.Event;
import dev.quoin.raft.HardState;
import dev.quoin.raft.Input;
import dev.quoin.raft.Message;
import dev.quoin.raft.RaftCore;
import dev.quoin.raft.Restart;

/**
 * What is known of one member's consensus over all its lives: what it asked its disk to keep, what of that the disk has
 * acknowledged, and what it has promised to others. The second must be there after any crash; the third must rest on the
 * second.
 */
final class Witnessed implements Witness {
    private final Host host;
    private @Nullable Promises promises;

    /** What the disk has acknowledged, and the state in it. */
    private final LogImage durable = new LogImage();
    private HardState durableState = HardState.EMPTY;
    /** What the core has; its disk was asked for all of it. */
    private final LogImage asked = new LogImage();
    private HardState askedState = HardState.EMPTY;
    private final Deque<Effect.Persist> pending = new ArrayDeque<>();
    private boolean isKnown;

    private final TreeMap<Long, Long> votes = new TreeMap<>();
    private final TreeMap<Long, Long> readFloors = new TreeMap<>();
    private long applied;
    private long committed;
    private long term;
    private boolean leads;
    private long lastConfChange;

    Witnessed(Host host) {
        this.host = host;
    }

    void join(Promises all) {
        promises = all;
    }

    private Promises promises() {
        Promises all = promises;
        if (all == null) {
            throw new Violation(host + " is not watched");
        }
        return all;
    }

    boolean leads() {
        return leads;
    }

    long term() {
        return term;
    }

    long committed() {
        return committed;
    }

    HardState durableState() {
        return durableState;
    }

    LogImage durable() {
        return durable;
    }

    LogImage asked() {
        return asked;
    }

    /** It will not come back as it was: whatever it promised is gone with its disk. */
    void ended() {
        leads = false;
    }

    // ---- a new life

    @Override
    public void started(Restart restart) {
        if (isKnown) {
            checkKept(restart);
        }
        isKnown = true;
        pending.clear();
        readFloors.clear();
        durable.startAt(restart.baseIndex(), restart.baseTerm(), restart.entries());
        asked.copyOf(durable);
        durableState = restart.hardState();
        askedState = durableState;
        applied = restart.applied();
        committed = Math.max(restart.hardState().commit(), applied);
        term = durableState.term();
        leads = false;
        lastConfChange = 0;
        promises().restarted(this, host, committed, applied);
    }

    /** What was acknowledged is there, and behind it nothing but what was asked for, as far as it came. */
    private void checkKept(Restart restart) {
        HardState found = restart.hardState();
        LogImage is = new LogImage();
        is.startAt(restart.baseIndex(), restart.baseTerm(), restart.entries());
        boolean isState = found.term() == durableState.term() && found.vote() == durableState.vote();
        LogImage possible = new LogImage();
        possible.copyOf(durable);
        boolean isLog = is.isSameAs(possible);
        for (Effect.Persist persist : pending) {
            isState |= found.term() == persist.state().term() && found.vote() == persist.state().vote();
            if (persist.snapshot() != null && !isLog) {
                possible.write(persist.snapshot(), List.of());
                isLog = is.isSameAs(possible);
            }
            for (Entry entry : persist.entries()) {
                if (!isLog) {
                    possible.put(entry);
                    isLog = is.isSameAs(possible);
                }
            }
        }
        Violation.check(isState, "%s: its disk acknowledged %s, and holds %s after the restart", host, durableState,
                found);
        Violation.check(isLog, "%s: its disk acknowledged a %s, and holds a %s after the restart", host, durable, is);
    }

    // ---- a step

    @Override
    public void stepped(RaftCore core, Input input, List<Effect> effects) {
        switch (input) {
            case Input.Persisted(long ticket) -> acknowledged(ticket);
            case Input.Applied(long index) -> applied = index;
            case Input.ReadRequested(long id) -> readFloors.put(id, promises().committedIndex());
            default -> {}
        }
        for (Effect effect : effects) {
            look(core, effect);
        }
        afterStep(core);
    }

    private void acknowledged(long ticket) {
        while (!pending.isEmpty() && pending.element().ticket() <= ticket) {
            Effect.Persist persist = pending.remove();
            durable.write(persist.snapshot(), persist.entries());
            durableState = persist.state();
        }
    }

    private void look(RaftCore core, Effect effect) {
        switch (effect) {
            case Effect.Persist persist -> asks(core, persist);
            case Effect.Send(Message message) -> sends(core, message);
            case Effect.Commit(List<Entry> entries) -> promises().handedOut(this, host, entries);
            case Effect.ReadReady(long id, long index) -> {
                Long floor = readFloors.remove(id);
                Violation.check(floor == null || index >= floor,
                        "%s: a read may see index %d; %d was committed when it was asked", host, index, floor);
            }
            case Effect.Install(var snapshot) -> promises().installed(host, snapshot);
            case Effect.Noted(Event.Refused(Message message, Event.Refusal refusal)) ->
                Violation.check(refusal == Event.Refusal.UNKNOWN_PEER || refusal == Event.Refusal.TOO_MANY_READS,
                        "%s refuses %s: %s", host, message, refusal.text());
            case Effect.Noted(Event event) -> promises().noted(host, event);
            case Effect.LeaderChanged changed -> {}
            case Effect.ConfigurationChanged changed -> {}
            case Effect.Dropped dropped -> {}
        }
    }

    private void asks(RaftCore core, Effect.Persist persist) {
        HardState state = persist.state();
        Violation.check(state.term() >= askedState.term(), "%s: term %d after %d", host, state.term(),
                askedState.term());
        Violation.check(state.term() > askedState.term() || askedState.vote() == 0
                || state.vote() == askedState.vote(), "%s: votes for %x and %x in term %d", host, askedState.vote(),
                state.vote(), state.term());
        Violation.check(state.commit() >= askedState.commit(), "%s: commit index %d after %d", host, state.commit(),
                askedState.commit());
        var snapshot = persist.snapshot();
        if (snapshot != null) {
            Violation.check(snapshot.index() > committed, "%s: a snapshot at %d over what is committed up to %d", host,
                    snapshot.index(), committed);
        }
        asked.write(snapshot, persist.entries());
        askedState = state;
        pending.add(persist);
        promises().appended(this, host, core, persist.entries());
    }

    /** As the leader that appends them: a change of members only when the one before is applied. */
    void checkOneChangeAtATime(Entry change) {
        Violation.check(lastConfChange <= applied,
                "%s appends a change of members at %d while that at %d is not applied",
                host, change.index(), lastConfChange);
        lastConfChange = change.index();
    }

    private void sends(RaftCore core, Message message) {
        switch (message) {
            case Message.VoteAnswer answer when answer.granted() && !answer.pre() -> {
                vote(answer.term(), answer.to());
                boolean isDurable = durableState.term() > answer.term()
                        || (durableState.term() == answer.term() && durableState.vote() == answer.to());
                Violation.check(isDurable, "%s votes for %x in term %d; its disk has acknowledged %s", host,
                        answer.to(), answer.term(), durableState);
            }
            case Message.Append append when core.isLeader() && append.term() == core.term() -> {
                vote(append.term(), host.id);
                promises().leads(host, append.term());
            }
            case Message.Heartbeat heartbeat when heartbeat.term() == core.term() ->
                promises().leads(host, heartbeat.term());
            case Message.AppendAccepted answer when answer.term() == core.term() ->
                Violation.check(durable.lastIndex() >= answer.index(),
                        "%s acknowledges %d; its disk has acknowledged %d", host, answer.index(), durable.lastIndex());
            default -> {}
        }
    }

    private void vote(long inTerm, long candidate) {
        Long other = votes.putIfAbsent(inTerm, candidate);
        Violation.check(other == null || other == candidate, "%s votes for %x and for %x in term %d", host, other,
                candidate, inTerm);
    }

    private void afterStep(RaftCore core) {
        Violation.check(core.term() >= term, "%s: term %d after %d", host, core.term(), term);
        if (core.term() > term) {
            promises().isIn(host, core.term());
        }
        term = core.term();
        long before = committed;
        committed = core.committedIndex();
        Violation.check(committed >= before, "%s: commit index %d after %d", host, committed, before);
        Violation.check(applied <= committed, "%s: applied %d, committed %d", host, applied, committed);
        if (core.isLeader() && !leads) {
            leads = true;
            promises().elected(this, host, core);
        } else if (leads && !core.isLeader()) {
            leads = false;
        }
        if (leads && committed > before) {
            Violation.check(asked.termAt(committed) == term, "%s commits %d of term %d by counting in term %d", host,
                    committed, asked.termAt(committed), term);
            promises().committedByLeader(this, host, core);
        }
        promises().mix(host, term, committed, core.lastIndex());
    }
}
