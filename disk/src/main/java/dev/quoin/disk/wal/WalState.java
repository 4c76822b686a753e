package dev.quoin.disk.wal;

/** What raft must not forget besides the entries (raftpb.HardState). {@code vote} is a member id, all 64 bits of it. */
public record WalState(long term, long vote, long commit) {
    public static final WalState EMPTY = new WalState(0, 0, 0);
}
