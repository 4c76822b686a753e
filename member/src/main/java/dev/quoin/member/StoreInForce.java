package dev.quoin.member;

import dev.quoin.disk.ledger.Ledger;
import dev.quoin.store.Store;

/**
 * The store that a member serves, and the ledger that holds it. The apply loop owns what is in force, and puts another in
 * its place when a leader has sent its state; all others take what is in force whenever they look. What was replaced stays
 * open for a while, for those who still read from it.
 */
final class StoreInForce {
    private volatile OpenedStore opened;

    StoreInForce(OpenedStore first) {
        opened = first;
    }

    OpenedStore opened() {
        return opened;
    }

    Store store() {
        return opened.store();
    }

    Ledger ledger() {
        return opened.ledger();
    }

    /** For the apply loop. */
    void replace(OpenedStore next) {
        opened = next;
    }
}
