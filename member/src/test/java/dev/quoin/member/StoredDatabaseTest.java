package dev.quoin.member;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;

import org.junit.jupiter.api.Test;

import dev.quoin.base.Bytes;
import dev.quoin.disk.Damaged;
import dev.quoin.disk.memory.FaultyDisk;
import dev.quoin.store.Command;
import dev.quoin.store.HashWalk;
import dev.quoin.store.KeyRange;
import dev.quoin.store.Outcome;
import dev.quoin.store.Query;
import dev.quoin.store.View;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

/** A database answers what the store answers that it was written from. */
class StoredDatabaseTest {
    private static final Path FILE = Path.of("/backup.db");

    private final FaultyDisk disk = new FaultyDisk(new Random(4));
    private final StoreByHand store = new StoreByHand(disk, Path.of("/before"), StoreByHand.MEMBERS);

    private static List<Object> answers(View view) {
        List<Object> answers = new ArrayList<>();
        for (long revision = Math.max(1, view.compactedRevision()); revision <= view.revision(); revision++) {
            Outcome.Ranged ranged = (Outcome.Ranged) view.range(Query.of(KeyRange.everything()).withRevision(revision));
            answers.add(ranged.kvs());
            answers.add(((HashWalk) view.hash(revision)).run());
        }
        answers.add(view.keyCount());
        answers.add(view.revision());
        answers.add(view.compactedRevision());
        return answers;
    }

    private void change() {
        store.apply(new Command.LeaseGrant(77, 60));
        store.put("leased", "v", 77);
        store.change(new Random(9), 80);
    }

    @Test
    void everyRevisionIsAnsweredAlike() {
        change();
        store.compact(40, true);
        store.change(new Random(10), 20);
        disk.put(FILE, store.bytes());
        try (StoredDatabase database = StoredDatabase.open(disk, FILE, true)) {
            assertThat(answers(database.view())).isEqualTo(answers(store.store().view()));
            assertThat(database.membership()).isEqualTo(StoreByHand.MEMBERS);
        }
    }

    /** etcd takes such a compaction up again when it starts; its answers are those of one that is done. */
    @Test
    void aCompactionThatWasNotDoneCounts() {
        change();
        store.compact(60, false);
        disk.put(FILE, store.bytes());
        try (StoredDatabase database = StoredDatabase.open(disk, FILE, true)) {
            assertThat(answers(database.view())).isEqualTo(answers(store.store().view()));
        }
    }

    @Test
    void whatIsNoDatabaseIsRefused() {
        disk.put(FILE, new byte[8_192]);
        assertThatThrownBy(() -> StoredDatabase.open(disk, FILE, true)).isInstanceOf(Damaged.class);
        disk.put(FILE, Bytes.utf8("hello").toByteArray());
        assertThatThrownBy(() -> StoredDatabase.open(disk, FILE, false)).isInstanceOf(Damaged.class);
    }
}
