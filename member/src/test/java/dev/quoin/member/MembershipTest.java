package dev.quoin.member;

import java.time.Duration;
import java.util.List;

import org.junit.jupiter.api.Test;

import dev.quoin.member.TestCluster.Answered;
import dev.quoin.member.TestCluster.Node;

import static org.assertj.core.api.Assertions.assertThat;

/** Members come, learn, vote and go; and one goes on alone. The strict check is off here: it has its own test. */
class MembershipTest {
    private static final List<String> URLS = List.of("http://m4:2380");
    private static final long FOURTH = Ids.added(URLS, 1_700_000_000L);

    private final TestCluster cluster = new TestCluster(1, 3, TestCluster.LIMITS);

    private Membership changed(Node node, ClusterChange change) {
        Answered answered = cluster.change(node, change);
        cluster.until("the answer to " + change, answered::isDone);
        assertThat(answered.changed).as("%s", answered).isNotNull();
        return answered.changed;
    }

    private ChangeRefusal refused(Node node, ClusterChange change) {
        Answered answered = cluster.change(node, change);
        cluster.until("the answer to " + change, answered::isDone);
        assertThat(answered.refused).as("%s", answered).isNotNull();
        return answered.refused;
    }

    @Test
    void aLearnerIsAddedAndPromotedOnceItHasTheLog() {
        cluster.awaitLeader();
        for (int i = 0; i < 30; i++) {
            cluster.mustPut(cluster.leader(), "k" + i, "v");
        }
        Membership four = changed(cluster.leader(), new ClusterChange.Add(FOURTH, URLS, true));
        assertThat(four.member(FOURTH)).hasValue(new MemberInfo(FOURTH, "", URLS, List.of(), true));
        assertThat(refused(cluster.leader(), new ClusterChange.Promote(FOURTH)))
                .isEqualTo(ChangeRefusal.LEARNER_NOT_READY);
        Node learner = cluster.join(4, FOURTH);
        cluster.until("the learner has all", () -> "v".equals(TestCluster.get(learner, "k29")));
        assertThat(refused(cluster.follower(), new ClusterChange.Promote(FOURTH)))
                .isEqualTo(ChangeRefusal.NOT_LEADER);
        cluster.run(Duration.ofSeconds(2));
        Membership voting = changed(cluster.leader(), new ClusterChange.Promote(FOURTH));
        assertThat(voting.confState().voters()).contains(FOURTH);
        assertThat(refused(cluster.leader(), new ClusterChange.Promote(FOURTH)))
                .isEqualTo(ChangeRefusal.NOT_A_LEARNER);
    }

    @Test
    void whatDoesNotFitIsRefusedWhereverItIsAsked() {
        cluster.awaitLeader();
        long third = Ids.member(List.of("http://m3:2380"), "test");
        for (Node node : List.of(cluster.leader(), cluster.follower())) {
            assertThat(refused(node, new ClusterChange.Remove(FOURTH))).isEqualTo(ChangeRefusal.ID_NOT_FOUND);
            assertThat(refused(node, new ClusterChange.Add(third, URLS, false))).isEqualTo(ChangeRefusal.ID_EXISTS);
            assertThat(refused(node, new ClusterChange.Add(FOURTH, List.of("http://m3:2380"), false)))
                    .isEqualTo(ChangeRefusal.PEER_URL_EXISTS);
            assertThat(refused(node, new ClusterChange.Update(third, List.of("http://m1:2380"))))
                    .isEqualTo(ChangeRefusal.PEER_URL_EXISTS);
        }
        assertThat(refused(cluster.leader(), new ClusterChange.Promote(third)))
                .isEqualTo(ChangeRefusal.NOT_A_LEARNER);
    }

