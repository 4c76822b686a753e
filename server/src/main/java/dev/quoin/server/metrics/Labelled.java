package dev.quoin.server.metrics;

import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.BiConsumer;
import java.util.function.Supplier;

/**
 * Counters or histograms of one name, by the values of their labels; each is there from when it is asked for first. Their
 * number is bounded, since a label may come from a client: what would be one too many is counted under {@value #OTHER}.
 * Any thread.
 */
public final class Labelled<T> {
    private static final int SERIES_MAX = 2_000;
    private static final String OTHER = "other";

    private final Supplier<T> maker;
    private final Map<List<String>, T> series = new ConcurrentHashMap<>();

    Labelled(Supplier<T> maker) {
        this.maker = maker;
    }

    /** Asked for once and kept, where it is counted often. */
    public T of(String... values) {
        List<String> key = List.of(values);
        T known = series.get(key);
        if (known != null) {
            return known;
        }
        return series.computeIfAbsent(
                series.size() < SERIES_MAX ? key : Arrays.stream(values).map(value -> OTHER).toList(),
                missing -> maker.get());
    }

    void forEach(BiConsumer<String[], T> visitor) {
        series.forEach((values, one) -> visitor.accept(values.toArray(String[]::new), one));
    }
}
