package dev.quoin.member;

import java.nio.file.Path;
import java.time.Duration;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

import org.junit.jupiter.api.Test;

import dev.quoin.member.TestCluster.Answered;
import dev.quoin.member.TestCluster.Node;

import static org.assertj.core.api.Assertions.assertThat;

/** Several members as one: who leads, what is passed on, what becomes of it when the leader goes. */
class ClusterTest {
    private final TestCluster cluster = new TestCluster(1, 3, TestCluster.LIMITS);

    private void everywhere(String key, String value) {
        cluster.until(key + " is everywhere", () -> cluster.nodes.values().stream()
                .allMatch(node -> node.member == null || value.equals(TestCluster.get(node, key))));
    }

    @Test
    void whoFoundsAClusterDoesNotWaitForItsFirstLeader() {
        Set<Node> hastened = new HashSet<>();
        cluster.until("all know who founds it", () -> {
            cluster.nodes.values().stream().filter(node -> !hastened.contains(node))
                    .filter(node -> node.member().hastenNow()).forEach(hastened::add);
            return hastened.size() == cluster.nodes.size();
        });
        Node first = cluster.nodes.values().stream()
                .min((a, b) -> Long.compareUnsigned(a.id, b.id)).orElseThrow();
        // A tenth of what an election timeout takes at least.
        cluster.run(Duration.ofMillis(100));
        assertThat(cluster.nodes.values()).allMatch(node -> node.member().leader() == first.id);
    }

    @Test
    void whatOneMemberIsAskedAllHave() {
        cluster.awaitLeader();
        cluster.mustPut(cluster.leader(), "a", "1");
        cluster.mustPut(cluster.follower(), "b", "2");
        everywhere("a", "1");
        everywhere("b", "2");
    }

    @Test
    void whoIsBehindRefusesOnlyWhenThatLasts() {
        cluster.awaitLeader();
        Node behind = cluster.leader();
        cluster.mustPut(behind, "a", "1");
        behind.stalled.add("apply");
        for (int put = 0; put <= TestCluster.LIMITS.unappliedEntriesMax(); put++) {
            cluster.put(behind, "a", "2");
        }
        cluster.run(Duration.ofNanos(Backlog.PATIENCE_NANOS).dividedBy(2));
        Answered early = cluster.put(behind, "a", "3");
        cluster.run(Duration.ofMillis(50));
        assertThat(early.isDone()).isFalse();
        cluster.run(Duration.ofNanos(Backlog.PATIENCE_NANOS));
        Answered late = cluster.put(behind, "a", "4");
        cluster.run(Duration.ofMillis(50));
        assertThat(late.failure).isEqualTo(Failure.TOO_MANY_REQUESTS);
        behind.stalled.clear();
        cluster.until("what was taken is done", early::isDone);
        assertThat(early.outcome).isNotNull();
        cluster.mustPut(behind, "a", "5");
    }

    @Test
    void theyAgreeOnIdsNamesAndAddresses() {
        cluster.awaitLeader();
        cluster.run(Duration.ofSeconds(1));
        for (Node node : cluster.nodes.values()) {
            assertThat(node.member().membership().members()).extracting(MemberInfo::name).containsExactlyInAnyOrder(
                    "m1",
                    "m2", "m3");
            assertThat(node.member().membership().members()).extracting(MemberInfo::clientUrls)
                    .doesNotContain(List.of());
            assertThat(node.member().clusterId()).isEqualTo(cluster.leader().member().clusterId());
        }
    }

    @Test
    void aReadOnAFollowerSeesWhatWasAcknowledgedByTheLeader() {
        cluster.awaitLeader();
        cluster.mustPut(cluster.leader(), "a", "1");
        Answered read = cluster.read(cluster.follower());
        cluster.until("the read", read::isDone);
        assertThat(read.isReady).isTrue();
        assertThat(TestCluster.get(cluster.follower(), "a")).isEqualTo("1");
    }

    @Test
    void aReadIsAskedAgainWhenItsQuestionIsLost() {
        cluster.awaitLeader();
        Node follower = cluster.follower();
        follower.cut.add(cluster.leader().id);
        Answered read = cluster.read(follower);
        cluster.run(Duration.ofMillis(300));
        assertThat(read.isDone()).isFalse();
        follower.cut.clear();
        cluster.run(Duration.ofMillis(600));
        assertThat(read.isReady).isTrue();
    }

    @Test
    void theOthersGoOnWithoutTheirLeader() {
        cluster.awaitLeader();
        cluster.mustPut(cluster.leader(), "a", "1");
        Node dead = cluster.leader();
        dead.kill();
        cluster.awaitLeader();
        cluster.mustPut(cluster.follower(), "b", "2");
        dead.start();
        cluster.mustPut(cluster.leader(), "c", "3");
        everywhere("a", "1");
        everywhere("b", "2");
        everywhere("c", "3");
    }

