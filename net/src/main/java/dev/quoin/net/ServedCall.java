package dev.quoin.net;

/** A call as this room knows it, whichever way it came: what it takes to serve it on a virtual thread. */
interface ServedCall extends Call {
    /** Where such threads come from. */
    VirtualWork virtualWork();

    /** Its client has met a bound. */
    void refused(NetMetrics.Refusal why);

    /** There may be room, or an end: whoever waits in {@link #awaitWritable} looks again. */
    void wake();
}
