package dev.quoin.store;

import java.util.ArrayList;
import java.util.List;
import java.util.Random;

import org.junit.jupiter.api.Test;

import dev.quoin.base.Bytes;

import static org.assertj.core.api.Assertions.assertThat;

/** What goes to others is all that is there at one moment, in the order of revisions, whatever happens meanwhile. */
class ContentsTest {
    private record Line(long main, int sub, boolean isTombstone, Bytes keyValue) {}

    private final MemoryRecords records = new MemoryRecords();
    private final Store store = new Store(records, 2);

    ContentsTest() {
        store.restored();
    }

    private static List<Line> lines(Contents contents) {
        List<Line> lines = new ArrayList<>();
        contents.forEachRevision((main, sub, tombstone, kv) -> lines.add(new Line(main, sub, tombstone, kv)));
        return lines;
    }

    @Test
    void everyRevisionIsToldInItsOrder() {
        Random random = new Random(4);
        List<Line> expected = new ArrayList<>();
        for (int i = 0; i < 2_000; i++) {
            Bytes key = Bytes.utf8("k" + random.nextInt(90));
            if (random.nextInt(5) == 0) {
                store.apply(new Command.DeleteRange(new KeyRange(key, Bytes.utf8("k9")), false));
            } else {
                store.apply(Command.Put.of(key, Bytes.utf8("v".repeat(random.nextInt(300)))));
            }
        }
        for (MemoryRecords.Line line : records.lines) {
            boolean tombstone = line.kind() == Records.Kind.TOMBSTONE.number();
            Bytes keyValue = tombstone
                    ? KeyValues.encode(line.payload(), 0, 0, 0, Bytes.EMPTY, 0)
                    : line.payload();
            expected.add(new Line(line.main(), line.sub(), tombstone, keyValue));
        }
        Contents contents = store.contents();
        store.apply(Command.Put.of(Bytes.utf8("k1"), Bytes.utf8("later")));

        assertThat(lines(contents)).isEqualTo(expected);
        List<Integer> lengths = new ArrayList<>();
        contents.forEachLength((main, sub, tombstone, length) -> lengths.add(length));
        assertThat(lengths).isEqualTo(expected.stream().map(line -> line.keyValue().length()).toList());
    }

    @Test
    void itDoesNotTakeThePlaceOfRecordsAsAnImageDoes() {
        store.apply(new Command.LeaseGrant(7, 60));
        store.contents();

        assertThat(store.capture().replaced().size()).isEqualTo(1);
    }

    @Test
    void bucketsStayAsTheyWere() {
        store.apply(new Command.LeaseGrant(7, 60));
        Contents contents = store.contents();
        store.apply(new Command.LeaseRevoke(7));

        assertThat(contents.bucket(Bucket.LEASE)).hasSize(1);
        assertThat(store.contents().bucket(Bucket.LEASE)).isEmpty();
    }
}
