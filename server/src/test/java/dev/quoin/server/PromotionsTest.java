package dev.quoin.server;

import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

import dev.quoin.member.MemberInfo;
import dev.quoin.member.Membership;
import dev.quoin.net.Dialler;
import dev.quoin.net.Metadata;
import dev.quoin.net.NetLimits;
import dev.quoin.net.Status.Code;
import dev.quoin.net.StatusException;
import dev.quoin.server.dial.PeerHttp;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

/** The leader is asked until it has decided, in etcd's form. */
class PromotionsTest {
    private record Answer(int status, String body) {}

    private final Deque<Answer> answers = new ArrayDeque<>();
    private final List<String> asked = new CopyOnWriteArrayList<>();
    private HttpServer leader;
    private Dialler dialler;

    @BeforeEach
    void open() throws IOException {
        leader = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        leader.createContext("/", this::answer);
        leader.start();
        dialler = new Dialler(NetLimits.defaults(), null);
    }

    @AfterEach
    void close() {
        dialler.close();
        leader.stop(0);
    }

    private void answer(HttpExchange exchange) throws IOException {
        asked.add(exchange.getRequestMethod() + " " + exchange.getRequestURI() + " "
                + exchange.getRequestHeaders().getFirst("Authorization"));
        Answer next = answers.size() > 1 ? answers.remove() : answers.element();
        byte[] body = next.body().getBytes(StandardCharsets.UTF_8);
        exchange.sendResponseHeaders(next.status(), body.length);
        exchange.getResponseBody().write(body);
        exchange.close();
    }

    private List<MemberInfo> ask(long leaderId, Metadata headers) throws Exception {
        Membership membership = Membership.of(List.of(new MemberInfo(7, "leader",
                List.of("http://127.0.0.1:" + leader.getAddress().getPort()), List.of(), false)));
        return new Promotions(() -> leaderId, () -> membership, new PeerHttp(dialler), new RealClock(),
                Duration.ofMillis(leaderId == 0 ? 200 : 5_000)).ask(0x8000_0000_0000_0001L, headers);
    }

    @Test
    void itIsAskedAgainUntilItHasDecided() throws Exception {
        answers.add(new Answer(500, "{\"message\":\"Internal Server Error\"}"));
        answers.add(new Answer(412, "something else\n"));
        answers.add(new Answer(200, "[{\"id\":9223372036854775809,\"peerURLs\":[\"http://l:1\"]}]\n"));
        assertThat(ask(7, Metadata.of("token", "t.1"))).containsExactly(
                new MemberInfo(0x8000_0000_0000_0001L, "", List.of("http://l:1"), List.of(), false));
        assertThat(asked).hasSize(3).containsOnly("POST /members/promote/9223372036854775809 t.1");
    }

    @Test
    void whatItRefusesIsRefused() {
        refuses(404, "membership: ID not found\n", Code.NOT_FOUND, "etcdserver: member not found");
        refuses(412, "membership: can only promote a learner member\n", Code.FAILED_PRECONDITION,
                "etcdserver: can only promote a learner member");
        refuses(412, "etcdserver: can only promote a learner member which is in sync with leader\n",
                Code.FAILED_PRECONDITION,
                "etcdserver: can only promote a learner member which is in sync with leader");
    }

    private void refuses(int status, String body, Code code, String text) {
        answers.clear();
        answers.add(new Answer(status, body));
        assertThatThrownBy(() -> ask(7, Metadata.EMPTY)).isInstanceOfSatisfying(StatusException.class,
                refused -> assertThat(refused.status()).isEqualTo(dev.quoin.net.Status.of(code, text)));
    }

    @Test
    void withoutALeaderTimeRunsOut() {
        assertThatThrownBy(() -> ask(0, Metadata.EMPTY)).isInstanceOfSatisfying(StatusException.class,
                refused -> assertThat(refused.status().message()).isEqualTo("etcdserver: request timed out"));
        assertThat(asked).isEmpty();
    }
}
