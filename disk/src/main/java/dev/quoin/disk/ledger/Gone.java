package dev.quoin.disk.ledger;

import java.util.Locale;

/**
 * The record that was asked for had been forgotten, and its file was rewritten without it. Nothing is wrong with the disk:
 * whoever asks looks at a state of the store that is older than its last compaction.
 */
public final class Gone extends RuntimeException {
    private static final long serialVersionUID = 1L;

    public Gone(long position) {
        super(String.format(Locale.ROOT, "the record at segment %d, byte %,d was forgotten and is gone",
                Format.segment(position), Format.offset(position)));
    }
}
