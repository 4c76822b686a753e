package dev.quoin.disk.ledger;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import java.util.Random;
import java.util.TreeMap;
import java.util.TreeSet;

import org.jspecify.annotations.Nullable;

import dev.quoin.base.Bytes;
import dev.quoin.disk.Damaged;
import dev.quoin.disk.Disk;

import static org.assertj.core.api.Assertions.assertThat;

/**
 * A life of a ledger in which everything happens that can: batches, compaction, flushes, checkpoints, rewriting, scrubbing,
 * restarts, in an order that a seed decides. Above it stands a store of few keys, and a record of what it looked like after
 * each batch, so that it can be said what must be found after any fault.
 */
final class LedgerLife {
    static final Path DIRECTORY = Path.of("ledger");
    static final LedgerLimits LIMITS = new LedgerLimits(2048, 512, 1 << 20);
    static final int PUT = 1;
    static final int COMPACT = 2;
    private static final int KEYS = 12;
    private static final int LATEST = 1;
    private static final int SUPERSEDED = 2;

    /** Keys, what was overwritten and is kept, and nothing else. */
    static final class MiniStore implements Ledger.Visitor {
        final TreeMap<Integer, Long> latest = new TreeMap<>();
        final TreeSet<Long> superseded = new TreeSet<>();

        @Override
        public void record(long position, long main, int sub, int kind, Bytes payload) {
            if (kind == COMPACT) {
                superseded.clear();
            } else {
                Long before = latest.put(sub, position);
                if (before != null) {
                    superseded.add(before);
                }
            }
        }

        @Override
        public void image(int kind, Bytes payload) {
            for (int at = payload.offset(); at < payload.offset() + payload.length(); at += 12) {
                long position = Format.longAt(payload.array(), at + 4);
                if (kind == LATEST) {
                    latest.put(Format.intAt(payload.array(), at), position);
                } else {
                    superseded.add(position);
                }
            }
        }

        boolean refersTo(long position) {
            return superseded.contains(position) || latest.containsValue(position);
        }

        List<Long> positions() {
            List<Long> all = new ArrayList<>(superseded);
            all.addAll(latest.values());
            return all;
        }

        /** Blocks of three, so that there are several. */
        List<Block> image() {
            List<Block> blocks = new ArrayList<>();
            latest.forEach((key, position) -> add(blocks, LATEST, key, position));
            superseded.forEach(position -> add(blocks, SUPERSEDED, 0, position));
            return blocks;
        }

        private static void add(List<Block> blocks, int kind, int key, long position) {
            byte[] entry = new byte[12];
            Format.putInt(entry, 0, key);
            Format.putLong(entry, 4, position);
            if (blocks.isEmpty() || blocks.getLast().kind != kind || blocks.getLast().payload.length() == 36) {
                blocks.add(new Block(kind, Bytes.of(entry)));
                return;
            }
            Bytes old = blocks.removeLast().payload;
            byte[] joined = Arrays.copyOf(old.toByteArray(), old.length() + 12);
            System.arraycopy(entry, 0, joined, old.length(), 12);
            blocks.add(new Block(kind, Bytes.of(joined)));
        }

        MiniStore copy() {
            MiniStore copy = new MiniStore();
            copy.latest.putAll(latest);
            copy.superseded.addAll(superseded);
            return copy;
        }

        boolean isLike(MiniStore other) {
            return latest.equals(other.latest) && superseded.equals(other.superseded);
        }

        @Override
        public String toString() {
            return latest + ", superseded " + superseded;
        }
    }

    record Block(int kind, Bytes payload) {}

    final Disk disk;
    final Random random;
    /** What everything ever written was. */
    final TreeMap<Long, Bytes> payloads = new TreeMap<>();
    /** The store after so many batches. */
    final List<MiniStore> history = new ArrayList<>(List.of(new MiniStore()));
    final List<Damaged> scrubbed = new ArrayList<>();
    MiniStore store = new MiniStore();
    /** How many batches must be found again. */
    int durable;
    int rewrites;
    int checkpoints;

    private @Nullable Ledger open;
    private @Nullable CheckpointWriter checkpoint;
    private @Nullable Rewrite rewrite;
    private @Nullable Scrub scrub;

    LedgerLife(Disk disk, long seed) {
        this.disk = disk;
        random = new Random(seed);
    }

    int batches() {
        return history.size() - 1;
    }

    Ledger ledger() {
        if (open == null) {
            open = Ledger.open(disk, DIRECTORY, LIMITS, new MiniStore()).ledger();
        }
        return open;
    }

    /** What was appended there. */
    Bytes payload(long position) {
        return Objects.requireNonNull(payloads.get(position));
    }

    void run(int steps) {
        ledger();
        for (int i = 0; i < steps; i++) {
            step();
        }
        stop();
    }

    void step() {
        switch (random.nextInt(20)) {
            case 0 -> compact();
            case 1, 2, 3 -> flush();
            case 4 -> beginCheckpoint();
            case 5, 6 -> finishCheckpoint();
            case 7, 8, 9, 10 -> rewriteSome();
            case 11 -> scrubSome();
            case 12 -> restart();
            default -> put();
        }
        readSome();
    }

