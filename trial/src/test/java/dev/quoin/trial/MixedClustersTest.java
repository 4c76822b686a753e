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
 * Clusters of Quoin and real etcd, of two versions: trial/go's {@code mixcheck}, and the judges of histories and watches over
 * members of both kinds. What is asked, and what must hold, is told there.
 */
@Tag("interop")
class MixedClustersTest {
    private static final String MEMBER = " " + String.join(" ", ClusterJudgesTest.MEMBER);

    @TempDir
    @SuppressWarnings("NullAway.Init")
    Path home;

    private void mixcheck(String etcd, String... more) throws Exception {
        List<String> arguments = new ArrayList<>(
                List.of("--dir", home.toString(), "--length", "1s", "--at-once", "2", "--etcd",
                        Tools.built(etcd) + MEMBER, "--quoin", ServerProcess.image() + MEMBER));
        arguments.addAll(List.of(more));
        run("mixcheck", arguments);
    }

    private static Program.Result run(String judge, List<String> arguments) throws Exception {
        Program.Result result = Program.of(Tools.built(judge)).within(Duration.ofMinutes(4))
                .run(arguments.toArray(String[]::new));
        System.out.print(result.stdout());
        assertThat(result.exitCode()).as(result.stdout() + result.stderr()).isZero();
        return result;
    }

    /** Two of the one program, and one of the other. */
    private List<String> mixed(Path two, Path one, String... flags) {
        List<String> arguments = new ArrayList<>(List.of(flags));
        arguments.addAll(List.of("--quiet", "--dir", home.toString(), "--also", one + MEMBER, "--", two.toString()));
        arguments.addAll(ClusterJudgesTest.MEMBER);
        return arguments;
    }

    @Test
    void twoKindsServeAsOne() throws Exception {
        mixcheck("etcd", "steady", "join", "lag");
    }

    @Test
    void harmToEitherKindLosesNothing() throws Exception {
        mixcheck("etcd", "kill", "cut", "compare", "space", "version");
    }

    @Test
    void allMembersAreReplacedAndComeBackAndNobodyNotices() throws Exception {
        mixcheck("etcd", "roll");
    }

    @Test
    void theVersionBeforeIsReplacedAndComesBackToo() throws Exception {
        mixcheck("etcd-3.6", "--downgrade", "3.6.0", "join", "steady", "version", "roll");
    }

    @Test
    void aMixedClusterIsStrictlySerializable() throws Exception {
        assertThat(run("histcheck", mixed(Tools.built("etcd"), ServerProcess.image(), "--length", "20s")).lines())
                .anyMatch(line -> line.matches("ok   \\d{4,} operations .* strictly serializable.*"));
    }

    @Test
    void watchersOfAMixedClusterAreSentWhatIsPromised() throws Exception {
        run("watchcheck", mixed(ServerProcess.image(), Tools.built("etcd"), "--length", "15s", "--as-etcd"));
    }
}
