package dev.quoin.utl;

import java.nio.file.Path;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.zip.CRC32C;

import dev.quoin.base.Bytes;
import dev.quoin.base.HumanBytes;
import dev.quoin.base.ProtoReader.Malformed;
import dev.quoin.disk.Disk;
import dev.quoin.disk.snapshot.BucketRows;
import dev.quoin.disk.snapshot.RevisionKey;
import dev.quoin.disk.snapshot.SnapshotLimits;
import dev.quoin.disk.snapshot.SnapshotReader;
import dev.quoin.member.SemVersion;
import dev.quoin.store.KeyValues;

/**
 * What {@code etcdutl snapshot status} says of a database file (etcdutl/snapshot/v3_snapshot.go Status).
 *
 * @param hash CRC-32C over names, keys and values of all buckets, in their order; an unsigned number
 * @param revision the newest, 0 if there is none
 * @param totalKeys keys that exist at that revision
 * @param totalBytes of the database, without what lies behind it
 * @param version the storage version, {@code 3.7.0}; empty before 3.6
 */
public record SnapshotStatus(int hash, long revision, long totalKeys, long totalBytes, String version) {
    private static final Bytes KEYS = Bytes.utf8("key");
    private static final Bytes META = Bytes.utf8("meta");
    private static final Bytes STORAGE_VERSION = Bytes.utf8("storageVersion");

    /**
     * Walks the whole file, and holds every key that exists, as etcdutl does.
     *
     * @throws Refused if it holds what no database of etcd's does
     * @throws dev.quoin.disk.Damaged if it is not whole. What lies behind the database is not looked at
     */
    public static SnapshotStatus of(Disk disk, Path file) throws Refused {
        try (SnapshotReader database = SnapshotReader.openUnverified(disk, file, SnapshotLimits.DEFAULT)) {
            Walk walk = new Walk();
            for (BucketRows bucket : database.buckets()) {
                walk.bucket(bucket);
            }
            return new SnapshotStatus((int) walk.crc.getValue(), walk.revision, walk.live.size(), database.length(),
                    walk.version);
        } catch (BadRow bad) {
            throw new Refused("error during bucket key iteration, name: \"key\" err: " + bad.getMessage());
        }
    }

    Report report() {
        String number = Integer.toUnsignedString(hash);
        String size = Long.toString(totalBytes);
        return new Report(List.of(
                new Report.Fact("HASH", Integer.toHexString(hash), "Hash", number, "hash", number),
                Report.Fact.of("REVISION", "Revision", "revision", Long.toString(revision)),
                Report.Fact.of("TOTAL KEYS", "Keys", "totalKey", Long.toString(totalKeys)),
                new Report.Fact("TOTAL SIZE", HumanBytes.text(totalBytes), "Size", size, "totalSize", size),
                new Report.Fact("VERSION", version, "Version", version, "version", "\"" + version + "\"")));
    }

    /** Ends the walk. */
    private static final class BadRow extends RuntimeException {
        private static final long serialVersionUID = 1L;

        BadRow(String message) {
            super(message, null, false, false);
        }
    }

    private static final class Walk {
        private final CRC32C crc = new CRC32C();
        private final Set<Bytes> live = new HashSet<>();
        private long revision;
        private String version = "";

        void bucket(BucketRows bucket) {
            update(bucket.name());
            boolean isKeys = bucket.name().equals(KEYS);
            boolean isMeta = bucket.name().equals(META);
            bucket.rows().forEach((key, value) -> {
                update(key);
                update(value);
                if (isKeys) {
                    revision(key, value);
                } else if (isMeta && key.equals(STORAGE_VERSION)) {
                    version = version(value);
                }
            });
        }

        private void update(Bytes bytes) {
            crc.update(bytes.array(), bytes.offset(), bytes.length());
        }

        private void revision(Bytes key, Bytes value) {
            RevisionKey found = RevisionKey.decode(key);
            if (found == null) {
                throw new BadRow("cannot parse revision key: " + key);
            }
            revision = found.main();
            Bytes name = name(key, value);
            if (found.isTombstone()) {
                live.remove(name);
            } else {
                live.add(name.compact());
            }
        }

        private static Bytes name(Bytes key, Bytes value) {
            try {
                return KeyValues.decode(value).key();
            } catch (Malformed malformed) {
                throw new BadRow(
                        "cannot unmarshal value, key: " + key + " value: " + value + " err: " + malformed.getMessage());
            }
        }

        /** As etcd reads it: none, if it does not parse. */
        private static String version(Bytes value) {
            SemVersion parsed = SemVersion.parse(value.toUtf8());
            return parsed == null ? "" : parsed.toString();
        }
    }
}
