package dev.quoin.member;

import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.function.Consumer;

import dev.quoin.api.etcdserverpb.InternalRaftRequest;
import dev.quoin.base.Bytes;
import dev.quoin.base.Clock;
import dev.quoin.base.Invariant;
import dev.quoin.disk.Damaged;
import dev.quoin.disk.ledger.Ledger;
import dev.quoin.member.watch.ChangeFeed;
import dev.quoin.raft.ConfChange;
import dev.quoin.raft.Entry;
import dev.quoin.raft.Input;
import dev.quoin.raft.SnapshotMeta;
import dev.quoin.store.AuthOutcome;
import dev.quoin.store.Change;
import dev.quoin.store.Command;
import dev.quoin.store.CompactionWalk;
import dev.quoin.store.KeyHash;
import dev.quoin.store.Outcome;
import dev.quoin.store.Refusal;
import dev.quoin.store.Store;

/**
 * The owner of the store and of the membership: applies committed entries in the order of the log. A batch of them is one
 * unit: its records and its applied index enter the ledger together, its view is published, and only then are the answers
 * completed, so that whoever has an answer can read what it says.
 *
 * <p>What is applied depends on the entries alone. Who waits for an answer matters for the answer, never for the change;
 * and what the housekeeper has taken out between two batches is nothing that an entry could depend on.
 */
final class ApplyLoop implements Actor {
    /** What others send. */
    sealed interface Message {
        record Committed(List<Entry> entries) implements Message {}

        /** These reads, which wait since then, may go on once {@code index} is applied. */
        record ReadAt(long index, List<RaftLoop.Message.Read> reads, long sinceNanos) implements Message {}

        /** What the housekeeper asks for; passed over if {@code of} is not the ledger in force any more. */
        record Housekeeping(Ledger of, Chore chore) implements Message {}

        /** Somebody is to have the state as of now; whoever closes that runs {@code unpin}. */
        record TakeState(Consumer<SnapshotState> taker, Runnable unpin) implements Message {}

        /** This state takes the place of the one in force: the entries up to it will not come. */
        record Install(OpenedStore state, SnapshotMeta meta) implements Message {}

        /** Who wants to know what is attached to a lease. */
        record KeysOf(long lease, Consumer<List<Bytes>> asker) implements Message {}
    }

    /** What is to be done between two batches. */
    sealed interface Chore {
        /** Takes keys out whose history a compaction has given up. */
        record TakeOut(CompactionWalk.Slice slice) implements Chore {}

        record KeepHash(KeyHash hash) implements Chore {}

        /** Writes down that a compaction is done. */
        record NoteCompaction(long revision) implements Chore {}

        /** Asks for the state as of the end of a batch. */
        record Capture() implements Chore {}
    }

    /** Who else is to know what. Each is called on this loop's thread, must not block and must not throw. */
    interface Listener {
        /** The ledger writer should not wait for its time. */
        void flushSoon();

        /** A change of who takes part in consensus is in force. */
        void reconfigured(Input.Reconfigured change);

        void reply(Housekeeper.Reply reply);

        /** There may be something for the housekeeper to do. */
        void compacted();

        /** An entry was applied that takes the store over its quota; {@code then} is to be run when that is known. */
        void exceeded(Runnable then);

        /** A request about alarms was applied. */
        void alarmed(long request, Command.Alarm alarm);

        void changeRefused(String why);

        /** Another state has taken the place of this one. */
        void installed(OpenedStore replaced);

        /** Who belongs to the cluster, or what is known of them, has changed. */
        void membershipChanged(Membership membership);

        /** An entry depends on a record that cannot be read, and was left out. */
        void damaged(Damaged damage);

        /** What a batch does to leases, in order; before anybody is told that it is applied. */
        void leases(List<Lessor.Message> changes);

        /** A command about users and roles was applied; before anybody is told that it is. */
        void auth(long index, AuthOutcome outcome);
    }

    private record Completion(long id, long index, Outcome outcome) {}

    private record AuthChange(long index, AuthOutcome outcome) {}

