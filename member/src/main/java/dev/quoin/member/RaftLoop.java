package dev.quoin.member;

import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.NavigableMap;
import java.util.TreeMap;

import org.jspecify.annotations.Nullable;

import dev.quoin.base.Clock;
import dev.quoin.base.Invariant;
import dev.quoin.raft.Chance;
import dev.quoin.raft.Effect;
import dev.quoin.raft.EntryKind;
import dev.quoin.raft.Event;
import dev.quoin.raft.Input;
import dev.quoin.raft.PeerProgress;
import dev.quoin.raft.RaftCore;
import dev.quoin.raft.SnapshotMeta;

/**
 * The owner of the consensus core: takes what has arrived since the last turn, makes of many proposals one append and of
 * many reads one round, and performs what the core asks for by telling the other owners and the network. It waits for
 * nobody: neither the store nor a file can hold up a tick, and so no heartbeat.
 *
 * <p>Time: a turn gives the core at most one tick, and only after everything that had arrived. After a stall of any
 * length (a collection, a stopped process, a slow disk) the missed ticks are gone, as those of Go's ticker are.
 *
 * <p>What was proposed is handed over once, to the core of the leader; whether it got into the log, the log alone tells.
 * A read may be asked for again and again, each time under a new id.
 */
final class RaftLoop implements Actor {
    /** What others send. */
    sealed interface Message {
        record Propose(Proposal proposal) implements Message {}

        /**
         * A change of members that is asked for.
         *
         * @param appliedBefore what had been applied by then: who asks may just have been told of the change before, and
         *        consensus takes a change only once the one before counts as applied
         */
        record Change(ClusterChange change, ChangeAnswer answer, long startNanos, long deadlineNanos,
                long appliedBefore)
                implements
                    Message {}

        /**
         * Somebody waits to read.
         *
         * @param isAboutLeader whether it is enough that the leader of now is known to lead, whatever is applied
         */
        record Read(ReadAnswer answer, long deadlineNanos, boolean isAboutLeader) implements Message {
            Read(ReadAnswer answer, long deadlineNanos) {
                this(answer, deadlineNanos, false);
            }

            /** Fails the read if its time is over; says whether it was. */
            boolean failIfLate(long nowNanos) {
                boolean late = deadlineNanos - nowNanos < 0;
                if (late) {
                    answer.failed(Failure.TIMEOUT);
                }
                return late;
            }
        }

        /** {@code answer} is told when {@code to} leads. */
        record Transfer(long to, Read answer) implements Message {}

        /** Of the member itself: to be appended here in this very term, or never. */
        record ProposeInTerm(long term, List<Proposal> proposals) implements Message {}

        record Persisted(long ticket) implements Message {}

        record Reconfigured(Input.Reconfigured input) implements Message {}

        /** From another member; an InstallSnapshot only with {@link Arrived}. */
        record Received(dev.quoin.raft.Message message) implements Message {}

        /** A leader's state, durable and ready, and how it was announced. */
        record Arrived(dev.quoin.raft.Message.InstallSnapshot message, ReceivedState state) implements Message {}

        record Unreachable(long peer) implements Message {}

        /** There may be something to tell the cluster. */
        record ChoresDue() implements Message {}

        /** The first election need not wait so long: the others are within reach already, and there is no leader. */
        record Advance(int ticks) implements Message {}

        /** The cluster has never had a leader, enough of the others are within reach, and it is this member that begins. */
        record Begin() implements Message {}

        /** The process of this member has ended. */
        record Gone(long peer) implements Message {}

        record SnapshotSent(long peer, Delivery delivery) implements Message {}
    }

    /** Who else is to know what. Each is called on this loop's thread, must not block and must not throw. */
    interface Listener {
        /** What this member has to tell the cluster, now that there is a leader. */
        List<Proposal> chores(boolean leads);

        /** A member lags so far behind that it needs the state. */
        void stateWanted(dev.quoin.raft.Message.InstallSnapshot message);

        /**
         * Makes an entry of a change of members, or says why not.
         *
         * @param progress of the followers, if this member leads
         */
        ChangeEntry entryOf(Message.Change asked, @Nullable List<PeerProgress> progress);

