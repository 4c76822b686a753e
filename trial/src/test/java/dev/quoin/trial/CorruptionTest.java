package dev.quoin.trial;

import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

import io.etcd.jetcd.ByteSequence;
import io.etcd.jetcd.Client;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import static org.assertj.core.api.Assertions.assertThat;

/**
 * Three members of which one was restored from another file than the others: all agree on the log, and one holds something
 * else. Each of the three comparisons finds it; among members that hold the same none finds anything.
 */
@Tag("interop")
class CorruptionTest {
    private static final long PATIENCE_MILLIS = 60_000;
    private static final int KEYS = 20;

    @TempDir
    @SuppressWarnings("NullAway.Init")
    Path home;

    private final List<ServerProcess> members = new ArrayList<>();
    private String cluster = "";

    @AfterEach
    void stop() {
        members.forEach(ServerProcess::close);
    }

    private static ByteSequence bytes(String text) {
        return ByteSequence.from(text, StandardCharsets.UTF_8);
    }

    private static <T> T await(CompletableFuture<T> answer) throws Exception {
        return answer.get(20, TimeUnit.SECONDS);
    }

    private static Program.Result run(Path program, String... arguments) throws Exception {
        return Program.of(program).within(Duration.ofMinutes(1)).run(arguments);
    }

    private static void put(ServerProcess server, String value, int from) throws Exception {
        try (Client client = Client.builder().endpoints(server.clientUrl()).build()) {
            for (int i = from; i < from + KEYS; i++) {
                await(client.getKVClient().put(bytes("k" + i), bytes(value)));
            }
        }
    }

    /** A snapshot in which all keys have this value. */
    private Path saved(String value) throws Exception {
        Path file = home.resolve(value + ".db");
        try (ServerProcess server = ServerProcess.started(Files.createDirectories(home.resolve(value)))) {
            put(server, value, 0);
            assertThat(run(Tools.built("etcdctl"), "--endpoints", server.clientUrl(), "snapshot", "save",
                    file.toString()).exitCode()).isZero();
        }
        return file;
    }

    /** Three members from these files, not started. */
    private void restored(Path... files) throws Exception {
        List<Integer> ports = ServerProcess.freePorts(2 * files.length);
        for (int i = 0; i < files.length; i++) {
            members.add(ServerProcess.of(ServerProcess.image(), Files.createDirectories(home.resolve("m" + i)),
                    ports.get(2 * i), ports.get(2 * i + 1)));
        }
        cluster = IntStream.range(0, files.length).mapToObj(i -> "m" + i + "=" + members.get(i).peerUrl())
                .collect(Collectors.joining(","));
        for (int i = 0; i < files.length; i++) {
            Program.Result restored = run(ServerProcess.image().resolveSibling("etcdutl"), "snapshot", "restore",
                    files[i].toString(), "--data-dir", members.get(i).dataDirectory().toString(), "--name", "m" + i,
                    "--initial-cluster", cluster, "--initial-advertise-peer-urls", members.get(i).peerUrl());
            assertThat(restored.exitCode()).as(restored.stderr()).isZero();
        }
    }

    private void spawn(int member, String... flags) throws Exception {
        members.get(member).with("--name", "m" + member, "--initial-cluster", cluster).with(flags).spawn();
    }

    private String alarms() throws Exception {
        // Go puts one space or two.
        return run(Tools.built("etcdctl"), "--endpoints", members.getFirst().clientUrl(), "alarm", "list").stdout()
                .replaceAll(" +", " ");
    }

    private void awaitCorrupt(int member) throws Exception {
        long until = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(PATIENCE_MILLIS);
        String expected = "memberID:" + Long.toUnsignedString(id(member)) + " alarm:CORRUPT";
        while (!alarms().contains(expected)) {
            assertThat(System.nanoTime()).as("%s of %s; %s", alarms(), expected, members.getFirst().stderr())
                    .isLessThan(until);
            Thread.sleep(200);
        }
    }

    private long id(int member) throws Exception {
        try (Client client = Client.builder().endpoints(members.getFirst().clientUrl()).build()) {
            return await(client.getClusterClient().listMember()).getMembers().stream()
                    .filter(known -> known.getName().equals("m" + member)).findFirst().orElseThrow().getId();
        }
    }

    @Test
    void aMemberThatDiffersDoesNotServeAndIsNamedAfterACompaction() throws Exception {
        Path one = saved("one");
        restored(one, one, saved("other"));
        spawn(0, "--compact-hash-check-time", "1s");
        spawn(1, "--compact-hash-check-time", "1s");
        members.get(0).awaitReady();
        members.get(1).awaitReady();

        ServerProcess differs = members.get(2);
        spawn(2, "--feature-gates", "InitialCorruptCheck=true");
        assertThat(differs.awaitExit(Duration.ofSeconds(30))).isEqualTo(1);
        assertThat(differs.stderr()).contains("found different hash values from remote peer")
                .contains("found data inconsistency with peers");

        // Later flags count more.
        spawn(2, "--feature-gates", "InitialCorruptCheck=false");
        differs.awaitReady();
        Thread.sleep(2_500);
        assertThat(alarms()).as("so far nobody looks").isEmpty();
        try (Client client = Client.builder().endpoints(members.getFirst().clientUrl()).build()) {
            await(client.getKVClient().compact(KEYS));
        }
        awaitCorrupt(2);
    }

    @Test
    void aMemberThatDiffersIsNamedByALeaderThatComparesAll() throws Exception {
        Path one = saved("one");
        restored(one, one, saved("other"));
        spawn(0, "--corrupt-check-time", "1s", "--feature-gates", "CompactHashCheck=false");
        spawn(1, "--corrupt-check-time", "1s", "--feature-gates", "CompactHashCheck=false");
        members.get(0).awaitReady();
        members.get(1).awaitReady();
        spawn(2);
        awaitCorrupt(2);
    }

    /** Under load and compactions, with a restart that compares before it serves. */
    @Test
    void membersThatHoldTheSameRaiseNothing() throws Exception {
        Path one = saved("one");
        restored(one, one, one);
        for (int i = 0; i < members.size(); i++) {
            spawn(i, "--corrupt-check-time", "300ms", "--compact-hash-check-time", "300ms");
        }
        for (ServerProcess member : members) {
            member.awaitReady();
        }
        for (int round = 0; round < 8; round++) {
            put(members.get(round % 3), "round " + round, 10 * round);
            try (Client client = Client.builder().endpoints(members.getFirst().clientUrl()).build()) {
                await(client.getKVClient().compact(KEYS + 15L * round));
            }
            Thread.sleep(500);
        }
        String logs = members.stream().map(ServerProcess::stderr).collect(Collectors.joining());
        assertThat(logs.contains("successfully checked hash on whole cluster")).isTrue();
        assertThat(logs.contains("finished peer corruption check")).isTrue();
        assertThat(logs.contains("hash mismatch")).isFalse();
        members.get(1).sigterm(Duration.ofSeconds(20));
        spawn(1, "--feature-gates", "InitialCorruptCheck=true");
        members.get(1).awaitReady();
        assertThat(members.get(1).stderr()).contains("initial corruption checking passed; no corruption");
        assertThat(alarms()).isEmpty();
    }
}
