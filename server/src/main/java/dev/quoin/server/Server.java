package dev.quoin.server;

import java.io.IOException;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.TimeUnit;

import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

import dev.quoin.base.Clock;
import dev.quoin.disk.Disk;
import dev.quoin.member.Halt;
import dev.quoin.member.Member;
import dev.quoin.member.Network;
import dev.quoin.net.Method;
import dev.quoin.net.NetConfig;
import dev.quoin.net.NetLimits;
import dev.quoin.net.NetMetrics;
import dev.quoin.net.NetServer;
import dev.quoin.net.Router;

/** A member and its client port: opened in this order, closed in the other. */
final class Server {
    private static final Logger LOG = LoggerFactory.getLogger(Server.class);
    private static final int READY_SECONDS_BETWEEN_WARNINGS = 10;
    private static final Duration DRAIN_GRACE = Duration.ofSeconds(1);

    private final Member member;
    private final NetServer net;

    private Server(Member member, NetServer net) {
        this.member = member;
        this.net = net;
    }

    /**
     * Returns once clients are served.
     *
     * @param onRemoved what to do when the member has been removed from its cluster; must not block
     */
    static Server start(ServerConfig config, Disk disk, Clock clock, Halt halt, Runnable onRemoved)
            throws InterruptedException, IOException {
        Member member = Member.start(config.member(), disk, clock, new SplittableRandom()::nextInt, Network.NONE, halt,
                new EventLog(onRemoved));
        boolean serving = false;
        try {
            while (!member.awaitReady(READY_SECONDS_BETWEEN_WARNINGS, TimeUnit.SECONDS)) {
                LOG.warn("no leader yet");
            }
            NetServer net = NetServer.start(netConfig(config, member));
            serving = true;
            return new Server(member, net);
        } finally {
            if (!serving) {
                member.close();
            }
        }
    }

    private static NetConfig netConfig(ServerConfig config, Member member) {
        MemberCalls calls = new MemberCalls(member);
        List<Method> methods = new ArrayList<>();
        methods.addAll(new KvService(member, new Answers(member.clusterId(), member.memberId(), member::term),
                config.limits()).methods());
        methods.addAll(new MaintenanceService(member, calls).methods());
        methods.addAll(new ClusterService(member, calls).methods());
        methods.addAll(new HealthService().methods());
        NetLimits limits = NetLimits.defaults().change().requestBytesMax(config.limits().messageBytesMax())
                .streamsPerConnectionMax(Math.min(config.streamsMax(), NetLimits.defaults().streamsPerConnectionMax()))
                .build();
        List<NetConfig.Listen> listens = config.clientListeners().stream().map(NetConfig.Listen::plain).toList();
        return new NetConfig(listens, Router.of(methods), new HttpFront(member, calls), limits, NetMetrics.NONE,
                loop -> Turn.of(loop).end(loop, member), null, 1);
    }

    Member member() {
        return member;
    }

    /** The addresses it listens on, with the ports that were free. */
    List<InetSocketAddress> clientAddresses() {
        return net.addresses().stream().map(InetSocketAddress.class::cast).toList();
    }

    /** Lets calls that are under way finish for a moment, then stops the member. */
    void stop() throws InterruptedException {
        net.drain(DRAIN_GRACE);
        member.close();
    }
}
