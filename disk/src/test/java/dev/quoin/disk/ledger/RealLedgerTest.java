package dev.quoin.disk.ledger;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import java.util.Queue;
import java.util.Random;
import java.util.concurrent.Callable;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLongArray;
import java.util.concurrent.atomic.AtomicReference;
import java.util.concurrent.locks.LockSupport;
import java.util.stream.Stream;

import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;

import dev.quoin.base.Bytes;
import dev.quoin.disk.Damaged;
import dev.quoin.disk.RealDisk;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

/** What only a real disk, real maps and real threads can show. */
class RealLedgerTest {
    private static final LedgerLimits LIMITS = new LedgerLimits(64 << 10, 4 << 10, 1 << 20);
    private static final Ledger.Visitor NOBODY = new Ledger.Visitor() {
        @Override
        public void record(long position, long main, int sub, int kind, Bytes payload) {}

        @Override
        public void image(int kind, Bytes payload) {}
    };

    private final RealDisk disk = new RealDisk();

    @TempDir
    Path directory;

    private Path path() {
        return directory.resolve("ledger");
    }

    private Ledger open() {
        return Ledger.open(disk, path(), LIMITS, NOBODY).ledger();
    }

    // --- readers beside everybody else ------------------------------------------------------------------------------

    /** All parties at once. Keys are overwritten all the time, so files are rewritten all the time. */
    private final class Traffic {
        static final int KEYS = 300;
        static final int BATCHES = 10_000;
        static final int BATCHES_MAX = 1_000_000;
        static final int REWRITES = 10;
        final Ledger ledger = open();
        final AtomicLongArray latest = new AtomicLongArray(KEYS);
        final Queue<Long> dead = new ConcurrentLinkedQueue<>();
        final AtomicReference<Mark> mark = new AtomicReference<>();
        final AtomicBoolean done = new AtomicBoolean();
        final AtomicInteger rewrites = new AtomicInteger();

        void apply() {
            Random random = new Random(1);
            for (int i = 1; i <= BATCHES || (rewrites.get() < REWRITES && i < BATCHES_MAX); i++) {
                int key = i <= KEYS ? i - 1 : random.nextInt(KEYS);
                long position = ledger.append(i, key, 1, Bytes.utf8("key " + key + " " + "x".repeat(i % 500)));
                ledger.commit(i, 1, Bytes.EMPTY);
                long before = latest.getAndSet(key, position);
                if (before != 0) {
                    dead.add(before);
                }
                if (i % 400 == 0) {
                    mark.set(ledger.mark());
                }
                while (ledger.isBacklogged()) {
                    LockSupport.parkNanos(10_000);
                }
            }
        }

        Integer write() {
            while (!done.get() || ledger.unwrittenBytes() > 0) {
                if (!ledger.flush()) {
                    LockSupport.parkNanos(10_000);
                }
            }
            return 1;
        }

        Integer keepHouse() {
            Scrub scrub = ledger.scrub(damage -> {
                throw damage;
            });
            while (!done.get()) {
                forgetSome();
                Mark newest = mark.getAndSet(null);
                if (newest != null) {
                    writeCheckpoint(newest);
                }
                Rewrite rewrite = ledger.nextRewrite(0.25, this::isLive);
                while (rewrite != null && !rewrite.step(50_000)) {
                    forgetSome();
                }
                rewrites.addAndGet(rewrite == null ? 0 : 1);
                if (scrub.step(20_000)) {
                    scrub = ledger.scrub(damage -> {
                        throw damage;
                    });
                }
            }
            scrub.abandon();
            return rewrites.get();
        }

        private boolean isLive(long position, long main, int sub, int kind, Bytes payload) {
            return latest.get(sub) == position;
        }

        private void forgetSome() {
            for (Long position = dead.poll(); position != null; position = dead.poll()) {
                assertThat(ledger.forget(new long[]{position}, 1)).isPositive();
            }
        }

        private void writeCheckpoint(Mark newest) {
            CheckpointWriter writer = ledger.checkpoint(newest);
            writer.add(1, Bytes.utf8("state"));
            while (ledger.durableIndex() < newest.commit().appliedIndex()) {
                LockSupport.parkNanos(10_000);
            }
            writer.finish();
        }

        Callable<Long> reader(int seed) {
            return () -> {
                Random random = new Random(seed);
                long reads = 0;
                while (!done.get()) {
                    int key = random.nextInt(KEYS);
                    long position = latest.get(key);
                    if (position == 0) {
                        Thread.onSpinWait();
                        continue;
                    }
                    readOne(key, position);
                    reads++;
                    if (reads % 16 == 0) {
                        LockSupport.parkNanos(1_000);
                    }
                }
                return reads;
            };
        }

        private void readOne(int key, long position) {
            try {
                int length = ledger.payloadLength(position);
                Bytes payload = ledger.read(position);
                if (payload.length() != length || !payload.toUtf8().startsWith("key " + key + " ")) {
                    throw new AssertionError("key " + key + " reads " + payload);
                }
            } catch (Gone gone) {
                if (latest.get(key) == position) {
                    throw new AssertionError("what is alive is gone", gone);
                }
            }
        }
    }