    /** The leader applies late; who asks a follower is told of one change, and asks for the next: there, or of the leader. */
    @Test
    void oneChangeAfterTheOtherIsMadeThoughTheLeaderHasNotAppliedTheFirst() {
        cluster.awaitLeader();
        Node leader = cluster.leader();
        Node follower = cluster.follower();
        List<String> fifth = List.of("http://m5:2380");
        cluster.run(Duration.ofSeconds(1));
        leader.stalled.add("apply");
        changed(follower, new ClusterChange.Add(FOURTH, URLS, true));
        Answered passedOn = cluster.change(follower, new ClusterChange.Remove(FOURTH));
        cluster.run(Duration.ofMillis(300));
        assertThat(passedOn.isDone()).isFalse();
        leader.stalled.clear();
        cluster.until("the first", passedOn::isDone);
        assertThat(passedOn.changed).as("%s", passedOn).isNotNull();
        cluster.run(Duration.ofSeconds(1));
        leader.stalled.add("apply");
        long id = Ids.added(fifth, 1_700_000_000L);
        changed(follower, new ClusterChange.Add(id, fifth, true));
        Answered own = cluster.change(leader, new ClusterChange.Remove(id));
        cluster.run(Duration.ofMillis(300));
        leader.stalled.clear();
        cluster.until("the second", own::isDone);
        assertThat(own.changed).as("%s", own).isNotNull();
    }

    @Test
    void aMemberThatIsRemovedHearsOfItAndTheOthersGoOn() {
        cluster.awaitLeader();
        Node gone = cluster.follower();
        Membership two = changed(cluster.leader(), new ClusterChange.Remove(gone.id));
        assertThat(two.isRemoved(gone.id)).isTrue();
        cluster.mustPut(cluster.leader(), "a", "1");
        assertThat(refused(cluster.leader(), new ClusterChange.Add(gone.id, URLS, false)))
                .isEqualTo(ChangeRefusal.ID_REMOVED);
    }

    /** The others do not come back. Its whole log counts, and the member decides alone, also after a restart. */
    @Test
    void oneGoesOnAlone() {
        cluster.awaitLeader();
        cluster.mustPut(cluster.leader(), "a", "1");
        cluster.run(Duration.ofSeconds(1));
        Node left = cluster.leader();
        cluster.nodes.values().stream().filter(node -> node != left).forEach(Node::kill);
        Answered pending = cluster.put(left, "pending", "x");
        cluster.run(Duration.ofMillis(200));
        assertThat(pending.isDone()).isFalse();
        left.kill();
        left.startForced();
        cluster.until("it leads alone", () -> left.member().leader() == left.id
                && left.member().membership().members().size() == 1);
        assertThat(TestCluster.get(left, "a")).isEqualTo("1");
        assertThat(TestCluster.get(left, "pending")).as("others might have acknowledged it").isEqualTo("x");
        assertThat(left.member().membership().removed()).hasSize(2);
        cluster.mustPut(left, "b", "2");
        left.kill();
        left.start();
        cluster.until("it leads alone again", () -> left.member().leader() == left.id);
        cluster.mustPut(left, "c", "3");
        assertThat(TestCluster.get(left, "b")).isEqualTo("2");
    }

    @Test
    void aMemberMayBeOlderUntilTheClusterHasAgreedOnTheNewestVersion() {
        Membership two = Membership.of(List.of(new MemberInfo(1, "a", URLS, List.of(), false),
                new MemberInfo(2, "b", URLS, List.of(), false)));
        assertThat(two.mayHaveOlder()).isTrue();
        assertThat(two.withClusterVersion("3.0.0").mayHaveOlder()).isTrue();
        assertThat(two.withClusterVersion("3.6.0").mayHaveOlder()).isTrue();
        assertThat(two.withClusterVersion("3.7.0").mayHaveOlder()).isFalse();
        assertThat(two.without(2).mayHaveOlder()).as("alone").isFalse();
        Membership announced = two.withClusterVersion("3.7.0").withDowngradeTarget("3.6.0");
        assertThat(announced.mayHaveOlder()).as("one of 3.6 may join, and replay the log").isTrue();
        assertThat(announced.without(2).mayHaveOlder()).as("alone, as yet").isTrue();
        assertThat(two.withClusterVersion("3.6.0").storageVersion()).isEqualTo("3.6.0");
        assertThat(two.storageVersion()).isEqualTo("3.7.0");
    }
}
