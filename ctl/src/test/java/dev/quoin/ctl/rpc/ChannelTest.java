package dev.quoin.ctl.rpc;

import java.io.EOFException;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.ServerSocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

/** Calls against a server whose every frame is written here. */
@Timeout(30)
class ChannelTest {
    private static final String PATH = "/a.B/C";

    @SuppressWarnings("NullAway.Init")
    private RawServer server;

    @BeforeEach
    void listen() throws IOException {
        server = new RawServer();
    }

    @AfterEach
    void close() throws IOException {
        server.close();
    }

    private static Channel channel(List<Endpoint> endpoints) {
        return new Channel(new Channel.Settings(endpoints, null, 0, TimeUnit.SECONDS.toNanos(1), 1 << 26));
    }

    private Channel channel() {
        return channel(List.of(server.endpoint()));
    }

    private static byte[] bytes(String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }

    private static <T> FutureTask<T> meanwhile(Callable<T> work) {
        FutureTask<T> task = new FutureTask<>(work);
        Thread thread = new Thread(task);
        thread.setDaemon(true);
        thread.start();
        return task;
    }

    private FutureTask<byte[]> call(Channel channel, byte[] request) {
        return meanwhile(() -> {
            Call call = channel.begin(PATH, Map.of("token", "t"), Deadline.in(TimeUnit.SECONDS.toNanos(20)));
            call.sendLast(request);
            byte[] answer = call.receive();
            byte[] end = answer == null ? null : call.receive();
            return answer == null || end != null ? bytes("?") : answer;
        });
    }

    private RpcException failureOf(FutureTask<byte[]> task) {
        try {
            throw new AssertionError(new String(task.get(), StandardCharsets.UTF_8));
        } catch (ExecutionException why) {
            if (why.getCause() instanceof RpcException failure) {
                return failure;
            }
            throw new AssertionError(why);
        } catch (InterruptedException stop) {
            throw new AssertionError(stop);
        }
    }

    @Test
    void whatStandsBeforeAnAnswerIsTold() throws Exception {
        FutureTask<Map<String, String>> headers = meanwhile(() -> {
            Call call = channel().begin(PATH, Map.of(), Deadline.in(TimeUnit.SECONDS.toNanos(20)));
            assertThat(call.headers()).isEmpty();
            call.sendLast(bytes("ask"));
            while (call.receive() != null) {
                // Until the trailers have come as well.
            }
            return call.headers();
        });
        server.accept();
        server.next(RawServer.DATA);
        server.headers(1);
        server.message(1, bytes("answer"));
        server.trailers(1, 0, "");
        assertThat(headers.get()).containsEntry("content-type", "application/grpc").doesNotContainKey("grpc-status");
    }

    @Test
    void aCallIsHeadersAMessageAndAnAnswer() throws Exception {
        FutureTask<byte[]> answer = call(channel(), bytes("ask"));
        server.accept();
        RawServer.Frame settings = server.next(RawServer.SETTINGS);
        // Nothing to remember of headers, and nothing pushed.
        assertThat(settings.payload).startsWith(0, 1, 0, 0, 0, 0, 0, 2, 0, 0, 0, 0);
        RawServer.Frame headers = server.next(RawServer.HEADERS);
        assertThat(HeaderReader.read(headers.payload)).containsEntry(":path", PATH).containsEntry(":method", "POST")
                .containsEntry(":scheme", "http").containsEntry("content-type", "application/grpc")
                .containsEntry("te", "trailers").containsEntry("token", "t").containsKey("grpc-timeout")
                .containsEntry(":authority", server.endpoint().address());
        RawServer.Frame data = server.next(RawServer.DATA);
        assertThat(data.flags).isEqualTo(1);
        assertThat(data.payload).isEqualTo(new byte[]{0, 0, 0, 0, 3, 'a', 's', 'k'});
        server.headers(1);
        server.message(1, bytes("answer"));
        server.trailers(1, 0, "");
        assertThat(answer.get()).isEqualTo(bytes("answer"));
    }

