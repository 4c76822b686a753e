package dev.quoin.trial;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;

import io.grpc.StatusRuntimeException;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import static org.assertj.core.api.Assertions.assertThat;

/**
 * The kernel bears witness, through strace: between a put's bytes and its answer lies a completed sync of the log; and when
 * a sync fails, the process ends without an answer, and what it did answer is there afterwards.
 */
@Tag("interop")
class SyncTest {
    private static final int PUTS = 40;
    private static final int PREFACE_BYTES = 24;
    private static final int PUTS_MAX = 2_000;
    /** More than a slow start needs: the ledger is flushed about every 100 ms while there is something to flush. */
    private static final int FLUSHES_BEFORE = 15;
    private static final Duration SOON = Duration.ofSeconds(30);

    @TempDir
    @SuppressWarnings("NullAway.Init")
    Path directory;

    @SuppressWarnings("NullAway.Init")
    private Path home;
    @SuppressWarnings("NullAway.Init")
    private Path strace;

    @BeforeEach
    void find() throws IOException {
        home = directory.toRealPath(); // strace compares whole paths
        strace = Tools.system("strace", "strace");
    }

    /** A tracer as the grandchild, so that the process we start and signal is the server. */
    private List<String> strace(String... options) {
        List<String> command = new ArrayList<>(List.of(strace.toString(), "-D", "-f", "--seccomp-bpf"));
        command.addAll(List.of(options));
        return command;
    }

    private List<String> failing(Path file, int when) {
        return strace("-qqq", "-o", "/dev/null", "-P", file.toString(), "-e", "trace=fdatasync,fsync", "-e",
                "inject=fdatasync,fsync:error=EIO:when=" + when);
    }

    @Test
    void noAnswerBeforeItsSync() throws Exception {
        Path file = home.resolve("trace");
        try (ServerProcess server = ServerProcess.prepared(home).wrappedBy(strace("-xx", "-yy", "-s", "2048", "-o",
                file.toString(), "-e",
                "trace=fdatasync,fsync,read,readv,recvfrom,recvmsg,write,writev,sendto,sendmsg,pwrite64,pwritev"))) {
            server.start();
            try (PlainClient client = new PlainClient(server)) {
                for (int i = 0; i < PUTS; i++) {
                    client.put("key-" + i, "value");
                }
            }
            server.sigterm(SOON);
            awaitEnd(file, server.pid());
            assertThat(syncedAnswers(Trace.read(file), server.clientPort())).isEqualTo(PUTS);
        }
    }

    /** How many requests were answered; each after its own write to the log and a sync of it. */
    static int syncedAnswers(Trace trace, int port) {
        String socket = "TCP(v6)?:.*:" + port + "->.*";
        List<Trace.Frame> requests = Trace.frames(trace.succeeded(
                call -> call.target().matches(socket) && call.name().matches("read|readv|recvfrom|recvmsg")),
                PREFACE_BYTES);
        List<Trace.Frame> answers = Trace.frames(trace.succeeded(
                call -> call.target().matches(socket) && call.name().matches("write|writev|sendto|sendmsg")), 0);
        List<Trace.Call> writes = trace
                .succeeded(call -> call.target().endsWith(".wal") && call.name().matches("p?write(v|64)?"));
        List<Trace.Call> syncs = trace
                .succeeded(call -> call.target().endsWith(".wal") && call.name().matches("fdatasync|fsync"));
        int answered = 0;
        for (Trace.Frame request : requests) {
            if (!request.endsStream()) {
                continue;
            }
            Trace.Frame answer = answers.stream().filter(frame -> frame.stream() == request.stream()).findFirst()
                    .orElseThrow();
            assertThat(writes).as("stream %d: written and synced between %d and %d", request.stream(), request.last(),
                    answer.first())
                    .anyMatch(write -> write.began() > request.last() && syncs.stream()
                            .anyMatch(sync -> sync.began() > write.ended() && sync.ended() < answer.first()));
            answered++;
        }
        return answered;
    }

