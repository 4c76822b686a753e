package dev.quoin.server;

import java.time.Duration;

import org.junit.jupiter.api.Test;

import static org.assertj.core.api.Assertions.assertThat;

class HeapAtRestTest {
    private static final long MEBIBYTE = 1 << 20;

    /** A JVM that uses a share of a processor and whose heap is of some size; a collection leaves what lives. */
    private static final class Jvm implements HeapAtRest.Jvm {
        private double share;
        private long heapMebibytes = 48;
        private long liveMebibytes = 20;
        private Duration cpu = Duration.ZERO;
        private int collections;

        @Override
        public Duration cpu() {
            return cpu;
        }

        @Override
        public long heapBytes() {
            return heapMebibytes * MEBIBYTE;
        }

        @Override
        public long liveBytesMax() {
            return liveMebibytes * MEBIBYTE;
        }

        @Override
        public void collect() {
            collections++;
            heapMebibytes = Math.max(48, liveMebibytes);
        }

        void passes(HeapAtRest heap, int looks) {
            for (int i = 0; i < looks; i++) {
                cpu = cpu.plusNanos((long) (share * HeapAtRest.LOOK.toNanos()));
                heap.look();
            }
        }
    }

    private final Jvm jvm = new Jvm();
    private final HeapAtRest heap = new HeapAtRest(jvm, Duration.ofMillis(500));

    @Test
    void whatABusyTimeHasLeftIsGivenBackOnceAtRest() {
        jvm.heapMebibytes = 500;
        jvm.share = 0.5;
        jvm.passes(heap, 100);
        assertThat(jvm.collections).as("busy").isZero();
        jvm.share = 0.02;
        jvm.passes(heap, HeapAtRest.LOOKS_AT_REST - 1);
        jvm.share = 0.5;
        jvm.passes(heap, 1);
        jvm.share = 0.02;
        jvm.passes(heap, HeapAtRest.LOOKS_AT_REST - 1);
        assertThat(jvm.collections).as("not for long enough").isZero();
        jvm.passes(heap, 1);
        assertThat(jvm.collections).isOne();
        jvm.passes(heap, 1_000);
        assertThat(jvm.collections).as("there is nothing more to give back").isOne();
        jvm.heapMebibytes = 200;
        jvm.passes(heap, HeapAtRest.LOOKS_AT_REST);
        assertThat(jvm.collections).isEqualTo(2);
    }

    @Test
    void aHeapThatHasNotGrownMuchIsLeftAlone() {
        jvm.heapMebibytes += HeapAtRest.GROWN_BYTES_MIN / MEBIBYTE - 1;
        jvm.passes(heap, 1_000);
        assertThat(jvm.collections).isZero();
    }

    @Test
    void whatLivesIsNotCollectedAgainAndAgain() {
        jvm.heapMebibytes = 250;
        jvm.liveMebibytes = 250;
        jvm.passes(heap, 1_000);
        assertThat(jvm.collections).isOne();
    }

    /** A pause of an election's length would cost the cluster its leader. */
    @Test
    void nothingIsDoneWhereMuchLives() {
        jvm.heapMebibytes = 4_000;
        jvm.liveMebibytes = 501;
        jvm.passes(heap, 1_000);
        assertThat(jvm.collections).isZero();
    }

    @Test
    void thisProcessIsReadAsItIs() {
        HeapAtRest.Jvm own = new HeapAtRest.Serial();
        assertThat(own.cpu()).isPositive();
        assertThat(own.heapBytes()).isPositive();
        assertThat(own.liveBytesMax()).isPositive().isLessThanOrEqualTo(Runtime.getRuntime().totalMemory());
    }
}
