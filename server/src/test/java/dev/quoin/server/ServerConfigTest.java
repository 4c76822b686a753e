package dev.quoin.server;

import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.UnixDomainSocketAddress;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;

import org.junit.jupiter.api.Test;

import dev.quoin.net.DialTls;
import dev.quoin.net.NetConfig;
import dev.quoin.net.NetTls;
import dev.quoin.net.TlsProtocols;
import dev.quoin.server.auth.AuthConfig;
import dev.quoin.server.bootstrap.ClusterFlags;
import dev.quoin.server.config.Flags;
import dev.quoin.server.config.Gate;
import dev.quoin.server.config.Note;
import dev.quoin.server.config.Refused;
import dev.quoin.server.peer.CorruptionSettings;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

/** Whether settings fit together, asked in etcd's order and refused in its words; and where they go. */
class ServerConfigTest {
    private static final Note UNSIGNED = Note.warning("simple token is not cryptographically signed", Map.of());

    private static ServerConfig config(String... args) throws Refused {
        return ServerConfig.of(((Flags.Wish.Start) Flags.read(args, Map.of())).flags());
    }

    private static void assertRefused(String message, String... args) {
        Refused refused = catchThrowableOfType(Refused.class, () -> config(args));
        assertThat(refused).as(String.join(" ", args)).isNotNull();
        assertThat(refused.form() + ": " + refused.getMessage()).isEqualTo("CHECK: " + message);
    }

    @Test
    void urlsToListenOnAndToTell() {
        assertRefused("--advertise-client-urls is required when --listen-client-urls is set explicitly",
                "--listen-client-urls=http://127.0.0.1:1");
        assertRefused("expected IP in URL for binding (http://example.com:1)",
                "--listen-client-urls=http://example.com:1", "--advertise-client-urls=http://example.com:1");
        assertRefused("expected IP in URL for binding (http://example.com:1)",
                "--listen-metrics-urls=http://example.com:1");
        assertRefused("--initial-advertise-peer-urls \"http://:1\" must be \"host:port\""
                + " (unexpected empty host (http://:1))", "--initial-advertise-peer-urls=http://:1");
        assertRefused("TLS key/cert (--cert-file, --key-file) must be provided for client url https://127.0.0.1:1 with"
                + " HTTPS scheme", "--listen-client-urls=https://127.0.0.1:1",
                "--advertise-client-urls=https://127.0.0.1:1");
        assertRefused("cannot listen on TLS for 127.0.0.1:1: KeyFile and CertFile are not presented",
                "--listen-peer-urls=https://127.0.0.1:1");
        assertRefused("client TLS key/cert (--cert-file, --key-file) must be provided for metrics secure url",
                "--listen-metrics-urls=unixs://m:1");
        assertRefused("cannot bind both --listen-client-urls and --listen-client-http-urls on the same url"
                + " http://localhost:2379", "--listen-client-http-urls=http://localhost:2379");
    }

    @Test
    void timesAndModes() {
        assertRefused("--heartbeat-interval must be >0 (set to 0ms)", "--heartbeat-interval=0");
        assertRefused("--election-timeout[1000ms] should be at least as 5 times as --heartbeat-interval[201ms]",
                "--heartbeat-interval=201");
        assertRefused("--election-timeout[60000ms] is too long, and should be set less than 50000ms",
                "--election-timeout=60000");
        assertRefused("unknown auto-compaction-mode \"x\"", "--auto-compaction-mode=x");
        assertRefused("undefined auto-compaction-mode", "--auto-compaction-mode=");
        assertRefused("error parsing CompactionRetention: time: invalid duration \"x\"",
                "--auto-compaction-retention=x");
        assertRefused("--compact-hash-check-time must be >0 (set to 0s)", "--compact-hash-check-time=0s");
        assertRefused("distributed tracing configurition is not valid: (tracing sampling rate must be positive)",
                "--enable-distributed-tracing", "--distributed-tracing-sampling-rate=-1");
        assertRefused("enabling feature gate LeaseCheckpointPersist requires enabling feature gate LeaseCheckpoint",
                "--feature-gates=LeaseCheckpointPersist=true");
        assertRefused("unexpected TLS version \"x\" (must be one of: TLS1.2, TLS1.3)", "--tls-min-version=x");
        assertRefused("min version (TLS1.3) is greater than max version (TLS1.2)", "--tls-min-version=TLS1.3",
                "--tls-max-version=TLS1.2");
        assertRefused("cipher suites cannot be configured when only TLS1.3 is enabled", "--tls-min-version=TLS1.3",
                "--cipher-suites=TLS_AES_128_GCM_SHA256");
        assertRefused("unexpected TLS cipher suite \"x\"", "--cipher-suites=x");
    }

