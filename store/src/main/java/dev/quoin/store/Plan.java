package dev.quoin.store;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;

import dev.quoin.base.Bytes;
import dev.quoin.base.Invariant;

/**
 * What a {@link Query} will answer, before its records are read: so that an answer can be sized first and then be spliced
 * together, record by record, with bounded memory.
 */
public sealed interface Plan {
    /** The revision asked for is compacted or not there yet. */
    record Refused(Refusal reason) implements Plan {}

    /**
     * The KeyValues of the answer, in its order, by number from 0 to {@link #size}. Holds 8 bytes for each that lies in
     * the records as it is answered, and 12 for each that is made from the index, as keys without values are.
     */
    final class Found implements Plan {
        /** Stands for a KeyValue that no record holds as it is answered. */
        public static final long NO_POSITION = -1;

        private static final int CAPACITY_MIN = 10;

        private enum Form {
            /** As the record has it. */
            STORED,
            /** The record without its value. */
            STRIPPED,
            /** From the index alone, which does not tell the lease; nor does etcd's answer. */
            FROM_INDEX
        }

        private final Records records;
        private final long revision;
        private final Form form;
        private int size;
        private long count;
        private boolean more;
        private long[] positions = {};
        private byte[][] keys = {};
        private History[] histories = {};
        private int[] places = {};

        Found(Records records, long revision, Query query) {
            this.records = records;
            this.revision = revision;
            if (!query.keysOnly()) {
                form = Form.STORED;
            } else if (query.target() == Query.Target.VALUE) {
                form = Form.STRIPPED;
            } else {
                form = Form.FROM_INDEX;
            }
        }

        void add(byte[] key, History history, int at) {
            if (form == Form.FROM_INDEX) {
                if (size == places.length) {
                    int capacity = capacity();
                    keys = Arrays.copyOf(keys, capacity);
                    histories = Arrays.copyOf(histories, capacity);
                    places = Arrays.copyOf(places, capacity);
                }
                keys[size] = key;
                histories[size] = history;
                places[size] = at;
            } else {
                if (size == positions.length) {
                    positions = Arrays.copyOf(positions, capacity());
                }
                positions[size] = history.position(at);
            }
            size++;
        }

        private int capacity() {
            return Math.max(CAPACITY_MIN, size + (size >> 1));
        }

        Found counted(long newCount, boolean newMore) {
            count = newCount;
            more = newMore;
            return this;
        }

        /** The store's revision, as etcd puts it into the header. */
        public long revision() {
            return revision;
        }

        /** How many keys the range holds, whatever limit and filter left of them. */
        public long count() {
            return count;
        }

        /** Whether the limit cut something off. */
        public boolean more() {
            return more;
        }

        /** How many KeyValues the answer has. */
        public int size() {
            return size;
        }

        /** How many bytes the KeyValue has. Reads nothing, except where a value was sorted by and then left out. */
        public int length(int number) {
            check(number);
            return switch (form) {
                case STORED -> records.length(positions[number]);
                case STRIPPED -> kv(number).length();
                case FROM_INDEX -> {
                    History history = histories[number];
                    int at = places[number];
                    yield KeyValues.encodedLength(keys[number].length, history.create(at), history.main(at),
                            history.version(at), 0, 0);
                }
            };
        }

        /** Where the KeyValue lies in the {@link Records}, or {@link #NO_POSITION}. */
        public long position(int number) {
            check(number);
            return form == Form.STORED ? positions[number] : NO_POSITION;
        }

        /** The KeyValue, read or made. */
        public Bytes kv(int number) {
            check(number);
            return switch (form) {
                case STORED -> records.read(positions[number]);
                case STRIPPED -> KeyValues.withoutValue(records.read(positions[number]));
                case FROM_INDEX -> {
                    History history = histories[number];
                    int at = places[number];
                    yield KeyValues.encode(Bytes.of(keys[number]), history.create(at), history.main(at),
                            history.version(at), Bytes.EMPTY, 0);
                }
            };
        }

        private void check(int number) {
            Invariant.check(number >= 0 && number < size, "KeyValue %d of %d", number, size);
        }

        /** All of it at once. */
        Outcome.Ranged gather() {
            List<Bytes> kvs = new ArrayList<>(size);
            for (int number = 0; number < size; number++) {
                kvs.add(kv(number));
            }
            return new Outcome.Ranged(revision, Collections.unmodifiableList(kvs), count, more);
        }
    }
}
