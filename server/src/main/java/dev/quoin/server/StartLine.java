package dev.quoin.server;

import java.nio.file.Path;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

import dev.quoin.server.bootstrap.ClusterFlags;
import dev.quoin.server.config.Durations;
import dev.quoin.server.config.Flags;

/** The line that says what holds: etcd's fields under etcd's names (embed/etcd.go), and what the process runs on. */
final class StartLine {
    private static final Logger LOG = LoggerFactory.getLogger(StartLine.class);

    private StartLine() {}

    static void write(Flags flags, ServerConfig config, boolean isInitialized) {
        Map<String, Object> line = new LinkedHashMap<>();
        process(line);
        member(line, flags, config, isInitialized);
        urls(line, flags, config);
        limits(line, flags, config);
        times(line, flags, config);
        discovery(line, flags);
        Logs.with(LOG.atInfo(), line).log("starting an etcd server");
    }

    /** The launcher says which collector it chose. */
    private static void process(Map<String, Object> line) {
        Runtime runtime = Runtime.getRuntime();
        line.put("etcd-version", Version.ETCD);
        line.put("quoin-version", Version.QUOIN);
        line.put("java-version", System.getProperty("java.version"));
        line.put("os", System.getProperty("os.name").toLowerCase(Locale.ROOT));
        line.put("arch", System.getProperty("os.arch"));
        line.put("max-cpu-available", runtime.availableProcessors());
        line.put("heap-bytes-max", runtime.maxMemory());
        line.put("collector", System.getProperty("quoin.collector", ""));
    }

    private static void member(Map<String, Object> line, Flags flags, ServerConfig config, boolean isInitialized) {
        Path logDirectory = config.member().logDirectory();
        line.put("member-initialized", isInitialized);
        line.put("name", config.member().name());
        line.put("data-dir", config.member().dataDirectory().toString());
        line.put("wal-dir", flags.text("wal-dir"));
        line.put("wal-dir-dedicated", logDirectory == null ? "" : logDirectory.toString());
        line.put("member-dir", config.member().dataDirectory().resolve("member").toString());
        line.put("force-new-cluster", config.member().forceNewCluster());
    }

    private static void urls(Map<String, Object> line, Flags flags, ServerConfig config) {
        for (String urls : List.of("initial-advertise-peer-urls", "listen-peer-urls", "advertise-client-urls",
                "listen-client-urls", "listen-metrics-urls")) {
            line.put(urls, flags.urls(urls));
        }
        ClusterFlags cluster = config.cluster();
        line.put("cors", flags.list("cors").isEmpty() ? List.of("*") : flags.list("cors"));
        line.put("host-whitelist",
                flags.list("host-whitelist").isEmpty() ? List.of("*") : flags.list("host-whitelist"));
        line.put("initial-cluster",
                cluster.source() instanceof ClusterFlags.Source.Static(String members) ? members : "");
        line.put("initial-cluster-state", flags.text("initial-cluster-state"));
        line.put("initial-cluster-token", cluster.token());
    }

    private static void limits(Map<String, Object> line, Flags flags, ServerConfig config) {
        line.put("snapshot-count", config.member().limits().snapshotEntries());
        line.put("max-wals", flags.number("max-wals"));
        line.put("max-snapshots", flags.number("max-snapshots"));
        line.put("snapshot-catchup-entries", flags.number("snapshot-catchup-entries"));
        line.put("quota-backend-bytes", config.member().limits().quotaBytes());
        line.put("max-request-bytes", config.limits().requestBytesMax());
        line.put("max-txn-ops", config.limits().txnOpsMax());
        line.put("max-concurrent-streams", flags.number("max-concurrent-streams"));
        line.put("max-learners", config.member().limits().learnersMax());
    }

    private static void times(Map<String, Object> line, Flags flags, ServerConfig config) {
        Duration tick = Duration.ofNanos(config.member().limits().tickNanos());
        line.put("heartbeat-interval", Durations.text(tick));
        line.put("election-timeout",
                Durations.text(tick.multipliedBy(config.member().limits().electionTicks())));
        line.put("initial-election-tick-advance", config.advanceElection());
        line.put("pre-vote", config.member().preVote());
        line.put("feature-gates", config.gates().toString());
        line.put("corrupt-check-time-interval", flags.text("corrupt-check-time"));
        line.put("compact-check-time-interval", flags.text("compact-hash-check-time"));
        line.put("auto-compaction-mode", flags.text("auto-compaction-mode"));
        line.put("auto-compaction-retention", flags.text("auto-compaction-retention"));
        line.put("downgrade-check-interval", flags.text("downgrade-check-time"));
    }

    /** What is a secret is not among them. */
    private static void discovery(Map<String, Object> line, Flags flags) {
        line.put("discovery-token", flags.text("discovery-token"));
        line.put("discovery-endpoints", flags.text("discovery-endpoints"));
        for (String time : List.of("dial-timeout", "request-timeout", "keepalive-time", "keepalive-timeout")) {
            line.put("discovery-" + time, flags.text("discovery-" + time));
        }
    }
}
