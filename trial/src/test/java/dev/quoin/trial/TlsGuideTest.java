package dev.quoin.trial;

import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import static org.assertj.core.api.Assertions.assertThat;

/** The commands of docs/tls.md, one after the other, with other ports: whoever has a certificate is served, and nobody else. */
@Tag("interop")
class TlsGuideTest {
    private static final Pattern BLOCK = Pattern.compile("(?s)```\n(.*?)```");

    @Test
    void theGuideFromTheAuthorityToTheFirstKey(@TempDir Path home) throws Exception {
        Tools.system("openssl", "openssl");
        Tools.system("curl", "curl");
        String guide = BLOCK.matcher(Files.readString(Path.of("../docs/tls.md"))).results()
                .map(MatchResult::group).map(block -> block.replace("```\n", "").replace("```", ""))
                .collect(Collectors.joining("\n"));
        List<Integer> ports = ServerProcess.freePorts(2);
        String script = """
                set -eu
                cd '%s'
                trap 'kill $! 2>/dev/null || true' EXIT
                started() { until grep -q 'ready to serve client requests' log; do sleep 0.1; done; }
                """.formatted(home)
                + guide.replace("2379", ports.get(0).toString()).replace("2380", ports.get(1).toString())
                        .replace("--peer-client-cert-auth &", "--peer-client-cert-auth > log 2>&1 &\nstarted")
                + "curl -s --cacert ca.pem https://127.0.0.1:" + ports.get(0) + "/health || echo; echo nobody else\n";
        Program.Result result = Program.of(Path.of("/bin/bash"), "-c").within(Duration.ofMinutes(1))
                .with("PATH", ServerProcess.image().getParent() + ":" + Tools.built("etcdctl").getParent() + ":"
                        + System.getenv("PATH"))
                .run(script);
        assertThat(result.exitCode()).as(result.stdout() + result.stderr()).isZero();
        assertThat(result.stdout()).isEqualTo("OK\n{\"health\":\"true\",\"reason\":\"\"}\nnobody else\n");
    }
}
