package dev.quoin.disk.wal;

/**
 * The bounds of the log.
 *
 * @param segmentBytes the size a segment is filled to ahead; it is cut after the append that reaches it
 * @param writeBytes how much is encoded before it is written: a batch below it is one write
 * @param markSyncBytes how far the synced mark on the disk may lag behind the log when power goes
 */
public record WalLimits(long segmentBytes, int writeBytes, long markSyncBytes) {
    /** etcd's segments. */
    public static final WalLimits DEFAULT = new WalLimits(64_000_000, 1 << 20, 4 << 20);

    public static WalLimits ofSegmentBytes(long segmentBytes) {
        return new WalLimits(segmentBytes, DEFAULT.writeBytes, DEFAULT.markSyncBytes);
    }
}