    /** Strace, which is nobody's child, notes the end of the process last. */
    private static void awaitEnd(Path trace, long pid) throws Exception {
        long deadline = System.nanoTime() + SOON.toNanos();
        while (Files.readAllLines(trace).stream().noneMatch(line -> line.matches(pid + " +\\+\\+\\+ .*"))) {
            assertThat(System.nanoTime()).as("strace has not ended").isLessThan(deadline);
            Thread.sleep(20);
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {8, 25})
    void aFailedSyncOfTheLogEndsTheProcessUnanswered(int when) throws Exception {
        try (ServerProcess server = ServerProcess.prepared(home)) {
            Path segment = server.wal().resolve("0000000000000000-0000000000000000.wal");
            server.wrappedBy(failing(segment, when)).start();
            List<String> acknowledged = putUntilItEnds(server);
            // A sync each, so the put whose sync failed is not among them.
            assertThat(acknowledged).hasSizeBetween(1, when - 1);
            assertThat(server.stderr()).contains(segment.getFileName().toString(), "Input/output error");
            assertAllThereAfterARestart(server, acknowledged);
        }
    }

    @Test
    void aFailedFirstSyncOfTheLogEndsTheStart() throws Exception {
        try (ServerProcess server = ServerProcess.prepared(home)) {
            server.wrappedBy(failing(server.wal().resolve("0000000000000000-0000000000000000.wal"), 1)).spawn();
            assertThat(server.awaitExit(SOON)).isNotZero();
            assertThat(server.stderr()).contains("0000000000000000-0000000000000000.wal", "Input/output error");
            assertAllThereAfterARestart(server, List.of());
        }
    }

    @Test
    void aFailedSyncOfTheLedgerEndsTheProcessAndLosesNothing() throws Exception {
        List<String> files = ledgerFilesOfAYoungMember();
        assertThat(files).isNotEmpty();
        for (String file : files) {
            try (ServerProcess server = ServerProcess.prepared(Files.createDirectory(home.resolve("of-" + file)))) {
                Path path = server.dataDirectory().resolve("member/ledger").resolve(file);
                server.wrappedBy(failing(path, FLUSHES_BEFORE)).start();
                List<String> acknowledged = putUntilItEnds(server);
                assertThat(server.stderr()).contains(file, "Input/output error");
                assertAllThereAfterARestart(server, acknowledged);
            }
        }
    }

    private List<String> ledgerFilesOfAYoungMember() throws Exception {
        try (ServerProcess server = ServerProcess.started(Files.createDirectory(home.resolve("young")))) {
            server.sigterm(SOON);
            try (Stream<Path> files = Files.list(server.dataDirectory().resolve("member/ledger"))) {
                return files.map(file -> file.getFileName().toString()).sorted().toList();
            }
        }
    }

    /** Puts until one is not answered, as it must be when the process has ended; returns the pairs acknowledged. */
    private static List<String> putUntilItEnds(ServerProcess server) throws Exception {
        List<String> acknowledged = new ArrayList<>();
        try (PlainClient client = new PlainClient(server)) {
            for (int i = 0; i < PUTS_MAX; i++) {
                client.put("key-%04d".formatted(i), "value-" + i);
                acknowledged.add("key-%04d=value-%d".formatted(i, i));
            }
            throw new AssertionError("no sync has failed in " + PUTS_MAX + " puts:\n" + server.stderr());
        } catch (StatusRuntimeException unanswered) {
            assertThat(server.awaitExit(SOON)).isNotZero();
        }
        return acknowledged;
    }

    private static void assertAllThereAfterARestart(ServerProcess server, List<String> acknowledged)
            throws Exception {
        server.wrappedBy(List.of()).start();
        try (PlainClient client = new PlainClient(server)) {
            assertThat(client.pairs("key-")).containsAll(acknowledged);
            client.put("after", "it serves");
        }
    }
}