    private record ChangeCompletion(PendingChange change, MemberChange.Changed changed) {
        void tell() {
            ChangeRefusal refusal = changed.refusal();
            if (refusal == null) {
                change.answer().changed(changed.membership());
            } else {
                change.answer().refused(refusal);
            }
        }
    }

    /** The node of a change that changes nothing. */
    private static final long NOBODY = 0;
    private static final long NOT_BEFORE_A_MESSAGE = Long.MAX_VALUE;
    /** A smaller share of what is slow is not what made it so. */
    private static final int SLOW_SHARE = 4;
    private static final long SWEEP_NANOS = Duration.ofSeconds(1).toNanos();

    private final Mailbox<Message> mailbox = new Mailbox<>();
    private final StoreInForce inForce;
    private Store store;
    private Ledger ledger;
    private final Clock clock;
    private final Waiters waiters;
    private final Quota quota;
    private final int learnersMax;
    private final ChangeFeed feed;
    private final MemberMetrics metrics;
    private final EntryTimes times;
    private final Pauses pauses;
    private final Listener listener;
    /** When the entry before was done. */
    private long lapNanos;

    private final Deque<Message.ReadAt> waitingReads = new ArrayDeque<>();
    private final Deque<Message.Committed> held = new ArrayDeque<>();
    private final List<Completion> completions = new ArrayList<>();
    private final List<ChangeCompletion> changes = new ArrayList<>();
    /** What the batch at hand does to leases. */
    private List<Lessor.Message> leaseChanges = new ArrayList<>();
    /** What the batch at hand has done to users and roles, or was asked of them. */
    private final List<AuthChange> authChanges = new ArrayList<>();
    /** Whether the batch at hand has given up history. */
    private boolean isCompacted;
    private volatile Membership membership;
    /** The members in force as raft's own message, which goes into the ledger with every batch. */
    private Bytes configuration;
    private volatile long appliedIndex;
    private long appliedTerm;
    /** The end of the log when the member started: up to here an earlier life may have answered. */
    private final long lastAtStart;

    ApplyLoop(Startup startup, StoreInForce inForce, Clock clock, Waiters waiters, Quota quota, int learnersMax,
            ChangeFeed feed, MemberMetrics metrics, EntryTimes times, Pauses pauses, Listener listener) {
        this.inForce = inForce;
        this.store = inForce.store();
        this.ledger = inForce.ledger();
        this.membership = inForce.opened().membership();
        this.configuration = membership.encodeConfState();
        this.appliedIndex = startup.restart().applied();
        this.appliedTerm = inForce.opened().appliedTerm();
        this.lastAtStart = startup.restart().baseIndex() + startup.restart().entries().size();
        this.clock = clock;
        this.waiters = waiters;
        this.quota = quota;
        this.learnersMax = learnersMax;
        this.feed = feed;
        this.metrics = metrics;
        this.times = times;
        this.pauses = pauses;
        this.listener = listener;
    }

    @Override
    public Mailbox<Message> mailbox() {
        return mailbox;
    }

    /** For any thread. Everything up to here can be seen in the store's view. */
    long appliedIndex() {
        return appliedIndex;
    }

    /** For any thread. */
    Membership membership() {
        return membership;
    }

    @Override
    public long turn() {
        for (Message message : mailbox.take()) {
            switch (message) {
                case Message.Committed committed -> held.add(committed);
                case Message.ReadAt read -> waitingReads.add(read);
                case Message.Housekeeping(Ledger of, Chore chore) -> {
                    if (of == ledger) {
                        perform(chore);
                    }
                }
                case Message.TakeState(Consumer<SnapshotState> taker, Runnable unpin) ->
                    taker.accept(StateSnapshot.of(store, appliedIndex, appliedTerm, membership, unpin));
                case Message.Install(OpenedStore state, SnapshotMeta meta) -> install(state, meta);
                case Message.KeysOf(long lease, Consumer<List<Bytes>> asker) ->
                    asker.accept(List.copyOf(store.leaseKeys(lease)));
            }
        }
        // Reads first, and again after each batch: they must not wait for entries behind their index.
        releaseReads();
        while (!held.isEmpty() && !ledger.isBacklogged()) {
            applyBatch(held.removeFirst().entries());
            releaseReads();
        }
        if (!held.isEmpty()) {
            // The disk is behind: the ledger writer nudges this loop when it has caught up.
            listener.flushSoon();
        }
        failLateReads();
        return waitingReads.isEmpty() ? NOT_BEFORE_A_MESSAGE : SWEEP_NANOS;
    }

