package dev.quoin.server;

import java.io.IOException;
import java.io.InputStream;
import java.net.InetSocketAddress;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.TreeSet;
import java.util.stream.Stream;

import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import com.google.protobuf.ByteString;
import com.google.protobuf.MessageLite;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.io.TempDir;

import dev.quoin.api.etcdserverpb.AlarmRequest;
import dev.quoin.api.etcdserverpb.AlarmRequest.AlarmAction;
import dev.quoin.api.etcdserverpb.AlarmType;
import dev.quoin.api.etcdserverpb.CompactionRequest;
import dev.quoin.api.etcdserverpb.DefragmentRequest;
import dev.quoin.api.etcdserverpb.DeleteRangeRequest;
import dev.quoin.api.etcdserverpb.HashKVRequest;
import dev.quoin.api.etcdserverpb.HashRequest;
import dev.quoin.api.etcdserverpb.LeaseGrantRequest;
import dev.quoin.api.etcdserverpb.LeaseKeepAliveRequest;
import dev.quoin.api.etcdserverpb.LeaseRevokeRequest;
import dev.quoin.api.etcdserverpb.MemberPromoteRequest;
import dev.quoin.api.etcdserverpb.PutRequest;
import dev.quoin.api.etcdserverpb.RangeRequest;
import dev.quoin.api.etcdserverpb.RequestOp;
import dev.quoin.api.etcdserverpb.StatusRequest;
import dev.quoin.api.etcdserverpb.TxnRequest;
import dev.quoin.api.etcdserverpb.WatchCreateRequest;
import dev.quoin.api.etcdserverpb.WatchRequest;
import dev.quoin.disk.RealDisk;
import dev.quoin.server.config.Flags;

import static org.assertj.core.api.Assertions.assertThat;

/** A server of one member, asked over its client port: what it does shows under etcd's names. */
class MetricsTest {
    private static final Duration PATIENCE = Duration.ofSeconds(15);
    private static final String KV = "etcdserverpb.KV/";
    private static final long LEASE = 77;

    @TempDir
    @SuppressWarnings("NullAway.Init")
    private static Path home;

    private static @Nullable Server server;

    /** Everything counts as slow here, so that what is slow can be seen. */
    @BeforeAll
    static void start() throws Exception {
        server = started("--metrics=extensive", "--warning-apply-duration=1ns",
                "--warning-unary-request-duration=1ns");
        long until = System.nanoTime() + PATIENCE.toNanos();
        while (!MetricsPage.of(address()).has("etcd_cluster_version")) {
            assertThat(System.nanoTime()).as("the cluster has no version").isLessThan(until);
            Thread.sleep(20);
        }
    }

    private static Server started(String... more) throws Exception {
        List<String> arguments = new ArrayList<>(List.of("--name=m", "--data-dir=" + home.resolve("data"),
                "--initial-cluster=m=http://127.0.0.1:0", "--listen-peer-urls=http://127.0.0.1:0",
                "--initial-advertise-peer-urls=http://127.0.0.1:0", "--listen-client-urls=http://127.0.0.1:0",
                "--advertise-client-urls=http://127.0.0.1:0"));
        arguments.addAll(List.of(more));
        if (!(Flags.read(arguments.toArray(String[]::new), Map.of()) instanceof Flags.Wish.Start(Flags flags))) {
            throw new AssertionError("it is not asked to start");
        }
        return Server.start(ServerConfig.of(flags), new RealDisk(), new RealClock(), (where, why) -> {
            throw new AssertionError(where, why);
        }, () -> {});
    }

    @AfterAll
    static void stop() throws Exception {
        if (server != null) {
            server.stop();
        }
    }

    private static InetSocketAddress address() {
        return (InetSocketAddress) Objects.requireNonNull(server).clientAddresses().getFirst();
    }

    // ---- names