    @Test
    void theCluster() {
        assertRefused("multiple discovery or bootstrap flags are set. Choose one of \"initial-cluster\","
                + " \"discovery-endpoints\" or \"discovery-srv\"", "--initial-cluster=a=http://a:1",
                "--discovery-srv=example.com");
        assertRefused("both --discovery-token and --discovery-endpoints must be set", "--discovery-token=t");
        assertRefused("--discovery-endpoints must not contain empty endpoints", "--discovery-token=t",
                "--discovery-endpoints=");
        assertRefused("v2 proxy is deprecated, and --discovery-fallback can't be configured as \"proxy\"",
                "--discovery-fallback=proxy");
    }

    @Test
    void whatWouldProtectAndCannotIsRefused() {
        assertRefused(
                "--discovery-cacert is not served yet: a discovery service is asked without TLS and without a user",
                "--discovery-cacert=ca.crt");
    }

    @Test
    void hashesAreComparedAsIsAskedFor() throws Refused {
        assertThat(config().corruption()).isEqualTo(new CorruptionSettings(false, Duration.ZERO,
                CorruptionSettings.Mode.IF_ALL_ARE_QUOIN, Duration.ofMinutes(1)));
        assertThat(config("--corrupt-check-time=1h", "--compact-hash-check-time=5s",
                "--feature-gates=InitialCorruptCheck=true,CompactHashCheck=true").corruption())
                .isEqualTo(new CorruptionSettings(true, Duration.ofHours(1), CorruptionSettings.Mode.ON,
                        Duration.ofSeconds(5)));
        assertThat(config("--feature-gates=CompactHashCheck=false").corruption().afterCompactions())
                .isEqualTo(CorruptionSettings.Mode.OFF);
        assertThat(config("--feature-gates=AllAlpha=false").corruption().afterCompactions())
                .isEqualTo(CorruptionSettings.Mode.OFF);
    }

    @Test
    void howUsersProveWhoTheyAre() throws Refused {
        assertThat(config().auth()).isEqualTo(AuthConfig.DEFAULT);
        AuthConfig other = config("--auth-token=simple,x=y", "--auth-token-ttl=7", "--bcrypt-cost=12").auth();
        assertThat(other).isEqualTo(new AuthConfig(AuthConfig.Kind.SIMPLE, Duration.ofSeconds(7), null, 12, false));
        assertThat(config("--auth-token=").auth().kind()).isEqualTo(AuthConfig.Kind.NONE);
        assertThat(config("--auth-token-ttl=0", "--bcrypt-cost=3").auth()).isEqualTo(AuthConfig.DEFAULT);
        for (String options : List.of("jwt", "jwt,sign-method=RS256,sign-method=RS256", "jwt,sign-method",
                "simple,a=b=c",
                "simple,", "secret", "jwt,sign-method=none", "jwt,sign-method=RS256,pub-key=/absent")) {
            assertRefused("auth: invalid auth options", "--auth-token=" + options);
        }
        assertRefused("auth: missing key data", "--auth-token=jwt,sign-method=RS256");
    }

    @Test
    void whatChangesNothingIsToldInOneLine() throws Refused {
        ServerConfig config = config("--name=a", "--data-dir=d", "--metrics=extensive", "--max-snapshots=3",
                "--enable-pprof", "--raft-read-timeout=1s", "--client-cert-auth=false", "--backend-batch-limit=0",
                "--feature-gates=SetMemberLocalAddr=true");
        assertThat(config.notes()).containsExactly(
                Note.warning("--max-snapshots is deprecated in 3.6 and will be decommissioned in 3.8.", Map.of()),
                Note.warning("some settings have no effect", Map.of("settings", List.of(
                        "--max-snapshots: there are no snapshot files to keep",
                        "--enable-pprof: Go's profiles do not exist here: use jcmd PID JFR.start, and jcmd PID"
                                + " Thread.print",
                        "SetMemberLocalAddr: connections to members go out from the address that the system chooses"))),
                Note.info("raft-read-timeout increased to minimum value: 5s", Map.of()), UNSIGNED);
        assertThat(config("--name=a", "--data-dir=d").notes()).containsExactly(UNSIGNED);
        assertThat(config.metrics().isExtensive()).isTrue();
        assertThat(config("--name=a", "--data-dir=d").metrics().isExtensive()).isFalse();
    }

