package dev.quoin.server.compaction;

import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;

import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

import dev.quoin.base.Clock;

import static org.assertj.core.api.Assertions.assertThat;

/** When history is given up: the cases of etcd's periodic_test.go and revision_test.go, on a clock that is moved by hand. */
class AutoCompactorTest {
    /** A member whose newest revision, and time, are what the test says; both grow with every look. */
    private static final class World implements AutoCompactor.Host, Clock {
        private long nanos;
        private long revision = 1;
        private boolean leads = true;
        private @Nullable String failure;
        private final List<Long> compacted = new ArrayList<>();

        @Override
        public long nanos() {
            return nanos;
        }

        @Override
        public Instant now() {
            return Instant.ofEpochSecond(1_700_000_000);
        }

        @Override
        public long revision() {
            return revision;
        }

        @Override
        public boolean leads() {
            return leads;
        }

        @Override
        public @Nullable String compact(long upTo) {
            compacted.add(upTo);
            return failure;
        }
    }

    private final World world = new World();

    private AutoCompactor compactor(String mode, String retention) {
        AutoCompactor compactor = AutoCompactor.of(Retention.parse(mode, retention).orElseThrow(), world, world);
        assertThat(compactor).isNotNull();
        return compactor;
    }

    /** Looks so many times, a revision being added before each; what was compacted to meanwhile. */
    private List<Long> looks(AutoCompactor compactor, Duration pause, int times) throws InterruptedException {
        world.compacted.clear();
        for (int i = 0; i < times; i++) {
            world.nanos += pause.toNanos();
            world.revision++;
            assertThat(compactor.look()).isEqualTo(pause);
        }
        return List.copyOf(world.compacted);
    }

    @Test
    void aPeriodOfHoursIsLookedAtTenTimesAnHourAndCompactedEveryHour() throws InterruptedException {
        AutoCompactor compactor = compactor("periodic", "2");
        Duration pause = Duration.ofMinutes(6);
        assertThat(compactor.begin()).isEqualTo(pause);
        assertThat(looks(compactor, pause, 19)).as("before the first two hours are over").isEmpty();
        assertThat(looks(compactor, pause, 1)).containsExactly(1L);
        assertThat(looks(compactor, pause, 9)).isEmpty();
        assertThat(looks(compactor, pause, 1)).containsExactly(10L);
        assertThat(looks(compactor, pause, 10)).containsExactly(20L);
    }

    @Test
    void aShorterPeriodIsCompactedOnceInThatTime() throws InterruptedException {
        AutoCompactor compactor = compactor("periodic", "5m");
        Duration pause = Duration.ofSeconds(30);
        assertThat(compactor.begin()).isEqualTo(pause);
        assertThat(looks(compactor, pause, 9)).isEmpty();
        assertThat(looks(compactor, pause, 1)).containsExactly(1L);
        assertThat(looks(compactor, pause, 10)).containsExactly(10L);
        assertThat(looks(compactor, pause, 10)).containsExactly(20L);
    }

    @Test
    void onlyALeaderCompactsAndKnowsWhatItSawBefore() throws InterruptedException {
        AutoCompactor compactor = compactor("periodic", "1h");
        Duration pause = Duration.ofMinutes(6);
        compactor.begin();
        world.leads = false;
        assertThat(looks(compactor, pause, 33)).isEmpty();
        world.leads = true;
        assertThat(looks(compactor, pause, 1)).containsExactly(24L);
    }

    @Test
    void whatFailedIsTriedAgainAfterAPauseAndWhatIsDoneIsNot() throws InterruptedException {
        AutoCompactor compactor = compactor("periodic", "1h");
        Duration pause = Duration.ofMinutes(6);
        compactor.begin();
        world.failure = "etcdserver: request timed out";
        assertThat(looks(compactor, pause, 12)).containsExactly(1L, 1L, 2L);
        world.failure = null;
        assertThat(looks(compactor, pause, 2)).containsExactly(3L);
    }

    @Test
    void nothingIsCompactedTwiceIfNothingWasWritten() throws InterruptedException {
        AutoCompactor compactor = compactor("periodic", "1h");
        compactor.begin();
        for (int look = 0; look < 100; look++) {
            world.nanos += Duration.ofMinutes(6).toNanos();
            compactor.look();
        }
        assertThat(world.compacted).containsExactly(1L);
    }

    @Test
    void aNumberOfRevisionsIsLookedAtEveryFiveMinutes() throws InterruptedException {
        AutoCompactor compactor = compactor("revision", "10");
        Duration pause = Duration.ofMinutes(5);
        assertThat(compactor.begin()).isEqualTo(pause);
        assertThat(looks(compactor, pause, 9)).as("revisions 2 to 10").isEmpty();
        world.revision = 99;
        assertThat(looks(compactor, pause, 1)).containsExactly(90L);
        world.revision = 99;
        assertThat(looks(compactor, pause, 1)).as("the same again").isEmpty();
        world.revision = 199;
        world.leads = false;
        assertThat(looks(compactor, pause, 1)).isEmpty();
        world.leads = true;
        world.revision = 199;
        assertThat(looks(compactor, pause, 1)).containsExactly(190L);
    }

    @ParameterizedTest
    @CsvSource(nullValues = "-", textBlock = """
            periodic, '',     0
            periodic, 0,      0
            periodic, 1,      3600000000000
            periodic, +2,     7200000000000
            periodic, 90s,    90000000000
            periodic, -1h,    -3600000000000
            periodic, 1h x,   -
            periodic, -1,     -
            periodic, +,      -
            revision, 1000,   1000
            revision, 5m,     300000000000
            revision, 99999999999999999999, -
            """)
    void retentionsAreReadAsEtcdReadsThem(String mode, String text, @Nullable Long amount) {
        assertThat(Retention.parse(mode, text).map(Retention::amount).orElse(null)).isEqualTo(amount);
    }

    @Test
    void withoutARetentionThereIsNobodyWhoCompacts() {
        assertThat(AutoCompactor.of(new Retention(Retention.Mode.PERIODIC, 0), world, world)).isNull();
        assertThat(AutoCompactor.of(new Retention(Retention.Mode.REVISION, -5), world, world)).isNull();
    }

    @Test
    void aPeriodOfNanosecondsKeepsNobodyBusy() throws InterruptedException {
        AutoCompactor compactor = compactor("periodic", "5ns");
        assertThat(compactor.begin()).isEqualTo(Duration.ofMillis(1));
        assertThat(looks(compactor, Duration.ofMillis(1), 2)).containsExactly(1L, 2L);
    }
}
