package dev.quoin.member;

import dev.quoin.raft.SnapshotMeta;

/**
 * A state that has arrived: durable in a ledger of its own, and open. It can take the place of the one in force at once; or
 * else it is to be discarded.
 */
record ReceivedState(SnapshotMeta meta, OpenedStore opened, LedgerDirectories ledgers) {

    /** Nobody wants it: closes and deletes it. Only if the log has not begun anew behind it. */
    void discard() {
        opened.ledger().close();
        ledgers.delete(opened.directory());
    }
}
