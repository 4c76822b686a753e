package dev.quoin.member;

import java.util.List;

import dev.quoin.base.Bytes;

/** What a {@link Lessor} says about one lease. Seconds are whole. */
public sealed interface LeaseReply {
    /** It has been renewed: its time begins anew. */
    record Renewed(long ttlSeconds) implements LeaseReply {}

    /**
     * What is left of its time.
     *
     * @param ttlSeconds rounded towards 0; below that if its time is over and it is still to be revoked
     * @param grantedSeconds its whole time
     * @param keys what is attached to it, in key order; empty if nobody asked for that
     */
    record TimeToLive(long ttlSeconds, long grantedSeconds, List<Bytes> keys) implements LeaseReply {}

    /** There is no such lease. */
    record Unknown() implements LeaseReply {}

    /** Another member looks after leases, or nobody does yet. */
    record NotPrimary() implements LeaseReply {}

    /** There was nobody to be asked, for as long as that was waited for. */
    record NoLeader() implements LeaseReply {}

    /** There may be such a lease: this member has yet to apply what it knows to be agreed upon. */
    record ApplyingTooLong() implements LeaseReply {}

    record Failed(Failure failure) implements LeaseReply {}
}
