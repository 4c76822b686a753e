package dev.quoin.store;

import java.util.List;
import java.util.stream.Collectors;

import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

import dev.quoin.base.Bytes;
import dev.quoin.base.Invariant;
import dev.quoin.store.KeyValues.KeyValue;
import dev.quoin.store.Query.Filter;
import dev.quoin.store.Query.Order;
import dev.quoin.store.Query.Target;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

/** One story for every rule about Range, Put, DeleteRange and Txn that a client can notice. */
class StoreTest {
    private static final long LEASE = 7;
    private static final KeyRange ALL = KeyRange.everything();

    private final MemoryRecords records = new MemoryRecords();
    private final Store store = new Store(records, 2);

    StoreTest() {
        store.restored();
        store.apply(new Command.LeaseGrant(LEASE, 60));
        // The stories count the records of keys.
        records.lines.clear();
    }

    private static Bytes b(String text) {
        return Bytes.utf8(text);
    }

    private static KeyRange range(String key, String end) {
        return new KeyRange(b(key), b(end));
    }

    private static Command.Put putOf(String key, String value) {
        return Command.Put.of(b(key), b(value));
    }

    private Outcome put(String key, String value) {
        return store.apply(putOf(key, value));
    }

    private Outcome putLeased(String key, String value, long lease) {
        return store.apply(new Command.Put(b(key), b(value), lease, false, false, false));
    }

    private static Command.DeleteRange deleteOf(String key, String end) {
        return new Command.DeleteRange(range(key, end), false);
    }

    private Outcome delete(String key) {
        return store.apply(deleteOf(key, ""));
    }

    private static Op step(Command.Put put) {
        return new Op.Put(put);
    }

    private static Op step(Command.DeleteRange delete) {
        return new Op.Delete(delete);
    }

    private static Op step(Query query) {
        return new Op.Range(query);
    }

    private static Op step(Command.Txn txn) {
        return new Op.Txn(txn);
    }

    private static Command.Txn then(Op... ops) {
        return new Command.Txn(List.of(), List.of(ops), List.of());
    }

    private static Outcome.Refused refused(Refusal reason) {
        return new Outcome.Refused(reason);
    }

    private Outcome ask(Query query) {
        store.publish();
        return store.view().range(query);
    }

    /** What a range answers, as text: each key with create, mod, version and value; count; and whether there is more. */
    private static String text(Outcome outcome) {
        Outcome.Ranged ranged = (Outcome.Ranged) outcome;
        String kvs = ranged.kvs().stream().map(StoreTest::text).collect(Collectors.joining(" "));
        return kvs + " #" + ranged.count() + (ranged.more() ? " more" : "");
    }

    private static String text(@Nullable Bytes encoded) {
        if (encoded == null) {
            return "nothing";
        }
        KeyValue kv = KeyValues.decode(encoded);
        String lease = kv.lease() == 0 ? "" : "/" + kv.lease();
        return "%s:%d.%d.%d=%s%s".formatted(kv.key().toUtf8(), kv.createRevision(), kv.modRevision(), kv.version(),
                kv.value().toUtf8(), lease);
    }

    private String get(Query query) {
        return text(ask(query));
    }

    private String keys(Query query) {
        return ((Outcome.Ranged) ask(query)).kvs().stream().map(kv -> KeyValues.decode(kv).key().toUtf8())
                .collect(Collectors.joining(" "));
    }

    // ---- revisions

    @Test
    void aFreshStoreIsAtRevisionOneAndItsFirstWriteAtTwo() {
        assertThat(store.view().revision()).isEqualTo(1);
        assertThat(store.view().compactedRevision()).isEqualTo(-1);
        assertThat(get(Query.of(ALL))).isEqualTo(" #0");
        assertThat(put("a", "1")).isEqualTo(new Outcome.Put(2, null));
        assertThat(get(Query.of(ALL))).isEqualTo("a:2.2.1=1 #1");
    }

    @Test
    void everyPutIsARevisionEvenOfTheSameValueAndADeletionStartsVersionsAgain() {
        put("a", "1");
        put("a", "1");
        assertThat(get(Query.get(b("a")))).isEqualTo("a:2.3.2=1 #1");
        delete("a");
        put("a", "2");
        assertThat(get(Query.get(b("a")))).isEqualTo("a:5.5.1=2 #1");
    }

