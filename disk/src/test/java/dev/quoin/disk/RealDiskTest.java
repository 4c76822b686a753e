package dev.quoin.disk;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.LockSupport;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

import dev.quoin.base.Bytes;
import dev.quoin.disk.ledger.Ledger;
import dev.quoin.disk.ledger.LedgerLimits;
import dev.quoin.disk.wal.Wal;
import dev.quoin.disk.wal.WalEntry;
import dev.quoin.disk.wal.WalLimits;
import dev.quoin.disk.wal.WalState;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

class RealDiskTest {
    private final RealDisk disk = new RealDisk();

    @TempDir
    @SuppressWarnings("NullAway.Init")
    private Path directory;

    @Test
    void filesAndDirectoriesAreTheOwnersAlone() throws IOException {
        disk.createDirectories(directory.resolve("a/b"));
        disk.create(directory.resolve("a/b/file")).close();

        assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(directory.resolve("a/b"))))
                .isEqualTo("rwx------");
        assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(directory.resolve("a/b/file"))))
                .isEqualTo("rw-------");
        assertThat(disk.list(directory.resolve("a"))).containsExactly("b");
    }

    @Test
    void whatCannotBeLookedForIsNotTakenToBeMissing() throws IOException {
        Path loop = Files.createSymbolicLink(directory.resolve("loop"), directory.resolve("loop"));
        assertThatThrownBy(() -> disk.exists(loop)).isInstanceOf(DiskFailure.class)
                .hasMessageContaining("loop: look for failed");
        assertThat(disk.exists(directory.resolve("nothing"))).isFalse();
        assertThat(disk.exists(directory.resolve("nothing/below"))).isFalse();
        assertThat(disk.exists(directory)).isTrue();
    }

    @Test
    void aLockIsFoundWithoutBeingTaken() {
        assertThat(disk.isLocked(directory)).isFalse();
        assertThat(disk.list(directory)).as("nothing is made to find out").isEmpty();
        DiskLock lock = disk.lock(directory);
        assertThat(disk.isLocked(directory)).isTrue();
        lock.close();
        assertThat(disk.isLocked(directory)).isFalse();
        Path name = directory.resolve("file");
        try (DiskFile owner = disk.create(name); DiskFile other = disk.openToRead(name)) {
            assertThat(other.isLocked()).isFalse();
            owner.lock();
            assertThat(other.isLocked()).isTrue();
        }
    }

    @Test
    void aFileIsWrittenZeroedCutAndRenamed() {
        Path name = directory.resolve("file");
        try (DiskFile file = disk.create(name)) {
            file.zero(0, 1_000_000);
            file.writeFully(500_000, new byte[]{1, 2, 3}, 1, 2);
            file.sync();
            assertThat(file.size()).isEqualTo(1_000_000);
            ByteBuffer read = ByteBuffer.allocate(4);
            assertThat(file.readFully(499_999, read)).isEqualTo(4);
            assertThat(read.array()).containsExactly(0, 2, 3, 0);
            file.truncate(500_001);
            assertThat(file.readFully(500_000, read.clear())).isEqualTo(1);
            file.truncate(600_000);
            assertThat(file.size()).isEqualTo(600_000);
            file.renameTo(directory.resolve("other"));
            assertThat(file.path()).isEqualTo(directory.resolve("other"));
        }
        disk.syncDirectory(directory);
        assertThat(disk.list(directory)).containsExactly("other");
        disk.delete(directory.resolve("other"));
        assertThat(disk.exists(directory.resolve("other"))).isFalse();
    }

    @Test
    void failuresSayWhatWhereAndWhy() {
        assertThatThrownBy(() -> disk.open(directory.resolve("none"))).isInstanceOf(DiskFailure.class)
                .hasMessage("%s/none: open failed: NoSuchFileException: %s/none", directory, directory);
        disk.create(directory.resolve("file")).close();
        assertThatThrownBy(() -> disk.create(directory.resolve("file"))).isInstanceOf(DiskFailure.class)
                .hasMessageContaining("create failed: FileAlreadyExistsException");
    }

    @Test
    void aDirectoryInUseIsNamed() {
        DiskLock lock = disk.lock(directory);
        assertThatThrownBy(() -> disk.lock(directory)).isInstanceOf(DiskFailure.class)
                .hasMessage("%s: lock failed: in use by another process; stop it, or choose another directory",
                        directory);
        lock.close();
        disk.lock(directory).close();
    }

    /** The lock is one that other processes see, for etcd takes the same kind on the same files. */
    @Test
    void anotherProcessCannotTakeALogThatIsInUse() throws Exception {
        Wal wal = Wal.create(disk, directory.resolve("wal"), Bytes.EMPTY, WalLimits.ofSegmentBytes(4096));
        String java = Path.of(System.getProperty("java.home"), "bin", "java").toString();
        Process process = new ProcessBuilder(java, "-cp", System.getProperty("java.class.path"),
                OtherProcess.class.getName(), directory.resolve("wal").toString()).redirectErrorStream(true).start();
        String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertThat(process.waitFor(30, TimeUnit.SECONDS)).isTrue();
        assertThat(output).contains("in use by another process");
        wal.close();
    }

    /** What the other process does: opens the log and says how that went. */
    static final class OtherProcess {
        private OtherProcess() {}

        public static void main(String[] arguments) {
            try {
                Wal.open(new RealDisk(), Path.of(arguments[0]), WalLimits.ofSegmentBytes(4096));
            } catch (DiskFailure e) {
                System.out.println(e.getMessage());
            }
        }
    }

    /** A page of a view that is no longer there is a damaged record, not the end of the JVM. */
    @Test
    void aViewOfAFileThatWasCutIsDamaged() throws IOException {
        Path name = directory.resolve("file");
        try (DiskFile file = disk.create(name)) {
            file.zero(0, 100_000);
            FileView view = file.view(100_000);
            view.read(99_000, new byte[1000], 0, 1000);
            try (FileChannel channel = FileChannel.open(name, StandardOpenOption.WRITE)) {
                channel.truncate(10);
            }
            for (int i = 0; i < 100_000; i++) {
                assertThatThrownByRead(view, name);
            }
            view.close();
        }
    }

    private static void assertThatThrownByRead(FileView view, Path name) {
        try {
            view.read(50_000, new byte[1000], 0, 1000);
        } catch (Damaged e) {
            if (e.file().equals(name.toString()) && e.offset() == 50_000) {
                return;
            }
        }
        throw new AssertionError("a read behind the end of the file was answered");
    }

    @Test
    void aLogAndALedgerLiveOnIt() {
        Wal wal = Wal.create(disk, directory.resolve("wal"), Bytes.utf8("node"), WalLimits.ofSegmentBytes(100_000));
        List<WalEntry> entries = new ArrayList<>();
        for (int i = 1; i <= 2_000; i++) {
            WalEntry entry = new WalEntry(0, 1, i, Bytes.of(new byte[i % 700]));
            entries.add(entry);
            wal.append(List.of(entry), new WalState(1, 1, i));
            if (wal.nextIsWanted()) {
                wal.prepareNext();
            }
        }
        wal.close();
        Wal.Recovered recovered = Wal.open(disk, directory.resolve("wal"), WalLimits.ofSegmentBytes(100_000));
        assertThat(recovered.entries()).isEqualTo(entries);
        assertThat(recovered.wal().segmentCount()).isGreaterThan(3);
        recovered.wal().close();
    }

    /** One applies, one writes, many read and are interrupted while they do. */
    @Test
    @Timeout(120)
    void readersAreNotHurtByWriterRollsOrInterrupts() throws Exception {
        LedgerLimits limits = new LedgerLimits(64 << 10, 4 << 10, 1 << 20);
        Path path = directory.resolve("ledger");
        Ledger ledger = Ledger.open(disk, path, limits, (position, main, sub, kind, payload) -> {}).ledger();
        int records = 20_000;
        long[] positions = new long[records];
        AtomicLong published = new AtomicLong();
        try (ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
            List<Future<Long>> readers = new ArrayList<>();
            for (int reader = 0; reader < 8; reader++) {
                int seed = reader;
                readers.add(threads.submit(reader(ledger, positions, published, seed)));
            }
            FutureTask<?> writer = new FutureTask<>(() -> {
                while (ledger.durableIndex() < records) {
                    if (!ledger.flush()) {
                        LockSupport.parkNanos(1_000);
                    }
                }
                return records;
            });
            Thread.ofPlatform().start(writer);
            for (int i = 0; i < records; i++) {
                positions[i] = ledger.append(i, 0, 1, payload(i));
                ledger.commit(i + 1L, 1, Bytes.EMPTY);
                published.set(i + 1L);
                while (ledger.isBacklogged() && !writer.isDone()) {
                    LockSupport.parkNanos(1_000);
                }
            }
            writer.get(60, TimeUnit.SECONDS);
            for (Future<Long> reader : readers) {
                assertThat(reader.get(60, TimeUnit.SECONDS)).isGreaterThan(100);
            }
        }
        assertThat(disk.list(path)).hasSizeGreaterThan(20);
        ledger.close();
        List<Bytes> replayed = new ArrayList<>();
        Ledger.open(disk, path, limits, (position, main, sub, kind, payload) -> replayed.add(payload.compact()))
                .ledger().close();
        assertThat(replayed).hasSize(records).endsWith(payload(records - 1));
    }

    private static Callable<Long> reader(Ledger ledger, long[] positions, AtomicLong published, int seed) {
        return () -> {
            Random random = new Random(seed);
            long reads = 0;
            while (published.get() < positions.length || reads < 1_000) {
                long there = published.get();
                // Virtual threads share few carriers and are not taken off them.
                LockSupport.parkNanos(1_000);
                if (there == 0) {
                    continue;
                }
                // Mostly the newest, which are on their way from the heap to the file.
                int back = random.nextInt((int) Math.min(there, random.nextBoolean() ? 20 : there));
                int i = (int) there - 1 - back;
                if (random.nextInt(10) == 0) {
                    Thread.currentThread().interrupt();
                }
                if (!ledger.read(positions[i]).equals(payload(i))) {
                    throw new AssertionError("seed " + seed + ": record " + i + " differs");
                }
                Thread.interrupted();
                reads++;
            }
            return reads;
        };
    }

    private static Bytes payload(int i) {
        return Bytes.utf8("record " + i + " " + "x".repeat(i % 100));
    }
}
