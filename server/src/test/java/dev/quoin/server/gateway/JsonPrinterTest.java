package dev.quoin.server.gateway;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;

import com.google.protobuf.ByteString;
import com.google.protobuf.Message;
import com.google.protobuf.UnknownFieldSet;
import org.junit.jupiter.api.Test;

import dev.quoin.api.etcdserverpb.AlarmMember;
import dev.quoin.api.etcdserverpb.AlarmResponse;
import dev.quoin.api.etcdserverpb.AlarmType;
import dev.quoin.api.etcdserverpb.HashKVResponse;
import dev.quoin.api.etcdserverpb.LeaseTimeToLiveResponse;
import dev.quoin.api.etcdserverpb.Member;
import dev.quoin.api.etcdserverpb.MemberListResponse;
import dev.quoin.api.etcdserverpb.RangeResponse;
import dev.quoin.api.etcdserverpb.ResponseHeader;
import dev.quoin.api.etcdserverpb.ResponseOp;
import dev.quoin.api.etcdserverpb.StatusResponse;
import dev.quoin.api.etcdserverpb.TxnResponse;
import dev.quoin.api.etcdserverpb.WatchResponse;
import dev.quoin.api.mvccpb.Event;
import dev.quoin.api.mvccpb.KeyValue;
import dev.quoin.net.Status;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

/** Messages as JSON, to the byte. */
class JsonPrinterTest {
    private static String json(Message message, boolean isForHtml) throws IOException {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        JsonPrinter.print(new ByteArrayInputStream(message.toByteArray()), message.getDescriptorForType(), out,
                isForHtml);
        return out.toString(StandardCharsets.UTF_8);
    }

    private static String json(Message message) throws IOException {
        return json(message, false);
    }

    @Test
    void numbersOf64BitsAreStringsAndUnsignedOnesHaveNoSign() throws IOException {
        assertThat(json(ResponseHeader.newBuilder().setClusterId(-1).setMemberId(1).setRevision(Long.MIN_VALUE)
                .setRaftTerm(Long.MIN_VALUE).build())).isEqualTo("{\"cluster_id\":\"18446744073709551615\","
                        + "\"member_id\":\"1\",\"revision\":\"-9223372036854775808\","
                        + "\"raft_term\":\"9223372036854775808\"}");
        assertThat(json(HashKVResponse.newBuilder().setHash(-1).build())).isEqualTo("{\"hash\":4294967295}");
    }

    @Test
    void whatIsNotSetIsLeftOutAndWhatIsEmptyToo() throws IOException {
        assertThat(json(RangeResponse.getDefaultInstance())).isEqualTo("{}");
        assertThat(json(RangeResponse.newBuilder().setHeader(ResponseHeader.getDefaultInstance())
                .addKvs(KeyValue.getDefaultInstance()).build())).isEqualTo("{\"header\":{},\"kvs\":[{}]}");
        assertThat(json(TxnResponse.newBuilder()
                .addResponses(ResponseOp.newBuilder().setResponseRange(RangeResponse.getDefaultInstance()))
                .addResponses(ResponseOp.getDefaultInstance()).build()))
                .isEqualTo("{\"responses\":[{\"response_range\":{}},{}]}");
    }

    @Test
    void namesAreTheProtosAndBytesAreBase64() throws IOException {
        KeyValue kv = KeyValue.newBuilder().setKey(ByteString.copyFrom(new byte[]{(byte) 0xfb, (byte) 0xff}))
                .setCreateRevision(2).setModRevision(3).setVersion(1).setValue(ByteString.copyFromUtf8("a")).setLease(7)
                .build();
        assertThat(json(RangeResponse.newBuilder().addKvs(kv).setMore(true).setCount(2).build()))
                .isEqualTo(
                        "{\"kvs\":[{\"key\":\"+/8=\",\"create_revision\":\"2\",\"mod_revision\":\"3\",\"version\":\"1\","
                                + "\"value\":\"YQ==\",\"lease\":\"7\"}],\"more\":true,\"count\":\"2\"}");
        assertThat(json(LeaseTimeToLiveResponse.newBuilder().setID(1).setTTL(-1).setGrantedTTL(3)
                .addKeys(ByteString.EMPTY).addKeys(ByteString.copyFromUtf8("k")).build()))
                .isEqualTo("{\"ID\":\"1\",\"TTL\":\"-1\",\"grantedTTL\":\"3\",\"keys\":[\"\",\"aw==\"]}");
    }

