package dev.quoin.member;

import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.function.Consumer;
import java.util.function.Supplier;

import org.jspecify.annotations.Nullable;

import dev.quoin.base.Bytes;
import dev.quoin.base.Clock;
import dev.quoin.base.Invariant;
import dev.quoin.disk.DiskFailure;
import dev.quoin.disk.ledger.Ledger;
import dev.quoin.disk.ledger.Mark;
import dev.quoin.disk.ledger.Rewrite;
import dev.quoin.disk.ledger.Scrub;
import dev.quoin.disk.wal.LogScrub;
import dev.quoin.store.Compaction;
import dev.quoin.store.CompactionWalk;
import dev.quoin.store.Image;
import dev.quoin.store.Records;
import dev.quoin.store.Store;
import dev.quoin.store.View;

/**
 * Does what keeps a member in order and can wait: takes out what a compaction has given up, saves checkpoints, gives space
 * back, looks for damage. One job at a time, in steps with pauses between them; nobody waits for it but those who asked to.
 *
 * <p>It owns none of the state it works on. What must change in the store it asks the apply loop to change, a small slice
 * at a time; of the ledger it has the part that belongs to files that are full.
 *
 * <p>A disk that has no room for a checkpoint or a rewritten file is reported, and asked again after a while: those files
 * are not needed to keep a promise. A sync that fails ends the process, as everywhere.
 */
final class Housekeeper implements Actor {
    /** What others send. */
    sealed interface Message {
        /** {@code waiter} is told once what the compactions up to a revision give up is gone. */
        record AwaitCompaction(long revision, ReadAnswer waiter) implements Message {}

        /** All space that can be given back is to be given back now; then {@code waiter} is told. */
        record Hurry(ReadAnswer waiter) implements Message {}

        /**
         * From when {@code then} is run, on this owner's thread, no record is given up, until it runs what it is given
         * there, on whatever thread; or until that has taken too long. Not run if the member stops first.
         */
        record Pin(Consumer<Runnable> then) implements Message {}

        /** The pin of this number is not needed any more. */
        record Unpin(long number) implements Message {}

        /** Another store is in force; this one is still read from for a while. */
        record Replaced(OpenedStore old) implements Message {}

        /** A state that was received and is not wanted. */
        record Discard(ReceivedState state) implements Message {}
    }

    /** A ledger that was in force, and until when it stays open at the longest. */
    private record Retired(Ledger ledger, Path directory, long untilNanos) {}

    /** Somebody reads records that may be dead by now, until this time on the clock. */
    private record Pinned(long number, long untilNanos) {}

    /** What the apply loop answers to a {@link Job}. */
    sealed interface Reply extends Message {
        record TakenOut(CompactionWalk.Slice slice) implements Reply {}

        record CompactionNoted() implements Reply {}

        /** The state of the store as of the end of a batch. */
        record Captured(Image state, Mark mark) implements Reply {}
    }

    /** What rewriting must give back of a file, as a share of it, when somebody waits for it. */
    static final double DEAD_SHARE_IN_A_HURRY = 0.02;
    /** Steps of a job without pauses: what is soon done need not wait. */
    private static final int EAGER_STEPS = 8;
    private static final long PAUSES_LESS_IN_A_HURRY = 10;
    /** How long a store that was replaced can still be read from. */
    private static final long RETIRED_NANOS = Duration.ofMinutes(5).toNanos();
    /** Each takes as much of the disk as the one in force. */
    private static final int RETIRED_MAX = 1;
    private static final long NANOS_AFTER_REFUSAL = Duration.ofSeconds(30).toNanos();

    private final Mailbox<Message> mailbox;
    private final StoreInForce inForce;
    private final LedgerDirectories ledgers;
    private Store store;
    private Ledger ledger;
    private final Deque<Retired> retired = new ArrayDeque<>();
    private final ApplyLoop applyLoop;
    private final QuotaWatch quotaWatch;
    private final HousekeepingLimits limits;
    private final Clock clock;
    private final Events events;
    private final MemberMetrics metrics;

    private final List<Message.AwaitCompaction> awaiting = new ArrayList<>();
    private final List<Message.Hurry> hurried = new ArrayList<>();
    private boolean isHurryPrepared;
    /** Since when somebody waits for space. */
    private long hurriedNanos;
    private final List<Pinned> pins = new ArrayList<>();
    private long lastPin;
    private @Nullable Job job;
    private long jobSinceNanos;
    private int eagerSteps = EAGER_STEPS;
    private @Nullable Scrub scrub;
    private final Supplier<LogScrub> logRounds;
    private @Nullable LogScrub logScrub;
    /** How long the last checkpoint is; 0 if it was not this process that wrote one. */
    private long checkpointBytes;
    /** The last compaction that a checkpoint of this process knows of. */
    private long checkpointedCompaction = -1;
    /** Until when, on the clock, the disk is not asked for room again; meaningless until it refused some. */
    private long refusedUntilNanos;
    private boolean wasRefused;

