package dev.quoin.member;

/**
 * The thread of one actor. Whatever escapes a turn, an OutOfMemoryError included, is handed to {@link Halt}: the state it
 * left behind cannot be trusted, and a member that cannot think must not vote.
 */
final class ActorThread {
    private final Actor actor;
    private final Thread thread;
    private volatile boolean stopping;

    ActorThread(String name, Actor actor, Halt halt) {
        this.actor = actor;
        this.thread = Thread.ofPlatform().name(name).unstarted(() -> {
            try {
                run();
            } catch (Throwable escaped) {
                halt.halt(name, escaped);
            }
        });
    }

    void start() {
        thread.start();
    }

    private void run() throws InterruptedException {
        while (!stopping) {
            actor.mailbox().await(actor.turn());
        }
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
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
    }
}
