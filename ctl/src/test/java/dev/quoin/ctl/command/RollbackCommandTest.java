package dev.quoin.ctl.command;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.AbstractMap;
import java.util.ArrayDeque;
import java.util.List;
import java.util.Map;
import java.util.Set;

import com.google.protobuf.ByteString;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

import dev.quoin.api.etcdserverpb.Compare;
import dev.quoin.api.etcdserverpb.RangeResponse;
import dev.quoin.api.etcdserverpb.RequestOp;
import dev.quoin.api.etcdserverpb.ResponseHeader;
import dev.quoin.api.etcdserverpb.ResponseOp;
import dev.quoin.api.etcdserverpb.TxnRequest;
import dev.quoin.api.etcdserverpb.TxnResponse;
import dev.quoin.api.mvccpb.KeyValue;
import dev.quoin.ctl.cli.CommandLine;
import dev.quoin.ctl.cli.Failure;
import dev.quoin.ctl.cli.Streams;
import dev.quoin.ctl.rpc.CannedServer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

/** What a rollback writes, and what it refuses; that a server keeps to the guard is judged in trial. */
class RollbackCommandTest {
    private static final ByteString KEY = ByteString.copyFromUtf8("k");

    private final ByteArrayOutputStream out = new ByteArrayOutputStream();

    private static KeyValue kv(String value, long modRevision, long lease) {
        return KeyValue.newBuilder().setKey(KEY).setValue(ByteString.copyFromUtf8(value)).setModRevision(modRevision)
                .setLease(lease).setVersion(1).build();
    }

    private static RangeResponse range(@Nullable KeyValue kv) {
        RangeResponse.Builder answer = RangeResponse.newBuilder()
                .setHeader(ResponseHeader.newBuilder().setRevision(9));
        return kv == null ? answer.build() : answer.addKvs(kv).setCount(1).build();
    }

    /** A server's answers to reads, in this order, and to a transaction. */
    private static final class Script extends AbstractMap<String, byte[]> {
        private final ArrayDeque<byte[]> reads = new ArrayDeque<>();
        private final byte @Nullable [] written;

        Script(@Nullable TxnResponse written, RangeResponse... reads) {
            this.written = written == null ? null : written.toByteArray();
            for (RangeResponse read : reads) {
                this.reads.add(read.toByteArray());
            }
        }

        @Override
        public byte @Nullable [] get(@Nullable Object path) {
            return switch (String.valueOf(path)) {
                case "/etcdserverpb.KV/Range" -> reads.poll();
                case "/etcdserverpb.KV/Txn" -> written;
                default -> null;
            };
        }

        @Override
        public Set<Entry<String, byte[]>> entrySet() {
            return Set.of();
        }
    }

    /** @param script what the server answers: the key as it is now, then as it was */
    private String run(Script script, String... words) throws IOException {
        try (CannedServer server = CannedServer.plain(script)) {
            PrintStream stream = new PrintStream(out, true, StandardCharsets.UTF_8);
            Streams streams = new Streams(new ByteArrayInputStream(new byte[0]), stream, stream,
                    Map.of("ETCDCTL_ENDPOINTS", server.endpoint()));
            new CommandLine(QuoinCommands.all(streams), stream, stream).run(List.of(words));
        }
        return out.toString(StandardCharsets.UTF_8);
    }

    @Test
    void theValueIsWrittenOnlyIfTheKeyIsWhatWasRead() {
        TxnRequest request = RollbackCommand.transaction(KEY, 7, kv("old", 3, 5));
        Compare guard = request.getCompare(0);
        assertThat(guard.getTarget()).isEqualTo(Compare.CompareTarget.MOD);
        assertThat(guard.getResult()).isEqualTo(Compare.CompareResult.EQUAL);
        assertThat(guard.getModRevision()).isEqualTo(7);
        RequestOp write = request.getSuccess(0);
        assertThat(write.getRequestPut().getValue().toStringUtf8()).isEqualTo("old");
        assertThat(write.getRequestPut().getIgnoreLease()).isTrue();
        assertThat(request.getFailure(0).hasRequestRange()).isTrue();
    }

    @Test
    void aKeyThatIsGoneComesBackWithoutALease() {
        TxnRequest request = RollbackCommand.transaction(KEY, 0, kv("old", 3, 5));
        assertThat(request.getCompare(0).getModRevision()).isZero();
        assertThat(request.getSuccess(0).getRequestPut().getIgnoreLease()).isFalse();
        assertThat(request.getSuccess(0).getRequestPut().getLease()).isZero();
    }

