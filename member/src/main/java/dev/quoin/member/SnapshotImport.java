package dev.quoin.member;

import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.function.Consumer;

import com.google.protobuf.InvalidProtocolBufferException;
import org.jspecify.annotations.Nullable;

import dev.quoin.api.authpb.Role;
import dev.quoin.api.authpb.User;
import dev.quoin.api.etcdserverpb.AlarmMember;
import dev.quoin.api.leasepb.Lease;
import dev.quoin.base.Bytes;
import dev.quoin.base.Invariant;
import dev.quoin.base.ProtoReader.Malformed;
import dev.quoin.disk.Damaged;
import dev.quoin.disk.Disk;
import dev.quoin.disk.ledger.Ledger;
import dev.quoin.disk.ledger.LedgerLimits;
import dev.quoin.disk.snapshot.RevisionKey;
import dev.quoin.disk.snapshot.Rows;
import dev.quoin.disk.snapshot.SnapshotReader;
import dev.quoin.raft.ConfState;
import dev.quoin.raft.SnapshotMeta;
import dev.quoin.store.Bucket;
import dev.quoin.store.Buckets;
import dev.quoin.store.KeyValues;
import dev.quoin.store.Records;
import dev.quoin.store.Store;

/**
 * Copies etcd's database, of version 3.5 to 3.7, into a new ledger, as it is or for a new cluster: what a row means is checked here, since bbolt has no
 * checksums for it, and the store takes its own records at their word. Buckets that are not known, and rows of {@code meta}
 * that every member writes anew, are left out.
 */
final class SnapshotImport {
    /** Of buckets that are looked at as a whole: there are not so many members. */
    private static final int SMALL_BUCKET_ROWS_MAX = 10_000;
    private static final Bytes SCHEDULED_COMPACTION = Bytes.utf8("scheduledCompactRev");
    private static final Bytes FINISHED_COMPACTION = Bytes.utf8("finishedCompactRev");
    private static final Bytes CLUSTER_VERSION = Bytes.utf8("clusterVersion");
    private static final Bytes DOWNGRADE = Bytes.utf8("downgrade");
    private static final Bytes AUTH_ENABLED = Bytes.utf8("authEnabled");
    private static final Bytes AUTH_REVISION = Bytes.utf8("authRevision");

    private static final Bytes NO_INDEX = Bytes.of(new byte[Long.BYTES]);

    /** Of a record that lies in no row. */
    private static final long NO_PLACE = 0;

    private static final SnapshotMeta NOTHING = new SnapshotMeta(0, 0, new ConfState(List.of(), List.of()));

    private final Path file;
    private final SnapshotReader database;
    private final SnapshotMeta announced;
    private final String name;

    /**
     * @param announced which state it is, or is to be
     * @param name what it is called where it is refused
     */
    SnapshotImport(Path file, SnapshotReader database, SnapshotMeta announced, String name) {
        this.file = file;
        this.database = database;
        this.announced = announced;
        this.name = name;
    }

    /**
     * Whether it is the announced state, of a cluster that this member can be part of.
     *
     * @throws SnapshotRefused if not
     */
    void check() {
        checkAnnounced();
        checkMembers();
        checkUsable();
    }

    private void checkAnnounced() {
        SortedMap<Bytes, Bytes> meta = rows(Bucket.META);
        require(number(meta, StateSnapshot.CONSISTENT_INDEX) == announced.index(), "it is not at index %d",
                announced.index());
        // An etcd before 3.5 has none. Nor is confState looked at: etcdutl's restore leaves that of an older cluster.
        require(!meta.containsKey(StateSnapshot.TERM) || number(meta, StateSnapshot.TERM) == announced.term(),
                "it is not of term %d", announced.term());
    }

    /**
     * Whether a member can start with it, of whatever cluster it is.
     *
     * @throws SnapshotRefused if not
     */
    void checkUsable() {
        SortedMap<Bytes, Bytes> meta = rows(Bucket.META);
        for (Bytes key : List.of(SCHEDULED_COMPACTION, FINISHED_COMPACTION)) {
            Bytes revision = meta.get(key);
            require(revision == null || RevisionKey.decode(revision) != null, "%s is no revision", key.toUtf8());
        }
        Bytes clusterVersion = rows(Bucket.CLUSTER).get(CLUSTER_VERSION);
        if (clusterVersion != null) {
            SemVersion version = SemVersion.parse(clusterVersion.toUtf8());
            require(version != null && version.withoutPatch().compareTo(SemVersion.OWN_STORAGE) <= 0,
                    "its cluster is of version %s, and this member of %d.%d", clusterVersion.toUtf8(),
                    SemVersion.OWN_STORAGE.major(), SemVersion.OWN_STORAGE.minor());
        }
    }

