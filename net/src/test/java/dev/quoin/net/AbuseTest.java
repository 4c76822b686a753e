package dev.quoin.net;

import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.ArrayList;
import java.util.List;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

import dev.quoin.base.Bytes;

import static org.assertj.core.api.Assertions.assertThat;

/** What a hostile or broken client costs, and how it is told. Bounds are made small where that keeps a test short. */
class AbuseTest {
    private static final String UNARY = "/grpc.testing.TestService/UnaryCall";
    private static final String DUPLEX = "/grpc.testing.TestService/FullDuplexCall";
    private final List<AutoCloseable> open = new ArrayList<>();

    private NetServer server(NetLimits.Builder limits) throws Exception {
        NetServer server = NetServer.start(TestService.config(limits.build()));
        open.add(server);
        return server;
    }

    private static NetLimits.Builder limits() {
        return NetLimits.defaults().change().streamsPerConnectionMax(100);
    }

    private RawClient client(NetServer server, int... settings) throws Exception {
        RawClient client = RawClient.open(address(server), settings);
        open.add(client);
        return client;
    }

    private static InetSocketAddress address(NetServer server) {
        return new InetSocketAddress(InetAddress.getLoopbackAddress(), server.port());
    }

    @AfterEach
    void close() throws Exception {
        for (AutoCloseable one : open.reversed()) {
            one.close();
        }
    }

    private static List<String[]> fields(String path, String... more) {
        List<String[]> fields = new ArrayList<>(
                List.of(new String[]{":method", "POST"}, new String[]{":scheme", "http"},
                        new String[]{":path", path}, new String[]{":authority", "a"},
                        new String[]{"content-type", "application/grpc"}));
        for (int i = 0; i < more.length; i += 2) {
            fields.add(new String[]{more[i], more[i + 1]});
        }
        return fields;
    }

    /** The connection still serves. */
    private static void assertServes(RawClient client, int stream) throws Exception {
        client.headers(stream, false, fields(UNARY));
        client.send(RawClient.DATA, RawClient.END_STREAM, stream, RawClient.message(0));
        assertThat(FrontTable.answer(client, stream)).isEqualTo("200 · DATA · 0 \"\"");
    }

    private static void assertGoAway(RawClient client, String error, String debug) throws Exception {
        RawClient.Frame goAway = client.await(frame -> frame.type() == RawClient.GOAWAY);
        assertThat(goAway.isEnd()).as("closed without GOAWAY").isFalse();
        assertThat(goAway.error()).isEqualTo(error);
        assertThat(goAway.debug()).contains(debug);
        assertThat(client.await(RawClient.Frame::isEnd).isEnd()).isTrue();
    }

    @Test
    void threeHundredCancelledCallsCostNothing() throws Exception {
        RawClient client = client(server(limits()));
        for (int i = 0; i < 300; i++) {
            client.headers(2 * i + 1, false, fields(DUPLEX));
            client.reset(2 * i + 1, 8);
        }
        assertServes(client, 601);
    }

    @Test
    void callsCancelledWithAnswersQueuedCostNothing() throws Exception {
        // Each owes more than the client's window when it is cancelled, 500 times.
        RawClient client = client(server(limits()), 4, 10).withoutRefill();
        for (int i = 0; i < 500; i++) {
            client.headers(2 * i + 1, false, fields(UNARY));
            client.send(RawClient.DATA, RawClient.END_STREAM, 2 * i + 1, RawClient.message(0, (byte) 16, (byte) 100));
            int stream = 2 * i + 1;
            client.await(frame -> frame.stream() == stream && frame.type() == RawClient.HEADERS);
            client.reset(stream, 8);
        }
        client.settings(4, 65_535);
        assertServes(client, 1001);
    }