    @Test
    void whatTheProcessWasGivenIsShownWithoutItsSecrets() throws Refused {
        assertThat(config("--name=a", "--data-dir=d", "--warning-apply-duration=1s").arguments())
                .containsExactly("--name=a", "--data-dir=d", "--warning-apply-duration=1s");
    }

    @Test
    void withoutAnInitialClusterTheClusterIsTheMemberUnlessItHasNoName() throws Refused {
        assertThat(source("--name=a", "--initial-advertise-peer-urls=http://b:1,http://a:1"))
                .isEqualTo(new ClusterFlags.Source.Static("a=http://a:1,a=http://b:1"));
        assertThat(source("--initial-advertise-peer-urls=http://b:1"))
                .isEqualTo(new ClusterFlags.Source.Static("default=http://localhost:2380"));
        assertThat(source("--name=a", "--initial-cluster=b=http://b:1"))
                .isEqualTo(new ClusterFlags.Source.Static("b=http://b:1"));
        assertThat(source("--name=a", "--discovery-srv=example.com", "--discovery-srv-name=x"))
                .isEqualTo(new ClusterFlags.Source.Srv("example.com", "x"));
        assertThat(source("--name=a", "--discovery-token=t", "--discovery-endpoints=b:1,http://a:1,b:1"))
                .isEqualTo(new ClusterFlags.Source.Discovery(List.of("http://b:1", "http://a:1"), "t",
                        Duration.ofSeconds(5)));
    }

    private static ClusterFlags.Source source(String... args) throws Refused {
        return config(args).cluster().source();
    }

    @Test
    void settingsReachTheMember() throws Refused {
        ServerConfig config = config("--strict-reconfig-check=0", "--force-new-cluster", "--pre-vote=false",
                "--initial-cluster-state=existing", "--initial-cluster-token=t", "--max-learners=3",
                "--initial-election-tick-advance=F", "--listen-peer-urls=http://127.0.0.1:7", "--wal-dir=w",
                "--heartbeat-interval=200", "--election-timeout=3000", "--snapshot-count=0", "--max-wals=0",
                "--quota-backend-bytes=-5");
        assertThat(config.member().strictReconfig()).isFalse();
        assertThat(config.member().forceNewCluster()).isTrue();
        assertThat(config.member().preVote()).isFalse();
        assertThat(config.member().logDirectory()).isEqualTo(Path.of("w"));
        assertThat(config.member().limits().learnersMax()).isEqualTo(3);
        assertThat(config.member().limits().tickNanos()).isEqualTo(200_000_000);
        assertThat(config.member().limits().electionTicks()).isEqualTo(15);
        assertThat(config.member().limits().snapshotEntries()).as("0 is the default").isEqualTo(10_000);
        assertThat(config.member().limits().walsMax()).isZero();
        assertThat(config.member().limits().quotaBytes()).isEqualTo(-5);
        assertThat(config.cluster().isNew()).isFalse();
        assertThat(config.cluster().token()).isEqualTo("t");
        assertThat(config.advanceElection()).isFalse();
        assertThat(config.peerListeners()).containsExactly(
                NetConfig.Listen.plain(new InetSocketAddress(InetAddress.getLoopbackAddress(), 7)));
    }