    @Test
    void deletingNothingIsNoRevision() {
        put("a", "1");
        assertThat(delete("b")).isEqualTo(new Outcome.Deleted(2, 0, List.of()));
        assertThat(store.apply(deleteOf("b", "a"))).isEqualTo(new Outcome.Deleted(2, 0, List.of()));
        assertThat(delete("a")).isEqualTo(new Outcome.Deleted(3, 1, List.of()));
        assertThat(delete("a")).isEqualTo(new Outcome.Deleted(3, 0, List.of()));
        assertThat(store.apply(new Command.Nothing())).isEqualTo(new Outcome.Nothing(3));
    }

    // ---- range

    private void fruit() {
        put("b", "3");
        put("d", "1");
        put("a", "2");
        put("c", "4");
        put("b", "0");
    }

    @Test
    void theFourShapesOfARange() {
        fruit();
        assertThat(keys(Query.get(b("b")))).isEqualTo("b");
        assertThat(keys(Query.of(range("b", "d")))).isEqualTo("b c");
        assertThat(keys(Query.of(KeyRange.from(b("bb"))))).isEqualTo("c d");
        assertThat(keys(Query.of(ALL))).isEqualTo("a b c d");
    }

    @Test
    void aRangeThatEndsBeforeItStartsIsEmptyAndNoError() {
        fruit();
        assertThat(get(Query.of(range("c", "b")))).isEqualTo(" #0");
        assertThat(get(Query.of(range("c", "c")))).isEqualTo(" #0");
        assertThat(get(Query.of(range("c", "b")).withCountOnly())).isEqualTo(" #0");
    }

    @Test
    void aLimitCutsAndSaysMoreAndTheCountIsOfAll() {
        fruit();
        assertThat(get(Query.of(ALL).withLimit(2))).isEqualTo("a:4.4.1=2 b:2.6.2=0 #4 more");
        assertThat(get(Query.of(ALL).withLimit(4))).endsWith("d:3.3.1=1 #4");
        assertThat(get(Query.of(ALL).withLimit(-1))).endsWith("d:3.3.1=1 #4");
        assertThat(get(Query.of(ALL).withLimit(Long.MAX_VALUE))).endsWith("d:3.3.1=1 #4");
        assertThat(get(Query.of(ALL).withLimit(2).withRevision(5))).isEqualTo("a:4.4.1=2 b:2.2.1=3 #4 more");
    }

    @Test
    void countOnlyIgnoresLimitAndFilter() {
        fruit();
        Query query = Query.of(ALL).withCountOnly().withLimit(1).withFilter(new Filter(6, 0, 0, 0));
        assertThat(get(query)).isEqualTo(" #4");
        assertThat(get(query.withRevision(3))).isEqualTo(" #2");
    }

    @Test
    void filtersChangeWhatIsReturnedAndMoreButNotTheCount() {
        fruit();
        Query all = Query.of(ALL);
        assertThat(keys(all.withFilter(new Filter(4, 0, 0, 0)))).isEqualTo("a b c");
        assertThat(keys(all.withFilter(new Filter(0, 4, 0, 0)))).isEqualTo("a d");
        assertThat(keys(all.withFilter(new Filter(0, 0, 3, 0)))).isEqualTo("a c d");
        assertThat(keys(all.withFilter(new Filter(0, 0, 0, 3)))).isEqualTo("b d");
        assertThat(keys(all.withFilter(new Filter(0, -1, 0, 0)))).isEmpty();
        assertThat(get(all.withFilter(new Filter(0, 0, 0, 3)).withLimit(1))).isEqualTo("b:2.6.2=0 #4 more");
        assertThat(get(all.withFilter(new Filter(0, 0, 0, 3)).withLimit(2))).endsWith("#4");
        assertThat(get(Query.get(b("b")).withFilter(new Filter(9, 0, 0, 0)))).isEqualTo(" #1");
    }

