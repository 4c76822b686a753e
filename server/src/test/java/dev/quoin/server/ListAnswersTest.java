package dev.quoin.server;

import java.io.ByteArrayOutputStream;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;

import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

import dev.quoin.api.etcdserverpb.RangeResponse;
import dev.quoin.api.etcdserverpb.RangeStreamResponse;
import dev.quoin.base.Bytes;
import dev.quoin.disk.Damaged;
import dev.quoin.net.LongMessage;
import dev.quoin.net.Status;
import dev.quoin.net.StatusException;
import dev.quoin.store.Command;
import dev.quoin.store.Compare;
import dev.quoin.store.KeyRange;
import dev.quoin.store.Op;
import dev.quoin.store.Outcome;
import dev.quoin.store.Query;
import dev.quoin.store.Records;
import dev.quoin.store.Store;
import dev.quoin.store.View;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

/** Answers that are spliced together are, byte for byte, those that were gathered; and what happens on the way. */
class ListAnswersTest {
    private static final int KEYS = 200;
    private static final int CHUNK_BYTES = 20_000;

    /** Records in a list; from {@code damagedFrom} on they cannot be read. */
    private static final class ListRecords implements Records {
        private final List<Bytes> payloads = new ArrayList<>();
        private long damagedFrom = Long.MAX_VALUE;

        @Override
        public long append(long main, int sub, int kind, Bytes payload) {
            payloads.add(payload);
            return payloads.size() - 1L;
        }

        @Override
        public Bytes read(long position) {
            if (position >= damagedFrom) {
                throw new Damaged(Path.of("f.ledger"), position, "the record there fails its checksum");
            }
            return payloads.get((int) position);
        }

        @Override
        public int length(long position) {
            return payloads.get((int) position).length();
        }
    }

    private final ListRecords records = new ListRecords();
    private final Store store = new Store(records, 2);
    private final Answers answers = new Answers(-7, 9, () -> 3);
    private final Views views = new Views(store::view);
    private final ListAnswers lists = new ListAnswers(answers, views);
    private final RangeStream stream = new RangeStream(lists, views, CHUNK_BYTES);

    @BeforeEach
    void fill() {
        store.restored();
        Random random = new Random(20_261_125);
        for (int i = 0; i < 3 * KEYS; i++) {
            int number = random.nextInt(KEYS);
            if (random.nextInt(5) == 0) {
                store.apply(new Command.DeleteRange(KeyRange.single(key(number)), false));
            } else {
                byte[] value = new byte[random.nextInt(i % 20 == 0 ? 3_000 : 200)];
                random.nextBytes(value);
                store.apply(Command.Put.of(key(number), Bytes.of(value)));
            }
        }
        store.publish();
    }

    private static Bytes key(int number) {
        return Bytes.utf8("key/%03d".formatted(number));
    }

    private static Lists.Share share(int keysMax) {
        return new Lists(1, keysMax).new Share();
    }

    private static Lists.Share share() {
        return share(100_000);
    }

    private static byte[] bytes(LongMessage message) throws StatusException {
        ByteArrayOutputStream all = new ByteArrayOutputStream();
        message.writeTo((array, offset, length) -> {
            all.write(array, offset, length);
            return true;
        });
        assertThat(message.length()).isEqualTo(all.size());
        return all.toByteArray();
    }

    private byte[] gathered(Outcome outcome) {
        ByteArrayOutputStream all = new ByteArrayOutputStream();
        for (Bytes piece : answers.of(outcome)) {
            all.write(piece.array(), piece.offset(), piece.length());
        }
        return all.toByteArray();
    }

    private List<Query> queries() {
        long now = store.view().revision();
        List<Query> queries = new ArrayList<>();
        for (KeyRange range : List.of(KeyRange.everything(), new KeyRange(key(20), key(90)), KeyRange.from(key(150)),
                new KeyRange(key(9), key(3)))) {
            for (long revision : new long[]{0, now, now - 1, now / 2, -5}) {
                for (long limit : new long[]{0, 1, 17, 10_000}) {
                    Query query = Query.of(range).withRevision(revision).withLimit(limit);
                    queries.addAll(List.of(query, query.withKeysOnly(), query.withCountOnly(),
                            query.withFilter(new Query.Filter(now / 3, 0, 0, now - 50)),
                            query.withSort(Query.Order.DESCEND, Query.Target.KEY),
                            query.withSort(Query.Order.ASCEND, Query.Target.VALUE),
                            query.withSort(Query.Order.NONE, Query.Target.MOD),
                            query.withSort(Query.Order.DESCEND, Query.Target.VALUE).withKeysOnly()));
                }
            }
        }
        return queries;
    }

