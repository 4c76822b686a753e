package dev.quoin.server;

/**
 * The bounds that flags set, beside those of the rooms below.
 *
 * @param requestBytesMax the largest entry that a request may become ({@code --max-request-bytes})
 * @param txnOpsMax conditions or steps of a transaction ({@code --max-txn-ops})
 * @param listsMax lists that are read and sent at the same time; one more is refused
 * @param listKeysMax keys that all of them have still to send; one that would make it more is refused, unless it is alone
 */
record ServerLimits(int requestBytesMax, int txnOpsMax, int listsMax, int listKeysMax) {
    /** Has no flag. */
    static final int LISTS_MAX = 256;
    /** Calls of Lock and Campaign at once, nearly all of which wait. Has no flag. */
    static final int LOCK_CALLS_MAX = 10_000;
    /** Calls of Observe at once. Has no flag. */
    static final int OBSERVERS_MAX = 10_000;
    /** States that are sent to clients at once. Has no flag. */
    static final int SNAPSHOTS_MAX = 4;
    /** Watchers that one stream may have. Has no flag. */
    static final int WATCHERS_PER_STREAM_MAX = 100_000;
    /** Calls through the JSON gateway that may be open at once, most of which watch or wait. Has no flag. */
    static final int GATEWAY_CALLS_MAX = 10_000;
    /** Requests over HTTP at work at once: some are left when all calls of the gateway are open. Has no flag. */
    static final int HTTP_REQUESTS_MAX = 16_384;
    private static final int GATEWAY_HEAP_SHARE = 16;
    private static final long GATEWAY_BODY_BYTES_MIN = 32 << 20;
    private static final int WATCHER_HEAP_SHARE = 8;
    private static final long WATCHER_BYTES_MIN = 16 << 20;
    private static final int PLANNED_KEY_BYTES = 8;
    private static final int HEAP_SHARE = 16;
    private static final int LIST_KEYS_MIN = 1 << 22;

    /** A sixteenth of the heap, and 4 Mi keys at least. Has no flag. */
    static int listKeysMax(long heapBytes) {
        long keys = Math.max(LIST_KEYS_MIN, heapBytes / HEAP_SHARE / PLANNED_KEY_BYTES);
        return (int) Math.min(Integer.MAX_VALUE, keys);
    }

    /** What all watchers together may take of the heap: an eighth, and 16 MiB at least. Has no flag. */
    static long watcherBytesMax(long heapBytes) {
        return Math.max(WATCHER_BYTES_MIN, heapBytes / WATCHER_HEAP_SHARE);
    }

    /** What bodies of the JSON gateway that are read may take of the heap: a sixteenth, and 32 MiB at least. Has no flag. */
    static long gatewayBodyBytesMax(long heapBytes) {
        return Math.max(GATEWAY_BODY_BYTES_MIN, heapBytes / GATEWAY_HEAP_SHARE);
    }

    /** What gRPC itself lets through: the rest of the message beside the entry (v3rpc/grpc.go). */
    int messageBytesMax() {
        return Math.toIntExact(Math.min(Integer.MAX_VALUE, requestBytesMax + 524_288L));
    }
}
