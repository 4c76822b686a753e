package dev.quoin.server;

import java.io.IOException;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.function.Predicate;

import org.jspecify.annotations.Nullable;

import dev.quoin.base.Clock;
import dev.quoin.disk.Damaged;
import dev.quoin.member.Member;
import dev.quoin.member.Network;
import dev.quoin.member.StartRefused;
import dev.quoin.net.Dialler;
import dev.quoin.net.EventLoops;
import dev.quoin.net.NetConfig;
import dev.quoin.net.NetMetrics;
import dev.quoin.net.NetServer;
import dev.quoin.net.Router;
import dev.quoin.server.peer.CorruptionMonitor;
import dev.quoin.server.peer.CorruptionSettings;
import dev.quoin.server.peer.LeaseForwarder;
import dev.quoin.server.peer.PeerFront;
import dev.quoin.server.peer.PeerHost;
import dev.quoin.server.peer.PeerLimits;
import dev.quoin.server.peer.PeerMetrics;
import dev.quoin.server.peer.PeerNetwork;
import dev.quoin.server.peer.VersionMonitor;

/** A member's side of its cluster: the peer port with what it answers, and the network to the other members. */
final class Peers implements AutoCloseable {
    private final PeerNetwork network;
    private final PeerFront front;
    private final NetServer net;
    private final EventLoops loops;
    private @Nullable VersionMonitor monitor;
    private @Nullable LeaseForwarder forwarder;
    private @Nullable CorruptionMonitor corruption;

    private Peers(PeerNetwork network, PeerFront front, NetServer net, EventLoops loops) {
        this.network = network;
        this.loops = loops;
        this.front = front;
        this.net = net;
    }

    /** Takes the port. Who asks there is sent away until {@link #serve}. */
    static Peers listen(ServerConfig config, Clock clock, PeerMetrics metrics) throws IOException {
        // One for both directions, so that an answer to a member leaves on the thread that read what it said; and none of the
        // clients', so that they do not keep members from hearing each other.
        EventLoops loops = new EventLoops("net-peer", 1, null);
        PeerNetwork network = null;
        try {
            network = new PeerNetwork(config.cluster().peerUrls(), PeerLimits.DEFAULT, config.tls().dial(), loops,
                    clock, metrics);
            PeerFront front = new PeerFront(network);
            NetServer net = NetServer.start(new NetConfig(config.peerListeners(), Router.of(List.of()), front,
                    PeerFront.netLimits(PeerLimits.DEFAULT).change()
                            .unadmittedMax(ServerLimits.unadmittedMax(Runtime.getRuntime().maxMemory())).build(),
                    NetMetrics.NONE, null, config.tls().peers(), 1), loops);
            return new Peers(network, front, net, loops);
        } catch (IOException | RuntimeException refused) {
            if (network != null) {
                network.close();
            }
            loops.close();
            throw refused;
        }
    }

    /** What the member is given. */
    Network network() {
        return network;
    }

    /** What speaks TLS with other members, if anything does. */
    List<Certificates.Holder> certificates() {
        return List.of(net::refreshTls, network.client().dialler()::refreshTls);
    }

    /** Until when the certificate that others are shown is valid, if there is one. */
    Optional<Instant> certificateExpiry() {
        return net.certificateExpiry();
    }

    /** For questions to other members. */
    Dialler dialler() {
        return network.client().dialler();
    }

    /**
     * The member is started, and has been there before: what it holds must be what others hold.
     *
     * @throws StartRefused if not
     */
    void compare(Member member, Duration requestTimeout) throws InterruptedException {
        if (!CorruptionMonitor.holdsWhatOthersHold(PeerHost.of(member, token -> false), network,
                requestTimeout)) {
            throw new StartRefused("checkInitialHashKV failed: " + Long.toHexString(member.memberId())
                    + " found data inconsistency with peers. " + Damaged.REMEDY);
        }
    }

    /**
     * The member is started: others are dialled, and are answered.
     *
     * @param questionNanos how long a question to the leader may be on its way
     * @param checkpointsAlways as {@link VersionMonitor#start} has it
     * @param downgradeCheck between two looks whether a downgrade is done
     * @param mayChange whether who shows this token may change who belongs to the cluster
     */
    LeaseForwarder serve(Member member, long questionNanos, boolean checkpointsAlways, Duration downgradeCheck,
            CorruptionSettings settings, Predicate<@Nullable String> mayChange) {
        PeerHost host = PeerHost.of(member, mayChange);
        network.open(host.memberId(), host.clusterId());
        front.serve(host);
        VersionMonitor versions = VersionMonitor.start(host, network, checkpointsAlways, downgradeCheck);
        monitor = versions;
        corruption = CorruptionMonitor.start(host, network, settings, versions::areAllQuoin,
                Duration.ofNanos(questionNanos));
        LeaseForwarder leases = LeaseForwarder.start(host, network, questionNanos);
        forwarder = leases;
        return leases;
    }

    /** Nobody is heard or answered any more. */
    @Override
    public void close() {
        if (corruption != null) {
            corruption.close();
        }
        if (monitor != null) {
            monitor.close();
        }
        if (forwarder != null) {
            forwarder.close();
        }
        network.close();
        net.close();
        loops.close();
    }
}