    @Test
    void enumsHaveNamesIfTheyAreKnown() throws IOException {
        assertThat(json(AlarmResponse.newBuilder().addAlarms(AlarmMember.newBuilder().setAlarm(AlarmType.NOSPACE))
                .addAlarms(AlarmMember.newBuilder().setAlarmValue(77)).addAlarms(AlarmMember.getDefaultInstance())
                .build())).isEqualTo("{\"alarms\":[{\"alarm\":\"NOSPACE\"},{\"alarm\":77},{}]}");
        assertThat(json(WatchResponse.newBuilder()
                .addEvents(Event.newBuilder().setType(Event.EventType.DELETE).setKv(KeyValue.getDefaultInstance()))
                .build())).isEqualTo("{\"events\":[{\"type\":\"DELETE\",\"kv\":{}}]}");
    }

    @Test
    void stringsAreEscapedAsGoDoesIt() throws IOException {
        String odd = "\"\\/\b\f\n\r\t\u0001\u001f\u007f<é\ud83d\ude00&>\u2028";
        StatusResponse status = StatusResponse.newBuilder().setVersion(odd).addErrors("").build();
        assertThat(json(status))
                .isEqualTo("{\"version\":\"\\\"\\\\/\\b\\f\\n\\r\\t\\u0001\\u001f\u007f<é\ud83d\ude00&>\u2028\","
                        + "\"errors\":[\"\"]}");
        assertThat(json(status, true)).contains("\\u003cé\ud83d\ude00\\u0026\\u003e\\u2028\"");
    }

    @Test
    void whatIsNotKnownIsPassedOver() throws IOException {
        Member member = Member.newBuilder().setName("a").setUnknownFields(UnknownFieldSet.newBuilder()
                .addField(99, UnknownFieldSet.Field.newBuilder().addVarint(5).build()).build()).build();
        assertThat(json(MemberListResponse.newBuilder().addMembers(member).addMembers(member).build()))
                .isEqualTo("{\"members\":[{\"name\":\"a\"},{\"name\":\"a\"}]}");
    }

    @Test
    void whatEndsTooEarlyOrIsOutOfOrderNeverLooksComplete() {
        byte[] whole = RangeResponse.newBuilder().addKvs(KeyValue.newBuilder().setKey(ByteString.copyFromUtf8("key")))
                .build().toByteArray();
        assertThatThrownBy(() -> JsonPrinter.print(new ByteArrayInputStream(whole, 0, whole.length - 1),
                RangeResponse.getDescriptor(), new ByteArrayOutputStream(), false)).isInstanceOf(IOException.class);
        byte[] swapped = {0x20, 1, 0x18, 1}; // count before more
        assertThatThrownBy(() -> JsonPrinter.print(new ByteArrayInputStream(swapped), RangeResponse.getDescriptor(),
                new ByteArrayOutputStream(), false)).isInstanceOf(IllegalStateException.class)
                .hasMessageContaining("RangeResponse");
    }

    @Test
    void aStatusIsAnObjectOfItsCodeAndItsText() throws IOException {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        JsonPrinter.print(Status.of(Status.Code.NOT_FOUND, "no \"such\" <key>"), out, false);
        assertThat(out.toString(StandardCharsets.UTF_8))
                .isEqualTo("{\"code\":5,\"message\":\"no \\\"such\\\" <key>\"}");
        out.reset();
        JsonPrinter.print(Status.of(Status.Code.UNKNOWN, ""), out, false);
        assertThat(out.toString(StandardCharsets.UTF_8)).isEqualTo("{\"code\":2}");
    }
}
