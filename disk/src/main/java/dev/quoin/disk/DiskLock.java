package dev.quoin.disk;

/** A directory that belongs to this process until {@link #close}, or until the process ends. */
public interface DiskLock extends AutoCloseable {
    @Override
    void close();
}
