package dev.quoin.member;

import java.util.List;
import java.util.SortedMap;

import org.jspecify.annotations.Nullable;

import dev.quoin.base.Bytes;
import dev.quoin.base.ProtoReader;
import dev.quoin.base.ProtoReader.Malformed;
import dev.quoin.disk.wal.WalEntry;

/**
 * Which etcd a database is made for, and which one its log needs (server/storage/schema/schema.go and migration.go,
 * server/storage/wal/version.go).
 */
public final class StorageVersion {
    public static final SemVersion V3_5 = new SemVersion(3, 5, 0);
    public static final SemVersion V3_6 = new SemVersion(3, 6, 0);
    public static final SemVersion V3_7 = new SemVersion(3, 7, 0);

    private static final Bytes NAME = Bytes.utf8("storageVersion");
    private static final Bytes INDEX = Bytes.utf8("consistent_index");
    private static final Bytes TERM = Bytes.utf8("term");

    private static final int NORMAL_ENTRY = 0;
    /** {@code InternalRaftRequest.downgrade_version_test}, the only thing in a log that an etcd 3.5 does not know. */
    private static final int VERSION_TEST = 9900;
    private static final int VERSION_TEST_VERSION = 1;

    private StorageVersion() {}

    /** Of a database with these rows in {@code meta}; from 3.6 on it says so itself. Null if it cannot be told: 3.4, or older. */
    public static @Nullable SemVersion of(SortedMap<Bytes, Bytes> meta) {
        Bytes said = meta.get(NAME);
        SemVersion version = said == null ? null : SemVersion.parse(said.toUtf8());
        if (version != null) {
            return version;
        }
        return isNumber(meta.get(INDEX)) && isNumber(meta.get(TERM)) ? V3_5 : null;
    }

    private static boolean isNumber(@Nullable Bytes value) {
        if (value == null || value.length() != Long.BYTES) {
            return false;
        }
        boolean isZero = true;
        for (int at = 0; at < value.length(); at++) {
            isZero &= value.at(at) == 0;
        }
        return !isZero;
    }

    /** Lets the database say that it is made for this one. Before 3.6 none was said. */
    public static void set(SortedMap<Bytes, Bytes> meta, SemVersion version) {
        if (version.compareTo(V3_6) < 0) {
            meta.remove(NAME);
        } else {
            meta.put(NAME, Bytes.utf8(version.toString()));
        }
    }

    /**
     * Why there is no way from one to the other; null if there is.
     *
     * @param from at least 3.5
     */
    public static @Nullable String obstacle(SemVersion from, SemVersion to) {
        if (from.major() != to.major()) {
            return "cannot create migration plan: changing major storage version is not supported";
        }
        // Each step asks for what the higher of its two versions brought.
        boolean isUpgrade = from.minor() < to.minor();
        int minor = from.minor();
        while (minor != to.minor()) {
            int asked = isUpgrade ? minor + 1 : minor;
            if (asked != V3_6.minor() && asked != V3_7.minor()) {
                return "cannot create migration plan: version \"" + new SemVersion(from.major(), asked, 0)
                        + "\" is not supported";
            }
            minor += isUpgrade ? 1 : -1;
        }
        return null;
    }

    /** The oldest etcd that can read these entries, as far as it is newer than 3.5; null if any can. */
    public static @Nullable SemVersion neededBy(List<WalEntry> entries) {
        SemVersion needed = null;
        for (WalEntry entry : entries) {
            SemVersion one = entry.type() == NORMAL_ENTRY ? neededBy(entry.data()) : null;
            if (one != null && (needed == null || needed.compareTo(one) < 0)) {
                needed = one;
            }
        }
        return needed;
    }

    private static @Nullable SemVersion neededBy(Bytes request) {
        try {
            ProtoReader reader = new ProtoReader(request);
            for (int tag = reader.tag(); tag != 0; tag = reader.tag()) {
                if (ProtoReader.field(tag) == VERSION_TEST) {
                    SemVersion said = versionIn(reader.bytes(tag));
                    return said == null || said.compareTo(V3_6) < 0 ? V3_6 : said;
                }
                reader.skip(tag);
            }
            return null;
        } catch (Malformed ofAnOldCluster) {
            // A request of the first API, which every etcd passes over.
            return null;
        }
    }

    private static @Nullable SemVersion versionIn(Bytes test) {
        ProtoReader reader = new ProtoReader(test);
        SemVersion said = null;
        for (int tag = reader.tag(); tag != 0; tag = reader.tag()) {
            if (ProtoReader.field(tag) == VERSION_TEST_VERSION) {
                said = SemVersion.parse(reader.bytes(tag).toUtf8());
            } else {
                reader.skip(tag);
            }
        }
        return said;
    }
}
