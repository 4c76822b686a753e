package dev.quoin.member;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.function.Function;

import dev.quoin.base.Bytes;
import dev.quoin.raft.ConfState;
import dev.quoin.store.Bucket;
import dev.quoin.store.Buckets;
import dev.quoin.store.Contents;
import dev.quoin.store.Store;

/**
 * Who belongs to the cluster, and what it has agreed on about itself. Immutable; changes come through the log and are kept
 * in the store's buckets, in the rows in which etcd's database keeps them.
 *
 * @param members sorted by id, as unsigned numbers
 * @param removed ids of members that were removed, which never come back; sorted likewise
 * @param clusterVersion empty: none yet
 * @param downgradeTarget the version that a downgrade under way goes to, or empty
 */
public record Membership(List<MemberInfo> members, List<Long> removed, String clusterVersion,
        String downgradeTarget) {
    public static final Membership NONE = new Membership(List.of(), List.of(), "", "");

    static final Bytes CLUSTER_VERSION = Bytes.utf8("clusterVersion");
    private static final Bytes DOWNGRADE = Bytes.utf8("downgrade");
    private static final Bytes REMOVED = Bytes.utf8("removed");

    /** A place in a bucket. */
    private record Row(Bucket bucket, Bytes key) implements Comparable<Row> {
        private static final Comparator<Row> ORDER = Comparator.comparing(Row::bucket).thenComparing(Row::key);

        @Override
        public int compareTo(Row other) {
            return ORDER.compare(this, other);
        }
    }

    public Membership {
        members = members.stream().sorted(Comparator.comparing(MemberInfo::id, Long::compareUnsigned)).toList();
        removed = removed.stream().sorted(Long::compareUnsigned).toList();
    }

    /** Nothing but these members. */
    public static Membership of(List<MemberInfo> members) {
        return new Membership(members, List.of(), "", "");
    }

    public Optional<MemberInfo> member(long id) {
        return members.stream().filter(member -> member.id() == id).findFirst();
    }

    public boolean isRemoved(long id) {
        return removed.contains(id);
    }

    /**
     * The version of what a member stores, as it is told to others: the cluster's, since etcd keeps its store as members of that
     * version would. Nothing here is stored differently for one.
     */
    public String storageVersion() {
        return clusterVersion.isEmpty() || clusterVersion.startsWith("3.0.") ? SemVersion.OWN_STORAGE.toString()
                : clusterVersion;
    }

    /**
     * Whether a member may be of an etcd older than the one that this server speaks as, and apply what it is sent as that one does.
     * From the announcement of a downgrade on: who joins then may be sent what is written now.
     */
    public boolean mayHaveOlder() {
        if (!downgradeTarget.isEmpty()) {
            return true;
        }
        SemVersion agreed = SemVersion.parse(clusterVersion);
        return members.size() > 1 && (agreed == null || agreed.compareTo(SemVersion.OWN_STORAGE) < 0);
    }

    long learnerCount() {
        return members.stream().filter(MemberInfo::isLearner).count();
    }

    /** With this member added, or in the place of the one with its id. */
    Membership with(MemberInfo changed) {
        List<MemberInfo> next = new ArrayList<>(members);
        next.removeIf(member -> member.id() == changed.id());
        next.add(changed);
        return new Membership(next, removed, clusterVersion, downgradeTarget);
    }

    /** Without this member, for good. */
    Membership without(long id) {
        List<MemberInfo> left = members.stream().filter(member -> member.id() != id).toList();
        List<Long> gone = new ArrayList<>(removed);
        gone.add(id);
        return new Membership(left, gone, clusterVersion, downgradeTarget);
    }

    Membership withClusterVersion(String version) {
        return new Membership(members, removed, version, downgradeTarget);
    }

    Membership withDowngradeTarget(String version) {
        return new Membership(members, removed, clusterVersion, version);
    }

    ConfState confState() {
        List<Long> voters = members.stream().filter(member -> !member.isLearner()).map(MemberInfo::id).toList();
        List<Long> learners = members.stream().filter(MemberInfo::isLearner).map(MemberInfo::id).toList();
        return new ConfState(voters, learners);
    }

    /** {@link #confState} as a raftpb.ConfState, the form in which the log and the ledger keep it. */
    Bytes encodeConfState() {
        return ConfStates.encode(confState());
    }

    // ---- in the store

    /** What a store holds. */
    static Membership load(Store store) {
        return load(store::bucketScan);
    }

    /** What a store held. */
    static Membership of(Contents contents) {
        return load(contents::bucket);
    }

    private static Membership load(Function<Bucket, ? extends SortedMap<Bytes, Bytes>> rows) {
        List<MemberInfo> members = rows.apply(Bucket.MEMBERS).values().stream().map(MemberJson::read).toList();
        List<Long> removed = rows.apply(Bucket.MEMBERS_REMOVED).keySet().stream()
                .map(id -> Long.parseUnsignedLong(id.toUtf8(), 16)).toList();
        Bytes version = rows.apply(Bucket.CLUSTER).get(CLUSTER_VERSION);
        Bytes downgrade = rows.apply(Bucket.CLUSTER).get(DOWNGRADE);
        return new Membership(members, removed, version == null ? "" : version.toUtf8(),
                downgrade == null ? "" : MemberJson.readDowngradeTarget(downgrade));
    }

    /** Writes what is different from {@code before}, which is what the store holds. */
    void save(Store store, Membership before) {
        SortedMap<Row, Bytes> old = before.rows();
        SortedMap<Row, Bytes> rows = rows();
        for (Row row : old.keySet()) {
            if (!rows.containsKey(row)) {
                store.bucketDelete(row.bucket, row.key);
            }
        }
        rows.forEach((row, value) -> {
            if (!value.equals(old.get(row))) {
                store.bucketPut(row.bucket, row.key, value);
            }
        });
    }

    /** Writes all of it where nothing of it is yet. */
    void save(Buckets buckets) {
        rows().forEach((row, value) -> buckets.put(row.bucket, row.key, value));
    }

    private SortedMap<Row, Bytes> rows() {
        SortedMap<Row, Bytes> rows = new TreeMap<>();
        for (MemberInfo member : members) {
            rows.put(new Row(Bucket.MEMBERS, hex(member.id())), MemberJson.write(member));
        }
        for (long id : removed) {
            rows.put(new Row(Bucket.MEMBERS_REMOVED, hex(id)), REMOVED);
        }
        if (!clusterVersion.isEmpty()) {
            rows.put(new Row(Bucket.CLUSTER, CLUSTER_VERSION), Bytes.utf8(clusterVersion));
        }
        if (!downgradeTarget.isEmpty()) {
            rows.put(new Row(Bucket.CLUSTER, DOWNGRADE), MemberJson.writeDowngrade(downgradeTarget));
        }
        return rows;
    }

    private static Bytes hex(long id) {
        return Bytes.utf8(Long.toHexString(id));
    }
}