        /** How long there has been a connection to a member; 0 if there is none. */
        long activeSinceNanos(long member);

        /** The disk of the log has not answered for so long, and another member is asked to lead. */
        void diskHangs(long nanos);

        /** It will not be installed. */
        void unwanted(ReceivedState state);

        void noted(Event event);

        /** Up to which entry the lessor has been told what they do to leases, and has asked for what it asked for before that. */
        long leasesTold();

        /** In which term this member leads from now on, 0 if it does not. Told before any entry of that term is handed over. */
        void leads(long term);
    }

    /** A change of members that may be proposed, or why it may not. */
    sealed interface ChangeEntry {
        record Made(PendingChange change) implements ChangeEntry {}

        record Refused(ChangeRefusal why) implements ChangeEntry {}
    }

    /** A change of members that waits until everything up to this index is applied here. */
    private record Early(long index, Message change) {}

    /** What the log's writer was asked for, and when. */
    private record Write(long ticket, long lastIndex, long askedNanos) {}

    /**
     * What others may see of consensus, as of some turn not long ago.
     *
     * @param isLogLate whether the log's disk has owed an answer for an election timeout or longer
     * @param statesTaken states of a leader that are about to take the place of this member's own
     */
    record Progress(long leader, long term, long committed, long unappliedBytes, boolean isLogLate, int statesTaken) {}

    /** An index before all others. */
    private static final long NO_ENTRY = 0;
    private static final int TICKS_BETWEEN_SWEEPS = 10;
    private static final long SOON_NANOS = 1_000_000;
    /** How long after an election something may still come of what the leader before it was told. */
    private static final long LOST_AFTER_NANOS = Duration.ofSeconds(1).toNanos();
    /** Beyond, a change is looked at without waiting, and may be dropped. */
    private static final int EARLY_MAX = 64;
    /** What one message to the leader may carry, if it is more than one proposal. */
    private static final long FORWARDED_BYTES_MAX = 1 << 20;

    private final Mailbox<Message> mailbox;
    private final RaftCore core;
    private final Clock clock;
    private final MemberLimits limits;
    private final long tickNanos;
    private final long self;
    private final Waiters waiters;
    private final LogWriter logWriter;
    private final ApplyLoop applyLoop;
    private final Network network;
    private final Listener listener;
    private final Witness witness;
    private final DiskRoom room;
    private final MemberMetrics metrics;
    private final EntryTimes times;
    private final Pauses pauses;

    private long lastTickNanos;
    private final Succession succession;
    /** Since the last tick it was found that a record is lost here of a state that another member needs. */
    private boolean isStateDamaged;
    private int ticksUntilSweep = TICKS_BETWEEN_SWEEPS;
    private long appliedIndex;
    private final List<dev.quoin.raft.Message> outgoing = new ArrayList<>();

    /** Writes that the log's disk has not answered, in their order. */
    private final Deque<Write> unanswered = new ArrayDeque<>();
    private final WaitingReads waitingReads;
    private final Deque<Early> early = new ArrayDeque<>();
    private final Backlog backlog;
    private final GrantsUnderWay grants = new GrantsUnderWay();
    /** In the order in which they came. */
    private List<Waiting> withoutLeader = new ArrayList<>();
    /** What the core is being asked to append; it may be dropped as a whole. */
    private List<Waiting> atHand = List.of();
    /** Whether what is at hand is for no other leader than the one of now. */
    private boolean isAtHandForNow;
    private Message.@Nullable Transfer transfer;
    /** States that consensus has taken over, by their index, until the log begins behind them. */
    private final NavigableMap<Long, ReceivedState> taken = new TreeMap<>();
    private boolean isStateTaken;

    private final LostLeader lostLeader;
    /** Whether the first election of the cluster is for this member to begin, as soon as it can. */
    private boolean isToBegin;
    private boolean isLeaderNew;
    private long leaderSinceNanos;
    /** The last leader there was, 0 for none yet. */
    private long lastLeader;
    private boolean areChoresDue;
    private long choresDoneNanos;
    /** The term in which others were told that this member leads; 0 if they were told that it does not. */
    private long toldTerm;
    private volatile Progress progress;

