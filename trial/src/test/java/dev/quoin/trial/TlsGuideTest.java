package dev.quoin.trial;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import static org.assertj.core.api.Assertions.assertThat;

/** The commands of docs/tls.md, one after the other, with other ports: whoever has a certificate is served, and nobody else. */
@Tag("interop")
class TlsGuideTest {
    private static final Pattern BLOCK = Pattern.compile("(?s)```\n(.*?)```");
    private static final Pattern IN_THE_BACKGROUND = Pattern.compile("(?m) &$");

    @TempDir
    @SuppressWarnings("NullAway.Init") // JUnit sets it.
    private Path home;

    @BeforeEach
    void programs() {
        Tools.system("openssl", "openssl");
        Tools.system("curl", "curl");
    }

    /** The commands of a section of the guide, block by block. */
    private static List<String> blocks(String title) throws IOException {
        String guide = Files.readString(Path.of("../docs/tls.md"));
        int begin = guide.indexOf("\n## " + title + "\n");
        assertThat(begin).as(title).isNotNegative();
        int end = guide.indexOf("\n## ", begin + 1);
        List<String> blocks = BLOCK.matcher(guide.substring(begin, end < 0 ? guide.length() : end)).results()
                .map((MatchResult block) -> block.group(1)).toList();
        assertThat(blocks).as(title).isNotEmpty();
        return blocks;
    }

    /** The same for a shell; what runs in the background is waited for, until it serves clients. */
    private static String script(List<String> blocks) {
        AtomicInteger servers = new AtomicInteger();
        return blocks.stream().map(block -> {
            String logged = IN_THE_BACKGROUND.matcher(block)
                    .replaceAll(found -> " > log." + servers.incrementAndGet() + " 2>&1 &");
            return logged.equals(block) ? block : logged + "started " + servers.get() + "\n";
        }).collect(Collectors.joining());
    }

    private Program.Result run(String script) throws Exception {
        Program.Result result = Program.of(Path.of("/bin/bash"), "-c").within(Duration.ofMinutes(1))
                .with("PATH", ServerProcess.image().getParent() + ":" + Tools.built("etcdctl").getParent() + ":"
                        + System.getenv("PATH"))
                .run("""
                        set -eu
                        cd '%s'
                        trap 'kill $(jobs -p) 2>/dev/null || true' EXIT
                        started() {
                          for i in $(seq "$1"); do
                            until grep -qs 'ready to serve client requests' "log.$i"; do sleep 0.1; done
                          done
                        }
                        """.formatted(home) + script);
        assertThat(result.exitCode()).as(result.stdout() + result.stderr()).isZero();
        return result;
    }

    @Test
    void byHandFromTheAuthorityToTheFirstKey() throws Exception {
        List<Integer> ports = ServerProcess.freePorts(2);
        List<String> blocks = new ArrayList<>(blocks("The same with openssl"));
        blocks.addAll(blocks("A member that asks for certificates"));
        String script = script(blocks).replace("2379", ports.get(0).toString()).replace("2380",
                ports.get(1).toString());
        Program.Result result = run(script + "curl -s --cacert ca.pem https://127.0.0.1:" + ports.get(0)
                + "/health || echo; echo nobody else\n");
        assertThat(result.stdout()).isEqualTo("OK\n{\"health\":\"true\",\"reason\":\"\"}\nnobody else\n");
    }

    @Test
    void threeMembersInAMinute() throws Exception {
        List<String> blocks = blocks("A secure cluster in a minute");
        List<Integer> ports = ServerProcess.freePorts(6);
        // etcdctl waits for 5 s, which three members that are just up may need on a busy machine.
        String script = script(blocks).replace("endpoint health", "endpoint health --command-timeout=30s");
        for (int i = 0; i < 3; i++) {
            script = script.replace((i + 1) + "2379", ports.get(2 * i).toString()).replace((i + 1) + "2380",
                    ports.get(2 * i + 1).toString());
        }
        Program.Result result = run(script + """
                ask() { curl -s --max-time 3 --cacert "certs/m1/$1.pem" "${@:2}" || echo; }
                ask ca https://127.0.0.1:%1$d/health; echo no client without a certificate
                ask peer-ca --cert certs/root/client.pem --key certs/root/client.key https://127.0.0.1:%2$d/version
                echo no client among members
                """.formatted(ports.get(0), ports.get(1)));
        List<String> commands = blocks.stream().flatMap(block -> Pattern.compile("\n(?=\\S)").splitAsStream(block))
                .filter(command -> command.startsWith("quoin --name")).toList();
        assertThat(commands).hasSize(3);
        for (String command : commands) {
            assertThat(result.stdout()).as("what is printed is what the guide has")
                    .contains(command.strip().replaceFirst(" &$", ""));
        }
        assertThat(result.stdout()).contains("OK\n").endsWith("""

                no client without a certificate

                no client among members
                """);
        assertThat(result.stdout() + result.stderr()).as("endpoint health").containsPattern("(?s)(is healthy.*){3}");
    }
}
