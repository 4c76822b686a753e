package dev.quoin.member;

import java.util.ArrayList;
import java.util.Collections;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Consumer;

import com.google.protobuf.MessageLite;
import org.jspecify.annotations.Nullable;

import dev.quoin.base.Bytes;
import dev.quoin.base.Clock;
import dev.quoin.base.Invariant;
import dev.quoin.disk.Damaged;
import dev.quoin.disk.Disk;
import dev.quoin.disk.DiskFailure;
import dev.quoin.disk.DiskLock;
import dev.quoin.disk.ledger.Gone;
import dev.quoin.disk.ledger.Ledger;
import dev.quoin.disk.wal.WalSnapshot;
import dev.quoin.member.watch.Watches;
import dev.quoin.raft.Chance;
import dev.quoin.raft.Event;
import dev.quoin.raft.Input;
import dev.quoin.raft.LogLine;
import dev.quoin.raft.Message;
import dev.quoin.raft.PeerProgress;
import dev.quoin.raft.RaftCore;
import dev.quoin.raft.Rules;
import dev.quoin.raft.SnapshotMeta;
import dev.quoin.store.AlarmMember;
import dev.quoin.store.AuthOutcome;
import dev.quoin.store.AuthView;
import dev.quoin.store.Caller;
import dev.quoin.store.Command;
import dev.quoin.store.HashWalk;
import dev.quoin.store.Hashing;
import dev.quoin.store.KeyHash;
import dev.quoin.store.Outcome;
import dev.quoin.store.View;

/**
 * A running member, for those who serve clients. Every method may be called from any thread.
 *
 * <p>A write: {@link #prepare} makes the entry, {@link #propose} hands over any number at once, and the {@link Answer} of
 * each hears what became of it. A read: {@link #read} says when {@link #view} is fresh enough; one that may be stale takes
 * the view at once.
 */
public final class Member implements AutoCloseable {
    private static final int HASH_STEP_RECORDS = 2_000;
    /** For 5 s, as etcd. */
    private static final int ADVANCE_TRIES = 100;
    private static final int ADVANCE_PAUSE_MILLIS = 50;

    private final MemberConfig config;
    private final Disk disk;
    private final DataDirectory directory;
    private final Startup startup;
    private final StoreInForce inForce;
    private final Watches watches;
    private final Network network;
    private final Events events;
    private final MemberMetrics metrics;
    private final Pauses pauses;
    private final DiskLock lock;
    private final Clock clock;
    private final MemberLimits limits;
    private final RequestIds ids;
    private final Waiters waiters;
    private final Mailbox<RaftLoop.Message> raftMailbox;
    private final RaftLoop raftLoop;
    private final ApplyLoop applyLoop;
    private final Lessor lessor;
    private final Quota quota;
    private final QuotaWatch quotaWatch;
    private final PendingAlarm noSpace = new PendingAlarm();
    /** Held while a hash is computed: it takes memory for every revision, and a processor. */
    private final ReentrantLock hashing = new ReentrantLock();
    private final Mailbox<Housekeeper.Message> housekeeperMailbox;
    private final Housekeeper housekeeper;
    /** In the order in which they are stopped: who gives work before who takes it. */
    private final Map<String, Actor> actors = new LinkedHashMap<>();
    private final List<ActorThread> threads = new ArrayList<>();
    private final AtomicBoolean isRemoved = new AtomicBoolean();
    private volatile boolean isLearner;
    private volatile boolean stopped;

    /** Whether a member lives in the directory already, so that it needs no {@link Origin}. */
    public static boolean exists(Disk disk, MemberConfig config) {
        return DataDirectory.of(config).isInUse(disk);
    }

    /**
     * Opens the directory, or makes it, and starts the member's threads. Returns before there is a leader.
     *
     * @param chance for elections; a server's is seeded by anything
     * @param network to the other members; closed by the member
     * @param halt told when the member must not go on
     * @param events told what else there is to say
     * @param metrics where it is counted
     * @throws StartRefused if the directory is not one that this member can start on
     * @throws dev.quoin.disk.Damaged if what it holds is not what was written
     * @throws dev.quoin.disk.DiskFailure if the disk did not do what it was asked; also for a directory that is in use
     */
    public static Member start(MemberConfig config, Disk disk, Clock clock, Chance chance, Network network, Halt halt,
            Events events, MemberMetrics metrics) {
        Member member = open(config, disk, clock, chance, network, events, Witness.NONE, metrics);
        member.actors.forEach((name, actor) -> member.threads.add(actor == member.raftLoop
                ? ActorThread.helped(name, actor, halt)
                : ActorThread.alone(name, actor, halt)));
        member.threads.add(ActorThread.alone("pauses", member.pauses, halt));
        member.threads.forEach(ActorThread::start);
        return member;
    }

