package dev.quoin.member;

import org.junit.jupiter.api.Test;

import dev.quoin.member.Phases.Phase;

import static org.assertj.core.api.Assertions.assertThat;

/** Who asks why one request took long is told which of its waits was the longest, to about 10 ms. */
class EntryTimesTest {
    private static final long MS = 1_000_000;

    private final EntryTimes times = new EntryTimes();

    private void pass(long index, long appendedMs, long syncedMs, long committedMs, boolean isOwn) {
        times.appended(index, appendedMs * MS, isOwn);
        times.synced(index, syncedMs * MS);
        times.committed(index, committedMs * MS);
    }

    private long millis(Phases phases, Phase phase) {
        return phases.nanos(phase) / MS;
    }

    @Test
    void aSlowDiskIsToldFromSlowPeersAndFromTheStore() {
        pass(1, 10, 20, 30, true);
        pass(2, 100, 400, 420, true);
        pass(3, 500, 520, 900, true);
        assertThat(times.phases(2, 90 * MS, 440 * MS).longest()).isEqualTo(Phase.SYNC);
        assertThat(times.phases(3, 490 * MS, 910 * MS).longest()).isEqualTo(Phase.PEER);
        Phases stored = times.phases(1, 5 * MS, 800 * MS);
        assertThat(stored.longest()).isEqualTo(Phase.APPLY);
        assertThat(millis(stored, Phase.QUEUE)).isEqualTo(5);
        assertThat(millis(stored, Phase.SYNC)).isEqualTo(10);
        assertThat(millis(stored, Phase.PEER)).isEqualTo(10);
        assertThat(millis(stored, Phase.APPLY)).isEqualTo(770);
        assertThat(stored.sum()).isEqualTo(795 * MS);
    }

    @Test
    void whatWaitedBeforeTheLogWaitedForItsTurn() {
        pass(1, 300, 310, 320, true);
        assertThat(times.phases(1, 0, 330 * MS).longest()).isEqualTo(Phase.QUEUE);
    }

    @Test
    void onAFollowerTheWayToTheLeaderIsThePeers() {
        pass(1, 300, 310, 320, false);
        assertThat(times.phases(1, 0, 330 * MS).longest()).isEqualTo(Phase.PEER);
    }

    @Test
    void oneMarkStandsForAllThatComesCloseTogether() {
        for (int index = 1; index <= 100_000; index++) {
            pass(index, index / 1_000, index / 1_000, index / 1_000, true);
        }
        // Each is found, though there are far fewer marks.
        assertThat(millis(times.phases(50_500, 50 * MS, 250 * MS), Phase.APPLY)).isBetween(190L, 210L);
    }

    @Test
    void whatALaterLeaderReplacedIsForgotten() {
        pass(5, 100, 110, 120, true);
        times.appended(9, 200 * MS, true);
        times.appended(6, 300 * MS, false);
        times.synced(6, 310 * MS);
        times.committed(6, 320 * MS);
        assertThat(times.phases(6, 290 * MS, 330 * MS).sum()).isEqualTo(40 * MS);
        assertThat(times.phases(9, 190 * MS, 900 * MS)).as("it is not known any more")
                .extracting(Phases::longest).isEqualTo(Phase.QUEUE);
    }

    @Test
    void whatIsTooLongAgoIsSaidToBeUnknown() {
        for (int index = 1; index <= 3_000; index++) {
            pass(index, index * 20L, index * 20L, index * 20L, true);
        }
        Phases old = times.phases(1, 0, 60_000 * MS);
        assertThat(old.nanos(Phase.QUEUE)).isEqualTo(60_000 * MS);
        assertThat(times.phases(2_999, 59_970 * MS, 60_500 * MS).longest()).isEqualTo(Phase.APPLY);
    }
}
