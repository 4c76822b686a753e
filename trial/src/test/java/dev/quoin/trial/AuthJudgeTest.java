package dev.quoin.trial;

import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;

import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import static org.assertj.core.api.Assertions.assertThat;

/**
 * A sample of the RPCs, asked by fifteen kinds of callers under three states of alarm, is answered as etcd answers it: trial/go's {@code
 * authcheck}. So it is by the gateway, with certificates, and with signed tokens that were made elsewhere. It is judged itself: two etcds do not differ, and one that gives no tokens does.
 */
@Tag("interop")
class AuthJudgeTest {
    private static final String FLAGS = " --name {name} --data-dir {data} --listen-client-urls {client}"
            + " --advertise-client-urls {client} --listen-peer-urls {listen} --initial-advertise-peer-urls {peer}"
            + " --initial-cluster {cluster} --initial-cluster-state {state} --bcrypt-cost 4";

    /** One question of so many; {@code dev/qualify auth} asks all of them in every way. */
    private static final String SAMPLE = "5";

    @TempDir
    @SuppressWarnings("NullAway.Init")
    Path home;

    private Program.Result authcheck(Path right, String leftFlags, String rightFlags, String... more)
            throws Exception {
        List<String> arguments = new ArrayList<>(
                List.of("--dir", home.toString(), "--left", Tools.built("etcd") + FLAGS + leftFlags, "--right",
                        right + FLAGS + rightFlags));
        arguments.addAll(List.of(more));
        return Program.of(Tools.built("authcheck")).within(Duration.ofMinutes(8))
                .run(arguments.toArray(String[]::new));
    }

    @Test
    void everybodyIsAnsweredAsByEtcd() throws Exception {
        assertAgreed(authcheck(ServerProcess.image(), "", "", "--members", "3", "--every", SAMPLE), 3_000);
    }

    @Test
    void andByTheGateway() throws Exception {
        assertAgreed(authcheck(ServerProcess.image(), "", "", "--gateway", "--every", SAMPLE), 3_000);
    }

    @Test
    void andWhoHasASignedTokenToo() throws Exception {
        Path secret = Files.writeString(home.resolve("secret"), "as good as any other secret");
        String flags = " --auth-token=jwt,sign-method=HS256,ttl=30m,priv-key=" + secret;
        assertAgreed(authcheck(ServerProcess.image(), flags, flags, "--secret", secret.toString(), "--every", SAMPLE),
                4_000);
    }

    @Test
    void andWhoShowsACertificate() throws Exception {
        assertAgreed(authcheck(ServerProcess.image(), "", "", "--certificates", "--every", SAMPLE), 3_000);
    }

    @Test
    void andACertificateByTheGateway() throws Exception {
        assertAgreed(authcheck(ServerProcess.image(), "", "", "--certificates", "--gateway", "--every", SAMPLE), 3_000);
    }

    private static void assertAgreed(Program.Result result, int atLeast) {
        assertThat(result.lines().stream().filter(line -> line.startsWith("FAIL "))).isEmpty();
        assertThat(result.exitCode()).as(result.stdout() + result.stderr()).isZero();
        assertThat(result.lines().stream().filter(line -> line.startsWith("ok "))).hasSizeGreaterThan(atLeast);
    }

    @Test
    void twoEtcdsDoNotDiffer() throws Exception {
        Program.Result result = authcheck(Tools.built("etcd"), "", "", "--every", SAMPLE);
        assertThat(result.exitCode()).as(result.stdout() + result.stderr()).isZero();
    }

    /** An etcd that gives no tokens answers everybody differently. */
    @Test
    void aDifferenceIsNoticed() throws Exception {
        Program.Result result = authcheck(Tools.built("etcd"), "", " --auth-token=", "--every", SAMPLE);
        assertThat(result.exitCode()).isEqualTo(1);
    }
}