    @Test
    void everySortTargetBothWays() {
        fruit();
        Query all = Query.of(ALL);
        assertThat(keys(all.withSort(Order.ASCEND, Target.KEY))).isEqualTo("a b c d");
        assertThat(keys(all.withSort(Order.DESCEND, Target.KEY))).isEqualTo("d c b a");
        assertThat(keys(all.withSort(Order.ASCEND, Target.VERSION))).isEqualTo("a c d b");
        assertThat(keys(all.withSort(Order.DESCEND, Target.VERSION))).startsWith("b");
        assertThat(keys(all.withSort(Order.ASCEND, Target.CREATE))).isEqualTo("b d a c");
        assertThat(keys(all.withSort(Order.DESCEND, Target.CREATE))).isEqualTo("c a d b");
        assertThat(keys(all.withSort(Order.ASCEND, Target.MOD))).isEqualTo("d a c b");
        assertThat(keys(all.withSort(Order.DESCEND, Target.MOD))).isEqualTo("b c a d");
        assertThat(keys(all.withSort(Order.ASCEND, Target.VALUE))).isEqualTo("b d a c");
        assertThat(keys(all.withSort(Order.DESCEND, Target.VALUE))).isEqualTo("c a d b");
    }

    @Test
    void withAnOrderTheWholeRangeIsSortedBeforeTheLimit() {
        fruit();
        assertThat(get(Query.of(ALL).withSort(Order.DESCEND, Target.MOD).withLimit(1)))
                .isEqualTo("b:2.6.2=0 #4 more");
        assertThat(get(Query.of(ALL).withSort(Order.ASCEND, Target.VALUE).withLimit(2)))
                .isEqualTo("b:2.6.2=0 d:3.3.1=1 #4 more");
    }

    @Test
    void withoutAnOrderTheLimitPicksByKeyAndTheSortArrangesThoseAndOneMore() {
        fruit();
        // Of a b c, the first three keys, the two oldest.
        assertThat(get(Query.of(ALL).withSort(Order.NONE, Target.CREATE).withLimit(2)))
                .isEqualTo("b:2.6.2=0 a:4.4.1=2 #4 more");
        // A filter makes etcd read the whole range after all.
        assertThat(get(Query.of(ALL).withSort(Order.NONE, Target.CREATE).withLimit(2).withFilter(
                new Filter(1, 0, 0, 0)))).isEqualTo("b:2.6.2=0 d:3.3.1=1 #4 more");
    }

    @Test
    void keysOnlyComesFromTheIndexWithoutValueAndLease() {
        putLeased("a", "1", LEASE);
        long reads = records.reads;
        assertThat(get(Query.of(ALL).withKeysOnly())).isEqualTo("a:2.2.1= #1");
        assertThat(get(Query.get(b("a")).withKeysOnly())).isEqualTo("a:2.2.1= #1");
        assertThat(records.reads).isEqualTo(reads);
        assertThat(get(Query.of(ALL))).isEqualTo("a:2.2.1=1/7 #1");
    }

    @Test
    void keysOnlySortedByValueReadsValuesAndLeavesTheLease() {
        putLeased("a", "2", LEASE);
        put("b", "1");
        assertThat(get(Query.of(ALL).withKeysOnly().withSort(Order.ASCEND, Target.VALUE)))
                .isEqualTo("b:3.3.1= a:2.2.1=/7 #2");
        assertThat(get(Query.get(b("a")).withKeysOnly().withSort(Order.NONE, Target.VALUE)))
                .isEqualTo("a:2.2.1=/7 #1");
    }

    @Test
    void anOldRevisionIsReadAsItWasAndTheHeaderIsOfNow() {
        fruit();
        delete("d");
        assertThat(get(Query.of(ALL).withRevision(3))).isEqualTo("b:2.2.1=3 d:3.3.1=1 #2");
        assertThat(((Outcome.Ranged) ask(Query.of(ALL).withRevision(3))).revision()).isEqualTo(7);
        assertThat(get(Query.get(b("d")).withRevision(6))).isEqualTo("d:3.3.1=1 #1");
        assertThat(get(Query.get(b("d")).withRevision(7))).isEqualTo(" #0");
        assertThat(get(Query.get(b("a")).withRevision(3))).isEqualTo(" #0");
        assertThat(get(Query.get(b("b")).withRevision(-5))).isEqualTo("b:2.6.2=0 #1");
    }

