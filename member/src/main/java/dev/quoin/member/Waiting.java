package dev.quoin.member;

import dev.quoin.base.Bytes;
import dev.quoin.raft.EntryKind;

/** An entry that somebody waits for. */
sealed interface Waiting permits Proposal, PendingChange {
    /** How the applied entry finds it; unique in the cluster. */
    long id();

    EntryKind kind();

    Bytes data();

    /** When somebody began to wait, on the member's clock. */
    long startNanos();

    /** When to stop waiting, on the member's clock. */
    long deadlineNanos();

    void failed(Failure failure);
}
