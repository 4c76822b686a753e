package dev.quoin.store;

import java.util.ArrayList;
import java.util.List;

import dev.quoin.base.Bytes;
import dev.quoin.base.Invariant;

/** Records in a list; the position is the place in it. */
final class MemoryRecords implements Records {
    record Line(long main, int sub, int kind, Bytes payload) {}

    static final long MIN_LEASE_TTL = 2;

    final List<Line> lines = new ArrayList<>();
    /** How often a record was read. */
    long reads;
    /** Reading fails from now on, as from a damaged disk. */
    boolean broken;

    @Override
    public long append(long main, int sub, int kind, Bytes payload) {
        if (!lines.isEmpty()) {
            Line last = lines.getLast();
            Invariant.check(main >= last.main, "record of revision %d after %d", main, last.main);
        }
        lines.add(new Line(main, sub, kind, payload));
        return lines.size() - 1L;
    }

    @Override
    public Bytes read(long position) {
        if (broken) {
            throw new IllegalStateException("damaged record");
        }
        reads++;
        return lines.get((int) position).payload;
    }

    @Override
    public int length(long position) {
        return lines.get((int) position).payload.length();
    }

    /** A store rebuilt from the first {@code count} records. */
    Store restore(int count) {
        Store store = new Store(this, MIN_LEASE_TTL);
        for (int position = 0; position < count; position++) {
            Line line = lines.get(position);
            store.restore(position, line.main, line.sub, line.kind, line.payload);
        }
        store.restored();
        return store;
    }
}
