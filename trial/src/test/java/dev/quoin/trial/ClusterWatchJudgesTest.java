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
 * The judges of watches and of leases are judged themselves: trial/go's {@code watchcheck} and {@code leasecheck} notice
 * every fault that is planted, and find nothing wrong with etcd but what it is known to do wrong ({@code --as-etcd}).
 */
@Tag("interop")
class ClusterWatchJudgesTest {
    @TempDir
    @SuppressWarnings("NullAway.Init")
    Path home;

    @Test
    void everyFaultPlantedIntoWatchesIsNoticed() throws Exception {
        Program.Result result = judge("watchcheck").run("--self-test");
        assertThat(result.exitCode()).as(result.stdout() + result.stderr()).isZero();
        assertThat(result.lines()).contains("ok   300 of 300 histories without a fault accepted");
        assertThat(noticed(result)).isGreaterThan(40);
    }

    @Test
    void everyFaultPlantedIntoLeasesIsNoticed() throws Exception {
        Program.Result result = judge("leasecheck").run("--self-test");
        assertThat(result.exitCode()).as(result.stdout() + result.stderr()).isZero();
        assertThat(result.lines()).contains("ok   300 of 300 histories without a fault accepted");
        assertThat(noticed(result)).isGreaterThan(20);
    }

    @Test
    void aClusterOfEtcdSendsWatchersWhatItPromises() throws Exception {
        Program.Result result = judge("watchcheck").run(arguments(Tools.built("etcd"), List.of("--as-etcd", "--length",
                "20s", "--dir", home.toString()), List.of("--watch-progress-notify-interval", "300ms")));
        System.out.print(result.stdout());
        assertThat(result.exitCode()).as(result.stdout() + result.stderr()).isZero();
        assertThat(result.lines()).anyMatch(line -> line.matches("ok   \\d{5,} events to .* all as promised.*"));
    }

    @Test
    void aClusterOfEtcdKeepsLeasesAsLongAsItMust() throws Exception {
        Program.Result result = judge("leasecheck").run(arguments(Tools.built("etcd"), List.of("--as-etcd", "--length",
                "20s", "--clients", "100", "--harm", "fell,leader", "--dir", home.toString()), List.of()));
        System.out.print(result.stdout());
        assertThat(result.exitCode()).as(result.stdout() + result.stderr()).isZero();
        assertThat(result.lines()).anyMatch(line -> line.matches("ok   \\d{2,} leases: none early, none forgotten.*"));
    }

    static long noticed(Program.Result result) {
        return result.lines().stream().filter(line -> line.startsWith("ok   noticed 20 times: ")).count();
    }

    static Program judge(String name) {
        return Program.of(Tools.built(name)).within(Duration.ofMinutes(4));
    }

    /** The flags of a judge, and the command of a member with these flags more. */
    static String[] arguments(Path server, List<String> flags, List<String> more) {
        List<String> arguments = new ArrayList<>(flags);
        arguments.add("--");
        arguments.add(server.toString());
        arguments.addAll(ClusterJudgesTest.MEMBER);
        arguments.addAll(more);
        return arguments.toArray(String[]::new);
    }
}