    /** @param mailbox what the other owners, the network and the clients put their messages into */
    RaftLoop(Mailbox<Message> mailbox, RaftCore core, long self, Clock clock, Chance chance, MemberLimits limits,
            RequestIds ids,
            Waiters waiters, LogWriter logWriter, ApplyLoop applyLoop, Network network, DiskRoom room,
            Listener listener, Witness witness, MemberMetrics metrics, EntryTimes times, Pauses pauses) {
        this.mailbox = mailbox;
        this.core = core;
        this.self = self;
        this.clock = clock;
        this.limits = limits;
        this.waiters = waiters;
        this.logWriter = logWriter;
        this.applyLoop = applyLoop;
        this.network = network;
        this.listener = listener;
        this.witness = witness;
        this.room = room;
        this.metrics = metrics;
        this.times = times;
        this.pauses = pauses;
        tickNanos = limits.tickNanos();
        backlog = new Backlog(limits.unappliedEntriesMax());
        lastTickNanos = clock.nanos();
        succession = new Succession(limits.electionTicks() * tickNanos, lastTickNanos);
        lostLeader = new LostLeader(tickNanos, chance);
        waitingReads = new WaitingReads(ids::next);
        leaderSinceNanos = lastTickNanos;
        progress = progressNow(0);
    }

    /** For any thread. */
    Progress progress() {
        return progress;
    }

    @Override
    public long turn() {
        // A change of members is told before its entry counts as applied: so this is read before the mailbox is.
        long applied = applyLoop.appliedIndex();
        // What the lessor asked for before it was told of these is in the mailbox by now.
        long leasesTold = listener.leasesTold();
        backlog.look(core.committedIndex() - applied, clock.nanos());
        takeMessages(applied);
        grants.told(leasesTold);
        long untilElection = replaceLeader();
        campaignIfAlone();
        begin();
        long untilTick = tick();
        greetLeader();
        progress = progressNow(taken.size());
        if (!outgoing.isEmpty()) {
            network.send(List.copyOf(outgoing));
            outgoing.clear();
        }
        // A change of members that is being applied holds up the election. That is soon over, and nobody says so.
        return core.isAloneWithoutLeader() ? Math.min(untilTick, SOON_NANOS) : Math.min(untilTick, untilElection);
    }

    private void noteApplied(long applied) {
        if (applied > appliedIndex) {
            appliedIndex = applied;
            step(new Input.Applied(applied));
        }
    }

    private void takeMessages(long appliedAtFirst) {
        long applied = appliedAtFirst;
        List<Waiting> proposals = new ArrayList<>();
        List<Message> changes = new ArrayList<>();
        List<Message.Read> reads = new ArrayList<>();
        for (Message message : mailbox.take()) {
            switch (message) {
                case Message.Propose(Proposal proposal) -> proposals.add(proposal);
                case Message.Change change -> {
                    applied = Math.max(applied, change.appliedBefore());
                    changes.add(change);
                }
                case Message.Read read -> reads.add(read);
                case Message.Transfer asked -> onTransfer(asked);
                case Message.ProposeInTerm(long term, List<Proposal> asked) -> proposeInTerm(term, asked);
                case Message.Persisted(long ticket) -> onPersisted(ticket);
                case Message.Reconfigured(Input.Reconfigured input) -> step(input);
                case Message.Received change when changesMembers(change.message()) -> changes.add(change);
                case Message.Received(dev.quoin.raft.Message received) -> onReceived(received);
                case Message.Advance(int ticks) -> advance(ticks);
                case Message.Begin() -> isToBegin = true;
                case Message.ChoresDue() -> areChoresDue = true;
                case Message.Gone(long peer) -> lostLeader.gone(peer, core.leader());
                case Message.Arrived arrived -> onArrived(arrived);
                case Message.Unreachable(long peer) -> step(new Input.Unreachable(peer));
                case Message.SnapshotSent(long peer, Delivery delivery) -> onSnapshotSent(peer, delivery);
            }
        }
        noteApplied(applied);
        takeChanges(changes, proposals);
        propose(proposals);
        if (!reads.isEmpty()) {
            askFor(reads);
        }
    }

