package dev.quoin.member;

import java.util.Objects;

import org.jspecify.annotations.Nullable;

import dev.quoin.base.Bytes;
import dev.quoin.disk.ledger.Ledger;
import dev.quoin.store.Records;

/** The store's records, in the ledger. */
final class LedgerRecords implements Records {
    /** Bound before the first command: the ledger is opened with the store already there to take its records. */
    private @Nullable Ledger ledger;

    void bind(Ledger opened) {
        ledger = opened;
    }

    @Override
    public long append(long main, int sub, int kind, Bytes payload) {
        return bound().append(main, sub, kind, payload);
    }

    @Override
    public Bytes read(long position) {
        return bound().read(position);
    }

    @Override
    public boolean read(long position, Pieces to) {
        return bound().read(position, to::take);
    }

    @Override
    public int length(long position) {
        return bound().payloadLength(position);
    }

    private Ledger bound() {
        return Objects.requireNonNull(ledger, "the ledger is not open yet");
    }
}