    @Test
    void aRangeIsByteForByteWhatIsGathered() throws StatusException {
        View view = store.view();
        for (Query query : queries()) {
            assertThat(bytes(lists.range(view, query, share()))).as("%s", query)
                    .isEqualTo(gathered(view.range(query)));
        }
    }

    @Test
    void soIsATransactionThatReads() throws StatusException {
        View view = store.view();
        List<Op> ops = queries().stream().filter(query -> query.revision() >= 0).limit(60).<Op>map(Op.Range::new)
                .toList();
        for (long version : new long[]{0, 1_000}) {
            Compare compare = Compare.number(KeyRange.single(Bytes.utf8("none")), Compare.Target.VERSION,
                    Compare.Result.EQUAL, version);
            Command.Txn txn = new Command.Txn(List.of(compare), ops, ops.reversed());
            assertThat(bytes(lists.txn(view, txn, share()))).isEqualTo(gathered(view.read(txn)));
        }
    }

    @Test
    void whatIsRefusedIsRefusedBeforeAnyByte() {
        Query future = Query.of(KeyRange.everything()).withRevision(store.view().revision() + 1);
        View view = store.view();
        String text = "etcdserver: mvcc: required revision is a future revision";
        assertThatThrownBy(() -> lists.range(view, future, share())).hasMessageContaining(text);
        assertThatThrownBy(() -> lists.range(view, future.withCountOnly(), share())).hasMessageContaining(text);
        Command.Txn txn = new Command.Txn(List.of(), List.of(new Op.Range(future)), List.of());
        assertThatThrownBy(() -> lists.txn(view, txn, share())).hasMessageContaining(text);
        assertThatThrownBy(() -> stream.run(chunk -> true, view, future, share())).hasMessageContaining(text);
    }

    // ---- streams

    private RangeResponse merged(Query query, List<Integer> sizes) throws StatusException {
        RangeResponse.Builder merged = RangeResponse.newBuilder();
        List<RangeResponse> chunks = new ArrayList<>();
        stream.run(message -> {
            RangeResponse chunk = parse(bytes(message));
            chunks.add(chunk);
            merged.mergeFrom(chunk);
            sizes.add(chunk.getKvsCount());
            return true;
        }, store.view(), query, share());
        for (RangeResponse chunk : chunks.subList(0, chunks.size() - 1)) {
            assertThat(chunk.hasHeader() || chunk.getMore() || chunk.getCount() != 0).isFalse();
            assertThat(chunk.getKvsCount()).isPositive();
        }
        assertThat(chunks.getLast().hasHeader()).isTrue();
        return merged.build();
    }

    private static RangeResponse parse(byte[] message) {
        try {
            return RangeStreamResponse.parseFrom(message).getRangeResponse();
        } catch (com.google.protobuf.InvalidProtocolBufferException e) {
            throw new AssertionError(e);
        }
    }

    @Test
    void theChunksOfAStreamAreTheRange() throws Exception {
        for (Query query : queries()) {
            if (query.isDefaultOrder() && query.filter().isNone()) {
                List<Integer> sizes = new ArrayList<>();
                assertThat(merged(query, sizes)).as("%s", query)
                        .isEqualTo(RangeResponse.parseFrom(gathered(store.view().range(query))));
                assertThat(sizes.getFirst()).isLessThanOrEqualTo(10);
            }
        }
    }

    /** Ten keys first; then twice as many while they are less than half of what is aimed at; then as many again. */
    @Test
    void chunksGrowTowardsTheSizeAimedAt() throws StatusException {
        store.apply(new Command.DeleteRange(KeyRange.everything(), false));
        for (int i = 0; i < KEYS; i++) {
            store.apply(Command.Put.of(key(i), Bytes.of(new byte[400])));
        }
        store.publish();
        List<Integer> sizes = new ArrayList<>();
        merged(Query.of(KeyRange.everything()), sizes);
        // 10 of them have 4,300 bytes, 20 have 8,600, 40 have 17,200.
        assertThat(sizes).containsExactly(10, 20, 40, 40, 40, 40, 10);
    }

