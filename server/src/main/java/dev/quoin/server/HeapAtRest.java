package dev.quoin.server;

import java.lang.management.ManagementFactory;
import java.lang.management.MemoryPoolMXBean;
import java.lang.management.MemoryType;
import java.time.Duration;

import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Gives back what a busy time has left of the heap. The Serial collector makes the heap smaller in full collections alone, and a
 * member at rest has none; so one is asked for when the process has used next to no processor time for a while, the heap has
 * grown much since it was last made small, and what lives in it is so little that the pause is over before others would elect a leader.
 * Other collectors do this by themselves. Used by one thread.
 */
final class HeapAtRest {
    static final Duration LOOK = Duration.ofSeconds(5);
    /** How often it must have been found at rest, one time after the other: 20 s. */
    static final int LOOKS_AT_REST = 4;
    /** Of one processor, which a member that only keeps its cluster together stays below. */
    static final double BUSY_SHARE = 0.1;
    static final long GROWN_BYTES_MIN = 64L << 20;
    /** What lives is moved in the pause, a mebibyte in about a millisecond; what does not costs next to nothing. */
    private static final long LIVE_BYTES_PER_MILLI = 1 << 20;

    private static final Logger LOG = LoggerFactory.getLogger(HeapAtRest.class);

    /** What of a JVM counts here. */
    interface Jvm {
        /** Processor time of the whole process so far. */
        Duration cpu();

        /** What the heap has of the system's memory. */
        long heapBytes();

        /** At most so much lives in it. */
        long liveBytesMax();

        void collect();
    }

    private final Jvm jvm;
    private final long liveBytesMax;
    private Duration cpu;
    private long smallestBytes;
    private int looksAtRest;

    /** @param pauseMax longer than this nobody must wait, whatever lives: half of what makes others elect a leader */
    HeapAtRest(Jvm jvm, Duration pauseMax) {
        this.jvm = jvm;
        liveBytesMax = pauseMax.toMillis() * LIVE_BYTES_PER_MILLI;
        cpu = jvm.cpu();
        smallestBytes = jvm.heapBytes();
    }

    /** To be called each {@link #LOOK}. */
    void look() {
        Duration now = jvm.cpu();
        double share = (double) now.minus(cpu).toNanos() / LOOK.toNanos();
        cpu = now;
        looksAtRest = share < BUSY_SHARE ? looksAtRest + 1 : 0;
        long bytes = jvm.heapBytes();
        smallestBytes = Math.min(smallestBytes, bytes);
        if (looksAtRest < LOOKS_AT_REST || bytes - smallestBytes < GROWN_BYTES_MIN
                || jvm.liveBytesMax() > liveBytesMax) {
            return;
        }
        long begin = System.nanoTime();
        jvm.collect();
        looksAtRest = 0;
        smallestBytes = jvm.heapBytes(); // If that is no less, it lives, and is not asked for again.
        LOG.atDebug().addKeyValue("before-bytes", bytes).addKeyValue("after-bytes", smallestBytes)
                .addKeyValue("took", Duration.ofNanos(System.nanoTime() - begin))
                .log("made the heap smaller while at rest");
    }

    /** This process, with the Serial collector. */
    static final class Serial implements Jvm {
        /** Whether it has it, as the launcher says. */
        static boolean isUsed() {
            return System.getProperty("quoin.collector", "").equals("Serial");
        }

        @Override
        public Duration cpu() {
            return ProcessHandle.current().info().totalCpuDuration().orElse(Duration.ZERO);
        }

        @Override
        public long heapBytes() {
            return Runtime.getRuntime().totalMemory();
        }

        /** What the last full collection left, if there was one; else all that has not been collected. */
        @Override
        public long liveBytesMax() {
            long used = Runtime.getRuntime().totalMemory() - Runtime.getRuntime().freeMemory();
            for (MemoryPoolMXBean pool : ManagementFactory.getMemoryPoolMXBeans()) {
                if (pool.getType() == MemoryType.HEAP && pool.getName().equals("Tenured Gen")
                        && pool.getCollectionUsage().getUsed() > 0) {
                    used = Math.min(used, pool.getCollectionUsage().getUsed());
                }
            }
            return used;
        }

        @Override
        public void collect() {
            System.gc();
        }
    }
}
