package dev.quoin.net;

import java.io.IOException;
import java.net.InetAddress;
import java.net.Socket;
import java.nio.charset.StandardCharsets;

import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;

import static org.assertj.core.api.Assertions.assertThat;

/** HTTP/1.1 on the same port, by hand: what is sent is text, what comes back until the server closes is text. */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class Http1Test {
    @SuppressWarnings("NullAway.Init")
    private NetServer server;

    @BeforeAll
    void start() throws Exception {
        server = NetServer.start(TestService.config(NetLimits.defaults().change().httpBodyBytesMax(1000).build()));
    }

    @AfterAll
    void stop() {
        server.close();
    }

    private String ask(String request) throws IOException {
        try (Socket socket = new Socket(InetAddress.getLoopbackAddress(), server.port())) {
            socket.setSoTimeout(10_000);
            socket.getOutputStream().write(request.getBytes(StandardCharsets.US_ASCII));
            return new String(socket.getInputStream().readAllBytes(), StandardCharsets.US_ASCII);
        }
    }

    private static final String LAST = "Connection: close\r\n\r\n";

    @Test
    void aRequestIsAnsweredWithItsBody() throws Exception {
        String answer = ask("POST /echo?x=1 HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n" + LAST + "hello");
        assertThat(answer).startsWith("HTTP/1.1 200 OK\r\n").contains("Content-Length: 5\r\n", "\r\nDate: ")
                .endsWith("\r\n\r\nhello");
    }

    @Test
    void pipelinedRequestsAreAnsweredInOrder() throws Exception {
        String one = "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\n";
        String answer = ask(one + "one" + one + "two" + "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n" + LAST
                + "three");
        assertThat(answer).containsSubsequence("one", "two", "three");
        assertThat(answer.split("HTTP/1.1 200 OK", -1)).hasSize(4);
    }

    @Test
    void aStreamedBodyIsChunked() throws Exception {
        assertThat(ask("GET /stream HTTP/1.1\r\nHost: a\r\n" + LAST))
                .contains("Transfer-Encoding: chunked", "8\r\npiece 0\n\r\n", "8\r\npiece 2\n\r\n0\r\n\r\n");
    }

    @Test
    void headHasNoBody() throws Exception {
        assertThat(ask("HEAD /none HTTP/1.1\r\nHost: a\r\n" + LAST)).startsWith("HTTP/1.1 404")
                .contains("Content-Length: 19").endsWith("\r\n\r\n");
    }

    @Test
    void anOfferToUpgradeIsIgnored() throws Exception {
        String offer = "Connection: Upgrade, HTTP2-Settings, close\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAAP__";
        assertThat(ask("GET /none HTTP/1.1\r\nHost: a\r\n" + offer + "\r\n\r\n")).startsWith("HTTP/1.1 404");
    }

    @Test
    void http10IsAnsweredAndClosed() throws Exception {
        assertThat(ask("GET /none HTTP/1.0\r\n\r\n")).contains(" 404 ");
    }

    @Test
    void continueIsSaidBeforeTheBody() throws Exception {
        try (Socket socket = new Socket(InetAddress.getLoopbackAddress(), server.port())) {
            socket.setSoTimeout(10_000);
            socket.getOutputStream()
                    .write(("POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\nExpect: 100-continue\r\n"
                            + LAST).getBytes(StandardCharsets.US_ASCII));
            String interim = new String(socket.getInputStream().readNBytes(25), StandardCharsets.US_ASCII);
            assertThat(interim).isEqualTo("HTTP/1.1 100 Continue\r\n\r\n");
            socket.getOutputStream().write("ok".getBytes(StandardCharsets.US_ASCII));
            assertThat(new String(socket.getInputStream().readAllBytes(), StandardCharsets.US_ASCII))
                    .startsWith("HTTP/1.1 200").endsWith("ok");
        }
    }

    @Test
    void whatIsTooLongIsNamed() throws Exception {
        assertThat(ask("GET /" + "a".repeat(20_000) + " HTTP/1.1\r\nHost: a\r\n\r\n")).startsWith("HTTP/1.1 414");
        assertThat(ask("GET / HTTP/1.1\r\nHost: a\r\nX: " + "a".repeat(70_000) + "\r\n\r\n"))
                .startsWith("HTTP/1.1 431");
        assertThat(ask("POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 1001\r\n\r\n")).startsWith("HTTP/1.1 413");
    }

    @Test
    void aRequestWithoutHostIsRefused() throws Exception {
        assertThat(ask("GET / HTTP/1.1\r\n\r\n")).startsWith("HTTP/1.1 400");
    }

    @Test
    void neitherProtocolIsClosedWithoutAWord() throws Exception {
        assertThat(ask("what is this\r\n\r\n")).isEmpty();
    }

    @Test
    void anExceptionSaysNothingAboutUs() throws Exception {
        assertThat(ask("GET /fault HTTP/1.1\r\nHost: a\r\n" + LAST)).startsWith("HTTP/1.1 500")
                .doesNotContain("secret");
    }
}
