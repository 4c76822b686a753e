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
 * Real processes in trouble. Whatever call of its disk fails, a member loses nothing that it has acknowledged, says what failed,
 * and starts again; and where a disk, another member or the lack of processor makes it slow, its log and its metrics name
 * that. Judged by trial/go's {@code killcheck} and {@code causecheck}, with the disk of trial/faults.
 */
@Tag("interop")
class FaultsTest {
    /** Twice through all kinds of them. */
    private static final int FAULTS = 20;

    @TempDir
    @SuppressWarnings("NullAway.Init")
    Path home;

    @Test
    void nothingAcknowledgedIsLostWhicheverCallOfTheDiskFails() throws Exception {
        List<String> arguments = new ArrayList<>(List.of("--faults", Integer.toString(FAULTS), "--shim", shim(),
                "--dir",
                home.toString(), "--", ServerProcess.image().toString(), "--data-dir", "{data}", "--listen-client-urls",
                "{client}", "--advertise-client-urls", "{client}", "--listen-peer-urls", "{peer}",
                "--initial-advertise-peer-urls", "{peer}", "--initial-cluster", "default={peer}"));
        Program.Result result = judge("killcheck", arguments);
        assertThat(result.lines().stream().filter(line -> line.startsWith("ok   fault "))).hasSize(FAULTS);
        assertThat(result.stdout()).contains("it ended; acked", "it refused to start", "after there is room");
    }

    @Test
    void logAndMetricsNameWhatMakesAMemberSlow() throws Exception {
        List<String> arguments = new ArrayList<>(
                List.of("--shim", shim(), "--dir", home.toString(), "--", ServerProcess.image().toString()));
        arguments.addAll(ClusterJudgesTest.MEMBER);
        Program.Result result = judge("causecheck", arguments);
        for (String phase : List.of("sync", "peer", "queue")) {
            assertThat(result.stdout()).contains("lines name " + phase, "counted as " + phase);
        }
    }

    private static String shim() {
        return Tools.built("faults.so").toString();
    }

    private static Program.Result judge(String name, List<String> arguments) throws Exception {
        Program.Result result = Program.of(Tools.built(name)).within(Duration.ofMinutes(5))
                .run(arguments.toArray(String[]::new));
        System.out.print(result.stdout());
        assertThat(result.exitCode()).as(result.stdout() + result.stderr()).isZero();
        return result;
    }
}
