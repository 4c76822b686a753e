package dev.quoin.member;

/**
 * What a member says of itself, each figure as of a moment ago.
 *
 * @param leader the leader it knows, 0 for none
 * @param storeBytes what the ledger's files take
 */
public record MemberStatus(long leader, long term, long committedIndex, long appliedIndex, long storeBytes) {}