    /** etcd would send ten of these in its first message; here a message is at most twice as large as aimed at. */
    @Test
    void largeValuesMakeSmallChunks() throws StatusException {
        store.apply(new Command.DeleteRange(KeyRange.everything(), false));
        for (int i = 0; i < 12; i++) {
            store.apply(Command.Put.of(key(i), Bytes.of(new byte[i < 6 ? 15_000 : 50_000])));
        }
        store.publish();
        List<Integer> sizes = new ArrayList<>();
        assertThat(merged(Query.of(KeyRange.everything()), sizes).getKvsCount()).isEqualTo(12);
        assertThat(sizes).containsExactly(2, 2, 2, 1, 1, 1, 1, 1, 1);
    }

    @Test
    void aCompactionThatPassesByEndsTheStream() {
        Query query = Query.of(KeyRange.everything());
        View view = store.view();
        List<RangeResponse> chunks = new ArrayList<>();
        assertThatThrownBy(() -> stream.run(message -> {
            chunks.add(parse(bytes(message)));
            if (chunks.size() == 2) {
                store.apply(Command.Put.of(key(0), Bytes.EMPTY));
                store.apply(new Command.Compact(view.revision() + 1, false));
                store.publish();
            }
            return true;
        }, view, query, share())).hasMessageContaining("etcdserver: mvcc: required revision has been compacted");
        assertThat(chunks).hasSize(2).noneMatch(RangeResponse::hasHeader);
    }

    /** A compaction to the very revision does not hurt: it can still be read. */
    @Test
    void aCompactionUpToTheRevisionDoesNot() throws StatusException {
        Query query = Query.of(KeyRange.everything());
        View view = store.view();
        List<RangeResponse> chunks = new ArrayList<>();
        stream.run(message -> {
            chunks.add(parse(bytes(message)));
            if (chunks.size() == 1) {
                store.apply(new Command.Compact(view.revision(), false));
                store.publish();
            }
            return true;
        }, view, query, share());
        assertThat(chunks.getLast().hasHeader()).isTrue();
    }

    @Test
    void aClientThatIsGoneEndsTheStream() throws StatusException {
        List<LongMessage> chunks = new ArrayList<>();
        stream.run(message -> {
            chunks.add(message);
            return false;
        }, store.view(), Query.of(KeyRange.everything()), share());
        assertThat(chunks).hasSize(1);
    }

    // ---- damage and bounds

    private Status endOf(Query query) {
        try {
            bytes(lists.range(store.view(), query, share()));
            return Status.OK;
        } catch (StatusException e) {
            return e.status();
        }
    }

    @Test
    void aDamagedRecordEndsTheList() {
        records.damagedFrom = records.payloads.size() - 10L;
        Status status = endOf(Query.of(KeyRange.everything()));
        assertThat(status.code()).isEqualTo(Status.Code.DATA_LOSS);
        assertThat(status.message()).startsWith("quoin: f.ledger is damaged at byte ");
        assertThat(endOf(Query.of(KeyRange.everything()).withSort(Query.Order.ASCEND, Query.Target.VALUE)).code())
                .isEqualTo(Status.Code.DATA_LOSS);
        assertThat(endOf(Query.of(KeyRange.everything()).withKeysOnly())).isEqualTo(Status.OK);
    }

    /** Not damage: the records were given up while the list was under way. */
    @Test
    void aRecordThatACompactionHasGivenUpEndsItToo() throws StatusException {
        SplicedAnswer answer = lists.range(store.view(), Query.of(KeyRange.everything()), share());
        store.apply(Command.Put.of(key(0), Bytes.EMPTY));
        store.apply(new Command.Compact(store.view().revision() + 1, false));
        store.publish();
        records.damagedFrom = 0;
        assertThatThrownBy(() -> bytes(answer)).isInstanceOfSatisfying(StatusException.class,
                e -> assertThat(e.status().message())
                        .isEqualTo("etcdserver: mvcc: required revision has been compacted"));
    }

    @Test
    void plannedKeysAreBoundedButForTheOnlyList() throws StatusException {
        Lists bounded = new Lists(2, 100);
        Lists.Share first = bounded.new Share();
        Lists.Share second = bounded.new Share();
        first.take(60);
        second.take(40);
        assertThatThrownBy(() -> second.take(1)).hasMessageContaining("etcdserver: too many requests");
        Lists.Share alone = share(10);
        assertThat(lists.range(store.view(), Query.of(KeyRange.everything()), alone).length()).isGreaterThan(10_000);
    }
}
