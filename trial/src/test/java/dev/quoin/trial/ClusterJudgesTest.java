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
 * The judges of a cluster are judged themselves: trial/go's {@code histcheck}, {@code failover} and {@code calmcheck} find
 * nothing wrong with three members of etcd, and histcheck notices every fault that is planted in a history.
 */
@Tag("interop")
class ClusterJudgesTest {
    /** A member; {@code {listen}} is behind a proxy of histcheck. */
    static final List<String> MEMBER = List.of("--name", "{name}", "--data-dir", "{data}", "--listen-client-urls",
            "{client}", "--advertise-client-urls", "{client}", "--listen-peer-urls", "{listen}",
            "--initial-advertise-peer-urls", "{peer}", "--initial-cluster", "{cluster}", "--initial-cluster-state",
            "{state}");

    @TempDir
    @SuppressWarnings("NullAway.Init")
    Path home;

    @Test
    void everyPlantedFaultIsNoticed() throws Exception {
        Program.Result result = judge("histcheck").run("--self-test");
        assertThat(result.exitCode()).as(result.stdout() + result.stderr()).isZero();
        assertThat(result.lines()).contains("ok   300 of 300 histories without a fault accepted");
        assertThat(result.lines().stream().filter(line -> line.startsWith("ok   noticed 20 times: ")))
                .hasSizeGreaterThan(20);
    }

    @Test
    void aClusterOfEtcdIsStrictlySerializable() throws Exception {
        Program.Result result = judge("histcheck").run(arguments("--length", "30s", "--dir", home.toString()));
        System.out.print(result.stdout());
        assertThat(result.exitCode()).as(result.stdout() + result.stderr()).isZero();
        assertThat(result.lines()).anyMatch(line -> line.matches("ok   \\d{4,} operations .* strictly serializable.*"));
    }

    @Test
    void aClusterOfEtcdIsCalmAndServesWithAMajority() throws Exception {
        Program.Result result = judge("calmcheck").run(arguments("--keys", "20000", "--range-keys", "2000", "--stops",
                "6", "--stop", "300ms", "--stall", "1s", "--sizes", "5", "--dir", home.toString()));
        System.out.print(result.stdout());
        assertThat(result.exitCode()).as(result.stdout() + result.stderr()).isZero();
    }

    @Test
    void aClusterOfEtcdHasANewLeaderSoonAndLosesNothing() throws Exception {
        Program.Result result = judge("failover").run("--kills", "2", "--dir", home.toString(), "--a", "etcd",
                Tools.built("etcd") + " " + String.join(" ", MEMBER));
        System.out.print(result.stdout());
        assertThat(result.exitCode()).as(result.stdout() + result.stderr()).isZero();
        assertThat(result.stdout()).contains("possibly due to previous leader failure", "none twice");
    }

    private static Program judge(String name) {
        return Program.of(Tools.built(name)).within(Duration.ofMinutes(3));
    }

    private static String[] arguments(String... flags) {
        List<String> arguments = new ArrayList<>(List.of(flags));
        arguments.add("--");
        arguments.add(Tools.built("etcd").toString());
        arguments.addAll(MEMBER);
        return arguments.toArray(String[]::new);
    }
}
