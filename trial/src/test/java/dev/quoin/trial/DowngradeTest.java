package dev.quoin.trial;

import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import static org.assertj.core.api.Assertions.assertThat;

/** An operator announces a downgrade and takes it back, on etcd and on Quoin, and is told the same. */
@Tag("interop")
class DowngradeTest {
    private static final long PATIENCE_MILLIS = 60_000;

    @TempDir
    @SuppressWarnings("NullAway.Init")
    Path home;

    @Test
    void aDowngradeIsAnnouncedAndTakenBack() throws Exception {
        List<Integer> ports = ServerProcess.freePorts(2);
        List<String> etcd = transcript("etcd", Tools.built("etcd"), ports);
        assertThat(String.join("\n", transcript("quoin", ServerProcess.image(), ports)))
                .isEqualTo(String.join("\n", etcd));
    }

    private List<String> transcript(String name, Path program, List<Integer> ports) throws Exception {
        Path directory = Files.createDirectories(home.resolve(name));
        List<String> transcript = new ArrayList<>();
        try (ServerProcess server = ServerProcess.of(program, directory, ports.get(0), ports.get(1))) {
            server.start();
            untilVersion(server, "3.7.0");
            for (String target : List.of("3.6", "3.6.5", "3.5", "3.7", "3.8.0", "x", "3", "")) {
                transcript.add(ctl(server, "downgrade", "validate", target));
            }
            transcript.add(ctl(server, "downgrade", "cancel"));
            transcript.add(enabled(server));
            transcript.add(ctl(server, "downgrade", "enable", "3.5"));
            transcript.add(ctl(server, "downgrade", "enable", "3.6"));
            transcript.add(enabled(server));
            untilVersion(server, "3.6.0");
            transcript.add(ctl(server, "downgrade", "enable", "3.5"));
            transcript.add(ctl(server, "downgrade", "validate", "3.6"));
            transcript.add(downgradeInfo(server));
            transcript.add(ctl(server, "downgrade", "cancel"));
            transcript.add(enabled(server));
            untilVersion(server, "3.7.0");
            transcript.add(downgradeInfo(server));
            transcript.add(ctl(server, "downgrade", "validate", "3.6"));
            return transcript;
        }
    }

    private static String ctl(ServerProcess server, String... arguments) throws Exception {
        Program.Result result = Program.of(Tools.built("etcdctl"), "--endpoints", server.clientUrl()).run(arguments);
        String error = result.stderr().lines().filter(line -> line.startsWith("Error")).findFirst().orElse("");
        return String.join(" ", arguments) + ": " + result.exitCode() + " " + result.stdout() + error;
    }

    /** What Status says of it. */
    private static String downgradeInfo(ServerProcess server) throws Exception {
        Program.Result status = Program.of(Tools.built("etcdctl"), "--endpoints", server.clientUrl(), "-w", "fields")
                .run("endpoint", "status");
        return String.join("\n", status.lines().stream()
                .filter(line -> line.contains("Downgrade") || line.contains("torageVersion")).toList());
    }

    private static String enabled(ServerProcess server) throws Exception {
        return get(server.peerUrl() + "/downgrade/enabled");
    }

    private static void untilVersion(ServerProcess server, String cluster) throws Exception {
        long deadline = System.currentTimeMillis() + PATIENCE_MILLIS;
        String wanted = "\"etcdcluster\":\"" + cluster + "\",\"storage\":\"" + cluster + "\"";
        while (!get(server.clientUrl() + "/version").contains(wanted)) {
            assertThat(System.currentTimeMillis()).as("%s", get(server.clientUrl() + "/version"))
                    .isLessThan(deadline);
            Thread.sleep(100);
        }
    }

    private static String get(String url) throws Exception {
        return HttpClient.newHttpClient().send(HttpRequest.newBuilder(URI.create(url)).build(),
                HttpResponse.BodyHandlers.ofString()).body();
    }
}
