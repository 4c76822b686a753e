package dev.quoin.server.config;

import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.TreeMap;
import java.util.stream.Collectors;
import java.util.stream.Stream;

import static dev.quoin.server.config.Effect.ACTS;
import static dev.quoin.server.config.Effect.idle;
import static dev.quoin.server.config.Effect.unserved;
import static dev.quoin.server.config.FlagKind.BOOLEAN;
import static dev.quoin.server.config.FlagKind.CLUSTER_STATE;
import static dev.quoin.server.config.FlagKind.DURATION;
import static dev.quoin.server.config.FlagKind.FALLBACK;
import static dev.quoin.server.config.FlagKind.GATES;
import static dev.quoin.server.config.FlagKind.IGNORED;
import static dev.quoin.server.config.FlagKind.INT;
import static dev.quoin.server.config.FlagKind.INT64;
import static dev.quoin.server.config.FlagKind.LIST;
import static dev.quoin.server.config.FlagKind.NAMES;
import static dev.quoin.server.config.FlagKind.NAME_LIST;
import static dev.quoin.server.config.FlagKind.OLD_STORE;
import static dev.quoin.server.config.FlagKind.ORIGINS;
import static dev.quoin.server.config.FlagKind.PEER_URLS;
import static dev.quoin.server.config.FlagKind.TEXT;
import static dev.quoin.server.config.FlagKind.UINT;
import static dev.quoin.server.config.FlagKind.UINT32;
import static dev.quoin.server.config.FlagKind.UINT64;
import static dev.quoin.server.config.FlagKind.URLS;
import static dev.quoin.server.config.Section.AUTH;
import static dev.quoin.server.config.Section.CLUSTERING;
import static dev.quoin.server.config.Section.FEATURES;
import static dev.quoin.server.config.Section.LOGGING;
import static dev.quoin.server.config.Section.MEMBER;
import static dev.quoin.server.config.Section.MONITORING;
import static dev.quoin.server.config.Section.SECURITY;
import static dev.quoin.server.config.Section.TRACING;
import static dev.quoin.server.config.Section.UNSAFE;

/** All settings that etcd 3.7.1 has, in the order of its help, with what becomes of each here. */
public final class FlagTable {
    private static final String CLIENT = "client-transport-security.";
    private static final String PEER = "peer-transport-security.";
    private static final String DISCOVERY = "discovery-config.client.";

    private static final Effect NOT_DIALLED = idle("the gateway is part of the server, which dials itself nowhere");
    private static final Effect NO_DISCOVERY_TLS = unserved(
            "a discovery service is asked without TLS and without a user");
    private static final Effect NO_CONNECTION = idle("a discovery service is asked anew each time");
    private static final Effect NO_TRACING = idle("nothing is traced");
    private static final Effect OWN_STORE = idle("is about the database file that etcd has and Quoin has not");

