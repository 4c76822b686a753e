package dev.quoin.server;

import java.io.IOException;
import java.net.SocketAddress;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;

import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

import dev.quoin.base.Clock;
import dev.quoin.disk.Disk;
import dev.quoin.member.Halt;
import dev.quoin.member.Member;
import dev.quoin.member.MemberConfig;
import dev.quoin.member.MemberLimits;
import dev.quoin.net.HttpHandler;
import dev.quoin.net.HttpResponse;
import dev.quoin.net.LoopTurn;
import dev.quoin.net.Method;
import dev.quoin.net.NetConfig;
import dev.quoin.net.NetMetrics;
import dev.quoin.net.NetServer;
import dev.quoin.net.Router;
import dev.quoin.server.bootstrap.BootstrapRefused;
import dev.quoin.server.dial.PeerHttp;

/** A peer port, a member and its client ports: opened in this order, closed in the other. */
final class Server {
    private static final Logger LOG = LoggerFactory.getLogger(Server.class);
    private static final int READY_SECONDS_BETWEEN_WARNINGS = 10;
    /** An election timeout is the longest that consensus tries. */
    private static final Duration HAND_OVER = Duration.ofSeconds(2);
    private static final Duration USERS_TICK = Duration.ofSeconds(1);
    private static final Duration PROGRESS_TICK_MAX = Duration.ofSeconds(1);
    /** So many ticks in an interval of progress. */
    private static final int PROGRESS_PRECISION = 20;
    private static final HttpHandler NO_HTTP = request -> HttpResponse.text(404, "404 page not found\n");
    private static final Duration DRAIN_GRACE = Duration.ofSeconds(1);

    private final Peers peers;
    private final Member member;
    /** For clients; then, if there are such, for HTTP alone and for machines that watch this one. */
    private final List<NetServer> nets;
    private final Users users;
    private final List<Ticks> ticks;

    private Server(Peers peers, Member member, List<NetServer> nets, Users users, List<Ticks> ticks) {
        this.peers = peers;
        this.member = member;
        this.nets = List.copyOf(nets);
        this.users = users;
        this.ticks = ticks;
    }

    /**
     * Returns once clients are served.
     *
     * @param onRemoved what to do when the member has been removed from its cluster; must not block
     */
    static Server start(ServerConfig config, Disk disk, Clock clock, Halt halt, Runnable onRemoved)
            throws InterruptedException, IOException, BootstrapRefused {
        MemberConfig found = Origins.complete(config, disk);
        Users users = new Users(config.auth(), clock);
        Peers peers = Peers.listen(config, clock);
        Member member = null;
        List<NetServer> nets = new ArrayList<>();
        boolean serving = false;
        try {
            member = Member.start(found, disk, clock, new SplittableRandom()::nextInt, peers.network(), halt,
                    new EventLog(onRemoved, users.tokens()));
            LeaseDesk leases = new LeaseDesk(member,
                    peers.serve(member, config.member().limits().requestTimeoutNanos(), users::mayChangeMembers));
            Member started = member;
            LoopTurn turn = loop -> Turn.of(loop).end(loop, started, leases);
            Access access = users.of(member, turn);
            if (config.advanceElection()) {
                Thread.ofVirtual().name("first-election").start(hastener(member));
            }
            while (!member.awaitReady(READY_SECONDS_BETWEEN_WARNINGS, TimeUnit.SECONDS)) {
                LOG.warn("no leader yet");
            }
            Answers answers = new Answers(member.clusterId(), member.memberId(), member::term);
            WatchService watches = new WatchService(member, access, answers, config.limits(),
                    new WatchProgress(config.watchProgress(), bound -> ThreadLocalRandom.current().nextLong(bound)));
            CallGate gate = new CallGate(member::isLearner, () -> started.leader() != 0);
            List<Method> methods = methods(config, member, access, answers, watches,
                    promotions(config, member, peers, clock), leases, clock);
            methods.addAll(users.methods(member, access, calls(config, member)));
            AccessGate accessGate = new AccessGate(access);
            nets.add(NetServer.start(netConfig(config, member,
                    methods.stream().map(accessGate::before).map(gate::before).toList(), turn)));
            if (!config.httpListeners().isEmpty()) {
                nets.add(NetServer.start(httpConfig(config, config.httpListeners(), http(config, member))));
            }
            if (!config.metricsListeners().isEmpty()) {
                nets.add(NetServer.start(
                        httpConfig(config, config.metricsListeners(), MonitoringFront.before(front(config, member)))));
            }
            serving = true;
            return new Server(peers, member, nets, users, ticks(config, watches, gate, users));
        } finally {
            if (!serving) {
                nets.forEach(NetServer::close);
                close(peers, member);
                users.close();
            }
        }
    }

