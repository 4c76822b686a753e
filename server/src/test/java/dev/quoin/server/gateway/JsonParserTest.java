package dev.quoin.server.gateway;

import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;

import com.google.protobuf.ByteString;
import com.google.protobuf.Descriptors.Descriptor;
import com.google.protobuf.InvalidProtocolBufferException;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

import dev.quoin.api.etcdserverpb.AlarmRequest;
import dev.quoin.api.etcdserverpb.Compare;
import dev.quoin.api.etcdserverpb.LeaseGrantRequest;
import dev.quoin.api.etcdserverpb.MemberAddRequest;
import dev.quoin.api.etcdserverpb.MemberRemoveRequest;
import dev.quoin.api.etcdserverpb.PutRequest;
import dev.quoin.api.etcdserverpb.RangeRequest;
import dev.quoin.api.etcdserverpb.TxnRequest;
import dev.quoin.api.etcdserverpb.WatchCreateRequest;
import dev.quoin.base.Bytes;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

/** Which JSON is which message, by protojson's rules; {@code gatecheck} asks etcd the same. */
class JsonParserTest {
    private static ByteString parsed(String json, Descriptor type) throws JsonTokens.Refused {
        return JsonParser.parse(Bytes.utf8(json), type).toByteString();
    }

    private static RangeRequest range(String json) throws JsonTokens.Refused, InvalidProtocolBufferException {
        return RangeRequest.parseFrom(parsed(json, RangeRequest.getDescriptor()));
    }

    private static void refused(String json, Descriptor type, String why) {
        assertThatThrownBy(() -> parsed(json, type)).isInstanceOf(JsonTokens.Refused.class).hasMessage("proto: " + why);
    }

    @Test
    void fieldsHaveTwoNamesAndOnlyOneOfThemCounts() throws Exception {
        assertThat(range("{\"range_end\":\"YQ==\"}")).isEqualTo(range("{\"rangeEnd\":\"YQ==\"}"))
                .isEqualTo(RangeRequest.newBuilder().setRangeEnd(ByteString.copyFromUtf8("a")).build());
        refused("{\"range_end\":\"\",\n\"rangeEnd\":\"\"}", RangeRequest.getDescriptor(),
                "(line 2:1): duplicate field \"rangeEnd\"");
        refused("{\"key\":null,\"key\":\"\"}", RangeRequest.getDescriptor(), "(line 1:13): duplicate field \"key\"");
        LeaseGrantRequest grant = LeaseGrantRequest
                .parseFrom(parsed("{\"TTL\":1,\"ID\":2}", LeaseGrantRequest.getDescriptor()));
        assertThat(grant.getTTL() + 10 * grant.getID()).isEqualTo(21);
        assertThat(MemberAddRequest.parseFrom(
                parsed("{\"peerURLs\":[\"a\",\"b\"],\"isLearner\":true}", MemberAddRequest.getDescriptor())))
                .isEqualTo(MemberAddRequest.newBuilder().addPeerURLs("a").addPeerURLs("b").setIsLearner(true).build());
    }

    @Test
    void whatIsUnknownOrNullIsAsIfItWereNotThere() throws Exception {
        assertThat(range("""
                {"new":{"a":[1,{"b":"}"}],"c":null},"key":null,"limit":null,"[ext]":1,"sort_order":"SIDEWAYS"}
                """)).isEqualTo(RangeRequest.getDefaultInstance());
        assertThat(parsed("{\"compare\":null,\"success\":[]}", TxnRequest.getDescriptor())).isEmpty();
        assertThat(WatchCreateRequest.parseFrom(
                parsed("{\"filters\":[\"NODELETE\",\"NONE\",0]}", WatchCreateRequest.getDescriptor())).getFiltersList())
                .containsExactly(WatchCreateRequest.FilterType.NODELETE, WatchCreateRequest.FilterType.NOPUT);
    }

    @ParameterizedTest
    @CsvSource(nullValues = "-", quoteCharacter = '`', value = {"5,5", "\"5\",5", "-5,-5", "5.0,5", "50e-1,5",
        "0.5e1,5",
        "\"5e0\",5", "-0,0", "-0.0,0", "0e99,0", "9223372036854775807,9223372036854775807",
        "9223372036854775808,-", "\"-9223372036854775808\",-9223372036854775808", "5.5,-", "5e-1,-", "1e19,-",
        "\" 5\",-", "\"5 \",-", "\"\",-", "\"five\",-", "\"0x5\",-", "true,-", "\"5 apples\",5", "\"05\",-", "{},-",
        "[5],-", "1e999999999999,-", "\"1_000\",-"})
    void numbersAreWholeHoweverTheyAreWritten(String json, @Nullable Long number) throws Exception {
        String document = "{\"limit\":" + json + "}";
        if (number != null) {
            assertThat(range(document).getLimit()).isEqualTo(number);
        } else {
            String raw = json.charAt(0) == '{' || json.charAt(0) == '[' ? json.substring(0, 1) : json;
            refused(document, RangeRequest.getDescriptor(),
                    "(line 1:10): invalid value for int64 field limit: " + raw);
        }
    }

    @Test
    void unsignedNumbersHaveNoSign() throws Exception {
        assertThat(MemberRemoveRequest.parseFrom(
                parsed("{\"ID\":\"18446744073709551615\"}", MemberRemoveRequest.getDescriptor())).getID())
                .isEqualTo(-1);
        refused("{\"ID\":-1}", MemberRemoveRequest.getDescriptor(),
                "(line 1:7): invalid value for uint64 field ID: -1");
        refused("{\"ID\":18446744073709551616}", MemberRemoveRequest.getDescriptor(),
                "(line 1:7): invalid value for uint64 field ID: 18446744073709551616");
    }

