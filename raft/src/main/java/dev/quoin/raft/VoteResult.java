package dev.quoin.raft;

/** How a vote stands. */
enum VoteResult {
    /** It depends on those who have not answered. */
    PENDING,
    LOST,
    WON
}