    @Test
    void tooManyResetsEndTheConnection() throws Exception {
        RawClient client = client(server(limits().resetsReceivedMax(50)));
        for (int i = 0; i < 60; i++) {
            client.headers(2 * i + 1, false, fields(DUPLEX));
            client.reset(2 * i + 1, 8);
        }
        assertGoAway(client, "ENHANCE_YOUR_CALM", "RST frames");
    }

    @Test
    void provokedResetsEndTheConnection() throws Exception {
        RawClient client = client(server(limits().resetsProvokedMax(20)));
        for (int i = 0; i < 30; i++) {
            client.headers(2 * i + 1, false, fields(DUPLEX));
            client.windowUpdate(2 * i + 1, 0);
        }
        assertGoAway(client, "ENHANCE_YOUR_CALM", "RST frames");
    }

    @Test
    void smallContinuationsEndTheConnection() throws Exception {
        RawClient client = client(server(limits()));
        client.send(RawClient.HEADERS, 0, 1, RawClient.block(fields(UNARY)));
        for (int i = 0; i < 20; i++) {
            client.send(RawClient.CONTINUATION, 0, 1);
        }
        assertGoAway(client, "ENHANCE_YOUR_CALM", "continuations");
    }

    @Test
    void emptyDataEndsTheConnection() throws Exception {
        RawClient client = client(server(limits()));
        client.headers(1, false, fields(DUPLEX));
        for (int i = 0; i < 10; i++) {
            client.send(RawClient.DATA, 0, 1);
        }
        assertGoAway(client, "ENHANCE_YOUR_CALM", "empty data");
    }

    @Test
    void aHeaderListOverTheLimitCostsItsStreamOnly() throws Exception {
        RawClient client = client(server(limits().headerListBytesMax(8_192)));
        client.headers(1, true, fields(UNARY, "x-long", "a".repeat(9_000)));
        assertThat(FrontTable.answer(client, 1)).startsWith("431");
        assertServes(client, 3);
    }

    @Test
    void aPingFloodIsAnsweredThreeTimes() throws Exception {
        RawClient client = client(server(limits()));
        for (int i = 0; i < 10; i++) {
            client.ping(i);
        }
        assertGoAway(client, "ENHANCE_YOUR_CALM", "too_many_pings");
        assertThat(client.seen.stream().filter(f -> f.type() == RawClient.PING).count()).isEqualTo(4);
    }

    @Test
    void aSettingsFloodEndsTheConnection() throws Exception {
        RawClient client = client(server(limits()));
        for (int i = 0; i < 150; i++) {
            client.settings();
        }
        assertGoAway(client, "ENHANCE_YOUR_CALM", "SETTINGS");
    }

    @Test
    void streamsOverTheLimitAreRefused() throws Exception {
        RawClient client = client(server(limits().streamsPerConnectionMax(2)));
        client.headers(1, false, fields(DUPLEX));
        client.headers(3, false, fields(DUPLEX));
        client.headers(5, false, fields(DUPLEX));
        assertThat(FrontTable.answer(client, 5)).isEqualTo("RST REFUSED_STREAM");
    }

    @Test
    void aFrameOverTheLimitEndsTheConnection() throws Exception {
        RawClient client = client(server(limits()));
        client.headers(1, false, fields(DUPLEX));
        client.send(RawClient.DATA, 0, 1, new byte[16_385]);
        assertGoAway(client, "FRAME_SIZE_ERROR", "");
    }

    @Test
    void aReaderThatTakesOneByteIsResetAndOthersAreNot() throws Exception {
        RawClient client = client(server(limits().writeStallMillisMax(500)), 4, 1).withoutRefill();
        client.headers(1, false, fields(UNARY));
        client.send(RawClient.DATA, RawClient.END_STREAM, 1, RawClient.message(0, (byte) 16, (byte) 100));
        RawClient.Frame reset = client.await(f -> f.type() == RawClient.RST_STREAM && f.stream() == 1);
        assertThat(reset.error()).isEqualTo("ENHANCE_YOUR_CALM");
        client.settings(4, 65_535);
        assertServes(client, 3);
    }