    private static List<Ticks> ticks(ServerConfig config, WatchService watches, CallGate gate, Users users) {
        MemberLimits limits = config.member().limits();
        Duration ofWatches = Duration.ofNanos(config.watchProgress().toNanos() / PROGRESS_PRECISION);
        return List.of(
                Ticks.every(Duration.ofNanos(limits.tickNanos() * limits.electionTicks()), gate::tick),
                Ticks.every(ofWatches.compareTo(PROGRESS_TICK_MAX) > 0 ? PROGRESS_TICK_MAX : ofWatches,
                        () -> watches.tick(System.nanoTime())),
                Ticks.every(USERS_TICK, users::tick));
    }

    private static Runnable hastener(Member member) {
        return () -> {
            try {
                member.hastenFirstElection();
            } catch (InterruptedException stopped) {
                Thread.currentThread().interrupt();
            }
        };
    }

    /** Who asks for a member's messages goes first, then the member, which closes the network. */
    private static void close(Peers peers, @Nullable Member member) {
        peers.close();
        if (member != null) {
            member.close();
        }
    }

    private static Promotions promotions(ServerConfig config, Member member, Peers peers, Clock clock) {
        return new Promotions(member::leader, member::membership, new PeerHttp(peers.dialler()), clock,
                Duration.ofNanos(config.member().limits().requestTimeoutNanos()));
    }

    private static List<Method> methods(ServerConfig config, Member member, Access access, Answers answers,
            WatchService watches, Promotions promotions, LeaseDesk leases, Clock clock) {
        MemberCalls calls = calls(config, member);
        List<Method> methods = new ArrayList<>();
        methods.addAll(new KvService(member, access, answers, config.limits()).methods());
        methods.addAll(new LeaseService(member, access, calls, leases, answers, config.limits()).methods());
        methods.addAll(watches.methods());
        methods.addAll(Coordination.methods(member, access, calls));
        methods.addAll(new MaintenanceService(member, access, calls).methods());
        methods.addAll(new ClusterService(member, calls, promotions, clock).methods());
        methods.addAll(new HealthService().methods());
        return methods;
    }

    private static MemberCalls calls(ServerConfig config, Member member) {
        return new MemberCalls(member, config.limits().requestBytesMax());
    }

    private static NetConfig netConfig(ServerConfig config, Member member, List<Method> methods, LoopTurn turn) {
        HttpHandler http = config.httpListeners().isEmpty() ? http(config, member) : NO_HTTP;
        return new NetConfig(listens(config, config.clientListeners()),
                Router.of(methods), http, config.netLimits(), NetMetrics.NONE, turn, null, 1);
    }

    private static HttpHandler http(ServerConfig config, Member member) {
        return new AccessControl(front(config, member), config.hosts(), config.origins());
    }

    private static HttpFront front(ServerConfig config, Member member) {
        return new HttpFront(member, calls(config, member));
    }

    private static NetConfig httpConfig(ServerConfig config, List<SocketAddress> addresses, HttpHandler http) {
        return new NetConfig(listens(config, addresses), Router.of(List.of()), http, config.netLimits(),
                NetMetrics.NONE, null, null, 1);
    }

    private static List<NetConfig.Listen> listens(ServerConfig config, List<SocketAddress> addresses) {
        return addresses.stream().map(address -> NetConfig.Listen.plain(address).reusingPort(config.reusePort()))
                .toList();
    }

    Member member() {
        return member;
    }

    /** The addresses it listens on, with the ports that were free. */
    List<SocketAddress> clientAddresses() {
        return nets.getFirst().addresses();
    }

    /** Lets another member lead, if this one does; lets calls that are under way finish for a moment; stops the member. */
    void stop() throws InterruptedException {
        if (!member.handOver(HAND_OVER.toMillis(), TimeUnit.MILLISECONDS)) {
            LOG.warn("leadership was not handed over");
        }
        ticks.forEach(Ticks::close);
        for (NetServer net : nets) {
            net.drain(DRAIN_GRACE);
        }
        close(peers, member);
        users.close();
    }
}