    // ---- changes of members

    private static boolean changesMembers(dev.quoin.raft.Message message) {
        if (message instanceof dev.quoin.raft.Message.Propose others) {
            for (Input.Proposal proposal : others.proposals()) {
                if (proposal.kind() != EntryKind.NORMAL) {
                    return true;
                }
            }
        }
        return false;
    }

    /**
     * A leader drops a change while the one before is not applied, and its asker waits in vain. Whoever asks may have been told
     * of the one before by a member that is quicker: so what is committed by now has to be applied first.
     */
    private void takeChanges(List<Message> changes, List<Waiting> proposals) {
        while (!early.isEmpty() && (!core.isLeader() || early.getFirst().index() <= appliedIndex)) {
            take(early.removeFirst().change(), proposals);
        }
        for (Message change : changes) {
            if (core.isLeader() && core.committedIndex() > appliedIndex && early.size() < EARLY_MAX) {
                early.add(new Early(core.committedIndex(), change));
            } else {
                take(change, proposals);
            }
        }
    }

    private void take(Message change, List<Waiting> proposals) {
        switch (change) {
            case Message.Change own -> prepare(own, proposals);
            case Message.Received(dev.quoin.raft.Message others) -> onReceived(others);
            default -> throw Invariant.violation("no change of members: %s", change);
        }
    }

    private void prepare(Message.Change asked, List<Waiting> proposals) {
        List<PeerProgress> seen = core.isLeader() ? core.progress() : null;
        switch (listener.entryOf(asked, seen)) {
            case ChangeEntry.Refused(ChangeRefusal why) -> asked.answer().refused(why);
            case ChangeEntry.Made(PendingChange change) -> {
                waiters.addOwn(change);
                proposals.add(change);
            }
        }
    }

    // ---- proposals

    private void propose(List<Waiting> proposals) {
        if (hasNoRoom()) {
            proposals.forEach(proposal -> waiters.fail(proposal.id(), Failure.DISK_FULL));
            return;
        }
        if (!hasWillingLeader()) {
            // They wait for a leader as long as their deadlines allow; the sweep ends those that waited too long.
            withoutLeader.addAll(proposals);
            return;
        }
        if (!withoutLeader.isEmpty()) {
            List<Waiting> before = withoutLeader;
            withoutLeader = new ArrayList<>();
            before.addAll(proposals);
            propose(before);
            return;
        }
        List<Waiting> accepted = new ArrayList<>(proposals.size());
        long bytes = 0;
        for (Waiting proposal : proposals) {
            if (isBehind()) {
                waiters.fail(proposal.id(), Failure.TOO_MANY_REQUESTS);
                continue;
            }
            if (!waiters.isWaiting(proposal.id())) {
                continue;
            }
            bytes += proposal.data().length();
            if (bytes > FORWARDED_BYTES_MAX && !core.isLeader()) {
                handOver(accepted);
                accepted = new ArrayList<>();
                bytes = proposal.data().length();
            }
            accepted.add(proposal);
        }
        handOver(accepted);
    }

    /**
     * What a leader has found out by its own clock is never passed on and never kept: whoever leads later finds it out anew.
     */
    private void proposeInTerm(long term, List<Proposal> proposals) {
        if (!core.isLeader() || core.term() != term || core.transferee() != 0) {
            proposals.forEach(proposal -> waiters.fail(proposal.id(), Failure.NOT_LEADER));
        } else if (hasNoRoom()) {
            proposals.forEach(proposal -> waiters.fail(proposal.id(), Failure.DISK_FULL));
        } else if (isBehind()) {
            proposals.forEach(proposal -> waiters.fail(proposal.id(), Failure.TOO_MANY_REQUESTS));
        } else {
            List<Waiting> timely = new ArrayList<>(proposals.size());
            for (Proposal proposal : proposals) {
                if (grants.concerns(proposal.data())) {
                    waiters.fail(proposal.id(), Failure.TIMEOUT);
                } else {
                    timely.add(proposal);
                }
            }
            isAtHandForNow = true;
            handOver(timely);
            isAtHandForNow = false;
        }
    }

