package dev.quoin.raft;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.Iterator;
import java.util.List;

import org.jspecify.annotations.Nullable;

/**
 * The writes that the disk has not acknowledged, each with what its acknowledgement will mean: how far the log is
 * durable, whose vote is, and which messages may leave.
 *
 * <p>The hard part: a new leader may replace entries while the write of the old ones is under way, and a third one may
 * bring the old ones back. So a write vouches only for what is still in the log as it wrote it: {@link #truncated} takes
 * back what the writes under way would have vouched for. Nothing has to be guessed from terms.
 */
final class Writes {
    /** One {@link Effect.Persist}. */
    static final class Write {
        private final long ticket;
        private final boolean sync;
        private final long term;
        private final long vote;
        private final @Nullable SnapshotMeta snapshot;
        private final List<Message> messages = new ArrayList<>();
        private long vouchesTo;

        private Write(long ticket, boolean sync, HardState state, @Nullable SnapshotMeta snapshot, long vouchesTo) {
            this.ticket = ticket;
            this.sync = sync;
            this.term = state.term();
            this.vote = state.vote();
            this.snapshot = snapshot;
            this.vouchesTo = vouchesTo;
        }

        long ticket() {
            return ticket;
        }

        long term() {
            return term;
        }

        long vote() {
            return vote;
        }

        @Nullable
        SnapshotMeta snapshot() {
            return snapshot;
        }

        /** The log is durable up to here once this is written. */
        long vouchesTo() {
            return vouchesTo;
        }

        /** What may leave once this is written. */
        List<Message> messages() {
            return messages;
        }
    }

    private final Deque<Write> underWay = new ArrayDeque<>();
    private long lastTicket;

    /** A new write, whose ticket is the next. */
    Write begin(boolean sync, HardState state, @Nullable SnapshotMeta snapshot, long vouchesTo) {
        Write write = new Write(++lastTicket, sync, state, snapshot, vouchesTo);
        underWay.add(write);
        return write;
    }

    /** The next one that {@code ticket} acknowledges. */
    @Nullable
    Write takeUpTo(long ticket) {
        Write first = underWay.peek();
        if (first == null || first.ticket > ticket) {
            return null;
        }
        return underWay.remove();
    }

    /** The log is replaced from {@code index} on. */
    void truncated(long index) {
        for (Write write : underWay) {
            write.vouchesTo = Math.min(write.vouchesTo, index - 1);
        }
    }

    /** The last write under way that must be on stable storage before what came after it may be promised. */
    @Nullable
    Write lastSynced() {
        for (Iterator<Write> newestFirst = underWay.descendingIterator(); newestFirst.hasNext();) {
            Write write = newestFirst.next();
            if (write.sync) {
                return write;
            }
        }
        return null;
    }

    /** Messages that wait for a write, oldest first. */
    List<Message> waitingMessages() {
        List<Message> waiting = new ArrayList<>();
        underWay.forEach(write -> waiting.addAll(write.messages));
        return waiting;
    }
}
