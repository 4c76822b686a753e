package dev.quoin.member;

import java.util.Random;

import com.google.protobuf.ByteString;
import com.google.protobuf.InvalidProtocolBufferException;
import com.google.protobuf.MessageLite;
import org.junit.jupiter.api.Test;

import dev.quoin.api.etcdserverpb.Compare;
import dev.quoin.api.etcdserverpb.DeleteRangeRequest;
import dev.quoin.api.etcdserverpb.InternalRaftRequest;
import dev.quoin.api.etcdserverpb.PutRequest;
import dev.quoin.api.etcdserverpb.RangeRequest;
import dev.quoin.api.etcdserverpb.RequestHeader;
import dev.quoin.api.etcdserverpb.RequestOp;
import dev.quoin.api.etcdserverpb.TxnRequest;
import dev.quoin.base.Bytes;
import dev.quoin.base.Invariant;
import dev.quoin.base.ProtoReader.Malformed;
import dev.quoin.store.Caller;
import dev.quoin.store.Command;
import dev.quoin.store.Op;
import dev.quoin.store.Query;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

/** The codecs by hand against the generated classes: what one writes, the other reads the same. */
class RequestsTest {
    private static Bytes encoded(MessageLite message) {
        return Bytes.of(message.toByteArray());
    }

    private static Bytes bytes(ByteString string) {
        return Bytes.of(string.toByteArray());
    }

    private static ByteString randomBytes(Random random) {
        byte[] bytes = new byte[random.nextInt(20)];
        random.nextBytes(bytes);
        return ByteString.copyFrom(bytes);
    }

    private static PutRequest randomPut(Random random) {
        return PutRequest.newBuilder().setKey(randomBytes(random)).setValue(randomBytes(random))
                .setLease(random.nextBoolean() ? random.nextLong() : 0).setPrevKv(random.nextBoolean())
                .setIgnoreValue(random.nextBoolean()).setIgnoreLease(random.nextBoolean()).build();
    }

    private static RangeRequest randomRange(Random random) {
        return RangeRequest.newBuilder().setKey(randomBytes(random)).setRangeEnd(randomBytes(random))
                .setLimit(random.nextInt(3) - 1L).setRevision(random.nextLong())
                .setSortOrderValue(random.nextInt(5) - 1)
                .setSortTargetValue(random.nextInt(7) - 1).setSerializable(random.nextBoolean())
                .setKeysOnly(random.nextBoolean()).setCountOnly(random.nextBoolean())
                .setMinModRevision(random.nextInt(2)).setMaxModRevision(random.nextLong())
                .setMinCreateRevision(random.nextInt(2)).setMaxCreateRevision(random.nextInt(2)).build();
    }

    private static void assertSame(PutRequest expected, Command.Put put) {
        assertThat(put).isEqualTo(new Command.Put(bytes(expected.getKey()), bytes(expected.getValue()),
                expected.getLease(), expected.getPrevKv(), expected.getIgnoreValue(), expected.getIgnoreLease()));
    }

    private static void assertSame(RangeRequest expected, Query query) {
        assertThat(query.range().key()).isEqualTo(bytes(expected.getKey()));
        assertThat(query.range().rangeEnd()).isEqualTo(bytes(expected.getRangeEnd()));
        assertThat(query.limit()).isEqualTo(expected.getLimit());
        assertThat(query.revision()).isEqualTo(expected.getRevision());
        assertThat(query.order()).isEqualTo(Query.Order.of(expected.getSortOrderValue()));
        assertThat(query.target()).isEqualTo(Query.Target.of(expected.getSortTargetValue()));
        assertThat(query.serializable()).isEqualTo(expected.getSerializable());
        assertThat(query.keysOnly()).isEqualTo(expected.getKeysOnly());
        assertThat(query.countOnly()).isEqualTo(expected.getCountOnly());
        assertThat(query.filter()).isEqualTo(new Query.Filter(expected.getMinModRevision(),
                expected.getMaxModRevision(), expected.getMinCreateRevision(), expected.getMaxCreateRevision()));
    }

    @Test
    void putsAndRangesReadAsTheGeneratedClassesWroteThem() {
        for (long seed = 0; seed < 2_000; seed++) {
            Random random = new Random(seed);
            PutRequest put = randomPut(random);
            assertSame(put, Requests.put(encoded(put)));
            RangeRequest range = randomRange(random);
            assertSame(range, Requests.range(encoded(range)));
        }
    }

