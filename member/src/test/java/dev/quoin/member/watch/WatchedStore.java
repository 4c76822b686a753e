package dev.quoin.member.watch;

import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;

import dev.quoin.base.Bytes;
import dev.quoin.store.Change;
import dev.quoin.store.Command;
import dev.quoin.store.CompactionWalk;
import dev.quoin.store.KeyRange;
import dev.quoin.store.Op;
import dev.quoin.store.Outcome;
import dev.quoin.store.Records;
import dev.quoin.store.Store;
import dev.quoin.store.View;

/** A store in memory that is watched, and, beside it, the list of all that has ever happened to it. */
final class WatchedStore {
    /** What happened once; {@code previous} is empty if the key did not exist before the revision. */
    record Happened(long revision, boolean isDeletion, String key, Bytes keyValue, Bytes previous) {}

    /** A record is asked for that a compaction has given up. */
    static final class Forgotten extends RuntimeException {
        private static final long serialVersionUID = 1L;

        Forgotten(long position) {
            super("record " + position + " was forgotten");
        }
    }

    /** Records in a list; those that were forgotten cannot be read any more. */
    static final class ListRecords implements Records {
        private final List<Bytes> payloads = new ArrayList<>();
        private final Set<Long> forgotten = new TreeSet<>();
        private long reads;

        @Override
        public synchronized long append(long main, int sub, int kind, Bytes payload) {
            payloads.add(payload.compact());
            return payloads.size() - 1L;
        }

        @Override
        public synchronized Bytes read(long position) {
            reads++;
            if (forgotten.contains(position)) {
                throw new Forgotten(position);
            }
            return payloads.get((int) position);
        }

        @Override
        public int length(long position) {
            return read(position).length();
        }

        synchronized void forget(long position) {
            forgotten.add(position);
        }

        synchronized long reads() {
            return reads;
        }
    }

    private ListRecords records = new ListRecords();
    private Store store = store(records);
    final Watches watches;
    final List<Happened> happened = new ArrayList<>();
    private final List<Command> log = new ArrayList<>();

    WatchedStore(WatchLimits limits) {
        watches = new Watches(limits, this::view, WatchMetrics.NONE);
    }

    private static Store store(Records records) {
        Store store = new Store(records, 1);
        store.restored();
        return store;
    }

    View view() {
        return store.view();
    }

    ListRecords records() {
        return records;
    }

    static Command put(String key, String value) {
        return new Command.Put(Bytes.utf8(key), Bytes.utf8(value), 0, false, false, false);
    }

    static Command delete(String key) {
        return new Command.DeleteRange(KeyRange.single(Bytes.utf8(key)), false);
    }

    static Command deletePrefix(String prefix) {
        return new Command.DeleteRange(prefix(prefix), false);
    }

    static KeyRange prefix(String prefix) {
        return prefix.isEmpty() ? KeyRange.everything()
                : new KeyRange(Bytes.utf8(prefix), Bytes.utf8(prefix.substring(0, prefix.length() - 1)
                        + (char) (prefix.charAt(prefix.length() - 1) + 1)));
    }

    static KeyRange key(String key) {
        return KeyRange.single(Bytes.utf8(key));
    }

    static Command txn(List<Command> steps) {
        List<Op> ops = new ArrayList<>();
        for (Command step : steps) {
            ops.add(step instanceof Command.Put put ? new Op.Put(put) : new Op.Delete((Command.DeleteRange) step));
        }
        return new Command.Txn(List.of(), ops, List.of());
    }

    /** Applies commands as one batch. */
    void apply(Command... commands) {
        apply(List.of(commands));
    }

    void apply(List<Command> commands) {
        for (Command command : commands) {
            store.apply(command);
            log.add(command);
        }
        List<Change> changes = store.publish();
        changes.forEach(this::note);
        watches.feed().append(changes, records);
    }

    /** As {@link #apply}, for so many that nobody compares them. */
    void applyUnnoted(List<Command> commands) {
        commands.forEach(store::apply);
        watches.feed().append(store.publish(), records);
    }

    private void note(Change change) {
        Bytes previous = Bytes.EMPTY;
        for (int at = happened.size() - 1; at >= 0; at--) {
            Happened before = happened.get(at);
            if (before.revision < change.main() && before.key.equals(change.key().toUtf8())) {
                previous = before.isDeletion ? Bytes.EMPTY : before.keyValue;
                break;
            }
        }
        happened.add(new Happened(change.main(), change.isDeletion(), change.key().toUtf8(),
                change.isDeletion() ? Bytes.EMPTY : change.payload().compact(), previous));
    }

    /** Compacts, and takes out and forgets whatever is given up. */
    void compact(long revision) {
        Command command = new Command.Compact(revision, false);
        Outcome outcome = store.apply(command);
        log.add(command);
        apply();
        if (outcome instanceof Outcome.Compacted) {
            CompactionWalk.Slice slice = new CompactionWalk(view(), revision).next(Integer.MAX_VALUE,
                    Integer.MAX_VALUE);
            store.compactKeys(slice);
            store.compactionFinished(revision);
            apply();
            for (long dead : slice.dead().toArray()) {
                records.forget(dead);
            }
        }
    }

    /** Puts another store in place of this one, which has got further meanwhile, as a leader's state does. */
    void install(List<Command> meanwhile) {
        long before = revision();
        records = new ListRecords();
        Store other = store(records);
        log.addAll(meanwhile);
        log.forEach(other::apply);
        List<Change> changes = other.publish();
        changes.stream().filter(change -> change.main() > before).forEach(this::note);
        store = other;
        watches.feed().reset(revision());
    }

    long revision() {
        return view().revision();
    }
}