    /** As {@link #start}, without threads. */
    static Member open(MemberConfig config, Disk disk, Clock clock, Chance chance, Network network, Events events) {
        return open(config, disk, clock, chance, network, events, Witness.NONE, MemberMetrics.NONE);
    }

    static Member open(MemberConfig config, Disk disk, Clock clock, Chance chance, Network network, Events events,
            Witness witness, MemberMetrics metrics) {
        DataDirectory directory = DataDirectory.of(config);
        new EtcdImport(disk, directory, config.limits(), events).run();
        boolean hasStray = directory.hasStrayDatabase(disk);
        DiskLock lock = directory.take(disk);
        if (hasStray) {
            events.strayDatabase(directory.snap().resolve(DataDirectory.STRAY));
        }
        Startup startup;
        try {
            startup = Startup.on(disk, directory, config, events);
        } catch (Throwable refused) {
            lock.close();
            throw refused;
        }
        witness.started(startup.restart());
        return new Member(config, disk, directory, startup, lock, clock, chance, network, events, witness, metrics);
    }

    private Member(MemberConfig config, Disk disk, DataDirectory directory, Startup startup, DiskLock lock, Clock clock,
            Chance chance, Network network, Events events, Witness witness, MemberMetrics metrics) {
        this.config = config;
        this.disk = disk;
        this.directory = directory;
        this.startup = startup;
        inForce = new StoreInForce(startup.opened());
        watches = new Watches(config.limits().watch(), this::view, metrics);
        this.network = network;
        this.events = events;
        this.metrics = metrics;
        pauses = new Pauses(clock, metrics);
        this.lock = lock;
        this.clock = clock;
        limits = config.limits();
        ids = new RequestIds(startup.memberId(), clock.now().toEpochMilli());
        waiters = new Waiters(limits.inFlightBytesMax(), metrics::proposalFailed);
        EntryTimes times = new EntryTimes(pauses);
        raftMailbox = new Mailbox<>();
        LedgerDirectories ledgers = new LedgerDirectories(disk, directory);
        DiskRoom room = new DiskRoom(events);
        LogWriter logWriter = new LogWriter(startup.wal(), room, ledgers::markInstalled,
                ticket -> raftMailbox.put(new RaftLoop.Message.Persisted(ticket)), clock, pauses, metrics);
        LogRelease release = new LogRelease(startup.restart().baseIndex(), limits, logWriter.mailbox());
        LedgerWriter ledgerWriter = new LedgerWriter(inForce, room, limits.ledgerFlushNanos(), clock, pauses,
                metrics);
        quota = new Quota(limits.quotaBytes(), () -> inForce.ledger().inUseBytes());
        quotaWatch = new QuotaWatch(quota, startup.memberId(), view().alarms(), clock.nanos(), events,
                () -> proposeOwn(Chores.noSpaceAlarmEnd(memberId())));
        housekeeperMailbox = new Mailbox<>();
        applyLoop = new ApplyLoop(startup, inForce, clock, waiters, quota, limits.learnersMax(),
                watches.feed(), metrics, times, pauses, new Wiring(ledgerWriter));
        housekeeper = new Housekeeper(housekeeperMailbox, inForce, ledgers, applyLoop,
                () -> startup.wal().scrub(damage -> giveUp(damage, logWriter)), quotaWatch,
                limits.housekeeping(), clock, events, metrics);
        ledgerWriter.onFlushed(() -> {
            release.consider(inForce.ledger().durable());
            applyLoop.mailbox().nudge();
        });
        RaftCore core = new RaftCore(startup.restart(), Rules.etcd(limits.electionTicks(), config.preVote()),
                limits.raft(), chance);
        raftLoop = new RaftLoop(raftMailbox, core, startup.memberId(), clock, chance, limits, ids, waiters, logWriter,
                applyLoop,
                network, room, new ConsensusWiring(), witness, metrics, times, pauses);
        lessor = new Lessor(startup.opened().store().leases(), clock, limits, metrics, new LeaseWiring());
        actors.put("lessor", lessor);
        actors.put("raft", raftLoop);
        actors.put("wal", logWriter);
        actors.put("apply", applyLoop);
        actors.put("ledger", ledgerWriter);
        actors.put("wal-ahead", new LogPreparer(startup.wal(), room));
        actors.put("housekeeper", housekeeper);
        isLearner = isLearner(startup.opened().membership());
        network.start(new Arrivals());
        network.members(startup.firstKnown());
    }