    /** A line of the table of etcd's metrics. */
    private record Known(String name, String type, List<String> labels, String buckets, boolean isUsed) {
        static List<Known> all() throws IOException {
            try (InputStream in = Objects.requireNonNull(
                    MetricsTest.class.getResourceAsStream("metrics/etcd-3.7.1-metrics.tsv"))) {
                return new String(in.readAllBytes(), StandardCharsets.UTF_8).lines()
                        .filter(line -> !line.startsWith("#")).map(Known::of).toList();
            }
        }

        private static Known of(String line) {
            String[] cells = line.split("\t", -1);
            return new Known(cells[0], cells[1], cells[2].isEmpty() ? List.of() : List.of(cells[2].split(",", -1)),
                    cells[3], !cells[4].isEmpty());
        }
    }

    /** Counters that begin only when something happens, or that only a cluster has. */
    private static final List<String> LATER = List.of("etcd_debugging_store_reads_failed_total",
            "etcd_debugging_store_reads_total", "etcd_debugging_store_writes_failed_total",
            "etcd_debugging_store_writes_total", "etcd_network_.*peer.*", "etcd_network_snapshot_.*",
            "etcd_server_healthcheck", "etcd_server_healthchecks_total", "etcd_server_learner_promote_failures");

    @Test
    void everyNameOfEtcdIsThereWithItsTypeItsLabelsAndItsBuckets() throws Exception {
        try (GrpcSocket client = new GrpcSocket(address())) {
            client.call(KV + "Put", put("named", "1"));
        }
        MetricsPage page = MetricsPage.of(address());
        List<Known> known = Known.all();
        assertThat(known).hasSizeGreaterThan(105);
        for (Known metric : known) {
            if (LATER.stream().anyMatch(metric.name()::matches) && !metric.name().equals("etcd_network_known_peers")) {
                continue;
            }
            assertThat(page.types()).as(metric.name()).containsEntry(metric.name(), metric.type());
            if (page.has(metric.name() + "{") || page.has(metric.name() + "_bucket{")) {
                assertThat(page.labels(metric.name())).as(metric.name())
                        .isEqualTo(new TreeSet<>(metric.labels()));
            }
            if (metric.type().equals("histogram")) {
                assertThat(bounds(page, metric.name())).as(metric.name()).isEqualTo(bounds(metric.buckets()));
            }
        }
    }

    private static List<Double> bounds(MetricsPage page, String name) {
        return page.samples().keySet().stream().filter(sample -> sample.startsWith(name + "_bucket"))
                .map(sample -> sample.replaceFirst(".*le=\"([^\"]*)\".*", "$1")).distinct()
                .filter(bound -> !bound.equals("+Inf")).map(Double::valueOf).toList();
    }

    private static List<Double> bounds(String buckets) {
        if (buckets.equals("default")) {
            return List.of(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0);
        }
        String[] numbers = buckets.substring("exp(".length(), buckets.length() - 1).split(",", -1);
        List<Double> bounds = new ArrayList<>();
        double bound = Double.parseDouble(numbers[0]);
        for (int i = 0; i < Integer.parseInt(numbers[2]); i++) {
            bounds.add(bound);
            bound *= Double.parseDouble(numbers[1]);
        }
        return bounds;
    }

    @Test
    void whatEtcdsRulesAndDashboardAskForHasSamples() throws Exception {
        MetricsPage page = MetricsPage.of(address());
        for (Known metric : Known.all()) {
            if (metric.isUsed() && !metric.name().contains("_peer_")) {
                assertThat(page.has(metric.name())).as(metric.name()).isTrue();
            }
        }
        assertThat(page.sum("process_resident_memory_bytes")).isPositive();
    }

    @Test
    void allMethodsAndCodesAreThereFromTheBeginning() throws Exception {
        MetricsPage page = MetricsPage.of(address());
        assertThat(page.samples()).containsKey("grpc_server_handled_total{grpc_code=\"DataLoss\","
                + "grpc_method=\"LeaseKeepAlive\",grpc_service=\"etcdserverpb.Lease\",grpc_type=\"bidi_stream\"}");
        assertThat(page.samples()).containsKey("grpc_server_started_total{grpc_method=\"RangeStream\","
                + "grpc_service=\"etcdserverpb.KV\",grpc_type=\"server_stream\"}");
    }

