package dev.quoin.disk.wal;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.Random;
import java.util.concurrent.TimeUnit;

import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import dev.quoin.base.Bytes;
import dev.quoin.base.ProtoWriter;
import dev.quoin.disk.Disk;
import dev.quoin.disk.RealDisk;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

/**
 * etcd's own package judges: {@code walcheck} writes logs with it that we must read, and reads the logs we write. It is
 * looked for in the directory named by the system property {@code quoin.tools}; without it these tests are skipped, or fail
 * where CI=true.
 */
@Tag("interop")
class WalInteropTest {
    private static final WalLimits LIMITS = WalLimits.ofSegmentBytes(20_000);
    private static final long NODE = 0x8e9e05c52164694dL;
    private static final long CLUSTER = 0xcdf818194e3a8c32L;
    private static final List<String> TYPES = List.of("EntryNormal", "EntryConfChange", "EntryConfChangeV2");

    private final Disk disk = new RealDisk();

    @TempDir
    @SuppressWarnings("NullAway.Init")
    private Path temporary;

    private List<String> walcheck(String... arguments) throws IOException, InterruptedException {
        String tools = System.getProperty("quoin.tools");
        Path program = Path.of(tools == null ? "" : tools, "walcheck");
        boolean there = tools != null && Files.isExecutable(program);
        assertThat(there || !"true".equals(System.getenv("CI"))).as("no walcheck in quoin.tools=%s", tools).isTrue();
        assumeTrue(there, "no walcheck in quoin.tools=" + tools);
        List<String> command = new ArrayList<>(List.of(program.toString()));
        command.addAll(List.of(arguments));
        Path output = temporary.resolve("out");
        Path errors = temporary.resolve("err");
        Process process = new ProcessBuilder(command).redirectOutput(output.toFile()).redirectError(errors.toFile())
                .start();
        boolean ended = process.waitFor(60, TimeUnit.SECONDS);
        if (!ended) {
            process.destroyForcibly();
        }
        assertThat(ended && process.exitValue() == 0).as(() -> {
            try {
                return command + "\n" + Files.readString(errors, StandardCharsets.UTF_8);
            } catch (IOException e) {
                return e.toString();
            }
        }).isTrue();
        return Files.readAllLines(output, StandardCharsets.UTF_8).stream().filter(line -> line.startsWith("{"))
                .toList();
    }

    // --- what we found, in walcheck's words -------------------------------------------------------------------------

    private static String line(WalState state) {
        return "{\"kind\":\"state\",\"term\":%d,\"vote\":\"%s\",\"commit\":%d}".formatted(state.term(),
                Long.toHexString(state.vote()), state.commit());
    }

    private static String line(WalEntry entry) {
        return "{\"kind\":\"entry\",\"index\":%d,\"term\":%d,\"type\":\"%s\",\"len\":%d,\"sha256\":\"%s\"}".formatted(
                entry.index(), entry.term(), TYPES.get(entry.type()), entry.data().length(), sha256(entry.data()));
    }

