package dev.quoin.member;

import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.function.Consumer;

import dev.quoin.base.Bytes;
import dev.quoin.base.Clock;
import dev.quoin.base.Invariant;
import dev.quoin.disk.ledger.Ledger;
import dev.quoin.raft.ConfChange;
import dev.quoin.raft.Entry;
import dev.quoin.raft.Input;
import dev.quoin.store.Command;
import dev.quoin.store.Outcome;
import dev.quoin.store.Store;

/**
 * The owner of the store and of the membership: applies committed entries in the order of the log. A batch of them is one
 * unit: its records and its applied index enter the ledger together, its view is published, and only then are the answers
 * completed, so that whoever has an answer can read what it says.
 *
 * <p>What is applied depends on the entries alone. Who waits for an answer matters for the answer, never for the change.
 */
final class ApplyLoop implements Actor {
    /** What others send. */
    sealed interface Message {
        record Committed(List<Entry> entries) implements Message {}

        /** These reads may go on once {@code index} is applied. */
        record ReadAt(long index, List<RaftLoop.Message.Read> reads) implements Message {}
    }

    private record Completion(long id, Outcome outcome) {}

    private static final long NOT_BEFORE_A_MESSAGE = Long.MAX_VALUE;
    private static final long SWEEP_NANOS = Duration.ofSeconds(1).toNanos();

    private final Mailbox<Message> mailbox = new Mailbox<>();
    private final Store store;
    private final Ledger ledger;
    private final Clock clock;
    private final Waiters waiters;
    private final Runnable flushSoon;
    private final Consumer<Input.Reconfigured> onReconfigured;

    private final Deque<Message.ReadAt> waitingReads = new ArrayDeque<>();
    private final Deque<Message.Committed> held = new ArrayDeque<>();
    private final List<Completion> completions = new ArrayList<>();
    private volatile Membership membership;
    /** The members in force as raft's own message, which goes into the ledger with every batch. */
    private Bytes configuration;
    private volatile long appliedIndex;

    /**
     * @param flushSoon asks the ledger writer not to wait for its time
     * @param onReconfigured tells the raft loop which change of who takes part is in force
     */
    ApplyLoop(Store store, Ledger ledger, Membership membership, long appliedIndex, Clock clock, Waiters waiters,
            Runnable flushSoon, Consumer<Input.Reconfigured> onReconfigured) {
        this.store = store;
        this.ledger = ledger;
        this.membership = membership;
        this.configuration = membership.encodeConfState();
        this.appliedIndex = appliedIndex;
        this.clock = clock;
        this.waiters = waiters;
        this.flushSoon = flushSoon;
        this.onReconfigured = onReconfigured;
    }

    Mailbox<Message> mailbox() {
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
            flushSoon.run();
        }
        failLateReads();
        return waitingReads.isEmpty() ? NOT_BEFORE_A_MESSAGE : SWEEP_NANOS;
    }

    private void applyBatch(List<Entry> entries) {
        long expected = appliedIndex;
        for (Entry entry : entries) {
            expected++;
            Invariant.check(entry.index() == expected, "entry %d applied, %d is next", entry.index(), expected);
            switch (entry.kind()) {
                case NORMAL -> applyNormal(entry);
                case CONF_CHANGE -> applyConfChange(entry);
                case CONF_CHANGE_V2 -> throw Invariant.violation("entry %d is a joint change", entry.index());
            }
        }
        Entry last = entries.getLast();
        ledger.commit(last.index(), last.term(), configuration);
        store.publish();
        appliedIndex = last.index();
        for (Completion completion : completions) {
            waiters.complete(completion.id(), completion.outcome());
        }
        completions.clear();
    }

    private void applyNormal(Entry entry) {
        if (entry.data().isEmpty()) {
            return;
        }
        switch (Requests.logged(entry.data())) {
            case Requests.Logged.Keys(long id, Command command) -> {
                if (waiters.isWaiting(id)) {
                    completions.add(new Completion(id, store.apply(command)));
                } else {
                    store.applyUnheard(command);
                }
            }
            case Requests.Logged.Rare rare -> {
                MemberChange.applied(membership, rare.request()).ifPresent(this::change);
                completions.add(new Completion(rare.id(), store.apply(new Command.Nothing())));
            }
        }
    }

    private void applyConfChange(Entry entry) {
        change(MemberChange.applied(membership, entry.data()));
        onReconfigured.accept(new Input.Reconfigured(entry.index(), ConfChange.decode(entry.kind(), entry.data())));
    }

    private void change(Membership next) {
        membership = next;
        configuration = next.encodeConfState();
        ledger.append(0, 0, LedgerRecords.MEMBERSHIP, next.encode());
    }

    private void releaseReads() {
        while (!waitingReads.isEmpty() && waitingReads.getFirst().index() <= appliedIndex) {
            waitingReads.removeFirst().reads().forEach(read -> read.answer().ready());
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
            }
        }
        waitingReads.forEach(waiting -> waiting.reads().forEach(read -> read.answer().failed(Failure.STOPPED)));
        waitingReads.clear();
    }

    @Override
    public void await(long nanos) throws InterruptedException {
        mailbox.await(nanos);
    }

    @Override
    public void nudge() {
        mailbox.nudge();
    }
}