    /**
     * Whether the disk has no room for what is proposed here. A leader stops at the first sign, while there is room left for
     * what keeps a cluster going; another member passes on what it is asked as long as it could hear of the outcome.
     */
    private boolean hasNoRoom() {
        return room.isLogStuck() || (core.isLeader() && room.isFull());
    }

    /** A leader that makes way for another takes no proposals. */
    private boolean hasWillingLeader() {
        return core.leader() != 0 && core.transferee() == 0;
    }

    private void handOver(List<Waiting> accepted) {
        if (accepted.isEmpty()) {
            return;
        }
        atHand = accepted;
        accepted.forEach(proposal -> waiters.handedOver(proposal.id(), core.term()));
        step(new Input.Proposed(accepted.stream()
                .map(proposal -> new Input.Proposal(proposal.kind(), proposal.data())).toList()));
        atHand = List.of();
    }

    private void onDropped(Effect.Reason reason) {
        if (isAtHandForNow) {
            atHand.forEach(proposal -> waiters.fail(proposal.id(), Failure.NOT_LEADER));
            return;
        }
        switch (reason) {
            case NO_LEADER, LEADERSHIP_TRANSFER, NOT_A_MEMBER -> {
                atHand.forEach(proposal -> waiters.takenBack(proposal.id()));
                withoutLeader.addAll(atHand);
            }
            case TOO_MUCH_UNCOMMITTED ->
                atHand.forEach(proposal -> waiters.fail(proposal.id(), Failure.TOO_MANY_REQUESTS));
            case FORWARDING_DISABLED, MALFORMED ->
                throw Invariant.violation("our own proposals are dropped: %s", reason);
        }
    }

    /**
     * Whether too much waits for a disk already: for the ledger's as entries, for the log's as bytes. Those stay in memory
     * when nobody waits for them any more, so it does not do to count who waits.
     */
    private boolean isBehind() {
        return backlog.isTooMuch() || core.unappliedBytes() > limits.inFlightBytesMax();
    }

    /** A lone voter knows the outcome of its election: it need not wait for a timeout. */
    private void campaignIfAlone() {
        if (core.isAloneWithoutLeader()) {
            step(new Input.Campaign());
        }
    }

    /** Once it has applied what the log began with: before, it does not know who votes. */
    private void begin() {
        if (isToBegin && core.committedIndex() <= appliedIndex) {
            isToBegin = false;
            if (core.leader() == 0 && core.role() == RaftCore.Role.FOLLOWER) {
                step(new Input.Campaign());
            }
        }
    }

    // ---- reads

    /** Without a leader nobody is asked; as soon as there is one, it is. */
    private void askFor(List<Message.Read> reads) {
        if (core.leader() == 0) {
            waitingReads.add(reads, clock.nanos());
        } else {
            step(new Input.ReadRequested(waitingReads.ask(reads, clock.nanos())));
        }
    }

    /** What is applied already can be seen by now; only for what is not, somebody must wait, if it is what matters. */
    private void onReadReady(long id, long index) {
        boolean isApplied = index <= applyLoop.appliedIndex();
        for (List<Message.Read> reads : waitingReads.answered(id)) {
            reads.stream().filter(read -> isApplied || read.isAboutLeader()).forEach(read -> read.answer().ready());
            reads.removeIf(read -> isApplied || read.isAboutLeader());
            if (!reads.isEmpty()) {
                reads.forEach(read -> read.answer().awaitsApplication());
                applyLoop.mailbox().put(new ApplyLoop.Message.ReadAt(index, reads, clock.nanos()));
            }
        }
    }

    // ---- leaders

    /** What would only wait here for a disk, in memory, is as good as lost: whoever sent it sends it again, or is told so. */
    private boolean isTooMuch(dev.quoin.raft.Message message) {
        return switch (message) {
            case dev.quoin.raft.Message.Append append ->
                !append.entries().isEmpty() && core.unappliedBytes() > limits.inFlightBytesMax();
            case dev.quoin.raft.Message.Propose propose -> isBehind() || hasNoRoom();
            // It could not even vote for itself.
            case dev.quoin.raft.Message.TimeoutNow timeoutNow -> room.isLogStuck();
            default -> false;
        };
    }