    /** Those of the command line, each with its variable. */
    public static final List<Flag> ALL = List.of(
            // ---- Member
            row(MEMBER, "name", TEXT, "default", ACTS, "Name of this member, for people; unique in its cluster."),
            row(MEMBER, "data-dir", TEXT, "", ACTS, "Directory of this member; NAME.etcd if it is not given."),
            row(MEMBER, "wal-dir", TEXT, "", ACTS, "Directory for the write-ahead log, if it is to be another one."),
            row(MEMBER, "snapshot-count", UINT64, "10000", ACTS,
                    "Applied entries after which the log's beginning is given up; 0 is the default."),
            row(MEMBER, "heartbeat-interval", UINT, "100", ACTS, "Milliseconds between a leader's signs of life."),
            row(MEMBER, "election-timeout", UINT, "1000", ACTS,
                    "Milliseconds of silence before an election; at least five heartbeats, at most 50000."),
            row(MEMBER, "initial-election-tick-advance", BOOLEAN, "true", ACTS,
                    "Shorten the wait before the first election."),
            row(MEMBER, "listen-peer-urls", PEER_URLS, "http://localhost:2380", ACTS,
                    "URLs to listen on for other members, with commas."),
            row(MEMBER, "listen-client-urls", URLS, "http://localhost:2379", ACTS,
                    "URLs to listen on for clients; for gRPC alone, if --listen-client-http-urls is given."),
            row(MEMBER, "listen-client-http-urls", URLS, "", ACTS,
                    "URLs to listen on for HTTP without gRPC; the others then serve no HTTP."),
            row(MEMBER, "max-snapshots", UINT, "5", idle("there are no snapshot files to keep"),
                    "Snapshot files to keep. Deprecated."),
            row(MEMBER, "max-wals", UINT, "5", ACTS, "Log files to keep that nobody needs; 0 keeps all."),
            row(MEMBER, "memory-mlock", BOOLEAN, "false", idle("memory may be swapped: give the host no swap"),
                    "Keep all memory in RAM."),
            row(MEMBER, "quota-backend-bytes", INT64, "0", ACTS,
                    "Bytes in use from which writes are refused; 0 is 2 GiB, less than 0 is no quota."),
            row(MEMBER, "backend-bbolt-freelist-type", TEXT, "", OWN_STORE, "Free list of etcd's database file."),
            row(MEMBER, "backend-batch-interval", DURATION, "0s", OWN_STORE, "Time between its commits."),
            row(MEMBER, "backend-batch-limit", INT, "0", OWN_STORE, "Operations between its commits."),
            row(MEMBER, "max-txn-ops", UINT, "128", ACTS, "Conditions or steps that a transaction may have."),
            row(MEMBER, "max-request-bytes", UINT, "1572864", ACTS, "Largest request of a client, in bytes."),
            row(MEMBER, "max-concurrent-streams", UINT32, "4294967295", ACTS,
                    "Calls that a client may have open at once on a connection."),
            row(MEMBER, "grpc-keepalive-min-time", DURATION, "5s", ACTS,
                    "Shortest time between a client's pings; sooner ones cost it its connection."),
            row(MEMBER, "grpc-keepalive-interval", DURATION, "2h0m0s", ACTS,
                    "Silence of a client after which it is pinged."),
            row(MEMBER, "grpc-keepalive-timeout", DURATION, "20s", ACTS,
                    "Silence after that ping which costs it its connection."),
            row(MEMBER, "socket-reuse-port", BOOLEAN, "false", ACTS, "Listen with SO_REUSEPORT.")
                    .in("socket-options.reuse-port"),
            row(MEMBER, "socket-reuse-address", BOOLEAN, "false", ACTS,
                    "Listen with SO_REUSEADDR, which is always done.")
                    .in("socket-options.reuse-address"),
            row(MEMBER, "enable-grpc-gateway", BOOLEAN, "true", ACTS, "Serve the RPCs as JSON over HTTP."),
            row(MEMBER, "raft-read-timeout", DURATION, "5s", idle("silence between members is borne for 5 s"),
                    "Time for reading from another member; at least 5s.").notInFile(),
            row(MEMBER, "raft-write-timeout", DURATION, "5s", idle("silence between members is borne for 5 s"),
                    "Time for writing to another member; at least 5s.").notInFile(),
            row(MEMBER, "feature-gates", GATES, "", ACTS,
                    "NAME=true|false, with commas: what is new and may be switched."),
            // ---- Clustering
            row(CLUSTERING, "initial-advertise-peer-urls", PEER_URLS, "http://localhost:2380", ACTS,
                    "Peer URLs to tell the cluster; part of the member's id."),
            row(CLUSTERING, "initial-cluster", TEXT, "default=http://localhost:2380", ACTS,
                    "Members the cluster starts with: NAME=URL, with commas; a name may come several times."),
            row(CLUSTERING, "initial-cluster-state", CLUSTER_STATE, "new", ACTS,
                    "'new', or 'existing' for a member that was added to a cluster. Counts at the first start only."),
            row(CLUSTERING, "initial-cluster-token", TEXT, "etcd-cluster", ACTS,
                    "Token of the cluster; part of its id."),
            row(CLUSTERING, "advertise-client-urls", URLS, "http://localhost:2379", ACTS,
                    "Client URLs to tell the cluster, and clients through it."),
            row(CLUSTERING, "discovery-token", TEXT, "", ACTS,
                    "Token under which members find each other; part of the cluster's id.")
                    .in("discovery-config.token"),
            row(CLUSTERING, "discovery-endpoints", NAME_LIST, "", ACTS,
                    "Endpoints of an etcd cluster where they do so, with commas.").in(DISCOVERY + "endpoints"),
            row(CLUSTERING, "discovery-dial-timeout", DURATION, "2s", NO_CONNECTION, "Time for a connection to it.")
                    .in(DISCOVERY + "dial-timeout"),
            row(CLUSTERING, "discovery-request-timeout", DURATION, "5s", ACTS, "Time for a request to it.")
                    .in(DISCOVERY + "request-timeout"),
            row(CLUSTERING, "discovery-keepalive-time", DURATION, "2s", NO_CONNECTION, "Silence before it is pinged.")
                    .in(DISCOVERY + "keepalive-time"),
            row(CLUSTERING, "discovery-keepalive-timeout", DURATION, "6s", NO_CONNECTION, "Silence after that ping.")
                    .in(DISCOVERY + "keepalive-timeout"),
            row(CLUSTERING, "discovery-insecure-transport", BOOLEAN, "true", NO_DISCOVERY_TLS, "Ask it without TLS.")
                    .in(DISCOVERY + "secure.insecure-transport"),
            row(CLUSTERING, "discovery-insecure-skip-tls-verify", BOOLEAN, "false",
                    idle("a discovery service is asked without TLS"),
                    "Trust whoever answers for it.").in(DISCOVERY + "secure.insecure-skip-tls-verify"),
            row(CLUSTERING, "discovery-cert", TEXT, "", NO_DISCOVERY_TLS, "Certificate to show it.")
                    .in(DISCOVERY + "secure.cert"),
            row(CLUSTERING, "discovery-key", TEXT, "", NO_DISCOVERY_TLS, "Key of that certificate.")
                    .in(DISCOVERY + "secure.key"),
            row(CLUSTERING, "discovery-cacert", TEXT, "", NO_DISCOVERY_TLS, "Authorities that its certificate is from.")
                    .in(DISCOVERY + "secure.cacert"),
            row(CLUSTERING, "discovery-user", TEXT, "", NO_DISCOVERY_TLS, "User to be there, NAME or NAME:PASSWORD.")
                    .in(DISCOVERY + "auth.username"),
            row(CLUSTERING, "discovery-password", TEXT, "", NO_DISCOVERY_TLS, "Password of that user.")
                    .in(DISCOVERY + "auth.password"),
            row(CLUSTERING, "discovery-fallback", FALLBACK, "exit", ACTS, "What to do when it fails; only 'exit'.")
                    .notInFile(),
            row(CLUSTERING, "discovery-srv", TEXT, "", ACTS,
                    "DNS domain whose SRV records name the members the cluster starts with."),
            row(CLUSTERING, "discovery-srv-name", TEXT, "", ACTS, "Suffix of the service's name in these records."),
            row(CLUSTERING, "strict-reconfig-check", BOOLEAN, "true", ACTS,
                    "Refuse changes of members that would endanger the quorum."),
            row(CLUSTERING, "pre-vote", BOOLEAN, "true", ACTS,
                    "Ask whether an election can be won before standing for it."),
            row(CLUSTERING, "auto-compaction-retention", TEXT, "0", ACTS,
                    "What history to keep: hours, a duration, or a number of revisions; 0 keeps all."),
            row(CLUSTERING, "auto-compaction-mode", TEXT, "periodic", ACTS,
                    "'periodic' or 'revision': what the retention counts."),
            row(CLUSTERING, "v2-deprecation", OLD_STORE, "", idle("there never was such a store here"),
                    "What to do with the store of etcd 2. Deprecated."),
            // ---- Security
            row(SECURITY, "cert-file", TEXT, "", ACTS, "Certificate to show clients.").in(CLIENT + "cert-file"),
            row(SECURITY, "key-file", TEXT, "", ACTS, "Key of that certificate.").in(CLIENT + "key-file"),
            row(SECURITY, "client-cert-auth", BOOLEAN, "false", ACTS, "Ask clients for a certificate.")
                    .in(CLIENT + "client-cert-auth"),
            row(SECURITY, "client-cert-file", TEXT, "", NOT_DIALLED,
                    "Certificate to show where this member is a client.")
                    .in(CLIENT + "client-cert-file"),
            row(SECURITY, "client-key-file", TEXT, "", NOT_DIALLED, "Key of that certificate.")
                    .in(CLIENT + "client-key-file"),
            row(SECURITY, "client-crl-file", TEXT, "", ACTS, "Certificates of clients that were revoked.")
                    .notInFile(),
            row(SECURITY, "client-cert-allowed-hostname", LIST, "", ACTS,
                    "Names of which a client's certificate must have one, with commas.")
                    .in(CLIENT + "allowed-hostname"),
            row(SECURITY, "trusted-ca-file", TEXT, "", ACTS, "Authorities that clients' certificates are from.")
                    .in(CLIENT + "trusted-ca-file"),
            row(SECURITY, "auto-tls", BOOLEAN, "false", ACTS,
                    "Make a certificate to show clients, unless one is given: it encrypts, and proves nothing.")
                    .in(CLIENT + "auto-tls"),
            row(SECURITY, "peer-cert-file", TEXT, "", ACTS, "Certificate to show other members.")
                    .in(PEER + "cert-file"),
            row(SECURITY, "peer-key-file", TEXT, "", ACTS, "Key of that certificate.").in(PEER + "key-file"),
            row(SECURITY, "peer-client-cert-auth", BOOLEAN, "false", ACTS, "Ask other members for a certificate.")
                    .in(PEER + "client-cert-auth"),
            row(SECURITY, "peer-client-cert-file", TEXT, "", ACTS, "Certificate to show where they are dialled.")
                    .in(PEER + "client-cert-file"),
            row(SECURITY, "peer-client-key-file", TEXT, "", ACTS, "Key of that certificate.")
                    .in(PEER + "client-key-file"),
            row(SECURITY, "peer-trusted-ca-file", TEXT, "", ACTS, "Authorities that members' certificates are from.")
                    .in(PEER + "trusted-ca-file"),
            row(SECURITY, "peer-cert-allowed-cn", LIST, "", ACTS,
                    "Common names of which a member's certificate must have one, with commas.").in(PEER + "allowed-cn"),
            row(SECURITY, "peer-cert-allowed-hostname", LIST, "", ACTS,
                    "Names of which a member's certificate must have one, with commas.").in(PEER + "allowed-hostname"),
            row(SECURITY, "peer-auto-tls", BOOLEAN, "false", ACTS,
                    "The same to show other members; then nobody is asked who they are.")
                    .in(PEER + "auto-tls"),
            row(SECURITY, "self-signed-cert-validity", UINT, "1", ACTS, "Years that a certificate so made lasts."),
            row(SECURITY, "peer-crl-file", TEXT, "", ACTS, "Certificates of members that were revoked.").notInFile(),
            row(SECURITY, "cipher-suites", LIST, "", ACTS,
                    "Cipher suites for TLS 1.2, by Go's names, with commas."),
            row(SECURITY, "cors", ORIGINS, "*", ACTS, "Origins of pages that browsers may show answers to; * is all."),
            row(SECURITY, "host-whitelist", NAMES, "*", ACTS,
                    "Host names that HTTP requests without TLS may be for; * is all."),
            row(SECURITY, "tls-min-version", TEXT, "TLS1.2", ACTS, "TLS1.2 or TLS1.3."),
            row(SECURITY, "tls-max-version", TEXT, "", ACTS, "TLS1.2 or TLS1.3."),
            // ---- Auth
            row(AUTH, "auth-token", TEXT, "simple", ACTS,
                    "What users get when they have said their password: 'simple', or 'jwt' with options."),
            row(AUTH, "bcrypt-cost", UINT, "10", ACTS, "What hashing a password costs, 4 to 31."),
            row(AUTH, "auth-token-ttl", UINT, "300", ACTS, "Seconds that a simple token lasts unused."),
            // ---- Profiling and Monitoring
            row(MONITORING, "enable-pprof", BOOLEAN, "false",
                    idle("Go's profiles do not exist here: use jcmd PID JFR.start, and jcmd PID Thread.print"),
                    "Serve profiles under /debug/pprof/."),
            row(MONITORING, "metrics", TEXT, "basic", ACTS,
                    "What is shown under /metrics: 'basic', or 'extensive' with the time of each call by method."),
            row(MONITORING, "listen-metrics-urls", URLS, "", ACTS, "URLs to listen on for /metrics and /health alone."),
            // ---- Logging
            row(LOGGING, "logger", TEXT, "zap", ACTS, "Only 'zap'."),
            row(LOGGING, "log-outputs", NAME_LIST, "default", ACTS,
                    "stderr (also called default), stdout, systemd/journal, or files; several with commas."),
            row(LOGGING, "log-level", TEXT, "info", ACTS, "debug, info, warn, error, panic or fatal."),
            row(LOGGING, "log-format", TEXT, "json", ACTS, "json or console."),
            row(LOGGING, "enable-log-rotation", BOOLEAN, "false", ACTS, "Begin a log file anew when it is large."),
            row(LOGGING, "log-rotation-config-json", TEXT,
                    "{\"maxsize\": 100, \"maxage\": 0, \"maxbackups\": 0, \"localtime\": false, \"compress\": false}",
                    ACTS,
                    "When it is (maxsize, MiB), and what becomes of the old ones (days, number, local time, gzip)."),
            row(LOGGING, "warning-unary-request-duration", DURATION, "300ms", ACTS,
                    "A request that takes longer is told in the log."),
            // ---- Distributed tracing
            row(TRACING, "enable-distributed-tracing", BOOLEAN, "false", NO_TRACING, "Send traces to OpenTelemetry."),
            row(TRACING, "distributed-tracing-address", TEXT, "localhost:4317", NO_TRACING, "Where to."),
            row(TRACING, "distributed-tracing-service-name", TEXT, "etcd", NO_TRACING, "Name of all members in them."),
            row(TRACING, "distributed-tracing-instance-id", TEXT, "", NO_TRACING, "Name of this member in them."),
            row(TRACING, "distributed-tracing-sampling-rate", INT, "0", NO_TRACING, "How many of a million requests."),
            // ---- Features
            row(FEATURES, "corrupt-check-time", DURATION, "0s", ACTS,
                    "Time between comparisons of all that members hold; 0 is never."),
            row(FEATURES, "compact-hash-check-time", DURATION, "1m0s", ACTS,
                    "Time between comparisons of hashes of compactions; see CompactHashCheck."),
            row(FEATURES, "compaction-batch-limit", INT, "0", idle("compaction chooses its own pace, and stops nobody"),
                    "Revisions that a compaction takes out at a time."),
            row(FEATURES, "peer-skip-client-san-verification", BOOLEAN, "false", ACTS,
                    "Do not compare the names in other members' certificates.")
                    .in(PEER + "skip-client-san-verification"),
            row(FEATURES, "watch-progress-notify-interval", DURATION, "0s", ACTS,
                    "Time between notes to watchers to whom nothing happens; 0 is 10 minutes."),
            row(FEATURES, "warning-apply-duration", DURATION, "100ms", ACTS,
                    "An entry that takes longer to apply is told in the log."),
            row(FEATURES, "bootstrap-defrag-threshold-megabytes", UINT, "0", idle("space comes back by itself"),
                    "Defragment at the start if this much would come free."),
            row(FEATURES, "max-learners", INT, "1", ACTS, "Learners the cluster may have."),
            row(FEATURES, "compaction-sleep-interval", DURATION, "0s",
                    idle("compaction chooses its own pace, and stops nobody"), "Pause between its batches."),
            row(FEATURES, "downgrade-check-time", DURATION, "5s", ACTS,
                    "Time between looks whether a downgrade is done."),
            row(FEATURES, "snapshot-catchup-entries", UINT64, "5000",
                    idle("64 MiB of entries are kept for members that lag, and 512 MiB while one is sent the state"),
                    "Entries to keep for members that lag."),
            // ---- Unsafe
            row(UNSAFE, "force-new-cluster", BOOLEAN, "false", ACTS,
                    "Go on as the only member of the cluster, whatever the log says."),
            row(UNSAFE, "unsafe-no-fsync", BOOLEAN, "false", idle("everything acknowledged is synced first"),
                    "Do not sync files: a crash loses what was acknowledged."),
            // ---- before the others
            row(MEMBER, "config-file", TEXT, "", ACTS,
                    "File to read all settings from, YAML or JSON; flags and variables then count for nothing.")
                    .notInFile(),
            row(MEMBER, "version", BOOLEAN, "false", ACTS, "Print the version and exit.").notInFile());

