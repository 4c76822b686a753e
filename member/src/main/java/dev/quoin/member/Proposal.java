package dev.quoin.member;

import dev.quoin.base.Bytes;

/**
 * A request on its way into the log: made by {@link Member#prepare} (or by the member itself), given to
 * {@link Member#propose}.
 *
 * @param id unique in the cluster; how the applied entry finds who waits for it
 * @param data the entry, an encoded InternalRaftRequest
 * @param deadlineNanos when to stop waiting, on the member's clock
 */
public record Proposal(long id, Bytes data, Answer answer, long deadlineNanos) {}
