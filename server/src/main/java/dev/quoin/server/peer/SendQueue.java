package dev.quoin.server.peer;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;

import org.jspecify.annotations.Nullable;

import dev.quoin.raft.Message;

/**
 * Messages between the loop that sends them, which never waits, and the threads that carry them away. Open while somebody
 * holds it; who takes it over finds it empty. Bounded in number and bytes.
 *
 * <p>While its holder only waits, a message need not: it may go out {@linkplain Direct at once}, on the thread that offers it, with no
 * change of threads on its way.
 */
final class SendQueue {
    /** What became of a message that was offered. */
    enum Offered {
        TAKEN, FULL, CLOSED
    }

    /** How a message goes out without its holder. Called while that one waits, and so in turns with it; must not block. */
    @FunctionalInterface
    interface Direct {
        /** False if it was not sent: then it is kept for the holder. */
        boolean send(Message message);
    }

    private record Waiting(Message message, int bytes) {}

    private final int messagesMax;
    private final long bytesMax;
    private final ArrayDeque<Waiting> waiting = new ArrayDeque<>(); // guarded by this, as all below
    private long waitingBytes;
    private long holder; // 0: closed
    private long holders;
    private @Nullable Direct direct;
    private boolean holderWaits;

    SendQueue(int messagesMax, long bytesMax) {
        this.messagesMax = messagesMax;
        this.bytesMax = bytesMax;
    }

    synchronized boolean isOpen() {
        return holder != 0;
    }

    synchronized boolean isHeldBy(long who) {
        return holder == who;
    }

    /**
     * Opens it for a new holder, whose number it answers. What waits is for the one before, who is asked to leave first.
     *
     * @param way  how messages go out while the holder waits, or null
     */
    synchronized long open(@Nullable Direct way) {
        direct = way;
        holderWaits = false;
        waiting.clear();
        waitingBytes = 0;
        holder = ++holders;
        notifyAll();
        return holder;
    }

    /** Closes it if {@code who} still holds it, and says whether messages are lost by it. */
    synchronized boolean close(long who) {
        return holder == who && close();
    }

    /** Closes it whoever holds it, and says whether messages are lost by it. */
    synchronized boolean close() {
        boolean lost = !waiting.isEmpty();
        waiting.clear();
        waitingBytes = 0;
        holder = 0;
        direct = null;
        holderWaits = false;
        notifyAll();
        return lost;
    }

    synchronized Offered offer(Message message) {
        if (holder == 0) {
            return Offered.CLOSED;
        }
        if (holderWaits && waiting.isEmpty() && direct != null && direct.send(message)) {
            return Offered.TAKEN;
        }
        int bytes = PeerMessages.bytesMost(message);
        boolean fits = waiting.size() < messagesMax && (waiting.isEmpty() || waitingBytes + bytes <= bytesMax);
        if (!fits) {
            return Offered.FULL;
        }
        waiting.add(new Waiting(message, bytes));
        waitingBytes += bytes;
        if (waiting.size() == 1) {
            notifyAll();
        }
        return Offered.TAKEN;
    }

    /**
     * Takes what is there, up to {@code bytes} but one message at least, after waiting for it. Empty if nothing comes in
     * time; null if {@code who} does not hold the queue any more.
     */
    synchronized @Nullable List<Message> take(long who, int bytes, long nanos) throws InterruptedException {
        long until = System.nanoTime() + nanos;
        while (holder == who && waiting.isEmpty()) {
            long left = until - System.nanoTime();
            if (left <= 0) {
                return List.of();
            }
            holderWaits = true;
            TimeUnit.NANOSECONDS.timedWait(this, left);
            if (holder == who) {
                holderWaits = false;
            }
        }
        if (holder != who) {
            return null;
        }
        List<Message> taken = new ArrayList<>();
        long takenBytes = 0;
        for (Waiting next = waiting.peek(); next != null
                && (taken.isEmpty() || takenBytes + next.bytes <= bytes); next = waiting.peek()) {
            waiting.remove();
            taken.add(next.message);
            takenBytes += next.bytes;
        }
        waitingBytes -= takenBytes;
        return taken;
    }
}
