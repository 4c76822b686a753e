package dev.quoin.member;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;

import com.google.protobuf.MessageLite;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

import dev.quoin.api.etcdserverpb.LeaseGrantRequest;
import dev.quoin.api.etcdserverpb.LeaseRevokeRequest;
import dev.quoin.api.etcdserverpb.PutRequest;
import dev.quoin.base.Bytes;
import dev.quoin.member.TestCluster.Answered;
import dev.quoin.member.TestCluster.Node;
import dev.quoin.store.Outcome;

import static org.assertj.core.api.Assertions.assertThat;

/** How long leases last: on a lone member, and when leaders come and go. An election timeout is a second. */
class LessorTest {
    private final TestCluster alone = new TestCluster(1, 1, TestCluster.LIMITS);

    /** What was said about a lease, if anything was. */
    private static final class Heard implements LeaseQuestion.Asker {
        private @Nullable LeaseReply reply;

        @Override
        public void told(LeaseReply what) {
            assertThat(reply).isNull();
            reply = what;
        }
    }

    private static Outcome must(TestCluster cluster, Node node, Requests.Kind kind, MessageLite request) {
        Answered answered = cluster.ask(node, kind, request);
        cluster.until(kind + " is done", answered::isDone);
        return java.util.Objects.requireNonNull(answered.outcome, answered.toString());
    }

    private static Outcome grant(TestCluster cluster, Node node, long id, long ttl) {
        return must(cluster, node, Requests.Kind.LEASE_GRANT,
                LeaseGrantRequest.newBuilder().setID(id).setTTL(ttl).build());
    }

    private static Outcome revoke(TestCluster cluster, Node node, long id) {
        return must(cluster, node, Requests.Kind.LEASE_REVOKE, LeaseRevokeRequest.newBuilder().setID(id).build());
    }

    private static void put(TestCluster cluster, Node node, String key, long lease) {
        must(cluster, node, Requests.Kind.PUT, PutRequest.newBuilder()
                .setKey(com.google.protobuf.ByteString.copyFromUtf8(key)).setLease(lease).build());
    }

    private static Heard renewed(Node node, long id) {
        Heard heard = new Heard();
        node.member().lessor().ask(List.of(new LeaseQuestion.Renew(id, heard)));
        return heard;
    }

    private static LeaseReply renew(TestCluster cluster, Node node, long id) {
        return await(cluster, renewed(node, id));
    }

    private static LeaseReply timeToLive(TestCluster cluster, Node node, long id, boolean keys) {
        Heard heard = new Heard();
        node.member().lessor().ask(List.of(new LeaseQuestion.TimeToLive(id, keys, heard)));
        return await(cluster, heard);
    }

    private static LeaseReply await(TestCluster cluster, Heard heard) {
        cluster.until("an answer about a lease", () -> heard.reply != null);
        return java.util.Objects.requireNonNull(heard.reply);
    }

    private static List<Long> leases(TestCluster cluster, Node node) {
        List<long[]> found = new ArrayList<>();
        node.member().lessor().list(list -> found.add(list.ids()));
        cluster.until("a list of leases", () -> !found.isEmpty());
        return java.util.Arrays.stream(found.getFirst()).boxed().toList();
    }

    private Node node() {
        alone.awaitLeader();
        return alone.leader();
    }

    @Test
    void aLeaseEndsAfterItsTimeAndNotBefore() {
        Node node = node();
        grant(alone, node, 7, 10);
        put(alone, node, "k", 7);
        alone.run(Duration.ofMillis(9_900));
        assertThat(leases(alone, node)).containsExactly(7L);
        alone.run(Duration.ofMillis(400));
        assertThat(leases(alone, node)).isEmpty();
        assertThat(TestCluster.get(node, "k")).isNull();
    }

    @Test
    void aRenewalGivesItItsWholeTimeAgain() {
        Node node = node();
        grant(alone, node, 7, 10);
        for (int i = 0; i < 5; i++) {
            alone.run(Duration.ofSeconds(8));
            assertThat(renew(alone, node, 7)).isEqualTo(new LeaseReply.Renewed(10));
        }
        alone.run(Duration.ofMillis(9_900));
        assertThat(leases(alone, node)).containsExactly(7L);
        alone.run(Duration.ofMillis(400));
        assertThat(leases(alone, node)).isEmpty();
    }