    @Test
    void settingsReachTheClientPort() throws Refused {
        ServerConfig config = config("--max-request-bytes=100", "--max-txn-ops=7", "--max-concurrent-streams=9",
                "--grpc-keepalive-min-time=1s", "--grpc-keepalive-interval=10ms", "--grpc-keepalive-timeout=3s",
                "--socket-reuse-port", "--host-whitelist=b,a", "--cors=http://c:1",
                "--listen-client-http-urls=unix://localhost:8", "--listen-metrics-urls=http://127.0.0.1:9",
                "--watch-progress-notify-interval=1ms");
        assertThat(config.limits().requestBytesMax()).isEqualTo(100);
        assertThat(config.limits().txnOpsMax()).isEqualTo(7);
        assertThat(config.netLimits().requestBytesMax()).isEqualTo(100 + 512 * 1024);
        assertThat(config.netLimits().streamsPerConnectionMax()).isEqualTo(9);
        assertThat(config.netLimits().pingMinMillis()).isEqualTo(1_000);
        assertThat(config.netLimits().keepaliveIntervalMillis()).as("grpc-go's least").isEqualTo(1_000);
        assertThat(config.netLimits().keepaliveTimeoutMillis()).isEqualTo(3_000);
        assertThat(config.hosts()).containsExactlyInAnyOrder("a", "b");
        assertThat(config.origins()).containsExactly("http://c:1");
        assertThat(config.httpListeners()).containsExactly(
                NetConfig.Listen.plain(UnixDomainSocketAddress.of("localhost:8")).reusingPort(true));
        assertThat(config.metricsListeners()).containsExactly(NetConfig.Listen
                .plain(new InetSocketAddress(InetAddress.getLoopbackAddress(), 9)).reusingPort(true));
        assertThat(config.watchProgress()).as("etcd's least").isEqualTo(Duration.ofMillis(100));
        assertThat(config.gates().isOpen(Gate.FAST_LEASE_KEEP_ALIVE)).isTrue();
    }

    @Test
    void settingsReachTls() throws Refused {
        ServerConfig config = config("--listen-client-urls=https://127.0.0.1:1,http://127.0.0.1:1",
                "--advertise-client-urls=https://127.0.0.1:1", "--listen-metrics-urls=https://127.0.0.1:2",
                "--listen-peer-urls=https://127.0.0.1:3", "--cert-file=c", "--key-file=k", "--trusted-ca-file=ca",
                "--client-crl-file=crl", "--client-cert-allowed-hostname=a,b", "--peer-cert-file=pc",
                "--peer-key-file=pk", "--peer-client-cert-auth", "--peer-client-cert-file=pcc",
                "--peer-client-key-file=pck", "--peer-cert-allowed-cn=n", "--tls-max-version=TLS1.2",
                "--cipher-suites=TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305");
        assertThat(config.clientListeners()).as("one address, both").containsExactly(
                new NetConfig.Listen(new InetSocketAddress(InetAddress.getLoopbackAddress(), 1), true, true));
        TlsProtocols protocols = new TlsProtocols(List.of("TLSv1.2"), List.of())
                .withSuitesOf12(List.of("TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256"));
        NetTls.Clients known = new NetTls.Clients(true, Path.of("ca"), Path.of("crl"), List.of(), List.of("a", "b"),
                false);
        assertThat(config.tls().clients())
                .isEqualTo(new NetTls("client endpoint", Path.of("c"), Path.of("k"), known, protocols));
        assertThat(config.tls().monitoring()).as("at the address it is for").isEqualTo(new NetTls("client endpoint",
                Path.of("c"), Path.of("k"),
                new NetTls.Clients(true, Path.of("ca"), Path.of("crl"), List.of(), List.of("a", "b"), true),
                protocols));
        assertThat(config.tls().peers()).isEqualTo(new NetTls("peer endpoint", Path.of("pc"), Path.of("pk"),
                new NetTls.Clients(true, null, null, List.of("n"), List.of(), true), protocols));
        assertThat(config.tls().dial())
                .isEqualTo(new DialTls(null, Path.of("pcc"), Path.of("pck"), null, false, List.of("n"),
                        List.of(), protocols));
        assertThat(config.notes()).contains(
                Note.warning("scheme is http or unix while key and cert files are present; ignoring key and cert files",
                        Map.of("client-url", "http://127.0.0.1:1")));
    }