    @Test
    void revisionsBeyondTheNewestAndBeforeTheCompactedOneAreRefused() {
        fruit();
        assertThat(ask(Query.of(ALL).withRevision(7))).isEqualTo(refused(Refusal.FUTURE_REVISION));
        assertThat(store.apply(new Command.Compact(4, false))).isEqualTo(new Outcome.Compacted(6));
        assertThat(ask(Query.of(ALL).withRevision(3))).isEqualTo(refused(Refusal.COMPACTED));
        assertThat(ask(Query.get(b("a")).withRevision(3).withCountOnly())).isEqualTo(refused(Refusal.COMPACTED));
        assertThat(get(Query.of(ALL).withRevision(4))).isEqualTo("a:4.4.1=2 b:2.2.1=3 d:3.3.1=1 #3");
        assertThat(get(Query.get(b("a")).withRevision(0))).isEqualTo("a:4.4.1=2 #1");
    }

    @Test
    void aCompactionGoesForwardUpToTheNewestRevision() {
        assertThat(store.apply(new Command.Compact(0, false))).isEqualTo(new Outcome.Compacted(1));
        store.publish();
        assertThat(store.view().compaction()).as("its hash would pass for that of now")
                .isEqualTo(new Compaction(0, -1, false));
        assertThat(store.apply(new Command.Compact(0, false))).isEqualTo(refused(Refusal.COMPACTED));
        assertThat(store.apply(new Command.Compact(2, false))).isEqualTo(refused(Refusal.FUTURE_REVISION));
        assertThat(store.apply(new Command.Compact(1, false))).isEqualTo(new Outcome.Compacted(1));
    }

    // ---- put

    @Test
    void aPutAnswersWithWhatWasThereIfAsked() {
        Command.Put put = new Command.Put(b("a"), b("2"), 0, true, false, false);
        assertThat(store.apply(put)).isEqualTo(new Outcome.Put(2, null));
        assertThat(text(((Outcome.Put) store.apply(put)).prev())).isEqualTo("a:2.2.1=2");
        delete("a");
        assertThat(store.apply(put)).isEqualTo(new Outcome.Put(5, null));
    }

    @Test
    void aPutMayKeepTheValueOrTheLeaseOfAKeyThatExists() {
        putLeased("a", "1", LEASE);
        store.apply(new Command.Put(b("a"), b("2"), 0, false, false, true));
        assertThat(get(Query.get(b("a")))).isEqualTo("a:2.3.2=2/7 #1");
        store.apply(new Command.Put(b("a"), b(""), 0, false, true, false));
        assertThat(get(Query.get(b("a")))).isEqualTo("a:2.4.3=2 #1");
        assertThat(store.apply(new Command.Put(b("b"), b(""), 0, false, true, false)))
                .isEqualTo(refused(Refusal.KEY_NOT_FOUND));
        delete("a");
        assertThat(store.apply(new Command.Put(b("a"), b("1"), 0, false, false, true)))
                .isEqualTo(refused(Refusal.KEY_NOT_FOUND));
    }

    @Test
    void aPutWithoutLeaseDetaches() {
        putLeased("a", "1", LEASE);
        put("a", "1");
        assertThat(get(Query.get(b("a")))).isEqualTo("a:2.3.2=1 #1");
    }

    @Test
    void aLeaseMustExistAndIsAskedForBeforeTheKey() {
        assertThat(putLeased("a", "1", 8)).isEqualTo(refused(Refusal.LEASE_NOT_FOUND));
        assertThat(store.apply(new Command.Put(b("a"), b("1"), 8, false, true, false)))
                .isEqualTo(refused(Refusal.LEASE_NOT_FOUND));
        assertThat(get(Query.of(ALL))).isEqualTo(" #0");
        assertThat(store.view().revision()).isEqualTo(1);
    }

    // ---- delete

    @Test
    void aDeletionOfManyKeysIsOneRevisionNumberedInKeyOrder() {
        fruit();
        Outcome.Deleted deleted = (Outcome.Deleted) store.apply(new Command.DeleteRange(range("b", "\0"), true));
        assertThat(deleted.revision()).isEqualTo(7);
        assertThat(deleted.count()).isEqualTo(3);
        assertThat(deleted.prevs().stream().map(StoreTest::text)).containsExactly("b:2.6.2=0", "c:5.5.1=4",
                "d:3.3.1=1");
        int tombstone = Records.Kind.TOMBSTONE.number();
        assertThat(records.lines.subList(5, 8)).containsExactly(
                new MemoryRecords.Line(7, 0, tombstone, b("b")), new MemoryRecords.Line(7, 1, tombstone, b("c")),
                new MemoryRecords.Line(7, 2, tombstone, b("d")));
        assertThat(keys(Query.of(ALL))).isEqualTo("a");
        assertThat(store.view().keyCount()).isEqualTo(1);
    }

