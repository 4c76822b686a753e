package dev.quoin.ctl.print;

import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.function.Consumer;

import com.google.protobuf.ByteString;
import org.junit.jupiter.api.Test;

import dev.quoin.api.etcdserverpb.LeaseGrantResponse;
import dev.quoin.api.etcdserverpb.LeaseTimeToLiveResponse;
import dev.quoin.api.etcdserverpb.Member;
import dev.quoin.api.etcdserverpb.MemberListResponse;
import dev.quoin.api.etcdserverpb.PutResponse;
import dev.quoin.api.etcdserverpb.RangeResponse;
import dev.quoin.api.etcdserverpb.ResponseHeader;
import dev.quoin.api.etcdserverpb.ResponseOp;
import dev.quoin.api.etcdserverpb.TxnResponse;
import dev.quoin.api.etcdserverpb.WatchResponse;
import dev.quoin.api.mvccpb.Event;
import dev.quoin.api.mvccpb.KeyValue;
import dev.quoin.ctl.cli.Failure;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

/** What each format makes of an answer; EtcdctlPairTest asks real etcdctl the same of all of them. */
class PrintersTest {
    private static final ResponseHeader HEADER = ResponseHeader.newBuilder().setClusterId(-2).setMemberId(10)
            .setRevision(5)
            .setRaftTerm(2).build();
    private static final KeyValue PAIR = KeyValue.newBuilder().setKey(ByteString.copyFrom(new byte[]{'k', (byte) 0xff}))
            .setValue(ByteString.copyFromUtf8("<v>\n")).setCreateRevision(3).setModRevision(4).setVersion(2)
            .setLease(0x4d2)
            .build();
    private static final RangeResponse RANGE = RangeResponse.newBuilder().setHeader(HEADER).addKvs(PAIR).setCount(1)
            .build();

    private static byte[] bytes(String format, boolean isHex, Consumer<Printer> what) {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        PrintStream out = new PrintStream(bytes, true, StandardCharsets.UTF_8);
        what.accept(Printer.of(format, isHex, out, out));
        out.flush();
        return bytes.toByteArray();
    }

    private static String text(String format, boolean isHex, Consumer<Printer> what) {
        return new String(bytes(format, isHex, what), StandardCharsets.UTF_8);
    }

    @Test
    void keysAndValuesAreBytes() {
        assertThat(bytes("simple", false, printer -> printer.get(RANGE, false)))
                .isEqualTo(new byte[]{'k', (byte) 0xff, '\n', '<', 'v', '>', '\n', '\n'});
        assertThat(text("simple", true, printer -> printer.get(RANGE, true))).isEqualTo("\\x3c\\x76\\x3e\\x0a\n");
        assertThat(bytes("protobuf", false, printer -> printer.get(RANGE, false))).isEqualTo(RANGE.toByteArray());
    }

    @Test
    void fieldsQuoteAsGoDoes() {
        assertThat(text("fields", false, printer -> printer.get(RANGE, false))).isEqualTo("""
                "ClusterID" : 18446744073709551614
                "MemberID" : 10
                "Revision" : 5
                "RaftTerm" : 2
                "Key" : "k\\xff"
                "CreateRevision" : 3
                "ModRevision" : 4
                "Version" : 2
                "Value" : "<v>\\n"
                "Lease" : 1234
                "More" : false
                "Count" : 1
                """);
        assertThat(text("fields", true, printer -> printer.get(RANGE, false)))
                .contains("\"ClusterID\" : fffffffffffffffe\n")
                .contains("\"MemberID\" : a\n").contains("\"Lease\" : 00000000000004d2\n");
    }

