package dev.quoin.store;

import java.util.ArrayList;
import java.util.List;

import org.jspecify.annotations.Nullable;

import dev.quoin.base.Bytes;

/**
 * The writes of one command. All of them share one revision, the one after {@code begin}, and are numbered in the order
 * they are made; reads in between see what has been written so far. If nothing is written there is no new revision.
 */
final class Transaction {
    private final KeyIndex index;
    private final Records records;
    private final long begin;
    /** Whether somebody waits for what a step reads. If not, only writes and what they need are done. */
    private final boolean heard;
    private int changes;

    Transaction(KeyIndex index, Records records, long begin, boolean heard) {
        this.index = index;
        this.records = records;
        this.begin = begin;
        this.heard = heard;
    }

    /** The revision after what has been written so far. */
    long revision() {
        return changes == 0 ? begin : begin + 1;
    }

    private Reading reading() {
        return new Reading(index, records, revision());
    }

    /** Lease and, if value or lease are kept, key have been found to be there. */
    Outcome.Put put(Command.Put put) {
        History history = index.find(put.key());
        boolean keeps = put.ignoreValue() || put.ignoreLease();
        Bytes prev = keeps || (put.prevKv() && heard) ? newest(history) : null;
        Bytes value = put.value();
        long lease = put.lease();
        if (keeps && prev != null) {
            KeyValues.KeyValue kept = KeyValues.decode(prev);
            value = put.ignoreValue() ? kept.value() : value;
            lease = put.ignoreLease() ? kept.lease() : lease;
        }
        write(put.key(), history, value, lease);
        return new Outcome.Put(revision(), put.prevKv() && heard ? prev : null);
    }

    private @Nullable Bytes newest(@Nullable History history) {
        return history == null || !history.isLive() ? null : records.read(history.position(history.newest()));
    }

    private void write(Bytes key, @Nullable History history, Bytes value, long lease) {
        long main = begin + 1;
        long create = main;
        long version = 1;
        if (history != null && history.isLive()) {
            create = history.create(history.newest());
            version = history.version(history.newest()) + 1;
        }
        Bytes payload = KeyValues.encode(key, create, main, version, value, lease);
        int sub = changes++;
        long position = records.append(main, sub, Records.Kind.PUT.number(), payload);
        if (history == null) {
            index.add(key, History.created(main, sub, position));
        } else {
            index.replace(key, history.put(main, sub, position));
        }
    }

    Outcome.Deleted delete(Command.DeleteRange delete) {
        List<Doomed> doomed = new ArrayList<>();
        index.scan(delete.range(), (key, history) -> {
            if (history.isLive()) {
                doomed.add(new Doomed(Bytes.of(key), history));
            }
            return true;
        });
        List<Bytes> prevs = List.of();
        if (delete.prevKv() && heard) {
            prevs = doomed.stream().map(one -> records.read(one.history.position(one.history.newest()))).toList();
        }
        for (Doomed one : doomed) {
            bury(one);
        }
        return new Outcome.Deleted(revision(), doomed.size(), prevs);
    }

    private record Doomed(Bytes key, History history) {}

    private void bury(Doomed doomed) {
        int sub = changes++;
        long position = records.append(begin + 1, sub, Records.Kind.TOMBSTONE.number(), doomed.key);
        index.replace(doomed.key, doomed.history.delete(begin + 1, sub, position));
    }

    Outcome.Txned run(Decision decision) {
        List<Outcome> responses = steps(decision);
        return new Outcome.Txned(revision(), decision.succeeded(), responses);
    }

    private List<Outcome> steps(Decision decision) {
        List<Outcome> responses = new ArrayList<>(decision.ops().size());
        int next = 0;
        for (Op op : decision.ops()) {
            responses.add(switch (op) {
                case Op.Range(Query query) -> range(query);
                case Op.Put(Command.Put put) -> put(put);
                case Op.Delete(Command.DeleteRange delete) -> delete(delete);
                case Op.Txn inner -> inner(decision.inner().get(next++));
                case Op.Unset() -> new Outcome.Nothing(revision());
            });
        }
        return List.copyOf(responses);
    }

    private Outcome inner(Decision decision) {
        return new Outcome.Txned(0, decision.succeeded(), steps(decision));
    }

    private Outcome.Ranged range(Query query) {
        return heard ? reading().range(query) : new Outcome.Ranged(revision(), List.of(), 0, false);
    }
}