    // ---- txn

    private boolean holds(Compare... compares) {
        Command.Txn txn = new Command.Txn(List.of(compares), List.of(), List.of());
        return ((Outcome.Txned) store.apply(txn)).succeeded();
    }

    private boolean holds(String key, Compare.Target target, Compare.Result result, long number) {
        return holds(Compare.number(KeyRange.single(b(key)), target, result, number));
    }

    @Test
    void conditionsOnEveryTargetWithEveryResult() {
        put("a", "1");
        putLeased("a", "2", LEASE);
        assertThat(holds("a", Compare.Target.VERSION, Compare.Result.EQUAL, 2)).isTrue();
        assertThat(holds("a", Compare.Target.CREATE, Compare.Result.LESS, 3)).isTrue();
        assertThat(holds("a", Compare.Target.MOD, Compare.Result.GREATER, 3)).isFalse();
        assertThat(holds("a", Compare.Target.LEASE, Compare.Result.NOT_EQUAL, LEASE)).isFalse();
        assertThat(holds("a", Compare.Target.LEASE, Compare.Result.UNKNOWN, 0)).isTrue();
        assertThat(holds("a", Compare.Target.UNKNOWN, Compare.Result.EQUAL, 99)).isTrue();
        assertThat(holds("a", Compare.Target.UNKNOWN, Compare.Result.LESS, 99)).isFalse();
        assertThat(holds(Compare.value(KeyRange.single(b("a")), Compare.Result.EQUAL, b("2")))).isTrue();
        assertThat(holds(Compare.value(KeyRange.single(b("a")), Compare.Result.GREATER, b("10")))).isTrue();
    }

    @Test
    void aMissingKeyComparesAsZerosButItsValueNever() {
        put("a", "1");
        delete("a");
        for (String missing : List.of("a", "b")) {
            assertThat(holds(missing, Compare.Target.VERSION, Compare.Result.EQUAL, 0)).isTrue();
            assertThat(holds(missing, Compare.Target.CREATE, Compare.Result.GREATER, -1)).isTrue();
            assertThat(holds(missing, Compare.Target.LEASE, Compare.Result.EQUAL, 0)).isTrue();
            KeyRange key = KeyRange.single(b(missing));
            assertThat(holds(Compare.value(key, Compare.Result.EQUAL, b("")))).isFalse();
            assertThat(holds(Compare.value(key, Compare.Result.NOT_EQUAL, b("1")))).isFalse();
            assertThat(holds(Compare.value(key, Compare.Result.UNKNOWN, b("")))).isFalse();
        }
    }

    @Test
    void aConditionOnARangeMustHoldForAllKeysOfIt() {
        fruit();
        assertThat(holds(Compare.number(ALL, Compare.Target.VERSION, Compare.Result.GREATER, 0))).isTrue();
        assertThat(holds(Compare.number(ALL, Compare.Target.VERSION, Compare.Result.EQUAL, 1))).isFalse();
        assertThat(holds(Compare.number(range("c", "z"), Compare.Target.VERSION, Compare.Result.EQUAL, 1))).isTrue();
        assertThat(holds(Compare.number(range("x", "z"), Compare.Target.VERSION, Compare.Result.EQUAL, 0))).isTrue();
        assertThat(holds(Compare.value(range("x", "z"), Compare.Result.NOT_EQUAL, b("1")))).isFalse();
    }