    @Test
    @Timeout(120)
    void readersAreNotHurtByRewriting() throws Exception {
        Traffic traffic = new Traffic();
        List<Future<Long>> readers = new ArrayList<>();
        try (ExecutorService threads = Executors.newCachedThreadPool()) {
            for (int seed = 0; seed < 3; seed++) {
                readers.add(threads.submit(traffic.reader(seed)));
            }
            Future<Integer> writer = threads.submit(traffic::write);
            Future<Integer> housekeeper = threads.submit(traffic::keepHouse);
            try {
                traffic.apply();
            } finally {
                traffic.done.set(true);
            }
            writer.get(60, TimeUnit.SECONDS);
            assertThat(housekeeper.get(60, TimeUnit.SECONDS)).as("rewrites")
                    .isGreaterThanOrEqualTo(Traffic.REWRITES);
            for (Future<Long> reader : readers) {
                assertThat(reader.get(60, TimeUnit.SECONDS)).isGreaterThan(1_000);
            }
        }
        traffic.forgetSome();
        for (int key = 0; key < Traffic.KEYS; key++) {
            traffic.readOne(key, traffic.latest.get(key));
        }
        traffic.ledger.close();
    }

    /** Each full file has one map, and the growing one; none is kept for longer than it is read. */
    @Test
    @EnabledOnOs(OS.LINUX)
    void mapsOfFilesThatAreGoneAreGone() throws Exception {
        Ledger ledger = open();
        List<Long> positions = fill(ledger);
        assertThat(maps()).hasSize(files("ledger").size());
        ledger.forget(positions.stream().mapToLong(Long::longValue).toArray(), positions.size());
        Rewrite rewrite = ledger.nextRewrite(0.25, (position, main, sub, kind, payload) -> false);
        assertThat(rewrite).isNotNull();
        assertThat(rewrite.step(Integer.MAX_VALUE) || rewrite.step(1)).isTrue();
        assertThat(files("packed")).hasSize(1);
        assertThat(maps()).hasSize(files("ledger").size() + 1).noneMatch(line -> line.contains("deleted"));
        ledger.close();
        assertThat(maps()).isEmpty();
    }

    private List<String> maps() throws IOException {
        try (Stream<String> lines = Files.lines(Path.of("/proc/self/maps"))) {
            return lines.filter(line -> line.contains(path().toString())).toList();
        }
    }

    private List<Path> files(String suffix) throws IOException {
        try (Stream<Path> all = Files.list(path())) {
            return all.filter(file -> file.toString().endsWith(suffix)).sorted().toList();
        }
    }

    /** Several full segments, with a checkpoint behind them. */
    private static List<Long> fill(Ledger ledger) {
        List<Long> positions = new ArrayList<>();
        for (int i = 1; i <= 1_000; i++) {
            positions.add(ledger.append(i, i, 1, payload(i)));
            ledger.commit(i, 1, Bytes.EMPTY);
        }
        ledger.flush();
        CheckpointWriter writer = ledger.checkpoint(ledger.mark());
        writer.add(1, Bytes.utf8("state"));
        writer.finish();
        return positions;
    }

    private static Bytes payload(int i) {
        return Bytes.utf8("record " + i + " " + "x".repeat(i % 700));
    }

    // --- a file that is cut short under its readers -----------------------------------------------------------------

    /** The pages behind the end of a map are a signal to the process; they must be no more than damage. */
    @Test
    void aFileCutShortUnderALiveMapIsDamageAndNoMore() throws Exception {
        Ledger ledger = open();
        List<Long> positions = fill(ledger);
        long[] dead = positions.stream().mapToLong(Long::longValue).filter(position -> Format.segment(position) == 1)
                .limit(100).toArray();
        ledger.forget(dead, dead.length);
        Rewrite first = ledger.nextRewrite(0.25,
                (position, main, sub, kind, payload) -> Format.segment(position) != 1 || position > dead[99]);
        assertThat(first).isNotNull();
        assertThat(first.step(Integer.MAX_VALUE) || first.step(1)).isTrue();
        Path segment = files("ledger").getFirst();
        cut(files("packed").getFirst(), 8192);
        cut(segment, 8192);

        int right = 0;
        int damaged = 0;
        for (int i = 100; i < positions.size(); i++) {
            try {
                assertThat(ledger.read(positions.get(i))).isEqualTo(payload(i + 1));
                right++;
            } catch (Damaged expected) {
                damaged++;
            }
        }
        assertThat(right).isPositive();
        assertThat(damaged).isPositive();
        long lost = positions.stream().filter(position -> segment.endsWith(FileName.segment(Format.segment(position))))
                .toList().getLast();
        assertThatThrownBy(() -> ledger.read(lost)).isInstanceOf(Damaged.class);
        assertThatThrownBy(() -> ledger.payloadLength(lost)).isInstanceOf(Damaged.class);
        assertThat(ledger.forget(new long[]{lost}, 1)).isZero();
        List<Damaged> found = new ArrayList<>();
        assertThat(ledger.scrub(found::add).step(Integer.MAX_VALUE)).isTrue();
        assertThat(found).extracting(Damaged::file).contains(files("packed").getFirst().toString(),
                files("ledger").getFirst().toString());
        for (Rewrite rewrite = next(ledger); rewrite != null; rewrite = next(ledger)) {
            assertThat(rewrite.step(Integer.MAX_VALUE) || rewrite.step(1)).isTrue();
        }
        ledger.close();
        Ledger.Recovered recovered = Ledger.open(disk, path(), LIMITS, NOBODY);
        assertThat(recovered.damage()).hasSizeGreaterThanOrEqualTo(2);
        assertThatThrownBy(() -> recovered.ledger().read(lost)).isInstanceOf(Damaged.class);
        recovered.ledger().close();
    }

    private static @Nullable Rewrite next(Ledger ledger) {
        return ledger.nextRewrite(0.0, (position, main, sub, kind, payload) -> true);
    }

    private static void cut(Path file, long length) throws IOException {
        try (FileChannel channel = FileChannel.open(file, StandardOpenOption.WRITE)) {
            channel.truncate(length);
        }
    }
}
