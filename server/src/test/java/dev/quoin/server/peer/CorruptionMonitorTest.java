package dev.quoin.server.peer;

import java.time.Duration;
import java.util.List;
import java.util.concurrent.TimeUnit;

import org.junit.jupiter.api.Test;

import dev.quoin.member.Membership;
import dev.quoin.server.peer.PeerHash.Known;
import dev.quoin.server.peer.PeerHash.Unknown;
import dev.quoin.server.peer.PeerHash.Why;
import dev.quoin.store.KeyHash;

import static org.assertj.core.api.Assertions.assertThat;

/** Members' hashes over sockets, and when they are compared. */
class CorruptionMonitorTest {
    private static final long A = 0xa;
    private static final long B = 0xb;
    private static final Duration PATIENCE = Duration.ofSeconds(10);

    private static PeerHash ask(TestPeer from, TestPeer to, long cluster, long revision) throws Exception {
        PeerHashes hashes = new PeerHashes(from.network.client(), from.network.limits(), PATIENCE.toMillis());
        Membership both = Membership.of(List.of(from.info, to.info));
        List<PeerHash> all = hashes.ask(from.info.id(), cluster, both, revision);
        assertThat(all).as("not this one itself").hasSize(1);
        return all.getFirst();
    }

    @Test
    void aMemberSaysItsHashOrWhyNot() throws Exception {
        try (TestPeer a = new TestPeer(A); TestPeer b = new TestPeer(B)) {
            assertThat(ask(a, b, TestPeer.CLUSTER, 6))
                    .isEqualTo(new Known(B, b.info.peerUrls(), new KeyHash(-2, -1, 6), 7));
            assertThat(ask(a, b, TestPeer.CLUSTER, 9)).isInstanceOfSatisfying(Unknown.class,
                    future -> assertThat(future.why()).isEqualTo(Why.FUTURE_REVISION));
            assertThat(ask(a, b, TestPeer.CLUSTER, 2)).isInstanceOfSatisfying(Unknown.class,
                    compacted -> assertThat(compacted.why()).isEqualTo(Why.COMPACTED));
            assertThat(ask(a, b, 7, 6)).isInstanceOfSatisfying(Unknown.class,
                    other -> assertThat(other.why()).isEqualTo(Why.OTHER_CLUSTER));
            b.stop();
            assertThat(ask(a, b, TestPeer.CLUSTER, 6)).isInstanceOfSatisfying(Unknown.class,
                    gone -> assertThat(gone.why()).isEqualTo(Why.NO_ANSWER));
        }
    }

    /** Of a compaction at 5 the two have kept different hashes. */
    private static boolean raises(CorruptionSettings settings, boolean areAllQuoin, long leader) throws Exception {
        try (TestPeer a = new TestPeer(A); TestPeer b = new TestPeer(B)) {
            a.knows(List.of(a.info, b.info));
            a.host.leader = leader;
            a.host.compactionHash = new KeyHash(77, -1, 5);
            try (CorruptionMonitor monitor = CorruptionMonitor.start(a.host, a.network, settings, () -> areAllQuoin,
                    PATIENCE)) {
                assertThat(monitor).isNotNull();
                for (int i = 0; i < 40 && a.host.proposed.isEmpty(); i++) {
                    TimeUnit.MILLISECONDS.sleep(25);
                }
            }
            return !a.host.proposed.isEmpty();
        }
    }

    private static CorruptionSettings afterCompactions(CorruptionSettings.Mode mode) {
        return new CorruptionSettings(false, Duration.ZERO, mode, Duration.ofMillis(50));
    }

    @Test
    void compactionsAreComparedByALeaderIfAskedOrIfAllAreQuoin() throws Exception {
        assertThat(raises(afterCompactions(CorruptionSettings.Mode.ON), false, A)).isTrue();
        assertThat(raises(afterCompactions(CorruptionSettings.Mode.ON), false, B)).as("b leads").isFalse();
        assertThat(raises(afterCompactions(CorruptionSettings.Mode.IF_ALL_ARE_QUOIN), true, A)).isTrue();
        assertThat(raises(afterCompactions(CorruptionSettings.Mode.IF_ALL_ARE_QUOIN), false, A)).isFalse();
        assertThat(raises(afterCompactions(CorruptionSettings.Mode.OFF), true, A)).isFalse();
    }

    @Test
    void aMemberIsComparedBeforeItServes() throws Exception {
        try (TestPeer a = new TestPeer(A); TestPeer b = new TestPeer(B)) {
            a.knows(List.of(a.info, b.info));
            assertThat(CorruptionMonitor.holdsWhatOthersHold(a.host, a.network, PATIENCE)).isTrue();
            b.host.hash = 3;
            assertThat(CorruptionMonitor.holdsWhatOthersHold(a.host, a.network, PATIENCE)).isFalse();
        }
    }
}