    /** Who takes part is known twice, and consensus goes by what it was told. */
    private void checkMembers() {
        List<Long> voters = new ArrayList<>();
        List<Long> learners = new ArrayList<>();
        rows(Bucket.MEMBERS).forEach((key, json) -> {
            MemberInfo member = member(key, json);
            (member.isLearner() ? learners : voters).add(member.id());
        });
        ConfState told = announced.configuration();
        require(told.votersOutgoing().isEmpty() && told.learnersNext().isEmpty(),
                "two majorities decide at once (%s), which no etcd knows", told);
        require(!voters.isEmpty() && sorted(voters).equals(sorted(told.voters()))
                && sorted(learners).equals(sorted(told.learners())),
                "its members are %s, and those who decide are said to be %s",
                new ConfState(sorted(voters), sorted(learners)), told);
    }

    private static List<Long> sorted(List<Long> ids) {
        return ids.stream().sorted(Long::compareUnsigned).toList();
    }

    // ---- copying

    /** Lets a new ledger be filled; durable on return. */
    static void fill(Disk disk, Path directory, LedgerLimits limits, Consumer<Ledger> copying) {
        Ledger ledger = Ledger.open(disk, directory, limits, (position, main, sub, kind, payload) -> {
            throw Invariant.violation("a new ledger has a record of revision %d", main);
        }).ledger();
        try {
            copying.accept(ledger);
        } finally {
            ledger.close();
        }
    }

    /** What was checked and all the rest: the state as of the announced index, durable when the ledger is closed. */
    void copyTo(Ledger ledger) {
        copyRows(ledger, buckets(ledger, copyKeys(ledger)), EnumSet.allOf(Bucket.class));
        commit(ledger);
    }

    /**
     * The same as the state that a cluster of these members begins with, and nobody else has ever belonged to.
     *
     * @param revisionBump if not 0, the newest revision is to be higher by so much, and all history before that counts as
     *        compacted: then whoever has seen revisions that the file has not learns that they are gone (etcdutl
     *        modifyLatestRevision)
     */
    void copyTo(Ledger ledger, Membership founders, long revisionBump) {
        long revision = copyKeys(ledger);
        if (revisionBump > 0) {
            revision = raised(revision, revisionBump);
            // A revision without a key, only for its number.
            ledger.append(revision, 0, Records.Kind.PUT.number(), Bytes.EMPTY);
        }
        Buckets buckets = buckets(ledger, revision);
        copyRows(ledger, buckets, EnumSet.complementOf(EnumSet.of(Bucket.MEMBERS, Bucket.MEMBERS_REMOVED)));
        founders.save(buckets);
        if (revisionBump > 0) {
            buckets.put(Bucket.META, SCHEDULED_COMPACTION, new RevisionKey(revision, 0, false).encode());
        }
        commit(ledger);
    }

    private long raised(long revision, long bump) {
        require(bump <= Long.MAX_VALUE - revision, "its revision %d cannot be raised by %d", revision, bump);
        return revision + bump;
    }

    private static Buckets buckets(Ledger ledger, long revision) {
        return new Buckets(payload -> ledger.append(revision, 0, Records.Kind.BUCKET.number(), payload));
    }

    private void copyRows(Ledger ledger, Buckets buckets, Set<Bucket> wanted) {
        for (Bucket bucket : wanted) {
            copyRows(bucket, buckets, () -> endFullBatch(ledger));
        }
    }

    private void copyRows(Bucket bucket, Buckets buckets, Runnable afterEach) {
        Rows rows = database.rows(Bytes.utf8(bucket.bucketName()));
        if (rows != null) {
            rows.forEach((key, value) -> {
                if (isKept(bucket, key)) {
                    checkRow(bucket, key, value);
                    buckets.put(bucket, key, value);
                    afterEach.run();
                }
            });
        }
    }

    private void commit(Ledger ledger) {
        ledger.commit(announced.index(), announced.term(), ConfStates.encode(announced.configuration()));
    }

    private static boolean isKept(Bucket bucket, Bytes key) {
        return bucket != Bucket.META || key.equals(SCHEDULED_COMPACTION) || key.equals(FINISHED_COMPACTION);
    }

    /** So that the ledger need not hold all of it in memory. Nothing is applied as long as something is missing. */
    private static void endFullBatch(Ledger ledger) {
        if (ledger.isBacklogged()) {
            ledger.commit(0, 0, Bytes.EMPTY);
            ledger.flush();
        }
    }

    /** The newest revision. */
    private long copyKeys(Ledger ledger) {
        return forEachKey((revision, kind, payload, place) -> {
            ledger.append(revision.main(), (int) revision.sub(), kind.number(), payload);
            endFullBatch(ledger);
        });
    }

