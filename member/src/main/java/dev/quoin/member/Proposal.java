package dev.quoin.member;

import dev.quoin.base.Bytes;
import dev.quoin.raft.EntryKind;

/**
 * A request on its way into the log: made by {@link Member#prepare} (or by the member itself), given to
 * {@link Member#propose}.
 *
 * @param id unique in the cluster; how the applied entry finds who waits for it
 * @param data the entry, an encoded InternalRaftRequest
 * @param startNanos when somebody began to wait, on the member's clock
 * @param deadlineNanos when to stop waiting, on the member's clock
 */
public record Proposal(long id, Bytes data, Answer answer, long startNanos, long deadlineNanos) implements Waiting {
    @Override
    public EntryKind kind() {
        return EntryKind.NORMAL;
    }

    @Override
    public void failed(Failure failure) {
        answer.failed(failure);
    }
}
