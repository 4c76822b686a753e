package dev.quoin.net;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.URISyntaxException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;

import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;

import dev.quoin.base.Bytes;
import dev.quoin.base.Invariant;
import dev.quoin.net.DialEnd.Why;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

/** Calls to our own server, and to servers that do what no server should. */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class DiallerTest {
    private static final NetLimits LIMITS = NetLimits.defaults().change().headerListBytesMax(8_192)
            .dialConnectMillisMax(1_000).handshakeMillisMax(1_000).writeStallMillisMax(1_000).build();

    @SuppressWarnings("NullAway.Init")
    private NetServer server;
    @SuppressWarnings("NullAway.Init")
    private Dialler dialler;

    @BeforeAll
    void start() throws Exception {
        server = NetServer.start(NetConfig.plain(loopback(), TestService.router(), DiallerTest::serve)
                .withLimits(NetLimits.defaults().change().httpBodyBytesMax(32 << 20).build()));
        dialler = new Dialler(LIMITS, null);
    }

    @AfterAll
    void stop() {
        dialler.close();
        server.close();
    }

    private static InetSocketAddress loopback() {
        return new InetSocketAddress(InetAddress.getLoopbackAddress(), 0);
    }

    private static HttpResponse serve(HttpRequest request) {
        return switch (request.path()) {
            case "/length" -> HttpResponse.text(200, Integer.toString(request.body().length()));
            case "/echo" -> HttpResponse.of(201, "text/plain", request.body());
            case "/peer" -> HttpResponse.text(200, request.peer().tls() + " " + request.peer().commonName() + " "
                    + request.headers().first("host") + " " + request.headers().first("x-raft-to"));
            case "/endless" -> HttpResponse.streamed(200, "application/octet-stream", sink -> {
                Bytes piece = Bytes.of(new byte[64 * 1024]);
                while (sink.send(piece)) {
                    // Until the client is gone.
                }
            });
            default -> HttpResponse.text(404, "error sender not found\n");
        };
    }

    private static DialTarget target(int port) {
        return new DialTarget("localhost", port, false);
    }

    private static DialRequest get(String path) {
        return DialRequest.get(path, HttpFields.EMPTY, 1_000, 5_000);
    }

    private static DialRequest post(String path, DialRequest.Body body) {
        return DialRequest.post(path, HttpFields.of("content-type", "application/protobuf"), body, 1_000, 5_000);
    }

    private DialRecord ask(DialRequest request) {
        DialRecord record = new DialRecord();
        dialler.open(target(server.port()), request, record);
        return record;
    }

    // ---- our own server

    @Test
    void anAnswerIsToldWithStatusFieldsAndBody() throws Exception {
        DialRecord missing = ask(get("/x"));
        assertThat(missing.end()).isEqualTo(new DialEnd.Answered());
        assertThat(missing.status).isCompletedWithValue(404);
        assertThat(missing.text()).isEqualTo("error sender not found\n");
        assertThat(missing.field("content-type")).startsWith("text/plain");
        DialRecord peer = ask(DialRequest.get("/peer", HttpFields.of("x-raft-to", "a1"), 1_000, 5_000));
        assertThat(peer.end()).isEqualTo(new DialEnd.Answered());
        assertThat(peer.text()).isEqualTo("false null localhost:" + server.port() + " a1");
    }

    @Test
    void aBodyIsSentWholeOrStreamed() throws Exception {
        DialRecord whole = ask(post("/echo", new DialRequest.Body.Whole(Bytes.utf8("hello"))));
        assertThat(whole.end()).isEqualTo(new DialEnd.Answered());
        assertThat(whole.status).isCompletedWithValue(201);
        assertThat(whole.text()).isEqualTo("hello");
        assertThat(ask(post("/length", new DialRequest.Body.None())).end()).isEqualTo(new DialEnd.Answered());

        int pieces = 160;
        Bytes piece = Bytes.of(new byte[100_000]);
        DialRecord streamed = new DialRecord();
        DialCall call = dialler.open(target(server.port()),
                post("/length", new DialRequest.Body.Streamed((long) pieces * piece.length())), streamed);
        for (int i = 0; i < pieces; i++) {
            assertThat(call.send(piece)).isTrue();
        }
        assertThat(streamed.end()).isEqualTo(new DialEnd.Answered());
        assertThat(streamed.text()).isEqualTo("16000000");
        assertThatThrownBy(() -> call.send(piece)).isInstanceOf(Invariant.Violation.class);
    }

    @Test
    void anAnswerMayBeNoLongerThanAllowed() throws Exception {
        assertThat(ask(get("/endless")).why()).isEqualTo(Why.TOO_LARGE);
    }

    @Test
    void aStreamWhoseReaderPausesWaitsAndGoesOn() throws Exception {
        DialRecord record = new DialRecord() {
            @Override
            public synchronized void onBytes(DialCall call, Bytes piece) {
                super.onBytes(call, piece);
                if (received() > 1_000_000 && received() - piece.length() <= 1_000_000) {
                    call.pause();
                }
            }
        };
        DialCall call = dialler.open(target(server.port()),
                DialRequest.get("/endless", HttpFields.EMPTY, Long.MAX_VALUE, 300), record);
        int stood = -1;
        for (int i = 0; i < 100 && (stood < 1_000_000 || stood != record.received()); i++) {
            stood = record.received();
            TimeUnit.MILLISECONDS.sleep(50);
        }
        // Longer than the other may be silent: nobody listens, so that does not count.
        TimeUnit.MILLISECONDS.sleep(600);
        assertThat(record.received()).isEqualTo(stood).isBetween(1_000_000, 1_200_000);
        assertThat(record.isOver()).isFalse();
        call.resume();
        for (int i = 0; i < 200 && record.received() < 3_000_000; i++) {
            TimeUnit.MILLISECONDS.sleep(20);
        }
        assertThat(record.received()).isGreaterThan(3_000_000);
        call.cancel();
        assertThat(record.why()).isEqualTo(Why.CANCELLED);
    }

    // ---- servers that do what they like

    /** What a server does with one connection. */
    @FunctionalInterface
    private interface Script {
        void run(Socket socket, InputStream in, OutputStream out) throws Exception;
    }

    /** Serves one connection, then keeps it open until closed. */
    private static final class Scripted implements AutoCloseable {
        private final ServerSocket listener = new ServerSocket(0, 10, InetAddress.getLoopbackAddress());
        private final CountDownLatch closed = new CountDownLatch(1);

        Scripted(Script script) throws IOException {
            Thread.ofVirtual().start(() -> {
                try (Socket socket = listener.accept()) {
                    script.run(socket, socket.getInputStream(), socket.getOutputStream());
                    closed.await();
                } catch (Exception e) {
                    // The client went, as it should.
                }
            });
        }

        static Scripted saying(String text) throws IOException {
            return new Scripted((socket, in, out) -> {
                readHead(in);
                out.write(text.getBytes(StandardCharsets.US_ASCII));
            });
        }

        static void readHead(InputStream in) throws IOException {
            int last = 0;
            for (int b = in.read(); b >= 0; b = in.read()) {
                last = (last << 8) | b;
                if (last == 0x0d0a0d0a) {
                    return;
                }
            }
        }

        int port() {
            return listener.getLocalPort();
        }

        @Override
        public void close() throws IOException {
            closed.countDown();
            listener.close();
        }
    }

    private @Nullable Why why(Scripted scripted, long silenceMillis) throws Exception {
        try (scripted) {
            DialRecord record = new DialRecord();
            dialler.open(target(scripted.port()), DialRequest.get("/", HttpFields.EMPTY, 1_000, silenceMillis), record);
            return record.why();
        }
    }

    @Test
    void aKeptConnectionServesTheNextRequestUntilTheServerClosesIt() throws Exception {
        try (Scripted scripted = new Scripted((socket, in, out) -> {
            for (String more : List.of("", "", "Connection: close\r\n")) {
                Scripted.readHead(in);
                out.write(("HTTP/1.1 200 OK\r\n" + more + "Content-Length: 2\r\n\r\nhi")
                        .getBytes(StandardCharsets.US_ASCII));
            }
        })) {
            DialRequest request = DialRequest.get("/", HttpFields.EMPTY, 1_000, 1_000).keepingConnection();
            for (int i = 0; i < 3; i++) {
                DialRecord record = new DialRecord();
                dialler.open(target(scripted.port()), request, record);
                assertThat(record.end()).isEqualTo(new DialEnd.Answered());
                assertThat(record.text()).isEqualTo("hi");
            }
            DialRecord another = new DialRecord();
            dialler.open(target(scripted.port()), request, another);
            assertThat(another.why()).as("on a connection that nobody serves").isEqualTo(Why.SILENT);
        }
    }

    @Test
    void aHeadWithoutEndIsCutOff() throws Exception {
        assertThat(why(new Scripted((socket, in, out) -> {
            out.write("HTTP/1.1 200 OK\r\n".getBytes(StandardCharsets.US_ASCII));
            while (true) {
                out.write("X-More: of the same\r\n".getBytes(StandardCharsets.US_ASCII));
            }
        }), 5_000)).isEqualTo(Why.TOO_LARGE);
        // Slowly: the head as a whole has its time.
        assertThat(why(new Scripted((socket, in, out) -> {
            out.write("HTTP/1.1 200 OK\r\n".getBytes(StandardCharsets.US_ASCII));
            while (true) {
                out.write("X: y\r\n".getBytes(StandardCharsets.US_ASCII));
                TimeUnit.MILLISECONDS.sleep(50);
            }
        }), 400)).isEqualTo(Why.SILENT);
        assertThat(why(new Scripted((socket, in, out) -> {
            while (true) {
                out.write("HTTP/1.1 100 Continue\r\n\r\n".getBytes(StandardCharsets.US_ASCII));
                TimeUnit.MILLISECONDS.sleep(10);
            }
        }), 400)).isEqualTo(Why.SILENT);
    }

    @Test
    void whoDoesNotAnswerIsSilent() throws Exception {
        assertThat(why(Scripted.saying(""), 300)).isEqualTo(Why.SILENT);
        assertThat(why(Scripted.saying("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nab"), 300)).isEqualTo(Why.SILENT);
    }

    @Test
    void aBodyThatComesSlowlyIsTakenAsLongAsItComes() throws Exception {
        assertThat(why(new Scripted((socket, in, out) -> {
            Scripted.readHead(in);
            out.write("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n".getBytes(StandardCharsets.US_ASCII));
            for (int i = 0; i < 10; i++) {
                TimeUnit.MILLISECONDS.sleep(100);
                out.write('x');
            }
        }), 600)).isNull();
    }

    @Test
    void anAnswerThatIsCutIsNotAnAnswer() throws Exception {
        assertThat(why(new Scripted((socket, in, out) -> {
            Scripted.readHead(in);
            socket.setSoLinger(true, 0);
            socket.close();
        }), 5_000)).isEqualTo(Why.CUT);
        assertThat(why(new Scripted((socket, in, out) -> {
            Scripted.readHead(in);
            out.write("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nshort".getBytes(StandardCharsets.US_ASCII));
            socket.close();
        }), 5_000)).isEqualTo(Why.CUT);
        assertThat(why(new Scripted((socket, in, out) -> {
            Scripted.readHead(in);
            out.write("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n"
                    .getBytes(StandardCharsets.US_ASCII));
            socket.close();
        }), 5_000)).isEqualTo(Why.CUT);
    }

    @Test
    void whatIsNoAnswerIsMalformed() throws Exception {
        assertThat(why(Scripted.saying("SSH-2.0-OpenSSH_9.9\r\n\r\n"), 5_000)).isEqualTo(Why.MALFORMED);
        assertThat(why(Scripted.saying("HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab"), 5_000))
                .isEqualTo(Why.MALFORMED);
        assertThat(why(Scripted.saying("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n"), 5_000))
                .isEqualTo(Why.MALFORMED);
        assertThat(why(Scripted.saying("HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n"), 5_000))
                .isEqualTo(Why.MALFORMED);
    }

    @Test
    void aBodyLongerThanItsLengthIsCutToIt() throws Exception {
        try (Scripted scripted = Scripted.saying("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nabcdef")) {
            DialRecord record = new DialRecord();
            dialler.open(target(scripted.port()), get("/"), record);
            assertThat(record.end()).isEqualTo(new DialEnd.Answered());
            assertThat(record.text()).isEqualTo("ab");
        }
    }

    @Test
    void whoTakesNothingOfTheBodyIsGivenUp() throws Exception {
        try (Scripted scripted = new Scripted((socket, in, out) -> {})) {
            DialRecord record = new DialRecord();
            DialCall call = dialler.open(target(scripted.port()),
                    post("/", new DialRequest.Body.Streamed(1L << 30)), record);
            Bytes piece = Bytes.of(new byte[64 * 1024]);
            int sent = 0;
            while (call.send(piece)) {
                sent++;
            }
            assertThat(record.why()).isEqualTo(Why.WRITE_STALLED);
            assertThat((long) sent * piece.length()).isLessThan(16L << 20);
        }
    }

    @Test
    void anAnswerBeforeTheBodyHasBeenSentEndsTheSending() throws Exception {
        try (Scripted scripted = Scripted.saying("HTTP/1.1 412 Precondition Failed\r\nContent-Length: 0\r\n\r\n")) {
            DialRecord record = new DialRecord();
            DialCall call = dialler.open(target(scripted.port()),
                    post("/", new DialRequest.Body.Streamed(1L << 30)), record);
            Bytes piece = Bytes.of(new byte[64 * 1024]);
            while (call.send(piece)) {
                // Until it is over.
            }
            assertThat(record.end()).isEqualTo(new DialEnd.Answered());
            assertThat(record.status).isCompletedWithValue(412);
        }
    }

    @Test
    void whereNobodyListensThereIsNoConnection() throws Exception {
        int port;
        try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            port = socket.getLocalPort();
        }
        DialRecord record = new DialRecord();
        dialler.open(target(port), get("/"), record);
        assertThat(record.why()).isEqualTo(Why.REFUSED);
        DialRecord nameless = new DialRecord();
        dialler.open(new DialTarget("no-such-host.invalid", port, false), get("/"), nameless);
        assertThat(nameless.why()).isEqualTo(Why.CONNECT);
    }

    @Test
    void noMoreCallsThanAllowedAreAtWorkAndClosingEndsThem() throws Exception {
        DialRecord first = new DialRecord();
        DialRecord second = new DialRecord();
        Dialler small = new Dialler(LIMITS.change().dialsMax(1).build(), null);
        try (Scripted scripted = Scripted.saying("")) {
            small.open(target(scripted.port()), get("/"), first);
            small.open(target(scripted.port()), get("/"), second);
            assertThat(second.why()).isEqualTo(Why.TOO_MANY);
            small.close();
            assertThat(first.why()).isEqualTo(Why.CLOSED);
            assertThatThrownBy(() -> small.open(target(scripted.port()), get("/"), new DialRecord()))
                    .isInstanceOf(IllegalStateException.class);
        } finally {
            small.close();
        }
    }

    @Test
    void aHandlerThatThrowsHasItsCallCancelled() throws Exception {
        DialRecord record = new DialRecord() {
            @Override
            public void onHead(DialCall call, int answered, HttpFields headers) {
                throw new IllegalStateException("on purpose");
            }
        };
        dialler.open(target(server.port()), get("/peer"), record);
        assertThat(record.why()).isEqualTo(Why.CANCELLED);
    }

    @Test
    void aRequestCannotSmuggleAnother() {
        assertThatThrownBy(() -> get("/a HTTP/1.1\r\n\r\nGET /b")).isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> ask(DialRequest.get("/", HttpFields.of("x", "a\r\ny: b"), 1, 1)))
                .isInstanceOf(IllegalArgumentException.class);
    }

    // ---- TLS

    private static Path file(String name) throws URISyntaxException {
        return Path.of(java.util.Objects.requireNonNull(DiallerTest.class.getResource("/tls/" + name)).toURI());
    }

    private static NetServer tlsServer() throws Exception {
        InetSocketAddress address = loopback();
        return NetServer.start(NetConfig.plain(address, TestService.router(), DiallerTest::serve).withTls(
                new NetTls(file("server.pem"), file("server.key"), file("ca.pem")),
                List.of(new NetConfig.Listen(address, false, true))));
    }

    private static DialRecord askTls(DialTls tls, String host, int port) throws Exception {
        // A handshake that is to succeed may take its time on a busy machine.
        try (Dialler encrypted = new Dialler(NetLimits.defaults(), tls)) {
            DialRecord record = new DialRecord();
            encrypted.open(new DialTarget(host, port, true), get("/peer"), record);
            assertThat(record.end()).isNotNull();
            return record;
        }
    }

    @Test
    void bothSidesShowTheirCertificates() throws Exception {
        try (NetServer encrypted = tlsServer()) {
            int port = encrypted.port();
            DialTls ours = new DialTls(file("ca.pem"), file("client.pem"), file("client.key"), null);
            assertThat(askTls(ours, "localhost", port).text()).isEqualTo("true client localhost:" + port + " null");
            assertThat(askTls(ours, "127.0.0.1", port).text()).isEqualTo("true client 127.0.0.1:" + port + " null");
            DialTls otherName = new DialTls(file("ca.pem"), file("client.pem"), file("client.key"), "other.example");
            assertThat(askTls(otherName, "localhost", port).why()).isEqualTo(Why.HANDSHAKE);
            DialTls nobody = new DialTls(file("ca.pem"), null, null, null);
            assertThat(askTls(nobody, "localhost", port).why()).isIn(Why.HANDSHAKE, Why.CUT);
            DialTls stranger = new DialTls(file("client.pem"), file("client.pem"), file("client.key"), null);
            assertThat(askTls(stranger, "localhost", port).why()).isEqualTo(Why.HANDSHAKE);
        }
        assertThatThrownBy(() -> dialler.open(new DialTarget("localhost", 1, true), get("/"), new DialRecord()))
                .isInstanceOf(IllegalArgumentException.class);
    }

    @Test
    void aHandshakeThatDoesNotComeAlongIsGivenUp() throws Exception {
        try (Scripted scripted = new Scripted((socket, in, out) -> {})) {
            DialTls ours = new DialTls(file("ca.pem"), null, null, null);
            assertThat(askTls(ours, "localhost", scripted.port()).why()).isEqualTo(Why.HANDSHAKE);
        }
    }
}
