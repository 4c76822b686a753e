package dev.quoin.trial;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import static org.assertj.core.api.Assertions.assertThat;

/**
 * The image, judged from outside by what {@link ClusterWatchJudgesTest} has judged: watchers are sent what is promised and
 * leases live as long as they must, on one member and on three, whatever is done to them.
 */
@Tag("interop")
class ClusterWatchTest {
    @TempDir
    @SuppressWarnings("NullAway.Init")
    Path home;

    @Test
    void watchersOfThreeMembersAreSentWhatIsPromised() throws Exception {
        watches("--length", "30s");
    }

    @Test
    void watchersOfOneMemberAreSentWhatIsPromised() throws Exception {
        watches("--members", "1", "--length", "10s");
    }

    @Test
    void leasesLiveAsLongAsTheyMust() throws Exception {
        Program.Result result = ClusterWatchJudgesTest.judge("leasecheck")
                .run(ClusterWatchJudgesTest.arguments(ServerProcess.image(),
                        List.of("--length", "30s", "--clients", "100", "--harm", "fell,freeze,leader", "--most", "8s",
                                "--dir", home.toString()),
                        List.of()));
        System.out.print(result.stdout());
        assertThat(result.exitCode()).as(result.stdout() + result.stderr()).isZero();
        assertThat(result.lines()).anyMatch(line -> line.matches("ok   \\d{2,} leases: none early, none forgotten.*"));
    }

    @Test
    void whatNoGoodWatcherDoesIsRefusedInEtcdsWordsOrBounded() throws Exception {
        Program.Result result = ClusterWatchJudgesTest.judge("watchcheck")
                .run(ClusterWatchJudgesTest.arguments(ServerProcess.image(),
                        List.of("--abuse", "--creates", "20000", "--memory", "2048", "--dir", home.toString()),
                        List.of()));
        System.out.print(result.stdout());
        assertThat(result.exitCode()).as(result.stdout() + result.stderr()).isZero();
    }

    private void watches(String... flags) throws Exception {
        List<String> all = new ArrayList<>(List.of(flags));
        all.addAll(List.of("--dir", home.toString()));
        Program.Result result = ClusterWatchJudgesTest.judge("watchcheck")
                .run(ClusterWatchJudgesTest.arguments(ServerProcess.image(), all,
                        List.of("--watch-progress-notify-interval", "300ms")));
        System.out.print(result.stdout());
        assertThat(result.exitCode()).as(result.stdout() + result.stderr()).isZero();
        assertThat(result.lines()).anyMatch(line -> line.matches("ok   \\d{4,} events to .* all as promised.*"));
    }
}
