package dev.quoin.member;

import dev.quoin.base.Bytes;
import dev.quoin.raft.EntryKind;

/**
 * A change of members on its way into the log.
 *
 * @param id that of the raftpb.ConfChange
 * @param data the entry, an encoded raftpb.ConfChange
 */
record PendingChange(long id, Bytes data, ChangeAnswer answer, long startNanos, long deadlineNanos)
        implements
            Waiting {
    @Override
    public EntryKind kind() {
        return EntryKind.CONF_CHANGE;
    }

    @Override
    public void failed(Failure failure) {
        answer.failed(failure);
    }
}