    @Test
    void whatProcessAndMachineSayIsPlausible() throws Exception {
        MetricsPage page = MetricsPage.of(address());
        assertThat(page.sum("process_resident_memory_bytes")).isBetween(10e6, 16e9);
        assertThat(page.sum("process_start_time_seconds"))
                .isBetween(System.currentTimeMillis() / 1e3 - 3_600, System.currentTimeMillis() / 1e3 + 1);
        assertThat(page.sum("process_cpu_seconds_total")).isPositive();
        assertThat(page.sum("process_open_fds")).isBetween(5.0, page.sum("process_max_fds"));
        assertThat(page.sum("jvm_memory_used_bytes{area=\"heap\"}")).isPositive();
        assertThat(page.sum("jvm_threads_current")).isGreaterThan(5);
    }

    // ---- causes

    @FunctionalInterface
    private interface Deed {
        void on(GrpcSocket client) throws Exception;
    }

    /** A cause, and the series that must grow by it. */
    private record Row(String cause, Deed deed, List<String> series) {}

    private static Row row(String cause, Deed deed, String... series) {
        return new Row(cause, deed, List.of(series));
    }

    private static Deed call(String method, MessageLite request) {
        return client -> client.call(method, request);
    }

    private static String method(String name, String service, String method) {
        return name + "{grpc_method=\"" + method + "\",grpc_service=\"etcdserverpb." + service
                + "\",grpc_type=\"unary\"}";
    }

    private static String handled(String code, String service, String method) {
        return "grpc_server_handled_total{grpc_code=\"" + code + "\",grpc_method=\"" + method
                + "\",grpc_service=\"etcdserverpb." + service + "\"";
    }

