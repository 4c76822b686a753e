package dev.quoin.store;

import org.junit.jupiter.api.Test;

import dev.quoin.base.Bytes;
import dev.quoin.store.KeyValues.KeyValue;

import static org.assertj.core.api.Assertions.assertThat;

class StoreTest {
    private final MemoryRecords records = new MemoryRecords();
    private final Store store = new Store(records, id -> id == 7);

    StoreTest() {
        store.restored();
    }

    private static Bytes b(String text) {
        return Bytes.utf8(text);
    }

    private Outcome put(String key, String value) {
        return store.apply(Command.Put.of(b(key), b(value)));
    }

    private Outcome ask(Query query) {
        store.publish();
        return store.view().range(query);
    }

    @Test
    void aFreshStoreIsAtRevisionOneAndItsFirstWriteAtTwo() {
        assertThat(store.view().revision()).isEqualTo(1);
        assertThat(store.view().compactedRevision()).isEqualTo(-1);
        assertThat(put("a", "1")).isEqualTo(new Outcome.Put(2, null));
        Outcome.Ranged ranged = (Outcome.Ranged) ask(Query.get(b("a")));
        assertThat(ranged.kvs().stream().map(KeyValues::decode))
                .containsExactly(new KeyValue(b("a"), 2, 2, 1, b("1"), 0));
    }
}
