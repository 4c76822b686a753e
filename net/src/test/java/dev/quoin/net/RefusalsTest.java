package dev.quoin.net;

import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import java.util.stream.Stream;

import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.read.ListAppender;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.slf4j.LoggerFactory;

import static org.assertj.core.api.Assertions.assertThat;

/** Whatever is done against the front is counted under the name of what it met, and told in the log once, with who did it. */
class RefusalsTest {
    private static final String UNARY = "/grpc.testing.TestService/UnaryCall";
    private static final String DUPLEX = "/grpc.testing.TestService/FullDuplexCall";
    private static final byte[] PREFACE = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".getBytes(StandardCharsets.US_ASCII);

    private final Logger logger = (Logger) LoggerFactory.getLogger(Refusals.class);
    private final ListAppender<ILoggingEvent> lines = new ListAppender<>();
    private final BlockingQueue<NetMetrics.Refusal> met = new LinkedBlockingQueue<>();

    @BeforeEach
    void listen() {
        lines.start();
        logger.addAppender(lines);
    }

    @AfterEach
    void leave() {
        logger.detachAppender(lines);
    }

    private NetServer server(NetLimits limits) throws IOException {
        NetConfig config = TestService.config(limits);
        return NetServer.start(new NetConfig(config.listens(), config.router(), config.http(), limits,
                new NetMetrics() {
                    @Override
                    public void refused(Refusal why) {
                        if (why != Refusal.LATE_ANSWER) { // of handlers whose connection went
                            met.add(why);
                        }
                    }
                }, null, null, 1));
    }

    /** What a client does to a server. */
    @FunctionalInterface
    interface Deed {
        void on(InetSocketAddress server) throws Exception;
    }

    /** Something done, under bounds that make it quick, and what it meets. */
    record Row(String what, NetLimits.Builder limits, NetMetrics.Refusal met, Deed deed) {
        @Override
        public String toString() {
            return what;
        }
    }

    private static NetLimits.Builder limits() {
        return NetLimits.defaults().change();
    }

    private static List<String[]> head(String path, String... more) {
        List<String[]> fields = new ArrayList<>(
                List.of(new String[]{":method", "POST"}, new String[]{":scheme", "http"},
                        new String[]{":path", path}, new String[]{":authority", "a"},
                        new String[]{"content-type", "application/grpc"}));
        for (int i = 0; i < more.length; i += 2) {
            fields.add(new String[]{more[i], more[i + 1]});
        }
        return fields;
    }

    @FunctionalInterface
    private interface Http2 {
        void with(RawClient client) throws IOException;
    }

    /** Over HTTP/2; until the server has had enough, or has answered. */
    private static Deed http2(Http2 deed, int... settings) {
        return server -> {
            try (RawClient client = RawClient.open(server, settings)) {
                deed.with(client);
                client.poll(RawClient.Frame::isEnd, 2_000);
            }
        };
    }

    private static Deed http1(String request) {
        return server -> {
            try (Socket socket = new Socket(server.getAddress(), server.getPort())) {
                socket.setSoTimeout(5_000);
                socket.getOutputStream().write(request.getBytes(StandardCharsets.US_ASCII));
                assertThat(socket.getInputStream().readAllBytes()).startsWith("HTTP/1.1 4".getBytes(
                        StandardCharsets.US_ASCII));
            }
        };
    }