    @Test
    void aLeaderWhoseProcessHasEndedIsReplacedAtOnce() {
        cluster.awaitLeader();
        Node dead = cluster.leader();
        dead.kill();
        cluster.run(Duration.ofMillis(20));
        cluster.tellGone(dead);
        cluster.run(Duration.ofMillis(700));
        assertThat(cluster.leader()).as("within less than an election timeout").isNotEqualTo(dead);
    }

    @Test
    void aLeaderThatIsSaidToBeGoneAndIsNotStays() {
        cluster.awaitLeader();
        Node leader = cluster.leader();
        long term = leader.member().term();
        for (int i = 0; i < 50; i++) {
            cluster.tellGone(leader);
            cluster.run(Duration.ofMillis(70));
        }
        assertThat(cluster.leader()).isEqualTo(leader);
        assertThat(leader.member().term()).isEqualTo(term);
    }

    @Test
    void aWritePassedOnToALeaderThatDiesIsAnsweredAfterOneElection() {
        cluster.awaitLeader();
        Node leader = cluster.leader();
        Node follower = cluster.follower();
        leader.isPaused = true;
        Answered put = cluster.put(follower, "a", "1");
        cluster.run(Duration.ofMillis(50));
        leader.kill();
        cluster.awaitLeader();
        cluster.run(Duration.ofSeconds(1));
        assertThat(put.failure).isEqualTo(Failure.LEADER_LOST);
    }

    /** It is in the inbox of a leader that is stopped, which passes it on to its successor when it goes on. */
    @Test
    void aWriteThatAnOldLeaderPassesOnLateIsAppliedOnce() {
        cluster.awaitLeader();
        Node leader = cluster.leader();
        Node follower = cluster.follower();
        leader.isPaused = true;
        Answered put = cluster.put(follower, "a", "1");
        cluster.until("another leader", () -> follower.member().leader() != leader.id
                && follower.member().leader() != 0);
        cluster.until("an answer", put::isDone);
        assertThat(put.failure).isEqualTo(Failure.LEADER_LOST);
        leader.isPaused = false;
        cluster.awaitLeader();
        cluster.mustPut(leader, "b", "2");
        everywhere("b", "2");
        List<String> values = cluster.nodes.values().stream().map(node -> String.valueOf(TestCluster.get(node, "a")))
                .distinct().toList();
        assertThat(values).hasSize(1);
    }

    @Test
    void withoutAMajorityAWriteTimesOutAndComesBackByItself() {
        cluster.awaitLeader();
        Node left = cluster.leader();
        List<Node> dead = cluster.nodes.values().stream().filter(node -> node != left).toList();
        dead.forEach(Node::kill);
        cluster.until("it steps down", () -> left.member().leader() == 0);
        Answered put = cluster.put(left, "a", "1");
        Answered read = cluster.read(left);
        cluster.run(Duration.ofSeconds(9));
        assertThat(put.failure).isEqualTo(Failure.TIMEOUT);
        assertThat(read.failure).isEqualTo(Failure.TIMEOUT);
        Answered waiting = cluster.put(left, "b", "2");
        dead.forEach(Node::start);
        cluster.until("the write", waiting::isDone);
        assertThat(waiting.outcome).isNotNull();
    }

    @Test
    void leadershipIsHandedOverAndWritesGoOn() {
        cluster.awaitLeader();
        Node before = cluster.leader();
        Node after = cluster.follower();
        Answered moved = new Answered();
        before.member().transferLeadership(after.id, moved);
        Answered put = cluster.put(before, "a", "1");
        cluster.until("moved", moved::isDone);
        assertThat(moved.isReady).isTrue();
        cluster.awaitLeader();
        assertThat(cluster.leader()).isEqualTo(after);
        cluster.until("the write", put::isDone);
        assertThat(put.outcome).isNotNull();
        Answered refused = new Answered();
        before.member().transferLeadership(before.id, refused);
        cluster.until("an answer", refused::isDone);
        assertThat(refused.failure).isEqualTo(Failure.NOT_LEADER);
    }

    @Test
    void whatWasAcknowledgedIsThereAfterThePowerIsCutEverywhere() {
        cluster.awaitLeader();
        for (int i = 0; i < 40; i++) {
            cluster.mustPut(i % 2 == 0 ? cluster.leader() : cluster.follower(), "k" + i, "v" + i);
        }
        cluster.nodes.values().forEach(node -> {
            node.cutPower();
            node.start();
        });
        cluster.awaitLeader();
        for (int i = 0; i < 40; i++) {
            everywhere("k" + i, "v" + i);
        }
    }

