package dev.quoin.ctl;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;

import com.google.protobuf.ByteString;

import dev.quoin.api.etcdserverpb.PutResponse;
import dev.quoin.api.etcdserverpb.RangeResponse;
import dev.quoin.api.etcdserverpb.ResponseHeader;
import dev.quoin.api.etcdserverpb.StatusResponse;
import dev.quoin.api.mvccpb.KeyValue;
import dev.quoin.base.Invariant;
import dev.quoin.ctl.cli.Streams;
import dev.quoin.ctl.rpc.CannedServer;

/**
 * Plays the commands that are used most against a server that has its answers ready, when the image is built: the JVM notes which classes
 * that takes, and starts quickly with them afterwards.
 */
public final class Rehearsal {
    private static final List<List<String>> COMMANDS = List.of(List.of("get", "k"), List.of("get", "-w", "json", "k"),
            List.of("get", "-w", "fields", "--prefix", "k"), List.of("put", "k", "v"),
            List.of("endpoint", "status", "-w", "table"), List.of("endpoint", "status", "-w", "json"),
            List.of("version"));

    private Rehearsal() {}

    public static void main(String[] arguments) throws IOException {
        ResponseHeader header = ResponseHeader.newBuilder().setClusterId(1).setMemberId(2).setRevision(3).setRaftTerm(4)
                .build();
        RangeResponse range = RangeResponse.newBuilder().setHeader(header).setCount(1)
                .addKvs(KeyValue.newBuilder().setKey(ByteString.copyFromUtf8("k"))
                        .setValue(ByteString.copyFromUtf8("v")).setCreateRevision(2).setModRevision(3).setVersion(1))
                .build();
        Map<String, byte[]> answers = Map.of("/etcdserverpb.KV/Range", range.toByteArray(), "/etcdserverpb.KV/Put",
                PutResponse.newBuilder().setHeader(header).build().toByteArray(), "/etcdserverpb.Maintenance/Status",
                StatusResponse.newBuilder().setHeader(header).setVersion("3.7.1").setDbSize(1).build().toByteArray());
        try (CannedServer server = new CannedServer(answers)) {
            PrintStream nowhere = new PrintStream(OutputStream.nullOutputStream(), false, StandardCharsets.UTF_8);
            Streams streams = new Streams(new ByteArrayInputStream(new byte[0]), nowhere, nowhere,
                    Map.of("ETCDCTL_ENDPOINTS", server.endpoint()));
            for (List<String> command : COMMANDS) {
                int exitCode = Main.run(command, streams);
                Invariant.check(exitCode == 0, "the rehearsal of %s ends with %d", command, exitCode);
            }
        }
    }
}
