package dev.quoin.store;

import java.util.List;

import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

import dev.quoin.base.Bytes;

import static org.assertj.core.api.Assertions.assertThat;

class RequestCheckTest {
    private static Bytes b(String text) {
        return Bytes.utf8(text);
    }

    private static Op put(String key) {
        return new Op.Put(Command.Put.of(b(key), b("v")));
    }

    private static Op delete(String key) {
        return new Op.Delete(new Command.DeleteRange(KeyRange.single(b(key)), false));
    }

    private static Op delete(String key, String end) {
        return new Op.Delete(new Command.DeleteRange(new KeyRange(b(key), b(end)), false));
    }

    private static Op get(String key) {
        return new Op.Range(Query.get(b(key)));
    }

    private static Command.Txn then(Op... ops) {
        return new Command.Txn(List.of(), List.of(ops), List.of());
    }

    private static Op nested(List<Op> success, List<Op> failure) {
        return new Op.Txn(new Command.Txn(List.of(), success, failure));
    }

    private static @Nullable Refusal check(Command.Txn txn) {
        return RequestCheck.txn(txn, 128);
    }

    @Test
    void aKeyMustBeGivenEverywhere() {
        assertThat(RequestCheck.range(Query.get(b("")))).isEqualTo(Refusal.EMPTY_KEY);
        assertThat(RequestCheck.put(Command.Put.of(b(""), b("v")))).isEqualTo(Refusal.EMPTY_KEY);
        assertThat(RequestCheck.delete(new Command.DeleteRange(KeyRange.from(b("")), false)))
                .isEqualTo(Refusal.EMPTY_KEY);
        Compare compare = Compare.value(KeyRange.single(b("")), Compare.Result.EQUAL, b(""));
        assertThat(check(new Command.Txn(List.of(compare), List.of(), List.of()))).isEqualTo(Refusal.EMPTY_KEY);
        assertThat(check(then(put("")))).isEqualTo(Refusal.EMPTY_KEY);
        assertThat(check(then(delete("")))).isEqualTo(Refusal.EMPTY_KEY);
        assertThat(check(then(get("")))).isEqualTo(Refusal.EMPTY_KEY);
    }

    @Test
    void aSortOptionMustExist() {
        Query query = Query.get(b("a"));
        for (int number = 0; number <= 2; number++) {
            assertThat(RequestCheck.range(query.withSort(Query.Order.of(number), Query.Target.KEY))).isNull();
        }
        for (int number = 0; number <= 4; number++) {
            assertThat(RequestCheck.range(query.withSort(Query.Order.NONE, Query.Target.of(number)))).isNull();
        }
        assertThat(RequestCheck.range(query.withSort(Query.Order.of(3), Query.Target.KEY)))
                .isEqualTo(Refusal.INVALID_SORT_OPTION);
        assertThat(RequestCheck.range(query.withSort(Query.Order.NONE, Query.Target.of(-1))))
                .isEqualTo(Refusal.INVALID_SORT_OPTION);
    }

    @Test
    void aPutThatKeepsSomethingMustNotBringIt() {
        assertThat(RequestCheck.put(new Command.Put(b("a"), b("v"), 0, false, true, false)))
                .isEqualTo(Refusal.VALUE_PROVIDED);
        assertThat(RequestCheck.put(new Command.Put(b("a"), b(""), 7, false, false, true)))
                .isEqualTo(Refusal.LEASE_PROVIDED);
        assertThat(RequestCheck.put(new Command.Put(b("a"), b(""), 0, false, true, true))).isNull();
    }

    @Test
    void anEmptyStepIsAKeyNotFound() {
        assertThat(check(then(new Op.Unset()))).isEqualTo(Refusal.KEY_NOT_FOUND);
    }

    @Test
    void everyListCountsAgainstTheLimitAndAnInnerTransactionGetsWhatIsLeft() {
        List<Op> gets = List.of(get("a"), get("a"), get("a"));
        Command.Txn three = new Command.Txn(List.of(), List.of(), gets);
        assertThat(RequestCheck.txn(three, 3)).isNull();
        assertThat(RequestCheck.txn(three, 2)).isEqualTo(Refusal.TOO_MANY_OPS);
        Command.Txn outer = then(put("x"), new Op.Txn(three));
        assertThat(RequestCheck.txn(outer, 5)).isNull();
        assertThat(RequestCheck.txn(outer, 4)).isEqualTo(Refusal.TOO_MANY_OPS);
        Compare compare = Compare.value(KeyRange.single(b("a")), Compare.Result.EQUAL, b(""));
        Command.Txn compares = new Command.Txn(List.of(compare, compare), List.of(), List.of());
        assertThat(RequestCheck.txn(compares, 1)).isEqualTo(Refusal.TOO_MANY_OPS);
    }