    @Test
    void whatIsNotThereIsUnknown() {
        Node node = node();
        assertThat(renew(alone, node, 9)).isEqualTo(new LeaseReply.Unknown());
        assertThat(timeToLive(alone, node, 9, true)).isEqualTo(new LeaseReply.Unknown());
        grant(alone, node, 9, 5);
        assertThat(renew(alone, node, 9)).isEqualTo(new LeaseReply.Renewed(5));
        assertThat(revoke(alone, node, 9)).isInstanceOf(Outcome.Revoked.class);
        assertThat(renew(alone, node, 9)).isEqualTo(new LeaseReply.Unknown());
    }

    @Test
    void itsRemainingTimeIsInWholeSecondsAndItsKeysInTheirOrder() {
        Node node = node();
        grant(alone, node, 7, 10);
        put(alone, node, "b", 7);
        put(alone, node, "a", 7);
        alone.run(Duration.ofMillis(3_500));
        assertThat(timeToLive(alone, node, 7, false)).isEqualTo(new LeaseReply.TimeToLive(6, 10, List.of()));
        assertThat(timeToLive(alone, node, 7, true))
                .isEqualTo(new LeaseReply.TimeToLive(6, 10, List.of(Bytes.utf8("a"), Bytes.utf8("b"))));
    }

    @Test
    void aListIsInTheOrderInWhichLeasesEnd() {
        Node node = node();
        grant(alone, node, 1, 30);
        grant(alone, node, 2, 10);
        grant(alone, node, 3, 20);
        assertThat(leases(alone, node)).containsExactly(2L, 3L, 1L);
    }

    @Test
    void afterARestartALeaseHasItsWholeTimeAgainAndAnElectionTimeout() {
        Node node = node();
        grant(alone, node, 7, 10);
        alone.run(Duration.ofSeconds(8));
        node.kill();
        node.start();
        alone.awaitLeader();
        alone.run(Duration.ofMillis(10_800));
        assertThat(leases(alone, node)).containsExactly(7L);
        alone.run(Duration.ofMillis(600));
        assertThat(leases(alone, node)).isEmpty();
    }

    @Test
    void manyLeasesEndTogether() {
        Node node = node();
        for (int id = 1; id <= 3_000; id++) {
            node.member().propose(List.of(node.member().prepare(Requests.Kind.LEASE_GRANT,
                    Bytes.of(LeaseGrantRequest.newBuilder().setID(id).setTTL(10).build().toByteArray()),
                    new Answered())));
        }
        alone.until("all are granted", () -> leases(alone, node).size() == 3_000);
        alone.run(Duration.ofSeconds(11));
        assertThat(leases(alone, node)).isEmpty();
    }

    @Test
    void renewalsThatWaitedWhileTheProcessStoodStillComeFirst() {
        Node node = node();
        grant(alone, node, 7, 10);
        grant(alone, node, 8, 10);
        alone.run(Duration.ofSeconds(5));
        node.isPaused = true;
        alone.run(Duration.ofSeconds(20));
        node.isPaused = false;
        alone.run(Duration.ofMillis(100));
        assertThat(renew(alone, node, 7)).isEqualTo(new LeaseReply.Renewed(10));
        alone.run(Duration.ofSeconds(2));
        assertThat(leases(alone, node)).containsExactly(7L);
    }

    @Test
    void aRenewalThatComesTooLateWaitsForTheEnd() {
        Node node = node();
        grant(alone, node, 7, 10);
        alone.run(Duration.ofMillis(9_900));
        node.stalled.add("wal");
        alone.run(Duration.ofMillis(500));
        Heard late = renewed(node, 7);
        alone.run(Duration.ofMillis(500));
        assertThat(late.reply).isNull();
        node.stalled.clear();
        assertThat(await(alone, late)).isEqualTo(new LeaseReply.Unknown());
    }

