package dev.quoin.server.peer;

import java.util.List;

import dev.quoin.store.KeyHash;

/** What another member says its hash at a revision is, or why it does not. */
sealed interface PeerHash {
    long member();

    /** Where it was asked. */
    List<String> urls();

    /**
     * It says so.
     *
     * @param revision the newest that it has
     */
    record Known(long member, List<String> urls, KeyHash hash, long revision) implements PeerHash {}

    /** It does not. */
    record Unknown(long member, List<String> urls, Why why, String error) implements PeerHash {}

    enum Why {
        /** It has not come so far. */
        FUTURE_REVISION,
        /** It has given that up: whoever asks is behind. */
        COMPACTED,
        /** It belongs to another cluster. */
        OTHER_CLUSTER,
        /** It was not reached, or answered something else. */
        NO_ANSWER
    }
}
