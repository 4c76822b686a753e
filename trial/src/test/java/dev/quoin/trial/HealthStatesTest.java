package dev.quoin.trial;

import java.io.IOException;
import java.net.ConnectException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;

import io.etcd.jetcd.api.AlarmRequest;
import io.etcd.jetcd.api.ClusterGrpc;
import io.etcd.jetcd.api.KVGrpc;
import io.etcd.jetcd.api.MaintenanceGrpc;
import io.etcd.jetcd.api.MemberAddRequest;
import io.etcd.jetcd.api.PutRequest;
import io.etcd.jetcd.api.WatchCreateRequest;
import io.etcd.jetcd.api.WatchGrpc;
import io.etcd.jetcd.api.WatchRequest;
import io.grpc.stub.StreamObserver;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import static org.assertj.core.api.Assertions.assertThat;

/** What etcd 3.7.1 and Quoin say about their health, asked the same in the same states: codes, fields and bodies. */
@Tag("interop")
class HealthStatesTest {
    /** These answer at once in every state. */
    private static final List<String> LOCAL = List.of("GET /health?serializable=true", "GET /livez",
            "GET /livez?verbose", "GET /livez/serializable_read?verbose", "GET /readyz/data_corruption",
            "GET /readyz/serializable_read", "GET /readyz/non_learner?verbose=x",
            "GET /readyz?exclude=linearizable_read&verbose", "POST /health", "PUT /livez",
            "POST /readyz/non_learner", "GET /livez/linearizable_read", "GET /readyz/x", "GET /healthz");
    private static final List<String> ALL = List.of("GET /health", "GET /health?serializable=false",
            "GET /health?exclude=NOSPACE", "GET /health?exclude=NOSPACE&exclude=CORRUPT", "GET /health?exclude=x",
            "GET /readyz", "GET /readyz?verbose", "GET /readyz/linearizable_read?verbose",
            "GET /readyz?exclude=data_corruption&exclude=non_learner", "GET /readyz?exclude=nonsense",
            "GET /readyz?exclude=data%5Fcorruption&verbose");
    private static final Duration PATIENCE = Duration.ofSeconds(60);
    private static final long ELECTION_TIMEOUT_MILLIS = 1_000;
    private static final int NO_SPACE = 1;
    private static final int CORRUPT = 2;

    @TempDir
    @SuppressWarnings("NullAway.Init")
    Path home;

    private final HttpClient http = HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build();

    /** A script that asks servers of one kind. */
    private interface Script {
        List<String> run(Kind kind) throws Exception;
    }

    /** Servers of one program. */
    private final class Kind implements AutoCloseable {
        private final String name;
        private final Path program;
        private final List<ServerProcess> servers = new ArrayList<>();

        Kind(String name, Path program) {
            this.name = name;
            this.program = program;
        }

        ServerProcess server(List<Integer> ports, String... flags) throws IOException {
            Path directory = Files.createDirectories(home.resolve(name + servers.size()));
            ServerProcess server = ServerProcess.of(program, directory, ports.get(0), ports.get(1))
                    .with("--listen-metrics-urls", metrics(ports)).with(flags);
            servers.add(server);
            return server;
        }

        @Override
        public void close() {
            servers.forEach(ServerProcess::close);
        }
    }

    private static String metrics(List<Integer> ports) {
        return "http://127.0.0.1:" + ports.get(2);
    }

    private void assertSame(Script script) throws Exception {
        List<String> etcd;
        List<String> quoin;
        try (Kind kind = new Kind("etcd", Tools.built("etcd"))) {
            etcd = script.run(kind);
        }
        try (Kind kind = new Kind("quoin", ServerProcess.image())) {
            quoin = script.run(kind);
        }
        assertThat(String.join("\n", quoin)).isEqualTo(String.join("\n", etcd));
    }

    private List<String> ask(String url, List<String> questions) throws Exception {
        List<String> answers = new ArrayList<>();
        for (String question : questions) {
            answers.add(question + " -> " + ask(url, question));
        }
        return answers;
    }