    /** What the configuration file alone can say. */
    public static final List<Flag> FILE_ONLY = List.of(
            row(SECURITY, "client-cert-allowed-cn", LIST, "", ACTS,
                    "Common names of which a client's certificate must have one.").in(CLIENT + "allowed-cn"),
            row(SECURITY, "client-skip-client-san-verification", BOOLEAN, "false", ACTS,
                    "Do not compare the names in clients' certificates.").in(CLIENT + "skip-client-san-verification"),
            row(CLUSTERING, "discovery-server-name", TEXT, "", NO_DISCOVERY_TLS, "Name that its certificate must have.")
                    .in(DISCOVERY + "secure.server-name"));

    /** What was a flag once, and is passed over in silence. */
    static final List<String> IGNORED_NAMES = List.of("cluster-active-size", "cluster-remove-delay",
            "cluster-sync-interval", "config", "force", "max-result-buffer", "max-retry-attempts",
            "peer-heartbeat-interval", "peer-election-timeout", "retry-interval", "snapshot", "v", "vv",
            "test.coverprofile", "test.outputdir");

    /** All that the command line knows, in the order of their names, which is Go's. */
    static final Map<String, Flag> BY_NAME = byName();

    /** These and what the configuration file alone can say. */
    private static final Map<String, Flag> SETTINGS = settings();