    @Test
    void aStoppedMemberLeavesNobodyWithoutAnAnswer() {
        Node node = node();
        node.stalled.add("raft");
        alone.run(Duration.ofSeconds(1));
        Heard heard = renewed(node, 7);
        node.member().close();
        assertThat(heard.reply).isEqualTo(new LeaseReply.Failed(Failure.STOPPED));
    }

    // ---- several members

    private static TestCluster three() {
        TestCluster cluster = new TestCluster(1, 3, TestCluster.LIMITS);
        cluster.awaitLeader();
        return cluster;
    }

    private static void isolate(TestCluster cluster, Node node) {
        cluster.nodes.values().stream().filter(other -> other != node).forEach(other -> {
            node.cut.add(other.id);
            other.cut.add(node.id);
        });
    }

    private static void heal(TestCluster cluster) {
        cluster.nodes.values().forEach(node -> node.cut.clear());
    }

    private static Node leaderBut(TestCluster cluster, Node former) {
        cluster.until("another leader", () -> cluster.nodes.values().stream()
                .anyMatch(node -> node != former && node.member().leader() == node.id));
        return cluster.nodes.values().stream().filter(node -> node != former && node.member().leader() == node.id)
                .findFirst().orElseThrow();
    }

    @Test
    void onlyTheLeaderLooksAfterLeases() {
        TestCluster cluster = three();
        grant(cluster, cluster.follower(), 7, 10);
        assertThat(renew(cluster, cluster.follower(), 7)).isEqualTo(new LeaseReply.NotPrimary());
        assertThat(timeToLive(cluster, cluster.follower(), 7, false)).isEqualTo(new LeaseReply.NotPrimary());
        assertThat(renew(cluster, cluster.leader(), 7)).isEqualTo(new LeaseReply.Renewed(10));
        assertThat(leases(cluster, cluster.follower())).containsExactly(7L);
    }

    @Test
    void underANewLeaderALeaseHasItsWholeTimeAndAnElectionTimeout() {
        TestCluster cluster = three();
        grant(cluster, cluster.leader(), 7, 10);
        cluster.run(Duration.ofSeconds(8));
        Node dead = cluster.leader();
        dead.kill();
        cluster.awaitLeader();
        Node leader = cluster.leader();
        cluster.run(Duration.ofMillis(10_800));
        assertThat(leases(cluster, leader)).containsExactly(7L);
        cluster.run(Duration.ofMillis(1_500));
        assertThat(leases(cluster, leader)).isEmpty();
    }

    @Test
    void aLeaderThatStoodStillWhileItWasReplacedRevokesNothing() {
        TestCluster cluster = three();
        Node former = cluster.leader();
        grant(cluster, former, 7, 10);
        put(cluster, former, "k", 7);
        cluster.run(Duration.ofSeconds(5));
        former.isPaused = true;
        Node leader = leaderBut(cluster, former);
        for (int i = 0; i < 10; i++) {
            assertThat(renew(cluster, leader, 7)).isEqualTo(new LeaseReply.Renewed(10));
            cluster.run(Duration.ofSeconds(3));
        }
        former.isPaused = false;
        cluster.run(Duration.ofSeconds(3));
        cluster.awaitLeader();
        assertThat(leases(cluster, cluster.leader())).containsExactly(7L);
        assertThat(TestCluster.get(cluster.leader(), "k")).isNotNull();
    }

    @Test
    void whomNobodyFollowsAcknowledgesNoRenewal() {
        TestCluster cluster = three();
        Node former = cluster.leader();
        grant(cluster, former, 7, 60);
        isolate(cluster, former);
        cluster.run(Duration.ofMillis(600));
        Heard heard = renewed(former, 7);
        cluster.run(Duration.ofMillis(200));
        assertThat(heard.reply).isNull();
        assertThat(await(cluster, heard)).isEqualTo(new LeaseReply.NotPrimary());
        heal(cluster);
        cluster.awaitLeader();
        assertThat(renew(cluster, cluster.leader(), 7)).isEqualTo(new LeaseReply.Renewed(60));
    }

