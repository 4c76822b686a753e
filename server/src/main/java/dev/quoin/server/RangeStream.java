package dev.quoin.server;

import dev.quoin.net.Call;
import dev.quoin.net.LongMessage;
import dev.quoin.net.StatusException;
import dev.quoin.store.Plan;
import dev.quoin.store.Query;
import dev.quoin.store.Refusal;
import dev.quoin.store.View;

/**
 * A range answered in chunks, each a message. All of them show the keys at one revision, and put together they are what
 * Range answers. Header, more and count are in the last one. If a compaction passes by the revision before a chunk is
 * begun, the stream ends with that, as in etcd (v3_server.go rangeStream).
 */
final class RangeStream {
    private static final int FIRST_CHUNK_KEYS = 10;

    private final ListAnswers answers;
    private final Views views;
    private final long chunkBytesAimed;

    RangeStream(ListAnswers answers, Views views, long chunkBytesAimed) {
        this.answers = answers;
        this.views = views;
        this.chunkBytesAimed = chunkBytesAimed;
    }

    /** Where the chunks go: {@link Call#send(LongMessage)}. */
    @FunctionalInterface
    interface Receiver {
        boolean send(LongMessage chunk) throws StatusException;
    }

    /** Sends all chunks, waiting for the client; returns early if the call is over. */
    void run(Receiver receiver, View view, Query query, Lists.Share share) throws StatusException {
        Plan.Found plan = answers.plan(view, query, share);
        int sent = 0;
        int keys = FIRST_CHUNK_KEYS;
        while (true) {
            Listing chunk = chunk(view, query, plan, sent, keys);
            sent += chunk.size();
            if (sent == plan.size()) {
                receiver.send(answers.lastChunk(plan, chunk));
                return;
            }
            if (!receiver.send(ListAnswers.chunk(chunk))) {
                return;
            }
            if (Views.revision(view, query) < views.newest().compactedRevision()) {
                throw new StatusException(Errors.of(Refusal.COMPACTED));
            }
            keys = next(chunk.size(), ListAnswers.measuredBytes(plan.revision(), chunk, true));
        }
    }

    /** So many keys from {@code from} on, or fewer where they are so large that etcd would halve only the chunk after. */
    private Listing chunk(View view, Query query, Plan.Found plan, int from, int keys) throws StatusException {
        Listing chunk = answers.listing(view, query, plan, from, from + Math.min(keys, plan.size() - from));
        while (chunk.elementBytes() > 2 * chunkBytesAimed && chunk.size() > 1) {
            chunk = chunk.first(chunk.size() / 2);
        }
        return chunk;
    }

    /** Doubles or halves towards the size aimed at, but not near it, where it would go back and forth. */
    private int next(int keys, long bytes) {
        if (bytes < chunkBytesAimed / 2) {
            return Math.multiplyExact(keys, 2);
        }
        return bytes > 2 * chunkBytesAimed ? Math.max(1, keys / 2) : keys;
    }
}