    /** @param logRounds begins a round through the log, which is gone through in turns with the ledger */
    Housekeeper(Mailbox<Message> mailbox, StoreInForce inForce, LedgerDirectories ledgers, ApplyLoop applyLoop,
            Supplier<LogScrub> logRounds, QuotaWatch quotaWatch, HousekeepingLimits limits, Clock clock, Events events,
            MemberMetrics metrics) {
        this.mailbox = mailbox;
        this.inForce = inForce;
        this.ledgers = ledgers;
        this.store = inForce.store();
        this.ledger = inForce.ledger();
        this.applyLoop = applyLoop;
        this.logRounds = logRounds;
        this.quotaWatch = quotaWatch;
        this.limits = limits;
        this.clock = clock;
        this.events = events;
        this.metrics = metrics;
    }

    @Override
    public long turn() {
        for (Message message : mailbox.take()) {
            switch (message) {
                case Message.AwaitCompaction waiter -> awaiting.add(waiter);
                case Message.Hurry hurry -> hurry(hurry);
                case Message.Pin pin -> pin(pin);
                case Message.Unpin(long number) -> pins.removeIf(pinned -> pinned.number == number);
                case Message.Replaced(OpenedStore old) -> retire(old);
                case Message.Discard(ReceivedState state) -> state.discard();
                case Reply reply -> hear(reply);
            }
        }
        closeRetired();
        quotaWatch.look(clock.nanos());
        pins.removeIf(pinned -> pinned.untilNanos - clock.nanos() < 0);
        Job current = job;
        if (current == null) {
            current = nextJob();
            jobSinceNanos = clock.nanos();
        }
        job = current;
        return current == null ? idle() : step(current);
    }

    private void hurry(Message.Hurry hurry) {
        if (hurried.isEmpty()) {
            hurriedNanos = clock.nanos();
            metrics.defragmenting(true);
        }
        hurried.add(hurry);
    }

    private void hear(Reply reply) {
        Job current = job;
        if (current == null) {
            throw unexpected(reply);
        }
        current.hear(reply);
    }

    /**
     * Only rewriting gives records up: one that is under way is begun anew later, and meanwhile none is begun. Compactions
     * and checkpoints go on, which only count what is dead.
     */
    private void pin(Message.Pin pin) {
        if (job instanceof RewriteJob rewriting) {
            rewriting.abandon();
            job = null;
        }
        long number = ++lastPin;
        pins.add(new Pinned(number, clock.nanos() + limits.pinNanosMax()));
        pin.then().accept(() -> mailbox.put(new Message.Unpin(number)));
    }

    /** What was asked of the apply loop for the old one, it passes over. One that is new already has its own job. */
    private void retire(OpenedStore old) {
        retired.add(new Retired(old.ledger(), old.directory(), clock.nanos() + RETIRED_NANOS));
        if (ledger == inForce.ledger()) {
            return;
        }
        if (job != null) {
            job.abandon();
            job = null;
        }
        if (scrub != null) {
            scrub.abandon();
            scrub = null;
        }
        OpenedStore current = inForce.opened();
        store = current.store();
        ledger = current.ledger();
        checkpointBytes = 0;
        checkpointedCompaction = -1;
    }

    private void closeRetired() {
        while (!retired.isEmpty()
                && (retired.size() > RETIRED_MAX || retired.getFirst().untilNanos - clock.nanos() < 0)) {
            Retired old = retired.removeFirst();
            old.ledger.close();
            ledgers.delete(old.directory);
        }
    }

    private long step(Job current) {
        long pause = current.step();
        if (pause == Job.DONE) {
            job = null;
            if (current instanceof CompactionJob) {
                metrics.compacted(clock.nanos() - jobSinceNanos);
            }
            eagerSteps = EAGER_STEPS;
            return 0;
        }
        if (pause != Job.UNTIL_A_MESSAGE && eagerSteps > 0) {
            eagerSteps--;
            return 0;
        }
        return pause == Job.UNTIL_A_MESSAGE || hurried.isEmpty() ? pause : pause / PAUSES_LESS_IN_A_HURRY;
    }

    private @Nullable Job nextJob() {
        View view = store.view();
        Compaction compaction = view.compaction();
        if (compaction != null) {
            return new CompactionJob(view, compaction, applyLoop, ledger, limits, events::damaged);
        }
        tellWaiters(view);
        if (isRefused()) {
            return null;
        }
        if (checkpointIsDue(view)) {
            return new CheckpointJob(ledger, applyLoop, limits, bytes -> {
                checkpointBytes = bytes;
                checkpointedCompaction = view.compactedRevision();
            }, this::refused);
        }
        return pins.isEmpty() ? rewriteJob() : null;
    }