    private void advance(int ticks) {
        for (int tick = 0; tick < ticks && core.leader() == 0 && core.role() == RaftCore.Role.FOLLOWER; tick++) {
            step(new Input.Tick());
        }
    }

    private void onReceived(dev.quoin.raft.Message message) {
        if (message.from() == core.leader()) {
            lostLeader.heard(clock.nanos());
        }
        if (isTooMuch(message)) {
            return;
        }
        if (message instanceof dev.quoin.raft.Message.TimeoutNow asked) {
            succession.invited(asked.from());
        }
        step(new Input.Received(message));
    }

    /** A leader whose process has ended is not waited for. Returns in how many nanoseconds there may be something to do. */
    private long replaceLeader() {
        return switch (lostLeader.step(clock.nanos(), core.leader())) {
            case LostLeader.Todo.Forget() -> {
                step(new Input.ForgetLeader());
                yield 0;
            }
            case LostLeader.Todo.Campaign() -> {
                if (core.role() != RaftCore.Role.LEADER) {
                    step(new Input.Campaign());
                }
                yield 0;
            }
            case LostLeader.Todo.Wait(long nanos) -> nanos;
        };
    }

    private void onTransfer(Message.Transfer asked) {
        if (!core.isLeader()) {
            asked.answer().answer().failed(Failure.NOT_LEADER);
            return;
        }
        if (asked.to() == self) {
            asked.answer().answer().ready();
            return;
        }
        endTransfer(Failure.TIMEOUT);
        transfer = asked;
        step(new Input.TransferLeadership(asked.to()));
    }

    private void endTransfer(@Nullable Failure failure) {
        Message.Transfer ended = transfer;
        transfer = null;
        if (ended == null) {
            return;
        }
        if (failure == null) {
            ended.answer().answer().ready();
        } else {
            ended.answer().answer().failed(failure);
        }
    }

    private void onLeaderChanged(long leader) {
        leaderSinceNanos = clock.nanos();
        isLeaderNew = leader != 0;
        if (leader != 0 && leader != lastLeader) {
            lastLeader = leader;
            metrics.leaderChanged();
        }
        if (transfer != null && transfer.to() == leader) {
            endTransfer(null);
        }
    }

    /** What waits for a leader is told to it, and what is due is said. */
    private void greetLeader() {
        long now = clock.nanos();
        if (core.leader() == 0) {
            return;
        }
        boolean isNew = isLeaderNew;
        isLeaderNew = false;
        if (isNew || areChoresDue || now - choresDoneNanos >= limits.requestTimeoutNanos()) {
            areChoresDue = false;
            choresDoneNanos = now;
            List<Proposal> chores = listener.chores(core.isLeader());
            chores.forEach(waiters::addOwn);
            withoutLeader.addAll(0, chores);
        }
        if (!withoutLeader.isEmpty()) {
            propose(List.of());
        }
        if (waitingReads.isDue(now)) {
            metrics.readIndexSlow();
        }
        if (waitingReads.isDue(now) || (isNew && !waitingReads.isEmpty())) {
            step(new Input.ReadRequested(waitingReads.askAgain(now)));
        }
    }

    // ---- time

    private long tick() {
        long now = clock.nanos();
        long sinceLast = now - lastTickNanos;
        if (sinceLast < tickNanos) {
            return tickNanos - sinceLast;
        }
        lastTickNanos = now;
        if (core.isLeader() && core.members().voters().size() > 1 && sinceLast >= 2 * tickNanos) {
            metrics.heartbeatLate(sinceLast);
        }
        step(new Input.Tick());
        leaveIfUnfit(now);
        if (core.leader() != 0 && now - leaderSinceNanos >= LOST_AFTER_NANOS) {
            waiters.failOlderThan(core.term());
        }
        if (--ticksUntilSweep == 0) {
            ticksUntilSweep = TICKS_BETWEEN_SWEEPS;
            sweep(now);
        }
        return tickNanos;
    }