    // ---- entries

    private void applyBatch(List<Entry> entries) {
        long expected = appliedIndex;
        long termBefore = appliedTerm;
        lapNanos = clock.nanos();
        for (Entry entry : entries) {
            expected++;
            Invariant.check(entry.index() == expected, "entry %d applied, %d is next", entry.index(), expected);
            switch (entry.kind()) {
                case NORMAL -> applyNormal(entry);
                case CONF_CHANGE -> applyConfChange(entry);
                case CONF_CHANGE_V2 -> throw Invariant.violation("entry %d is a joint change", entry.index());
            }
        }
        endBatch(entries.getLast().index(), entries.getLast().term());
        long now = clock.nanos();
        completions.forEach(completion -> complete(completion, now));
        completions.clear();
        changes.forEach(ChangeCompletion::tell);
        changes.clear();
        if (entries.getLast().term() > termBefore) {
            waiters.failOlderThan(entries.getLast().term());
        }
        if (isCompacted) {
            isCompacted = false;
            listener.compacted();
        }
    }

    private void complete(Completion completion, long now) {
        if (waiters.take(completion.id()) instanceof Proposal proposal) {
            if (now - proposal.startNanos() >= metrics.slowRequestNanos()) {
                proposal.answer().slow(times.phases(completion.index(), proposal.startNanos(), now));
            }
            proposal.answer().outcome(completion.outcome());
        }
    }

    private void endBatch(long index, long term) {
        ledger.commit(index, term, configuration);
        List<Change> changed = store.publish();
        tellLeases();
        authChanges.forEach(change -> listener.auth(change.index(), change.outcome()));
        authChanges.clear();
        appliedIndex = index;
        appliedTerm = term;
        feed.append(changed, store.view().records());
        metrics.changed(store.takeTally());
    }

    private void tellLeases() {
        if (!leaseChanges.isEmpty()) {
            listener.leases(leaseChanges);
            leaseChanges = new ArrayList<>();
        }
    }

    private void noteLeases(Command command, Outcome outcome) {
        switch (outcome) {
            case Outcome.Granted granted ->
                leaseChanges.add(new Lessor.Message.Granted(granted.id(), granted.ttl()));
            case Outcome.Revoked revoked when command instanceof Command.LeaseRevoke(long id) ->
                leaseChanges.add(new Lessor.Message.Revoked(id));
            case Outcome.Nothing nothing when command instanceof Command.LeaseCheckpoint checkpoint ->
                checkpoint.remaining()
                        .forEach(one -> leaseChanges.add(new Lessor.Message.Checkpointed(one.id(), one.ttl())));
            default -> {}
        }
    }

    private void applyNormal(Entry entry) {
        if (entry.data().isEmpty()) {
            leaseChanges.add(new Lessor.Message.TermBegun(entry.term()));
            return;
        }
        switch (Requests.logged(entry.data())) {
            case Requests.Logged.ToStore request -> applyToStore(entry, request);
            case Requests.Logged.ToCluster(long id, InternalRaftRequest request) -> {
                applyToCluster(request);
                completions.add(new Completion(id, entry.index(), store.apply(new Command.Nothing())));
                metrics.applied(Requests.name(request), true, lap());
            }
        }
    }

