package dev.quoin.net;

import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;

import io.netty.channel.EventLoop;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.nio.NioIoHandler;
import org.junit.jupiter.api.Test;

import static org.assertj.core.api.Assertions.assertThat;

/** Timers of a wheel: each fires once, never early; a disarmed one never. */
class DeadlinesTest {
    @Test
    void armedTimersFireOnceAndDisarmedOnesNever() throws Exception {
        long seed = 20_261_125L;
        System.out.println("seed " + seed);
        Random random = new Random(seed);
        MultiThreadIoEventLoopGroup group = new MultiThreadIoEventLoopGroup(1, NioIoHandler.newFactory());
        List<String> wrong = new ArrayList<>();
        CountDownLatch fired = new CountDownLatch(500);
        try {
            EventLoop loop = group.next();
            loop.submit(() -> {
                Deadlines wheel = new Deadlines(loop);
                List<Deadlines.Timer> disarmed = new ArrayList<>();
                for (int i = 0; i < 1000; i++) {
                    boolean keep = i % 2 == 0;
                    long at = System.nanoTime() + random.nextInt(300) * 1_000_000L;
                    Deadlines.Timer timer = timer(at, keep, wrong, fired);
                    wheel.arm(timer, at);
                    if (!keep) {
                        disarmed.add(timer);
                    }
                }
                disarmed.forEach(wheel::disarm);
            }).sync();
            assertThat(fired.await(30, TimeUnit.SECONDS)).isTrue();
            loop.submit(() -> assertThat(wrong).isEmpty()).sync();
        } finally {
            group.shutdownGracefully(0, 1, TimeUnit.SECONDS).sync();
        }
    }

    private static Deadlines.Timer timer(long at, boolean keep, List<String> wrong, CountDownLatch fired) {
        return new Deadlines.Timer() {
            @Override
            void due() {
                if (!keep) {
                    wrong.add("a disarmed timer fired");
                }
                if (System.nanoTime() < at) {
                    wrong.add("a timer fired early");
                }
                fired.countDown();
            }
        };
    }
}