    @Test
    void allWritesOfATransactionShareARevisionAndLaterStepsSeeEarlierOnes() {
        put("a", "1");
        Outcome.Txned txned = (Outcome.Txned) store.apply(then(step(Query.of(ALL)), step(putOf("b", "2")),
                step(deleteOf("a", "")), step(Query.of(ALL)), step(putOf("c", "3"))));
        assertThat(txned.revision()).isEqualTo(3);
        assertThat(txned.succeeded()).isTrue();
        assertThat(txned.responses().get(0)).extracting(one -> ((Outcome.Ranged) one).revision()).isEqualTo(2L);
        assertThat(text(txned.responses().get(0))).isEqualTo("a:2.2.1=1 #1");
        assertThat(txned.responses().get(1)).isEqualTo(new Outcome.Put(3, null));
        assertThat(txned.responses().get(2)).isEqualTo(new Outcome.Deleted(3, 1, List.of()));
        assertThat(txned.responses().get(3)).extracting(one -> ((Outcome.Ranged) one).revision()).isEqualTo(3L);
        assertThat(text(txned.responses().get(3))).isEqualTo("b:3.3.1=2 #1");
        assertThat(records.lines.subList(1, 4).stream().map(line -> line.main() + "." + line.sub()))
                .containsExactly("3.0", "3.1", "3.2");
    }

    @Test
    void aTransactionThatWritesNothingIsNoRevision() {
        put("a", "1");
        Outcome.Txned txned = (Outcome.Txned) store
                .apply(then(step(deleteOf("x", "")), step(Query.get(b("a"))), step(then())));
        assertThat(txned.revision()).isEqualTo(2);
        assertThat(txned.responses().get(0)).isEqualTo(new Outcome.Deleted(2, 0, List.of()));
        assertThat(txned.responses().get(2)).isEqualTo(new Outcome.Txned(0, true, List.of()));
    }

    @Test
    void innerConditionsAreDecidedBeforeAnythingIsWritten() {
        Compare absent = Compare.number(KeyRange.single(b("a")), Compare.Target.VERSION, Compare.Result.EQUAL, 0);
        Command.Txn inner = new Command.Txn(List.of(absent), List.of(step(putOf("b", "absent"))),
                List.of(step(putOf("b", "present"))));
        Outcome.Txned txned = (Outcome.Txned) store.apply(then(step(putOf("a", "1")), step(inner)));
        assertThat(txned.responses().get(1)).isEqualTo(new Outcome.Txned(0, true, List.of(new Outcome.Put(2, null))));
        assertThat(get(Query.get(b("b")))).isEqualTo("b:2.2.1=absent #1");
    }

    @Test
    void aKeyWrittenTwiceInALogEntryGetsTwoVersions() {
        store.apply(then(step(putOf("a", "1")), step(putOf("a", "2"))));
        assertThat(get(Query.get(b("a")))).isEqualTo("a:2.2.2=2 #1");
        store.apply(then(step(deleteOf("a", "")), step(putOf("a", "3"))));
        assertThat(get(Query.get(b("a")))).isEqualTo("a:3.3.1=3 #1");
        assertThat(get(Query.get(b("a")).withRevision(2))).isEqualTo("a:2.2.2=2 #1");
    }

    @Test
    void aStepThatCannotBeDoneRefusesTheWholeTransaction() {
        put("a", "1");
        Op write = step(putOf("b", "2"));
        assertThat(store.apply(then(write, step(new Command.Put(b("c"), b("1"), 8, false, false, false)))))
                .isEqualTo(refused(Refusal.LEASE_NOT_FOUND));
        assertThat(store.apply(then(write, step(new Command.Put(b("b"), b(""), 0, false, true, false)))))
                .isEqualTo(refused(Refusal.KEY_NOT_FOUND));
        assertThat(store.apply(then(write, step(Query.of(ALL).withRevision(3)))))
                .isEqualTo(refused(Refusal.FUTURE_REVISION));
        assertThat(store.apply(then(write, step(then(step(Query.of(ALL).withRevision(9)))))))
                .isEqualTo(refused(Refusal.FUTURE_REVISION));
        assertThat(store.apply(then(write, new Op.Unset()))).isEqualTo(refused(Refusal.KEY_NOT_FOUND));
        assertThat(get(Query.of(ALL))).isEqualTo("a:2.2.1=1 #1");
        assertThat(records.lines).hasSize(1);
        // On the branch that is not taken nothing is looked at.
        Command.Txn other = new Command.Txn(List.of(), List.of(write), List.of(new Op.Unset()));
        assertThat(store.apply(other)).isEqualTo(new Outcome.Txned(3, true, List.of(new Outcome.Put(3, null))));
    }

