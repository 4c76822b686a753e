package dev.quoin.disk.memory;

import java.util.ArrayList;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.random.RandomGenerator;

import org.jspecify.annotations.Nullable;

import dev.quoin.base.Invariant;

/** A directory in memory: the names now, the names that are durable, and the changes in between, in order. */
final class Directory implements Node {
    /** {@code node} now has the name {@code to} (nobody has, if null) and no longer the name {@code from}. */
    private record Change(@Nullable String from, @Nullable String to, @Nullable Node node) {}

    private final TreeMap<String, Node> now = new TreeMap<>();
    private final TreeMap<String, Node> durable = new TreeMap<>();
    private final List<Change> pending = new ArrayList<>();

    @Nullable
    Node get(String name) {
        return now.get(name);
    }

    List<String> names() {
        return List.copyOf(now.keySet());
    }

    void add(String name, Node node) {
        change(new Change(null, name, node));
    }

    void remove(String name) {
        change(new Change(name, null, null));
    }

    void rename(String from, String to) {
        change(new Change(from, to, now.get(from)));
    }

    void sync() {
        for (Change change : pending) {
            apply(durable, change);
        }
        pending.clear();
    }

    private void change(Change change) {
        apply(now, change);
        pending.add(change);
    }

    private static void apply(Map<String, Node> names, Change change) {
        if (change.from != null) {
            names.remove(change.from);
        }
        if (change.to != null && change.node != null) {
            names.put(change.to, change.node);
        }
    }

    @Override
    public Directory afterCrash(RandomGenerator random) {
        TreeMap<String, Node> survivors = new TreeMap<>(durable);
        for (Change change : pending.subList(0, random.nextInt(pending.size() + 1))) {
            apply(survivors, change);
        }
        Directory directory = new Directory();
        survivors.forEach((name, node) -> directory.add(name, node.afterCrash(random)));
        directory.sync();
        return directory;
    }

    /** For tests that fork a disk between operations. A node has one name at a time, so copies stay one as well. */
    @Override
    public Directory copy() {
        Directory copy = new Directory();
        IdentityHashMap<Node, Node> copies = new IdentityHashMap<>();
        durable.forEach((name, node) -> copy.add(name, copies.computeIfAbsent(node, Node::copy)));
        copy.sync();
        for (Change change : pending) {
            Node node = change.node == null ? null : copies.computeIfAbsent(change.node, Node::copy);
            copy.change(new Change(change.from, change.to, node));
        }
        Invariant.check(copy.now.keySet().equals(now.keySet()), "a copied directory differs");
        return copy;
    }
}
