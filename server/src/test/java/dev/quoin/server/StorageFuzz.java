package dev.quoin.server;

import java.io.ByteArrayOutputStream;
import java.nio.file.Path;
import java.util.List;
import java.util.Random;

import dev.quoin.base.Bytes;
import dev.quoin.disk.Damaged;
import dev.quoin.disk.ledger.Ledger;
import dev.quoin.disk.ledger.LedgerLimits;
import dev.quoin.disk.memory.FaultyDisk;
import dev.quoin.disk.snapshot.BucketRows;
import dev.quoin.disk.snapshot.RevisionKey;
import dev.quoin.disk.snapshot.SnapshotLimits;
import dev.quoin.disk.snapshot.SnapshotReader;
import dev.quoin.disk.snapshot.SnapshotWriter;
import dev.quoin.disk.wal.Wal;
import dev.quoin.disk.wal.WalEntry;
import dev.quoin.disk.wal.WalLimits;
import dev.quoin.disk.wal.WalState;

/**
 * Files that are not what was written. An input is a list of changes of a good file, five bytes each: how, where (two), and two more
 * as value; so most of it stays good, and what is changed is looked at. Either it is damage, named, or it is harmless.
 */
public final class StorageFuzz {
    private static final int STEP = 5;
    private static final int KINDS = 4;

    private StorageFuzz() {}

    private static byte[] changed(byte[] good, byte[] input) {
        byte[] bytes = good.clone();
        for (int i = 0; i + STEP <= input.length; i += STEP) {
            int at = ((input[i + 1] & 0xff) << 8 | (input[i + 2] & 0xff)) % bytes.length;
            switch ((input[i] & 0xff) % KINDS) {
                case 0 -> bytes[at] = input[i + 3];
                case 1 -> bytes[at] ^= (byte) (1 << (input[i + 3] & 7));
                case 2 -> {
                    for (int n = at; n < Math.min(bytes.length, at + 8); n++) {
                        bytes[n] = input[i + 3 + (n & 1)];
                    }
                }
                default -> bytes = java.util.Arrays.copyOf(bytes, Math.max(1, at));
            }
        }
        return bytes;
    }

    /** The last segment of a write-ahead log, with and without the mark of what was synced. */
    public static final class Wals {
        private static final Path DIRECTORY = Path.of("wal");
        private static final WalLimits LIMITS = WalLimits.ofSegmentBytes(2_048);
        private static final FaultyDisk GOOD = written();
        private static final Path LAST = DIRECTORY.resolve(GOOD.list(DIRECTORY).stream()
                .filter(name -> name.endsWith(".wal")).max(String::compareTo).orElseThrow());

        private Wals() {}

        private static FaultyDisk written() {
            FaultyDisk disk = new FaultyDisk(new Random(1));
            Wal wal = Wal.create(disk, DIRECTORY, Bytes.utf8("somedata"), LIMITS);
            for (int i = 1; i <= 40; i++) {
                wal.append(List.of(new WalEntry(0, i / 9, i, Bytes.utf8("data".repeat(i % 5)))),
                        new WalState(i / 9, 1, i - 1));
            }
            wal.close();
            return disk;
        }

        public static void fuzzerTestOneInput(byte[] input) {
            if (input.length == 0) {
                return;
            }
            FaultyDisk disk = GOOD.copy(new Random(1));
            if ((input[0] & 0x80) != 0) {
                disk.delete(DIRECTORY.resolve("synced"));
            }
            disk.put(LAST, changed(disk.contents(LAST), input));
            try {
                Wal.open(disk, DIRECTORY, LIMITS).wal().close();
            } catch (Damaged named) {
                return;
            }
        }
    }

    /** A file of the ledger. */
    public static final class Ledgers {
        private static final Path DIRECTORY = Path.of("ledger");
        private static final Path FILE = DIRECTORY.resolve("00000001.ledger");
        private static final LedgerLimits LIMITS = new LedgerLimits(1 << 20, 4 << 10, 1 << 20);
        private static final FaultyDisk GOOD = written();

        private Ledgers() {}

        private static FaultyDisk written() {
            FaultyDisk disk = new FaultyDisk(new Random(1));
            Ledger ledger = Ledger.open(disk, DIRECTORY, LIMITS, (position, main, sub, kind, payload) -> {}).ledger();
            for (int i = 1; i <= 40; i++) {
                ledger.append(i, 0, 1 + i % 3, Bytes.utf8("value".repeat(i % 7)));
                ledger.commit(i, 1, Bytes.utf8("voters"));
                if (i % 5 == 0) {
                    ledger.flush();
                }
            }
            ledger.flush();
            return disk;
        }

        public static void fuzzerTestOneInput(byte[] input) {
            FaultyDisk disk = GOOD.copy(new Random(1));
            disk.put(FILE, changed(disk.contents(FILE), input));
            try {
                Ledger.open(disk, DIRECTORY, LIMITS, (position, main, sub, kind, payload) -> payload.toByteArray());
            } catch (Damaged named) {
                return;
            }
        }
    }

    /** A database of etcd's. */
    public static final class Databases {
        private static final Path FILE = Path.of("db");
        private static final SnapshotLimits LIMITS = new SnapshotLimits(1 << 20, 16, 32, 1 << 20);
        private static final byte[] GOOD = written();

        private Databases() {}

        private static byte[] written() {
            BucketRows keys = new BucketRows(Bytes.utf8("key"), sink -> {
                for (int i = 2; i < 200; i++) {
                    sink.row(new RevisionKey(i, 0, i % 7 == 0).encode(), Bytes.utf8("value".repeat(i % 50)));
                }
            });
            BucketRows meta = new BucketRows(Bytes.utf8("meta"), sink -> {
                sink.row(Bytes.utf8("consistent_index"), Bytes.of(new byte[8]));
                sink.row(Bytes.utf8("term"), Bytes.of(new byte[8]));
            });
            ByteArrayOutputStream bytes = new ByteArrayOutputStream();
            SnapshotWriter.measure(List.of(keys, meta)).writeTo(bytes::write);
            return bytes.toByteArray();
        }

        public static void fuzzerTestOneInput(byte[] input) {
            FaultyDisk disk = new FaultyDisk(new Random(1));
            disk.put(FILE, changed(GOOD, input));
            try (SnapshotReader reader = SnapshotReader.open(disk, FILE, LIMITS)) {
                for (BucketRows bucket : reader.buckets()) {
                    bucket.rows().forEach((key, value) -> key.toByteArray());
                }
            } catch (Damaged named) {
                return;
            }
        }
    }
}