    @Test
    void aKeyThatWasNotThereIsDeleted() {
        assertThat(RollbackCommand.transaction(KEY, 7, null).getSuccess(0).getRequestDeleteRange().getKey())
                .isEqualTo(KEY);
    }

    @Test
    void theValueOfThenIsWrittenBack() throws Exception {
        TxnResponse done = TxnResponse.newBuilder().setHeader(ResponseHeader.newBuilder().setRevision(10))
                .setSucceeded(true).build();
        assertThat(run(new Script(done, range(kv("new", 7, 0x1f)), range(kv("old", 3, 0))), "rollback", "k",
                "--to-rev=4")).isEqualTo("""
                        now:  modified at 7, version 1, lease 000000000000001f, value "new"
                        then: modified at 3, version 1, no lease, value "old"
                        "k" has its value of revision 4 again, by revision 10.
                        """);
    }

    @Test
    void whatIsAsItWasIsLeftAlone() throws Exception {
        // The server knows no transaction: one would end this with an error.
        assertThat(run(new Script(null, range(kv("v", 7, 0)), range(kv("v", 3, 0))), "rollback", "k", "--to-rev=4"))
                .endsWith("Nothing to do: \"k\" is as it was.\n");
        assertThat(run(new Script(null, range(null), range(null)), "rollback", "k", "--to-rev=4"))
                .endsWith("now:  does not exist\nthen: does not exist\nNothing to do: \"k\" is as it was.\n");
    }

    @Test
    void aDryRunWritesNothing() throws Exception {
        assertThat(run(new Script(null, range(kv("new", 7, 0)), range(kv("old", 3, 0))), "rollback", "k",
                "--to-rev=4", "--dry-run"))
                .endsWith("Nothing was written: without --dry-run \"k\" would be given that value.\n");
        assertThat(run(new Script(null, range(kv("new", 7, 0)), range(null)), "rollback", "k", "--to-rev=4",
                "--dry-run", "--delete"))
                .endsWith("Nothing was written: without --dry-run \"k\" would be deleted.\n");
    }

    @Test
    void whatHasChangedMeanwhileIsNotReplaced() {
        refuses("\"k\" has changed meanwhile: it is of revision 8 now. Nothing was written.",
                new Script(notHeld(kv("newer", 8, 0)), range(kv("new", 7, 0)), range(kv("old", 3, 0))), "rollback",
                "k", "--to-rev=4");
        refuses("\"k\" has changed meanwhile: it does not exist any more. Nothing was written.",
                new Script(notHeld(null), range(kv("new", 7, 0)), range(kv("old", 3, 0))), "rollback", "k",
                "--to-rev=4");
    }

    /** A transaction's answer that says that it did not hold. */
    private static TxnResponse notHeld(@Nullable KeyValue meanwhile) {
        return TxnResponse.newBuilder().setHeader(ResponseHeader.newBuilder().setRevision(9))
                .addResponses(ResponseOp.newBuilder().setResponseRange(range(meanwhile))).build();
    }

    @Test
    void aKeyIsDeletedOnlyByThoseWhoSaySo() {
        refuses("\"k\" did not exist at revision 4. To delete it, say --delete. Nothing was written.",
                new Script(null, range(kv("new", 7, 0)), range(null)), "rollback", "k", "--to-rev=4");
    }

    @Test
    void aRevisionThatIsNoneIsRefused() {
        Script nothing = new Script(null);
        refuses("rollback needs --to-rev with a revision of 1 or more", nothing, "rollback", "k");
        refuses("rollback needs one argument, the key", nothing, "rollback", "--to-rev", "3");
        refuses("table not supported as output format", nothing, "rollback", "k", "--to-rev", "3", "-w", "table");
        refuses("there is no revision 10 yet: the store is at revision 9",
                new Script(null, range(kv("v", 7, 0))), "rollback", "k", "--to-rev", "10");
    }

    private void refuses(String why, Script script, String... words) {
        assertThatThrownBy(() -> run(script, words)).isInstanceOf(Failure.class).hasMessage(why);
    }

    @Test
    void whoMistypesIsOfferedWhatThereIs() {
        for (String word : List.of("rolback", "utll", "clustr", "certs")) {
            assertThatThrownBy(() -> run(new Script(null), word)).isInstanceOf(Failure.class);
        }
        assertThat(out.toString(StandardCharsets.UTF_8))
                .contains("Error: unknown command \"rolback\" for \"quoin\"\n\nDid you mean this?\n\trollback\n",
                        "\tutl\n", "\tcluster\n", "\tcert\n", "Run 'quoin --help' for usage.\n");
    }
}