    @Test
    void enumsHaveNamesOrNumbers() throws Exception {
        assertThat(range("{\"sort_order\":\"DESCEND\",\"sort_target\":4}"))
                .isEqualTo(RangeRequest.newBuilder().setSortOrder(RangeRequest.SortOrder.DESCEND)
                        .setSortTarget(RangeRequest.SortTarget.VALUE).build());
        assertThat(AlarmRequest.parseFrom(parsed("{\"action\":99}", AlarmRequest.getDescriptor())).getActionValue())
                .isEqualTo(99);
        assertThat(range("{\"sort_order\":\"descend\"}").getSortOrder()).isEqualTo(RangeRequest.SortOrder.NONE);
        refused("{\"sort_order\":true}", RangeRequest.getDescriptor(),
                "(line 1:15): invalid value for enum field sortOrder: true");
        refused("{\"sort_order\":1.5}", RangeRequest.getDescriptor(),
                "(line 1:15): invalid value for enum field sortOrder: 1.5");
        refused("{\"filters\":[null]}", WatchCreateRequest.getDescriptor(),
                "(line 1:13): invalid value for enum field filters: null");
    }

    @ParameterizedTest
    @CsvSource(nullValues = "-", value = {"+/+/,fbffbf", "-_-_,fbffbf", "-_+/,-", "YQ==,61", "YQ,61", "YR,61",
        "YWI,6162",
        "YWI=,6162", "YQ=,-", "Y,-", "Y===,-", "YQ==YQ==,-", "YWJj,616263", "Y Q=,-", "!,-", "=,-", "====,-",
        "YQ\\n==,-", "YQ==\\n\\n\\n\\n,61", "YW\\nJj,616263", "\\nYWI,-", "é,-"})
    void bytesAreBase64OfEitherAlphabetPaddedOrNot(String text, @Nullable String hex) throws Exception {
        String document = "{\"key\":\"" + text + "\"}";
        if (hex != null) {
            assertThat(range(document).getKey().toByteArray()).asHexString().isEqualToIgnoringCase(hex);
        } else {
            refused(document, RangeRequest.getDescriptor(),
                    "(line 1:8): invalid value for bytes field key: \"" + text + "\"");
        }
    }

    @Test
    void ofAChoiceThereIsOne() throws Exception {
        String both = "{\"compare\":[{\"version\":\"1\",\"value\":\"\"}]}";
        refused(both, TxnRequest.getDescriptor(), "(line 1:28): error parsing \"value\", oneof "
                + "etcdserverpb.Compare.target_union is already set");
        TxnRequest one = TxnRequest
                .parseFrom(parsed("{\"compare\":[{\"version\":0,\"value\":null}]}", TxnRequest.getDescriptor()));
        assertThat(one.getCompare(0).getTargetUnionCase()).isEqualTo(Compare.TargetUnionCase.VERSION);
    }

    @Test
    void whatIsNoMessageIsUnexpected() {
        Descriptor range = RangeRequest.getDescriptor();
        for (String value : List.of("null", "5", "\"a\"", "true", "[")) {
            refused(value.equals("[") ? "[]" : value, range, "syntax error (line 1:1): unexpected token " + value);
        }
        refused("{\"compare\":{}}", TxnRequest.getDescriptor(), "syntax error (line 1:12): unexpected token {");
        refused("{\"compare\":[\n null]}", TxnRequest.getDescriptor(),
                "syntax error (line 2:2): unexpected token null");
        refused("{\"serializable\":\"true\"}", range,
                "(line 1:17): invalid value for bool field serializable: \"true\"");
        refused("{\"é\":1,\"key\":1}", range, "(line 1:14): invalid value for bytes field key: 1");
    }

    @Test
    void stringsAreLookedIntoEverywhere() throws Exception {
        MemberAddRequest odd = MemberAddRequest.parseFrom(parsed(
                "{\"peerURLs\":[\"\\\"\\\\\\/\\b\\f\\n\\r\\t\\u00e9\\ud83d\\ude00é\"]}",
                MemberAddRequest.getDescriptor()));
        assertThat(odd.getPeerURLs(0)).isEqualTo("\"\\/\b\f\n\r\té\ud83d\ude00é");
        assertThat(range("{\"\\u006bey\":\"\\u0059Q==\"}").getKey().toStringUtf8()).isEqualTo("a");
        byte[] latin = "{\"unknown\":\"\u00e9\"}".getBytes(StandardCharsets.ISO_8859_1);
        assertThatThrownBy(() -> JsonParser.parse(Bytes.of(latin), RangeRequest.getDescriptor()))
                .hasMessage("proto: syntax error (line 1:12): invalid UTF-8 in string");
        for (String half : List.of("\\ud83d", "\\ude00", "\\ud83dx", "\\ud83d\\u0041")) {
            assertThatThrownBy(() -> parsed("{\"key\":\"" + half + "\"}", RangeRequest.getDescriptor())).as(half)
                    .isInstanceOf(JsonTokens.Refused.class);
        }
    }

    @Test
    void aTransactionInATransaction() throws Exception {
        String inner = "{\"request_txn\":{\"success\":[{\"requestPut\":{\"key\":\"YQ\",\"value\":\"Yg\"}}]}}";
        TxnRequest txn = TxnRequest.parseFrom(parsed("{\"failure\":[" + inner + "]}", TxnRequest.getDescriptor()));
        assertThat(txn.getFailure(0).getRequestTxn().getSuccess(0).getRequestPut()).isEqualTo(PutRequest.newBuilder()
                .setKey(ByteString.copyFromUtf8("a")).setValue(ByteString.copyFromUtf8("b")).build());
        assertThat(Arrays.asList(txn.getSuccessCount(), txn.getFailureCount())).containsExactly(0, 1);
    }
}
