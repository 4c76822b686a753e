package dev.quoin.member;

import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.ReentrantLock;

import dev.quoin.base.Invariant;

/**
 * The thread of one actor. Whatever escapes a turn, an OutOfMemoryError included, is handed to {@link Halt}: the state it
 * left behind cannot be trusted, and a member that cannot think must not vote.
 *
 * <p>A thread that lets others <em>help</em> is not woken for each message: whoever sends one takes the turn there and then,
 * unless somebody has it already, who will then look for it. A lone request so goes from the socket through consensus and
 * back without a change of threads, each of which costs it more than all the work does. The turns are still one at a time,
 * and only this thread sleeps until the next one is due. Virtual threads do not help: one that loses its carrier in the middle of a turn would keep
 * everybody waiting, behind whatever the carriers are busy with.
 */
final class ActorThread {
    /** A helper has work of its own: what keeps coming meanwhile is for the thread. */
    private static final int TURNS_IN_A_ROW_MAX = 2;
    private static final long WAIT_NANOS_MAX = TimeUnit.HOURS.toNanos(1);

    private final String name;
    private final Actor actor;
    private final Halt halt;
    private final Thread thread;
    private final ReentrantLock turn = new ReentrantLock();
    /** When the thread wants its next turn, on the scale of {@link System#nanoTime}; guarded by {@code turn}. */
    private long dueNanos;
    private volatile boolean stopping;

    private ActorThread(String name, Actor actor, Halt halt) {
        this.name = name;
        this.actor = actor;
        this.halt = halt;
        this.thread = Thread.ofPlatform().name(name).unstarted(() -> {
            try {
                run();
            } catch (Throwable escaped) {
                halt(escaped);
            }
        });
    }

    /** All turns are taken by the thread. For an actor that may wait: for a disk, for the processor. */
    static ActorThread alone(String name, Actor actor, Halt halt) {
        return new ActorThread(name, actor, halt);
    }

    /** Turns are also taken by whoever sends it something. For an actor whose turns are short and never wait. */
    static ActorThread helped(String name, Actor actor, Halt halt) {
        ActorThread helped = new ActorThread(name, actor, halt);
        actor.mailbox().helpedBy(helped::help);
        return helped;
    }

    void start() {
        thread.start();
    }

    private void run() throws InterruptedException {
        while (!stopping) {
            actor.mailbox().await(takeOwnTurn());
        }
    }

    /** Returns for how long to wait for the next. */
    private long takeOwnTurn() {
        turn.lock();
        try {
            if (stopping) {
                return 0;
            }
            long waitNanos = Math.min(actor.turn(), WAIT_NANOS_MAX);
            dueNanos = System.nanoTime() + waitNanos;
            return waitNanos;
        } finally {
            turn.unlock();
        }
    }

    /** Sees to what has arrived, or knows that somebody will; false if the thread must be woken for it. */
    private boolean help() {
        if (Thread.currentThread().isVirtual()) {
            return false;
        }
        if (turn.isHeldByCurrentThread()) {
            return true; // Sent from within the turn, which ends by looking once more.
        }
        for (int turns = 0; turns < TURNS_IN_A_ROW_MAX; turns++) {
            if (!turn.tryLock()) {
                return true; // Whoever has it looks once more after giving it back.
            }
            try {
                if (!stopping) {
                    takeTurn();
                }
            } finally {
                turn.unlock();
            }
            if (actor.mailbox().isEmpty()) {
                return true;
            }
        }
        return false;
    }

    private void takeTurn() {
        try {
            long waitNanos = Math.min(actor.turn(), WAIT_NANOS_MAX);
            long due = System.nanoTime() + waitNanos;
            if (due - dueNanos < 0) {
                dueNanos = due;
                actor.mailbox().nudge();
            }
        } catch (Throwable escaped) {
            halt(escaped);
        }
    }

    private void halt(Throwable escaped) {
        stopping = true;
        halt.halt(name, escaped);
    }

    /**
     * Lets the turn at hand finish, and no other begin; returns when it has. Nothing is interrupted: an interrupt closes
     * the file that the thread is writing.
     */
    void stop() {
        stopping = true;
        actor.mailbox().nudge();
        boolean interrupted = false;
        while (thread.isAlive()) {
            try {
                thread.join();
            } catch (InterruptedException e) {
                interrupted = true;
            }
        }
        awaitHelper();
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
    }

    /** A helper may have a turn at hand; none begins after it. */
    private void awaitHelper() {
        turn.lock();
        try {
            Invariant.check(stopping, "turns go on after the end of %s", name);
        } finally {
            turn.unlock();
        }
    }
}
