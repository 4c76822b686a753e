package dev.quoin.sim;

import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.NavigableMap;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;

import org.jspecify.annotations.Nullable;

import dev.quoin.base.Bytes;
import dev.quoin.base.ProtoReader;
import dev.quoin.raft.Entry;

/** The leases that the log has granted, and what is attached to them. */
final class ModelLeases {
    /** What no lease is shorter than: one and a half election timeouts, in whole seconds. */
    private static final long TTL_MIN_SECONDS = 2;
    private static final int LEASE_REVOKE = 9;

    /** One that is granted. */
    record Granted(long lease, long ttlSeconds, long index) {}

    private final LeaseJudge judge;
    private final NavigableMap<Long, Granted> granted = new TreeMap<>();
    private final Map<Long, Set<String>> keys = new HashMap<>();
    private final Map<String, Long> leaseOf = new HashMap<>();

    ModelLeases(LeaseJudge judge) {
        this.judge = judge;
    }

    boolean isGranted(long lease) {
        return granted.containsKey(lease);
    }

    @Nullable
    Granted find(long lease) {
        return granted.get(lease);
    }

    Set<Long> all() {
        return granted.keySet();
    }

    /** Says for how long. */
    long granted(long lease, long ttlSeconds, long index) {
        Granted now = new Granted(lease, Math.max(ttlSeconds, TTL_MIN_SECONDS), index);
        granted.put(lease, now);
        judge.granted(now);
        return now.ttlSeconds;
    }

    /** Because a client asked for it. */
    void revoked(long lease) {
        granted.remove(lease);
        judge.revoked(lease);
    }

    /** Because the leader of a term found its time to be over. */
    void expired(long lease, Entry entry) {
        Granted ended = granted.remove(lease);
        if (ended != null) {
            judge.expired(ended, entry);
        }
    }

    /** To 0: to none. */
    void attach(String key, long lease) {
        Long before = leaseOf.remove(key);
        if (before != null) {
            keys.getOrDefault(before, new TreeSet<>()).remove(key);
        }
        if (lease != 0) {
            leaseOf.put(key, lease);
            keys.computeIfAbsent(lease, id -> new TreeSet<>()).add(key);
        }
    }

    /** In their order. */
    List<String> removeKeys(long lease) {
        return List.copyOf(keys.getOrDefault(lease, Set.of()));
    }

    /** Which lease an entry revokes; 0 if it is about something else. */
    static long revokedBy(Bytes entry) {
        ProtoReader reader = new ProtoReader(entry);
        long lease = 0;
        for (int tag = reader.tag(); tag != 0; tag = reader.tag()) {
            if (ProtoReader.field(tag) == LEASE_REVOKE) {
                ProtoReader request = new ProtoReader(reader.bytes(tag));
                for (int inner = request.tag(); inner != 0; inner = request.tag()) {
                    lease = request.varint(inner);
                }
            } else {
                reader.skip(tag);
            }
        }
        return lease;
    }
}