    @Test
    void aRefusalHasTheServersCodeAndWords() throws Exception {
        FutureTask<byte[]> answer = call(channel(), bytes("ask"));
        server.accept();
        server.next(RawServer.DATA);
        // Without an answer, trailers are all there is.
        server.write(RawServer.HEADERS, 5, 1, new HeaderWriter().known(8).named(31, "application/grpc")
                .literal("grpc-status", "11").literal("grpc-message", "too far%21").block());
        RpcException why = failureOf(answer);
        assertThat(why.code()).isEqualTo(Code.OUT_OF_RANGE);
        assertThat(why.description()).isEqualTo("too far!");
        assertThat(why.outcome()).isEqualTo(RpcException.Outcome.ANSWERED);
        assertThat(why).hasMessage("rpc error: code = OutOfRange desc = too far!");
    }

    @Test
    void aLongMessageWaitsForRoom() throws Exception {
        byte[] request = new byte[200_000];
        request[199_999] = 7;
        FutureTask<byte[]> answer = call(channel(), request);
        // 100 bytes at a time at first, and then as much as it takes.
        server.accept((byte) 0, (byte) 4, (byte) 0, (byte) 0, (byte) 0, (byte) 100);
        int received = 0;
        byte last = 0;
        boolean isLast = false;
        while (!isLast) {
            RawServer.Frame data = server.next(RawServer.DATA);
            received += data.payload.length;
            last = data.payload.length == 0 ? last : data.payload[data.payload.length - 1];
            isLast = (data.flags & 1) != 0;
            assertThat(data.payload.length).isLessThanOrEqualTo(16_384);
            server.write(RawServer.WINDOW_UPDATE, 0, 0, RawServer.number(30_000));
            server.write(RawServer.WINDOW_UPDATE, 0, 1, RawServer.number(30_000));
        }
        assertThat(received).isEqualTo(200_005);
        assertThat(last).isEqualTo((byte) 7);
        server.headers(1);
        server.message(1, bytes("ok"));
        server.trailers(1, 0, "");
        assertThat(answer.get()).isEqualTo(bytes("ok"));
    }

    @Test
    void aLongAnswerComesInPiecesWithPaddingAndContinuedHeaders() throws Exception {
        byte[] whole = new byte[30_000];
        whole[29_999] = 9;
        FutureTask<byte[]> answer = call(channel(), bytes("ask"));
        server.accept();
        server.next(RawServer.DATA);
        byte[] block = new HeaderWriter().known(8).named(31, "application/grpc").block();
        server.write(RawServer.HEADERS, 0, 1, block[0]);
        server.write(RawServer.CONTINUATION, 4, 1, Arrays.copyOfRange(block, 1, block.length));
        byte[] framed = ByteBuffer.allocate(30_005).put((byte) 0).putInt(30_000).put(whole).array();
        server.write(RawServer.DATA, 0, 1, Arrays.copyOfRange(framed, 0, 3));
        byte[] padded = new byte[1 + 12_000 + 5];
        padded[0] = 5;
        System.arraycopy(framed, 3, padded, 1, 12_000);
        server.write(RawServer.DATA, 8, 1, padded);
        server.write(RawServer.DATA, 0, 1, Arrays.copyOfRange(framed, 12_003, 28_000));
        server.write(RawServer.DATA, 0, 1, Arrays.copyOfRange(framed, 28_000, 30_005));
        server.trailers(1, 0, "");
        assertThat(answer.get()).isEqualTo(whole);
    }

    @Test
    void aServerIsAnsweredWhenItAsksForASignOfLife() throws Exception {
        Call call = accepted(channel());
        server.next(RawServer.HEADERS);
        server.write(RawServer.PING, 0, 0, bytes("12345678"));
        RawServer.Frame pong = server.next(RawServer.PING);
        assertThat(pong.flags).isEqualTo(1);
        assertThat(pong.payload).isEqualTo(bytes("12345678"));
        call.close();
    }

