package dev.quoin.ctl.cluster;

import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.List;

import org.junit.jupiter.api.Test;

import dev.quoin.ctl.cluster.MemberState.Role;

import static org.assertj.core.api.Assertions.assertThat;

class ClusterViewTest {
    private static final MemberState M1 = new MemberState(1, "m1", "127.0.0.1:2379", Role.LEADER, 4711, 2, 1234, 25_000,
            121_000_000, 0);
    private static final MemberState M2 = new MemberState(2, "m2", "127.0.0.1:12381", Role.FOLLOWER, 12, 2, 1234,
            25_000, 98_000_000, 0);

    private final ByteArrayOutputStream printed = new ByteArrayOutputStream();

    private static MemberState as(Role role, MemberState state) {
        return new MemberState(state.number(), state.name(), state.endpoint(), role, state.pid(), 0, 0, 0, 0, 137);
    }

    private ClusterView view(boolean isTable) {
        return new ClusterView(new PrintStream(printed, true, StandardCharsets.UTF_8), isTable);
    }

    private String printed() {
        String all = printed.toString(StandardCharsets.UTF_8);
        printed.reset();
        return all;
    }

    @Test
    void aTableIsDrawnAnewInItsPlace() {
        ClusterView view = view(true);
        view.show(List.of(M1, M2));
        assertThat(printed()).isEqualTo("\u001b[J" + """
                MEMBER  ENDPOINT         PID   ROLE      TERM  REVISION  DB SIZE  RSS
                m1      127.0.0.1:2379   4711  leader    2     1234      25 kB    121 MB
                m2      127.0.0.1:12381  12    follower  2     1234      25 kB    98 MB
                """);
        view.show(List.of(as(Role.ENDED, M1), as(Role.SILENT, M2)));
        assertThat(printed()).isEqualTo("\u001b[F".repeat(3) + "\u001b[J" + """
                MEMBER  ENDPOINT         PID  ROLE       TERM  REVISION  DB SIZE  RSS
                m1      127.0.0.1:2379   -    ended      -     -         -        -
                m2      127.0.0.1:12381  12   no answer  -     -         -        -
                m1 has ended with exit code 137: type 1 and Enter to start it again
                """);
        view.noteLineTyped();
        view.show(List.of(M1, M2));
        assertThat(printed()).startsWith("\u001b[F".repeat(5) + "\u001b[J");
    }

    @Test
    void whoReadsLinesIsToldWhatChanges() {
        ClusterView view = view(false);
        view.show(List.of(M1, M2));
        assertThat(printed()).isEqualTo("""
                m1 (127.0.0.1:2379, pid 4711) leads in term 2
                m2 (127.0.0.1:12381, pid 12) follows in term 2
                """);
        view.show(List.of(M1, M2));
        assertThat(printed()).isEmpty();
        view.show(List.of(as(Role.ENDED, M1), as(Role.LEADERLESS, M2)));
        assertThat(printed()).isEqualTo("""
                m1 (127.0.0.1:2379, pid 4711) has ended with exit code 137
                m2 (127.0.0.1:12381, pid 12) knows no leader
                """);
    }
}
