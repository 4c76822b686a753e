package dev.quoin.store;

import java.util.List;
import java.util.Random;

import dev.quoin.base.Bytes;

/**
 * Measures what a key costs in memory and what puts, gets and counts cost in time, with a million keys. Not a test: run
 * {@code main}, optionally with the number of keys and how many puts go between two publishings. Records are not kept,
 * only counted, so that the figures are those of the index and the commands alone.
 */
final class Measure {
    private static final int KEY_LENGTH = 33;
    private static final int VALUE_LENGTH = 256;
    private static final byte[] PREFIX = Bytes.utf8("/registry/pods/namespaces/00000000").slice(0, KEY_LENGTH)
            .toByteArray();

    private final int keys;
    private final int batch;
    private final Random random = new Random(1);
    private final Bytes value = Bytes.of(new byte[VALUE_LENGTH]);
    private final Hollow hollow = new Hollow();
    private final Store store = new Store(hollow, 2);
    private long sink;

    private Measure(int keys, int batch) {
        this.keys = keys;
        this.batch = batch;
        store.restored();
    }

    /** Keeps no record. Whoever reads gets the last one. */
    private static final class Hollow implements Records {
        private long position;
        private Bytes last = Bytes.EMPTY;

        @Override
        public long append(long main, int sub, int kind, Bytes payload) {
            last = payload;
            return position++;
        }

        @Override
        public Bytes read(long at) {
            return last;
        }

        @Override
        public int length(long at) {
            return last.length();
        }
    }

    public static void main(String[] args) {
        int keys = args.length > 0 ? Integer.parseInt(args[0]) : 1_000_000;
        int batch = args.length > 1 ? Integer.parseInt(args[1]) : 100;
        new Measure(keys, batch).run();
    }

    private static Bytes key(long number) {
        byte[] key = PREFIX.clone();
        long rest = number;
        for (int at = KEY_LENGTH - 1; at >= KEY_LENGTH - 8; at--) {
            key[at] = (byte) ('0' + rest % 10);
            rest /= 10;
        }
        return Bytes.of(key);
    }

    /** Visits every number below {@code keys} once, in no order. */
    private long scattered(long i) {
        return i * 7_368_787L % keys;
    }

    private void run() {
        long before = used();
        time("first puts, scattered", keys, i -> put(scattered(i)));
        store.publish();
        long perKey = (used() - before) / keys;
        System.out.printf("heap per key, one version: %d bytes, %d without the %d of the key%n", perKey,
                perKey - KEY_LENGTH, KEY_LENGTH);
        for (int round = 0; round < 3; round++) {
            time("gets of random keys", 1_000_000, _ -> get());
        }
        time("counts of random ranges", 1_000_000, _ -> count());
        time("ranges of 10 keys", 200_000, _ -> list());
        for (int round = 0; round < 2; round++) {
            time("puts of random keys", 1_000_000, _ -> put(random.nextInt(keys)));
        }
        time("guarded updates of random keys", 500_000, this::update);
        store.publish();
        System.out.printf("heap per key after 2.5 million more revisions: %d bytes%n", (used() - before) / keys);
        time("puts of one key", 1_000_000, _ -> put(1));
        time("gets of that key at old revisions", 1_000_000, this::getOld);
        System.out.println("(" + sink + ")");
    }

    private interface Step {
        void at(long i);
    }

    private static void time(String what, int times, Step step) {
        long start = System.nanoTime();
        for (long i = 0; i < times; i++) {
            step.at(i);
        }
        System.out.printf("%-36s %8.0f ns%n", what, (System.nanoTime() - start) / (double) times);
    }

    private static long used() {
        for (int i = 0; i < 3; i++) {
            System.gc();
        }
        return Runtime.getRuntime().totalMemory() - Runtime.getRuntime().freeMemory();
    }

    private void published(long i) {
        if (i % batch == 0) {
            store.publish();
        }
    }

    private void put(long number) {
        Outcome outcome = store.apply(Command.Put.of(key(number), value));
        published(((Outcome.Put) outcome).revision());
    }

    private void update(long i) {
        KeyRange range = KeyRange.single(key(random.nextInt(keys)));
        Compare compare = Compare.number(range, Compare.Target.VERSION, Compare.Result.GREATER, 0);
        Command.Txn txn = new Command.Txn(List.of(compare),
                List.of(new Op.Put(Command.Put.of(range.key(), value))), List.of());
        sink += ((Outcome.Txned) store.apply(txn)).revision();
        published(i);
    }

    private void get() {
        Outcome.Ranged ranged = (Outcome.Ranged) store.view().range(Query.get(key(random.nextInt(keys))));
        sink += ranged.count();
    }

    private void getOld(long i) {
        Query query = Query.get(key(1)).withRevision(store.view().revision() - i % 900_000);
        sink += ((Outcome.Ranged) store.view().range(query)).count();
    }

    private void count() {
        Query query = Query.of(new KeyRange(key(random.nextInt(keys)), key(keys)));
        sink += ((Outcome.Ranged) store.view().range(query.withCountOnly())).count();
    }

    private void list() {
        Query query = Query.of(KeyRange.from(key(random.nextInt(keys)))).withLimit(10);
        sink += ((Outcome.Ranged) store.view().range(query)).kvs().size();
    }
}
