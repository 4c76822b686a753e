package dev.quoin.server.peer;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.LongStream;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

import dev.quoin.base.Bytes;
import dev.quoin.member.Delivery;
import dev.quoin.member.MemberInfo;
import dev.quoin.member.SnapshotState;
import dev.quoin.raft.ConfState;
import dev.quoin.raft.Entry;
import dev.quoin.raft.EntryKind;
import dev.quoin.raft.Message;
import dev.quoin.raft.SnapshotMeta;
import dev.quoin.server.peer.TestInbox.Told;

import static org.assertj.core.api.Assertions.assertThat;

/** Two networks that talk to each other over sockets. */
class PeerNetworkTest {
    private static final long A = 0xa;
    private static final long B = 0xb000000000000000L;

    @SuppressWarnings("NullAway.Init")
    private TestPeer a;
    @SuppressWarnings("NullAway.Init")
    private TestPeer b;

    @BeforeEach
    void start() throws Exception {
        a = new TestPeer(A);
        b = new TestPeer(B);
    }

    @AfterEach
    void stop() {
        a.close();
        b.close();
    }

    private List<MemberInfo> both() {
        return List.of(a.info, b.info);
    }

    private void meet() throws Exception {
        a.knows(both());
        b.knows(both());
        assertThat(a.awaitStreams(B)).isTrue();
        assertThat(b.awaitStreams(A)).isTrue();
        assertThat(a.awaitActive(B, true)).isTrue();
        assertThat(b.awaitActive(A, true)).isTrue();
    }

    private static Message.Append append(long from, long to, long prevIndex, int entries, int dataBytes) {
        List<Entry> list = LongStream.rangeClosed(1, entries)
                .mapToObj(i -> new Entry(3, prevIndex + i, EntryKind.NORMAL, Bytes.of(new byte[dataBytes]))).toList();
        return new Message.Append(from, to, 3, prevIndex, 3, list, prevIndex);
    }

    private static Message.Heartbeat heartbeat(long from, long to, long commit) {
        return new Message.Heartbeat(from, to, 3, commit, Bytes.EMPTY);
    }

    @Test
    void membersHearEachOtherInOrder() throws Exception {
        meet();
        List<Message> appends = new ArrayList<>();
        for (int i = 0; i < 50; i++) {
            appends.add(append(A, B, 10 + 2 * i, 2, 100));
        }
        appends.add(append(A, B, 110, 1, 3 << 20)); // more than a batch, a window, or what may wait
        List<Message> others = List.of(heartbeat(A, B, 1), new Message.VoteRequest(A, B, 4, true, 9, 3, false),
                heartbeat(A, B, 2));
        for (Message message : appends) {
            a.send(message);
            TimeUnit.MILLISECONDS.sleep(1);
        }
        // While the large one waits there is no room for another.
        assertThat(b.inbox.await(all -> all.size() >= appends.size())).isTrue();
        Message last = append(A, B, 111, 0, 0);
        appends.add(last);
        a.send(last);
        others.forEach(a::send);
        b.send(new Message.AppendAccepted(B, A, 3, 12));
        assertThat(b.inbox.await(all -> all.size() >= appends.size() + others.size())).isTrue();
        assertThat(b.inbox.messages().stream().filter(Message.Append.class::isInstance)).isEqualTo(appends);
        assertThat(b.inbox.messages().stream().filter(m -> !(m instanceof Message.Append))).isEqualTo(others);
        assertThat(a.inbox.await(new Told.Received(new Message.AppendAccepted(B, A, 3, 12)))).isTrue();
        assertThat(a.inbox.all()).hasSize(1);
    }

    /** Longer than a silence may last: the links' own heartbeats keep it up. */
    @Test
    void silenceOfConsensusIsNoSilenceOfTheLink() throws Exception {
        meet();
        long since = a.network.activeSinceNanos(B);
        TimeUnit.MILLISECONDS.sleep(TestPeer.LIMITS.silenceMillisMax() + 1_500);
        assertThat(a.network.activeSinceNanos(B)).isEqualTo(since);
        assertThat(a.inbox.all()).isEmpty();
    }

