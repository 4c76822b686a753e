package dev.quoin.member;

import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import java.util.stream.IntStream;

import org.junit.jupiter.api.Test;

import dev.quoin.disk.DiskFailure;
import dev.quoin.member.TestCluster.Answered;
import dev.quoin.member.TestCluster.Node;

import static org.assertj.core.api.Assertions.assertThat;

/**
 * A disk that takes nothing more: the member refuses writes and lets another lead, serves what it has, loses nothing that
 * was acknowledged, and goes on by itself when there is space again.
 */
class FullDiskTest {
    private static final String VALUE = "x".repeat(300);
    private static final int SEEDS = 40;

    private final TestCluster alone = new TestCluster(1, 1, TestCluster.LIMITS);

    private static Node only(TestCluster cluster) {
        return cluster.nodes.values().iterator().next();
    }

    private static void fill(Node node) {
        node.isFull = true;
        node.disk.full(true);
    }

    private static void empty(Node node) {
        node.disk.full(false);
    }

    /** Writes until one is refused; those that were acknowledged, by key. */
    private static Map<String, String> writeUntilRefused(TestCluster cluster, Node node) {
        Map<String, String> acknowledged = new TreeMap<>();
        for (int n = 0; n < 200; n++) {
            Answered put = cluster.put(node, "k" + n, n + VALUE);
            cluster.until("an answer", put::isDone);
            if (put.outcome == null) {
                assertThat(put.failure).isEqualTo(Failure.DISK_FULL);
                return acknowledged;
            }
            acknowledged.put("k" + n, n + VALUE);
        }
        throw new AssertionError("200 writes fit onto a full disk");
    }

    private static void assertHas(Node node, Map<String, String> written) {
        written.forEach((key, value) -> assertThat(TestCluster.get(node, key)).as(key).isEqualTo(value));
    }

    private static void assertReads(TestCluster cluster, Node node) {
        Answered read = cluster.read(node);
        cluster.until("a read", read::isDone);
        assertThat(read.isReady).isTrue();
    }

    private static void untilWritesAreTaken(TestCluster cluster, Node node) {
        for (int seconds = 0; seconds < 10; seconds++) {
            cluster.run(Duration.ofSeconds(1));
            Answered put = cluster.put(node, "again", "1");
            cluster.until("an answer", put::isDone);
            if (put.outcome != null) {
                return;
            }
        }
        throw new AssertionError("10 s after there was space again writes are refused");
    }

    @Test
    void aMemberAloneRefusesWritesServesReadsAndGoesOnByItself() {
        Node node = only(alone);
        alone.awaitLeader();
        alone.mustPut(node, "a", "1");
        fill(node);
        Map<String, String> acknowledged = writeUntilRefused(alone, node);
        assertReads(alone, node);
        assertHas(node, acknowledged);

        alone.run(Duration.ofMinutes(2));

        assertThat(writeUntilRefused(alone, node)).as("as long as it lasts").isEmpty();
        assertReads(alone, node);
        empty(node);
        untilWritesAreTaken(alone, node);
        node.cutPower();
        node.start();
        alone.awaitLeader();
        alone.until("what was acknowledged", () -> "1".equals(TestCluster.get(node, "again")));
        assertHas(node, acknowledged);
    }

    /** Much is on its way when the disk is full, more than the segment and the one that was prepared have room for. */
    @Test
    void whatWasOnItsWayIsWrittenLaterAndNobodyIsToldThatItWas() {
        Node node = only(alone);
        alone.awaitLeader();
        fill(node);
        List<Answered> puts = IntStream.range(0, 60).mapToObj(n -> alone.put(node, "k" + n, VALUE)).toList();
        alone.run(Duration.ofSeconds(9));
        assertThat(puts).allMatch(put -> put.failure == Failure.TIMEOUT);
        assertThat(node.member().isLogLate()).isTrue();
        empty(node);
        untilWritesAreTaken(alone, node);
        assertThat(TestCluster.get(node, "k59")).isEqualTo(VALUE);
        assertThat(node.member().isLogLate()).isFalse();
    }

    @Test
    void aLeaderWithoutSpaceLetsAnotherLead() {
        TestCluster cluster = new TestCluster(2, 3, TestCluster.LIMITS);
        cluster.awaitLeader();
        Node full = cluster.leader();
        fill(full);
        for (int n = 0; n < 200 && full.member().leader() == full.id; n++) {
            cluster.put(full, "before" + n, VALUE);
            cluster.run(Duration.ofMillis(50));
        }
        cluster.until("another leader", () -> full.member().leader() != full.id && full.member().leader() != 0);
        cluster.awaitLeader();
        for (int n = 0; n < 50; n++) {
            cluster.mustPut(cluster.leader(), "after" + n, VALUE);
        }
        assertThat(cluster.leader()).isNotEqualTo(full);

        empty(full);
        cluster.until("it has caught up", () -> VALUE.equals(TestCluster.get(full, "after49")));
        full.cutPower();
        full.start();
        cluster.until("it has it still", () -> VALUE.equals(TestCluster.get(full, "after49")));
    }

    @Test
    void leadershipDoesNotGoRoundWhereNobodyHasSpace() {
        TestCluster cluster = new TestCluster(3, 3, TestCluster.LIMITS);
        cluster.awaitLeader();
        cluster.nodes.values().forEach(FullDiskTest::fill);
        for (int n = 0; n < 60; n++) {
            cluster.awaitLeader();
            cluster.put(cluster.leader(), "k" + n, VALUE);
            cluster.run(Duration.ofMillis(200));
        }
        cluster.awaitLeader();
        long term = cluster.leader().member().term();
        cluster.run(Duration.ofMinutes(2));
        assertThat(cluster.leader().member().term() - term).as("elections in two minutes").isLessThanOrEqualTo(3);
        cluster.nodes.values().forEach(FullDiskTest::empty);
        untilWritesAreTaken(cluster, cluster.leader());
    }

    @Test
    void nothingAcknowledgedIsLostWhateverComesBetween() {
        for (long seed = 0; seed < SEEDS; seed++) {
            try {
                oneLife(new TestCluster(seed, 1, TestCluster.LIMITS), new Random(seed));
            } catch (AssertionError | RuntimeException broken) {
                throw new AssertionError("seed " + seed, broken);
            }
        }
    }

    private static void oneLife(TestCluster cluster, Random random) {
        Node node = only(cluster);
        node.isFull = true;
        Map<String, String> acknowledged = new TreeMap<>();
        cluster.awaitLeader();
        for (int step = 0; step < 80; step++) {
            switch (random.nextInt(12)) {
                case 0, 1 -> fill(node);
                case 2, 3, 4 -> empty(node);
                case 5 -> comeBack(cluster, node, random.nextBoolean());
                default -> {
                    String key = "k" + step;
                    Answered put = cluster.put(node, key, VALUE);
                    cluster.run(Duration.ofMillis(random.nextInt(1_500)));
                    if (put.outcome != null) {
                        acknowledged.put(key, VALUE);
                    }
                }
            }
        }
        empty(node);
        comeBack(cluster, node, true);
        untilWritesAreTaken(cluster, node);
        assertHas(node, acknowledged);
    }

    /** A start may need space, and says so if there is none. */
    private static void comeBack(TestCluster cluster, Node node, boolean powerGoes) {
        if (powerGoes) {
            node.cutPower();
        } else {
            node.kill();
        }
        try {
            node.start();
        } catch (DiskFailure refused) {
            assertThat(refused.isNoSpace()).isTrue();
            empty(node);
            node.disk.restartProcess();
            node.start();
        }
        empty(node);
        cluster.awaitLeader();
    }
}
