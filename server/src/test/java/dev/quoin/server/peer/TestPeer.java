package dev.quoin.server.peer;

import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeUnit;

import org.jspecify.annotations.Nullable;

import dev.quoin.base.Clock;
import dev.quoin.member.ChangeAnswer;
import dev.quoin.member.ChangeRefusal;
import dev.quoin.member.ClusterChange;
import dev.quoin.member.Failure;
import dev.quoin.member.LeaseQuestion;
import dev.quoin.member.LeaseReply;
import dev.quoin.member.MemberInfo;
import dev.quoin.member.MemberStatus;
import dev.quoin.member.Membership;
import dev.quoin.member.ReadAnswer;
import dev.quoin.net.EventLoops;
import dev.quoin.net.NetConfig;
import dev.quoin.net.NetMetrics;
import dev.quoin.net.NetServer;
import dev.quoin.net.Router;
import dev.quoin.raft.Message;
import dev.quoin.store.Hashing;
import dev.quoin.store.KeyHash;
import dev.quoin.store.Refusal;

/** A peer port and a network, on the loopback, of a member that is not there: its inbox and its answers are the test's. */
final class TestPeer implements AutoCloseable {
    static final long CLUSTER = 0xcafeL;
    /** Quick, and patient enough for a busy machine. */
    static final PeerLimits LIMITS = new PeerLimits(64, 64, 4, 1 << 20, 1 << 18, 8 << 20, 4 << 20, 6 << 20, 1 << 20,
            2, 2, 200, 2_500, 20_000, 20_000, 20_000, 50, 200, 1 << 20);

    private static final Clock CLOCK = new Clock() {
        @Override
        public long nanos() {
            return System.nanoTime();
        }

        @Override
        public Instant now() {
            return Instant.now();
        }
    };

    final MemberInfo info;
    final TestInbox inbox = new TestInbox();
    final TestHost host;
    private final EventLoops loops = new EventLoops("peer", 1, null);
    final PeerNetwork network;
    private final PeerFront front;
    private final PeerLimits limits;
    private @Nullable NetServer net;

    TestPeer(long id, long clusterId, PeerLimits limits) throws IOException {
        this(id, clusterId, limits, freePort());
    }

    TestPeer(long id, long clusterId, PeerLimits limits, int port) throws IOException {
        this.limits = limits;
        info = info(id, port);
        host = new TestHost(id, clusterId);
        network = new PeerNetwork(info.peerUrls(), limits, null, loops, CLOCK, PeerMetrics.NONE);
        network.start(inbox);
        front = new PeerFront(network);
        listen();
        network.open(id, clusterId);
        front.serve(host);
    }

    TestPeer(long id) throws IOException {
        this(id, CLUSTER, LIMITS);
    }

