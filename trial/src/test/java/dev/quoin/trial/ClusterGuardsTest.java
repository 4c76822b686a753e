package dev.quoin.trial;

import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;

import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import static org.assertj.core.api.Assertions.assertThat;

/**
 * Certificates and authorities are replaced, and the control of access is enabled, while clients put, get and watch: trial/go's
 * {@code guardcheck}. It notices an etcd, which reads its authorities at the start alone.
 */
@Tag("interop")
class ClusterGuardsTest {
    @TempDir
    @SuppressWarnings("NullAway.Init")
    Path home;

    private Program.Result guardcheck(Path server, String... more) throws Exception {
        List<String> arguments = new ArrayList<>(List.of("--dir", home.toString()));
        arguments.addAll(List.of(more));
        // On a busy machine nobody is elected only because somebody was slow: it is not what is judged here.
        arguments.addAll(List.of("--", server.toString(), "--bcrypt-cost", "4", "--heartbeat-interval", "300",
                "--election-timeout", "3000"));
        arguments.addAll(ClusterJudgesTest.MEMBER);
        Program.Result result = Program.of(Tools.built("guardcheck")).within(Duration.ofMinutes(3))
                .run(arguments.toArray(String[]::new));
        System.out.print(result.stdout());
        return result;
    }

    @Test
    void nobodyNoticesThatCertificatesChangeAndAccessComesUnderControl() throws Exception {
        Program.Result result = guardcheck(ServerProcess.image());
        assertThat(result.exitCode()).as(result.stdout() + result.stderr()).isZero();
        assertThat(result.lines()).contains("ok   all members hold the same",
                "ok   clients of the old authority are refused", "ok   new clients with new certificates");
    }

    @Test
    void anEtcdIsFoundToKeepItsAuthorities() throws Exception {
        Program.Result result = guardcheck(Tools.built("etcd"), "--within", "1s", "--between", "300ms");
        assertThat(result.lines()).contains("ok   all members hold the same");
        assertThat(result.lines().stream().filter(line -> line.startsWith("FAIL "))).singleElement().asString()
                .startsWith("FAIL clients of the new authority are let in");
    }
}