    @Test
    void tooManyStepsIsSaidBeforeWhatIsWrongWithThemAndFormBeforeDuplicates() {
        assertThat(RequestCheck.txn(then(put(""), put("")), 1)).isEqualTo(Refusal.TOO_MANY_OPS);
        Command.Txn both = new Command.Txn(List.of(), List.of(put("a"), put("a")), List.of(put("")));
        assertThat(check(both)).isEqualTo(Refusal.EMPTY_KEY);
    }

    @Test
    void aKeyMustNotBeWrittenTwiceOnOneBranch() {
        assertThat(check(then(put("a"), put("a")))).isEqualTo(Refusal.DUPLICATE_KEY);
        assertThat(check(then(put("a"), delete("a")))).isEqualTo(Refusal.DUPLICATE_KEY);
        assertThat(check(then(delete("a", "c"), put("b")))).isEqualTo(Refusal.DUPLICATE_KEY);
        assertThat(check(new Command.Txn(List.of(), List.of(), List.of(put("a"), put("a")))))
                .isEqualTo(Refusal.DUPLICATE_KEY);
        assertThat(check(then(nested(List.of(put("a")), List.of()), put("a")))).isEqualTo(Refusal.DUPLICATE_KEY);
        assertThat(check(then(delete("a"), nested(List.of(), List.of(put("a")))))).isEqualTo(Refusal.DUPLICATE_KEY);
        assertThat(check(then(nested(List.of(put("a")), List.of()), nested(List.of(), List.of(put("a"))))))
                .isEqualTo(Refusal.DUPLICATE_KEY);
        assertThat(check(then(nested(List.of(delete("a")), List.of()), nested(List.of(put("a")), List.of()))))
                .isEqualTo(Refusal.DUPLICATE_KEY);
        assertThat(check(then(nested(List.of(), List.of(delete("a"))), put("a")))).isEqualTo(Refusal.DUPLICATE_KEY);
    }

    @Test
    void whatCannotMeetOrDoesNotWriteTwiceIsAllowed() {
        assertThat(check(new Command.Txn(List.of(), List.of(put("a")), List.of(put("a"))))).isNull();
        assertThat(check(then(delete("a"), delete("a"), delete("a", "c")))).isNull();
        assertThat(check(then(delete("a", "b"), put("b")))).isNull();
        assertThat(check(then(delete("b", "a"), put("a")))).isNull();
        assertThat(check(then(put("a"), get("a"), get("a")))).isNull();
        assertThat(check(then(nested(List.of(put("a")), List.of(put("a")))))).isNull();
        assertThat(check(then(nested(List.of(put("a")), List.of(delete("a")))))).isNull();
    }

    @Test
    void whatEtcdOverlooksIsAllowedToo() {
        // A put in an earlier inner transaction, and its deletion in a later one.
        assertThat(check(then(nested(List.of(put("a")), List.of()), nested(List.of(delete("a")), List.of())))).isNull();
        // A deletion without end.
        assertThat(check(then(delete("a", "\0"), put("b")))).isNull();
    }

    @Test
    void spansThatTouchBecomeOne() {
        Spans spans = new Spans();
        spans.add(new KeyRange(b("e"), b("g")));
        spans.add(new KeyRange(b("a"), b("c")));
        spans.add(new KeyRange(b("c"), b("d")));
        spans.add(KeyRange.single(b("x")));
        spans.add(new KeyRange(b("d"), b("f")));
        for (String inside : List.of("a", "b", "c", "d", "e", "f", "fz", "x")) {
            assertThat(spans.contains(b(inside))).as(inside).isTrue();
        }
        for (String outside : List.of("", "0", "g", "w", "x\0", "y")) {
            assertThat(spans.contains(b(outside))).as(outside).isFalse();
        }
        spans.add(KeyRange.from(b("y")));
        assertThat(spans.contains(b("z"))).isTrue();
        assertThat(spans.contains(b("x\0"))).isFalse();
    }
}