    /** What the ledger holds durably, the log need not: a start then does without the damaged segment. */
    private void giveUp(Damaged damage, LogWriter logWriter) {
        events.logDamaged(damage);
        Ledger.Commit durable = inForce.ledger().durable();
        if (durable != null) {
            logWriter.mailbox().put(new LogWriter.Message.Release(
                    new WalSnapshot(durable.appliedIndex(), durable.term(), durable.configuration()), 1));
        }
    }

    /** What the apply loop has to tell the others. */
    private final class Wiring implements ApplyLoop.Listener {
        private final LedgerWriter ledgerWriter;
        /** Whether the cluster has this member, as far as it knows: before, it cannot say its name. */
        private boolean isKnown;

        Wiring(LedgerWriter ledgerWriter) {
            this.ledgerWriter = ledgerWriter;
        }

        @Override
        public void flushSoon() {
            ledgerWriter.mailbox().nudge();
        }

        @Override
        public void reconfigured(Input.Reconfigured change) {
            raftMailbox.put(new RaftLoop.Message.Reconfigured(change));
        }

        @Override
        public void reply(Housekeeper.Reply reply) {
            housekeeperMailbox.put(reply);
        }

        @Override
        public void compacted() {
            housekeeperMailbox.nudge();
        }

        @Override
        public void exceeded(Runnable then) {
            raiseNoSpace(then);
        }

        @Override
        public void alarmed(long request, Command.Alarm alarm) {
            quotaWatch.applied(request, alarm);
        }

        @Override
        public void changeRefused(String why) {
            events.changeRefused(why);
        }

        @Override
        public void installed(OpenedStore replaced) {
            quotaWatch.replaced(view().alarms());
            housekeeperMailbox.put(new Housekeeper.Message.Replaced(replaced));
        }

        @Override
        public void membershipChanged(Membership membership) {
            network.members(membership);
            isLearner = isLearner(membership);
            if (!isKnown && membership.member(memberId()).isPresent()) {
                isKnown = true;
                raftMailbox.put(new RaftLoop.Message.ChoresDue());
            }
            if (membership.isRemoved(memberId())) {
                tellRemoved("the cluster has decided so");
            }
        }

        @Override
        public void damaged(Damaged damage) {
            events.damaged(damage);
        }

        @Override
        public void leases(List<Lessor.Message> changes) {
            lessor.mailbox().putAll(changes);
        }

        @Override
        public void auth(long index, AuthOutcome outcome) {
            events.auth(index, outcome);
        }
    }

    /** What the lessor needs of the others. */
    private final class LeaseWiring implements Lessor.Listener {
        @Override
        public long appliedIndex() {
            return applyLoop.appliedIndex();
        }

        @Override
        public long committedIndex() {
            return raftLoop.progress().committed();
        }

        @Override
        public void confirm(ReadAnswer answer) {
            raftMailbox.put(new RaftLoop.Message.Read(answer, deadline(), true));
        }

        @Override
        public void propose(long term, List<Lessor.Request> requests) {
            Caller caller = ownName();
            List<Proposal> proposals = new ArrayList<>(requests.size());
            for (Lessor.Request request : requests) {
                long id = ids.next();
                Proposal proposal = new Proposal(id, Requests.entry(id, request.kind(), request.message(), caller),
                        request.answer(), clock.nanos(), deadline());
                waiters.addOwn(proposal);
                proposals.add(proposal);
            }
            raftMailbox.put(new RaftLoop.Message.ProposeInTerm(term, proposals));
        }

        @Override
        public void whenUpToDate(ReadAnswer answer) {
            raftMailbox.put(new RaftLoop.Message.Read(answer, deadline()));
        }

        @Override
        public void keys(long lease, Consumer<List<Bytes>> asker) {
            applyLoop.mailbox().put(new ApplyLoop.Message.KeysOf(lease, asker));
        }
    }

    /** What the raft loop has to tell the others, or to ask them. */
    private final class ConsensusWiring implements RaftLoop.Listener {
        @Override
        public List<Proposal> chores(boolean leads) {
            return Chores.of(membership(), memberId(), config, leads).stream().map(Member.this::prepareOwn).toList();
        }