    private static Stream<Row> rows() {
        return Stream.of(
                new Row("silence", limits().firstHeadMillisMax(200), NetMetrics.Refusal.FIRST_HEAD_LATE, server -> {
                    try (RawClient client = new RawClient(server)) {
                        client.await(RawClient.Frame::isEnd);
                    }
                }), new Row("half a preface", limits().firstHeadMillisMax(200), NetMetrics.Refusal.FIRST_HEAD_LATE,
                        server -> {
                            try (RawClient client = new RawClient(server)) {
                                client.bytes(java.util.Arrays.copyOf(PREFACE, 10));
                                client.await(RawClient.Frame::isEnd);
                            }
                        }),
                new Row("one connection too many", limits().connectionsMax(0), NetMetrics.Refusal.CONNECTIONS,
                        server -> {
                            try (RawClient client = new RawClient(server)) {
                                client.await(RawClient.Frame::isEnd);
                            }
                        }),
                new Row("resets (CVE-2023-44487)", limits().resetsReceivedMax(20), NetMetrics.Refusal.FLOOD,
                        http2(client -> {
                            for (int i = 0; i < 30; i++) {
                                client.headers(2 * i + 1, false, head(DUPLEX));
                                client.reset(2 * i + 1, 8);
                            }
                        })),
                new Row("resets that are provoked (CVE-2025-55163)", limits().resetsProvokedMax(20),
                        NetMetrics.Refusal.FLOOD, http2(client -> {
                            for (int i = 0; i < 30; i++) {
                                client.headers(2 * i + 1, false, head(DUPLEX));
                                client.windowUpdate(2 * i + 1, 0);
                            }
                        })),
                new Row("continuations without an end (CVE-2024-27316)", limits(), NetMetrics.Refusal.FLOOD,
                        http2(client -> {
                            client.send(RawClient.HEADERS, 0, 1, RawClient.block(head(UNARY)));
                            for (int i = 0; i < 40; i++) {
                                client.send(RawClient.CONTINUATION, 0, 1);
                            }
                        })),
                new Row("empty data (CVE-2019-9518)", limits(), NetMetrics.Refusal.FLOOD, http2(client -> {
                    client.headers(1, false, head(DUPLEX));
                    for (int i = 0; i < 10; i++) {
                        client.send(RawClient.DATA, 0, 1);
                    }
                })), new Row("pings (CVE-2019-9512)", limits(), NetMetrics.Refusal.PINGS, http2(client -> {
                    for (int i = 0; i < 10; i++) {
                        client.ping(i);
                    }
                })), new Row("settings (CVE-2019-9515)", limits().settingsMax(20), NetMetrics.Refusal.SETTINGS,
                        http2(client -> {
                            for (int i = 0; i < 30; i++) {
                                client.settings();
                            }
                        })),
                new Row("a header list over the limit", limits().headerListBytesMax(8_192),
                        NetMetrics.Refusal.HTTP_HEAD,
                        http2(client -> client.headers(1, true, head(UNARY, "x-long", "a".repeat(9_000))))),
                new Row("a header list far over the limit", limits().headerListBytesMax(8_192),
                        NetMetrics.Refusal.PROTOCOL,
                        http2(client -> client.headers(1, true, head(UNARY, "x-long", "a".repeat(12_000))))),
                new Row("a frame over the limit", limits(), NetMetrics.Refusal.PROTOCOL, http2(client -> {
                    client.headers(1, false, head(DUPLEX));
                    client.send(RawClient.DATA, 0, 1, new byte[16_385]);
                })), new Row("a message over the limit", limits().requestBytesMax(1_000),
                        NetMetrics.Refusal.MESSAGE_TOO_LARGE, http2(client -> {
                            client.headers(1, false, head(UNARY));
                            client.send(RawClient.DATA, 0, 1, RawClient.message(0, new byte[1_001]));
                        })),
                new Row("too many bytes of requests", limits().requestBytesPerConnectionMax(1_000),
                        NetMetrics.Refusal.REQUEST_BYTES, http2(client -> {
                            client.headers(1, false, head(UNARY));
                            client.send(RawClient.DATA, 0, 1, RawClient.message(0, new byte[2_000]));
                        })),
                new Row("a window of one byte (CVE-2019-9517)", limits().writeStallMillisMax(200),
                        NetMetrics.Refusal.WRITE_STALLED, http2(client -> {
                            client.withoutRefill();
                            client.headers(1, false, head(UNARY));
                            client.send(RawClient.DATA, RawClient.END_STREAM, 1,
                                    RawClient.message(0, (byte) 16, (byte) 100));
                            client.await(frame -> frame.type() == RawClient.RST_STREAM);
                        }, 4, 1)),
                new Row("nobody at the other end", limits().keepaliveIntervalMillis(100).keepaliveTimeoutMillis(100),
                        NetMetrics.Refusal.KEEPALIVE_TIMEOUT, server -> {
                            try (RawClient client = RawClient.open(server)) {
                                client.mute();
                                client.await(RawClient.Frame::isEnd);
                            }
                        }),
                new Row("a body over the limit", limits().httpBodyBytesMax(1_000), NetMetrics.Refusal.HTTP_BODY,
                        http1("POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 1001\r\n\r\n")),
                new Row("a body over the limit, which does not say so", limits().httpBodyBytesMax(1_000),
                        NetMetrics.Refusal.HTTP_BODY,
                        http1("POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3e9\r\n"
                                + "a".repeat(1_001) + "\r\n0\r\n\r\n")),
                new Row("a body over the limit, over HTTP/2", limits().httpBodyBytesMax(1_000),
                        NetMetrics.Refusal.HTTP_BODY, http2(client -> {
                            client.headers(1, false, List.of(new String[]{":method", "POST"},
                                    new String[]{":scheme", "http"}, new String[]{":path", "/echo"},
                                    new String[]{":authority", "a"}));
                            client.send(RawClient.DATA, 0, 1, new byte[1_001]);
                        })),
                new Row("a body over the limit by its head, over HTTP/2", limits().httpBodyBytesMax(1_000),
                        NetMetrics.Refusal.HTTP_BODY, http2(client -> client.headers(1, false,
                                List.of(new String[]{":method", "POST"}, new String[]{":scheme", "http"},
                                        new String[]{":path", "/echo"}, new String[]{":authority", "a"},
                                        new String[]{"content-length", "1001"})))),
                new Row("a head over the limit", limits(), NetMetrics.Refusal.HTTP_HEAD,
                        http1("GET / HTTP/1.1\r\nHost: a\r\nX: " + "a".repeat(70_000) + "\r\n\r\n")),
                new Row("a request line over the limit", limits(), NetMetrics.Refusal.HTTP_HEAD,
                        http1("GET /" + "a".repeat(20_000) + " HTTP/1.1\r\nHost: a\r\n\r\n")));
    }