    private static List<Row> rows() {
        PutRequest put = put("k", "value");
        RangeRequest get = RangeRequest.newBuilder().setKey(text("k")).build();
        RangeRequest all = RangeRequest.newBuilder().setKey(text("\0")).setRangeEnd(text("\0")).build();
        return List.of(
                row("a put", call(KV + "Put", put), "etcd_mvcc_put_total", "etcd_server_proposals_committed_total",
                        "etcd_server_proposals_applied_total", "etcd_debugging_mvcc_current_revision",
                        "etcd_debugging_mvcc_total_put_size_in_bytes", "quoin_client_received_bytes_total",
                        "quoin_client_sent_bytes_total"),
                row("a put is a call", call(KV + "Put", put), method("grpc_server_started_total", "KV", "Put"),
                        method("grpc_server_msg_received_total", "KV", "Put"),
                        method("grpc_server_msg_sent_total", "KV", "Put"), handled("OK", "KV", "Put"),
                        method("grpc_server_handling_seconds_count", "KV", "Put"),
                        "etcd_network_client_grpc_received_bytes_total",
                        "etcd_network_client_grpc_sent_bytes_total"),
                row("a put takes time", call(KV + "Put", put),
                        "etcd_server_request_duration_seconds_count{success=\"true\",type=\"Put\"}",
                        "etcd_server_apply_duration_seconds_count{op=\"Put\",success=\"true\",version=\"v3\"}"),
                row("a put is written down", call(KV + "Put", put), "etcd_disk_wal_fsync_duration_seconds_count",
                        "etcd_disk_wal_write_duration_seconds_count", "etcd_disk_wal_write_bytes_total",
                        "etcd_disk_backend_commit_duration_seconds_count"),
                row("a put of a new key", call(KV + "Put", put("new", "")), "etcd_debugging_mvcc_keys_total"),
                row("a put without a key", call(KV + "Put", PutRequest.getDefaultInstance()),
                        handled("InvalidArgument", "KV", "Put")),
                row("a put under a lease that is not there",
                        call(KV + "Put", put.toBuilder().setLease(99).build()), handled("NotFound", "KV", "Put"),
                        "etcd_server_apply_duration_seconds_count{op=\"Put\",success=\"false\",version=\"v3\"}"),
                row("a put that is too large", call(KV + "Put", put("large", "x".repeat(3 << 20))),
                        "quoin_limit_met_total{limit=\"message_too_large\"}"),
                row("a get", call(KV + "Range", get), "etcd_mvcc_range_total",
                        "etcd_server_request_duration_seconds_count{success=\"true\",type=\"Range\"}",
                        "etcd_server_range_duration_seconds_count{success=\"true\"}", handled("OK", "KV", "Range")),
                row("a get that may be stale", call(KV + "Range", get.toBuilder().setSerializable(true).build()),
                        "etcd_mvcc_range_total"),
                row("a list", call(KV + "Range", all), "etcd_mvcc_range_total",
                        "etcd_server_request_duration_seconds_count{success=\"true\",type=\"Range\"}"),
                row("a get at a revision that is not there",
                        call(KV + "Range", get.toBuilder().setRevision(1 << 20).build()),
                        handled("OutOfRange", "KV", "Range"),
                        "etcd_server_request_duration_seconds_count{success=\"false\",type=\"Range\"}"),
                row("a deletion", call(KV + "DeleteRange", DeleteRangeRequest.newBuilder().setKey(text("k")).build()),
                        "etcd_mvcc_delete_total"),
                row("a transaction",
                        call(KV + "Txn",
                                TxnRequest.newBuilder().addSuccess(op(put("t1", "1"))).addSuccess(op(put("t2", "2")))
                                        .build()),
                        "etcd_mvcc_txn_total", "etcd_mvcc_put_total",
                        "etcd_server_request_duration_seconds_count{success=\"true\",type=\"Txn\"}"),
                row("a transaction that reads",
                        call(KV + "Txn",
                                TxnRequest.newBuilder().addSuccess(RequestOp.newBuilder().setRequestRange(get))
                                        .addSuccess(RequestOp.newBuilder().setRequestRange(get)).build()),
                        "etcd_mvcc_txn_total", "etcd_mvcc_range_total",
                        "etcd_server_request_duration_seconds_count{success=\"true\",type=\"ReadonlyTxn\"}"),
                row("a compaction", MetricsTest::compact, "etcd_debugging_mvcc_compact_revision",
                        "etcd_debugging_mvcc_db_compaction_keys_total",
                        "etcd_debugging_mvcc_db_compaction_pause_duration_milliseconds_count",
                        "etcd_debugging_mvcc_db_compaction_total_duration_milliseconds_count",
                        "etcd_debugging_mvcc_index_compaction_pause_duration_milliseconds_count",
                        "etcd_debugging_mvcc_db_compaction_last"),
                row("a hash", call("etcdserverpb.Maintenance/HashKV", HashKVRequest.getDefaultInstance()),
                        "etcd_mvcc_hash_rev_duration_seconds_count"),
                row("a hash of everything",
                        call("etcdserverpb.Maintenance/Hash", HashRequest.getDefaultInstance()),
                        "etcd_mvcc_hash_duration_seconds_count"),
                row("a defragmentation",
                        call("etcdserverpb.Maintenance/Defragment", DefragmentRequest.getDefaultInstance()),
                        "etcd_disk_backend_defrag_duration_seconds_count"),
                row("a lease",
                        call("etcdserverpb.Lease/LeaseGrant",
                                LeaseGrantRequest.newBuilder().setID(LEASE).setTTL(600).build()),
                        "etcd_debugging_lease_granted_total", "etcd_debugging_lease_ttl_total_count",
                        "etcd_server_request_duration_seconds_count{success=\"true\",type=\"LeaseGrant\"}"),
                row("a lease that is renewed",
                        client -> client.stream("etcdserverpb.Lease/LeaseKeepAlive",
                                LeaseKeepAliveRequest.newBuilder().setID(LEASE).build()),
                        "etcd_debugging_lease_renewed_total",
                        "grpc_server_started_total{grpc_method=\"LeaseKeepAlive\""),
                row("a lease that is revoked",
                        call("etcdserverpb.Lease/LeaseRevoke", LeaseRevokeRequest.newBuilder().setID(LEASE).build()),
                        "etcd_debugging_lease_revoked_total"),
                row("a lease whose time is over",
                        call("etcdserverpb.Lease/LeaseGrant", LeaseGrantRequest.newBuilder().setTTL(1).build()),
                        "etcd_debugging_server_lease_expired_total", "etcd_debugging_lease_revoked_total"),
                row("a watcher", MetricsTest::watch, "etcd_debugging_mvcc_watcher_total",
                        "etcd_debugging_mvcc_watch_stream_total",
                        "etcd_debugging_server_watch_send_loop_control_stream_duration_seconds_count"),
                row("a watcher is told", client -> {
                    watch(client);
                    client.call(KV + "Put", put("watched", "news"));
                }, "etcd_debugging_mvcc_events_total",
                        "etcd_debugging_server_watch_send_loop_watch_stream_duration_seconds_count",
                        "etcd_debugging_server_watch_send_loop_watch_stream_duration_per_event_seconds_count"),
                row("time passes with watchers", MetricsTest::watch,
                        "etcd_debugging_server_watch_send_loop_progress_duration_seconds_count"),
                row("health is asked for", client -> MetricsPage.get(address(), "/health"),
                        "etcd_server_health_success"),
                row("this page is asked for", client -> MetricsPage.get(address(), "/metrics"),
                        "promhttp_metric_handler_requests_total{code=\"200\"}"),
                row("a connection", client -> client.call("etcdserverpb.Maintenance/Status",
                        StatusRequest.getDefaultInstance()), "quoin_client_connections{tls=\"false\"}"),
                row("a client that says its version",
                        client -> client.call(KV + "Range", get, "client-api-version", "3.9"),
                        "etcd_server_client_requests_total{client_api_version=\"3.9\",type=\"unary\"}"),
                row("a client that does not", call(KV + "Range", get),
                        "etcd_server_client_requests_total{client_api_version=\"unknown\",type=\"unary\"}"),
                row("a stream is a request",
                        MetricsTest::watch,
                        "etcd_server_client_requests_total{client_api_version=\"unknown\",type=\"stream\"}"),
                row("applying takes longer than it may", call(KV + "Put", put), "etcd_server_slow_apply_total"),
                row("a read takes longer than it may", call(KV + "Range", get), "etcd_server_slow_apply_total"),
                row("a request takes longer than it may", call(KV + "Put", put), "quoin_slow_requests_total",
                        "quoin_slow_request_phase_seconds_total"),
                row("a promotion of nobody",
                        call("etcdserverpb.Cluster/MemberPromote",
                                MemberPromoteRequest.newBuilder().setID(5).build()),
                        "etcd_server_learner_promote_failures{Reason=\"etcdserver: member not found\"}"),
                row("an alarm",
                        call("etcdserverpb.Maintenance/Alarm",
                                AlarmRequest.newBuilder().setAction(AlarmAction.ACTIVATE).setMemberID(5)
                                        .setAlarm(AlarmType.NOSPACE).build()),
                        "etcd_debugging_server_alarms{alarm_type=\"NOSPACE\",server_id=\"5\"}"));
    }

