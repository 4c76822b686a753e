package dev.quoin.store;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.NavigableMap;
import java.util.TreeMap;

import org.jspecify.annotations.Nullable;

import dev.quoin.base.Bytes;
import dev.quoin.base.Invariant;
import dev.quoin.base.ProtoWriter;

/**
 * All state that is not keys: a small sorted table for every {@link Bucket}. What has a meaning (leases, alarms, users)
 * lives in a class of its own, which writes every change through to here and is rebuilt from here after a restart. Every
 * change leaves one record behind, so the table is always what its records say.
 *
 * <p>Belongs to the store's owner. Keys and values are copied when they come in, since they stay for long.
 */
public final class Buckets {
    private static final int REMOVED = 0;
    private static final int PUT = 1;

    /** Told of every change before it is made. */
    @FunctionalInterface
    public interface Journal {
        /** A {@link Records.Kind#BUCKET} record with this payload is to be kept. */
        void append(Bytes payload);
    }

    private final Journal journal;
    /** One for every bucket: the first for number 1, and so on. */
    private final List<NavigableMap<Bytes, Bytes>> tables = new ArrayList<>();

    public Buckets(Journal journal) {
        this.journal = journal;
        while (tables.size() < Bucket.values().length) {
            tables.add(new TreeMap<>());
        }
    }

    private NavigableMap<Bytes, Bytes> table(Bucket bucket) {
        return tables.get(bucket.number() - 1);
    }

    public @Nullable Bytes get(Bucket bucket, Bytes key) {
        return table(bucket).get(key);
    }

    /** All of a bucket in the order of its keys; changes with it. */
    public NavigableMap<Bytes, Bytes> scan(Bucket bucket) {
        return Collections.unmodifiableNavigableMap(table(bucket));
    }

    public void put(Bucket bucket, Bytes key, Bytes value) {
        journal.append(record(bucket, key, value));
        set(bucket, key, value);
    }

    /** Without effect, and without a record, if the key is not there. */
    public void delete(Bucket bucket, Bytes key) {
        if (table(bucket).containsKey(key)) {
            journal.append(record(bucket, key, null));
            table(bucket).remove(key);
        }
    }

    /** For what another record tells already, or an image. */
    void set(Bucket bucket, Bytes key, Bytes value) {
        table(bucket).put(copy(key), copy(value));
    }

    private static Bytes copy(Bytes bytes) {
        return Bytes.of(bytes.toByteArray());
    }

    // ---- records

    /** Bucket; length of the key, key; whether it is put; and the value, to the end. */
    private static Bytes record(Bucket bucket, Bytes key, @Nullable Bytes value) {
        ProtoWriter writer = new ProtoWriter(16 + key.length() + (value == null ? 0 : value.length()));
        writer.varint(bucket.number());
        writer.varint(key.length());
        writer.raw(key.array(), key.offset(), key.length());
        writer.varint(value == null ? REMOVED : PUT);
        if (value != null) {
            writer.raw(value.array(), value.offset(), value.length());
        }
        return Bytes.of(writer.toByteArray());
    }

    /** Makes the change of a record. */
    void restore(Bytes payload) {
        ByteCursor cursor = new ByteCursor(payload);
        Bucket bucket = bucket(cursor.varint());
        Bytes key = cursor.bytes(cursor.varint());
        if (cursor.varint() == REMOVED) {
            table(bucket).remove(key);
        } else {
            set(bucket, key, cursor.rest());
        }
    }

    static Bucket bucket(long number) {
        for (Bucket bucket : Bucket.values()) {
            if (bucket.number() == number) {
                return bucket;
            }
        }
        throw Invariant.violation("a record is of the unknown bucket %d", number);
    }

    /** Tables that stay as they are now. Costs time and memory in proportion to all that is in here. */
    List<NavigableMap<Bytes, Bytes>> copy() {
        List<NavigableMap<Bytes, Bytes>> copy = new ArrayList<>();
        tables.forEach(table -> copy.add(new TreeMap<>(table)));
        return copy;
    }
}