    /** A stream that has said one thing. */
    private Call begin(Channel channel) {
        Call call = channel.begin(PATH, Map.of(), Deadline.NEVER);
        call.send(bytes("one"));
        return call;
    }

    /** The same, on a connection that the server takes meanwhile. */
    private Call accepted(Channel channel) throws Exception {
        FutureTask<Call> call = meanwhile(() -> begin(channel));
        server.accept();
        return call.get();
    }

    @Test
    void streamsRunBothWaysAndSideBySide() throws Exception {
        Channel channel = channel();
        Call first = accepted(channel);
        Call second = begin(channel);
        server.headers(3);
        server.headers(1);
        server.message(3, bytes("to second"));
        server.message(1, bytes("to first"));
        assertThat(first.receive()).isEqualTo(bytes("to first"));
        assertThat(second.receive()).isEqualTo(bytes("to second"));
        first.send(bytes("two"));
        server.next(RawServer.DATA);
        server.next(RawServer.DATA);
        assertThat(server.next(RawServer.DATA).payload).endsWith('t', 'w', 'o');
        server.trailers(1, 0, "");
        assertThat(first.receive()).isNull();
        second.close();
        assertThat(server.next(RawServer.RST_STREAM).payload).isEqualTo(RawServer.number(8));
    }

    @Test
    void whatComesIsKeptWithinAWindowUntilItIsTaken() throws Exception {
        Call call = accepted(channel());
        server.headers(1);
        // More than a window, in messages that nobody takes: no room is given for more.
        byte[] message = new byte[16_000];
        int messages = 2 * Connection.CALL_WINDOW_BYTES / message.length + 2;
        for (int i = 0; i < messages; i++) {
            server.message(1, message);
        }
        server.write(RawServer.PING, 0, 0, new byte[8]);
        int room = 0;
        for (RawServer.Frame frame = server.any(); frame.type != RawServer.PING; frame = server.any()) {
            boolean isOfCall = frame.type == RawServer.WINDOW_UPDATE && frame.id == 1;
            room += isOfCall ? ByteBuffer.wrap(frame.payload).getInt() : 0;
        }
        assertThat(room).isBetween(1, Connection.CALL_WINDOW_BYTES + 2 * message.length);
        for (int i = 0; i < messages; i++) {
            assertThat(call.receive()).hasSize(message.length);
        }
        assertThat(server.next(RawServer.WINDOW_UPDATE).id).isEqualTo(1);
        call.close();
    }

    @Test
    void aServerThatSaysNothingIsGivenUpInTime() throws Exception {
        FutureTask<Call> begun = meanwhile(
                () -> channel().begin(PATH, Map.of(), Deadline.in(TimeUnit.MILLISECONDS.toNanos(500))));
        server.accept();
        Call call = begun.get();
        call.sendLast(bytes("ask"));
        assertThatThrownBy(call::receive).isInstanceOfSatisfying(RpcException.class, why -> {
            assertThat(why.isLate()).isTrue();
            assertThat(why).hasMessage("rpc error: code = DeadlineExceeded desc = context deadline exceeded");
        });
        assertThat(server.next(RawServer.RST_STREAM).payload).isEqualTo(RawServer.number(8));
    }

    @Test
    void aConnectionThatBreaksLeavesTheOutcomeOpen() throws Exception {
        FutureTask<byte[]> answer = call(channel(), bytes("ask"));
        server.accept();
        server.next(RawServer.DATA);
        server.hangUp();
        RpcException why = failureOf(answer);
        assertThat(why.code()).isEqualTo(Code.UNAVAILABLE);
        assertThat(why.outcome()).isEqualTo(RpcException.Outcome.UNKNOWN);
    }