    @ParameterizedTest
    @MethodSource("rows")
    void isCountedAndTold(Row row) throws Exception {
        try (NetServer server = server(row.limits.build())) {
            row.deed.on(new InetSocketAddress(InetAddress.getLoopbackAddress(), server.port()));
            assertThat(met.poll(5, TimeUnit.SECONDS)).isEqualTo(row.met);
        }
        assertThat(met).as("what else was met").allMatch(row.met::equals);
        assertThat(lines.list).singleElement().satisfies(line -> {
            Map<String, Object> pairs = line.getKeyValuePairs().stream()
                    .collect(Collectors.toMap(pair -> pair.key, pair -> pair.value));
            assertThat(pairs).containsEntry("limit", row.met.name().toLowerCase(java.util.Locale.ROOT));
            assertThat(String.valueOf(pairs.get("remote-addr"))).startsWith("127.0.0.1:");
        });
    }

    @Test
    void aFloodOfThemIsNoFloodOfLines() {
        Refusals refusals = new Refusals(new NetMetrics() {
            @Override
            public void refused(Refusal why) {
                met.add(why);
            }
        });
        for (int i = 0; i < 1_000; i++) {
            refusals.met(NetMetrics.Refusal.PINGS, new InetSocketAddress(i));
            refusals.met(NetMetrics.Refusal.LATE_ANSWER, null);
        }
        refusals.met(NetMetrics.Refusal.HANDSHAKES, null);
        assertThat(met).hasSize(2_001);
        assertThat(lines.list.stream().map(ILoggingEvent::getFormattedMessage)).containsExactly(
                "a client met a limit; others of the next ten seconds are only counted",
                "turned a connection away; others of the next ten seconds are only counted");
    }
}
