package dev.quoin.store;

import dev.quoin.base.Bytes;

/**
 * What one revision did to one key, for those who watch. {@link Store#publish} hands out what has been changed since it was
 * called before, in the order of (main, sub).
 *
 * @param key may be a slice of a request: whoever keeps it for long copies it
 * @param payload of a put the encoded KeyValue, as {@link Records} keeps it; of a deletion the key
 * @param position of the record
 * @param previous position of the KeyValue that the key had before {@code main}; {@link #NONE} if it did not exist then,
 *        or if this put brought it into being
 */
public record Change(long main, int sub, boolean isDeletion, Bytes key, Bytes payload, long position, long previous) {
    /** Stands for a record that there is not. */
    public static final long NONE = -1;

    /** Where the record before a revision lies, if there was a key: as who reads one revision earlier would find it. */
    static long previous(History history, long main) {
        int before = history.at(main - 1);
        return before == History.ABSENT ? NONE : history.position(before);
    }
}