    /** A watcher of the follower may know of the revocation by then, and must not hear from the leader that the lease lives. */
    @Test
    void whatAFollowerHasRevokedTheLeaderDoesNotRenewThoughItHasNotAppliedThat() {
        TestCluster cluster = three();
        Node leader = cluster.leader();
        grant(cluster, leader, 7, 60);
        grant(cluster, leader, 8, 60);
        assertThat(renew(cluster, leader, 7)).isEqualTo(new LeaseReply.Renewed(60));
        leader.stalled.add("apply");
        revoke(cluster, cluster.follower(), 7);
        Heard revoked = renewed(leader, 7);
        Heard alive = renewed(leader, 8);
        cluster.run(Duration.ofMillis(200));
        assertThat(revoked.reply).isNull();
        assertThat(alive.reply).isNull();
        leader.stalled.clear();
        assertThat(await(cluster, revoked)).isEqualTo(new LeaseReply.Unknown());
        assertThat(await(cluster, alive)).isEqualTo(new LeaseReply.Renewed(60));
    }

    /** Somebody has revoked it and taken its id again; neither is agreed upon when the time of the first is found to be over. */
    @Test
    void theEndOfALeaseIsNotThatOfTheNextWithItsId() {
        TestCluster cluster = three();
        Node leader = cluster.leader();
        grant(cluster, leader, 7, 10);
        cluster.run(Duration.ofMillis(9_500));
        cluster.nodes.values().stream().filter(node -> node != leader).forEach(node -> node.stalled.add("wal"));
        Answered revoked = cluster.ask(leader, Requests.Kind.LEASE_REVOKE,
                LeaseRevokeRequest.newBuilder().setID(7).build());
        Answered granted = cluster.ask(leader, Requests.Kind.LEASE_GRANT,
                LeaseGrantRequest.newBuilder().setID(7).setTTL(10).build());
        cluster.run(Duration.ofMillis(900));
        cluster.nodes.values().forEach(node -> node.stalled.clear());
        cluster.until("both", () -> revoked.isDone() && granted.isDone());
        assertThat(granted.outcome).as("%s", granted).isInstanceOf(Outcome.Granted.class);
        cluster.run(Duration.ofSeconds(8));
        assertThat(leases(cluster, leader)).containsExactly(7L);
        cluster.run(Duration.ofSeconds(4));
        assertThat(leases(cluster, leader)).isEmpty();
    }

    /** Its answer has to wait, its time has not. */
    @Test
    void aRenewalCountsFromWhenItWasHeard() {
        TestCluster cluster = three();
        Node leader = cluster.leader();
        grant(cluster, leader, 7, 2);
        cluster.run(Duration.ofMillis(1_700));
        leader.stalled.add("apply");
        cluster.put(leader, "k", "v");
        cluster.run(Duration.ofMillis(50));
        Heard heard = renewed(leader, 7);
        cluster.run(Duration.ofMillis(800));
        assertThat(heard.reply).isNull();
        leader.stalled.clear();
        assertThat(await(cluster, heard)).isEqualTo(new LeaseReply.Renewed(2));
    }

    /** Whatever the moment at which leadership passes on: what the former leader found out it does not have done by the next. */
    @Test
    void whatALeaderFoundToBeOverIsNotProposedInALaterTerm() {
        for (int round = 0; round < 24; round++) {
            TestCluster cluster = three();
            Node former = cluster.leader();
            grant(cluster, former, 7, 3);
            grant(cluster, former, 8, 60);
            cluster.run(Duration.ofMillis(2_800));
            renew(cluster, former, 8);
            cluster.run(Duration.ofMillis(100 + 5L * round));
            if (!leases(cluster, former).contains(7L)) {
                return;
            }
            former.member().transferLeadership(cluster.follower().id, new Answered());
            Node leader = leaderBut(cluster, former);
            cluster.until("it is the primary", () -> renew(cluster, leader, 8) instanceof LeaseReply.Renewed);
            boolean isThere = leases(cluster, leader).contains(7L);
            cluster.run(Duration.ofSeconds(2));
            assertThat(leases(cluster, leader).contains(7L)).as("round %d", round).isEqualTo(isThere);
        }
        throw new AssertionError("the lease never ended under its first leader");
    }

