package dev.quoin.store;

import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.NavigableMap;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;

import dev.quoin.base.Bytes;
import dev.quoin.base.Crc32c;

/** etcd's hash as etcd computes it: from a database of entries and an index of generations. */
final class NaiveHash {
    record Revision(long main, long sub) implements Comparable<Revision> {
        @Override
        public int compareTo(Revision other) {
            return main != other.main ? Long.compare(main, other.main) : Long.compare(sub, other.sub);
        }
    }

    private record Entry(boolean tombstone, Bytes value) {}

    private final NavigableMap<Revision, Entry> database = new TreeMap<>();
    /** Of every key all generations; each but the last ends with a deletion, and the last may be empty. */
    private final Map<Bytes, List<List<Revision>>> index = new TreeMap<>();

    void put(long main, long sub, Bytes key, Bytes keyValue) {
        database.put(new Revision(main, sub), new Entry(false, keyValue));
        generations(key).getLast().add(new Revision(main, sub));
    }

    void delete(long main, long sub, Bytes key, Bytes keyValue) {
        database.put(new Revision(main, sub), new Entry(true, keyValue));
        generations(key).getLast().add(new Revision(main, sub));
        generations(key).add(new ArrayList<>());
    }

    private List<List<Revision>> generations(Bytes key) {
        return index.computeIfAbsent(key, _ -> new ArrayList<>(List.of(new ArrayList<>())));
    }

    /** Leaves what the compaction leaves. */
    void compact(long at) {
        TreeSet<Revision> left = new TreeSet<>();
        for (List<List<Revision>> generations : index.values()) {
            int first = generation(generations, at);
            generations.subList(0, first).clear();
            List<Revision> generation = generations.getFirst();
            int kept = newest(generation, at);
            if (kept >= 0) {
                generation.subList(0, kept).clear();
            }
            generations.forEach(left::addAll);
        }
        // etcd deletes what is not available. That differs where a key was deleted and put again in the transaction at
        // the compaction: there etcd loses the put that its index points to, and crashes when it is read.
        database.keySet().removeIf(revision -> !left.contains(revision));
    }

    /** What {@link #compact} would call available. */
    Set<Revision> available(long at) {
        TreeSet<Revision> available = new TreeSet<>();
        for (List<List<Revision>> generations : index.values()) {
            List<Revision> generation = generations.get(generation(generations, at));
            int kept = newest(generation, at);
            if (kept >= 0) {
                available.add(generation.get(kept));
            }
        }
        return available;
    }

    Set<Revision> keep(long at) {
        TreeSet<Revision> keep = new TreeSet<>();
        for (List<List<Revision>> generations : index.values()) {
            int number = generation(generations, at);
            List<Revision> generation = generations.get(number);
            int kept = newest(generation, at);
            boolean isDeletion = kept == generation.size() - 1 && number != generations.size() - 1;
            if (kept >= 0 && !isDeletion) {
                keep.add(generation.get(kept));
            }
        }
        return keep;
    }

    private static int generation(List<List<Revision>> generations, long at) {
        int number = 0;
        while (number < generations.size() - 1 && generations.get(number).getLast().main < at) {
            number++;
        }
        return number;
    }

    private static int newest(List<Revision> generation, long at) {
        int newest = -1;
        for (int i = 0; i < generation.size(); i++) {
            newest = generation.get(i).main <= at ? i : newest;
        }
        return newest;
    }

    KeyHash hash(long revision, long compactRevision, Set<Revision> keep) {
        byte[] name = Bytes.utf8("key").toByteArray();
        int hash = Crc32c.of(name, 0, name.length);
        for (Map.Entry<Revision, Entry> one : database.entrySet()) {
            Revision at = one.getKey();
            boolean tombstone = one.getValue().tombstone;
            boolean dropped = at.main <= compactRevision && !keep.isEmpty() && !keep.contains(at);
            if (at.main > revision || dropped || (at.main == compactRevision && tombstone)) {
                continue;
            }
            String hex = "%016x5f%016x%s".formatted(at.main, at.sub, tombstone ? "74" : "");
            byte[] key = HexFormat.of().parseHex(hex);
            byte[] value = one.getValue().value.toByteArray();
            hash = Crc32c.update(Crc32c.update(hash, key, 0, key.length), value, 0, value.length);
        }
        return new KeyHash(hash, compactRevision, revision);
    }
}
