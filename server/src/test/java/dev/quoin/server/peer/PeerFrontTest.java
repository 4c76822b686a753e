package dev.quoin.server.peer;

import java.io.InputStream;
import java.net.InetAddress;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;

import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.TestInstance;

import dev.quoin.base.Bytes;
import dev.quoin.base.ProtoWriter;
import dev.quoin.member.ChangeRefusal;
import dev.quoin.member.Failure;
import dev.quoin.member.MemberInfo;
import dev.quoin.member.Membership;
import dev.quoin.raft.ConfState;
import dev.quoin.raft.Message;
import dev.quoin.raft.SnapshotMeta;
import dev.quoin.server.peer.PeerRows.Row;
import dev.quoin.server.peer.TestInbox.Told;

import static org.assertj.core.api.Assertions.assertThat;

/** What the peer port answers to members, to those who are none, and to liars. */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class PeerFrontTest {
    private static final long SELF = 0x123456789abcdef0L;
    private static final long OTHER = 0xd;
    private static final long REMOVED = 0xe;
    private static final List<String> MEMBER = List.of("X-Server-From: d", "X-Server-Version: 3.7.1",
            "X-Min-Cluster-Version: 3.0.0", "X-Etcd-Cluster-ID: {cluster}", "X-Raft-To: {id}");

    @SuppressWarnings("NullAway.Init")
    private TestPeer peer;

    @BeforeAll
    void start() throws Exception {
        peer = new TestPeer(SELF);
        MemberInfo self = new MemberInfo(SELF, "etcd", peer.info.peerUrls(), peer.info.peerUrls(), false);
        // A member that the network knows, and that the port does not list.
        peer.knows(List.of(self, TestPeer.info(OTHER, TestPeer.freePort())), REMOVED);
        peer.host.membership = new Membership(List.of(self), List.of(REMOVED), "3.7.0", "");
        peer.host.changeRefused = ChangeRefusal.ID_NOT_FOUND;
    }

    @AfterAll
    void stop() {
        peer.close();
    }

    private static final String OURS = " x-quoin-version=1";

    private String ask(Row row) throws Exception {
        return PeerRows.ask(peer.port(), row, TestPeer.CLUSTER, SELF);
    }

    private String ask(String method, String path, List<String> headers, byte[] body) throws Exception {
        return ask(new Row("", method, path, headers, Bytes.of(body), ""));
    }

    @TestFactory
    Stream<DynamicTest> answersAreEtcds() {
        return PeerRows.rows().stream().map(
                row -> DynamicTest.dynamicTest(row.name(),
                        () -> assertThat(ask(row).replace(OURS, "")).isEqualTo(row.expected())));
    }

    /** By it members learn who of them is Quoin; an etcd passes over it. */
    @Test
    void whoAsksForTheVersionLearnsThatItIsQuoin() throws Exception {
        assertThat(ask("GET", "/version", List.of(), new byte[0])).startsWith("200 ").contains(OURS);
    }

    @Test
    void aMessageIsTakenAndNothingIsSaid() throws Exception {
        Message message = new Message.Heartbeat(OTHER, SELF, 3, 9, Bytes.EMPTY);
        assertThat(ask("POST", "/raft", MEMBER, PeerMessages.bytes(message).toByteArray()))
                .isEqualTo("204 x-etcd-cluster-id={cluster} | ");
        assertThat(peer.inbox.await(new Told.Received(message))).isTrue();
    }

    @Test
    void aRemovedMemberIsToldSoWhereItDials() throws Exception {
        byte[] message = PeerMessages.bytes(new Message.Heartbeat(REMOVED, SELF, 3, 9, Bytes.EMPTY)).toByteArray();
        assertThat(ask("POST", "/raft", MEMBER, message)).startsWith("500 ")
                .endsWith(" | error processing raft message\\n");
        assertThat(ask("GET", "/raft/stream/message/e", MEMBER, new byte[0])).startsWith("410 ")
                .endsWith(" | removed member\\n");
    }

    @Test
    void aStreamForAnotherMemberIsRefused() throws Exception {
        List<String> elsewhere = MEMBER.stream().map(header -> header.replace("{id}", "77")).toList();
        assertThat(ask("GET", "/raft/stream/message/d", elsewhere, new byte[0])).startsWith("412 ")
                .endsWith(" | to field mismatch\\n");
    }

    @Test
    void aMalformedVersionIsNoVersion() throws Exception {
        List<String> odd = MEMBER.stream().map(header -> header.replace("3.7.1", "3.x")).toList();
        assertThat(ask("POST", "/raft", odd, new byte[0])).endsWith(" | incompatible version\\n");
    }

    @Test
    void tooLongAMessageIsNotGathered() throws Exception {
        byte[] large = new byte[TestPeer.LIMITS.postedBytesMax() + 1];
        assertThat(ask("POST", "/raft", MEMBER, large)).startsWith("413 ").endsWith(" | raft message too large\\n");
        assertThat(ask("GET", "/version", List.of(), new byte[0])).startsWith("200 ");
    }

    @Test
    void issue22147ABodyOfTheLeaseHandlersIsBounded() throws Exception {
        for (String path : List.of("/leases", "/leases/internal")) {
            assertThat(ask("POST", path, MEMBER, new byte[65_537])).as(path).startsWith("413 ")
                    .endsWith(" | request body too large\\n");
        }
    }

    /** The length alone is believed, and is too much. */
    @Test
    void tooLongAnEnvelopeIsRefused() throws Exception {
        byte[] length = {0, 0, 0, 0, 0x7f, 0, 0, 0};
        assertThat(ask("POST", "/raft/snapshot", MEMBER, length)).startsWith("400 ")
                .contains("failed to decode raft message (");
    }

    @Test
    void aStateThatIsCutIsAborted() throws Exception {
        Message.InstallSnapshot message = new Message.InstallSnapshot(OTHER, SELF, 3,
                new SnapshotMeta(42, 3, new ConfState(List.of(OTHER, SELF), List.of())));
        ProtoWriter envelope = new ProtoWriter(100);
        new PeerStreams.MessageWriter().write(envelope, message);
        try (Socket socket = dial("POST /raft/snapshot", "Content-Length: 1000000")) {
            socket.getOutputStream().write(envelope.toByteArray());
            socket.getOutputStream().write(new byte[1_000]);
            TimeUnit.MILLISECONDS.sleep(200);
        }
        assertThat(peer.inbox.await(new Told.Aborted(1_000))).isTrue();
        // Nobody closes this one: it only falls silent.
        try (Socket socket = dial("POST /raft/snapshot", "Content-Length: 1000000")) {
            socket.getOutputStream().write(envelope.toByteArray());
            socket.getOutputStream().write(new byte[2_000]);
            String answer = new String(socket.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
            assertThat(answer).startsWith("HTTP/1.1 500").contains("failed to save KV snapshot (nothing came for");
        }
        assertThat(peer.inbox.await(new Told.Aborted(2_000))).isTrue();
    }

    private Socket dial(String request, String more) throws Exception {
        Socket socket = new Socket(InetAddress.getLoopbackAddress(), peer.port());
        socket.setSoTimeout(20_000);
        String head = request + " HTTP/1.1\r\nHost: a\r\n" + String.join("\r\n", MEMBER) + "\r\n" + more + "\r\n\r\n";
        socket.getOutputStream().write(head.replace("{cluster}", Long.toHexString(TestPeer.CLUSTER))
                .replace("{id}", Long.toHexString(SELF)).getBytes(StandardCharsets.US_ASCII));
        return socket;
    }

    private static String until(InputStream in, String end) throws Exception {
        StringBuilder read = new StringBuilder();
        while (read.indexOf(end) < 0) {
            int next = in.read();
            if (next < 0) {
                return read + " (the end)";
            }
            read.append((char) next);
        }
        return read.toString();
    }

    /** In chunks, as Go reads them: the message whose only field is its type, behind its length; and a zero. */
    @Test
    void streamsGiveSignsOfLifeAndTheNewOneReplacesTheOld() throws Exception {
        try (Socket messages = dial("GET /raft/stream/message/d", "A: b");
                Socket appends = dial("GET /raft/stream/msgapp/d", "A: b")) {
            String head = until(messages.getInputStream(), "\r\n\r\n");
            assertThat(head).startsWith("HTTP/1.1 200").contains("X-Server-Version: 3.7.1")
                    .contains("Transfer-Encoding: chunked");
            assertThat(until(messages.getInputStream(), "\b\b\r\n")).isEqualTo("a\r\n\0\0\0\0\0\0\0\002\b\b\r\n");
            until(appends.getInputStream(), "\r\n\r\n");
            assertThat(until(appends.getInputStream(), "\0\r\n")).isEqualTo("1\r\n\0\r\n");
            try (Socket newer = dial("GET /raft/stream/message/d", "A: b")) {
                assertThat(until(messages.getInputStream(), "0\r\n\r\n")).endsWith("0\r\n\r\n");
                until(newer.getInputStream(), "\r\n\r\n");
                assertThat(until(newer.getInputStream(), "\b\b\r\n")).isEqualTo("a\r\n\0\0\0\0\0\0\0\002\b\b\r\n");
            }
        }
    }

    /** Whoever dials and does not read has its messages dropped, and in the end its connection. */
    @Test
    void whoDoesNotReadIsCutOff() throws Exception {
        try (Socket deaf = dial("GET /raft/stream/message/d", "A: b")) {
            until(deaf.getInputStream(), "\r\n\r\n");
            peer.inbox.forget();
            long began = System.nanoTime();
            for (int i = 0; i < 200; i++) {
                peer.send(new Message.Heartbeat(SELF, OTHER, 3, i, Bytes.of(new byte[100_000])));
            }
            assertThat(System.nanoTime() - began).isLessThan(2_000_000_000L);
            assertThat(peer.inbox.await(new Told.Unreachable(OTHER))).isTrue();
            PeerLink link = java.util.Objects.requireNonNull(peer.network.peer(OTHER));
            // What was dropped does not fill the socket, so there must be more of it.
            for (int i = 0; i < 200 && link.isDialled(StreamKind.MESSAGES); i++) {
                peer.send(new Message.Heartbeat(SELF, OTHER, 3, i, Bytes.of(new byte[100_000])));
                TimeUnit.MILLISECONDS.sleep(100);
            }
            assertThat(link.isDialled(StreamKind.MESSAGES)).isFalse();
        }
    }

    @Test
    void whatTheLeaderSaysOfAPromotion() throws Exception {
        peer.host.changeRefused = ChangeRefusal.LEARNER_NOT_READY;
        assertThat(ask("POST", "/members/promote/13", List.of(), new byte[0])).startsWith("412 ")
                .endsWith(" | etcdserver: can only promote a learner member which is in sync with leader\\n");
        peer.host.changeRefused = ChangeRefusal.NOT_LEADER;
        assertThat(ask("POST", "/members/promote/13", List.of(), new byte[0]))
                .isEqualTo("500 content-type=application/json x-etcd-cluster-id={cluster} | "
                        + "{\"message\":\"Internal Server Error\"}");
        peer.host.changeRefused = null;
        assertThat(ask("POST", "/members/promote/13", List.of(), new byte[0])).startsWith("200 ").contains("[{\"id\":");
        peer.host.changeRefused = ChangeRefusal.ID_NOT_FOUND;
    }

    @Test
    void noDowngradeIsKnownWithoutALeader() throws Exception {
        peer.host.readFails = Failure.TIMEOUT;
        assertThat(ask("GET", "/downgrade/enabled", List.of(), new byte[0])).startsWith("500 ")
                .endsWith(" | failed linearized read: etcdserver: request timed out\\n");
        peer.host.readFails = null;
    }
}
