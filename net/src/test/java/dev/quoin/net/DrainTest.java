package dev.quoin.net;

import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;

import org.junit.jupiter.api.Test;

import dev.quoin.base.Bytes;

import static org.assertj.core.api.Assertions.assertThat;

/** The polite stop: two GOAWAYs, calls at work answered, what stays open cut when the grace is over. */
class DrainTest {
    private static final List<String[]> CALL = List.of(new String[]{":method", "POST"}, new String[]{":scheme", "http"},
            new String[]{":path", "/t.T/Slow"}, new String[]{":authority", "a"},
            new String[]{"content-type", "application/grpc"});
    private static final List<String[]> WATCH = List.of(new String[]{":method", "POST"},
            new String[]{":scheme", "http"},
            new String[]{":path", "/t.T/Watch"}, new String[]{":authority", "a"},
            new String[]{"content-type", "application/grpc"});

    private final CountDownLatch begun = new CountDownLatch(1);
    private final CountDownLatch release = new CountDownLatch(1);
    private final LinkedBlockingQueue<End> ends = new LinkedBlockingQueue<>();

    private NetServer start() throws Exception {
        Handler watch = new Handler() {
            @Override
            public void onMessage(Call call, Bytes message) {}

            @Override
            public void onEnd(Call call, End why) {
                ends.add(why);
            }
        };
        Router router = Router.of(Method.virtual("/t.T/Slow", (call, request) -> {
            begun.countDown();
            release.await();
            return Bytes.EMPTY;
        }), Method.stream("/t.T/Watch", Method.Kind.BIDI, watch));
        return NetServer.start(NetConfig.plain(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), router,
                TestService::http));
    }

    @Test
    void aCallAtWorkIsAnsweredBetweenTheTwoGoodbyes() throws Exception {
        NetServer server = start();
        try (RawClient client = RawClient
                .open(new InetSocketAddress(InetAddress.getLoopbackAddress(), server.port()))) {
            client.headers(1, false, CALL);
            client.send(RawClient.DATA, RawClient.END_STREAM, 1, RawClient.message(0));
            assertThat(begun.await(10, TimeUnit.SECONDS)).isTrue();
            Thread stop = Thread.startVirtualThread(() -> drain(server, Duration.ofSeconds(20)));
            RawClient.Frame first = client.await(f -> f.type() == RawClient.GOAWAY);
            assertThat(first.lastStream()).isEqualTo(Integer.MAX_VALUE);
            assertThat(first.debug()).isEqualTo("graceful_stop");
            RawClient.Frame second = client.await(f -> f.type() == RawClient.GOAWAY);
            assertThat(second.lastStream()).isEqualTo(1);
            release.countDown();
            assertThat(client.await(f -> f.stream() == 1 && f.ends()).field("grpc-status")).isEqualTo("0");
            assertThat(client.await(RawClient.Frame::isEnd).isEnd()).isTrue();
            assertThat(stop.join(Duration.ofSeconds(15))).isTrue();
        }
    }

    @Test
    void anOpenWatchIsCutWhenTheGraceIsOver() throws Exception {
        NetServer server = start();
        try (RawClient client = RawClient
                .open(new InetSocketAddress(InetAddress.getLoopbackAddress(), server.port()))) {
            client.headers(1, false, WATCH);
            client.ping(1);
            client.await(f -> f.type() == RawClient.PING);
            drain(server, Duration.ofMillis(200));
            assertThat(ends.poll(10, TimeUnit.SECONDS)).isEqualTo(End.DRAINED);
            assertThat(ends).isEmpty();
            assertThat(client.await(RawClient.Frame::isEnd).isEnd()).isTrue();
        }
    }

    private static void drain(NetServer server, Duration grace) {
        try {
            server.drain(grace);
        } catch (InterruptedException e) {
            throw new AssertionError(e);
        }
    }
}
