package dev.quoin.server.peer;

import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.TimeUnit;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

import dev.quoin.member.Membership;
import dev.quoin.member.SemVersion;

import static org.assertj.core.api.Assertions.assertThat;

/** What a leader proposes about versions: the cases of etcd's version/monitor_test.go, and over sockets. */
class VersionMonitorTest {
    @ParameterizedTest
    @CsvSource(nullValues = "-", textBlock = """
            # cluster's, downgrade to, servers', what is proposed
            -,     -,     3.7.1,               3.7.0
            -,     -,     3.7.1 3.6.14,        3.6.0
            -,     -,     3.7.1 ?,             3.0.0
            3.0.0, -,     3.7.1 ?,             -
            3.0.0, -,     3.7.1 3.7.0,         3.7.0
            3.6.0, -,     3.7.1 3.6.2,         -
            3.6.0, -,     3.7.1 3.7.1,         3.7.0
            3.7.0, -,     3.7.1 3.7.1,         -
            3.7.0, -,     3.7.1 3.6.1,         -
            3.7.0, 3.6.0, 3.7.1 3.7.1,         3.6.0
            3.7.0, 3.6.0, 3.7.1 ?,             -
            3.6.0, 3.6.0, 3.7.1 3.6.1,         -
            3.6.0, 3.6.0, 3.6.0 3.6.1,         -
            3.7.0, 3.5.0, 3.7.1 3.7.1,         -
            2.3.0, -,     3.7.1,               -
            """)
    void whatFollowsFromTheVersions(String cluster, String target, String servers, String expected) {
        Membership membership = new Membership(List.of(), List.of(), cluster == null ? "" : cluster,
                target == null ? "" : target);
        String proposed = switch (VersionMonitor.decide(membership, versions(servers))) {
            case VersionMonitor.Decision.Nothing nothing -> null;
            case VersionMonitor.Decision.ClusterVersion(SemVersion version) -> version.toString();
        };
        assertThat(proposed).isEqualTo(expected);
    }

    @ParameterizedTest
    @CsvSource(textBlock = """
            3.6.0, 3.6.0 3.6.1, true
            3.6.0, 3.7.1 3.6.1, false
            3.6.0, 3.6.1 ?,     false
            """)
    void aDowngradeIsDoneWhenAllServersAreOfItsVersion(String target, String servers, boolean isDone) {
        assertThat(VersionMonitor.isDowngradeDone(SemVersion.of(target), versions(servers))).isEqualTo(isDone);
    }

    private static List<SemVersion> versions(String servers) {
        return Arrays.stream(servers.split(" ", -1)).map(SemVersion::parse).toList();
    }

    @Test
    @SuppressWarnings("try") // What it does is seen at the host.
    void aDowngradeThatIsDoneIsEndedByTheLeader() throws Exception {
        try (TestPeer a = new TestPeer(1)) {
            a.host.membership = new Membership(List.of(a.info), List.of(), "3.7.0", "3.7.0");
            try (VersionMonitor monitor = VersionMonitor.start(a.host, a.network, false, Duration.ofMillis(100))) {
                TimeUnit.MILLISECONDS.sleep(400);
                assertThat(a.host.proposed).as("nobody leads").isEmpty();
                a.host.leader = 1;
                for (int i = 0; i < 100 && a.host.proposed.isEmpty(); i++) {
                    TimeUnit.MILLISECONDS.sleep(50);
                }
                assertThat(a.host.proposed).first().isEqualTo("downgrade over");
            }
        }
    }

    @Test
    @SuppressWarnings("try") // What it does is seen at the host.
    void aMemberThatDoesNotLeadAsksIfItMattersToIt() throws Exception {
        try (TestPeer a = new TestPeer(1); TestPeer b = new TestPeer(2)) {
            a.knows(List.of(a.info, b.info));
            a.host.membership = Membership.of(List.of(a.info, b.info));
            a.host.leader = 2;
            a.host.asksWhoTheOthersAre = true;
            try (VersionMonitor monitor = VersionMonitor.start(a.host, a.network, false, Duration.ofSeconds(5))) {
                for (int i = 0; i < 200 && !a.host.hearsOnlyQuoin; i++) {
                    TimeUnit.MILLISECONDS.sleep(50);
                }
                assertThat(a.host.hearsOnlyQuoin).isTrue();
                assertThat(a.host.proposed).isEmpty();
            }
        }
    }

    @Test
    @SuppressWarnings("try") // What it does is seen at the host.
    void onlyALeaderAsksAndWhoDoesNotAnswerCounts() throws Exception {
        try (TestPeer a = new TestPeer(1); TestPeer b = new TestPeer(2)) {
            a.knows(List.of(a.info, b.info));
            a.host.membership = Membership.of(List.of(a.info, b.info));
            try (VersionMonitor monitor = VersionMonitor.start(a.host, a.network, false, Duration.ofSeconds(5))) {
                TimeUnit.MILLISECONDS.sleep(400);
                assertThat(a.host.proposed).isEmpty();
                a.host.leader = 1;
                for (int i = 0; i < 100 && a.host.proposed.isEmpty(); i++) {
                    TimeUnit.MILLISECONDS.sleep(50);
                }
                assertThat(a.host.proposed).containsExactly("3.7.0");
                assertThat(a.host.checkpointsLeases).isTrue();
            }
            b.stop();
            a.host.proposed.clear();
            try (VersionMonitor monitor = VersionMonitor.start(a.host, a.network, false, Duration.ofSeconds(5))) {
                for (int i = 0; i < 100 && a.host.proposed.isEmpty(); i++) {
                    TimeUnit.MILLISECONDS.sleep(50);
                }
                assertThat(a.host.proposed).containsExactly("3.0.0");
                assertThat(a.host.checkpointsLeases).as("beside who knows whom").isFalse();
            }
            a.host.proposed.clear();
            try (VersionMonitor monitor = VersionMonitor.start(a.host, a.network, true,
                    Duration.ofSeconds(5))) {
                for (int i = 0; i < 100 && a.host.proposed.isEmpty(); i++) {
                    TimeUnit.MILLISECONDS.sleep(50);
                }
                assertThat(a.host.checkpointsLeases).as("if the operator says so").isTrue();
            }
        }
    }
}
