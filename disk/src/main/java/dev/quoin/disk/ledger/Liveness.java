package dev.quoin.disk.ledger;

import dev.quoin.base.Bytes;

/** What the store knows of its records. */
@FunctionalInterface
public interface Liveness {
    /**
     * Whether anybody may still ask for the record, as of something that was published after its batch was committed. What
     * is not alive once must not come alive again.
     */
    boolean isLive(long position, long main, int sub, int kind, Bytes payload);
}
