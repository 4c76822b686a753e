package dev.quoin.disk.snapshot;

import java.util.List;
import java.util.Set;
import java.util.zip.CRC32C;

import dev.quoin.base.Bytes;

/**
 * The hash that etcd's Maintenance.Hash gives of a whole database: a CRC-32C of the name of each bucket and of the keys and values
 * in it, one behind the other, in the order in which they lie there. What a member keeps of itself alone is left out (etcd 3.7.1:
 * storage/backend/backend.go, schema.DefaultIgnores), so members that have applied the same are equal; so are a member of ours
 * and one of etcd's, since pages play no part in it.
 */
public final class DatabaseHash {
    private static final Bytes META = Bytes.utf8("meta");
    private static final Set<Bytes> OF_ONE_MEMBER = Set.of(Bytes.utf8("consistent_index"), Bytes.utf8("term"),
            Bytes.utf8("storageVersion"));

    private DatabaseHash() {}

    /**
     * Walks all rows once.
     *
     * @param buckets in the order of their names; empty ones, too
     */
    public static int of(List<BucketRows> buckets) {
        CRC32C crc = new CRC32C();
        for (BucketRows bucket : buckets) {
            update(crc, bucket.name());
            boolean isMeta = bucket.name().equals(META);
            bucket.rows().forEach((key, value) -> {
                if (!isMeta || !OF_ONE_MEMBER.contains(key)) {
                    update(crc, key);
                    update(crc, value);
                }
            });
        }
        return (int) crc.getValue();
    }

    private static void update(CRC32C crc, Bytes bytes) {
        crc.update(bytes.array(), bytes.offset(), bytes.length());
    }
}