    /** Code, fields and body of an answer; the lines of checks, which etcd makes in any order, in one order. */
    private String ask(String url, String question) throws Exception {
        String[] parts = question.split(" ", 2);
        HttpResponse<String> answer = http.send(HttpRequest.newBuilder(URI.create(url + parts[1]))
                .method(parts[0], HttpRequest.BodyPublishers.noBody()).timeout(PATIENCE).build(),
                HttpResponse.BodyHandlers.ofString());
        String body = answer.body().startsWith("[")
                ? answer.body().lines().sorted().collect(Collectors.joining("\n")) + answer.body().length()
                : answer.body();
        String fields = answer.statusCode() == 404
                ? ""
                : List.of("content-type", "x-content-type-options", "allow", "content-length").stream()
                        .map(name -> answer.headers().firstValue(name).orElse("-")).collect(Collectors.joining(" "));
        return answer.statusCode() + " " + fields + " " + body;
    }

    @Test
    void aMemberThatServesAndThenHasAlarms() throws Exception {
        List<Integer> ports = ServerProcess.freePorts(3);
        assertSame(kind -> {
            ServerProcess server = kind.server(ports);
            server.start();
            List<String> transcript = new ArrayList<>();
            try (PlainClient client = new PlainClient(server)) {
                askAll(transcript, server, ports);
                alarm(client, AlarmRequest.AlarmAction.ACTIVATE, NO_SPACE);
                askAll(transcript, server, ports);
                // One at a time: of several, etcd names any.
                alarm(client, AlarmRequest.AlarmAction.DEACTIVATE, NO_SPACE);
                alarm(client, AlarmRequest.AlarmAction.ACTIVATE, CORRUPT);
                askAll(transcript, server, ports);
            }
            return transcript;
        });
    }

    private void askAll(List<String> transcript, ServerProcess server, List<Integer> ports) throws Exception {
        for (String url : List.of(server.clientUrl(), metrics(ports))) {
            transcript.addAll(ask(url, ALL));
            transcript.addAll(ask(url, LOCAL));
        }
    }

    private static void alarm(PlainClient client, AlarmRequest.AlarmAction action, int type) {
        MaintenanceGrpc.newBlockingStub(client.channel()).withDeadlineAfter(20, TimeUnit.SECONDS)
                .alarm(AlarmRequest.newBuilder().setAction(action).setMemberID(7).setAlarmValue(type).build());
    }

    @Test
    void aMemberThatStartsAndHasNoLeader() throws Exception {
        List<Integer> ports = ServerProcess.freePorts(5);
        assertSame(kind -> {
            ServerProcess server = kind.server(ports, "--initial-cluster", "default=http://127.0.0.1:" + ports.get(1)
                    + ",b=http://127.0.0.1:" + ports.get(3) + ",c=http://127.0.0.1:" + ports.get(4));
            server.spawn();
            awaitAnswer(metrics(ports));
            List<String> transcript = new ArrayList<>(ask(metrics(ports), LOCAL));
            transcript.addAll(ask(metrics(ports), List.of("GET /health", "GET /readyz/linearizable_read")));
            return transcript;
        });
    }

    private void awaitAnswer(String url) throws Exception {
        long deadline = System.nanoTime() + PATIENCE.toNanos();
        while (System.nanoTime() < deadline) {
            try {
                ask(url, "GET /livez");
                return;
            } catch (ConnectException notYet) {
                Thread.sleep(50);
            }
        }
        throw new AssertionError(url + " does not answer");
    }

    @Test
    void aLearner() throws Exception {
        List<Integer> ports = ServerProcess.freePorts(6);
        List<Integer> learners = ports.subList(3, 6);
        assertSame(kind -> {
            ServerProcess leader = kind.server(ports);
            leader.start();
            try (PlainClient client = new PlainClient(leader)) {
                ClusterGrpc.newBlockingStub(client.channel()).withDeadlineAfter(20, TimeUnit.SECONDS).memberAdd(
                        MemberAddRequest.newBuilder().addPeerURLs("http://127.0.0.1:" + learners.get(1))
                                .setIsLearner(true).build());
            }
            ServerProcess learner = kind.server(learners, "--name", "learner", "--initial-cluster-state", "existing",
                    "--initial-cluster", "default=" + leader.peerUrl() + ",learner=http://127.0.0.1:"
                            + learners.get(1));
            learner.start();
            List<String> transcript = new ArrayList<>();
            askAll(transcript, learner, learners);
            return transcript;
        });
    }

