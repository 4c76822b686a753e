package dev.quoin.member;

import java.nio.file.Path;

import dev.quoin.disk.ledger.Ledger;
import dev.quoin.raft.SnapshotMeta;
import dev.quoin.store.Store;

/**
 * A state that has arrived: durable in a ledger of its own, and open. It can take the place of the one in force at once; or
 * else it is to be discarded.
 *
 * @param directory where the ledger is
 */
record ReceivedState(SnapshotMeta meta, Store store, Ledger ledger, Membership membership, Path directory,
        LedgerDirectories ledgers) {

    /** Nobody wants it: closes and deletes it. Only if the log has not begun anew behind it. */
    void discard() {
        ledger.close();
        ledgers.delete(directory);
    }
}