    @Test
    void aMemberThatLagsFarBehindIsSentTheState() {
        cluster.awaitLeader();
        Node lagging = cluster.follower();
        cluster.mustPut(cluster.leader(), "before", "1");
        everywhere("before", "1");
        lagging.kill();
        for (int i = 0; i < 200; i++) {
            cluster.mustPut(cluster.leader(), "k" + i % 50, "v".repeat(40) + i);
        }
        lagging.start();
        everywhere("k49", "v".repeat(40) + 199);
        assertThat(lagging.states).isPositive();
        assertThat(lagging.member().view().revision()).isEqualTo(cluster.leader().member().view().revision());
        cluster.mustPut(lagging, "after", "2");
        everywhere("after", "2");
        lagging.cutPower();
        lagging.start();
        cluster.awaitLeader();
        everywhere("after", "2");
        everywhere("k0", "v".repeat(40) + 150);
        assertThat(new DataDirectory(Path.of("/data")).isInUse(lagging.disk)).isTrue();
        // The one that was replaced is gone at the latest after a restart.
        assertThat(lagging.disk.list(Path.of("/data/member")).stream().filter(name -> name.startsWith("ledger")))
                .hasSize(1);
    }

    @Test
    void aStateThatBreaksOffIsSentAgain() {
        cluster.awaitLeader();
        Node lagging = cluster.follower();
        lagging.kill();
        for (int i = 0; i < 200; i++) {
            cluster.mustPut(cluster.leader(), "k" + i % 50, "v".repeat(40) + i);
        }
        cluster.leader().breakStates = 2;
        lagging.start();
        everywhere("k49", "v".repeat(40) + 199);
        assertThat(lagging.states).isPositive();
    }

    /** Made late, its state has entries of the next term in it, which a message of its own term cannot bring. */
    @Test
    void aFormerLeaderSendsNoStateOfTheNextTerm() {
        cluster.awaitLeader();
        Node former = cluster.leader();
        Node lagging = cluster.follower();
        lagging.kill();
        Node next = cluster.follower();
        for (int i = 0; i < 200; i++) {
            cluster.mustPut(former, "k" + i % 50, "v".repeat(40) + i);
        }
        former.stalled.add("housekeeper");
        lagging.start();
        cluster.run(Duration.ofSeconds(1));
        former.member().transferLeadership(next.id, new Answered());
        cluster.until("the other leads", () -> next.member().leader() == next.id);
        cluster.mustPut(cluster.leader(), "after", "1");
        cluster.until("the former leader has it", () -> "1".equals(TestCluster.get(former, "after")));
        former.stalled.clear();
        everywhere("after", "1");
        cluster.run(Duration.ofSeconds(1));
        assertThat(former.isAnyStateOfALaterTerm).isFalse();
    }

    @Test
    void aLeaderWhoseDiskHangsMakesWay() {
        cluster.awaitLeader();
        Node hanging = cluster.leader();
        hanging.stalled.add("wal");
        Answered put = cluster.put(hanging, "a", "1");
        cluster.until("another leads", () -> cluster.nodes.values().stream()
                .anyMatch(node -> node != hanging && node.member().leader() == node.id));
        cluster.mustPut(cluster.leader(), "b", "2");
        hanging.stalled.clear();
        cluster.until("an answer", put::isDone);
        everywhere("b", "2");
    }

    @Test
    void aMemberThatCannotApplyTakesNoMoreThanItHasRoomFor() {
        cluster.awaitLeader();
        Node slow = cluster.follower();
        slow.stalled.add("apply");
        String large = "v".repeat(10_000);
        for (int i = 0; i < 300; i++) {
            cluster.mustPut(cluster.leader(), "k" + i % 10, large + i);
        }
        assertThat(slow.member().unappliedBytes()).isLessThan(2L << 20);
        slow.stalled.clear();
        everywhere("k9", large + 299);
    }

    @Test
    void aMemberThatIsSentTheStateWhileMuchIsWrittenGoesOnFromThere() {
        cluster.awaitLeader();
        Node lagging = cluster.follower();
        lagging.kill();
        for (int i = 0; i < 200; i++) {
            cluster.mustPut(cluster.leader(), "k" + i % 50, "v".repeat(40) + i);
        }
        lagging.start();
        for (int i = 0; i < 200; i++) {
            cluster.put(cluster.leader(), "k" + i % 50, "w".repeat(10) + i);
            cluster.round();
        }
        everywhere("k49", "w".repeat(10) + 199);
        assertThat(lagging.states).isEqualTo(1);
    }
}
