package dev.quoin.server.peer;

import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

import dev.quoin.base.Bytes;
import dev.quoin.member.Failure;
import dev.quoin.member.LeaseQuestion;
import dev.quoin.member.LeaseReply;

import static org.assertj.core.api.Assertions.assertThat;

/** Questions about leases that a follower is asked, and the leader answers. */
class LeaseForwarderTest {
    @SuppressWarnings("NullAway.Init")
    private TestPeer leader;
    @SuppressWarnings("NullAway.Init")
    private TestPeer follower;
    @SuppressWarnings("NullAway.Init")
    private LeaseForwarder forwarder;

    @BeforeEach
    void open() throws Exception {
        leader = new TestPeer(1);
        follower = new TestPeer(2);
        follower.knows(List.of(leader.info, follower.info));
        follower.host.leader = 1;
        forwarder = LeaseForwarder.start(follower.host, follower.network, TimeUnit.SECONDS.toNanos(3));
    }

    @AfterEach
    void close() {
        forwarder.close();
        follower.close();
        leader.close();
    }

    private CompletableFuture<LeaseReply> renew() {
        CompletableFuture<LeaseReply> reply = new CompletableFuture<>();
        forwarder.forward(List.of(new LeaseQuestion.Renew(7, reply::complete)));
        return reply;
    }

    private static LeaseReply await(CompletableFuture<LeaseReply> reply) throws Exception {
        return reply.get(20, TimeUnit.SECONDS);
    }

    @Test
    void whatTheLeaderSaysIsPassedOn() throws Exception {
        leader.host.leaseReply = new LeaseReply.Renewed(10);
        for (int i = 0; i < 200; i++) {
            assertThat(await(renew())).isEqualTo(new LeaseReply.Renewed(10));
        }
        leader.host.leaseReply = new LeaseReply.Unknown();
        assertThat(await(renew())).isEqualTo(new LeaseReply.Unknown());
        LeaseReply time = new LeaseReply.TimeToLive(-1, 10, List.of(Bytes.utf8("a"), Bytes.utf8("b")));
        leader.host.leaseReply = time;
        CompletableFuture<LeaseReply> reply = new CompletableFuture<>();
        forwarder.forward(List.of(new LeaseQuestion.TimeToLive(7, true, reply::complete)));
        assertThat(await(reply)).isEqualTo(time);
    }

    @Test
    void whoDoesNotLeadYetOrLagsIsAskedAgain() throws Exception {
        for (LeaseReply notNow : List.of(new LeaseReply.NotPrimary(), new LeaseReply.ApplyingTooLong(),
                new LeaseReply.Failed(Failure.STOPPED))) {
            leader.host.leaseReply = notNow;
            CompletableFuture<LeaseReply> reply = renew();
            TimeUnit.MILLISECONDS.sleep(120);
            assertThat(reply).isNotDone();
            leader.host.leaseReply = new LeaseReply.Renewed(5);
            assertThat(await(reply)).isEqualTo(new LeaseReply.Renewed(5));
        }
    }

    @Test
    void whoComesToLeadMeanwhileAnswersByItself() throws Exception {
        CompletableFuture<LeaseReply> reply = renew();
        follower.host.leaseReply = new LeaseReply.Renewed(9);
        follower.host.leader = 2;
        assertThat(await(reply)).isEqualTo(new LeaseReply.Renewed(9));
    }

    @Test
    void withoutAnAnswerInTimeItIsSaidWhy() throws Exception {
        CompletableFuture<LeaseReply> late = renew();
        assertThat(await(late)).isEqualTo(new LeaseReply.Failed(Failure.TIMEOUT));
        follower.host.leader = 0;
        assertThat(await(renew())).isEqualTo(new LeaseReply.NoLeader());
    }

    @Test
    void whoStillWaitsAtTheEndIsTold() throws Exception {
        CompletableFuture<LeaseReply> reply = renew();
        forwarder.close();
        assertThat(await(reply)).isEqualTo(new LeaseReply.Failed(Failure.STOPPED));
        assertThat(await(renew())).isEqualTo(new LeaseReply.Failed(Failure.STOPPED));
    }
}