    @Test
    void aNegativeRevisionInATransactionIsTakenLiterally() {
        put("a", "1");
        assertThat(store.apply(then(step(Query.of(ALL).withRevision(-2))))).isEqualTo(refused(Refusal.COMPACTED));
        assertThat(store.apply(then(step(Query.of(ALL).withRevision(-1))))).isInstanceOf(Outcome.Txned.class);
        store.apply(new Command.Compact(2, false));
        assertThat(store.apply(then(step(Query.of(ALL).withRevision(-1))))).isEqualTo(refused(Refusal.COMPACTED));
        assertThat(store.apply(then(step(Query.of(ALL).withRevision(2))))).isInstanceOf(Outcome.Txned.class);
    }

    @Test
    void aPutThatKeepsWhatAStepBeforeItDeletedIsRefusedWhereEtcdCrashes() {
        put("a", "1");
        Command.Put keep = new Command.Put(b("a"), b(""), 0, false, true, false);
        assertThat(store.apply(then(step(deleteOf("a", "\0")), step(keep)))).isEqualTo(refused(Refusal.KEY_NOT_FOUND));
        assertThat(store.apply(then(step(keep), step(deleteOf("a", "\0"))))).isInstanceOf(Outcome.Txned.class);
        put("a", "1");
        assertThat(store.apply(then(step(deleteOf("a", "\0")), step(putOf("a", "2")), step(keep))))
                .isInstanceOf(Outcome.Txned.class);
        assertThat(get(Query.get(b("a")))).isEqualTo("a:5.5.2=2 #1");
    }

    @Test
    void aSortTargetThatDoesNotExistInALogEntryLeavesKeyOrder() {
        fruit();
        Query query = Query.of(ALL).withSort(Order.DESCEND, Target.UNKNOWN);
        Outcome.Txned txned = (Outcome.Txned) store.apply(then(step(query), step(putOf("e", "5"))));
        assertThat(text(txned.responses().get(0))).startsWith("a:4.4.1=2 b");
        assertThat(txned.revision()).isEqualTo(7);
    }

    @Test
    void onlyRangesMakeATransactionReadOnlyAndOnlySerializableOnesSerializable() {
        Query query = Query.of(ALL);
        assertThat(then().isReadOnly()).isTrue();
        assertThat(then().isSerializable()).isTrue();
        assertThat(then(step(query)).isReadOnly()).isTrue();
        assertThat(then(step(query)).isSerializable()).isFalse();
        assertThat(then(step(query.withSerializable())).isSerializable()).isTrue();
        assertThat(then(step(then())).isReadOnly()).isFalse();
        assertThat(new Command.Txn(List.of(), List.of(), List.of(step(putOf("a", "")))).isReadOnly()).isFalse();
        assertThat(new Command.Txn(List.of(), List.of(step(query.withSerializable())), List.of(step(query)))
                .isSerializable()).isFalse();
    }

    @Test
    void aViewAnswersReadOnlyTransactionsAndNoOthers() {
        put("a", "1");
        store.publish();
        Outcome.Txned txned = (Outcome.Txned) store.view().read(then(step(Query.of(ALL))));
        assertThat(txned.revision()).isEqualTo(2);
        assertThat(text(txned.responses().getFirst())).isEqualTo("a:2.2.1=1 #1");
        assertThat(store.view().read(then(step(Query.of(ALL).withRevision(3)))))
                .isEqualTo(refused(Refusal.FUTURE_REVISION));
        assertThatThrownBy(() -> store.view().read(then(step(putOf("a", "2")))))
                .isInstanceOf(Invariant.Violation.class);
    }

    // ---- views, listening, failing, recovery

    @Test
    void whatIsAppliedIsSeenWhenItIsPublished() {
        put("a", "1");
        assertThat(store.view().range(Query.of(ALL))).isEqualTo(new Outcome.Ranged(1, List.of(), 0, false));
        store.publish();
        View before = store.view();
        put("a", "2");
        delete("a");
        store.publish();
        assertThat(text(before.range(Query.of(ALL)))).isEqualTo("a:2.2.1=1 #1");
        assertThat(text(store.view().range(Query.of(ALL)))).isEqualTo(" #0");
    }

