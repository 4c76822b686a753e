package dev.quoin.net;

import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

import dev.quoin.base.Bytes;

import static org.assertj.core.api.Assertions.assertThat;

/** Bodies and answers on their way at the same time, over both versions; and how who serves them hears that the client went. */
@Timeout(60)
class ConversationTest {
    private static final int WINDOW_BYTES = 65_536;

    /**
     * Under /echo every piece is sent back as it comes; under /wait nothing is answered until the client goes; under /hold the
     * body is counted, once that is allowed.
     */
    private static final class Talker implements HttpHandler {
        final LinkedBlockingQueue<String> told = new LinkedBlockingQueue<>();
        final CountDownLatch mayRead = new CountDownLatch(1);

        @Override
        public HttpResponse handle(HttpRequest request) {
            return HttpResponse.text(404, "no");
        }

        @Override
        public boolean streams(String method, String path) {
            return true;
        }

        @Override
        public HttpResponse handleStreamed(HttpRequest head, HttpBody body) throws InterruptedException {
            return switch (head.path()) {
                case "/echo" -> HttpResponse.streamed(200, "text/plain", sink -> echo(body, sink));
                case "/wait" -> {
                    CountDownLatch gone = new CountDownLatch(1);
                    body.whenGone(gone::countDown);
                    told.add("waiting");
                    gone.await();
                    told.add("gone");
                    yield HttpResponse.text(499, "for nobody");
                }
                case "/hold" -> {
                    mayRead.await();
                    yield HttpResponse.text(200, "counted " + count(body));
                }
                case "/early" -> {
                    Thread.ofVirtual().start(() -> {
                        try {
                            body.awaitNext();
                        } catch (HttpBodyLost | InterruptedException lost) {
                            told.add(String.valueOf(lost.getMessage()));
                        }
                    });
                    yield HttpResponse.text(200, "early");
                }
                default -> HttpResponse.text(404, "no");
            };
        }

        private void echo(HttpBody body, HttpResponse.Sink sink) throws InterruptedException {
            try {
                for (Bytes piece = body.awaitNext(); piece != null; piece = body.awaitNext()) {
                    if (!sink.send(piece)) {
                        return;
                    }
                }
                told.add("all");
            } catch (HttpBodyLost lost) {
                told.add(String.valueOf(lost.getMessage()));
            }
        }

        private static long count(HttpBody body) throws InterruptedException {
            long count = 0;
            try {
                for (Bytes piece = body.next(); piece != null; piece = body.next()) {
                    count += piece.length();
                }
            } catch (HttpBodyLost lost) {
                return -1;
            }
            return count;
        }
    }

    private final Talker talker = new Talker();
    @SuppressWarnings("NullAway.Init")
    private NetServer server;