        @Override
        public void stateWanted(Message.InstallSnapshot wanted) {
            takeState(state -> {
                SnapshotMeta taken = state.meta();
                if (taken.term() > wanted.term()) {
                    // Somebody else leads by now, whose entries are in the state: this is not for the old leader to send.
                    state.close();
                } else {
                    network.sendSnapshot(
                            new Message.InstallSnapshot(wanted.from(), wanted.to(), wanted.term(), taken), state);
                }
            });
        }

        @Override
        public RaftLoop.ChangeEntry entryOf(RaftLoop.Message.Change asked, @Nullable List<PeerProgress> progress) {
            ChangeCheck check = new ChangeCheck(membership(), memberId(), network::activeSinceNanos, clock.nanos(),
                    config.strictReconfig());
            ChangeCheck.Refused refused = check.refusal(asked.change(), progress);
            if (refused != null) {
                events.changeRejected(refused.arithmetic());
                return new RaftLoop.ChangeEntry.Refused(refused.why());
            }
            long id = ids.next();
            return new RaftLoop.ChangeEntry.Made(new PendingChange(id, ConfChanges.encode(id, asked.change()),
                    asked.answer(), asked.startNanos(), asked.deadlineNanos()));
        }

        @Override
        public long activeSinceNanos(long member) {
            return network.activeSinceNanos(member);
        }

        @Override
        public void diskHangs(long nanos) {
            events.diskHangs(nanos);
        }

        @Override
        public void unwanted(ReceivedState state) {
            housekeeperMailbox.put(new Housekeeper.Message.Discard(state));
        }

        @Override
        public void noted(Event event) {
            LogLine.of(memberId(), event).forEach(events::consensus);
        }

        @Override
        public long leasesTold() {
            return lessor.toldIndex();
        }

        @Override
        public void leads(long term) {
            lessor.mailbox().put(new Lessor.Message.Leads(term));
        }
    }

    /** What arrives from other members. */
    private final class Arrivals implements Inbox {
        @Override
        public void received(List<Message> messages) {
            raftMailbox.putAll(messages.stream().map(RaftLoop.Message.Received::new).toList());
        }

        @Override
        public void unreachable(long member) {
            raftMailbox.put(new RaftLoop.Message.Unreachable(member));
        }

        @Override
        public void gone(long member) {
            raftMailbox.put(new RaftLoop.Message.Gone(member));
        }

        @Override
        public void snapshotSent(long member, Delivery delivery) {
            raftMailbox.put(new RaftLoop.Message.SnapshotSent(member, delivery));
        }

        @Override
        public IncomingSnapshot receive(Message.InstallSnapshot message) throws SnapshotRefused {
            SnapshotReception reception = SnapshotReception.begin(disk, directory, limits, events, message.snapshot());
            return new IncomingSnapshot() {
                @Override
                public void write(byte[] bytes, int offset, int length) {
                    reception.write(bytes, offset, length);
                }

                @Override
                public void finish() throws SnapshotRefused {
                    long begun = clock.nanos();
                    ReceivedState state = reception.finish(() -> metrics.stateSynced(clock.nanos() - begun));
                    raftMailbox.put(new RaftLoop.Message.Arrived(message, state));
                }

                @Override
                public void abort() {
                    reception.abort();
                }
            };
        }

        @Override
        public void removed(long saidBy) {
            tellRemoved("member " + Long.toHexString(saidBy) + " says so");
        }
    }

    private boolean isLearner(Membership membership) {
        return membership.member(memberId()).filter(MemberInfo::isLearner).isPresent();
    }

    private void tellRemoved(String why) {
        if (isRemoved.compareAndSet(false, true)) {
            events.removed(why);
        }
    }

    /** The owners by name, for whoever gives them their turns instead of {@link #start}. */
    Map<String, Actor> actors() {
        return Collections.unmodifiableMap(actors);
    }

    // ---- writing

    /**
     * Makes the entry for a request.
     *
     * @param message the request as the client encoded it
     */
    public Proposal prepare(Requests.Kind kind, Bytes message, Answer answer) {
        return prepare(kind, message, Caller.NONE, answer);
    }

