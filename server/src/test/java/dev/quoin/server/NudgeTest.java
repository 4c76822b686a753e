package dev.quoin.server;

import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;

import org.junit.jupiter.api.Test;

import static org.assertj.core.api.Assertions.assertThat;

class NudgeTest {
    @Test
    void oneThatIsGivenEarlyIsNotLostAndCountsOnce() throws Exception {
        Nudge nudge = new Nudge();
        nudge.give();
        nudge.give();
        nudge.await();
        CompletableFuture<Void> again = CompletableFuture.runAsync(() -> {
            try {
                nudge.await();
            } catch (InterruptedException stopped) {
                Thread.currentThread().interrupt();
            }
        });
        assertThat(again.isDone()).isFalse();
        nudge.give();
        again.get(20, TimeUnit.SECONDS);
    }
}
