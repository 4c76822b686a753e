package dev.quoin.disk.snapshot;

import dev.quoin.base.Bytes;

/**
 * What is in a bucket, in the order of its keys; the same every time it is asked. Whoever walks it does so on his own
 * thread, one walk at a time.
 */
@FunctionalInterface
public interface Rows {
    /** Takes rows in the order of their keys. What it throws ends the walk and reaches whoever began it. */
    @FunctionalInterface
    interface Sink {
        void row(Bytes key, Bytes value);
    }

    /** Takes keys in their order, and how long their values are, in bytes. */
    @FunctionalInterface
    interface LengthSink {
        void row(Bytes key, int valueLength);
    }

    void forEach(Sink sink);

    /** The same rows for somebody who does not want the values: to be overridden where lengths are cheaper. */
    default void forEachLength(LengthSink sink) {
        forEach((key, value) -> sink.row(key, value.length()));
    }
}