    @TestFactory
    Stream<DynamicTest> everyCauseMovesWhatItShould() {
        List<Row> rows = rows();
        assertThat(rows).hasSizeGreaterThanOrEqualTo(30);
        return rows.stream().map(row -> DynamicTest.dynamicTest(row.cause + " moves " + row.series, () -> moves(row)));
    }

    private static void moves(Row row) throws Exception {
        MetricsPage before = MetricsPage.of(address());
        try (GrpcSocket client = new GrpcSocket(address())) {
            row.deed.on(client);
            List<String> still = new ArrayList<>(row.series);
            long until = System.nanoTime() + PATIENCE.toNanos();
            while (!still.isEmpty() && System.nanoTime() < until) {
                MetricsPage now = MetricsPage.of(address());
                still.removeIf(series -> now.sum(series) > before.sum(series));
                Thread.sleep(20);
            }
            assertThat(still).as("series that did not move").isEmpty();
        }
    }

    @Test
    void whoLeavesIsNotCountedAnyMore() throws Exception {
        double watchers;
        try (GrpcSocket client = new GrpcSocket(address())) {
            watch(client);
            client.call(KV + "Put", put("k", "v"));
            watchers = MetricsPage.of(address()).sum("etcd_debugging_mvcc_watcher_total");
            assertThat(watchers).isPositive();
        }
        long until = System.nanoTime() + PATIENCE.toNanos();
        while (MetricsPage.of(address()).sum("etcd_debugging_mvcc_watcher_total") >= watchers) {
            assertThat(System.nanoTime()).as("it is still counted").isLessThan(until);
            Thread.sleep(20);
        }
    }