    @Test
    void aTransactionKeepsItsShape() {
        Random random = new Random(11);
        PutRequest put = randomPut(random);
        RangeRequest range = randomRange(random);
        DeleteRangeRequest delete = DeleteRangeRequest.newBuilder().setKey(randomBytes(random)).setPrevKv(true).build();
        TxnRequest inner = TxnRequest.newBuilder().addSuccess(RequestOp.newBuilder().setRequestPut(put)).build();
        TxnRequest txn = TxnRequest.newBuilder()
                .addCompare(Compare.newBuilder().setResult(Compare.CompareResult.GREATER)
                        .setTarget(Compare.CompareTarget.MOD).setKey(ByteString.copyFromUtf8("k")).setModRevision(9)
                        .setRangeEnd(ByteString.copyFromUtf8("z")))
                .addCompare(Compare.newBuilder().setTarget(Compare.CompareTarget.VALUE)
                        .setKey(ByteString.copyFromUtf8("v")).setValue(ByteString.copyFromUtf8("x")))
                .addCompare(Compare.newBuilder().setTarget(Compare.CompareTarget.VERSION)
                        .setKey(ByteString.copyFromUtf8("mismatch")).setModRevision(9))
                .addSuccess(RequestOp.newBuilder().setRequestRange(range)).addSuccess(RequestOp.newBuilder())
                .addFailure(RequestOp.newBuilder().setRequestDeleteRange(delete))
                .addFailure(RequestOp.newBuilder().setRequestTxn(inner)).build();

        Command.Txn read = Requests.txn(encoded(txn));

        assertThat(read.compares()).extracting(dev.quoin.store.Compare::target).containsExactly(
                dev.quoin.store.Compare.Target.MOD, dev.quoin.store.Compare.Target.VALUE,
                dev.quoin.store.Compare.Target.VERSION);
        assertThat(read.compares().get(0).number()).isEqualTo(9);
        assertThat(read.compares().get(0).range().rangeEnd()).isEqualTo(Bytes.utf8("z"));
        assertThat(read.compares().get(1).value()).isEqualTo(Bytes.utf8("x"));
        assertThat(read.compares().get(2).number()).as("an operand of another kind counts as 0").isZero();
        assertSame(range, ((Op.Range) read.success().get(0)).query());
        assertThat(read.success().get(1)).isEqualTo(new Op.Unset());
        assertThat(((Op.Delete) read.failure().get(0)).delete().prevKv()).isTrue();
        Op.Txn nested = (Op.Txn) read.failure().get(1);
        assertSame(put, ((Op.Put) nested.txn().success().getFirst()).put());
    }

    /** Whatever its kind, an entry has the bytes that Go would write; so the header stands before what has a higher number. */
    @Test
    void anEntryHasTheBytesThatItsClassWrites() throws Exception {
        Bytes request = hex("98060a"); // a field that none of them has
        for (Requests.Kind kind : Requests.Kind.values()) {
            for (Caller caller : new Caller[]{Caller.NONE, new Caller("alice", 300), new Caller("", 7)}) {
                Bytes entry = Requests.entry(77, kind, request, caller);
                InternalRaftRequest read = InternalRaftRequest.parseFrom(entry.toByteArray());
                assertThat(Bytes.of(read.toByteArray())).as("%s %s", kind, caller).isEqualTo(entry);
                assertThat(read.getHeader()).isEqualTo(RequestHeader.newBuilder().setID(77)
                        .setUsername(caller.name()).setAuthRevision(caller.authRevision()).build());
                assertThat(read.getAllFields()).as("%s", kind).hasSize(2);
                assertThat(read.getUnknownFields().asMap()).as("%s", kind).isEmpty();
            }
        }
    }

    @Test
    void anEntryIsWhatEtcdReads() throws InvalidProtocolBufferException {
        PutRequest put = randomPut(new Random(3));
        long id = 0x8e9e_0000_0000_0001L;

        Bytes entry = Requests.entry(id, Requests.Kind.PUT, encoded(put));

        InternalRaftRequest read = InternalRaftRequest.parseFrom(entry.toByteArray());
        assertThat(read.getHeader().getID()).isEqualTo(id);
        assertThat(read.getPut()).isEqualTo(put);
        assertThat(Requests.logged(entry))
                .isEqualTo(new Requests.Logged.ToStore(id, Caller.NONE, Requests.put(encoded(put))));
    }

    @Test
    void whatIsCutShortIsRefusedAndNothingElseHappens() {
        TxnRequest txn = TxnRequest.newBuilder()
                .addSuccess(RequestOp.newBuilder().setRequestPut(randomPut(new Random(5)))).build();
        byte[] whole = txn.toByteArray();
        for (int length = 1; length < whole.length; length++) {
            Bytes cut = Bytes.of(whole, 0, length);
            assertThatThrownBy(() -> Requests.txn(cut)).as("cut at %d", length).isInstanceOf(Malformed.class);
        }
    }

