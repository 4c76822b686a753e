package dev.quoin.disk.snapshot;

/**
 * What a reader takes from a file before it calls it damaged. An etcd's own files stay far below.
 *
 * @param pathBytesMax heap for the nodes from a root down to a leaf; so a bound for a row, too
 * @param depthMax nodes from a root down to a leaf
 * @param bucketsMax how many buckets there may be
 * @param inlineBytesMax heap for small buckets, which are kept while the file is open
 */
public record SnapshotLimits(int pathBytesMax, int depthMax, int bucketsMax, int inlineBytesMax) {
    public static final SnapshotLimits DEFAULT = new SnapshotLimits(256 << 20, 64, 1024, 4 << 20);
}
