package dev.quoin.store;

import java.util.ArrayList;
import java.util.List;
import java.util.Random;

import dev.quoin.base.Bytes;

/** Commands and questions at random, from so few keys that they collide all the time. */
final class Chance {
    private static final List<Bytes> KEYS = List.of(key(0), key(0, 0), key('a'), key('a', 0), key('a', 'a'),
            key('a', 'b'), key('b'), key('b', 0xff), key('c'), key(0x80), key(0xff), key(0xff, 0xff));
    private static final List<Query.Order> ORDERS = List.of(Query.Order.values());
    private static final List<Query.Target> TARGETS = List.of(Query.Target.values());
    private static final List<Compare.Target> COMPARE_TARGETS = List.of(Compare.Target.values());
    private static final List<Compare.Result> RESULTS = List.of(Compare.Result.values());

    private final Random random;
    private final boolean hasAlarms;

    Chance(long seed) {
        random = new Random(seed);
        hasAlarms = oneIn(6);
    }

    private static Bytes key(int... bytes) {
        byte[] array = new byte[bytes.length];
        for (int i = 0; i < bytes.length; i++) {
            array[i] = (byte) bytes[i];
        }
        return Bytes.of(array);
    }

    boolean oneIn(int n) {
        return random.nextInt(n) == 0;
    }

    int below(int n) {
        return random.nextInt(n);
    }

    private <T> T of(List<T> list) {
        return list.get(random.nextInt(list.size()));
    }

    Bytes key() {
        return of(KEYS);
    }

    /** Mostly a revision that exists or just misses. */
    private long revision(long current) {
        return oneIn(3) ? random.nextLong(-3, current + 3) : 0;
    }

    KeyRange range() {
        return switch (random.nextInt(6)) {
            case 0, 1 -> KeyRange.single(key());
            case 2 -> KeyRange.from(key());
            case 3 -> KeyRange.everything();
            default -> new KeyRange(key(), key());
        };
    }

    Query query(long current) {
        Query query = Query.of(range()).withRevision(revision(current));
        if (oneIn(2)) {
            query = query.withLimit(random.nextLong(-1, 6));
        }
        if (oneIn(2)) {
            query = query.withSort(of(ORDERS), of(TARGETS));
        }
        if (oneIn(4)) {
            query = query.withFilter(new Query.Filter(revision(current), revision(current), revision(current),
                    revision(current)));
        }
        query = oneIn(4) ? query.withKeysOnly() : query;
        return oneIn(8) ? query.withCountOnly() : query;
    }

    private Command.Put put() {
        long lease = oneIn(3) ? lease() : 0;
        return new Command.Put(key(), Bytes.utf8("v" + random.nextInt(5)), lease, oneIn(3), oneIn(6), oneIn(6));
    }

    /** Mostly one that is likely to be granted. */
    private long lease() {
        return oneIn(8) ? -5 : 7 + (oneIn(3) ? 1 : 0);
    }

    private Command leased() {
        return switch (random.nextInt(5)) {
            case 0, 1, 2 -> new Command.LeaseGrant(oneIn(10) ? 0 : lease(),
                    oneIn(10) ? random.nextLong() : random.nextLong(-1, 9));
            case 3 -> new Command.LeaseRevoke(lease());
            default -> new Command.LeaseCheckpoint(List.of(new Command.LeaseCheckpoint.Remaining(lease(), below(9)),
                    new Command.LeaseCheckpoint.Remaining(lease(), below(9))));
        };
    }

    /** More are taken back than raised, or nothing else would be done any more. */
    private Command.Alarm alarm() {
        Command.Alarm.Action action = switch (random.nextInt(9)) {
            case 0 -> Command.Alarm.Action.GET;
            case 1 -> Command.Alarm.Action.UNKNOWN;
            case 2, 3 -> Command.Alarm.Action.ACTIVATE;
            default -> Command.Alarm.Action.DEACTIVATE;
        };
        return new Command.Alarm(action, oneIn(6) ? -1 : 0, below(4));
    }

    private Command.DeleteRange delete() {
        return new Command.DeleteRange(oneIn(2) ? KeyRange.single(key()) : range(), oneIn(3));
    }

    private Compare compare(long current) {
        return new Compare(range(), of(COMPARE_TARGETS), of(RESULTS), random.nextLong(-1, oneIn(2) ? 3 : current + 1),
                Bytes.utf8(oneIn(4) ? "" : "v" + random.nextInt(5)));
    }

    Command.Txn txn(long current, int depth) {
        List<Compare> compares = new ArrayList<>();
        for (int i = random.nextInt(3); i > 0; i--) {
            compares.add(compare(current));
        }
        return new Command.Txn(compares, ops(current, depth), ops(current, depth));
    }

    private List<Op> ops(long current, int depth) {
        List<Op> ops = new ArrayList<>();
        for (int i = random.nextInt(5); i > 0; i--) {
            ops.add(op(current, depth));
        }
        return ops;
    }

    private Op op(long current, int depth) {
        return switch (random.nextInt(depth > 0 ? 9 : 6)) {
            case 0, 1 -> new Op.Put(put());
            case 2 -> new Op.Delete(delete());
            case 3, 4, 5 -> oneIn(60) ? new Op.Unset()
                    : new Op.Range(oneIn(3)
                            ? query(current)
                            : query(current).withRevision(0));
            default -> new Op.Txn(txn(current, depth - 1));
        };
    }

    Command.Txn readOnlyTxn(long current) {
        List<Op> success = new ArrayList<>();
        List<Op> failure = new ArrayList<>();
        for (int i = random.nextInt(3); i > 0; i--) {
            success.add(new Op.Range(query(current)));
            failure.add(new Op.Range(query(current)));
        }
        return new Command.Txn(List.of(compare(current)), success, failure);
    }

    Command command(long current) {
        if (hasAlarms && oneIn(5)) {
            return alarm();
        }
        return switch (random.nextInt(22)) {
            case 0 -> new Command.Nothing();
            case 1 -> new Command.Compact(random.nextLong(Math.max(1, current - 10), current + 2), oneIn(2));
            case 2, 3, 4, 5, 6, 7, 8 -> put();
            case 9, 10, 11 -> delete();
            case 12, 13, 14 -> leased();
            default -> txn(current, 3);
        };
    }
}
