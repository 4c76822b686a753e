package dev.quoin.server.peer;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.NavigableSet;
import java.util.TreeSet;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import java.util.stream.Stream;

import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.io.TempDir;

import dev.quoin.base.Bytes;
import dev.quoin.member.Ids;
import dev.quoin.member.MemberInfo;
import dev.quoin.raft.Entry;
import dev.quoin.raft.Message;
import dev.quoin.server.peer.TestInbox.Told;

import static org.assertj.core.api.Assertions.assertThat;

/** A real etcd whose cluster has one other member: our peer port and network, with a member behind them that only nods. */
@Tag("interop")
class PeerInteropTest {
    private static final String TOKEN = "peers";

    /** A follower that stores nothing and acknowledges everything; or one that has lost all, and says so. */
    private static final class Nodding implements Consumer<Message> {
        private final TestPeer self;
        private long last = 2; // the entries that make the two members
        private long term;
        private boolean lost;

        Nodding(TestPeer self) {
            this.self = self;
        }

        /** The leader has to forget what we acknowledged, so it hears of a newer term, and is elected again. */
        synchronized void loseAll(long leader) {
            term++;
            self.send(new Message.HeartbeatAnswer(self.info.id(), leader, term, Bytes.EMPTY));
            lost = true;
            last = 2;
        }

        @Override
        public synchronized void accept(Message message) {
            long id = self.info.id();
            term = Math.max(term, message.term());
            if (lost && message instanceof Message.Append append && append.term() < term) {
                return; // Sent before it was elected again: it would be asked for without end.
            }
            switch (message) {
                case Message.VoteRequest vote ->
                    self.send(new Message.VoteAnswer(id, vote.from(), vote.term(), vote.pre(), true));
                case Message.Heartbeat heartbeat -> self.send(
                        new Message.HeartbeatAnswer(id, heartbeat.from(), heartbeat.term(), heartbeat.context()));
                case Message.Append append -> append(append);
                case Message.InstallSnapshot state -> {
                    lost = false;
                    last = state.snapshot().index();
                    self.send(new Message.AppendAccepted(id, state.from(), state.term(), last));
                }
                default -> {}
            }
        }

        private void append(Message.Append append) {
            long id = self.info.id();
            if (lost || append.prevIndex() > last) {
                self.send(new Message.AppendRejected(id, append.from(), append.term(), append.prevIndex(), last, 1));
            } else {
                last = Math.max(last, append.prevIndex() + append.entries().size());
                self.send(new Message.AppendAccepted(id, append.from(), append.term(), last));
            }
        }
    }

    private record Pair(TestPeer ours, MemberInfo etcd, Nodding nodding, String cluster) {}

    private static Pair pair() throws Exception {
        int ours = TestPeer.freePort();
        int theirs = TestPeer.freePort();
        String ourUrl = "http://127.0.0.1:" + ours;
        String theirUrl = "http://127.0.0.1:" + theirs;
        long ourId = Ids.member(List.of(ourUrl), TOKEN);
        long theirId = Ids.member(List.of(theirUrl), TOKEN);
        TestPeer peer = new TestPeer(ourId, Ids.cluster(List.of(ourId, theirId)), PeerLimits.DEFAULT, ours);
        MemberInfo etcd = TestPeer.info(theirId, theirs);
        Nodding nodding = new Nodding(peer);
        peer.inbox.react(nodding);
        peer.knows(List.of(peer.info, etcd));
        return new Pair(peer, etcd, nodding, "etcd=" + theirUrl + ",quoin=" + ourUrl);
    }

    private static int port(MemberInfo member) {
        String url = member.peerUrls().getFirst();
        return Integer.parseInt(url.substring(url.lastIndexOf(':') + 1));
    }

    private static String base64(int length) {
        return Base64.getEncoder().encodeToString(new byte[length]);
    }

    /** Lines that say something went wrong, but for those of a start where one is there before the other. */
    private static List<String> complaints(String log) {
        List<String> complaints = new ArrayList<>();
        List<String> expected = List.of("connection refused", "apply request took too long", "memory-mlock",
                "simple token is not cryptographically signed", "serving client traffic insecurely",
                "waiting for ReadIndex response took too long", "failed to get version",
                "Running http and grpc server on single port", "leader is overloaded likely from slow disk");
        List<String> signs = List.of("panic", "\"level\":\"error\"", "\"level\":\"fatal\"", "\"level\":\"warn\"");
        for (String line : log.split("\n", -1)) {
            boolean complains = signs.stream().anyMatch(line::contains);
            if (complains && expected.stream().noneMatch(line::contains)) {
                complaints.add(line);
            }
        }
        return complaints;
    }

