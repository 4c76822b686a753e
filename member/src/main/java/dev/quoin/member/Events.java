package dev.quoin.member;

import java.nio.file.Path;

import dev.quoin.disk.Damaged;
import dev.quoin.disk.DiskFailure;
import dev.quoin.raft.LogLine;
import dev.quoin.store.AuthOutcome;

/**
 * What a member has to say to whoever runs it, beside the answers it gives. Called on the member's own threads. What is not
 * overridden is passed over.
 */
public interface Events {
    /** Nobody listens. */
    Events NONE = new Events() {};

    /** Part of a file is not what was written; what depends on it says so when it is asked for, all else goes on. */
    default void damaged(Damaged damage) {}

    /**
     * A full segment of the log is not what was written. The ledger has what it says, or will soon; then the segment is given
     * up, and nothing is lost.
     */
    default void logDamaged(Damaged damage) {
        damaged(damage);
    }

    /** A member of etcd's was found at the start, whole, and is about to become one of ours. */
    default void importing(EtcdFound found) {}

    /** It is one. What etcd had, and has no use for any more, is kept there. */
    default void imported(Path kept) {}

    /** Somebody had started an etcd on this member's directory; the empty database that it made is set aside there. */
    default void strayDatabase(Path kept) {}

    /** Damage was found at the start, and made good from the log. */
    default void repaired(String what) {}

    /** The disk had no room for a file that saves time or space; it is tried again later. */
    default void housekeepingRefused(DiskFailure failure) {}

    /** A configuration change that was committed takes no effect. */
    default void changeRefused(String why) {}

    /** A change of members is not even proposed; this is how that was counted. */
    default void changeRejected(String arithmetic) {}

    /** The member goes on as the only one of its cluster, because it was told to. */
    default void forced(String what) {}

    /** Something that consensus has to say, in etcd's words. */
    default void consensus(LogLine line) {}

    /** This member has been removed from its cluster and takes no part any more: it should be stopped. Told once. */
    default void removed(String why) {}

    /** The disk of the log has not answered for so long, so this leader asks another member to lead. May be told again. */
    default void diskHangs(long nanos) {}

    /**
     * A command about users and roles has been applied, and can be seen in the view; told on every member, in the order of the
     * log, before anybody has the answer and before the member says that the index is applied. Must not block. A state that a
     * leader sends in place of the log is told as {@link AuthOutcome.Disabled}: which tokens it still allows, it does not say.
     */
    default void auth(long index, AuthOutcome outcome) {}

    /**
     * The disk took no more, so this member takes no more to write, and lets another lead if it can. Told once, until there
     * is room again. Any thread of the member.
     */
    default void diskFull(DiskFailure failure) {}

    /** All that had found no room is written. */
    default void diskHasRoom() {}

    /** So much of the quota is in use. Told once for each of a few steps, until it is well below it again. */
    default void quotaFills(int percent, long bytesInUse, long quotaBytes) {}

    /** There has been room below the quota for a while, so this member takes back the alarm that it had raised about it. */
    default void alarmLifted() {}
}
