package dev.quoin.member;

/**
 * What a member says of itself, each figure as of a moment ago.
 *
 * @param leader the leader it knows, 0 for none
 * @param term its term
 * @param committedIndex the last entry of the log that it knows to be committed
 * @param appliedIndex the last entry whose effects its view shows; never beyond {@code committedIndex}
 * @param storeBytes what the ledger's files take, or soon will
 * @param storeBytesInUse of these, what is in use: live keys and history that was not given up
 * @param quotaBytes what may be in use; not positive: any amount
 */
public record MemberStatus(long leader, long term, long committedIndex, long appliedIndex, long storeBytes,
        long storeBytesInUse, long quotaBytes) {
    /**
     * The figures come from several owners: the raft loop may not have said yet what the apply loop has done, and what was
     * applied a moment ago is in use before it is in a file.
     */
    public MemberStatus {
        committedIndex = Math.max(committedIndex, appliedIndex);
        storeBytes = Math.max(storeBytes, storeBytesInUse);
    }
}
