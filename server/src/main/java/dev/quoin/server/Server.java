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
import dev.quoin.net.InnerCalls;
import dev.quoin.net.LoopTurn;
import dev.quoin.net.Method;
import dev.quoin.net.NetConfig;
import dev.quoin.net.NetMetrics;
import dev.quoin.net.NetServer;
import dev.quoin.net.NetTls;
import dev.quoin.net.Router;
import dev.quoin.server.bootstrap.BootstrapRefused;
import dev.quoin.server.compaction.AutoCompactor;
import dev.quoin.server.config.Gate;
import dev.quoin.server.dial.PeerHttp;
import dev.quoin.server.gateway.Gateway;
import dev.quoin.server.health.HealthFront;
import dev.quoin.server.metrics.ServerMetrics;

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
    private static final Duration CERTIFICATES_TICK = Duration.ofSeconds(1);
    private static final HttpHandler NO_HTTP = request -> HttpResponse.text(404, "404 page not found\n");
    /**
     * Event loops of the client port. One is bound by its processor; a second one lets reads grow, and a put cost more of a
     * processor (docs/evidence/0007). More than two were not measured.
     */
    private static final int LOOPS = Math.clamp(Runtime.getRuntime().availableProcessors(), 1, 4);
    private static final Duration DRAIN_GRACE = Duration.ofSeconds(1);

    private final Peers peers;
    private final Member member;
    /** For clients; then, if there are such, for HTTP alone and for machines that watch this one. */
    private final List<NetServer> nets;
    private final InnerCalls inner;
    private final Users users;
    private final List<Ticks> ticks;

    private Server(Peers peers, Member member, List<NetServer> nets, InnerCalls inner, Users users,
            List<Ticks> ticks) {
        this.peers = peers;
        this.member = member;
        this.nets = List.copyOf(nets);
        this.inner = inner;
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
        DirectoryMode.check(config.member().dataDirectory());
        DirectoryMode.check(config.member().dataDirectory().resolve("member"));
        MemberConfig found = Origins.complete(config, disk);
        ServerMetrics metrics = new ServerMetrics(config.metrics(), clock,
                slow -> RequestLog.applied(slow, config.metrics().slowApply()), why -> Errors.of(why).message());
        Users users = new Users(config.auth(), clock);
        Peers peers = Peers.listen(config, clock, metrics.peers());
        Member member = null;
        InnerCalls inner = null;
        List<NetServer> nets = new ArrayList<>();
        boolean serving = false;
        try {
            member = Member.start(found, disk, clock, new SplittableRandom()::nextInt, peers.network(), halt,
                    new EventLog(onRemoved, users.tokens()), metrics.member());
            metrics.begin(member);
            long requestNanos = config.member().limits().requestTimeoutNanos();
            if (config.corruption().initially() && found.origin() == null) {
                peers.compare(member, Duration.ofNanos(requestNanos));
            }
            LeaseDesk leases = new LeaseDesk(member, peers.serve(member, requestNanos,
                    config.gates().isOpen(Gate.LEASE_CHECKPOINT), config.downgradeCheck(), config.corruption(),
                    users::mayChangeMembers));
            if (!config.metricsListeners().isEmpty()) {
                // Before there is a leader: whoever watches a member wants to know just then.
                nets.add(NetServer.start(httpConfig(config, config.metricsListeners(), config.tls().monitoring(),
                        MonitoringFront.before(front(config, member, metrics)))));
            }
            if (config.advanceElection()) {
                Thread.ofVirtual().name("first-election").start(hastener(member));
            }
            Answers answers = new Answers(member.clusterId(), member.memberId(), member::term);
            Member started = member;
            LoopTurn turn = loop -> Turn.of(loop).end(loop, started, leases, metrics.requests());
            Access access = users.of(member, turn);
            WatchService watches = new WatchService(member, access, answers, config.limits(),
                    new WatchProgress(config.watchProgress(), bound -> ThreadLocalRandom.current().nextLong(bound)),
                    metrics.watches());
            metrics.pendingEvents(watches::untold);
            CallGate gate = new CallGate(member::isLearner, () -> started.leader() != 0);
            List<Method> methods = methods(config, member, access, answers, watches,
                    promotions(config, member, peers, clock), leases, clock, metrics);
            methods.addAll(users.methods(member, access, calls(config, member), metrics.limit("passwords")));
            AccessGate accessGate = new AccessGate(access);
            Router router = Router.of(methods.stream().map(accessGate::before).map(gate::before).toList());
            NetMetrics counted = metrics.rpc(new RequestLog(metrics.requests(), config.metrics().slowApply(),
                    config.metrics().slowRequest()));
            inner = new InnerCalls(router, config.netLimits(), counted, turn, ServerLimits.GATEWAY_CALLS_MAX);
            HttpHandler http = http(config, member, inner, metrics);
            nets.addFirst(NetServer.prepare(
                    netConfig(config, router, config.httpListeners().isEmpty() ? http : NO_HTTP, counted, turn)));
            if (!config.httpListeners().isEmpty()) {
                nets.add(1, NetServer.prepare(
                        httpConfig(config, config.httpListeners(), config.tls().clients(), http)));
            }
            // All that needs no leader has been made by now: mostly there is one meanwhile.
            while (!member.awaitReady(READY_SECONDS_BETWEEN_WARNINGS, TimeUnit.SECONDS)) {
                LOG.warn("no leader yet");
            }
            for (NetServer front : nets.subList(0, config.httpListeners().isEmpty() ? 1 : 2)) {
                front.listen();
            }
            metrics.certificates(nets.getFirst()::certificateExpiry, peers::certificateExpiry);
            serving = true;
            return new Server(peers, member, nets, inner, users,
                    ticks(config, watches, gate, users, certificates(peers, nets), compactor(config, member, clock)));
        } finally {
            if (!serving) {
                nets.forEach(NetServer::close);
                if (inner != null) {
                    inner.close();
                }
                close(peers, member);
                users.close();
            }
        }
    }

    private static Certificates certificates(Peers peers, List<NetServer> nets) {
        List<Certificates.Holder> holders = new ArrayList<>(peers.certificates());
        nets.forEach(net -> holders.add(net::refreshTls));
        return new Certificates(holders);
    }

    private static @Nullable AutoCompactor compactor(ServerConfig config, Member member, Clock clock) {
        return AutoCompactor.of(config.retention(), new MemberCompaction(member, calls(config, member)), clock);
    }

    private static List<Ticks> ticks(ServerConfig config, WatchService watches, CallGate gate,
            Users users, Certificates certificates, @Nullable AutoCompactor compactor) {
        MemberLimits limits = config.member().limits();
        Duration ofWatches = Duration.ofNanos(config.watchProgress().toNanos() / PROGRESS_PRECISION);
        List<Ticks> ticks = new ArrayList<>(List.of(
                Ticks.every(limits.electionTimeout(), gate::tick),
                Ticks.every(ofWatches.compareTo(PROGRESS_TICK_MAX) > 0 ? PROGRESS_TICK_MAX : ofWatches,
                        () -> watches.tick(System.nanoTime())),
                Ticks.every(USERS_TICK, users::tick), Ticks.every(CERTIFICATES_TICK, certificates::tick)));
        if (HeapAtRest.Serial.isUsed()) {
            ticks.add(Ticks.every(HeapAtRest.LOOK,
                    new HeapAtRest(new HeapAtRest.Serial(), limits.electionTimeout().dividedBy(2))::look));
        }
        if (compactor != null) {
            ticks.add(Ticks.paced(compactor.begin(), compactor::look));
        }
        return ticks;
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
            WatchService watches, Promotions promotions, LeaseDesk leases, Clock clock, ServerMetrics metrics) {
        MemberCalls calls = calls(config, member);
        List<Method> methods = new ArrayList<>();
        KvService keys = new KvService(member, access, answers, config.limits(), metrics.requests());
        metrics.lists(keys::listsAtWork);
        methods.addAll(keys.methods());
        methods.addAll(new LeaseService(member, access, calls, leases, answers, config.limits()).methods());
        methods.addAll(watches.methods());
        methods.addAll(Coordination.methods(member, access, calls));
        methods.addAll(new MaintenanceService(member, access, calls).methods());
        methods.addAll(
                new SnapshotService(member::snapshot, calls::header, metrics.member()::stateHashed).methods());
        methods.addAll(new ClusterService(member, calls, promotions, clock).methods());
        methods.addAll(new HealthService().methods());
        return methods;
    }

    private static MemberCalls calls(ServerConfig config, Member member) {
        return new MemberCalls(member, config.limits().requestBytesMax());
    }

    private static NetConfig netConfig(ServerConfig config, Router router, HttpHandler http, NetMetrics counted,
            LoopTurn turn) {
        return new NetConfig(config.clientListeners(), router, http, config.netLimits(), counted, turn,
                config.tls().clients(), LOOPS);
    }

    private static HttpHandler http(ServerConfig config, Member member, InnerCalls inner, ServerMetrics metrics) {
        HttpHandler front = front(config, member, metrics);
        HttpHandler all = config.gateway()
                ? new Gateway(front, inner, config.limits().messageBytesMax(),
                        ServerLimits.gatewayBodyBytesMax(Runtime.getRuntime().maxMemory()),
                        metrics.limit("gateway_body"))
                : front;
        boolean namesCount = config.gateway() && config.auth().byCertificate();
        return new AccessControl(all, config.hosts(), config.origins(),
                () -> namesCount && member.view().auth().enabled(), metrics.limit("host"));
    }

    private static HttpHandler front(ServerConfig config, Member member, ServerMetrics metrics) {
        MemberHealth health = new MemberHealth(member, config.member().limits().electionTimeout());
        return new MetricsFront(member, metrics, config.arguments(),
                new HttpFront(member, new HealthFront(health, metrics.health())));
    }

    private static NetConfig httpConfig(ServerConfig config, List<NetConfig.Listen> listens, @Nullable NetTls tls,
            HttpHandler http) {
        return new NetConfig(listens, Router.of(List.of()), http, config.netLimits(), NetMetrics.NONE, null, tls, 1);
    }

    Member member() {
        return member;
    }

    /** Its methods, for whoever asks from inside the process: by the same gates as anybody. */
    InnerCalls calls() {
        return inner;
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
        inner.close();
        close(peers, member);
        users.close();
    }
}