    @Test
    void aConnectionThatOwesTooMuchWaitsWithItsNextCalls() throws Exception {
        RawClient client = client(server(limits().owedBytesPerConnectionMax(100_000)), 4, 0).withoutRefill();
        byte[] big = RawClient.message(0, (byte) 16, (byte) 0xc0, (byte) 0xb8, (byte) 2); // 40,000 bytes
        for (int i = 0; i < 20; i++) {
            client.headers(2 * i + 1, false, fields(UNARY));
            client.send(RawClient.DATA, RawClient.END_STREAM, 2 * i + 1, big);
        }
        client.ping(7); // Acknowledged after all of it has been read.
        client.await(f -> f.type() == RawClient.PING);
        long begun = client.seen.stream().filter(f -> f.type() == RawClient.HEADERS).count();
        assertThat(begun).isBetween(1L, 4L);
        client.windowUpdate(0, 10_000_000);
        client.settings(4, 1_000_000);
        for (int i = 0; i < 20; i++) {
            int stream = 2 * i + 1;
            if (client.seen.stream().noneMatch(f -> f.stream() == stream && f.ends())) {
                client.await(f -> f.stream() == stream && f.ends());
            }
        }
    }

    private static void answerWhenTaken(Call call, Bytes answer) {
        if (call.owesTooMuch()) {
            call.whenTaken(() -> answerWhenTaken(call, answer));
        } else {
            call.finish(answer);
        }
    }

    /** All begin before the first is answered: what they would be answered with is not made while the connection owes too much. */
    @Test
    void callsThatBeganAtOnceWaitWithTheirAnswers() throws Exception {
        List<Call> begun = new ArrayList<>();
        Bytes large = Bytes.of(new byte[40_000]);
        Method many = Method.hot(UNARY, Method.Kind.UNARY, (call, message) -> {
            begun.add(call);
            if (begun.size() == 20) {
                begun.forEach(one -> answerWhenTaken(one, large));
            }
        });
        NetConfig config = TestService.config(limits().owedBytesPerConnectionMax(100_000).build());
        NetServer server = NetServer.start(new NetConfig(config.listens(), Router.of(List.of(many)), config.http(),
                config.limits(), NetMetrics.NONE, null, null, 1));
        open.add(server);
        RawClient client = client(server, 4, 0).withoutRefill();
        for (int i = 0; i < 20; i++) {
            client.headers(2 * i + 1, false, fields(UNARY));
            client.send(RawClient.DATA, RawClient.END_STREAM, 2 * i + 1, RawClient.message(0));
        }
        client.ping(7); // Acknowledged after all of it has been read.
        client.await(f -> f.type() == RawClient.PING);
        assertThat(client.seen.stream().filter(f -> f.type() == RawClient.HEADERS).count()).isBetween(1L, 4L);
        client.windowUpdate(0, 10_000_000);
        client.settings(4, 1_000_000);
        for (int i = 0; i < 20; i++) {
            int stream = 2 * i + 1;
            if (client.seen.stream().noneMatch(f -> f.stream() == stream && f.ends())) {
                assertThat(client.await(f -> f.stream() == stream && f.ends()).isEnd()).isFalse();
            }
        }
    }

    @Test
    void issue22143AClientThatSaysNothingIsClosedAtItsDeadline() throws Exception {
        NetServer server = server(limits().firstHeadMillisMax(300));
        for (String part : List.of("", "PRI * HTTP", "GET / HTTP/1.1\r\nHos")) {
            try (RawClient client = new RawClient(address(server))) {
                client.bytes(part.getBytes(java.nio.charset.StandardCharsets.US_ASCII));
                assertThat(client.await(RawClient.Frame::isEnd).isEnd()).isTrue();
            }
        }
        try (RawClient client = new RawClient(address(server))) {
            client.bytes("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".getBytes(java.nio.charset.StandardCharsets.US_ASCII));
            client.await(RawClient.Frame::isEnd);
        }
    }