    @Test
    void whatAServerHasNotTouchedIsKnown() throws Exception {
        FutureTask<byte[]> refused = call(channel(), bytes("ask"));
        server.accept();
        server.next(RawServer.DATA);
        server.write(RawServer.RST_STREAM, 0, 1, RawServer.number(7));
        assertThat(failureOf(refused).outcome()).isEqualTo(RpcException.Outcome.UNTOUCHED);
        FutureTask<byte[]> left = call(channel(), bytes("ask"));
        server.accept();
        server.next(RawServer.DATA);
        server.write(RawServer.GOAWAY, 0, 0, RawServer.number(0, 0));
        assertThat(failureOf(left).outcome()).isEqualTo(RpcException.Outcome.UNTOUCHED);
    }

    @Test
    void afterAFarewellTheNextCallGoesToANewConnection() throws Exception {
        Channel channel = channel();
        FutureTask<byte[]> first = call(channel, bytes("ask"));
        server.accept();
        server.next(RawServer.DATA);
        server.write(RawServer.GOAWAY, 0, 0, RawServer.number(1, 0));
        server.headers(1);
        server.message(1, bytes("last"));
        server.trailers(1, 0, "");
        assertThat(first.get()).isEqualTo(bytes("last"));
        FutureTask<byte[]> second = call(channel, bytes("again"));
        server.accept();
        assertThat(server.next(RawServer.DATA).id).isEqualTo(1);
        server.headers(1);
        server.message(1, bytes("new"));
        server.trailers(1, 0, "");
        assertThat(second.get()).isEqualTo(bytes("new"));
    }

    @Test
    void whoCannotBeReachedIsPassedOver() throws Exception {
        FutureTask<byte[]> answer = call(channel(List.of(nobody(), server.endpoint())), bytes("ask"));
        server.accept();
        server.next(RawServer.DATA);
        server.headers(1);
        server.message(1, bytes("here"));
        server.trailers(1, 0, "");
        assertThat(answer.get()).isEqualTo(bytes("here"));
    }

    /** Connections wait in its queue, and are never taken. */
    @Test
    void whoTakesConnectionsAndSaysNothingIsPassedOver() throws Exception {
        try (ServerSocket mute = new ServerSocket(0, 16, InetAddress.getLoopbackAddress())) {
            Endpoint silent = Endpoint.of("127.0.0.1:" + mute.getLocalPort());
            FutureTask<byte[]> answer = call(channel(List.of(silent, server.endpoint())), bytes("ask"));
            serveInTime();
            assertThat(answer.get()).isEqualTo(bytes("here"));

            assertThatThrownBy(() -> channel(List.of(silent)).begin(PATH, Map.of(),
                    Deadline.in(TimeUnit.MILLISECONDS.toNanos(200)))).isInstanceOfSatisfying(RpcException.class,
                            why -> {
                                assertThat(why.isLate()).isTrue();
                                assertThat(why.description()).contains("error reading server preface");
                            });
        }
    }

    /** A machine that is busy may greet too late, and is dialled once more. */
    private void serveInTime() throws IOException {
        while (true) {
            server.accept();
            try {
                server.next(RawServer.DATA);
                break;
            } catch (EOFException late) {
                assertThat(late).hasNoCause();
            }
        }
        server.headers(1);
        server.message(1, bytes("here"));
        server.trailers(1, 0, "");
    }

    /** A connection whose watchman asks soon, and gives a server so long to answer. */
    private Connection watched(long timeoutMillis) throws Exception {
        FutureTask<Connection> opening = meanwhile(() -> Connection.open(server.endpoint(), null,
                new Connection.Settings(TimeUnit.MILLISECONDS.toNanos(50), TimeUnit.MILLISECONDS.toNanos(timeoutMillis),
                        1 << 26),
                Deadline.NEVER));
        // Windows as large as they can be: nothing but the socket holds a message back.
        server.accept((byte) 0, (byte) 4, (byte) 0x7f, (byte) 0xff, (byte) 0xff, (byte) 0xff);
        server.write(RawServer.WINDOW_UPDATE, 0, 0, RawServer.number(Integer.MAX_VALUE - 65_535));
        return opening.get();
    }