    @Test
    void whatNobodyHearsIsNotRead() {
        put("a", "1");
        long reads = records.reads;
        assertThat(store.applyUnheard(new Command.Put(b("a"), b("2"), 0, true, false, false)))
                .isEqualTo(new Outcome.Put(3, null));
        assertThat(store.applyUnheard(then(step(Query.of(ALL)), step(putOf("b", "1"))))).isInstanceOf(
                Outcome.Txned.class);
        assertThat(store.applyUnheard(new Command.DeleteRange(ALL, true)))
                .isEqualTo(new Outcome.Deleted(5, 2, List.of()));
        assertThat(records.reads).isEqualTo(reads);
        // Also unheard, a range at a revision that cannot be read refuses the transaction: members must agree.
        assertThat(store.applyUnheard(then(step(Query.of(ALL).withRevision(99)), step(putOf("b", "1")))))
                .isEqualTo(refused(Refusal.FUTURE_REVISION));
    }

    @Test
    void aLostRecordThatOnlyTheAnswerNeedsChangesNothingElse() {
        put("a", "1");
        records.broken = true;
        Outcome told = store.apply(then(step(putOf("b", "1")), step(Query.get(b("a")))));
        assertThat(told).isInstanceOfSatisfying(Outcome.Unreadable.class, lost -> {
            assertThat(lost.revision()).isEqualTo(3);
            assertThat(lost.reason()).isInstanceOf(IllegalStateException.class);
        });
        assertThat(store.apply(new Command.Put(b("a"), b("2"), 0, true, false, false)))
                .isInstanceOf(Outcome.Unreadable.class);
        records.broken = false;
        store.publish();
        assertThat(text(store.view().range(Query.of(ALL)))).isEqualTo("a:2.4.2=2 b:3.3.1=1 #2");
    }

    @Test
    void aCommandWhoseEffectDependsOnALostRecordDoesNothing() {
        put("a", "1");
        records.broken = true;
        assertThatThrownBy(() -> store.apply(new Command.Put(b("a"), b(""), 0, false, true, false)))
                .isInstanceOf(IllegalStateException.class);
        Op keeps = new Op.Put(new Command.Put(b("a"), b(""), 0, false, true, false));
        assertThatThrownBy(() -> store.apply(then(step(putOf("b", "1")), keeps)))
                .isInstanceOf(IllegalStateException.class);
        records.broken = false;
        assertThat(put("c", "1")).isEqualTo(new Outcome.Put(3, null));
        store.publish();
        assertThat(text(store.view().range(Query.of(ALL)))).isEqualTo("a:2.2.1=1 c:3.3.1=1 #2");
    }

    @Test
    void recordsThatACompactionGaveUpMayBeMissing() {
        Store rebuilt = new Store(records, 2);
        rebuilt.restore(0, 5, 0, 1, KeyValues.encode(b("a"), 2, 5, 3, b("v"), 0));
        rebuilt.restore(1, 6, 0, 2, b("b"));
        // Between 5 and 9 one put of a is gone, and b's whole second life.
        rebuilt.restore(2, 9, 0, 1, KeyValues.encode(b("a"), 2, 9, 5, b("w"), 0));
        rebuilt.restore(3, 9, 1, 2, b("b"));
        rebuilt.restored();
        assertThat(Dump.of(rebuilt.view().index())).containsExactly("\"a\" 9.0c2v5@2", "\"b\" 9.1t@3");
        assertThat(rebuilt.view().revision()).isEqualTo(9);
        assertThat(rebuilt.view().keyCount()).isEqualTo(1);
        assertThat(rebuilt.apply(putOf("b", "1"))).isEqualTo(new Outcome.Put(10, null));
    }

    @Test
    void aStoreIsRestoredOnceAndBeforeCommands() {
        Store fresh = new Store(records, 2);
        assertThatThrownBy(() -> fresh.apply(new Command.Nothing())).isInstanceOf(Invariant.Violation.class);
        assertThatThrownBy(() -> fresh.restore(0, 2, 0, 9, Bytes.EMPTY)).isInstanceOf(Invariant.Violation.class);
        assertThatThrownBy(store::restored).isInstanceOf(Invariant.Violation.class);
        assertThatThrownBy(() -> store.restore(0, 2, 0, 2, b("a"))).isInstanceOf(Invariant.Violation.class);
    }
}