    /**
     * Makes the entry for a request in somebody's name: whether they may ask for it is decided where it is applied.
     *
     * @param message the request as the client encoded it
     */
    public Proposal prepare(Requests.Kind kind, Bytes message, Caller caller, Answer answer) {
        long id = ids.next();
        return new Proposal(id, Requests.entry(id, kind, message, caller), answer, clock.nanos(), deadline());
    }

    /** In whose name a member does what nobody has asked it for: in root's, once access is controlled (auth/store.go WithRoot). */
    public Caller ownName() {
        AuthView auth = view().auth();
        return auth.enabled() ? new Caller("root", auth.revision()) : Caller.NONE;
    }

    /** Hands proposals over, in order. Each is answered, at once if too much is under way already. */
    public void propose(List<Proposal> proposals) {
        List<RaftLoop.Message> accepted = new ArrayList<>(proposals.size());
        for (Proposal proposal : proposals) {
            if (stopped) {
                proposal.answer().failed(Failure.STOPPED);
            } else if (waiters.add(proposal)) {
                accepted.add(new RaftLoop.Message.Propose(proposal));
            } else {
                proposal.answer().failed(Failure.TOO_MANY_REQUESTS);
            }
        }
        raftMailbox.putAll(accepted);
    }

    // ---- leases

    /** Who knows how much time leases have left. Granting and revoking are {@link #propose proposals} as any other. */
    public Lessor lessor() {
        return lessor;
    }

    /** Says what is attached to a lease, as of now and on this member; nothing if there is no such lease. */
    public void leaseKeys(long lease, Consumer<List<Bytes>> asker) {
        if (stopped) {
            asker.accept(List.of());
        } else {
            applyLoop.mailbox().put(new ApplyLoop.Message.KeysOf(lease, asker));
        }
    }

    /** An id for a lease that nobody has given one: positive, and no other in the cluster, as etcd makes it. */
    public long nextLeaseId() {
        long id = 0;
        while (id == 0) {
            id = ids.next() & Long.MAX_VALUE;
        }
        return id;
    }

    // ---- the quota

    /** Whether something of this cost would take the store over its quota. What is applied is counted, not what waits. */
    public boolean isOverQuota(long cost) {
        return quota.isExceededBy(cost);
    }

    /**
     * Whether it matters here if all members are Quoin, so that somebody should ask them: this member has raised an alarm,
     * which it would take back by itself only then.
     */
    public boolean asksWhoTheOthersAre() {
        return quotaWatch.wantsToHear();
    }

    /** What the members have just said of themselves. */
    public void hears(boolean allAreQuoin) {
        quotaWatch.heard(allAreQuoin, clock.nanos());
    }

    /** Raises the alarm about space in this member's name, unless it is raised; then runs {@code then}. */
    public void raiseNoSpace(Runnable then) {
        boolean isRaised = view().alarms().stream()
                .anyMatch(alarm -> alarm.type() == AlarmMember.NO_SPACE);
        if (isRaised || stopped) {
            then.run();
        } else if (noSpace.await(then)) {
            proposeNoSpace();
        }
    }

    private void proposeNoSpace() {
        Proposal alarm = prepareOwn(Chores.noSpaceAlarm(memberId()), new Answer() {
            @Override
            public void outcome(Outcome outcome) {
                noSpace.raised();
            }

            @Override
            public void failed(Failure failure) {
                noSpace.raised();
            }
        });
        quotaWatch.raising(alarm.id());
        waiters.addOwn(alarm);
        raftMailbox.put(new RaftLoop.Message.Propose(alarm));
    }

    /** Who waits for the alarm that is being proposed: many requests may find the store full at once, one alarm will do. */
    private static final class PendingAlarm {
        private List<Runnable> waiting = new ArrayList<>();

        /** Whether nobody has waited so far, so that the caller is to propose it. */
        synchronized boolean await(Runnable then) {
            waiting.add(then);
            return waiting.size() == 1;
        }

        /** It is raised, or could not be: all go on. */
        void raised() {
            List<Runnable> told;
            synchronized (this) {
                told = waiting;
                waiting = new ArrayList<>();
            }
            told.forEach(Runnable::run);
        }
    }

    // ---- keeping house

    /**
     * Says when everything is gone that compactions up to a revision have given up. Ask when the compaction has been
     * applied.
     */
    public void awaitCompaction(long revision, ReadAnswer waiter) {
        toHousekeeper(new Housekeeper.Message.AwaitCompaction(revision, waiter), waiter);
    }