    @Test
    void aServerThatGivesNoSignOfLifeIsGivenUp() throws Exception {
        Call call = watched(50).begin(PATH, Map.of(), Deadline.NEVER);
        call.send(bytes("ask"));
        assertThat(server.next(RawServer.PING).flags).isZero();
        assertThatThrownBy(call::receive).isInstanceOfSatisfying(RpcException.class, why -> {
            assertThat(why.code()).isEqualTo(Code.UNAVAILABLE);
            assertThat(why.outcome()).isEqualTo(RpcException.Outcome.UNKNOWN);
            assertThat(why.description()).contains("keepalive ping failed to receive ACK within timeout");
        });
    }

    @Test
    void aServerThatGivesSignsOfLifeIsNotGivenUp() throws Exception {
        Call call = watched(2_000).begin(PATH, Map.of(), Deadline.NEVER);
        call.send(bytes("ask"));
        long longer = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(2_500);
        while (System.nanoTime() < longer) {
            server.write(RawServer.PING, 1, 0, server.next(RawServer.PING).payload);
        }
        server.headers(1);
        server.message(1, bytes("late"));
        assertThat(call.receive()).isEqualTo(bytes("late"));
        call.close();
    }

    @Test
    void whoWritesToAServerThatTakesNothingIsFreed() throws Exception {
        Call call = watched(50).begin(PATH, Map.of(), Deadline.NEVER);
        assertThatThrownBy(() -> {
            call.sendLast(new byte[1 << 26]);
            call.receive();
        }).isInstanceOfSatisfying(RpcException.class,
                why -> assertThat(why.outcome()).isEqualTo(RpcException.Outcome.UNKNOWN));
    }

    @Test
    void theDeadlineEndsAWriteIntoASocketThatTakesNothing() throws Exception {
        FutureTask<Call> begun = meanwhile(
                () -> channel().begin(PATH, Map.of(), Deadline.in(TimeUnit.SECONDS.toNanos(2))));
        server.accept((byte) 0, (byte) 4, (byte) 0x7f, (byte) 0xff, (byte) 0xff, (byte) 0xff);
        server.write(RawServer.WINDOW_UPDATE, 0, 0, RawServer.number(Integer.MAX_VALUE - 65_535));
        Call call = begun.get();
        assertThatThrownBy(() -> call.sendLast(new byte[1 << 26])).isInstanceOfSatisfying(RpcException.class,
                why -> assertThat(why.isLate()).isTrue());
    }

    /** Callers whose time is up, callers who begin, and a reader that answers pings: none waits for another's lock. */
    @Test
    void callsThatEndAndCallsThatBeginDoNotWaitForOneAnother() throws Exception {
        Channel channel = channel();
        Call first = accepted(channel);
        List<FutureTask<Integer>> callers = new ArrayList<>();
        for (int i = 0; i < 4; i++) {
            callers.add(meanwhile(() -> {
                int late = 0;
                for (int n = 0; n < 200; n++) {
                    try {
                        Call call = channel.begin(PATH, Map.of(), Deadline.in(TimeUnit.MICROSECONDS.toNanos(300)));
                        call.sendLast(bytes("ask"));
                        call.receive();
                    } catch (RpcException why) {
                        late += why.isLate() ? 1 : 0;
                    }
                }
                return late;
            }));
        }
        FutureTask<Void> drain = meanwhile(() -> {
            while (true) {
                server.any();
            }
        });
        for (FutureTask<Integer> caller : callers) {
            assertThat(caller.get()).isEqualTo(200);
        }
        first.close();
        server.hangUp();
        assertThatThrownBy(drain::get).isInstanceOf(ExecutionException.class);
    }

