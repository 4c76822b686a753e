package dev.quoin.server;

import java.util.List;

import com.google.protobuf.ByteString;
import com.google.protobuf.InvalidProtocolBufferException;
import com.google.protobuf.Parser;
import org.junit.jupiter.api.Test;

import dev.quoin.api.etcdserverpb.AlarmResponse;
import dev.quoin.api.etcdserverpb.AlarmType;
import dev.quoin.api.etcdserverpb.DeleteRangeResponse;
import dev.quoin.api.etcdserverpb.LeaseGrantResponse;
import dev.quoin.api.etcdserverpb.LeaseRevokeResponse;
import dev.quoin.api.etcdserverpb.PutResponse;
import dev.quoin.api.etcdserverpb.RangeResponse;
import dev.quoin.api.etcdserverpb.ResponseHeader;
import dev.quoin.api.etcdserverpb.ResponseOp;
import dev.quoin.api.etcdserverpb.TxnResponse;
import dev.quoin.api.mvccpb.KeyValue;
import dev.quoin.base.Bytes;
import dev.quoin.base.Invariant;
import dev.quoin.store.AlarmMember;
import dev.quoin.store.Outcome;
import dev.quoin.store.Refusal;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

/** The answers by hand against the generated classes. */
class AnswersTest {
    private static final Answers ANSWERS = new Answers(-7, 9, () -> 3);
    private static final ResponseHeader HEADER = ResponseHeader.newBuilder().setClusterId(-7).setMemberId(9)
            .setRevision(5).setRaftTerm(3).build();

    private static KeyValue kv(int valueBytes) {
        return KeyValue.newBuilder().setKey(ByteString.copyFromUtf8("k" + valueBytes)).setCreateRevision(2)
                .setModRevision(5).setVersion(4).setValue(ByteString.copyFrom(new byte[valueBytes])).build();
    }

    private static Bytes stored(KeyValue kv) {
        return Bytes.of(kv.toByteArray());
    }

    private static <T> T read(Parser<T> parser, Outcome outcome) throws InvalidProtocolBufferException {
        ByteString message = ByteString.EMPTY;
        for (Bytes piece : ANSWERS.of(outcome)) {
            message = message.concat(ByteString.copyFrom(piece.toByteArray()));
        }
        return parser.parseFrom(message);
    }

    @Test
    void aPutAndADeletion() throws InvalidProtocolBufferException {
        assertThat(read(PutResponse.parser(), new Outcome.Put(5, null)))
                .isEqualTo(PutResponse.newBuilder().setHeader(HEADER).build());
        assertThat(read(PutResponse.parser(), new Outcome.Put(5, stored(kv(3)))))
                .isEqualTo(PutResponse.newBuilder().setHeader(HEADER).setPrevKv(kv(3)).build());
        assertThat(read(DeleteRangeResponse.parser(), new Outcome.Deleted(5, 2, List.of(stored(kv(0)), stored(kv(1))))))
                .isEqualTo(DeleteRangeResponse.newBuilder().setHeader(HEADER).setDeleted(2).addPrevKvs(kv(0))
                        .addPrevKvs(kv(1)).build());
    }

    @Test
    void leasesAndAlarms() throws InvalidProtocolBufferException {
        assertThat(read(LeaseGrantResponse.parser(), new Outcome.Granted(5, -4, 60)))
                .isEqualTo(LeaseGrantResponse.newBuilder().setHeader(HEADER).setID(-4).setTTL(60).build());
        assertThat(read(LeaseRevokeResponse.parser(), new Outcome.Revoked(5)))
                .isEqualTo(LeaseRevokeResponse.newBuilder().setHeader(HEADER).build());
        assertThat(read(AlarmResponse.parser(), new Outcome.Alarms(5, List.of(new AlarmMember(-9, 1)))))
                .isEqualTo(AlarmResponse.newBuilder().setHeader(HEADER)
                        .addAlarms(dev.quoin.api.etcdserverpb.AlarmMember.newBuilder().setMemberID(-9)
                                .setAlarm(AlarmType.NOSPACE))
                        .build());
    }

    /** Small KeyValues are copied together, large ones are pieces of their own: the message is the same. */
    @Test
    void aListOfSmallAndLargeValues() throws InvalidProtocolBufferException {
        List<KeyValue> kvs = List.of(kv(1), kv(2_000), kv(2), kv(1_000), kv(1_024), kv(70_000), kv(0));
        Outcome.Ranged ranged = new Outcome.Ranged(5, kvs.stream().map(AnswersTest::stored).toList(), 11, true);

        assertThat(read(RangeResponse.parser(), ranged)).isEqualTo(RangeResponse.newBuilder().setHeader(HEADER)
                .addAllKvs(kvs).setMore(true).setCount(11).build());
        assertThat(ANSWERS.of(ranged)).hasSizeBetween(5, 9);
    }

    /** A step's header holds the revision alone, and that of a transaction within another nothing (etcd's apply). */
    @Test
    void aTransactionInATransaction() throws InvalidProtocolBufferException {
        Outcome.Ranged read = new Outcome.Ranged(5, List.of(stored(kv(3_000))), 1, false);
        Outcome.Txned inner = new Outcome.Txned(0, true, List.of(new Outcome.Put(5, null), read));
        Outcome.Txned outer = new Outcome.Txned(5, true, List.of(inner, new Outcome.Deleted(5, 1, List.of()), read));

        ResponseHeader step = ResponseHeader.newBuilder().setRevision(5).build();
        ResponseOp range = ResponseOp.newBuilder().setResponseRange(
                RangeResponse.newBuilder().setHeader(step).addKvs(kv(3_000)).setCount(1)).build();
        ResponseOp put = ResponseOp.newBuilder().setResponsePut(PutResponse.newBuilder().setHeader(step)).build();
        ResponseOp delete = ResponseOp.newBuilder().setResponseDeleteRange(
                DeleteRangeResponse.newBuilder().setHeader(step).setDeleted(1)).build();
        TxnResponse expected = TxnResponse.newBuilder().setHeader(HEADER).setSucceeded(true)
                .addResponses(ResponseOp.newBuilder().setResponseTxn(TxnResponse.newBuilder()
                        .setHeader(ResponseHeader.getDefaultInstance()).setSucceeded(true).addResponses(put)
                        .addResponses(range)))
                .addResponses(delete).addResponses(range).build();
        assertThat(read(TxnResponse.parser(), outer)).isEqualTo(expected);
    }

    @Test
    void aRefusalIsNoAnswer() {
        assertThatThrownBy(() -> ANSWERS.of(new Outcome.Refused(Refusal.COMPACTED)))
                .isInstanceOf(Invariant.Violation.class);
    }
}
