package dev.quoin.net;

/** Why a call is over. Told once, by {@link Handler#onEnd}. */
public enum End {
    /** Its status has been handed to the connection: by the handler, or by us for a request that broke a rule. */
    FINISHED,
    /** The client reset it, or we did because the client broke a rule of the protocol or stopped reading. */
    RESET,
    /** Its deadline passed before it was finished. */
    DEADLINE,
    /** Its connection is gone. */
    CONNECTION_LOST,
    /** The server stopped, and its grace was over. */
    DRAINED
}