    private @Nullable Job rewriteJob() {
        double deadShare = hurried.isEmpty() ? Ledger.DEAD_SHARE : DEAD_SHARE_IN_A_HURRY;
        try {
            Rewrite rewrite = ledger.nextRewrite(deadShare, this::isLive);
            return rewrite == null ? null : new RewriteJob(rewrite, limits, this::refused);
        } catch (DiskFailure failure) {
            endUnlessRefused(failure);
            refused(failure);
            return null;
        }
    }

    /** What is not about keys is in the checkpoint, and only what lies before that is rewritten. */
    private boolean isLive(long position, long main, int sub, int kind, Bytes payload) {
        boolean isAboutKeys = kind == Records.Kind.PUT.number() || kind == Records.Kind.TOMBSTONE.number();
        return isAboutKeys && store.view().refersTo(position, main, sub, kind, payload);
    }

    private void tellWaiters(View view) {
        awaiting.removeIf(waiter -> {
            boolean isDone = waiter.revision() <= view.compactedRevision();
            if (isDone) {
                waiter.waiter().ready();
            }
            return isDone;
        });
    }

    /**
     * A checkpoint costs as much as the whole index is long. It is worth that when a restart would have to read more than
     * that without it; or when there is space to give back, which is only done in front of a checkpoint.
     */
    private boolean checkpointIsDue(View view) {
        long replay = ledger.replayBytes();
        if (ledger.durable() == null) {
            return false;
        }
        if (!hurried.isEmpty() && !isHurryPrepared) {
            isHurryPrepared = true;
            return replay > 0;
        }
        if (replay >= Math.max(limits.checkpointBytes(), checkpointBytes)) {
            return true;
        }
        long dead = ledger.totalBytes() - ledger.inUseBytes();
        boolean isMuchDead = dead > ledger.inUseBytes() / 4 && dead > limits.checkpointBytes() / 4;
        return isMuchDead && view.compactedRevision() != checkpointedCompaction
                && replay > limits.checkpointBytes() / 4;
    }

    private long idle() {
        if (pins.isEmpty()) {
            tellHurried();
        }
        scrub();
        return limits.scrubPauseNanos();
    }

    /** The log after the ledger, the ledger after the log. */
    private void scrub() {
        LogScrub ofLog = logScrub;
        if (ofLog != null) {
            logScrub = ofLog.step(limits.stepBytes()) ? null : ofLog;
            return;
        }
        Scrub round = scrub == null ? ledger.scrub(events::damaged) : scrub;
        boolean isOver = round.step(limits.stepBytes());
        scrub = isOver ? null : round;
        logScrub = isOver ? logRounds.get() : null;
    }

    private void tellHurried() {
        // On a disk that takes nothing there is nothing to wait for, and nothing was given back.
        hurried.forEach(hurry -> {
            if (isRefused()) {
                hurry.waiter().failed(Failure.NO_ROOM);
            } else {
                hurry.waiter().ready();
            }
        });
        if (!hurried.isEmpty()) {
            metrics.defragmenting(false);
            metrics.defragmented(clock.nanos() - hurriedNanos);
        }
        hurried.clear();
        isHurryPrepared = false;
    }

    // ---- a disk without room

    /** Ends the process, by passing it on, unless the disk only refused to take bytes that nobody depends on. */
    static void endUnlessRefused(DiskFailure failure) {
        if (!failure.isRefusedWrite()) {
            throw failure;
        }
    }

    private void refused(DiskFailure failure) {
        wasRefused = true;
        refusedUntilNanos = clock.nanos() + NANOS_AFTER_REFUSAL;
        events.housekeepingRefused(failure);
    }

    private boolean isRefused() {
        wasRefused = wasRefused && refusedUntilNanos - clock.nanos() > 0;
        return wasRefused;
    }

    static Invariant.Violation unexpected(Reply reply) {
        return Invariant.violation("nobody asked for this: %s", reply);
    }

    /** After the last turn: nobody is left without an answer. */
    void abandon() {
        for (Message message : mailbox.take()) {
            switch (message) {
                case Message.AwaitCompaction waiter -> awaiting.add(waiter);
                case Message.Hurry hurry -> hurried.add(hurry);
                case Message.Replaced(OpenedStore old) -> old.ledger().close();
                case Message.Discard(ReceivedState state) -> state.discard();
                case Message.Pin _,Message.Unpin _,Reply _ -> {}
            }
        }
        awaiting.forEach(waiter -> waiter.waiter().failed(Failure.STOPPED));
        hurried.forEach(hurry -> hurry.waiter().failed(Failure.STOPPED));
        Scrub round = scrub;
        if (round != null) {
            round.abandon();
        }
        LogScrub ofLog = logScrub;
        if (ofLog != null) {
            ofLog.abandon();
        }
        // The next start deletes what is left of them.
        retired.forEach(old -> old.ledger.close());
        retired.clear();
    }

    @Override
    public Mailbox<Message> mailbox() {
        return mailbox;
    }
}
