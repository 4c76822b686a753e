package dev.quoin.sim;

import java.util.EnumMap;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Collectors;

/** What there was of everything, in one run or in all. */
final class Tally {
    private final Map<Fault, Long> faults = new EnumMap<>(Fault.class);
    private final Map<String, Long> others = new TreeMap<>();

    void count(Fault fault) {
        faults.merge(fault, 1L, Long::sum);
    }

    void count(String what) {
        others.merge(what, 1L, Long::sum);
    }

    void add(Tally other) {
        other.faults.forEach((fault, count) -> faults.merge(fault, count, Long::sum));
        other.others.forEach((what, count) -> others.merge(what, count, Long::sum));
    }

    long faultCount() {
        return faults.values().stream().mapToLong(Long::longValue).sum();
    }

    int faultKinds() {
        return faults.size();
    }

    long of(String what) {
        return others.getOrDefault(what, 0L);
    }

    String faultsText() {
        return faults.entrySet().stream().map(entry -> entry.getKey().label() + "=" + entry.getValue())
                .collect(Collectors.joining(" "));
    }

    String othersText() {
        return others.entrySet().stream().map(entry -> entry.getKey() + "=" + entry.getValue())
                .collect(Collectors.joining(" "));
    }
}
