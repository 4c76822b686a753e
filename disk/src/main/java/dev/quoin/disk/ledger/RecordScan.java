package dev.quoin.disk.ledger;

import org.jspecify.annotations.Nullable;

import dev.quoin.base.Bytes;

/** Goes through the records of one file, front to back, by positional reads. */
sealed interface RecordScan permits SegmentScan, PackedScan {
    /** Whether there is a good record behind the current one; it is the current one then. */
    boolean next();

    /** What is wrong behind {@link #end}, once {@link #next} said that there is nothing more; null if nothing is. */
    @Nullable
    String problem();

    /**
     * Makes the record at {@link #end}, which has a problem, the current one, if it is beyond doubt where it ends: what
     * stands in it is not what was written, but what stands behind it is.
     */
    boolean skip();

    /** Whether everything that was ever in the file was passed. */
    boolean isOver();

    /** Where the current record ends in the file. */
    long end();

    /** The position of the current record. */
    long position();

    /** What the current record takes in the file; it lies in {@link #bytes} from {@link #at} on. */
    int length();

    byte[] bytes();

    int at();

    default long main() {
        return Format.mainAt(bytes(), at());
    }

    default int sub() {
        return Format.subAt(bytes(), at());
    }

    default int kind() {
        return Format.kindAt(bytes(), at());
    }

    default Bytes payload() {
        return Format.payloadAt(bytes(), at());
    }
}