    @BeforeEach
    void start() throws IOException {
        server = NetServer.start(NetConfig.plain(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0),
                Router.of(), talker).withLimits(
                        NetLimits.defaults().change().httpBodyBytesMax(1_000)
                                .streamWindowBytes(WINDOW_BYTES).bodySilenceMillisMax(300).build()));
    }

    @AfterEach
    void stop() {
        server.close();
    }

    private String told() throws InterruptedException {
        return String.valueOf(talker.told.poll(20, TimeUnit.SECONDS));
    }

    // ---- HTTP/1.1

    private Socket open(String path, String more) throws IOException {
        Socket socket = new Socket(InetAddress.getLoopbackAddress(), server.port());
        socket.setSoTimeout(20_000);
        write(socket, "POST " + path + " HTTP/1.1\r\nHost: a\r\n" + more + "\r\n\r\n");
        return socket;
    }

    private static void write(Socket socket, String text) throws IOException {
        socket.getOutputStream().write(text.getBytes(StandardCharsets.US_ASCII));
    }

    private static String untilText(Socket socket, String end) throws IOException {
        StringBuilder read = new StringBuilder();
        while (read.indexOf(end) < 0) {
            int next = socket.getInputStream().read();
            if (next < 0) {
                return read + " (closed)";
            }
            read.append((char) next);
        }
        return read.toString();
    }

    @Test
    void oneAnswersTheOtherOverHttp11() throws Exception {
        try (Socket socket = open("/echo", "Transfer-Encoding: chunked")) {
            write(socket, "3\r\none\r\n");
            assertThat(untilText(socket, "one\r\n")).startsWith("HTTP/1.1 200").contains("chunked");
            TimeUnit.MILLISECONDS.sleep(500); // longer than a silence that a body may have that is waited for
            write(socket, "3\r\ntwo\r\n");
            assertThat(untilText(socket, "two\r\n")).endsWith("3\r\ntwo\r\n");
            write(socket, "0\r\n\r\n");
            assertThat(untilText(socket, "0\r\n\r\n")).endsWith("0\r\n\r\n");
        }
        assertThat(told()).isEqualTo("all");
    }

    /** Its body has been read to the end, so nothing is waited for but the answer. */
    @Test
    void aClientThatGoesIsNoticedOverHttp11() throws Exception {
        try (Socket socket = open("/wait", "Content-Length: 2")) {
            write(socket, "{}");
            assertThat(told()).isEqualTo("waiting");
            TimeUnit.MILLISECONDS.sleep(100);
            assertThat(talker.told).isEmpty();
        }
        assertThat(told()).isEqualTo("gone");
        try (Socket socket = open("/echo", "Transfer-Encoding: chunked")) {
            write(socket, "3\r\none\r\n");
            untilText(socket, "one\r\n");
        }
        assertThat(told()).isEqualTo("the connection was closed inside the body");
    }

    @Test
    void whoReadsABodyBehindTheAnswerIsToldOverHttp11() throws Exception {
        try (Socket socket = open("/early", "Transfer-Encoding: chunked")) {
            assertThat(untilText(socket, "early")).contains("Connection: close");
            assertThat(told()).isEqualTo("the request has been answered");
            assertThat(untilText(socket, "never")).endsWith("(closed)");
        }
    }

    // ---- HTTP/2

    private RawClient h2(String path) throws IOException {
        RawClient client = RawClient.open(new InetSocketAddress(InetAddress.getLoopbackAddress(), server.port()));
        request(client, 1, path);
        return client;
    }

    private static void request(RawClient client, int stream, String path) throws IOException {
        client.headers(stream, false, List.of(new String[]{":method", "POST"}, new String[]{":scheme", "http"},
                new String[]{":authority", "a"}, new String[]{":path", path}));
    }

    private static String data(RawClient client, int stream) throws IOException {
        RawClient.Frame frame = client
                .await(one -> one.type() == RawClient.DATA && one.stream() == stream && one.payload().length > 0);
        return new String(frame.payload(), StandardCharsets.US_ASCII);
    }

    @Test
    void oneAnswersTheOtherOverHttp2() throws Exception {
        try (RawClient client = h2("/echo")) {
            client.send(RawClient.DATA, 0, 1, Bytes.utf8("one").toByteArray());
            assertThat(data(client, 1)).isEqualTo("one");
            TimeUnit.MILLISECONDS.sleep(500);
            client.send(RawClient.DATA, 0, 1, Bytes.utf8("two").toByteArray());
            assertThat(data(client, 1)).isEqualTo("two");
            client.send(RawClient.DATA, RawClient.END_STREAM, 1);
            assertThat(client.await(frame -> frame.stream() == 1 && frame.ends()).isEnd()).isFalse();
        }
        assertThat(told()).isEqualTo("all");
    }

    @Test
    void aClientThatGoesIsNoticedOverHttp2() throws Exception {
        try (RawClient client = h2("/wait")) {
            client.send(RawClient.DATA, RawClient.END_STREAM, 1);
            assertThat(told()).isEqualTo("waiting");
            client.reset(1, 8);
            assertThat(told()).isEqualTo("gone");
            request(client, 3, "/wait");
            assertThat(told()).isEqualTo("waiting");
        }
        assertThat(told()).isEqualTo("gone");
    }

    @Test
    void whoReadsABodyBehindTheAnswerIsToldOverHttp2() throws Exception {
        try (RawClient client = h2("/early")) {
            assertThat(data(client, 1)).isEqualTo("early");
            assertThat(told()).isEqualTo("the request has been answered");
        }
    }

    /** The window is not given back before the body is read; then it is, so that all of it comes, larger than any gathered one. */
    @Test
    void aClientWaitsForWhoDoesNotReadOverHttp2() throws Exception {
        try (RawClient client = h2("/hold")) {
            byte[] frame = new byte[16_384];
            for (int number = 0; number < 3; number++) {
                client.send(RawClient.DATA, 0, 1, frame);
            }
            RawClient.Frame refill = client.poll(
                    one -> (one.type() == RawClient.WINDOW_UPDATE && one.stream() == 1) || one.isEnd(), 500);
            assertThat(refill).isNull();
            talker.mayRead.countDown();
            int window = 0;
            for (int sent = 0; sent < 4 * WINDOW_BYTES; sent += frame.length) {
                while (window < frame.length) {
                    RawClient.Frame update = client
                            .await(one -> one.type() == RawClient.WINDOW_UPDATE && one.stream() == 1);
                    assertThat(update.isEnd()).isFalse();
                    window += update.code();
                }
                client.send(RawClient.DATA, 0, 1, frame);
                window -= frame.length;
            }
            client.send(RawClient.DATA, RawClient.END_STREAM, 1, new byte[10]);
            assertThat(data(client, 1)).isEqualTo("counted " + (3 * frame.length + 4 * WINDOW_BYTES + 10));
        }
    }
}
