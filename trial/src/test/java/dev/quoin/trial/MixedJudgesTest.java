package dev.quoin.trial;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import static org.assertj.core.api.Assertions.assertThat;

/** Clusters of Quoin and real etcd, beside {@link MixedClustersTest}: the version before, and what histories and watches tell. */
@Tag("interop")
class MixedJudgesTest {
    @TempDir
    @SuppressWarnings("NullAway.Init")
    Path home;

    /** Two of the one program, and one of the other. */
    private List<String> mixed(Path two, Path one, String... flags) {
        List<String> arguments = new ArrayList<>(List.of(flags));
        arguments.addAll(List.of("--quiet", "--dir", home.toString(), "--also",
                one + " " + String.join(" ", ClusterJudgesTest.MEMBER), "--", two.toString()));
        arguments.addAll(ClusterJudgesTest.MEMBER);
        return arguments;
    }

    @Test
    void theVersionBeforeIsReplacedAndComesBackToo() throws Exception {
        MixedClustersTest.mixcheck(home, "etcd-3.6", "--downgrade", "3.6.0", "roll", "join", "steady");
    }

    @Test
    void aMixedClusterIsStrictlySerializable() throws Exception {
        assertThat(MixedClustersTest
                .ran("histcheck", mixed(Tools.built("etcd"), ServerProcess.image(), "--length", "20s")).lines())
                .anyMatch(line -> line.matches("ok   \\d{4,} operations .* strictly serializable.*"));
    }

    @Test
    void watchersOfAMixedClusterAreSentWhatIsPromised() throws Exception {
        MixedClustersTest.ran("watchcheck",
                mixed(ServerProcess.image(), Tools.built("etcd"), "--length", "15s", "--as-etcd"));
    }
}