    @Test
    void aMemberWhoseQuorumIsGoneSaysSoWithinTwoElectionTimeouts() throws Exception {
        List<Integer> ports = ServerProcess.freePorts(6);
        List<Integer> others = ports.subList(3, 6);
        String cluster = "a=http://127.0.0.1:" + ports.get(1) + ",b=http://127.0.0.1:" + others.get(1);
        assertSame(kind -> {
            ServerProcess left = kind.server(ports, "--name", "a", "--initial-cluster", cluster);
            ServerProcess gone = kind.server(others, "--name", "b", "--initial-cluster", cluster);
            left.spawn();
            gone.spawn();
            left.awaitReady();
            gone.awaitReady();
            assertThat(ask(left.clientUrl(), "GET /health")).startsWith("200");
            long cut = System.nanoTime();
            gone.kill9();
            while (ask(left.clientUrl(), "GET /health").startsWith("200")) {
                assertThat(System.nanoTime() - cut).isLessThan(PATIENCE.toNanos());
            }
            long millis = TimeUnit.NANOSECONDS.toMillis(System.nanoTime() - cut);
            if (kind.name.equals("quoin")) {
                assertThat(millis).as("from the cut to the answer")
                        .isLessThan(2 * ELECTION_TIMEOUT_MILLIS + 500);
            }
            Thread.sleep(2 * ELECTION_TIMEOUT_MILLIS);
            List<String> transcript = new ArrayList<>();
            for (String url : List.of(left.clientUrl(), metrics(ports))) {
                transcript.addAll(ask(url, LOCAL));
                transcript.add(ask(url, "GET /health"));
            }
            return transcript;
        });
    }

    /** While calls of clients have their last moment, who watches is still answered. */
    @Test
    void aMemberThatStops() throws Exception {
        List<Integer> ports = ServerProcess.freePorts(3);
        assertSame(kind -> {
            ServerProcess server = kind.server(ports);
            server.start();
            try (PlainClient client = new PlainClient(server)) {
                StreamObserver<WatchRequest> watch = WatchGrpc.newStub(client.channel()).watch(new Nobody<>());
                watch.onNext(WatchRequest.newBuilder().setCreateRequest(
                        WatchCreateRequest.newBuilder().setKey(PlainClient.bytes("k"))).build());
                client.put("k", "v");
                ProcessHandle.of(server.pid()).orElseThrow().destroy();
                Thread.sleep(250);
                return ask(metrics(ports), List.of("GET /health", "GET /livez", "GET /readyz"));
            }
        });
    }

    private static final class Nobody<T> implements StreamObserver<T> {
        @Override
        public void onNext(T value) {}

        @Override
        public void onError(Throwable end) {}

        @Override
        public void onCompleted() {}
    }

    /**
     * Every sync takes half a minute. What etcd says then depends on whose time is over first, so only codes are compared;
     * and its /readyz waits for the disk.
     */
    @Test
    void aMemberWhoseDiskIsStalled() throws Exception {
        Path strace = Tools.system("strace", "strace");
        List<Integer> ports = ServerProcess.freePorts(3);
        assertSame(kind -> {
            ServerProcess server = kind.server(ports);
            server.start();
            Process stall = new ProcessBuilder(strace.toString(), "-f", "-qqq", "-o", "/dev/null", "-p",
                    Long.toString(server.pid()), "-e", "trace=fdatasync,fsync", "-e",
                    "inject=fdatasync,fsync:delay_enter=30000000").redirectErrorStream(true).start();
            try (PlainClient client = new PlainClient(server)) {
                if (stall.waitFor(2, TimeUnit.SECONDS)) {
                    Assumptions.abort("strace cannot attach to a process here");
                }
                KVGrpc.newStub(client.channel())
                        .put(PutRequest.newBuilder().setKey(PlainClient.bytes("k")).build(), new Nobody<>());
                Thread.sleep(2 * ELECTION_TIMEOUT_MILLIS);
                List<String> transcript = new ArrayList<>();
                for (String question : List.of("/health", "/health?serializable=true", "/livez",
                        "/readyz?exclude=linearizable_read")) {
                    transcript.add(question + " " + ask(metrics(ports), "GET " + question).substring(0, 3));
                }
                return transcript;
            } finally {
                stall.destroyForcibly().waitFor();
            }
        });
    }
}
