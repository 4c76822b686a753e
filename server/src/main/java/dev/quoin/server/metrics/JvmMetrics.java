package dev.quoin.server.metrics;

import java.lang.management.BufferPoolMXBean;
import java.lang.management.GarbageCollectorMXBean;
import java.lang.management.ManagementFactory;
import java.lang.management.MemoryUsage;
import java.util.List;

import dev.quoin.server.metrics.Family.Series;

/**
 * What the JVM says of itself, under the names of Prometheus' client for Java (jvm_*): they stand where a server written in
 * Go has go_*. Asked for when somebody asks, so that a start does not pay for it.
 */
final class JvmMetrics {
    private JvmMetrics() {}

    static void register(Registry registry) {
        registry.gauges("jvm_memory_used_bytes", "Used bytes of a given JVM memory area.", List.of("area"),
                series -> memory(series, Part.USED));
        registry.gauges("jvm_memory_committed_bytes", "Committed (bytes) of a given JVM memory area.", List.of("area"),
                series -> memory(series, Part.COMMITTED));
        registry.gauges("jvm_memory_max_bytes", "Max (bytes) of a given JVM memory area.", List.of("area"),
                series -> memory(series, Part.MAX));
        registry.gauges("jvm_buffer_pool_used_bytes", "Used bytes of a given JVM buffer pool.", List.of("pool"),
                JvmMetrics::buffers);
        registry.add(new Family("jvm_gc_collection_seconds", "Time spent in a given JVM garbage collector in seconds.",
                Family.Type.SUMMARY, List.of("gc"), JvmMetrics::collections));
        registry.gauge("jvm_threads_current", "Current thread count of a JVM",
                () -> ManagementFactory.getThreadMXBean().getThreadCount());
        registry.gauge("jvm_threads_peak", "Peak thread count of a JVM",
                () -> ManagementFactory.getThreadMXBean().getPeakThreadCount());
        registry.total("jvm_threads_started_total", "Started thread count of a JVM",
                () -> ManagementFactory.getThreadMXBean().getTotalStartedThreadCount());
        registry.gauge("jvm_classes_currently_loaded", "The number of classes that are currently loaded in the JVM",
                () -> ManagementFactory.getClassLoadingMXBean().getLoadedClassCount());
        registry.gauges("jvm_runtime_info", "JVM runtime info", List.of("runtime", "vendor", "version"),
                series -> series.add(1, System.getProperty("java.runtime.name", ""),
                        System.getProperty("java.vm.vendor", ""), System.getProperty("java.runtime.version", "")));
    }

    /** A figure of {@link MemoryUsage}. */
    private enum Part {
        USED,
        COMMITTED,
        MAX;

        double of(MemoryUsage usage) {
            return switch (this) {
                case USED -> usage.getUsed();
                case COMMITTED -> usage.getCommitted();
                case MAX -> usage.getMax();
            };
        }
    }

    private static void memory(Series series, Part part) {
        series.add(part.of(ManagementFactory.getMemoryMXBean().getHeapMemoryUsage()), "heap");
        series.add(part.of(ManagementFactory.getMemoryMXBean().getNonHeapMemoryUsage()), "nonheap");
    }

    private static void buffers(Series series) {
        for (BufferPoolMXBean pool : ManagementFactory.getPlatformMXBeans(BufferPoolMXBean.class)) {
            series.add((double) pool.getMemoryUsed(), pool.getName());
        }
    }

    private static void collections(Series series) {
        for (GarbageCollectorMXBean collector : ManagementFactory.getGarbageCollectorMXBeans()) {
            series.add(collector.getCollectionCount(), collector.getCollectionTime() / 1_000.0, collector.getName());
        }
    }
}
