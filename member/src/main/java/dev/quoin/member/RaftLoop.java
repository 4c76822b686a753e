package dev.quoin.member;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.function.Supplier;

import dev.quoin.base.Clock;
import dev.quoin.base.Invariant;
import dev.quoin.raft.Effect;
import dev.quoin.raft.EntryKind;
import dev.quoin.raft.Input;
import dev.quoin.raft.RaftCore;

/**
 * The owner of the consensus core: takes what has arrived since the last turn, makes of many proposals one append and of
 * many reads one round, and performs what the core asks for by telling the other owners. It waits for nobody: neither
 * the store nor a file can hold up a tick.
 *
 * <p>Time: a turn gives the core at most one tick, and only after everything that had arrived. After a stall of any
 * length (a collection, a stopped process, a slow disk) the missed ticks are gone, as those of Go's ticker are.
 */
final class RaftLoop implements Actor {
    /** What others send. */
    sealed interface Message {
        record Propose(Proposal proposal) implements Message {}

        record Read(ReadAnswer answer, long deadlineNanos) implements Message {
            /** Fails the read if its time is over; says whether it was. */
            boolean failIfLate(long nowNanos) {
                boolean late = deadlineNanos - nowNanos < 0;
                if (late) {
                    answer.failed(Failure.TIMEOUT);
                }
                return late;
            }
        }

        record Persisted(long ticket) implements Message {}

        record Reconfigured(Input.Reconfigured input) implements Message {}
    }

    /** A round of reads that waits for its index. */
    private record Round(long id, List<Message.Read> reads) {}

    /** What others may see of consensus, as of some turn not long ago. */
    record Progress(long leader, long term, long committed) {}

    private static final int TICKS_BETWEEN_SWEEPS = 10;
    private static final long SOON_NANOS = 1_000_000;

    private final Mailbox<Message> mailbox;
    private final RaftCore core;
    private final Clock clock;
    private final MemberLimits limits;
    private final long tickNanos;
    private final long self;
    private final Waiters waiters;
    private final Supplier<List<Proposal>> chores;
    private final LogWriter logWriter;
    private final ApplyLoop applyLoop;
    private final Witness witness;

    private long lastTickNanos;
    private int ticksUntilSweep = TICKS_BETWEEN_SWEEPS;
    private long appliedIndex;
    private long lastRoundId;
    private final Deque<Round> rounds = new ArrayDeque<>();
    private final List<Proposal> withoutLeader = new ArrayList<>();
    private volatile Progress progress;

    /**
     * @param mailbox what the other owners and the clients put their messages into
     * @param chores what this member proposes by itself whenever it becomes the leader
     */
    RaftLoop(Mailbox<Message> mailbox, RaftCore core, long self, Clock clock, MemberLimits limits, Waiters waiters,
            Supplier<List<Proposal>> chores, LogWriter logWriter, ApplyLoop applyLoop, Witness witness) {
        this.mailbox = mailbox;
        this.core = core;
        this.self = self;
        this.clock = clock;
        this.limits = limits;
        this.waiters = waiters;
        this.chores = chores;
        this.logWriter = logWriter;
        this.applyLoop = applyLoop;
        this.witness = witness;
        tickNanos = limits.tickNanos();
        lastTickNanos = clock.nanos();
        progress = progressOf(core);
    }

    /** For any thread. */
    Progress progress() {
        return progress;
    }

    @Override
    public long turn() {
        noteApplied();
        takeMessages();
        campaignIfAlone();
        long untilTick = tick();
        progress = progressOf(core);
        // A change of members that is being applied holds up the election. That is soon over, and nobody says so.
        return core.isAloneWithoutLeader() ? Math.min(untilTick, SOON_NANOS) : untilTick;
    }

    private void noteApplied() {
        long applied = applyLoop.appliedIndex();
        if (applied > appliedIndex) {
            appliedIndex = applied;
            step(new Input.Applied(applied));
        }
    }

    private void takeMessages() {
        List<Proposal> proposals = new ArrayList<>();
        List<Message.Read> reads = new ArrayList<>();
        for (Message message : mailbox.take()) {
            switch (message) {
                case Message.Propose(Proposal proposal) -> proposals.add(proposal);
                case Message.Read read -> reads.add(read);
                case Message.Persisted(long ticket) -> step(new Input.Persisted(ticket));
                case Message.Reconfigured(Input.Reconfigured input) -> step(input);
            }
        }
        propose(proposals);
        if (!reads.isEmpty()) {
            rounds.add(new Round(++lastRoundId, reads));
            step(new Input.ReadRequested(lastRoundId));
        }
    }

