package dev.quoin.net;

import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.SocketTimeoutException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

import dev.quoin.base.Bytes;

import static org.assertj.core.api.Assertions.assertThat;

/** Bodies that are read as they arrive, on HTTP/1.1. */
class StreamedBodyTest {
    private static final int WINDOW_BYTES = 65_536;

    /** Counts what comes under /count, and takes each piece only as it may; refuses at once under /no. */
    private static final class Counter implements HttpHandler {
        final Semaphore mayTake = new Semaphore(1_000_000);
        final LinkedBlockingQueue<String> ends = new LinkedBlockingQueue<>();

        @Override
        public HttpResponse handle(HttpRequest request) {
            return HttpResponse.text(200, "gathered " + request.body().length());
        }

        @Override
        public boolean streams(String method, String path) {
            return path.equals("/count") || path.equals("/no");
        }

        @Override
        public HttpResponse handleStreamed(HttpRequest head, HttpBody body) throws InterruptedException {
            if (head.path().equals("/no")) {
                return HttpResponse.text(412, "no");
            }
            long count = 0;
            try {
                mayTake.acquire();
                for (Bytes piece = body.next(); piece != null; piece = body.next()) {
                    count += piece.length();
                    mayTake.acquire();
                }
            } catch (HttpBodyLost lost) {
                ends.add("lost after " + count);
                return HttpResponse.text(400, String.valueOf(lost.getMessage()));
            }
            ends.add("all " + count);
            return HttpResponse.text(200, "counted " + count);
        }
    }

    private final Counter counter = new Counter();
    @SuppressWarnings("NullAway.Init")
    private NetServer server;

    @BeforeEach
    void start() throws IOException {
        server = NetServer.start(NetConfig.plain(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0),
                Router.of(), counter).withLimits(
                        NetLimits.defaults().change().httpBodyBytesMax(1_000)
                                .streamWindowBytes(WINDOW_BYTES).bodySilenceMillisMax(1_500).build()));
    }

    @AfterEach
    void stop() {
        server.close();
    }

    private Socket open(String path, String more) throws IOException {
        Socket socket = new Socket(InetAddress.getLoopbackAddress(), server.port());
        socket.setSoTimeout(20_000);
        ask(socket, path, more);
        return socket;
    }

    private static void ask(Socket socket, String path, String more) throws IOException {
        socket.getOutputStream().write(("POST " + path + " HTTP/1.1\r\nHost: a\r\n" + more + "\r\n\r\n")
                .getBytes(StandardCharsets.US_ASCII));
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
    void largerThanAnyBodyThatIsGatheredAndTheConnectionGoesOn() throws Exception {
        try (Socket socket = open("/count", "Content-Length: 5000000")) {
            socket.getOutputStream().write(new byte[5_000_000]);
            assertThat(untilText(socket, "counted 5000000")).startsWith("HTTP/1.1 200").doesNotContain("close");
            ask(socket, "/count", "Transfer-Encoding: chunked");
            socket.getOutputStream().write("3\r\nabc\r\n4\r\ndefg\r\n0\r\n\r\n".getBytes(StandardCharsets.US_ASCII));
            assertThat(untilText(socket, "counted 7")).startsWith("HTTP/1.1 200");
            ask(socket, "/other", "Content-Length: 2");
            socket.getOutputStream().write(new byte[2]);
            assertThat(untilText(socket, "gathered 2")).startsWith("HTTP/1.1 200");
            ask(socket, "/count", "Content-Length: 0");
            assertThat(untilText(socket, "counted 0")).startsWith("HTTP/1.1 200");
        }
    }

    /** Who does not read keeps the client waiting: what is ahead is bounded, and all of it comes in the end. */
    @Test
    void aClientWaitsForWhoDoesNotRead() throws Exception {
        counter.mayTake.drainPermits();
        int total = 64 << 20;
        try (Socket socket = open("/count", "Content-Length: " + total)) {
            AtomicInteger written = new AtomicInteger();
            Thread writer = Thread.ofVirtual().start(() -> {
                try {
                    for (byte[] piece = new byte[WINDOW_BYTES]; written.get() < total;) {
                        socket.getOutputStream().write(piece);
                        written.addAndGet(piece.length);
                    }
                } catch (IOException closed) {
                    // The test has failed by then.
                }
            });
            TimeUnit.MILLISECONDS.sleep(2_000); // longer than a silence, which does not count while nobody reads
            assertThat(written.get()).isLessThan(total / 2);
            counter.mayTake.release(1_000_000);
            assertThat(untilText(socket, "counted " + total)).startsWith("HTTP/1.1 200");
            writer.join();
        }
    }

    @Test
    void aBodyThatBreaksOffIsLost() throws Exception {
        try (Socket socket = open("/count", "Content-Length: 1000")) {
            socket.getOutputStream().write(new byte[10]);
            TimeUnit.MILLISECONDS.sleep(100);
        }
        assertThat(counter.ends.poll(10, TimeUnit.SECONDS)).isEqualTo("lost after 10");
        try (Socket silent = open("/count", "Content-Length: 1000")) {
            silent.getOutputStream().write(new byte[20]);
            assertThat(untilText(silent, "never")).startsWith("HTTP/1.1 400").contains("Connection: close")
                    .endsWith("nothing came for 1500 ms (closed)");
        }
        assertThat(counter.ends.poll(10, TimeUnit.SECONDS)).isEqualTo("lost after 20");
        try (Socket garbled = open("/count", "Transfer-Encoding: chunked")) {
            garbled.getOutputStream().write("zz\r\n".getBytes(StandardCharsets.US_ASCII));
            assertThat(counter.ends.poll(10, TimeUnit.SECONDS)).isEqualTo("lost after 0");
        }
    }

    /** The client is still writing when it is refused: it comes to read the answer, and then the connection goes. */
    @Test
    void oneThatIsRefusedUnreadIsStillAnswered() throws Exception {
        try (Socket socket = open("/no", "Content-Length: 1000000")) {
            socket.getOutputStream().write(new byte[500_000]);
            TimeUnit.MILLISECONDS.sleep(100);
            socket.getOutputStream().write(new byte[500_000]);
            assertThat(untilText(socket, "never")).startsWith("HTTP/1.1 412").contains("Connection: close")
                    .endsWith("no (closed)");
        } catch (SocketTimeoutException late) {
            throw new AssertionError("it was kept open", late);
        }
    }

    /** A body that is answered, and one that is too large by what its head says: neither is read to its end. */
    @ParameterizedTest
    @CsvSource({"/no, 412", "/gathered, 413"})
    void nobodyReadsMuchOfABodyThatIsAnswered(String path, String status) throws Exception {
        int total = 256 << 20;
        try (Socket socket = open(path, "Content-Length: " + total)) {
            AtomicInteger written = new AtomicInteger();
            Thread writer = Thread.ofVirtual().start(() -> {
                try {
                    for (byte[] piece = new byte[WINDOW_BYTES]; written.get() < total;) {
                        socket.getOutputStream().write(piece);
                        written.addAndGet(piece.length);
                    }
                } catch (IOException closed) {
                    // As it should be: the count says how far it came.
                }
            });
            assertThat(untilText(socket, "never")).startsWith("HTTP/1.1 " + status).contains("Connection: close")
                    .endsWith(" (closed)");
            assertThat(writer.join(Duration.ofSeconds(10))).as("the writer was told").isTrue();
            // What two sockets hold of it, and no more.
            assertThat(written.get()).isLessThan(total / 4);
        }
    }
}