    @Test
    void aStateThatIsInstalledBringsItsLeases() {
        TestCluster cluster = three();
        Node lagging = cluster.follower();
        isolate(cluster, lagging);
        grant(cluster, cluster.leader(), 7, 600);
        for (int i = 0; i < 40; i++) {
            cluster.mustPut(cluster.leader(), "k" + i, "v".repeat(100));
        }
        heal(cluster);
        cluster.until("it was sent the state", () -> lagging.states == 1 && leases(cluster, lagging).contains(7L));
        cluster.leader().kill();
        cluster.awaitLeader();
        assertThat(renew(cluster, cluster.leader(), 7)).isEqualTo(new LeaseReply.Renewed(600));
    }

    // ---- checkpoints

    @Test
    void whatALeaseHasLeftIsWrittenDownSoThatItDoesNotBeginAnew() {
        TestCluster cluster = three();
        cluster.nodes.values().forEach(node -> node.member().lessor().checkpoint(true));
        grant(cluster, cluster.leader(), 7, 600);
        cluster.run(Duration.ofSeconds(302));
        cluster.leader().kill();
        cluster.awaitLeader();
        cluster.run(Duration.ofSeconds(1));
        LeaseReply reply = timeToLive(cluster, cluster.leader(), 7, false);
        assertThat(reply).isInstanceOf(LeaseReply.TimeToLive.class);
        assertThat(((LeaseReply.TimeToLive) reply).ttlSeconds()).isBetween(295L, 305L);
    }

    @Test
    void aRenewalTakesACheckpointBackSoThatItsTimeIsWholeUnderTheNextLeaderToo() {
        TestCluster cluster = three();
        cluster.nodes.values().forEach(node -> node.member().lessor().checkpoint(true));
        grant(cluster, cluster.leader(), 7, 600);
        cluster.run(Duration.ofSeconds(302));
        assertThat(renew(cluster, cluster.leader(), 7)).isEqualTo(new LeaseReply.Renewed(600));
        cluster.leader().kill();
        cluster.awaitLeader();
        cluster.run(Duration.ofSeconds(1));
        LeaseReply reply = timeToLive(cluster, cluster.leader(), 7, false);
        assertThat(((LeaseReply.TimeToLive) reply).ttlSeconds()).isBetween(595L, 601L);
    }

    /** The one asked for in the turn in which the next checkpoint is due is taken back in the log before that is written. */
    @Test
    void aRenewalIsNotUndoneByTheCheckpointOfThatMoment() {
        TestCluster cluster = three();
        cluster.nodes.values().forEach(node -> node.member().lessor().checkpoint(true));
        int leases = 1_000;
        for (long id = 1; id <= leases; id++) {
            grant(cluster, cluster.leader(), id, 1_200);
        }
        cluster.run(Duration.ofSeconds(580));
        List<Heard> renewals = new ArrayList<>();
        for (long id = 1; id <= leases; id++) {
            renewals.add(renewed(cluster.leader(), id));
            cluster.run(Duration.ofMillis(10));
        }
        cluster.run(Duration.ofSeconds(1));
        assertThat(renewals).extracting(heard -> heard.reply).containsOnly(new LeaseReply.Renewed(1_200));
        cluster.leader().kill();
        cluster.awaitLeader();
        cluster.run(Duration.ofSeconds(1));
        for (long id = 1; id <= leases; id++) {
            LeaseReply reply = timeToLive(cluster, cluster.leader(), id, false);
            assertThat(((LeaseReply.TimeToLive) reply).ttlSeconds()).as("lease %d", id).isGreaterThan(1_150);
        }
    }

    @Test
    void whoIsNotToldToWritesNothingDown() {
        Node node = node();
        grant(alone, node, 7, 600);
        long before = node.member().status().committedIndex();
        alone.run(Duration.ofSeconds(320));
        assertThat(node.member().status().committedIndex()).isEqualTo(before);
    }
}
