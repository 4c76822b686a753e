package dev.quoin.member;

import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Comparator;
import java.util.List;

import org.junit.jupiter.api.Test;

import dev.quoin.member.TestCluster.Node;

import static org.assertj.core.api.Assertions.assertThat;

/**
 * A leader that has lost a record cannot make the state that a member needs which lags too far behind. It lets one lead that
 * can; and where nobody can, leadership does not go round.
 */
class DamagedLeaderTest {
    private static final Path LEDGER = Path.of("/data/member/ledger");
    private static final String ROTTEN = "this-one-rots-" + "r".repeat(60);
    private static final String VALUE = "x".repeat(200);
    private static final int PUTS = 60;
    private static final int SEEDS = 6;

    private static TestCluster clusterOf(int size, long seed) {
        TestCluster cluster = new TestCluster(seed, size, TestCluster.LIMITS);
        cluster.awaitLeader();
        cluster.mustPut(cluster.leader(), "rotten", ROTTEN);
        cluster.run(Duration.ofSeconds(1));
        return cluster;
    }

    /** Turns a bit over in a record that nobody changes any more. */
    private static void rot(Node node) {
        node.isRotten = true;
        int found = 0;
        for (String file : node.disk.list(LEDGER)) {
            int at = new String(node.disk.contents(LEDGER.resolve(file)), StandardCharsets.ISO_8859_1).indexOf(ROTTEN);
            if (at >= 0) {
                node.disk.corrupt(LEDGER.resolve(file), at + 20, 1);
                found++;
            }
        }
        assertThat(found).as("files with the value").isPositive();
    }

    private static void cutOff(TestCluster cluster, Node one) {
        cluster.nodes.values().stream().filter(other -> other != one).forEach(other -> {
            other.cut.add(one.id);
            one.cut.add(other.id);
        });
    }

    private static void heal(TestCluster cluster) {
        cluster.nodes.values().forEach(node -> node.cut.clear());
    }

    /** One of the followers misses more than what the others keep of their logs. */
    private static Node lagging(TestCluster cluster) {
        Node laggard = cluster.follower();
        cutOff(cluster, laggard);
        for (int n = 0; n < PUTS; n++) {
            cluster.mustPut(cluster.leader(), "k" + n, VALUE);
        }
        cluster.run(Duration.ofSeconds(2));
        return laggard;
    }

    private static boolean hasCaughtUp(Node node) {
        return VALUE.equals(TestCluster.get(node, "k" + (PUTS - 1)));
    }

    private static List<Node> others(TestCluster cluster, Node... but) {
        return cluster.nodes.values().stream().filter(node -> !List.of(but).contains(node)).toList();
    }

    @Test
    void whoCannotMakeAStateForAnotherLetsASoundMemberLead() {
        TestCluster cluster = clusterOf(3, 1);
        Node laggard = lagging(cluster);
        Node damaged = cluster.leader();
        rot(damaged);

        heal(cluster);
        cluster.until("the laggard has caught up", () -> hasCaughtUp(laggard));

        assertThat(laggard.states).isPositive();
        assertThat(ROTTEN).isEqualTo(TestCluster.get(laggard, "rotten"));
        cluster.awaitLeader();
        assertThat(cluster.leader()).isNotEqualTo(damaged);
    }

    /** It is not shut out: nobody needs a state of it then. */
    @Test
    void itMayLeadAgain() {
        TestCluster cluster = clusterOf(3, 2);
        Node laggard = lagging(cluster);
        Node damaged = cluster.leader();
        rot(damaged);
        heal(cluster);
        cluster.until("the laggard has caught up", () -> hasCaughtUp(laggard));
        cluster.awaitLeader();

        cluster.leader().member().transferLeadership(damaged.id, new TestCluster.Answered());
        cluster.run(Duration.ofMinutes(1));

        cluster.awaitLeader();
        assertThat(cluster.leader()).isEqualTo(damaged);
        cluster.mustPut(damaged, "after", "1");
    }

    @Test
    void whoIsElectedBecauseTheOtherWasGoneMakesWayAsSoonAsItIsBack() {
        TestCluster cluster = clusterOf(3, 5);
        Node laggard = lagging(cluster);
        Node damaged = cluster.leader();
        Node sound = others(cluster, damaged, laggard).getFirst();
        rot(damaged);
        damaged.cut.clear();
        laggard.cut.remove(damaged.id);
        cluster.until("a sound leader", () -> sound.member().leader() == sound.id);
        sound.kill();
        cluster.until("the damaged one leads again", () -> damaged.member().leader() == damaged.id);
        cluster.run(Duration.ofSeconds(20));
        assertThat(hasCaughtUp(laggard)).as("nobody is there to help it").isFalse();

        heal(cluster);
        sound.start();

        cluster.until("the laggard has caught up", () -> hasCaughtUp(laggard));
    }

    /** The one that is asked first is no better: it does not give it back while there is another. */
    @Test
    void anotherIsTriedWhereTheFirstCannotEither() {
        for (long seed = 0; seed < SEEDS; seed++) {
            TestCluster cluster = clusterOf(5, seed);
            Node laggard = lagging(cluster);
            Node leader = cluster.leader();
            Node first = others(cluster, laggard, leader).stream().max(Comparator.comparingLong(node -> node.id))
                    .orElseThrow();
            rot(leader);
            rot(first);

            heal(cluster);

            cluster.until("the laggard has caught up", () -> hasCaughtUp(laggard));
        }
    }

    @Test
    void leadershipDoesNotGoRoundWhereNobodyCan() {
        TestCluster cluster = clusterOf(3, 4);
        Node laggard = lagging(cluster);
        others(cluster, laggard).forEach(DamagedLeaderTest::rot);
        long term = cluster.leader().member().term();

        heal(cluster);
        cluster.run(Duration.ofMinutes(4));

        cluster.awaitLeader();
        assertThat(hasCaughtUp(laggard)).isFalse();
        assertThat(cluster.leader().member().term() - term).as("elections in four minutes").isBetween(1L, 2L);
        cluster.mustPut(cluster.leader(), "still", "served");
    }
}