    /** Over the quota it is done all the same, since others may have room; only the answer says that there is none. */
    private void applyToStore(Entry entry, Requests.Logged.ToStore request) {
        boolean isExceeded = quota.isExceededBy(request.command().cost());
        Outcome outcome = outcome(entry, request);
        noteTime(request, outcome);
        noteLeases(request.command(), outcome);
        if (outcome instanceof Outcome.Auth(long _, AuthOutcome change)) {
            authChanges.add(new AuthChange(entry.index(), change));
        }
        if (request.command() instanceof Command.Alarm alarm && outcome instanceof Outcome.Alarms) {
            listener.alarmed(request.id(), alarm);
        }
        if (isExceeded && !(outcome instanceof Outcome.Refused)) {
            Outcome noSpace = new Outcome.Refused(Refusal.NO_SPACE);
            listener.exceeded(() -> complete(new Completion(request.id(), entry.index(), noSpace), clock.nanos()));
            return;
        }
        completions.add(new Completion(request.id(), entry.index(), outcome));
        isCompacted |= outcome instanceof Outcome.Compacted;
    }

    /** How long since the entry before was done. */
    private long lap() {
        long before = lapNanos;
        lapNanos = clock.nanos();
        return lapNanos - before;
    }

    /** That a revision is compacted already is no failure (apply/uber_applier.go dispatch). */
    private void noteTime(Requests.Logged.ToStore request, Outcome outcome) {
        long begun = lapNanos;
        long nanos = lap();
        if (nanos >= metrics.slowApplyNanos()) {
            nanos = pauses.awake(begun, lapNanos);
        }
        boolean isDone = !(outcome instanceof Outcome.Refused(Refusal reason)) || reason == Refusal.COMPACTED;
        metrics.applied(Requests.name(request.command()), isDone, nanos);
        if (nanos >= metrics.slowApplyNanos()) {
            metrics.appliedSlowly(new SlowApply(request.id(), request.command(), outcome, nanos));
        }
    }

    private Outcome outcome(Entry entry, Requests.Logged.ToStore request) {
        try {
            return waiters.isWaiting(request.id())
                    ? store.apply(request.command(), request.caller())
                    : store.applyUnheard(request.command(), request.caller());
        } catch (Damaged damaged) {
            if (!mayLeaveOut(entry)) {
                throw damaged;
            }
            listener.damaged(damaged);
            long revision = ((Outcome.Nothing) store.apply(new Command.Nothing())).revision();
            return new Outcome.Unreadable(revision, damaged);
        }
    }

    /**
     * Whether an entry that depends on a lost record may have no effect instead of ending the process. Only if that is what
     * everybody sees: nobody else applies it, and nobody was ever told that it had an effect.
     */
    private boolean mayLeaveOut(Entry entry) {
        return membership.members().size() == 1 && entry.index() > lastAtStart;
    }

    private void applyToCluster(InternalRaftRequest request) {
        if (request.hasClusterVersionSet()) {
            change(membership.withClusterVersion(request.getClusterVersionSet().getVer()));
        } else if (request.hasClusterMemberAttrSet()) {
            change(MemberChange.applied(membership, request.getClusterMemberAttrSet()));
        } else if (request.hasDowngradeInfoSet()) {
            change(MemberChange.applied(membership, request.getDowngradeInfoSet()));
        } else {
            // etcd's own tests put that into logs, to be passed over.
            Invariant.check(request.hasDowngradeVersionTest(),
                    "the log holds a request that no etcd 3.7 could apply: fields %s",
                    request.getAllFields().keySet());
        }
    }

    /** Consensus learns of a change that was refused too: as one of nobody. */
    private void applyConfChange(Entry entry) {
        MemberChange.Changed changed = MemberChange.applied(membership, entry.data(), learnersMax);
        ConfChange asked = ConfChange.decode(entry.kind(), entry.data());
        ConfChange.Change first = asked.changes().getFirst();
        boolean isRefused = changed.refusal() != null;
        if (isRefused) {
            listener.changeRefused("the configuration change at index " + entry.index() + " takes no effect: "
                    + changed.refusal());
        } else {
            change(changed.membership());
        }
        listener.reconfigured(new Input.Reconfigured(entry.index(),
                isRefused ? ConfChange.single(first.kind(), NOBODY) : asked));
        if (waiters.take(MemberChange.idOf(entry.data())) instanceof PendingChange waiting) {
            changes.add(new ChangeCompletion(waiting, changed));
        }
    }

