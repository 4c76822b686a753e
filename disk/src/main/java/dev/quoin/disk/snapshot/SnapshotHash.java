package dev.quoin.disk.snapshot;

import java.nio.ByteBuffer;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;

import dev.quoin.base.Bytes;
import dev.quoin.base.Invariant;
import dev.quoin.disk.Damaged;
import dev.quoin.disk.DiskFile;

/**
 * The SHA-256 that {@code etcdctl snapshot save} leaves behind a database: 32 bytes. The file's length tells whether it is
 * there, since that of a database is a multiple of 512.
 *
 * @param stored what is there
 * @param actual what it would have to be
 */
public record SnapshotHash(Bytes stored, Bytes actual) {
    public static final int BYTES = 32;
    private static final int UNIT = 512;
    private static final int READ_BYTES = 256 << 10;

    /** Whether a file has one. */
    public static boolean isBehind(DiskFile file) {
        return file.size() % UNIT == BYTES;
    }

    /** How long a file is without it. */
    static long databaseBytes(DiskFile file) {
        return isBehind(file) ? file.size() - BYTES : file.size();
    }

    /**
     * Reads the whole of a file that has one.
     *
     * @throws Damaged if it becomes shorter meanwhile
     */
    public static SnapshotHash read(DiskFile file) {
        long end = databaseBytes(file);
        MessageDigest digest = sha256();
        ByteBuffer buffer = ByteBuffer.allocate(READ_BYTES);
        for (long at = 0; at < end;) {
            buffer.clear().limit((int) Math.min(buffer.capacity(), end - at));
            fill(file, at, buffer);
            at += buffer.limit();
            digest.update(buffer.flip());
        }
        ByteBuffer stored = ByteBuffer.allocate(BYTES);
        fill(file, end, stored);
        return new SnapshotHash(Bytes.of(stored.array()), Bytes.of(digest.digest()));
    }

    public boolean isRight() {
        return stored.equals(actual);
    }

    private static void fill(DiskFile file, long offset, ByteBuffer target) {
        if (file.readFully(offset, target) < target.limit()) {
            throw new Damaged(file.path(), offset, "the file became shorter while it was read");
        }
    }

    private static MessageDigest sha256() {
        try {
            return MessageDigest.getInstance("SHA-256");
        } catch (NoSuchAlgorithmException e) {
            throw Invariant.violation("every Java has SHA-256: %s", e);
        }
    }
}