    private FlagTable() {}

    private static Flag row(Section section, String name, FlagKind kind, String initial, Effect effect, String help) {
        return new Flag(section, name, kind, initial, name, effect, help);
    }

    private static Map<String, Flag> byName() {
        Map<String, Flag> flags = new TreeMap<>();
        ALL.forEach(flag -> flags.put(flag.name(), flag));
        IGNORED_NAMES.forEach(name -> flags.put(name, row(MEMBER, name, IGNORED, "", ACTS, "").notInFile()));
        return flags;
    }

    private static Map<String, Flag> settings() {
        Map<String, Flag> settings = new TreeMap<>(BY_NAME);
        FILE_ONLY.forEach(flag -> settings.put(flag.name(), flag));
        return settings;
    }

    /** What is asked for by its name in this program. */
    static Flag setting(String name) {
        return Objects.requireNonNull(SETTINGS.get(name), name);
    }

    static Optional<Flag> find(String name) {
        return Optional.ofNullable(BY_NAME.get(name));
    }

    /** What the process says when its flags do not parse. */
    public static String usage() {
        return """
                Usage:

                  etcd [flags]
                    Start a member.
                  etcd --version
                    Print the version.
                  etcd -h | --help
                    Print all flags.
                  etcd --config-file FILE
                    Start a member with the settings in FILE alone: YAML or JSON, durations in nanoseconds.
                """;
    }

    /** All flags under their headings. */
    public static String help() {
        StringBuilder help = new StringBuilder();
        for (Section section : Section.values()) {
            help.append('\n').append(section.title()).append(":\n");
            ALL.stream().filter(flag -> flag.section() == section).forEach(flag -> help.append("  --")
                    .append(flag.name()).append(" '").append(flag.initial()).append("'\n    ").append(flag.help())
                    .append('\n').append(flag.kind() == GATES ? gates() : ""));
        }
        return help.append("\nAn unsafe feature may break what a cluster promises.\n").toString();
    }

    private static String gates() {
        return Stream.of(Gate.values())
                .map(gate -> "    " + gate.title() + "=true|false (" + gate.stage() + " - default=" + gate.initial()
                        + ")\n")
                .collect(Collectors.joining());
    }
}