    /** Gives back all space that can be given back, without the usual pauses, and says when that is done. */
    public void defragment(ReadAnswer waiter) {
        toHousekeeper(new Housekeeper.Message.Hurry(waiter), waiter);
    }

    private void toHousekeeper(Housekeeper.Message message, ReadAnswer waiter) {
        if (stopped) {
            waiter.failed(Failure.STOPPED);
            return;
        }
        housekeeperMailbox.put(message);
    }

    /**
     * The hash of all that is there at a revision, 0 for the newest; or why there is none. Takes its time, one after the
     * other; for virtual threads.
     *
     * @throws Damaged if a record is lost
     */
    public Hashing hash(long revision) {
        hashing.lock();
        long begun = clock.nanos();
        try {
            while (true) {
                View view = view();
                try {
                    Hashing asked = view.hash(revision);
                    return asked instanceof HashWalk walk ? new Hashing.Known(run(walk)) : asked;
                } catch (Gone gone) {
                    Invariant.check(view().compactedRevision() > view.compactedRevision(), "without a compaction %s",
                            gone.getMessage());
                }
            }
        } finally {
            metrics.hashed(clock.nanos() - begun);
            hashing.unlock();
        }
    }

    /** A virtual thread that computes gives its carrier back only if it says so. */
    @SuppressWarnings("ThreadPriorityCheck")
    private static KeyHash run(HashWalk walk) {
        while (true) {
            KeyHash hash = walk.step(HASH_STEP_RECORDS);
            if (hash != null) {
                return hash;
            }
            Thread.yield();
        }
    }

    // ---- the whole state

    /**
     * The state as of the last batch applied here, to be closed; waits for it. No record is given up while it is open, but
     * only for so long ({@link HousekeepingLimits#pinNanosMax}): who has not read it by then may find some {@link Gone}.
     *
     * @throws TimeoutException it was not to be had while a request waits; the member stops, or the disk is far behind
     */
    public SnapshotState snapshot() throws InterruptedException, TimeoutException {
        CompletableFuture<SnapshotState> wanted = new CompletableFuture<>();
        takeState(state -> {
            if (!wanted.complete(state)) {
                state.close();
            }
        });
        try {
            return wanted.get(limits.requestTimeoutNanos(), TimeUnit.NANOSECONDS);
        } catch (ExecutionException never) {
            throw new IllegalStateException("a future of ours failed", never);
        } catch (InterruptedException | TimeoutException over) {
            if (!wanted.cancel(false)) {
                wanted.join().close();
            }
            throw over;
        }
    }

    /** {@code taker} is called by the apply loop, and closes what it gets; not at all if the member stops first. */
    private void takeState(Consumer<SnapshotState> taker) {
        housekeeperMailbox.put(new Housekeeper.Message.Pin(
                unpin -> applyLoop.mailbox().put(new ApplyLoop.Message.TakeState(taker, unpin))));
    }

    // ---- reading

    /** Says when the {@link #view} shows everything that was acknowledged before this call. */
    public void read(ReadAnswer answer) {
        if (stopped) {
            answer.failed(Failure.STOPPED);
            return;
        }
        raftMailbox.put(new RaftLoop.Message.Read(answer, deadline()));
    }

    /** The keys as of the last batch applied here. */
    public View view() {
        return inForce.store().view();
    }

    /** Who watches the keys: what has been applied here, in order. */
    public Watches watches() {
        return watches;
    }

    // ---- the cluster

    /**
     * Changes who belongs to the cluster, once it is clear that this endangers nothing (strict check, if configured). Any
     * member can be asked, but only the leader knows whether a learner is ready to be promoted.
     */
    public void changeMembers(ClusterChange change, ChangeAnswer answer) {
        if (stopped) {
            answer.failed(Failure.STOPPED);
            return;
        }
        long now = clock.nanos();
        ChangeAnswer told = change instanceof ClusterChange.Promote ? counted(answer) : answer;
        raftMailbox.put(new RaftLoop.Message.Change(change, told, now, now + limits.requestTimeoutNanos(),
                applyLoop.appliedIndex()));
    }

    /** Who does not lead has decided nothing. */
    private ChangeAnswer counted(ChangeAnswer answer) {
        return new ChangeAnswer() {
            @Override
            public void changed(Membership after) {
                metrics.promoted();
                answer.changed(after);
            }

            @Override
            public void refused(ChangeRefusal why) {
                if (why != ChangeRefusal.NOT_LEADER) {
                    metrics.notPromoted(why);
                }
                answer.refused(why);
            }

            @Override
            public void failed(Failure failure) {
                answer.failed(failure);
            }
        };
    }

