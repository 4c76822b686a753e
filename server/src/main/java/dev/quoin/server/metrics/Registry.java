package dev.quoin.server.metrics;

import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentSkipListMap;
import java.util.function.Consumer;
import java.util.function.DoubleSupplier;
import java.util.function.LongSupplier;

import dev.quoin.base.Invariant;
import dev.quoin.server.metrics.Family.Series;

/** All names there are, and the page that Prometheus reads. Any thread. */
public final class Registry {
    private static final List<String> NO_LABELS = List.of();

    private final Map<String, Family> families = new ConcurrentSkipListMap<>();

    // ---- what is counted where it happens

    Counter counter(String name, String help) {
        return counted(name, help, Family.Type.COUNTER);
    }

    /** A gauge that is counted up and down, or a counter that etcd calls a gauge. */
    Counter countedGauge(String name, String help) {
        return counted(name, help, Family.Type.GAUGE);
    }

    private Counter counted(String name, String help, Family.Type type) {
        Counter counter = new Counter();
        add(new Family(name, help, type, NO_LABELS, series -> series.add((double) counter.value())));
        return counter;
    }

    Labelled<Counter> counters(String name, String help, String... labels) {
        return countedSet(name, help, Family.Type.COUNTER, labels);
    }

    Labelled<Counter> countedGauges(String name, String help, String... labels) {
        return countedSet(name, help, Family.Type.GAUGE, labels);
    }

    private Labelled<Counter> countedSet(String name, String help, Family.Type type, String... labels) {
        Labelled<Counter> counters = new Labelled<>(Counter::new);
        add(new Family(name, help, type, List.of(labels),
                series -> counters.forEach((values, counter) -> series.add((double) counter.value(), values))));
        return counters;
    }

    Histogram histogram(String name, String help, Histogram.Unit unit, Buckets buckets) {
        Histogram histogram = new Histogram(buckets, unit);
        add(new Family(name, help, Family.Type.HISTOGRAM, NO_LABELS, series -> series.add(histogram)));
        return histogram;
    }

    Labelled<Histogram> histograms(String name, String help, Buckets buckets, String... labels) {
        Labelled<Histogram> histograms = new Labelled<>(() -> new Histogram(buckets, Histogram.Unit.NANOS_AS_SECONDS));
        add(new Family(name, help, Family.Type.HISTOGRAM, List.of(labels),
                series -> histograms.forEach((values, histogram) -> series.add(histogram, values))));
        return histograms;
    }

    // ---- what is read when somebody asks

    void gauge(String name, String help, DoubleSupplier value) {
        add(new Family(name, help, Family.Type.GAUGE, NO_LABELS, series -> series.add(value.getAsDouble())));
    }

    void gauges(String name, String help, List<String> labels, Consumer<Series> source) {
        add(new Family(name, help, Family.Type.GAUGE, labels, source));
    }

    /** One series that is 1, for the value of its label. */
    void fact(String name, String help, String label, String value) {
        gauges(name, help, List.of(label), series -> series.add(1, value));
    }

    void total(String name, String help, LongSupplier value) {
        add(new Family(name, help, Family.Type.COUNTER, NO_LABELS, series -> series.add((double) value.getAsLong())));
    }

    void add(Family family) {
        Family before = families.put(family.name(), family);
        Invariant.check(before == null, "two metrics are named %s", family.name());
    }

    /** In the text format of Prometheus, version 0.0.4. */
    public String page() {
        StringBuilder page = new StringBuilder(1 << 16);
        families.values().forEach(family -> family.writeTo(page));
        return page.toString();
    }
}
