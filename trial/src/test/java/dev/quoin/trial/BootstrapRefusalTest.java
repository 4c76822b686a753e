package dev.quoin.trial;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.stream.Stream;

import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

import static org.assertj.core.api.Assertions.assertThat;

/** Flags that make no cluster are refused as etcd refuses them: by the same exit code, for the same reason in words. */
@Tag("interop")
class BootstrapRefusalTest {
    @TempDir
    @SuppressWarnings("NullAway.Init")
    Path home;

    static Stream<String> flags() {
        return Stream.of("--initial-cluster-state=other", "--listen-peer-urls=ftp://x:1",
                "--listen-peer-urls=127.0.0.1:1",
                "--listen-peer-urls=http://a:b", "--listen-peer-urls=http://x:1", "--listen-peer-urls=http://a",
                "--listen-peer-urls=http://127.0.0.1:1/a", "--initial-advertise-peer-urls=http://127.0.0.1:24001",
                "--initial-advertise-peer-urls=http://:1", "--initial-cluster=a=http://127.0.0.1:24001",
                "--name=a --initial-cluster=a=http://127.0.0.1:24001,b=http://127.0.0.1:24001"
                        + " --initial-advertise-peer-urls=http://127.0.0.1:24001",
                "--name=a --initial-cluster=a=http://127.0.0.1:24001,a=http://127.0.0.1:24002"
                        + " --initial-advertise-peer-urls=http://127.0.0.1:24001",
                "--name=a --initial-cluster=a=http://127.0.0.1:24001"
                        + " --initial-advertise-peer-urls=http://127.0.0.1:24001,http://127.0.0.1:24003",
                "--name=a --initial-cluster=a=ftp://127.0.0.1:24001",
                "--name=a --initial-cluster=a,b=http://127.0.0.1:24001",
                "--name=a --initial-cluster=", "--discovery-token=x", "--discovery-endpoints=",
                "--discovery-token=x --discovery-endpoints=a,,", "--discovery-srv=a --discovery-endpoints=x",
                "--discovery-srv=a --initial-cluster=a=http://127.0.0.1:24001", "--discovery-fallback=proxy",
                "--discovery-endpoints=x --discovery-token=t --discovery-dial-timeout=5", "--force-new-cluster=x",
                "--election-timeout=50001", "--election-timeout=400",
                "--name=a --initial-cluster-state=existing --initial-advertise-peer-urls=http://127.0.0.1:24001"
                        + " --initial-cluster=a=http://127.0.0.1:24001,b=http://127.0.0.1:24002",
                "--name=a --initial-cluster-state=existing --initial-cluster=b=http://127.0.0.1:24002",
                "--name=a --initial-cluster-state=existing --initial-cluster=a=http://127.0.0.1:24002,"
                        + "b=http://127.0.0.1:24002",
                "--discovery-endpoints=http://127.0.0.1:1 --discovery-token=t --initial-cluster-state=existing");
    }

    private record Refusal(int exitCode, String reason) {}

    @ParameterizedTest
    @MethodSource("flags")
    void isRefusedAsEtcdRefusesIt(String flags) throws Exception {
        Refusal etcd = refusal(Tools.built("etcd"), "etcd", flags);
        assertThat(etcd.exitCode()).isNotZero();
        assertThat(etcd.reason()).isNotEmpty();
        assertThat(refusal(ServerProcess.image(), "quoin", flags)).isEqualTo(etcd);
    }

    private Refusal refusal(Path server, String name, String flags) throws Exception {
        Path directory = Files.createDirectory(home.resolve(name));
        List<Integer> ports = ServerProcess.freePorts(2);
        List<String> arguments = new ArrayList<>(List.of("--data-dir", directory.resolve("data").toString(),
                "--listen-client-urls", "http://127.0.0.1:" + ports.get(0), "--advertise-client-urls",
                "http://127.0.0.1:" + ports.get(0), "--listen-peer-urls", "http://127.0.0.1:" + ports.get(1)));
        Collections.addAll(arguments, flags.split(" ", -1));
        Program.Result result = Program.of(server).run(arguments.toArray(String[]::new));
        return new Refusal(result.exitCode(), reason(result.stderr()));
    }

    /** The last error that the log tells of; before there is a log, the first line in plain text. */
    private static String reason(String stderr) {
        String reason = "";
        for (String line : stderr.lines().toList()) {
            if (!line.startsWith("{")) {
                return reason.isEmpty() ? line : reason;
            }
            JsonObject object = JsonParser.parseString(line).getAsJsonObject();
            JsonElement error = object.get("error");
            if (error != null && !object.get("level").getAsString().equals("info")
                    && !object.get("msg").getAsString().startsWith("failed to get cluster response")) {
                reason = error.getAsString();
            }
        }
        return reason;
    }
}