    /** Lets another voter lead, if this member leads and the other can catch up in time; ready when it leads. */
    public void transferLeadership(long to, ReadAnswer answer) {
        if (stopped) {
            answer.failed(Failure.STOPPED);
            return;
        }
        raftMailbox.put(new RaftLoop.Message.Transfer(to, new RaftLoop.Message.Read(answer, deadline())));
    }

    /** Proposes, as the leader, what all members can do: {@code 3.7.0}. Nobody hears what becomes of it. */
    public void proposeClusterVersion(String version) {
        proposeOwn(Chores.clusterVersion(version));
    }

    /** Proposes, as the leader, that the downgrade is over that was announced. */
    public void proposeDowngradeEnd() {
        proposeOwn(Chores.downgradeEnd());
    }

    /** Says to the whole cluster that a member holds something else than the others; 0: that some member does. */
    public void raiseCorrupt(long member) {
        proposeOwn(Chores.corruptAlarm(member));
    }

    /** Proposes that a downgrade to this version begins. The outcome says nothing. */
    public void proposeDowngrade(String target, Answer answer) {
        propose(List.of(prepareOwn(Chores.downgrade(target), answer)));
    }

    /** As {@link #proposeDowngradeEnd}, for somebody who wants to hear of it. The outcome says nothing. */
    public void proposeDowngradeEnd(Answer answer) {
        propose(List.of(prepareOwn(Chores.downgradeEnd(), answer)));
    }

    private void proposeOwn(Chores.Request request) {
        if (!stopped) {
            Proposal proposal = prepareOwn(request);
            waiters.addOwn(proposal);
            raftMailbox.put(new RaftLoop.Message.Propose(proposal));
        }
    }

    /**
     * Shortens the wait for the first election: nobody is waited for whose messages are still on their way, for at most 5 s.
     * Waits.
     */
    public void hastenFirstElection() throws InterruptedException {
        for (int tries = 0; tries < ADVANCE_TRIES && leader() == 0 && !stopped; tries++) {
            if (hastenNow()) {
                return;
            }
            TimeUnit.MILLISECONDS.sleep(ADVANCE_PAUSE_MILLIS);
        }
    }

    /**
     * In a cluster that has never had a leader, the voter with the lowest id stands for election as soon as a majority is
     * within reach, and who has that one within reach leaves it to it: two at once would elect nobody. Else what is left of the
     * election timeout is short once two others are within reach (etcdserver/server.go adjustTicks). Says whether there is
     * nothing left to hasten.
     */
    boolean hastenNow() {
        if (membership().members().size() < startup.firstKnown().members().size()) {
            return false; // What founds the cluster is not all applied yet.
        }
        List<Long> voters = membership().members().stream().filter(info -> !info.isLearner()).map(MemberInfo::id)
                .sorted(Long::compareUnsigned).toList();
        long reached = voters.stream().filter(this::isReached).count();
        if (startup.isBeforeFirstElection() && !voters.isEmpty()) {
            long first = voters.getFirst();
            if (first == memberId() && reached + 1 > voters.size() / 2) {
                raftMailbox.put(new RaftLoop.Message.Begin());
                return true;
            }
            if (isReached(first)) {
                return true;
            }
        }
        if (reached > 1) {
            raftMailbox.put(new RaftLoop.Message.Advance(limits.electionTicks() - 2));
        }
        return reached > 1;
    }

    private boolean isReached(long other) {
        return other != memberId() && network.activeSinceNanos(other) != 0;
    }

    /**
     * Lets another voter lead, if this member leads: the one that has been within reach for longest, as etcd chooses. For
     * whoever is about to stop it. Waits.
     *
     * @return false if this member still leads when the time is over
     */
    public boolean handOver(long timeout, TimeUnit unit) throws InterruptedException {
        Optional<MemberInfo> successor = membership().members().stream()
                .filter(info -> !info.isLearner() && info.id() != memberId())
                .filter(info -> network.activeSinceNanos(info.id()) != 0)
                .min(Comparator.comparingLong(info -> network.activeSinceNanos(info.id()) - clock.nanos()));
        if (leader() != memberId() || successor.isEmpty()) {
            return true;
        }
        CountDownLatch over = new CountDownLatch(1);
        transferLeadership(successor.get().id(), new ReadAnswer() {
            @Override
            public void ready() {
                over.countDown();
            }

            @Override
            public void failed(Failure failure) {
                over.countDown();
            }
        });
        return over.await(timeout, unit) && leader() != memberId();
    }