    static int freePort() throws IOException {
        try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            return socket.getLocalPort();
        }
    }

    static MemberInfo info(long id, int port) {
        return new MemberInfo(id, "m" + id, List.of("http://127.0.0.1:" + port), List.of(), false);
    }

    int port() {
        String url = info.peerUrls().getFirst();
        return Integer.parseInt(url.substring(url.lastIndexOf(':') + 1));
    }

    void listen() throws IOException {
        InetSocketAddress address = new InetSocketAddress(InetAddress.getLoopbackAddress(), port());
        net = NetServer.start(new NetConfig(List.of(NetConfig.Listen.plain(address)), Router.of(), front,
                PeerFront.netLimits(limits), NetMetrics.NONE, null, null, 1), loops);
    }

    void stopListening() {
        NetServer listening = net;
        if (listening != null) {
            listening.close();
        }
    }

    /** Knows these, itself among them, and that these were removed. */
    void knows(List<MemberInfo> members, Long... removed) {
        host.membership = new Membership(members, List.of(removed), "3.7.0", "");
        network.members(host.membership);
    }

    void send(Message... messages) {
        network.send(List.of(messages));
    }

    /** Waits until a member is, or is not, within reach. */
    boolean awaitActive(long member, boolean active) throws InterruptedException {
        long until = System.nanoTime() + TimeUnit.SECONDS.toNanos(20);
        while (network.activeSinceNanos(member) != 0 != active) {
            if (System.nanoTime() - until > 0) {
                return false;
            }
            TimeUnit.MILLISECONDS.sleep(10);
        }
        return true;
    }

    /** Waits until a member has dialled both streams. */
    boolean awaitStreams(long member) throws InterruptedException {
        long until = System.nanoTime() + TimeUnit.SECONDS.toNanos(20);
        while (System.nanoTime() - until < 0) {
            PeerLink link = network.peer(member);
            if (link != null && link.isDialled(StreamKind.MESSAGES) && link.isDialled(StreamKind.APPENDS)) {
                return true;
            }
            TimeUnit.MILLISECONDS.sleep(10);
        }
        return false;
    }

    @Override
    public void close() {
        stop();
    }

    /** May be closed again. */
    void stop() {
        network.close();
        stopListening();
        loops.close();
    }

    /** Who answers for the member. */
    static final class TestHost implements PeerHost {
        private final long id;
        private final long clusterId;
        volatile Membership membership = Membership.NONE;
        volatile MemberStatus status = new MemberStatus(0, 1, 5, 5, 0, 0, 0);
        volatile long leader;
        final List<String> proposed = new CopyOnWriteArrayList<>();
        volatile @Nullable Failure readFails;
        final List<ClusterChange> changes = new ArrayList<>();
        volatile @Nullable ChangeRefusal changeRefused;
        volatile boolean checkpointsLeases;
        volatile int hash = -2;
        volatile KeyHash compactionHash = new KeyHash(-2, -1, 5);
        volatile boolean asksWhoTheOthersAre;
        volatile boolean hearsOnlyQuoin;
        volatile LeaseReply leaseReply = new LeaseReply.NotPrimary();
        /** The one that may; null if everybody may. */
        volatile @Nullable String rootsToken;

        TestHost(long id, long clusterId) {
            this.id = id;
            this.clusterId = clusterId;
        }

        @Override
        public long memberId() {
            return id;
        }

        @Override
        public boolean mayChangeMembers(@Nullable String token) {
            return rootsToken == null || rootsToken.equals(token);
        }

        @Override
        public long clusterId() {
            return clusterId;
        }

        @Override
        public Membership membership() {
            return membership;
        }

        @Override
        public long leader() {
            return leader;
        }

        @Override
        public long term() {
            return 3;
        }

        @Override
        public void proposeClusterVersion(String version) {
            proposed.add(version);
        }

        @Override
        public void proposeDowngradeEnd() {
            proposed.add("downgrade over");
        }

        @Override
        public MemberStatus status() {
            return status;
        }

        @Override
        public long revision() {
            return 7;
        }

        @Override
        public Hashing hash(long revision) {
            if (revision > 7) {
                return new Hashing.Refused(Refusal.FUTURE_REVISION);
            }
            return revision < 3 && revision > 0 ? new Hashing.Refused(Refusal.COMPACTED)
                    : new Hashing.Known(new KeyHash(hash, -1, revision == 0 ? 7 : revision));
        }

        @Override
        public List<KeyHash> compactionHashes() {
            return List.of(compactionHash);
        }

        @Override
        public void raiseCorrupt(long member) {
            proposed.add("corrupt " + member);
        }

        @Override
        public void read(ReadAnswer answer) {
            Failure failure = readFails;
            if (failure == null) {
                answer.ready();
            } else {
                answer.failed(failure);
            }
        }

        @Override
        public void askLessor(List<LeaseQuestion> questions) {
            questions.forEach(question -> question.asker().told(leaseReply));
        }

        @Override
        public void checkpointLeases(boolean isOn) {
            checkpointsLeases = isOn;
        }

        @Override
        public boolean asksWhoTheOthersAre() {
            return asksWhoTheOthersAre;
        }

        @Override
        public void hears(boolean allAreQuoin) {
            hearsOnlyQuoin = allAreQuoin;
        }

        @Override
        public void changeMembers(ClusterChange change, ChangeAnswer answer) {
            changes.add(change);
            ChangeRefusal why = changeRefused;
            if (why == null) {
                answer.changed(membership);
            } else {
                answer.refused(why);
            }
        }
    }
}
