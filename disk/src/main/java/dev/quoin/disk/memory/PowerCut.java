package dev.quoin.disk.memory;

/**
 * The power went: this and every later operation on the disk throws it, until the machine is started again with {@link
 * FaultyDisk#restart}. An {@link Error}, because no code that is being tested may catch it and go on.
 */
public final class PowerCut extends Error {
    private static final long serialVersionUID = 1L;

    PowerCut(String operation) {
        super("power cut at " + operation);
    }
}
