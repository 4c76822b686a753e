package dev.quoin.disk.wal;

import dev.quoin.base.Bytes;

/**
 * The mark that the state up to {@code index} is safe elsewhere (walpb.Snapshot), so that a restart needs only what follows.
 * {@code confState} is an encoded raftpb.ConfState; the mark at index 0, with which every log begins, has none.
 */
public record WalSnapshot(long index, long term, Bytes confState) {
    public static final WalSnapshot ZERO = new WalSnapshot(0, 0, Bytes.EMPTY);
}