    /** Takes what happened to keys, in the form of the store's records. */
    private interface KeySink {
        void record(RevisionKey revision, Records.Kind kind, Bytes payload, long place);
    }

    /** The newest revision. */
    private long forEachKey(KeySink sink) {
        Copied copied = new Copied();
        boolean isThere = database.forEachPlaced(StateSnapshot.KEY_BUCKET, (key, value, place) -> {
            RevisionKey revision = RevisionKey.decode(key);
            if (revision == null || revision.sub() > Integer.MAX_VALUE || !copied.isBefore(revision)) {
                throw damaged("a row of the keys' history has no revision of its own");
            }
            KeyValues.KeyValue kv = keyValue(revision, value);
            if (revision.isTombstone()) {
                sink.record(revision, Records.Kind.TOMBSTONE, kv.key(), place);
            } else {
                sink.record(revision, Records.Kind.PUT, value, place);
            }
            copied.last = revision;
        });
        if (!isThere) {
            throw refused("it has no bucket for keys");
        }
        return copied.last.main();
    }

    // ---- only looking

    /** What a ledger will take in bytes that all of it is copied to, or a little less; checks all of it. */
    long ledgerBytes() {
        Sum sum = new Sum();
        forEachKey((at, kind, payload, place) -> sum.add(payload));
        Buckets buckets = new Buckets(sum::add);
        for (Bucket bucket : Bucket.values()) {
            copyRows(bucket, buckets, () -> {});
        }
        return sum.bytes;
    }

    private static final class Sum {
        private static final int RECORD_BYTES_MORE = 32;
        private long bytes;

        void add(Bytes payload) {
            bytes += payload.length() + RECORD_BYTES_MORE;
        }
    }

    /** What the database says of itself. */
    static SortedMap<Bytes, Bytes> meta(Path file, SnapshotReader database) {
        return new SnapshotImport(file, database, NOTHING, "the database " + file).rows(Bucket.META);
    }

    /** Whether an etcd has made it and has not applied anything to it yet. */
    static boolean isUntouched(Path file, SnapshotReader database) {
        Bytes index = meta(file, database).get(StateSnapshot.CONSISTENT_INDEX);
        if (index != null && !index.equals(NO_INDEX)) {
            return false;
        }
        boolean[] hasKeys = {false};
        Rows keys = database.rows(StateSnapshot.KEY_BUCKET);
        if (keys != null) {
            keys.forEach((key, value) -> hasKeys[0] = true);
        }
        return !hasKeys[0];
    }

    /** That of its cluster; empty if it is not known yet. */
    static String clusterVersion(Path file, SnapshotReader database) {
        Bytes version = new SnapshotImport(file, database, NOTHING, "the database " + file).rows(Bucket.CLUSTER)
                .get(CLUSTER_VERSION);
        return version == null ? "" : version.toUtf8();
    }

    /** Whether anything has ever been written to it, and not been compacted since. */
    boolean hasKeys() {
        return forEachKey((revision, kind, payload, place) -> {}) > 1;
    }

    /** The members that it knows. */
    Membership members() {
        List<MemberInfo> members = new ArrayList<>();
        rows(Bucket.MEMBERS).forEach((key, json) -> members.add(member(key, json)));
        return Membership.of(members);
    }

    /** The members that were removed, of whom none comes back. */
    boolean isRemoved(long memberId) {
        return rows(Bucket.MEMBERS_REMOVED).containsKey(Bytes.utf8(Long.toHexString(memberId)));
    }

    /** Lets a store take up all of it. The position of a record about a key is the place of its row. */
    void restoreTo(Store store) {
        long revision = forEachKey((at, kind, payload, place) -> store.restore(place, at.main(), (int) at.sub(),
                kind.number(), payload));
        Buckets buckets = new Buckets(payload -> store.restore(NO_PLACE, revision, 0, Records.Kind.BUCKET.number(),
                payload));
        for (Bucket bucket : Bucket.values()) {
            copyRows(bucket, buckets, () -> {});
        }
    }

    private static final class Copied {
        /** A store without any change is at revision 1. */
        private RevisionKey last = new RevisionKey(1, 0, false);

        boolean isBefore(RevisionKey next) {
            return last.main() < next.main() || (last.main() == next.main() && last.sub() < next.sub());
        }
    }

    private KeyValues.KeyValue keyValue(RevisionKey revision, Bytes value) {
        try {
            KeyValues.KeyValue kv = KeyValues.decode(value);
            boolean isSound = revision.isTombstone() ? isKeyAlone(kv, value) : isPut(revision, kv, value);
            if (!isSound) {
                throw damaged("what stands at revision " + revision.main() + " is of another");
            }
            return kv;
        } catch (Malformed malformed) {
            throw damaged("what stands at revision " + revision.main() + " is no key and value: "
                    + malformed.getMessage());
        }
    }