    @Test
    void aMemberThatGoesAndComesBack() throws Exception {
        meet();
        b.close();
        assertThat(a.awaitActive(B, false)).isTrue();
        // What is sent meanwhile is posted to nobody, and consensus hears of it.
        a.send(heartbeat(A, B, 1));
        assertThat(a.inbox.await(new Told.Unreachable(B))).isTrue();
        b = new TestPeer(B, TestPeer.CLUSTER, TestPeer.LIMITS, b.port());
        b.knows(both());
        assertThat(a.awaitActive(B, true)).isTrue();
        assertThat(a.awaitStreams(B)).isTrue();
        a.send(heartbeat(A, B, 2));
        assertThat(b.inbox.await(new Told.Received(heartbeat(A, B, 2)))).isTrue();
    }

    /** B has not applied the change that adds A: it takes what A posts, and can answer. */
    @Test
    void whoIsNoMemberYetIsAnswered() throws Exception {
        b.knows(List.of(b.info));
        a.knows(both());
        a.send(heartbeat(A, B, 1));
        assertThat(b.inbox.await(new Told.Received(heartbeat(A, B, 1)))).isTrue();
        assertThat(b.network.peer(A)).isNull();
        Message answer = new Message.HeartbeatAnswer(B, A, 3, Bytes.EMPTY);
        b.send(answer);
        assertThat(a.inbox.await(new Told.Received(answer))).isTrue();
        assertThat(b.network.activeSinceNanos(A)).isZero();
        b.knows(both());
        assertThat(a.awaitStreams(B)).isTrue();
        assertThat(b.awaitStreams(A)).isTrue();
    }

    /** As when the first entries of a log are applied, which add the members one by one. */
    @Test
    void aMemberThatIsNotYetAddedKeepsItsLink() throws Exception {
        meet();
        long since = a.network.activeSinceNanos(B);
        a.knows(List.of(a.info));
        TimeUnit.MILLISECONDS.sleep(300);
        a.knows(both());
        assertThat(a.network.activeSinceNanos(B)).isEqualTo(since);
    }

    @Test
    void whoWasRemovedIsToldSo() throws Exception {
        meet();
        b.knows(List.of(b.info), A);
        assertThat(a.inbox.await(new Told.Removed(B))).isTrue();
        b.inbox.forget();
        a.send(heartbeat(A, B, 1));
        TimeUnit.MILLISECONDS.sleep(300);
        assertThat(b.inbox.messages()).isEmpty();
        assertThat(b.network.activeSinceNanos(A)).isZero();
    }

    @Test
    void anotherClusterIsNotHeard() throws Exception {
        try (TestPeer other = new TestPeer(B, 0xbad, TestPeer.LIMITS)) {
            a.knows(List.of(a.info, other.info));
            other.knows(List.of(a.info, other.info));
            a.send(heartbeat(A, B, 1));
            assertThat(a.inbox.await(new Told.Unreachable(B))).isTrue();
            TimeUnit.MILLISECONDS.sleep(500);
            assertThat(other.inbox.messages()).isEmpty();
            assertThat(a.network.activeSinceNanos(B)).isZero();
        }
    }

    /** The same URLs, and somebody else behind them: nobody takes that for a removal. */
    @Test
    void anotherMemberIsNotHeard() throws Exception {
        long stranger = 0xc;
        MemberInfo wrong = TestPeer.info(stranger, b.port());
        b.knows(both());
        a.knows(List.of(a.info, wrong));
        a.send(heartbeat(A, stranger, 1));
        assertThat(a.inbox.await(new Told.Unreachable(stranger))).isTrue();
        TimeUnit.MILLISECONDS.sleep(300);
        assertThat(b.inbox.messages()).isEmpty();
        assertThat(a.inbox.all()).doesNotContain(new Told.Removed(stranger));
    }

    @Test
    void aMemberMoves() throws Exception {
        MemberInfo nowhere = TestPeer.info(B, TestPeer.freePort());
        b.knows(both());
        a.knows(List.of(a.info, nowhere));
        a.send(heartbeat(A, B, 1));
        a.knows(both());
        assertThat(b.awaitStreams(A)).isTrue();
    }

    @Test
    void oneOfSeveralUrlsWillDo() throws Exception {
        List<String> urls = List.of("http://127.0.0.1:" + TestPeer.freePort(), b.info.peerUrls().getFirst());
        a.knows(List.of(a.info, new MemberInfo(B, "b", urls, List.of(), false)));
        b.knows(both());
        assertThat(b.awaitStreams(A)).isTrue();
        assertThat(a.awaitStreams(B)).isTrue();
    }