    private void sweep(long now) {
        waiters.expire(now, late -> {
            if (late instanceof Proposal proposal && now - late.startNanos() >= metrics.slowRequestNanos()) {
                proposal.answer().slow(Phases.NONE.with(stuckIn(now), now - late.startNanos()));
            }
            return whyLate(late);
        });
        withoutLeader.removeIf(proposal -> !waiters.isWaiting(proposal.id()));
        int late = waitingReads.sweep(now);
        if (late > 0) {
            metrics.readIndexFailed(late);
        }
        if (transfer != null && transfer.answer().deadlineNanos() - now < 0) {
            endTransfer(Failure.TIMEOUT);
        }
    }

    /** As etcd explains it (etcdserver/server.go parseProposeCtxErr). */
    private Failure whyLate(Waiting late) {
        long beforeElection = leaderSinceNanos - 2 * electionNanos();
        if (core.leader() == 0) {
            return Failure.TIMEOUT;
        }
        if (late.startNanos() - beforeElection > 0 && leaderSinceNanos - late.startNanos() > 0) {
            return Failure.LEADER_LOST;
        }
        boolean isConnected = core.isLeader() ? isQuorumConnectedSince(late.startNanos())
                : isConnectedSince(core.leader(), late.startNanos());
        return isConnected ? Failure.TIMEOUT : Failure.CONNECTION_LOST;
    }

    /** What requests wait for that do not come to an end. */
    private Phases.Phase stuckIn(long now) {
        long half = limits.requestTimeoutNanos() / 2;
        if (logWaitNanos(now) >= half) {
            return Phases.Phase.SYNC;
        }
        return isBehind() ? Phases.Phase.APPLY : Phases.Phase.PEER;
    }

    private boolean isQuorumConnectedSince(long nanos) {
        List<Long> voters = core.members().voters();
        long connected = voters.stream().filter(voter -> voter == self || isConnectedSince(voter, nanos)).count();
        return connected > voters.size() / 2;
    }

    private boolean isConnectedSince(long member, long nanos) {
        long since = listener.activeSinceNanos(member);
        return since != 0 && nanos - since > 0;
    }

    // ---- the log's disk

    private void onPersisted(long ticket) {
        long synced = NO_ENTRY;
        while (!unanswered.isEmpty() && unanswered.getFirst().ticket() <= ticket) {
            synced = Math.max(synced, unanswered.removeFirst().lastIndex());
        }
        if (synced != NO_ENTRY) {
            times.synced(synced, clock.nanos());
        }
        step(new Input.Persisted(ticket));
    }

    /**
     * How long the disk has owed the oldest answer, 0 if it owes none. While this process stands still, it owes nothing: the
     * answer may lie there.
     */
    private long logWaitNanos(long now) {
        if (unanswered.isEmpty()) {
            return 0;
        }
        long asked = unanswered.getFirst().askedNanos();
        return now - asked < electionNanos() ? now - asked : pauses.awake(asked, now);
    }

    private long electionNanos() {
        return limits.electionTicks() * tickNanos;
    }

    /**
     * A leader whose disk hangs still says that it lives, and the others would follow it for as long as that takes; one whose
     * disk is full takes nothing more; one that has lost a record cannot help a member that lags too far behind. It lets one of
     * them lead that is up to date.
     */
    private void leaveIfUnfit(long now) {
        boolean isUnfit = room.isFull() || isStateDamaged;
        isStateDamaged = false;
        if (!core.isLeader() || core.transferee() != 0) {
            return;
        }
        long waiting = logWaitNanos(now);
        boolean isHanging = !room.isFull() && waiting >= electionNanos();
        if (!isHanging && !(isUnfit && succession.mayAsk(now))) {
            return;
        }
        succession.heir(self, core.progress()).ifPresent(heir -> {
            if (isHanging) {
                listener.diskHangs(waiting);
            }
            succession.asked(heir.peer(), now);
            step(new Input.TransferLeadership(heir.peer()));
        });
    }

    // ---- states

    private void onSnapshotSent(long peer, Delivery delivery) {
        isStateDamaged |= delivery == Delivery.DAMAGED;
        step(new Input.SnapshotSent(peer, delivery == Delivery.ARRIVED));
    }

    private void onArrived(Message.Arrived arrived) {
        isStateTaken = false;
        step(new Input.Received(arrived.message()));
        if (isStateTaken) {
            taken.put(arrived.message().snapshot().index(), arrived.state());
        } else {
            listener.unwanted(arrived.state());
        }
    }