    @Test
    void jsonIsThatOfGosStructs() {
        String header = "\"header\":{\"cluster_id\":18446744073709551614,\"member_id\":10,\"revision\":5,\"raft_term\":2}";
        assertThat(text("json", false, printer -> printer.get(RANGE, false))).isEqualTo("{" + header
                + ",\"kvs\":[{\"key\":\"a/8=\",\"create_revision\":3,\"mod_revision\":4,\"version\":2,\"value\":\"PHY+Cg==\","
                + "\"lease\":1234}],\"count\":1}\n");
        TxnResponse txn = TxnResponse.newBuilder().setHeader(HEADER).setSucceeded(true)
                .addResponses(ResponseOp.newBuilder()
                        .setResponsePut(PutResponse.newBuilder().setHeader(ResponseHeader.getDefaultInstance())))
                .build();
        assertThat(text("json", false, printer -> printer.txn(txn))).isEqualTo("{" + header
                + ",\"succeeded\":true,\"responses\":[{\"Response\":{\"response_put\":{\"header\":{}}}}]}\n");
        LeaseGrantResponse grant = LeaseGrantResponse.newBuilder().setHeader(HEADER).setID(7).setTTL(60).build();
        assertThat(text("json", false, printer -> printer.grant(grant))).isEqualTo(
                "{\"cluster_id\":18446744073709551614,\"member_id\":10,\"revision\":5,\"raft_term\":2,\"ID\":7,\"TTL\":60,"
                        + "\"Error\":\"\"}\n");
        LeaseTimeToLiveResponse left = LeaseTimeToLiveResponse.newBuilder().setID(7).setTTL(-1).build();
        assertThat(text("json", false, printer -> printer.timeToLive(left, true)))
                .isEqualTo("{\"id\":7,\"ttl\":-1,\"granted-ttl\":0,\"keys\":null}\n");
        WatchResponse watch = WatchResponse.newBuilder().setHeader(HEADER)
                .addEvents(Event.newBuilder().setType(Event.EventType.DELETE)
                        .setKv(KeyValue.newBuilder().setModRevision(5)))
                .build();
        assertThat(text("json", false, printer -> printer.watch(watch))).isEqualTo("{\"Header\"" + header.substring(8)
                + ",\"Events\":[{\"type\":1,\"kv\":{\"mod_revision\":5}}],\"CompactRevision\":0,\"Canceled\":false,"
                + "\"Created\":false,\"CancelReason\":\"\"}\n");
    }

    private static final MemberListResponse MEMBERS = MemberListResponse.newBuilder().setHeader(HEADER)
            .addMembers(Member.newBuilder().setID(-1).setName("a").addPeerURLs("http://h:1").addPeerURLs("http://h:2")
                    .addClientURLs("http://h:3"))
            .addMembers(Member.newBuilder().setID(0xb).addPeerURLs("http://h:4").setIsLearner(true)).build();

    @Test
    void membersAreShownInEachFormat() {
        assertThat(text("simple", false, printer -> printer.memberList(MEMBERS))).isEqualTo("""
                ffffffffffffffff, started, a, http://h:1,http://h:2, http://h:3, false
                b, unstarted, , http://h:4, , true
                """);
        assertThat(text("table", false, printer -> printer.memberList(MEMBERS))).isEqualTo("""
                ┌──────────────────┬───────────┬──────┬───────────────────────┬──────────────┬────────────┐
                │        ID        │  STATUS   │ NAME │      PEER ADDRS       │ CLIENT ADDRS │ IS LEARNER │
                ├──────────────────┼───────────┼──────┼───────────────────────┼──────────────┼────────────┤
                │ ffffffffffffffff │   started │    a │ http://h:1,http://h:2 │   http://h:3 │      false │
                │                b │ unstarted │      │            http://h:4 │              │       true │
                └──────────────────┴───────────┴──────┴───────────────────────┴──────────────┴────────────┘
                """);
        assertThat(text("json", true, printer -> printer.memberList(MEMBERS))).isEqualTo(
                "{\"header\":{\"cluster_id\":\"fffffffffffffffe\",\"member_id\":\"a\",\"revision\":5,\"raft_term\":2},"
                        + "\"members\":[{\"ID\":\"ffffffffffffffff\",\"name\":\"a\",\"peerURLs\":[\"http://h:1\",\"http://h:2\"],"
                        + "\"clientURLs\":[\"http://h:3\"]},{\"ID\":\"b\",\"peerURLs\":[\"http://h:4\"],\"isLearner\":true}]}\n");
    }

    @Test
    void whatAFormatCannotShowIsRefused() {
        assertThatThrownBy(() -> text("table", false, printer -> printer.get(RANGE, false)))
                .isInstanceOfSatisfying(Failure.class, why -> assertThat(why.exitCode()).isEqualTo(4))
                .hasMessage("table not supported as output format");
        assertThatThrownBy(() -> text("protobuf", false, printer -> printer.endpointHealth(List.of())))
                .hasMessage("protobuf not supported as output format");
        assertThatThrownBy(() -> text("yaml", false, printer -> printer.get(RANGE, false)))
                .hasMessage("unsupported output format");
    }

    @Test
    void htmlIsSafeInJson() {
        List<Health> health = List.of(new Health("<&>", false, "1ms", "bad\u2028\u0001\"\\"));
        assertThat(text("json", false, printer -> printer.endpointHealth(health))).isEqualTo(
                "[{\"endpoint\":\"\\u003c\\u0026\\u003e\",\"health\":false,\"took\":\"1ms\","
                        + "\"error\":\"bad\\u2028\\u0001\\\"\\\\\"}]\n");
        assertThat(text("json", false, printer -> printer.endpointHealth(List.of()))).isEqualTo("null\n");
    }
}
