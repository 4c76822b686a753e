package dev.quoin.trial;

import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;

import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import static org.assertj.core.api.Assertions.assertThat;

/** The commands of docs/users.md do what it says of them, with simple tokens and with signed ones. */
@Tag("interop")
class UsersGuideTest {
    private static final Pattern BLOCK = Pattern.compile("(?s)```\n(.*?)```");

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void usersAreMadeAndServed(boolean areTokensSigned, @TempDir Path home) throws Exception {
        Tools.system("openssl", "openssl");
        List<String> blocks = BLOCK.matcher(Files.readString(Path.of("../docs/users.md"))).results()
                .map(MatchResult::group).map(block -> block.replace("```\n", "").replace("```", "")).toList();
        String users = block(blocks, "auth enable");
        String signed = block(blocks, "--auth-token");
        List<Integer> ports = ServerProcess.freePorts(2);
        String url = "http://127.0.0.1:" + ports.get(0);
        String where = " --data-dir data --listen-client-urls URL --advertise-client-urls URL".replace("URL", url)
                + " --listen-peer-urls http://127.0.0.1:" + ports.get(1) + " > log 2>&1 &\n";
        String script = """
                set -eu
                cd '%s'
                export ETCDCTL_ENDPOINTS=%s
                trap 'kill $! 2>/dev/null || true' EXIT
                """.formatted(home, url) + (areTokensSigned ? signed.stripTrailing() : "etcd") + where
                + "until grep -q 'ready to serve client requests' log; do sleep 0.1; done\n" + users
                + "etcdctl --user alice:HERS put other hello || echo refused\n";
        Program.Result result = Program.of(Path.of("/bin/bash"), "-c").within(Duration.ofMinutes(1))
                .with("PATH", ServerProcess.image().getParent() + ":" + Tools.built("etcdctl").getParent() + ":"
                        + System.getenv("PATH"))
                .run(script);
        assertThat(result.exitCode()).as(result.stdout() + result.stderr()).isZero();
        assertThat(result.lines()).endsWith("Authentication Enabled", "OK", "Authentication Status: true",
                "AuthRevision: 8", "refused");
        assertThat(result.stderr()).contains("etcdserver: permission denied");
    }

    private static String block(List<String> blocks, String words) {
        return blocks.stream().filter(block -> block.contains(words)).findFirst().orElseThrow();
    }
}
