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
 * Locks under pauses longer than their leases, cancellations and changes of the leader, on one member and on three, by the
 * Lock service and by the locks of etcd's Go library: trial/go's {@code lockcheck}, which notices every fault that is planted.
 */
@Tag("interop")
class ClusterLocksTest {
    @TempDir
    @SuppressWarnings("NullAway.Init")
    Path home;

    @Test
    void everyPlantedFaultIsNoticed() throws Exception {
        Program.Result result = Program.of(Tools.built("lockcheck")).run("--self-test");
        assertThat(result.exitCode()).as(result.stdout() + result.stderr()).isZero();
        assertThat(result.lines()).contains("ok   50 right histories are right");
        assertThat(result.lines().stream().filter(line -> line.startsWith("ok   it sees that "))).hasSize(10);
    }

    @Test
    void locksAreGrantedInOrderAndWhatTheyGuardLosesNothing() throws Exception {
        List<String> arguments = new ArrayList<>(List.of("--acquisitions", "600", "--pauses", "16", "--dir",
                home.toString(), "--", ServerProcess.image().toString()));
        arguments.addAll(ClusterJudgesTest.MEMBER);
        Program.Result result = Program.of(Tools.built("lockcheck")).within(Duration.ofMinutes(4))
                .run(arguments.toArray(String[]::new));
        System.out.print(result.stdout());
        assertThat(result.exitCode()).as(result.stdout() + result.stderr()).isZero();
        assertThat(result.lines()).contains("ok   service, members: 1", "ok   library, members: 1",
                "ok   service, members: 3", "ok   library, members: 3");
    }
}
