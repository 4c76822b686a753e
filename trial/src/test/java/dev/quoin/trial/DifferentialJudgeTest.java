package dev.quoin.trial;

import java.nio.file.Path;

import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import static org.assertj.core.api.Assertions.assertThat;

/** trial/go's {@code difcheck} is judged itself: it notices answers that were falsified, and nothing where nothing is. */
@Tag("interop")
class DifferentialJudgeTest {
    @TempDir
    @SuppressWarnings("NullAway.Init")
    Path home;

    /** But for those about watches and renewals, which take minutes: {@code ./quoin dev qualify differential} has all. */
    @Test
    void noticesEveryLie() throws Exception {
        Program.Result result = DifferentialTest.difcheck(home, Tools.built("etcd"), "--self-test", "--ops", "4000",
                "--families", "kv,stream,compact,hash,lease,ttl,alarm");
        assertThat(result.exitCode()).as(result.stdout() + result.stderr()).isZero();
        assertThat(result.lines().stream().filter(line -> line.startsWith("ok   noticed: "))).hasSizeGreaterThan(9);
    }

    @Test
    void findsNothingBetweenTwoEtcds() throws Exception {
        Program.Result result = DifferentialTest.difcheck(home, Tools.built("etcd"), "--ops", "3000", "--restart-every",
                "1500");
        assertThat(result.exitCode()).as(result.stdout() + result.stderr()).isZero();
        assertThat(result.lines()).noneMatch(line -> line.startsWith("OFF: "));
        assertThat(DifferentialTest.operations(result)).isGreaterThan(2_500);
    }
}