    private static void compact(GrpcSocket client) throws IOException, InterruptedException {
        client.call(KV + "Put", put("c", "1"));
        client.call(KV + "Put", put("c", "2"));
        long revision = (long) MetricsPage.of(address()).sum("etcd_debugging_mvcc_current_revision");
        client.call(KV + "Compact", CompactionRequest.newBuilder().setRevision(revision).setPhysical(true).build());
    }

    private static void watch(GrpcSocket client) throws IOException {
        client.stream("etcdserverpb.Watch/Watch", WatchRequest.newBuilder()
                .setCreateRequest(WatchCreateRequest.newBuilder().setKey(text("watched"))).build());
    }

    private static PutRequest put(String key, String value) {
        return PutRequest.newBuilder().setKey(text(key)).setValue(text(value)).build();
    }

    private static RequestOp op(PutRequest put) {
        return RequestOp.newBuilder().setRequestPut(put).build();
    }

    private static ByteString text(String text) {
        return ByteString.copyFromUtf8(text);
    }

    // ---- HTTP

    @Test
    void theFormIsThatOfGosClient() throws Exception {
        HttpResponse<String> plain = MetricsPage.get(address(), "/metrics");
        assertThat(plain.statusCode()).isEqualTo(200);
        assertThat(plain.headers().firstValue("content-type"))
                .contains("text/plain; version=0.0.4; charset=utf-8; escaping=underscores");
        HttpResponse<String> asked = MetricsPage.get(address(), "/metrics", "Accept",
                "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6,text/plain;version=0.0.4;q=0.3");
        assertThat(asked.headers().firstValue("content-type"))
                .contains("text/plain; version=0.0.4; charset=utf-8; escaping=allow-utf-8");
        HttpResponse<String> packed = MetricsPage.get(address(), "/metrics", "Accept-Encoding", "gzip");
        assertThat(packed.headers().firstValue("content-encoding")).contains("gzip");
        assertThat(MetricsPage.get(address(), "/metrics", "Accept-Encoding", "identity, gzip;q=0").headers()
                .firstValue("content-encoding")).isEmpty();
    }

    @Test
    void variablesAreThoseOfEtcdThatMeanSomething() throws Exception {
        HttpResponse<String> response = MetricsPage.get(address(), "/debug/vars");
        assertThat(response.headers().firstValue("content-type")).contains("application/json; charset=utf-8");
        JsonObject variables = JsonParser.parseString(response.body()).getAsJsonObject();
        assertThat(variables.keySet()).containsExactly("cmdline", "file_descriptor_limit", "memstats", "raft.status");
        assertThat(variables.getAsJsonObject("raft.status").get("raftState").getAsString()).isEqualTo("StateLeader");
        assertThat(variables.getAsJsonArray("cmdline").get(0).getAsString()).isEqualTo("etcd");
        assertThat(variables.get("file_descriptor_limit").getAsLong()).isPositive();
        assertThat(response.body().toLowerCase(Locale.ROOT)).startsWith("{\n\"cmdline\": [").endsWith("}\n}\n");
    }
}
