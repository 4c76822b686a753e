package dev.quoin.store;

import dev.quoin.base.Bytes;

/**
 * Where records lie. The store appends one for every change of a key, with ascending (main, sub), and one for every
 * other change, with the main of the newest change of a key and sub 0; it reads those of keys back by position. What is behind it (a ledger, an array in
 * a test) is not the store's business.
 *
 * <p>{@link #append} is called by the store's owner only. {@link #read} and {@link #length} are called on any thread, for any position that
 * was appended before the view asking for it was published, or by the owner at once. A record that cannot be read is
 * reported by an unchecked exception of the implementation, which passes through the store untouched.
 */
public interface Records {
    /**
     * What a record tells. The numbers are part of the format of whatever keeps the records.
     *
     * @see #number
     */
    enum Kind {
        /** A key got a value; the payload is the encoded KeyValue. */
        PUT(1),
        /** A key was deleted; the payload is the key. */
        TOMBSTONE(2),
        /** History before a revision was given up; the payload is that revision as a varint, main the newest one. */
        COMPACTION(3),
        /** Something that is not a key changed: one entry of {@link Buckets}; main is the newest one, sub is 0. */
        BUCKET(4);

        private final int number;

        Kind(int number) {
            this.number = number;
        }

        public int number() {
            return number;
        }
    }

    /** Keeps {@code payload} as it is and says where. The position is not negative. */
    long append(long main, int sub, int kind, Bytes payload);

    /** The payload of the record at {@code position}. */
    Bytes read(long position);

    /** Takes a payload in pieces. */
    @FunctionalInterface
    interface Pieces {
        /**
         * Takes the next piece, which is the reader's again when this returns.
         *
         * @return false if the rest is not wanted
         */
        boolean take(byte[] bytes, int offset, int length);
    }

    /**
     * The payload of the record at {@code position}, for who hands it on and need not have it whole. Of a record that cannot be
     * read some pieces may have been given before that is known, but never the last one.
     *
     * @return false if not all of it was wanted
     */
    default boolean read(long position, Pieces to) {
        Bytes whole = read(position);
        return to.take(whole.array(), whole.offset(), whole.length());
    }

    /** How many bytes {@link #read} would return, without reading them. */
    int length(long position);
}
