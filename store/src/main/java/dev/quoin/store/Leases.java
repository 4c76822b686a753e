package dev.quoin.store;

import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.NavigableSet;
import java.util.TreeMap;
import java.util.TreeSet;

import org.jspecify.annotations.Nullable;

import dev.quoin.base.Bytes;
import dev.quoin.base.Invariant;
import dev.quoin.base.ProtoReader;
import dev.quoin.base.ProtoWriter;

/**
 * The leases that are granted, and which live keys are attached to each. No clock: that a lease has expired is found out
 * elsewhere, and comes back as a command to revoke it.
 *
 * <p>The leases themselves are in {@link Bucket#LEASE}. Which lease a key is attached to is told by its {@link History};
 * here is only the way back, from the lease to its keys, in their order: the one in which a revocation deletes them.
 */
final class Leases {
    /** For those who only read. */
    static final Leases NONE = new Leases(new Buckets(payload -> {
        throw Invariant.violation("a reader changes leases");
    }), 0);

    private static final int ID = 1;
    private static final int TTL = 2;
    private static final int REMAINING_TTL = 3;

    private static final class Entry {
        private Lease lease;
        /** Null while no key was ever attached: most leases of a burst are like that. */
        private @Nullable NavigableSet<Bytes> keys;

        private Entry(Lease lease) {
            this.lease = lease;
        }
    }

    private final Buckets buckets;
    private final long minTtl;
    private final TreeMap<Long, Entry> table = new TreeMap<>();

    /** @param minTtl seconds; a lease that asks for less gets these */
    Leases(Buckets buckets, long minTtl) {
        this.buckets = buckets;
        this.minTtl = minTtl;
    }

    /** Takes the leases out of the bucket, with no key attached. */
    void reload() {
        table.clear();
        for (Bytes encoded : buckets.scan(Bucket.LEASE).values()) {
            Lease lease = decode(encoded);
            table.put(lease.id(),
                    new Entry(new Lease(lease.id(), Math.max(lease.ttl(), minTtl), lease.remainingTtl())));
        }
    }

    boolean exists(long id) {
        return table.containsKey(id);
    }

    @Nullable
    Lease find(long id) {
        Entry entry = table.get(id);
        return entry == null ? null : entry.lease;
    }

    List<Lease> all() {
        List<Lease> all = new ArrayList<>(table.size());
        table.values().forEach(entry -> all.add(entry.lease));
        return all;
    }

    boolean isEmpty() {
        return table.isEmpty();
    }

    /** The keys attached to a lease, in their order; changes with the lease. */
    NavigableSet<Bytes> keys(long id) {
        Entry entry = table.get(id);
        return entry == null || entry.keys == null
                ? Collections.emptyNavigableSet()
                : Collections.unmodifiableNavigableSet(entry.keys);
    }

    @Nullable
    Refusal refusal(Command.LeaseGrant grant) {
        if (grant.id() == 0) {
            return Refusal.LEASE_NOT_FOUND;
        }
        if (grant.ttl() > Lease.TTL_MAX) {
            return Refusal.LEASE_TTL_TOO_LARGE;
        }
        return exists(grant.id()) ? Refusal.LEASE_EXISTS : null;
    }

    /** Nothing may speak against it. */
    Lease grant(Command.LeaseGrant grant) {
        Lease lease = new Lease(grant.id(), Math.max(grant.ttl(), minTtl), 0);
        table.put(lease.id(), new Entry(lease));
        persist(lease);
        return lease;
    }

    /** Forgets a lease whose keys are deleted. */
    void revoke(long id) {
        table.remove(id);
        buckets.delete(Bucket.LEASE, bucketKey(id));
    }

    /** Without effect on a lease that is not there. */
    void checkpoint(long id, long remainingTtl) {
        Entry entry = table.get(id);
        if (entry != null) {
            entry.lease = new Lease(id, entry.lease.ttl(), remainingTtl);
            persist(entry.lease);
        }
    }

    private void persist(Lease lease) {
        buckets.put(Bucket.LEASE, bucketKey(lease.id()), encode(lease));
    }

    /** The key must not change any more. A lease that is not there has no keys: only an import can name one. */
    void attach(long id, Bytes key) {
        Entry entry = table.get(id);
        if (entry == null) {
            return;
        }
        if (entry.keys == null) {
            entry.keys = new TreeSet<>();
        }
        entry.keys.add(key);
    }

    void detach(long id, Bytes key) {
        Entry entry = table.get(id);
        if (entry != null && entry.keys != null) {
            entry.keys.remove(key);
        }
    }

    // ---- the bucket

    static Bytes bucketKey(long id) {
        return Bytes.of(ByteBuffer.allocate(Long.BYTES).putLong(id).array());
    }

    /** {@code leasepb.Lease}. */
    private static Bytes encode(Lease lease) {
        ProtoWriter writer = new ProtoWriter(32);
        writer.varintFieldIfSet(ID, lease.id());
        writer.varintFieldIfSet(TTL, lease.ttl());
        writer.varintFieldIfSet(REMAINING_TTL, lease.remainingTtl());
        return Bytes.of(writer.toByteArray());
    }

    private static Lease decode(Bytes encoded) {
        long id = 0;
        long ttl = 0;
        long remainingTtl = 0;
        ProtoReader reader = new ProtoReader(encoded);
        for (int tag = reader.tag(); tag != 0; tag = reader.tag()) {
            switch (ProtoReader.field(tag)) {
                case ID -> id = reader.varint(tag);
                case TTL -> ttl = reader.varint(tag);
                case REMAINING_TTL -> remainingTtl = reader.varint(tag);
                default -> reader.skip(tag);
            }
        }
        return new Lease(id, ttl, remainingTtl);
    }
}