    /** A stack overflow would end the process: depth is the client's to choose until it is bounded. */
    @Test
    void bottomlessNestingIsRefused() {
        TxnRequest txn = TxnRequest.getDefaultInstance();
        byte[] nested = txn.toByteArray();
        for (int depth = 0; depth < 2_000; depth++) {
            nested = wrap(nested);
        }
        Bytes message = Bytes.of(nested);
        assertThatThrownBy(() -> Requests.txn(message)).isInstanceOf(Malformed.class)
                .hasMessageContaining("nested deeper");
    }

    /** A TxnRequest with one success step that is the transaction {@code inner}. */
    private static byte[] wrap(byte[] inner) {
        dev.quoin.base.ProtoWriter op = new dev.quoin.base.ProtoWriter(inner.length + 8);
        op.bytesField(4, inner, 0, inner.length);
        dev.quoin.base.ProtoWriter txn = new dev.quoin.base.ProtoWriter(inner.length + 16);
        txn.bytesField(2, op.buffer(), 0, op.size());
        return txn.toByteArray();
    }

    @Test
    void aCommittedEntryThatDoesNotParseStopsTheMember() {
        assertThatThrownBy(() -> Requests.logged(Bytes.utf8("nonsense"))).isInstanceOf(Invariant.Violation.class);
    }

    private static Bytes hex(String hex) {
        return Bytes.of(java.util.HexFormat.of().parseHex(hex));
    }

    /** etcd 3.7.1 takes these for a put of "a" and keeps the odd fields in its log: so must whoever applies it. */
    @Test
    void aFieldOfAnotherWireTypeIsUnknownAsInGo() {
        Command.Put put = Requests.put(Bytes.of(PutRequest.newBuilder().setKey(ByteString.copyFromUtf8("a")).build()
                .toByteArray()));
        for (String odd : new String[]{"1005", "1a027a7a", "190000000000000000", "a3010801a401"}) {
            assertThat(Requests.put(hex("0a0161" + odd))).as(odd).isEqualTo(put);
            Bytes entry = Requests.entry(9, Requests.Kind.PUT, hex("0a0161" + odd));
            assertThat(Requests.logged(entry)).as(odd).isEqualTo(new Requests.Logged.ToStore(9, Caller.NONE, put));
        }
    }

    /** What Go refuses must not get into the log, where an etcd would have to read it. */
    @Test
    void aNumberThatGoRefusesIsRefused() {
        assertThatThrownBy(() -> Requests.put(hex("0a0161" + "20ffffffffffffffffff7f"))).isInstanceOf(Malformed.class);
    }

    /** Go merges the two; we would take the last, and two members would apply one entry differently. */
    @Test
    void aStepThatIsGivenTwiceIsRefused() {
        Bytes twice = hex("1207" + "1203" + "0a0161" + "1200");
        assertThatThrownBy(() -> Requests.txn(twice)).isInstanceOf(Malformed.class).hasMessageContaining("twice");
        Bytes lastCounts = hex("120a" + "0a03" + "0a0161" + "1203" + "0a0162");
        assertThat(Requests.txn(lastCounts).success().getFirst()).isInstanceOf(Op.Put.class);
    }

    /** Whatever we read of bytes that were tampered with, the generated classes read the same. */
    @Test
    void tamperedRequestsReadTheSameOrAreRefused() {
        int read = 0;
        for (long seed = 0; seed < 20_000; seed++) {
            Random random = new Random(seed);
            byte[] bytes = random.nextBoolean() ? randomPut(random).toByteArray() : randomRange(random).toByteArray();
            for (int change = random.nextInt(3); change >= 0 && bytes.length > 0; change--) {
                bytes[random.nextInt(bytes.length)] = (byte) random.nextInt(256);
            }
            Command.Put put;
            Query range;
            try {
                put = Requests.put(Bytes.of(bytes));
                range = Requests.range(Bytes.of(bytes));
            } catch (Malformed refused) {
                continue;
            }
            read++;
            try {
                assertSame(PutRequest.parseFrom(bytes), put);
                assertSame(RangeRequest.parseFrom(bytes), range);
            } catch (InvalidProtocolBufferException e) {
                throw new AssertionError("seed " + seed + " is refused by the generated class", e);
            } catch (AssertionError differs) {
                throw new AssertionError("seed " + seed, differs);
            }
        }
        assertThat(read).as("requests that could be read in spite of it").isGreaterThan(1_000);
    }
}