    private void change(Membership next) {
        next.save(store, membership);
        membership = next;
        configuration = next.encodeConfState();
        listener.membershipChanged(next);
    }

    // ---- a state that has come

    /** What was handed over before it is part of it. */
    private void install(OpenedStore state, SnapshotMeta meta) {
        Invariant.check(meta.index() > appliedIndex, "a state at %d, and %d is applied", meta.index(), appliedIndex);
        held.clear();
        OpenedStore before = inForce.opened();
        inForce.replace(state);
        store = state.store();
        ledger = state.ledger();
        membership = state.membership();
        configuration = membership.encodeConfState();
        listener.leases(List.of(new Lessor.Message.Installed(store.leases())));
        listener.auth(meta.index(), new AuthOutcome.Disabled());
        appliedIndex = meta.index();
        appliedTerm = meta.term();
        feed.reset(store.view().revision());
        listener.installed(before);
        listener.membershipChanged(membership);
        // What became of their entries, nobody here will learn.
        waiters.failHandedOver(Failure.TIMEOUT);
        if (store.view().compaction() != null) {
            listener.compacted();
        }
    }

    // ---- for the housekeeper, between two batches

    private void perform(Chore chore) {
        switch (chore) {
            case Chore.TakeOut(CompactionWalk.Slice slice) -> takeOut(slice);
            case Chore.KeepHash(KeyHash hash) -> store.keepHash(hash);
            case Chore.NoteCompaction(long revision) -> noteCompaction(revision);
            case Chore.Capture() -> capture();
        }
    }

    private void takeOut(CompactionWalk.Slice slice) {
        long begun = clock.nanos();
        store.compactKeys(slice);
        store.publish();
        metrics.compactionStep(slice.dead().size(), clock.nanos() - begun);
        listener.reply(new Housekeeper.Reply.TakenOut(slice));
    }

    private void noteCompaction(long revision) {
        store.compactionFinished(revision);
        endBatch(appliedIndex, appliedTerm);
        listener.reply(new Housekeeper.Reply.CompactionNoted());
    }

    private void capture() {
        listener.reply(new Housekeeper.Reply.Captured(store.capture(), ledger.mark()));
    }

    // ---- reads

    private void releaseReads() {
        while (!waitingReads.isEmpty() && waitingReads.getFirst().index() <= appliedIndex) {
            Message.ReadAt released = waitingReads.removeFirst();
            explain(released);
            released.reads().forEach(read -> read.answer().ready());
        }
    }

    /** What a read has waited for here, its entries have waited for: a disk, another member, or this loop. */
    private void explain(Message.ReadAt read) {
        long now = clock.nanos();
        if (now - read.sinceNanos() >= metrics.slowRequestNanos() / SLOW_SHARE) {
            Phases phases = times.phases(read.index(), read.sinceNanos(), now);
            read.reads().forEach(one -> one.answer().appliedSlowly(phases));
        }
    }

    /** Reads wait here only while the ledger's disk is behind, which may be for long. */
    private void failLateReads() {
        if (waitingReads.isEmpty()) {
            return;
        }
        long now = clock.nanos();
        for (Message.ReadAt waiting : waitingReads) {
            waiting.reads().removeIf(read -> read.failIfLate(now));
        }
        waitingReads.removeIf(waiting -> waiting.reads().isEmpty());
    }

    /** After the last turn: nobody is left without an answer. */
    void abandon() {
        for (Message message : mailbox.take()) {
            if (message instanceof Message.ReadAt read) {
                waitingReads.add(read);
            } else if (message instanceof Message.KeysOf(long lease, Consumer<List<Bytes>> asker)) {
                asker.accept(List.of());
            }
        }
        waitingReads.forEach(waiting -> waiting.reads().forEach(read -> read.answer().failed(Failure.STOPPED)));
        waitingReads.clear();
    }
}