    /** Nobody listens, so the posts hang or fail: the queue fills, and sending never waits. */
    @Test
    void whatHasNoRoomIsLost() throws Exception {
        try (java.net.ServerSocket deaf = new java.net.ServerSocket(0, 1, java.net.InetAddress.getLoopbackAddress())) {
            a.knows(List.of(a.info, TestPeer.info(B, deaf.getLocalPort())));
            long began = System.nanoTime();
            for (int i = 0; i < 10_000; i++) {
                a.send(heartbeat(A, B, i));
            }
            assertThat(System.nanoTime() - began).isLessThan(2_000_000_000L);
            assertThat(a.inbox.await(new Told.Unreachable(B))).isTrue();
        }
    }

    // ---- states

    /** A state of made-up bytes that counts how often it is closed, and may break. */
    private static final class MadeUp implements SnapshotState {
        private final byte[] bytes;
        private final int breaksAt;
        final AtomicInteger closed = new AtomicInteger();

        MadeUp(int length, int breaksAt) {
            bytes = new byte[length];
            new java.util.Random(length).nextBytes(bytes);
            this.breaksAt = breaksAt;
        }

        @Override
        public SnapshotMeta meta() {
            return new SnapshotMeta(42, 3, new ConfState(List.of(A, B), List.of()));
        }

        @Override
        public String storageVersion() {
            return "3.7.0";
        }

        @Override
        public Bytes oldStore() {
            return Bytes.utf8("{}");
        }

        @Override
        public long revision() {
            return 7;
        }

        @Override
        public int hash() {
            throw new AssertionError("nobody asks for the hash of what is sent");
        }

        @Override
        public long lengthBytes() {
            return bytes.length;
        }

        @Override
        public void writeTo(Output output) {
            for (int at = 0; at < bytes.length; at += 10_000) {
                if (at >= breaksAt) {
                    throw new dev.quoin.disk.Damaged(java.nio.file.Path.of("x"), at, "a record is lost");
                }
                output.write(bytes, at, Math.min(10_000, bytes.length - at));
            }
        }

        @Override
        public void close() {
            closed.incrementAndGet();
        }

        Message.InstallSnapshot message() {
            return new Message.InstallSnapshot(A, B, 3, meta());
        }
    }

    @Test
    void aStateArrivesWhole() throws Exception {
        meet();
        MadeUp state = new MadeUp(5_000_001, Integer.MAX_VALUE);
        a.network.sendSnapshot(state.message(), state);
        assertThat(a.inbox.await(new Told.Sent(B, Delivery.ARRIVED))).isTrue();
        assertThat(b.inbox.all()).containsExactly(
                new Told.State(state.message(), 5_000_001, TestInbox.sum(state.bytes)));
        assertThat(state.closed).hasValue(1);
    }

    @Test
    void aStateWithALostRecordIsBrokenOffAndSaysSo() throws Exception {
        meet();
        MadeUp state = new MadeUp(5_000_000, 3_000_000);
        a.network.sendSnapshot(state.message(), state);
        assertThat(a.inbox.await(new Told.Sent(B, Delivery.DAMAGED))).isTrue();
        assertThat(b.inbox.await(all -> all.stream().anyMatch(Told.Aborted.class::isInstance))).isTrue();
        assertThat(b.inbox.all()).noneMatch(Told.State.class::isInstance);
        assertThat(state.closed).hasValue(1);
    }

    @Test
    void aStateThatIsRefusedIsNotSentOn() throws Exception {
        meet();
        for (String when : List.of("at once", "at the end")) {
            b.inbox.refuse(when);
            a.inbox.forget();
            MadeUp state = new MadeUp(20_000_000, Integer.MAX_VALUE);
            a.network.sendSnapshot(state.message(), state);
            assertThat(a.inbox.await(new Told.Sent(B, Delivery.FAILED))).as(when).isTrue();
            assertThat(state.closed).hasValue(1);
        }
        assertThat(b.inbox.all()).noneMatch(Told.State.class::isInstance);
    }

    @Test
    void aStateForNobodyIsClosed() throws Exception {
        MadeUp state = new MadeUp(10, Integer.MAX_VALUE);
        a.network.sendSnapshot(state.message(), state);
        assertThat(a.inbox.await(new Told.Sent(B, Delivery.FAILED))).isTrue();
        assertThat(state.closed).hasValue(1);
    }
}
