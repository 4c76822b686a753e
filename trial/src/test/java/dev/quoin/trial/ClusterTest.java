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
 * Three members of the image, judged from outside by what {@link ClusterJudgesTest} has judged: they are strictly
 * serializable whatever is done to them, and have a new leader soon after the old one was killed.
 */
@Tag("interop")
class ClusterTest {
    @TempDir
    @SuppressWarnings("NullAway.Init")
    Path home;

    @Test
    void itIsStrictlySerializableUnderKillsPausesCutsAndChangesOfMembers() throws Exception {
        List<String> arguments = new ArrayList<>(List.of("--length", "45s", "--dir", home.toString(), "--",
                ServerProcess.image().toString()));
        arguments.addAll(ClusterJudgesTest.MEMBER);
        Program.Result result = judge("histcheck").run(arguments.toArray(String[]::new));
        System.out.print(result.stdout());
        assertThat(result.exitCode()).as(result.stdout() + result.stderr()).isZero();
        assertThat(result.lines()).anyMatch(line -> line.matches("ok   \\d{4,} operations .* strictly serializable.*"));
    }

    @Test
    void itTellsSoonOfWritesThatWereLostWithTheirLeader() throws Exception {
        Program.Result result = judge("failover").run("--kills", "3", "--assert", "--median", "2500ms", "--gaps", "3",
                "--dir", home.toString(), "--a", "quoin",
                ServerProcess.image() + " " + String.join(" ", ClusterJudgesTest.MEMBER));
        System.out.print(result.stdout());
        assertThat(result.exitCode()).as(result.stdout() + result.stderr()).isZero();
    }

    private static Program judge(String name) {
        return Program.of(Tools.built(name)).within(Duration.ofMinutes(3));
    }
}