    // ---- about the member

    public long memberId() {
        return startup.memberId();
    }

    public long clusterId() {
        return startup.clusterId();
    }

    /** The leader this member knows, 0 for none. */
    public long leader() {
        return raftLoop.progress().leader();
    }

    /** The term this member is in. */
    public long term() {
        return raftLoop.progress().term();
    }

    /** The last entry of the log that the {@link #view} shows. */
    public long appliedIndex() {
        return applyLoop.appliedIndex();
    }

    /** Whether the disk of the log has owed an answer for an election timeout or longer: nothing can be committed here. */
    public boolean isLogLate() {
        return raftLoop.progress().isLogLate();
    }

    /** Whether this member has no vote yet, as far as it knows. */
    public boolean isLearner() {
        return isLearner;
    }

    /** How many requests wait here for what becomes of them. */
    public int waitingCount() {
        return waiters.count();
    }

    /** For how long another member has been within reach without a break; 0 if it is not. */
    public long reachableNanos(long other) {
        long since = network.activeSinceNanos(other);
        return since == 0 ? 0 : Math.max(0, clock.nanos() - since);
    }

    /**
     * How much of a time the process has stood still: it got no processor, was stopped, or its JVM paused. Of the last seconds,
     * on the member's clock.
     */
    public long pausedNanos(long from, long to) {
        return pauses.within(from, to);
    }

    /** Whether the state of a leader is about to take the place of this member's own. */
    public boolean isInstalling() {
        return raftLoop.progress().statesTaken() > 0;
    }

    /** What was applied, and is not in the store's files yet. */
    public long unwrittenBytes() {
        return inForce.ledger().unwrittenBytes();
    }

    /** The data of entries that wait here to be applied, as of some moment not long ago. */
    public long unappliedBytes() {
        return raftLoop.progress().unappliedBytes();
    }

    public Membership membership() {
        return applyLoop.membership();
    }

    public MemberStatus status() {
        RaftLoop.Progress progress = raftLoop.progress();
        return new MemberStatus(progress.leader(), progress.term(), progress.committed(), applyLoop.appliedIndex(),
                inForce.ledger().totalBytes(), inForce.ledger().inUseBytes(), limits.quotaBytes());
    }

    /**
     * Waits until this member has a leader and answers linearizable reads.
     *
     * @return false if it does not within the time
     */
    public boolean awaitReady(long timeout, TimeUnit unit) throws InterruptedException {
        CountDownLatch ready = new CountDownLatch(1);
        read(new ReadAnswer() {
            @Override
            public void ready() {
                ready.countDown();
            }

            @Override
            public void failed(Failure failure) {}
        });
        return ready.await(timeout, unit);
    }

    private Proposal prepareOwn(Chores.Request request) {
        return prepareOwn(request, NOBODY);
    }

    private Proposal prepareOwn(Chores.Request request, Answer answer) {
        long id = ids.next();
        MessageLite entry = request.withId(id);
        return new Proposal(id, Requests.entry(entry), answer, clock.nanos(), deadline());
    }

    private static final Answer NOBODY = new Answer() {
        @Override
        public void outcome(Outcome outcome) {}

        @Override
        public void failed(Failure failure) {}
    };

    private long deadline() {
        return clock.nanos() + limits.requestTimeoutNanos();
    }

    /**
     * Stops in order: no new requests, then each owner finishes its turn, then the ledger is written out. Whoever still
     * waits is told so. What was acknowledged is on the disk with or without this.
     */
    @Override
    public void close() {
        if (stopped) {
            return;
        }
        stopped = true;
        lessor.stop();
        network.close();
        threads.forEach(ActorThread::stop);
        raftLoop.abandon();
        applyLoop.abandon();
        housekeeper.abandon();
        waiters.failAll(Failure.STOPPED);
        lessor.abandon();
        try {
            closeLedger();
        } finally {
            startup.wal().close();
            lock.close();
        }
    }

    /** What it cannot write for want of space is in the log. */
    private void closeLedger() {
        try {
            inForce.ledger().close();
        } catch (DiskFailure failure) {
            if (!failure.isNoSpace()) {
                throw failure;
            }
            events.diskFull(failure);
        }
    }
}
