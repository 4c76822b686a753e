package dev.quoin.ctl;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import java.util.Base64;
import java.util.List;
import java.util.Map;

import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.SSLContext;
import javax.net.ssl.TrustManagerFactory;

import com.google.protobuf.ByteString;

import dev.quoin.api.etcdserverpb.PutResponse;
import dev.quoin.api.etcdserverpb.RangeResponse;
import dev.quoin.api.etcdserverpb.ResponseHeader;
import dev.quoin.api.etcdserverpb.StatusResponse;
import dev.quoin.api.mvccpb.KeyValue;
import dev.quoin.base.Invariant;
import dev.quoin.ctl.cli.Streams;
import dev.quoin.ctl.command.Commands;
import dev.quoin.ctl.rpc.CannedServer;

/**
 * Plays the commands that are used most against servers that have their answers ready, one with TLS, when the image is built: the JVM notes
 * which classes that takes, and starts quickly with them afterwards.
 */
public final class Rehearsal {
    private static final List<List<String>> COMMANDS = List.of(List.of("get", "k"), List.of("get", "-w", "json", "k"),
            List.of("get", "-w", "fields", "--prefix", "k"), List.of("put", "k", "v"),
            List.of("endpoint", "status", "-w", "table"), List.of("endpoint", "status", "-w", "json"),
            List.of("version"));
    private static final String ALIAS = "rehearsal";

    private Rehearsal() {}

    /**
     * Plays them, and ends.
     *
     * @param arguments a directory with {@code keys.p12}, in which a key and its certificate are called {@code rehearsal}, as is what they
     *     are locked with; for {@code 127.0.0.1}
     */
    public static void main(String[] arguments) throws IOException, GeneralSecurityException {
        Path directory = Path.of(arguments[0]);
        Map<String, byte[]> answers = answers();
        try (CannedServer server = CannedServer.plain(answers)) {
            play(Map.of("ETCDCTL_ENDPOINTS", server.endpoint()));
        }
        KeyStore keys = KeyStore.getInstance("PKCS12");
        try (InputStream in = Files.newInputStream(directory.resolve("keys.p12"))) {
            keys.load(in, ALIAS.toCharArray());
        }
        Path certificate = pem(directory.resolve("certificate.pem"), "CERTIFICATE",
                keys.getCertificate(ALIAS).getEncoded());
        Path key = pem(directory.resolve("key.pem"), "PRIVATE KEY",
                keys.getKey(ALIAS, ALIAS.toCharArray()).getEncoded());
        try (CannedServer server = CannedServer.secure(context(keys), answers)) {
            play(Map.of("ETCDCTL_ENDPOINTS", "https://" + server.endpoint(), "ETCDCTL_CACERT", certificate.toString(),
                    "ETCDCTL_CERT", certificate.toString(), "ETCDCTL_KEY", key.toString()));
        }
    }

    private static Map<String, byte[]> answers() {
        ResponseHeader header = ResponseHeader.newBuilder().setClusterId(1).setMemberId(2).setRevision(3).setRaftTerm(4)
                .build();
        RangeResponse range = RangeResponse.newBuilder().setHeader(header).setCount(1)
                .addKvs(KeyValue.newBuilder().setKey(ByteString.copyFromUtf8("k"))
                        .setValue(ByteString.copyFromUtf8("v")).setCreateRevision(2).setModRevision(3).setVersion(1))
                .build();
        return Map.of("/etcdserverpb.KV/Range", range.toByteArray(), "/etcdserverpb.KV/Put",
                PutResponse.newBuilder().setHeader(header).build().toByteArray(), "/etcdserverpb.Maintenance/Status",
                StatusResponse.newBuilder().setHeader(header).setVersion("3.7.1").setDbSize(1).build().toByteArray());
    }

    private static void play(Map<String, String> environment) {
        PrintStream nowhere = new PrintStream(OutputStream.nullOutputStream(), false, StandardCharsets.UTF_8);
        Streams streams = new Streams(new ByteArrayInputStream(new byte[0]), nowhere, nowhere, environment);
        for (List<String> command : COMMANDS) {
            int exitCode = Program.run(Commands.all(streams), command, streams);
            Invariant.check(exitCode == 0, "the rehearsal of %s ends with %d", command, exitCode);
        }
    }

    private static Path pem(Path file, String kind, byte[] content) throws IOException {
        return Files.writeString(file, "-----BEGIN " + kind + "-----\n"
                + Base64.getMimeEncoder().encodeToString(content) + "\n-----END " + kind + "-----\n");
    }

    private static SSLContext context(KeyStore keys) throws GeneralSecurityException {
        KeyManagerFactory own = KeyManagerFactory.getInstance("PKIX");
        own.init(keys, ALIAS.toCharArray());
        TrustManagerFactory trusted = TrustManagerFactory.getInstance("PKIX");
        trusted.init(keys);
        SSLContext context = SSLContext.getInstance("TLS");
        context.init(own.getKeyManagers(), trusted.getTrustManagers(), null);
        return context;
    }
}