    @Test
    void certificatesThatDoNotFitTogether() {
        assertRefused("KeyFile and CertFile must both be present[key: , cert: c]", "--cert-file=c");
        assertRefused("ClientKeyFile and ClientCertFile must both be present or both absent: key: x, cert: ]",
                "--peer-cert-file=c", "--peer-key-file=k", "--peer-client-key-file=x");
        assertRefused("AllowedCNs and AllowedHostnames are mutually exclusive (cns=[\"a\" \"b\"], hostnames=[\"c\"])",
                "--peer-cert-file=c", "--peer-key-file=k", "--peer-cert-allowed-cn=a,b",
                "--peer-cert-allowed-hostname=c");
    }

    @Test
    void certificatesThatAMemberMakesForItself() throws Refused {
        ServerConfig config = config("--name=a", "--data-dir=d", "--auto-tls", "--peer-auto-tls",
                "--listen-client-urls=https://127.0.0.1:1,https://[::1]:1,unixs://localhost:8",
                "--advertise-client-urls=https://127.0.0.1:1", "--listen-client-http-urls=https://127.0.0.1:2",
                "--listen-metrics-urls=https://127.0.0.1:3", "--listen-peer-urls=https://0.0.0.0:4",
                "--self-signed-cert-validity=7");
        Path fixtures = Path.of("d", "fixtures").toAbsolutePath();
        Path client = fixtures.resolve("client");
        Path peer = fixtures.resolve("peer");
        assertThat(config.tls().own()).containsExactly(
                new OwnCertificate("peer", peer, List.of("0.0.0.0"), 7),
                new OwnCertificate("client", client, List.of("127.0.0.1", "::1", "localhost"), 7));
        NetTls clients = new NetTls("client endpoint", client.resolve("cert.pem"), client.resolve("key.pem"),
                NetTls.Clients.ANYBODY, TlsProtocols.DEFAULT);
        assertThat(config.tls().clients()).isEqualTo(clients);
        assertThat(config.tls().dial()).as("nobody's certificate says who he is")
                .isEqualTo(new DialTls(null, peer.resolve("cert.pem"), peer.resolve("key.pem"), null, true, List.of(),
                        List.of(), TlsProtocols.DEFAULT));
        assertThat(config.notes()).contains(Note.info("starting with peer TLS", Map.of("cipher-suites", List.of(),
                "tls-info",
                "cert = PEER/cert.pem, key = PEER/key.pem, client-cert=PEER/cert.pem, client-key=PEER/key.pem,"
                        .replace("PEER", peer.toString()) + " trusted-ca = , client-cert-auth = false, crl-file = ")));
    }

    @Test
    void certificatesThatAreGivenComeBeforeThoseThatCouldBeMade() throws Refused {
        ServerConfig config = config("--name=a", "--data-dir=d", "--auto-tls", "--cert-file=c", "--key-file=k",
                "--client-cert-auth");
        assertThat(config.tls().own()).isEmpty();
        assertThat(config.tls().clients()).satisfies(tls -> assertThat(tls.certificateChain()).isEqualTo(Path.of("c")));
        assertThat(config.notes()).contains(Note.warning("ignoring client auto TLS since certs given", Map.of()));
    }

    @Test
    void whoMakesItsOwnCertificateCannotAskForThoseOfOthers() {
        assertRefused("--client-cert-auth asks for what --auto-tls cannot give: nobody is asked for a certificate; give"
                + " --cert-file and --key-file", "--auto-tls", "--client-cert-auth");
        assertRefused("--peer-cert-allowed-cn asks for what --peer-auto-tls cannot give: nobody is asked for a"
                + " certificate; give --peer-cert-file and --peer-key-file", "--peer-auto-tls",
                "--peer-cert-allowed-cn=m1");
    }

    /** As grpc-go takes a time of 0 for its own default. */
    @Test
    void whatIsZeroIsTheDefault() throws Refused {
        ServerConfig config = config("--grpc-keepalive-min-time=0s", "--grpc-keepalive-interval=0s",
                "--max-concurrent-streams=0");
        assertThat(config.netLimits().pingMinMillis()).isEqualTo(300_000);
        assertThat(config.netLimits().keepaliveIntervalMillis()).isEqualTo(7_200_000);
        assertThat(config.netLimits().streamsPerConnectionMax()).isEqualTo(100_000);
        assertThat(config.watchProgress()).isEqualTo(Duration.ofMinutes(10));
    }
}