    @Test
    void connectionsOverTheLimitAreClosedAtOnce() throws Exception {
        NetServer server = server(limits().connectionsMax(1));
        RawClient first = client(server);
        assertServes(first, 1);
        try (RawClient second = new RawClient(address(server))) {
            assertThat(second.await(RawClient.Frame::isEnd).isEnd()).isTrue();
        }
        assertServes(first, 3);
    }

    @Test
    void cve202673500ConnectionsThatSayNothingAreBoundedForEachAddressAndForAll() throws Exception {
        List<NetMetrics.Refusal> refusals = new java.util.concurrent.CopyOnWriteArrayList<>();
        for (NetLimits.Builder limits : List.of(limits().unadmittedPerAddressMax(2), limits().unadmittedMax(2))) {
            NetServer server = counting(limits, refusals);
            RawClient served = client(server);
            assertServes(served, 1);
            try (RawClient first = new RawClient(address(server)); RawClient second = new RawClient(address(server))) {
                try (RawClient third = new RawClient(address(server))) {
                    assertThat(third.await(RawClient.Frame::isEnd).isEnd()).isTrue();
                }
                assertServes(served, 3);
                for (RawClient late : List.of(first, second)) {
                    late.bytes("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".getBytes(java.nio.charset.StandardCharsets.US_ASCII));
                    late.settings();
                    late.await(frame -> frame.type() == RawClient.SETTINGS && frame.flags() == 1);
                    assertServes(late, 1);
                }
                assertServes(client(server), 1);
            }
        }
        assertThat(refusals).containsExactly(NetMetrics.Refusal.HANDSHAKES, NetMetrics.Refusal.HANDSHAKES);
    }

    private NetServer counting(NetLimits.Builder limits, List<NetMetrics.Refusal> refusals) throws Exception {
        NetConfig config = TestService.config(limits.build());
        NetServer server = NetServer.start(new NetConfig(config.listens(), config.router(), config.http(),
                config.limits(), new NetMetrics() {
                    @Override
                    public void refused(Refusal why) {
                        refusals.add(why);
                    }
                }, null, null, 1));
        open.add(server);
        return server;
    }

    @Test
    void bytesOfRequestsInWorkAreBounded() throws Exception {
        RawClient client = client(server(limits().requestBytesPerConnectionMax(100_000)));
        client.headers(1, false, fields(UNARY));
        byte[] part = new byte[16_000];
        java.nio.ByteBuffer.wrap(part).put((byte) 0).putInt(1_000_000);
        for (int i = 0; i < 8; i++) {
            client.send(RawClient.DATA, 0, 1, part);
        }
        assertThat(FrontTable.answer(client, 1))
                .isEqualTo("200 8 \"too many bytes of requests in work\" · RST NO_ERROR");
        assertServes(client, 3);
    }

    @Test
    void aSilentClientIsPingedAndThenClosed() throws Exception {
        RawClient client = new RawClient(address(
                server(limits().keepaliveIntervalMillis(200).keepaliveTimeoutMillis(200))));
        open.add(client);
        client.bytes("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".getBytes(java.nio.charset.StandardCharsets.US_ASCII));
        client.settings();
        client.mute();
        assertThat(client.await(f -> f.type() == RawClient.PING).flags()).isZero();
        RawClient.Frame next = client.await(f -> f.type() == RawClient.GOAWAY);
        assertThat(next.isEnd()).as("closed without GOAWAY").isTrue();
    }

    @Test
    void anAnswerOverTheClientsHeaderListIsReset() throws Exception {
        RawClient client = client(server(limits()), 6, 20);
        client.headers(1, false, fields(UNARY));
        client.send(RawClient.DATA, RawClient.END_STREAM, 1, RawClient.message(0));
        assertThat(FrontTable.answer(client, 1)).isEqualTo("RST INTERNAL_ERROR");
    }
}
