package dev.quoin.net;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.atomic.AtomicReference;

import io.netty.channel.EventLoop;
import org.jspecify.annotations.Nullable;

/**
 * One event loop and what is common to the connections on it.
 *
 * <p>The problem: answers come from other threads, and a wake-up, a task and a flush for each would cost more than the
 * answer. The idea (grpc-java's WriteQueue, with a stack in place of its queue): whoever pushes on an empty stack wakes
 * the loop; the loop takes the whole stack, turns it round and runs it; connections that were written to are remembered
 * and flushed once at the end. What is done on the loop itself outside a read, joins the same flush.
 */
@SuppressWarnings("FutureReturnValueIgnored") // Netty tells of a failed write by closing the channel, which we hear of.
final class LoopState implements Loop {
    /** Answers written before a flush, so that buffers are freed early. */
    private static final int OPS_PER_FLUSH = 128;

    /** Something to do on the loop: an element of the stack. */
    abstract static class Op {
        private @Nullable Op next;

        abstract void run();
    }

    /** A connection as its loop sees it, whatever it speaks. */
    interface Connection {
        /** Takes no new work, and goes when the work at hand is done. */
        void drain();

        /** Goes now; calls end for this reason. */
        void abort(End why);

        /** Called about once a second. */
        void sweep(long nowNanos);
    }

    final EventLoop executor;
    final Deadlines deadlines;
    private final @Nullable LoopTurn turn;
    private final AtomicReference<@Nullable Op> outbox = new AtomicReference<>();
    private final Runnable drain = this::drainOutbox;
    private final Runnable turnEnd = this::endTurn;

    // All below belongs to the loop.
    private final List<H2Connection> touched = new ArrayList<>();
    private final ArrayDeque<H2Stream> writableNotices = new ArrayDeque<>();
    private final Set<Connection> connections = new LinkedHashSet<>();
    final BodyPace bodies = new BodyPace();
    private boolean turnEndDue;
    private boolean hotMessages;
    private boolean isTurnTimed;
    private long turnNanos;
    long requestBytes;
    private volatile @Nullable Object attachment;

    LoopState(EventLoop executor, @Nullable LoopTurn turn) {
        this.executor = executor;
        this.turn = turn;
        deadlines = new Deadlines(executor);
    }

    @Override
    public void execute(Runnable task) {
        post(new Op() {
            @Override
            void run() {
                task.run();
            }
        });
    }

    void post(Op op) {
        Op head;
        do {
            head = outbox.get();
            op.next = head;
        } while (!outbox.compareAndSet(head, op));
        if (head == null) {
            try {
                executor.execute(drain);
            } catch (RejectedExecutionException e) {
                outbox.set(null); // The loop has stopped, and with it every call this could have been for.
            }
        }
    }

    private void drainOutbox() {
        isTurnTimed = false; // What was read before belongs to a turn that may have been long.
        Op op = reversed(outbox.getAndSet(null));
        int sinceFlush = 0;
        while (op != null) {
            Op next = op.next;
            op.next = null;
            try {
                op.run();
            } catch (Throwable t) {
                Faults.internal("task on an event loop", t);
            }
            if (++sinceFlush == OPS_PER_FLUSH) {
                sinceFlush = 0;
                flushTouched();
            }
            op = next;
        }
        endTurn();
    }

    private static @Nullable Op reversed(@Nullable Op stack) {
        Op front = null;
        Op op = stack;
        while (op != null) {
            Op next = op.next;
            op.next = front;
            front = op;
            op = next;
        }
        return front;
    }

    /** A connection was written to outside its own read: it is flushed when the turn ends. */
    void touch(H2Connection connection) {
        touched.add(connection);
        scheduleTurnEnd();
    }

    void hotMessage() {
        hotMessages = true;
        scheduleTurnEnd();
    }

    /** The handler of this stream is told, once the present write is over, that it has room again. */
    void noticeWritable(H2Stream stream) {
        writableNotices.add(stream);
        scheduleTurnEnd();
    }

    /** The time as of this turn, on the scale of {@link System#nanoTime}: the clock is read once for all that a turn does. */
    long turnNanos() {
        if (!turnEndDue) {
            return System.nanoTime(); // Nothing has happened yet that has to be ended.
        }
        if (!isTurnTimed) {
            isTurnTimed = true;
            turnNanos = System.nanoTime();
        }
        return turnNanos;
    }

    private void scheduleTurnEnd() {
        if (!turnEndDue) {
            turnEndDue = true;
            executor.execute(turnEnd);
        }
    }

    private void endTurn() {
        turnEndDue = true; // What follows may write: it is flushed below.
        if (hotMessages) {
            hotMessages = false;
            if (turn != null) {
                try {
                    turn.turnEnded(this);
                } catch (Throwable t) {
                    Faults.internal("end of a turn", t);
                }
            }
        }
        // Only those that wait now: one that writes itself full again waits for the next turn.
        for (int waiting = writableNotices.size(); waiting > 0; waiting--) {
            writableNotices.remove().writableNotice();
        }
        flushTouched();
        turnEndDue = false;
        isTurnTimed = false;
        if (!writableNotices.isEmpty() || !touched.isEmpty() || hotMessages) {
            scheduleTurnEnd();
        }
    }

    private void flushTouched() {
        // A flush may touch again, through a stream that closes: those come with the next turn.
        int present = touched.size();
        for (int i = 0; i < present; i++) {
            touched.get(i).flushTouched();
        }
        touched.subList(0, present).clear();
    }

    void opened(Connection connection) {
        connections.add(connection);
    }

    void closed(Connection connection) {
        connections.remove(connection);
    }

    void forEachConnection(java.util.function.Consumer<Connection> visitor) {
        List.copyOf(connections).forEach(visitor);
    }

    @Override
    public boolean inLoop() {
        return executor.inEventLoop();
    }

    @Override
    public @Nullable Object attachment() {
        return attachment;
    }

    @Override
    public void attach(@Nullable Object other) {
        attachment = other;
    }
}