    /** The log begins behind it, durably. What was taken before it is passed over. */
    private void install(SnapshotMeta snapshot) {
        ReceivedState state = taken.remove(snapshot.index());
        if (state == null) {
            throw Invariant.violation("nobody has the state of %s", snapshot);
        }
        NavigableMap<Long, ReceivedState> older = taken.headMap(snapshot.index(), false);
        older.values().forEach(listener::unwanted);
        older.clear();
        applyLoop.mailbox().put(new ApplyLoop.Message.Install(state.opened(), snapshot));
    }

    // ---- the core

    private void step(Input input) {
        List<Effect> effects = core.step(input);
        witness.stepped(core, input, effects);
        tellLeadership();
        for (Effect effect : effects) {
            switch (effect) {
                case Effect.Persist persist -> {
                    isStateTaken |= persist.snapshot() != null;
                    noteAsked(persist);
                    logWriter.mailbox().put(new LogWriter.Message.Write(persist));
                }
                case Effect.Commit commit -> {
                    times.committed(commit.entries().getLast().index(), clock.nanos());
                    applyLoop.mailbox().put(new ApplyLoop.Message.Committed(commit.entries()));
                }
                case Effect.Send(dev.quoin.raft.Message.InstallSnapshot install) -> listener.stateWanted(install);
                case Effect.Send(dev.quoin.raft.Message message) -> outgoing.add(message);
                case Effect.ReadReady(long id, long index) -> onReadReady(id, index);
                case Effect.LeaderChanged(long leader, long term) -> onLeaderChanged(leader);
                case Effect.Noted(Event event) -> listener.noted(event);
                case Effect.ConfigurationChanged changed -> {}
                case Effect.Dropped dropped -> onDropped(dropped.reason());
                case Effect.Install(SnapshotMeta snapshot) -> install(snapshot);
            }
        }
    }

    private void noteAsked(Effect.Persist persist) {
        long now = clock.nanos();
        long last = persist.entries().isEmpty() ? NO_ENTRY : persist.entries().getLast().index();
        unanswered.add(new Write(persist.ticket(), last, now));
        if (last != NO_ENTRY) {
            times.appended(last, now, core.isLeader());
        }
        if (core.isLeader()) {
            grants.appended(persist.entries());
        }
    }

    private void tellLeadership() {
        long leads = core.isLeader() ? core.term() : 0;
        if (leads != toldTerm) {
            toldTerm = leads;
            if (leads == 0) {
                grants.clear();
            }
            listener.leads(leads);
        }
    }

    /** After the last turn: nobody is left without an answer. */
    void abandon() {
        for (Message message : mailbox.take()) {
            switch (message) {
                case Message.Read read -> read.answer().failed(Failure.STOPPED);
                case Message.Transfer asked -> asked.answer().answer().failed(Failure.STOPPED);
                case Message.Change change -> change.answer().failed(Failure.STOPPED);
                case Message.Arrived arrived -> listener.unwanted(arrived.state());
                case Message.Propose _,Message.ProposeInTerm _,Message.Persisted _,Message.Reconfigured _,Message.Received _,Message.Unreachable _,Message.Gone _,Message.Advance _,Message.Begin _,Message.ChoresDue _,Message.SnapshotSent _ ->
                    {}
            }
        }
        early.forEach(one -> {
            if (one.change() instanceof Message.Change change) {
                change.answer().failed(Failure.STOPPED);
            }
        });
        waitingReads.failAll(Failure.STOPPED);
        endTransfer(Failure.STOPPED);
        // The next start finds out whether they count.
        taken.values().forEach(state -> state.opened().ledger().close());
        taken.clear();
    }

    private Progress progressNow(int statesTaken) {
        boolean isLogLate = logWaitNanos(clock.nanos()) >= electionNanos();
        return new Progress(core.leader(), core.term(), core.committedIndex(), core.unappliedBytes(), isLogLate,
                statesTaken);
    }

    @Override
    public Mailbox<Message> mailbox() {
        return mailbox;
    }
}
