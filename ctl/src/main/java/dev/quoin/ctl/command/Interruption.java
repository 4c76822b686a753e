package dev.quoin.ctl.command;

/**
 * SIGINT or SIGTERM, for commands that hold something: the thread that runs the command is interrupted and has the time to give back what it
 * holds. The process ends when that thread ends it.
 */
final class Interruption {
    private volatile boolean hasCome;

    /** From now on a signal interrupts the calling thread. */
    static Interruption ofThisThread() {
        Interruption interruption = new Interruption();
        Thread command = Thread.currentThread();
        Runtime.getRuntime().addShutdownHook(new Thread(() -> interruption.reach(command)));
        return interruption;
    }

    private void reach(Thread command) {
        hasCome = true;
        command.interrupt();
        try {
            // It halts the process; this never returns before.
            command.join();
        } catch (InterruptedException stop) {
            Thread.currentThread().interrupt();
        }
    }

    boolean hasCome() {
        return hasCome;
    }
}