    /** Only the key is kept of it, from which it must come out again as it was. */
    private static boolean isKeyAlone(KeyValues.KeyValue kv, Bytes value) {
        return value.equals(KeyValues.encode(kv.key(), 0, 0, 0, Bytes.EMPTY, 0));
    }

    /** What etcdutl's restore leaves where it bumps the revision has nothing in it at all. */
    private static boolean isPut(RevisionKey revision, KeyValues.KeyValue kv, Bytes value) {
        return value.isEmpty() || (kv.modRevision() == revision.main() && kv.createRevision() > 0
                && kv.createRevision() <= revision.main() && kv.version() > 0 && !kv.key().isEmpty());
    }

    // ---- rows that are not keys

    private void checkRow(Bucket bucket, Bytes key, Bytes value) {
        try {
            boolean isSound = switch (bucket) {
                case ALARM -> AlarmMember.parseFrom(key.toByteArray()).isInitialized();
                case AUTH -> isAuthRow(key, value);
                case AUTH_ROLES -> named(key, Role.parseFrom(value.toByteArray()).getName().toByteArray());
                case AUTH_USERS -> named(key, User.parseFrom(value.toByteArray()).getName().toByteArray());
                case CLUSTER -> isClusterRow(key, value);
                case LEASE -> key.length() == Long.BYTES && number(key) == Lease.parseFrom(value.toByteArray()).getID();
                case MEMBERS -> member(key, value).id() != 0;
                case MEMBERS_REMOVED -> id(key) != 0;
                case META -> RevisionKey.decode(value) != null;
            };
            if (!isSound) {
                throw damaged("a row of " + bucket.bucketName() + " is not what it should be: " + key);
            }
        } catch (InvalidProtocolBufferException | IllegalArgumentException e) {
            throw damaged("a row of " + bucket.bucketName() + " does not parse: " + e.getMessage());
        }
    }

    private static boolean named(Bytes key, byte[] name) {
        return key.equals(Bytes.of(name));
    }

    private static boolean isAuthRow(Bytes key, Bytes value) {
        return (!key.equals(AUTH_ENABLED) || value.length() == 1)
                && (!key.equals(AUTH_REVISION) || value.length() == Long.BYTES);
    }

    private static boolean isClusterRow(Bytes key, Bytes value) {
        if (key.equals(DOWNGRADE)) {
            MemberJson.parseDowngradeTarget(value);
        }
        return true;
    }

    private MemberInfo member(Bytes key, Bytes json) {
        try {
            MemberInfo member = MemberJson.parse(json);
            if (member.id() != id(key)) {
                throw damaged("the member " + key.toUtf8() + " has another id");
            }
            return member;
        } catch (IllegalArgumentException e) {
            throw damaged("the member " + key.toUtf8() + " does not parse: " + e.getMessage());
        }
    }

    private static long id(Bytes hex) {
        return Long.parseUnsignedLong(hex.toUtf8(), 16);
    }

    // ---- small things

    /** A bucket that holds little, or nothing if it is not there. */
    private SortedMap<Bytes, Bytes> rows(Bucket bucket) {
        SortedMap<Bytes, Bytes> found = new TreeMap<>();
        Rows rows = database.rows(Bytes.utf8(bucket.bucketName()));
        if (rows != null) {
            rows.forEach((key, value) -> {
                found.put(key.compact(), value.compact());
                if (found.size() > SMALL_BUCKET_ROWS_MAX) {
                    throw damaged("there are more than " + SMALL_BUCKET_ROWS_MAX + " rows in " + bucket.bucketName());
                }
            });
        }
        return found;
    }

    private long number(SortedMap<Bytes, Bytes> meta, Bytes key) {
        Bytes value = meta.get(key);
        if (value == null || value.length() != Long.BYTES) {
            throw damaged("it does not say its " + key.toUtf8());
        }
        return number(value);
    }

    private static long number(Bytes bigEndian) {
        return ByteBuffer.wrap(bigEndian.array(), bigEndian.offset(), bigEndian.length()).getLong();
    }

    private void require(boolean holds, String otherwise, @Nullable Object... values) {
        if (!holds) {
            throw refused(String.format(Locale.ROOT, otherwise, values));
        }
    }

    private SnapshotRefused refused(String why) {
        return new SnapshotRefused(name + " is refused: " + why);
    }

    private Damaged damaged(String what) {
        return new Damaged(file, 0, what);
    }
}
