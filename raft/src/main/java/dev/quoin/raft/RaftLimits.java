package dev.quoin.raft;

import dev.quoin.base.Invariant;

/**
 * The bounds of a node. A bound on bytes lets one entry pass that is larger.
 *
 * @param messageBytesMax entries in one message to a follower, in their wire form
 * @param inflightMessagesMax messages to a follower that it has not acknowledged
 * @param inflightBytesMax data in those messages
 * @param applyingBytesMax data of entries handed out to be applied and not applied yet
 * @param uncommittedBytesMax data that a leader has appended and not seen applied; beyond it, proposals are dropped
 * @param waitingReadsMax reads that may wait for a quorum before those of other members are refused
 * @param retainedAloneBytesMax what applied entries may weigh that a lone member keeps for followers to come
 * @param retainedBytesMax the same where there are other members, some of which may lag
 * @param catchUpBytesMax the same while a follower is sent a snapshot, and until it has caught up from there
 */
public record RaftLimits(long messageBytesMax, int inflightMessagesMax, long inflightBytesMax, long applyingBytesMax,
        long uncommittedBytesMax, int waitingReadsMax, long retainedAloneBytesMax, long retainedBytesMax,
        long catchUpBytesMax) {
    private static final long MIB = 1 << 20;

    /** Messages and their number as etcd has them. */
    public static final RaftLimits DEFAULT = new RaftLimits(MIB, 512, 512 * MIB, 64 * MIB, Long.MAX_VALUE,
            100_000, 0,
            64 * MIB, 512 * MIB);

    public RaftLimits {
        Invariant.check(inflightMessagesMax > 0, "%d messages in flight", inflightMessagesMax);
        Invariant.check(inflightBytesMax >= messageBytesMax, "%d bytes in flight, a message may have %d",
                inflightBytesMax, messageBytesMax);
        Invariant.check(catchUpBytesMax >= retainedBytesMax, "%d bytes kept, %d while a snapshot is sent",
                retainedBytesMax, catchUpBytesMax);
    }
}