    @Test
    void aSocketOfUnixIsAServerLikeAnyOther(@TempDir Path directory) throws Exception {
        Path path = directory.resolve("s");
        try (ServerSocketChannel mute = ServerSocketChannel.open(StandardProtocolFamily.UNIX)) {
            mute.bind(UnixDomainSocketAddress.of(path));
            assertThatThrownBy(() -> channel(List.of(Endpoint.of("unix:" + path))).begin(PATH, Map.of(),
                    Deadline.in(TimeUnit.MILLISECONDS.toNanos(200)))).hasMessageContaining("server preface");
        }
        Files.delete(path);
        assertThatThrownBy(() -> channel(List.of(Endpoint.of("unix:" + path))).begin(PATH, Map.of(),
                Deadline.in(TimeUnit.MILLISECONDS.toNanos(200)))).hasMessageContaining("dial unix " + path);
    }

    private static Endpoint nobody() throws IOException {
        try (ServerSocket free = new ServerSocket(0)) {
            return Endpoint.of("http://127.0.0.1:" + free.getLocalPort());
        }
    }

    @Test
    void whenNobodyCanBeReachedTheErrorSaysWhy() {
        assertThatThrownBy(() -> channel(List.of(nobody())).begin(PATH, Map.of(),
                Deadline.in(TimeUnit.MILLISECONDS.toNanos(200)))).isInstanceOfSatisfying(RpcException.class, why -> {
                    assertThat(why.isLate()).isTrue();
                    assertThat(why.description()).contains("connect: connection refused");
                });
    }

    @Test
    void aServerThatIsNoGrpcServerIsNamedAsSuch() throws Exception {
        FutureTask<byte[]> answer = call(channel(), bytes("ask"));
        server.accept();
        server.next(RawServer.DATA);
        server.write(RawServer.HEADERS, 5, 1, new HeaderWriter().known(13).named(31, "text/html").block());
        RpcException why = failureOf(answer);
        assertThat(why.code()).isEqualTo(Code.UNIMPLEMENTED);
        assertThat(why.description()).isEqualTo("unexpected HTTP status code received from server: 404");
    }

    @Test
    void aLengthAloneIsNotBelieved() throws Exception {
        FutureTask<byte[]> answer = call(channel(), bytes("ask"));
        server.accept();
        server.next(RawServer.DATA);
        server.headers(1);
        server.write(RawServer.DATA, 0, 1, (byte) 0, (byte) 0x7f, (byte) 0xff, (byte) 0xff, (byte) 0xff);
        assertThat(failureOf(answer).code()).isEqualTo(Code.RESOURCE_EXHAUSTED);
    }

    @Test
    void endpointsAreReadAsEtcdReadsThem() {
        assertThat(Endpoint.of("10.0.0.1:1")).isEqualTo(
                new Endpoint("10.0.0.1:1", "10.0.0.1:1", false, Endpoint.Security.AS_SET));
        assertThat(Endpoint.of("https://h:1/path").address()).isEqualTo("h:1");
        assertThat(Endpoint.of("https://h:1").security()).isEqualTo(Endpoint.Security.TLS);
        assertThat(Endpoint.of("http://h:1").isSecure(true)).isFalse();
        assertThat(Endpoint.of("h:1").isSecure(true)).isTrue();
        assertThat(Endpoint.of("unix:///tmp/s.sock").address()).isEqualTo("/tmp/s.sock");
        assertThat(Endpoint.of("unix://localhost:20000").address()).isEqualTo("localhost:20000");
        assertThat(Endpoint.of("unix:rel").authority()).isEqualTo("rel");
        assertThat(Endpoint.of("unixs://localhost:20000").serverName()).isEqualTo("localhost");
        assertThat(Endpoint.of("[::1]:1").serverName()).isEqualTo("::1");
        assertThat(Endpoint.of("h:1").serverName()).isEqualTo("h");
    }
}