    private static String sha256(Bytes bytes) {
        try {
            return HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(bytes.toByteArray()));
        } catch (NoSuchAlgorithmException e) {
            throw new AssertionError(e);
        }
    }

    /** The lines of entries from {@code index} on. */
    private static List<String> entriesFrom(List<String> lines, long index) {
        List<String> entries = lines.stream().filter(line -> line.startsWith("{\"kind\":\"entry\"")).toList();
        int skipped = 0;
        for (String entry : entries) {
            skipped += Long.parseLong(entry.replaceAll(".*\"index\":(\\d+).*", "$1")) < index ? 1 : 0;
        }
        return entries.subList(skipped, entries.size());
    }

    private static void assertSame(Wal.Recovered found, List<String> lines) {
        assertThat(lines).contains(line(found.state()));
        assertThat(lines.stream().filter(line -> line.startsWith("{\"kind\":\"snapshot\"")).toList().getLast())
                .contains("\"index\":" + found.snapshot().index() + ",\"term\":" + found.snapshot().term() + ",");
        assertThat(found.entries().stream().map(WalInteropTest::line).toList())
                .isEqualTo(entriesFrom(lines, found.snapshot().index() + 1));
    }

    // --- etcd writes, we read ---------------------------------------------------------------------------------------

    @ParameterizedTest
    @ValueSource(longs = {1, 2, 3, 4, 5})
    void weReadWhatEtcdWroteAndEtcdReadsWhatWeAdd(long seed) throws Exception {
        Path directory = temporary.resolve("wal");
        List<String> lines = walcheck("write", directory.toString(), "--entries", "300", "--seed", "" + seed,
                "--segment-bytes", "20000");

        Wal.Recovered found = Wal.open(disk, directory, LIMITS);
        assertThat(found.wal().segmentCount()).isGreaterThan(5);
        assertThat(found.metadata()).isEqualTo(metadata());
        assertSame(found, lines);

        long next = found.wal().lastIndex() + 1;
        WalState state = new WalState(found.state().term(), found.state().vote(), next);
        for (int i = 0; i < 30; i++) {
            WalEntry entry = new WalEntry(0, state.term(), next + i, Bytes.of(new byte[1500]));
            found.wal().append(List.of(entry), i == 0 ? state : null);
        }
        found.wal().close();

        List<String> after = walcheck("read", directory.toString(), "--write-mode");
        assertSame(Wal.open(disk, directory, LIMITS), after);
        assertThat(entriesFrom(after, next)).hasSize(30);
    }

    @Test
    void weReadALogOfEtcdWithSegmentsOfItsOwnSize() throws Exception {
        Path directory = temporary.resolve("wal");
        List<String> lines = walcheck("write", directory.toString(), "--entries", "500", "--seed", "9");

        Wal.Recovered found = Wal.open(disk, directory, WalLimits.DEFAULT);

        assertSame(found, lines);
        found.wal().close();
    }

    // --- we write, etcd reads ---------------------------------------------------------------------------------------

    /**
     * Several segments, replaced entries, snapshot marks, released segments, new beginnings; read while the writer is still
     * alive.
     */
    @ParameterizedTest
    @ValueSource(longs = {1, 2, 3, 4, 5})
    void etcdReadsWhatWeWrote(long seed) throws Exception {
        Path directory = temporary.resolve("wal");
        Wal wal = Wal.create(disk, directory, metadata(), LIMITS);
        tell(wal, new Random(seed));

        // As after a kill: nothing is closed, the last segment ends in zeros.
        List<String> killed = walcheck("read", directory.toString(), "--write-mode");
        wal.close();
        List<String> closed = walcheck("read", directory.toString(), "--write-mode");

        assertThat(killed).as("seed %d", seed).isEqualTo(closed);
        Wal.Recovered found = Wal.open(disk, directory, LIMITS);
        assertThat(found.snapshot().index()).isPositive();
        assertSame(found, closed);
        found.wal().close();
    }

    /** A record cut short: etcd and we cut off the same, and what we go on to write etcd reads. */
    @ParameterizedTest
    @ValueSource(longs = {1, 2, 3})
    void aTornTailIsCutAsEtcdCutsIt(long seed) throws Exception {
        Path directory = temporary.resolve("wal");
        Wal wal = Wal.create(disk, directory, metadata(), LIMITS);
        tell(wal, new Random(seed));
        long last = wal.lastIndex();
        WalState state = new WalState(50, NODE, last);
        wal.append(List.of(), state);
        wal.append(List.of(new WalEntry(0, 50, last + 1, Bytes.of(filled(4_000)))), null);
        // Not synced, so nobody was promised that entry: power goes, and one of its sectors is not there.
        Path segment = segments(directory).getLast();
        Path copy = temporary.resolve("after-power-cut");
        disk.createDirectory(copy);
        for (String name : disk.list(directory)) {
            Files.copy(directory.resolve(name), copy.resolve(name));
        }
        wal.close();
        byte[] bytes = Files.readAllBytes(segment);
        int end = bytes.length;
        while (bytes[end - 1] == 0) {
            end--;
        }
        try (var channel = Files.newByteChannel(copy.resolve(segment.getFileName()), StandardOpenOption.WRITE)) {
            channel.position((end - 2_000) / 512 * 512L).write(ByteBuffer.allocate(512));
        }

        List<String> read = walcheck("read", copy.toString());
        Wal.Recovered found = Wal.open(disk, copy, LIMITS);
        assertThat(found.wal().lastIndex()).as("seed %d", seed).isEqualTo(last);
        assertThat(disk.list(copy)).contains(segment.getFileName() + ".broken");
        assertSame(found, read);
        found.wal().append(List.of(new WalEntry(0, 50, last + 1, Bytes.utf8("again"))), null);
        found.wal().close();
        assertThat(entriesFrom(walcheck("read", copy.toString(), "--write-mode"), last + 1)).hasSize(1);
    }

    private List<Path> segments(Path directory) {
        return disk.list(directory).stream().filter(name -> name.endsWith(".wal")).map(directory::resolve).toList();
    }

    private static byte[] filled(int length) {
        byte[] bytes = new byte[length];
        Arrays.fill(bytes, (byte) 0x55);
        return bytes;
    }

    private static Bytes metadata() {
        ProtoWriter writer = new ProtoWriter(32);
        writer.varintField(1, NODE);
        writer.varintField(2, CLUSTER);
        return Bytes.of(writer.toByteArray());
    }

    private static Bytes confState() {
        ProtoWriter writer = new ProtoWriter(32);
        writer.varintField(1, NODE);
        writer.varintField(5, 0);
        return Bytes.of(writer.toByteArray());
    }

    /** A snapshot from a leader, beyond the last entry or in the place of some. */
    private static long beginAnew(Wal wal, Random random, long term, long commit) {
        long index = commit + 1 + random.nextInt((int) (2 * (wal.lastIndex() - commit)) + 3);
        wal.beginAnew(new WalSnapshot(index, term, confState()), new WalState(term, 0, index));
        wal.release(index, 3);
        return index;
    }

    private static void tell(Wal wal, Random random) {
        long term = 1;
        long commit = 0;
        for (int round = 0; round < 80; round++) {
            if (round % 27 == 25) {
                commit = beginAnew(wal, random, ++term, commit);
            }
            long last = wal.lastIndex();
            if (random.nextInt(6) == 0 && last > commit + 1) {
                term++;
                last = commit + 1;
            }
            List<WalEntry> entries = new ArrayList<>();
            for (int i = 1; i <= 1 + random.nextInt(8); i++) {
                byte[] data = new byte[random.nextInt(5) == 0 ? 0 : random.nextInt(900)];
                random.nextBytes(data);
                entries.add(new WalEntry(random.nextInt(3), term, last + i, Bytes.of(data)));
            }
            long end = entries.getLast().index();
            commit += random.nextInt((int) (end - commit));
            wal.append(entries, new WalState(term, NODE, commit));
            wal.sync();
            if (round % 20 == 19) {
                wal.append(List.of(), new WalState(term, NODE, end));
                commit = end;
                wal.saveSnapshot(new WalSnapshot(commit, term, confState()));
                wal.release(commit, 3);
            }
        }
    }
}
