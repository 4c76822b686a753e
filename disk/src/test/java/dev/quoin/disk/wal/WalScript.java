package dev.quoin.disk.wal;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Random;
import java.util.Set;
import java.util.TreeMap;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

import org.jspecify.annotations.Nullable;

import dev.quoin.base.Bytes;
import dev.quoin.disk.memory.FaultyDisk;

/**
 * A life of a log in which everything happens that can: segments cut with and without a prepared one, entries replaced,
 * states without entries, snapshot marks, releases, restarts. Keeps a record of what was written and of how much of it was
 * acknowledged, so that it can be said what must be found after any fault.
 */
final class WalScript {
    static final Path DIRECTORY = Path.of("wal");
    static final WalLimits LIMITS = new WalLimits(2048, 512, 1024);
    static final Bytes METADATA = Bytes.utf8("node 1 of cluster 2");
    private static final Bytes CONF_STATE = Bytes.of(new byte[]{0x08, 0x01, 0x28, 0x00});

    /** What a reader of the log finds. */
    record Content(WalSnapshot snapshot, WalState state, List<WalEntry> entries) {}

    /** The log began anew, which happens as a whole. */
    private record Anew(WalSnapshot snapshot, WalState state) {}

    private final FaultyDisk disk;
    private final Random random;
    /** Everything written, in order: entries, states, snapshot marks, new beginnings. */
    private final List<Record> written = new ArrayList<>();
    private int acknowledged;
    private boolean created;
    private boolean preparing;
    private @Nullable Wal wal;
    private WalState state = WalState.EMPTY;
    private long last;
    /** Of the entries, by index. */
    private final Map<Long, Long> terms = new TreeMap<>();

    WalScript(FaultyDisk disk, long seed) {
        this.disk = disk;
        random = new Random(seed);
    }

    boolean created() {
        return created;
    }

    /** Whether the fault came while the next segment was being prepared, which hurts nobody. */
    boolean preparing() {
        return preparing;
    }

    @Nullable
    Wal wal() {
        return wal;
    }

    /** Lives the whole life, or until a fault. */
    void run(int steps) {
        wal = Wal.create(disk, DIRECTORY, METADATA, LIMITS);
        created = true;
        Wal current = wal;
        for (int step = 0; step < steps; step++) {
            switch (random.nextInt(13)) {
                case 0 -> {
                    preparing = true;
                    current.prepareNext();
                    preparing = false;
                }
                case 1 -> snapshot(current);
                case 2 -> {
                    current.close();
                    acknowledged = written.size();
                    current = Wal.open(disk, DIRECTORY, LIMITS).wal();
                    wal = current;
                }
                case 3 -> write(current, List.of(), new WalState(state.term(), 3, state.commit()));
                case 4 -> replaceTail(current);
                case 5 -> beginAnew(current);
                default -> appendSome(current);
            }
            if (random.nextInt(3) > 0) {
                current.sync();
                acknowledged = written.size();
            }
        }
        current.close();
        acknowledged = written.size();
    }

    private void appendSome(Wal current) {
        List<WalEntry> entries = new ArrayList<>();
        int count = 1 + random.nextInt(4);
        for (int i = 0; i < count; i++) {
            entries.add(entry(last + 1 + i));
        }
        write(current, entries, random.nextBoolean() ? new WalState(state.term(), 1, last) : null);
    }

    /** A new leader knows better about what was not committed. */
    private void replaceTail(Wal current) {
        long from = Math.max(state.commit() + 1, last - 2);
        WalState next = new WalState(state.term() + 1, 2, state.commit());
        if (from > last) {
            write(current, List.of(), next);
            return;
        }
        state = next;
        write(current, List.of(entry(from)), next);
    }

    /** A leader of a later term sends its state: from beyond the last entry, or in the place of some that it never had. */
    private void beginAnew(Wal current) {
        if (random.nextInt(3) > 0) {
            return;
        }
        long index = state.commit() + 1 + random.nextInt(8);
        long term = state.term() + 1;
        WalSnapshot snapshot = new WalSnapshot(index, term, CONF_STATE);
        state = new WalState(term, 0, index);
        last = index;
        terms.put(index, term);
        written.add(new Anew(snapshot, state));
        current.beginAnew(snapshot, state);
        acknowledged = written.size();
        current.release(snapshot.index(), 1 + random.nextInt(3));
    }

    private WalEntry entry(long index) {
        byte[] data = new byte[random.nextInt(10) == 0 ? 1500 : random.nextInt(200)];
        random.nextBytes(data);
        terms.put(index, state.term());
        if (random.nextInt(4) == 0) {
            Arrays.fill(data, (byte) 0);
        }
        return new WalEntry(random.nextInt(3), state.term(), index, Bytes.of(data));
    }

    private void write(Wal current, List<WalEntry> entries, @Nullable WalState newState) {
        written.addAll(entries);
        if (!entries.isEmpty()) {
            last = entries.getLast().index();
        }
        if (newState != null && !newState.equals(WalState.EMPTY)) {
            written.add(newState);
            state = newState;
        }
        current.append(entries, newState);
    }

    private void snapshot(Wal current) {
        if (state.commit() == 0) {
            return;
        }
        long term = Objects.requireNonNull(terms.get(state.commit()));
        WalSnapshot snapshot = new WalSnapshot(state.commit(), term, CONF_STATE);
        written.add(snapshot);
        current.saveSnapshot(snapshot);
        acknowledged = written.size();
        current.release(snapshot.index(), 1 + random.nextInt(3));
    }

    /** All that may be found: everything acknowledged, and any number of the records written after that, in order. */
    Set<Content> acceptable() {
        return IntStream.rangeClosed(acknowledged, written.size()).mapToObj(this::after).collect(Collectors.toSet());
    }

    /** What a whole log holds. */
    Content all() {
        return after(written.size());
    }

    /** Every state the log was ever in. */
    Set<Content> history() {
        return IntStream.rangeClosed(0, written.size()).mapToObj(this::after).collect(Collectors.toSet());
    }

    private Content after(int count) {
        WalState lastState = WalState.EMPTY;
        for (Record record : written.subList(0, count)) {
            if (record instanceof WalState found) {
                lastState = found;
            } else if (record instanceof Anew(WalSnapshot _, WalState found)) {
                lastState = found;
            }
        }
        WalSnapshot snapshot = WalSnapshot.ZERO;
        TreeMap<Long, WalEntry> entries = new TreeMap<>();
        for (Record record : written.subList(0, count)) {
            if (record instanceof WalSnapshot mark && mark.index() <= lastState.commit()) {
                snapshot = mark;
            } else if (record instanceof Anew(WalSnapshot begin, WalState _)) {
                snapshot = begin;
                entries.clear();
            } else if (record instanceof WalEntry entry) {
                entries.tailMap(entry.index(), true).clear();
                entries.put(entry.index(), entry);
            }
        }
        return new Content(snapshot, lastState, List.copyOf(entries.tailMap(snapshot.index(), false).values()));
    }

    static Content content(Wal.Recovered recovered) {
        return new Content(recovered.snapshot(), recovered.state(), recovered.entries());
    }
}