    private void propose(List<Proposal> proposals) {
        if (proposals.isEmpty()) {
            return;
        }
        if (!core.isLeader()) {
            // They wait for a leader as long as their deadlines allow; the sweep ends those that waited too long.
            withoutLeader.addAll(proposals);
            return;
        }
        List<Input.Proposal> accepted = new ArrayList<>(proposals.size());
        for (Proposal proposal : proposals) {
            if (isBehind()) {
                waiters.fail(proposal.id(), Failure.TOO_MANY_REQUESTS);
            } else if (waiters.isWaiting(proposal.id())) {
                accepted.add(new Input.Proposal(EntryKind.NORMAL, proposal.data()));
            }
        }
        if (!accepted.isEmpty()) {
            step(new Input.Proposed(accepted));
        }
    }

    /**
     * Whether too much waits for a disk already: for the ledger's as entries, for the log's as bytes. Those stay in memory
     * when nobody waits for them any more, so it does not do to count who waits.
     */
    private boolean isBehind() {
        return core.committedIndex() > appliedIndex + limits.unappliedEntriesMax()
                || core.unappliedBytes() > limits.inFlightBytesMax();
    }

    /** A lone voter knows the outcome of its election: it need not wait for a timeout. */
    private void campaignIfAlone() {
        if (core.isAloneWithoutLeader()) {
            step(new Input.Campaign());
        }
    }

    private long tick() {
        long now = clock.nanos();
        long sinceLast = now - lastTickNanos;
        if (sinceLast < tickNanos) {
            return tickNanos - sinceLast;
        }
        lastTickNanos = now;
        step(new Input.Tick());
        if (--ticksUntilSweep == 0) {
            ticksUntilSweep = TICKS_BETWEEN_SWEEPS;
            sweep(now);
        }
        return tickNanos;
    }

    private void sweep(long now) {
        waiters.expire(now);
        withoutLeader.removeIf(proposal -> !waiters.isWaiting(proposal.id()));
        for (Round round : rounds) {
            round.reads().removeIf(read -> read.failIfLate(now));
        }
    }

    private void step(Input input) {
        List<Effect> effects = core.step(input);
        witness.stepped(core, input, effects);
        for (Effect effect : effects) {
            switch (effect) {
                case Effect.Persist persist -> logWriter.mailbox().put(new LogWriter.Message.Write(persist));
                case Effect.Commit commit -> applyLoop.mailbox().put(new ApplyLoop.Message.Committed(commit.entries()));
                case Effect.ReadReady(long id, long index) -> onReadReady(id, index);
                case Effect.LeaderChanged(long leader, long term) -> onLeaderChanged(leader);
                case Effect.Noted noted -> {}
                case Effect.ConfigurationChanged changed -> {}
                case Effect.Send(var message) -> throw Invariant.violation("a lone member sends %s", message);
                case Effect.Install(var snapshot) -> throw Invariant.violation("a lone member installs %s", snapshot);
                case Effect.Dropped dropped -> throw Invariant.violation("a lone leader drops %s", dropped.reason());
            }
        }
    }

    private void onReadReady(long id, long index) {
        Round round = rounds.removeFirst();
        Invariant.check(round.id() == id, "read round %d is ready, %d was first in line", id, round.id());
        applyLoop.mailbox().put(new ApplyLoop.Message.ReadAt(index, round.reads()));
    }

    private void onLeaderChanged(long leader) {
        if (leader != self) {
            return;
        }
        List<Proposal> first = new ArrayList<>(chores.get());
        first.forEach(waiters::addOwn);
        first.addAll(withoutLeader);
        withoutLeader.clear();
        first.forEach(proposal -> mailbox.put(new Message.Propose(proposal)));
    }

    /** After the last turn: nobody is left without an answer. */
    void abandon() {
        for (Message message : mailbox.take()) {
            if (message instanceof Message.Read read) {
                read.answer().failed(Failure.STOPPED);
            }
        }
        for (Round round : rounds) {
            round.reads().forEach(read -> read.answer().failed(Failure.STOPPED));
        }
        rounds.clear();
    }

    private static Progress progressOf(RaftCore core) {
        return new Progress(core.leader(), core.term(), core.committedIndex());
    }

    @Override
    public Mailbox<Message> mailbox() {
        return mailbox;
    }
}
