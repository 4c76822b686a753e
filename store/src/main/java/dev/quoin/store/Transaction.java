package dev.quoin.store;

import java.util.ArrayList;
import java.util.List;
import java.util.function.Supplier;
import java.util.stream.Stream;

import org.jspecify.annotations.Nullable;

import dev.quoin.base.Bytes;
import dev.quoin.base.Invariant;

/**
 * The writes of one command. All of them share one revision, the one after {@code begin}, and are numbered in the order
 * they are made; reads in between see what has been written so far. If nothing is written there is no new revision.
 */
final class Transaction {
    private final KeyIndex index;
    private final Records records;
    private final Leases leases;
    private final long begin;
    /** Takes what is written, in order. */
    private final List<Change> changed;
    /** Whether somebody waits for what a step reads. If not, only writes and what they need are done. */
    private final boolean heard;
    private int changes;
    private int ranges;
    private int puts;
    private int deletes;
    private long putBytes;
    private @Nullable RuntimeException unreadable;

    /** @param changed every write is added to it, in order */
    Transaction(KeyIndex index, Records records, Leases leases, long begin, List<Change> changed, boolean heard) {
        this.index = index;
        this.records = records;
        this.leases = leases;
        this.begin = begin;
        this.changed = changed;
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
        Bytes prev = null;
        if (put.ignoreValue()) {
            prev = newest(history);
        } else if (put.prevKv() && heard) {
            List<Bytes> found = readForAnswer(() -> Stream.ofNullable(newest(history)).toList(), List.of());
            prev = found.isEmpty() ? null : found.getFirst();
        }
        Bytes value = put.ignoreValue() && prev != null ? KeyValues.decode(prev).value() : put.value();
        puts++;
        putBytes += (long) put.key().length() + value.length();
        long lease = put.ignoreLease() && history != null ? history.lease() : put.lease();
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
        long previous = history == null || create == main ? Change.NONE : Change.previous(history, main);
        changed.add(new Change(main, sub, false, key, payload, position, previous));
        if (history == null) {
            index.add(key, History.created(main, sub, position, lease));
        } else {
            index.replace(key, history.put(main, sub, position, lease));
        }
        attach(key, history == null ? 0 : history.lease(), lease);
    }

    private void attach(Bytes key, long before, long now) {
        if (before != 0 && before != now) {
            leases.detach(before, key);
        }
        if (now != 0) {
            leases.attach(now, index.own(key));
        }
    }

    Outcome.Deleted delete(Command.DeleteRange delete) {
        deletes++;
        List<Doomed> doomed = new ArrayList<>();
        index.scan(delete.range(), (key, history) -> {
            if (history.isLive()) {
                doomed.add(new Doomed(Bytes.of(key), history));
            }
            return true;
        });
        List<Bytes> prevs = List.of();
        if (delete.prevKv() && heard) {
            prevs = readForAnswer(
                    () -> doomed.stream().map(one -> records.read(one.history.position(one.history.newest()))).toList(),
                    prevs);
        }
        for (Doomed one : doomed) {
            bury(one);
        }
        return new Outcome.Deleted(revision(), doomed.size(), prevs);
    }

    private record Doomed(Bytes key, History history) {}

    /** Deletes all keys of a lease, in their order. */
    void revoke(long lease) {
        for (Bytes key : List.copyOf(leases.keys(lease))) {
            History history = index.find(key);
            if (history == null || history.lease() != lease) {
                throw Invariant.violation("the key %s is attached to lease %d by mistake", key, lease);
            }
            bury(new Doomed(key, history));
            deletes++;
        }
    }

    private void bury(Doomed doomed) {
        int sub = changes++;
        long main = begin + 1;
        long position = records.append(main, sub, Records.Kind.TOMBSTONE.number(), doomed.key);
        changed.add(
                new Change(main, sub, true, doomed.key, doomed.key, position, Change.previous(doomed.history, main)));
        index.replace(doomed.key, doomed.history.delete(main, sub, position));
        attach(doomed.key, doomed.history.lease(), 0);
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
        ranges++;
        Outcome.Ranged nothing = new Outcome.Ranged(revision(), List.of(), 0, false);
        return heard ? readForAnswer(() -> reading().range(query), nothing) : nothing;
    }

    /**
     * Reads what only the answer needs: what is written must not depend on whether this member can read it, since others
     * write the same. If it cannot, that is remembered instead.
     */
    private <T> T readForAnswer(Supplier<T> read, T otherwise) {
        try {
            return read.get();
        } catch (RuntimeException lost) {
            unreadable = lost;
            return otherwise;
        }
    }

    /** The outcome to be told: what was found, unless something of it could not be read. */
    Outcome told(Outcome outcome) {
        return unreadable == null ? outcome : new Outcome.Unreadable(revision(), unreadable);
    }

    Tally tally() {
        return new Tally(ranges, puts, deletes, ranges + puts + deletes > 1 ? 1 : 0, putBytes);
    }

    /** Whether nothing has been written. */
    boolean isUntouched() {
        return changes == 0;
    }
}
