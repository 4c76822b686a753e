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
 * Clusters of Quoin and real etcd: trial/go's {@code mixcheck}, where it is told what is asked, and what must hold. What it can do
 * besides, with more rounds and both versions, {@code ./quoin dev qualify mixed} does.
 */
@Tag("interop")
class MixedClustersTest {
    private static final String MEMBER = " " + String.join(" ", ClusterJudgesTest.MEMBER);

    /** Two scenarios at a time: a cluster waits most of its time. The first is the longest. */
    static void mixcheck(Path home, String etcd, String... more) throws Exception {
        List<String> arguments = new ArrayList<>(
                List.of("--dir", home.toString(), "--length", "1s", "--at-once", "2", "--etcd",
                        Tools.built(etcd) + MEMBER, "--quoin", ServerProcess.image() + MEMBER));
        arguments.addAll(List.of(more));
        ran("mixcheck", arguments);
    }

    static Program.Result ran(String judge, List<String> arguments) throws Exception {
        Program.Result result = Program.of(Tools.built(judge)).within(Duration.ofMinutes(7))
                .run(arguments.toArray(String[]::new));
        System.out.print(result.stdout());
        assertThat(result.exitCode()).as(result.stdout() + result.stderr()).isZero();
        return result;
    }

    @Test
    void twoKindsServeAsOneAndReplaceEachOther(@TempDir Path home) throws Exception {
        mixcheck(home, "etcd", "roll", "join", "kill", "cut", "lag", "steady");
    }
}