    void put() {
        for (int i = random.nextInt(4); i >= 0; i--) {
            int key = random.nextInt(KEYS);
            byte[] data = new byte[random.nextInt(20) == 0 ? 1500 : random.nextInt(120)];
            random.nextBytes(data);
            append(key, PUT, Bytes.of(data));
        }
        commit();
    }

    private long append(int key, int kind, Bytes payload) {
        long position = ledger().append(batches() + 1L, key, kind, payload);
        payloads.put(position, payload);
        store.record(position, batches() + 1L, key, kind, payload);
        return position;
    }

    private void commit() {
        history.add(store.copy());
        ledger().commit(batches(), 3, configuration(batches()));
    }

    static Bytes configuration(int batch) {
        return Bytes.of(new byte[batch % 30]);
    }

    void compact() {
        long[] dead = store.superseded.stream().mapToLong(Long::longValue).toArray();
        long position = append(0, COMPACT, Bytes.EMPTY);
        commit();
        ledger().forget(dead, dead.length);
        ledger().forget(new long[]{position}, 1);
    }

    void flush() {
        ledger().flush();
        durable = batches();
        assertThat(ledger().durableIndex()).isEqualTo(durable);
    }

    void beginCheckpoint() {
        if (checkpoint != null || batches() == 0) {
            return;
        }
        CheckpointWriter begun = ledger().checkpoint(ledger().mark());
        checkpoint = begun;
        store.image().forEach(block -> begun.add(block.kind, block.payload));
    }

    void finishCheckpoint() {
        CheckpointWriter begun = checkpoint;
        if (begun == null) {
            return;
        }
        checkpoint = null;
        if (random.nextInt(8) == 0) {
            begun.abandon();
            return;
        }
        flush();
        begun.finish();
        checkpoints++;
    }

    void rewriteSome() {
        if (rewrite == null) {
            rewrite = ledger().nextRewrite(random.nextBoolean() ? 0.25 : 0.01,
                    (position, main, sub, kind, payload) -> store.refersTo(position));
        }
        Rewrite running = rewrite;
        if (running != null && running.step(1 + random.nextInt(12_000))) {
            rewrite = null;
            rewrites++;
        }
    }

    private void scrubSome() {
        if (scrub == null) {
            scrub = ledger().scrub(scrubbed::add);
        }
        if (scrub.step(1 + random.nextInt(6000))) {
            scrub = null;
        }
    }

    private void restart() {
        stop();
        MiniStore found = new MiniStore();
        Ledger.Recovered recovered = Ledger.open(disk, DIRECTORY, LIMITS, found);
        open = recovered.ledger();
        if (!recovered.damage().isEmpty()) {
            // Only if a fault was planned: then it may be met here, too.
            throw recovered.damage().getFirst();
        }
        check(recovered, found, "restart");
    }

    void stop() {
        if (scrub != null) {
            scrub.abandon();
        }
        scrub = null;
        rewrite = null;
        checkpoint = null;
        ledger().close();
        open = null;
        durable = batches();
    }

    /** An orderly stop after something failed: promises nothing. */
    void stopAfterFailure() {
        if (open != null) {
            open.close();
        }
    }

    private void readSome() {
        List<Long> positions = store.positions();
        for (int i = 0; i < 3 && !positions.isEmpty(); i++) {
            long position = positions.get(random.nextInt(positions.size()));
            assertThat(ledger().read(position)).isEqualTo(payload(position));
            assertThat(ledger().payloadLength(position)).isEqualTo(payload(position).length());
        }
    }

    /** What was found must be the store after some batch, no earlier than what was durable, and readable as a whole. */
    void check(Ledger.Recovered recovered, MiniStore found, String story) {
        int count = checkStore(recovered, found, durable, story);
        assertThat(recovered.damage()).as(story).isEmpty();
        for (long position : history.get(count).positions()) {
            assertThat(recovered.ledger().read(position)).as(story).isEqualTo(payload(position));
        }
    }

    /** How many batches were found. */
    int checkStore(Ledger.Recovered recovered, MiniStore found, int atLeast, String story) {
        Ledger.Commit last = recovered.last();
        int count = last == null ? 0 : (int) last.appliedIndex();
        assertThat(count).as(story).isBetween(atLeast, batches());
        if (last != null) {
            assertThat(last).as(story).isEqualTo(new Ledger.Commit(count, 3, configuration(count)));
        }
        assertThat(found.isLike(history.get(count))).as("%s: %s instead of %s", story, found, history.get(count))
                .isTrue();
        return count;
    }

    /** Goes on from what was found: the batches that were lost never happened. */
    void resume(Ledger.Recovered recovered, MiniStore found) {
        int count = recovered.last() == null ? 0 : (int) recovered.last().appliedIndex();
        history.subList(count + 1, history.size()).clear();
        store = found;
        durable = count;
        open = recovered.ledger();
        checkpoint = null;
        rewrite = null;
        scrub = null;
    }
}
