package dev.quoin.store;

/**
 * A named part of the state that is not keys. Names, keys and values are those of the buckets in etcd's own database, so
 * that a snapshot is written from them, and read back into them, without translation. In the order of their names, as
 * etcd's database has them.
 */
public enum Bucket {
    /** Raised alarms: an encoded AlarmMember, and nothing. */
    ALARM(1, "alarm"),
    /** {@code authEnabled}: one byte, 0 or 1. {@code authRevision}: 8 bytes, big-endian. */
    AUTH(2, "auth"),
    /** Name of the role, and an encoded authpb.Role. */
    AUTH_ROLES(3, "authRoles"),
    /** Name of the user, and an encoded authpb.User. */
    AUTH_USERS(4, "authUsers"),
    /** {@code clusterVersion}: text. {@code downgrade}: JSON. */
    CLUSTER(5, "cluster"),
    /** Id of the lease in 8 bytes, big-endian, and an encoded leasepb.Lease. */
    LEASE(6, "lease"),
    /** Id of the member in hexadecimal, and JSON. */
    MEMBERS(7, "members"),
    /** Id of a member that was removed, in hexadecimal, and the text {@code removed}. */
    MEMBERS_REMOVED(8, "members_removed"),
    /** What has been compacted, and what else a member keeps of itself. */
    META(9, "meta");

    private final int number;
    private final String bucketName;

    Bucket(int number, String bucketName) {
        this.number = number;
        this.bucketName = bucketName;
    }

    /** What stands for it in records: part of their format. */
    int number() {
        return number;
    }

    /** The name it has in etcd's database. */
    public String bucketName() {
        return bucketName;
    }
}