    @Test
    void etcdLeadsWithOurVoteAndCommitsWithOurAcknowledgement(@TempDir Path directory) throws Exception {
        Pair pair = pair();
        try (TestPeer ours = pair.ours();
                EtcdProcess etcd = new EtcdProcess(directory, port(pair.etcd()), pair.cluster(), TOKEN)) {
            assertThat(etcd.put(base64(1), base64(100))).as("%s", etcd.log()).isTrue();
            assertThat(ours.awaitStreams(pair.etcd().id())).isTrue();
            assertThat(ours.awaitActive(pair.etcd().id(), true)).isTrue();
            for (int i = 0; i < 50; i++) {
                assertThat(etcd.put(base64(1), base64(i % 10 == 0 ? 1_000_000 : 1_000))).isTrue();
            }
            List<Message> messages = ours.inbox.messages();
            assertThat(messages).hasAtLeastOneElementOfType(Message.VoteRequest.class)
                    .hasAtLeastOneElementOfType(Message.Heartbeat.class);
            // At the start some come twice, by the pipeline before the stream is there; none is missing.
            NavigableSet<Long> indices = indices(messages);
            assertThat(indices.first()).isEqualTo(3);
            assertThat(indices.last()).isGreaterThan(50).isEqualTo(indices.size() + 2L);
            // Longer than a silence may be: both ends live by the links' heartbeats and the leader's.
            long since = ours.network.activeSinceNanos(pair.etcd().id());
            TimeUnit.SECONDS.sleep(7);
            assertThat(ours.network.activeSinceNanos(pair.etcd().id())).isEqualTo(since);
            String log = etcd.log();
            assertThat(complaints(log)).isEmpty();
            for (String established : List.of("\"stream-reader-type\":\"stream Message\"",
                    "\"stream-reader-type\":\"stream MsgApp v2\"", "\"stream-writer-type\":\"stream Message\"",
                    "\"stream-writer-type\":\"stream MsgApp v2\"")) {
                assertThat(log.lines().filter(line -> line.contains("established TCP streaming connection")
                        && line.contains(established)).count()).as(established).isEqualTo(1);
            }
        }
    }

    private static NavigableSet<Long> indices(List<Message> messages) {
        NavigableSet<Long> indices = new TreeSet<>();
        for (Message message : messages) {
            if (message instanceof Message.Append append) {
                append.entries().stream().map(Entry::index).forEach(indices::add);
            }
        }
        return indices;
    }

    /** We go away, and come back as the same member: etcd finds us again and goes on. */
    @Test
    void etcdFindsUsAgain(@TempDir Path directory) throws Exception {
        Pair pair = pair();
        try (TestPeer first = pair.ours();
                EtcdProcess etcd = new EtcdProcess(directory, port(pair.etcd()), pair.cluster(), TOKEN)) {
            assertThat(etcd.put(base64(1), base64(100))).isTrue();
            first.stop();
            TimeUnit.SECONDS.sleep(1);
            try (TestPeer again = new TestPeer(first.info.id(), first.host.clusterId(), PeerLimits.DEFAULT,
                    first.port())) {
                Nodding nodding = new Nodding(again);
                nodding.last = pair.nodding().last;
                again.inbox.react(nodding);
                again.knows(List.of(again.info, pair.etcd()));
                assertThat(etcd.put(base64(1), base64(100))).isTrue();
                assertThat(again.awaitStreams(pair.etcd().id())).as("%s", etcd.log()).isTrue();
            }
        }
    }

    /** We say that we have lost what its log does not hold any more. */
    @Test
    void etcdSendsUsAState(@TempDir Path directory) throws Exception {
        Pair pair = pair();
        try (TestPeer ours = pair.ours();
                EtcdProcess etcd = new EtcdProcess(directory, port(pair.etcd()), pair.cluster(), TOKEN,
                        "--snapshot-count", "10", "--snapshot-catchup-entries", "1")) {
            for (int i = 0; i < 40; i++) {
                assertThat(etcd.put(base64(1), base64(300_000))).isTrue();
            }
            pair.nodding().loseAll(pair.etcd().id());
            // The one that finds out needs us for its quorum.
            assertThat(etcd.put(base64(1), base64(100))).as("%s", etcd.log()).isTrue();
            assertThat(ours.inbox.await(all -> all.stream().anyMatch(Told.State.class::isInstance))).isTrue();
            Told.State state = (Told.State) ours.inbox.all().stream().filter(Told.State.class::isInstance).findFirst()
                    .orElseThrow();
            assertThat(state.bytes()).isGreaterThan(12_000_000);
            assertThat(state.message().snapshot().index()).isGreaterThan(40);
            assertThat(state.message().snapshot().configuration().voters())
                    .containsExactlyInAnyOrder(ours.info.id(), pair.etcd().id());
            // bbolt's magic, behind the header of the first page.
            assertThat(Bytes.of(ours.inbox.lastState(), 16, 4).toString()).isEqualTo("0xedda0ced");
            assertThat(etcd.log()).contains("sent database snapshot").doesNotContain("panic");
        }
    }

    /** The table that our port is held to, asked of a real one. */
    @TestFactory
    Stream<DynamicTest> etcdAnswersTheTableAsWritten(@TempDir Path directory) throws Exception {
        int port = TestPeer.freePort();
        String url = "http://127.0.0.1:" + port;
        long id = Ids.member(List.of(url), TOKEN);
        List<DynamicTest> results = new ArrayList<>();
        try (EtcdProcess etcd = new EtcdProcess(directory, port, "etcd=" + url, TOKEN)) {
            assertThat(etcd.put(base64(1), base64(1))).isTrue();
            TimeUnit.SECONDS.sleep(5); // It tells of its storage's version only then.
            for (PeerRows.Row row : PeerRows.rows()) {
                String answer = PeerRows.ask(port, row, Ids.cluster(List.of(id)), id);
                results.add(DynamicTest.dynamicTest(row.name(), () -> assertThat(answer).isEqualTo(row.expected())));
            }
        }
        return results.stream();
    }
}
