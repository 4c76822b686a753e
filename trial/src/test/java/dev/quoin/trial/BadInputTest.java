package dev.quoin.trial;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;

import com.google.protobuf.ByteString;
import io.etcd.jetcd.api.Compare;
import io.etcd.jetcd.api.DeleteRangeRequest;
import io.etcd.jetcd.api.PutRequest;
import io.etcd.jetcd.api.RangeRequest;
import io.etcd.jetcd.api.RequestOp;
import io.etcd.jetcd.api.TxnRequest;
import io.grpc.CallOptions;
import io.grpc.MethodDescriptor;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.grpc.stub.ClientCalls;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import static dev.quoin.trial.PlainClient.bytes;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

/** Requests that must not work: each is refused in etcd's words, and after each the server still serves. */
class BadInputTest {
    private static final int REQUEST_BYTES_MAX = 1_572_864;
    private static final int FRAME_SLACK_BYTES = 512 * 1024;

    @TempDir
    @SuppressWarnings("NullAway.Init")
    static Path home;

    @SuppressWarnings("NullAway.Init")
    private static ServerProcess server;
    @SuppressWarnings("NullAway.Init")
    private static PlainClient client;

    private long revision;

    @BeforeAll
    static void start() throws Exception {
        server = ServerProcess.started(home);
        client = new PlainClient(server);
        client.put("there", "1");
    }

    @AfterAll
    static void stop() throws Exception {
        client.close();
        server.close();
    }

    @BeforeEach
    void rememberTheRevision() {
        revision = client.kv().range(RangeRequest.newBuilder().setKey(bytes("there")).build()).getHeader()
                .getRevision();
    }

    @AfterEach
    void theServerStillServesAndNothingWasWritten() {
        assertThat(client.put("there", "1").getHeader().getRevision()).isEqualTo(revision + 1);
        assertThat(server.isAlive()).isTrue();
    }

    private static void refused(ThrowingCallable call, Status.Code code, String text) {
        Status status = catchThrowableOfType(StatusRuntimeException.class, call).getStatus();
        assertThat(status.getCode() + " " + status.getDescription()).isEqualTo(code + " " + text);
    }

    private static RequestOp put(String key) {
        return RequestOp.newBuilder()
                .setRequestPut(PutRequest.newBuilder().setKey(bytes(key)).setValue(bytes("x"))).build();
    }

    private static void txn(TxnRequest.Builder txn) {
        client.kv().txn(txn.build());
    }

    @Test
    void anEmptyKey() {
        String text = "etcdserver: key is not provided";
        refused(() -> client.put("", "x"), Status.Code.INVALID_ARGUMENT, text);
        refused(() -> client.kv().range(RangeRequest.getDefaultInstance()), Status.Code.INVALID_ARGUMENT, text);
        refused(() -> client.kv().deleteRange(DeleteRangeRequest.getDefaultInstance()), Status.Code.INVALID_ARGUMENT,
                text);
        refused(() -> txn(TxnRequest.newBuilder().addSuccess(put("a")).addSuccess(put(""))),
                Status.Code.INVALID_ARGUMENT, text);
        refused(() -> txn(TxnRequest.newBuilder().addCompare(Compare.getDefaultInstance())),
                Status.Code.INVALID_ARGUMENT, text);
    }

    @Test
    void oneHundredAndTwentyNineOperations() {
        TxnRequest.Builder txn = TxnRequest.newBuilder();
        for (int i = 0; i < 129; i++) {
            txn.addSuccess(put("many-" + i));
        }
        refused(() -> txn(txn), Status.Code.INVALID_ARGUMENT, "etcdserver: too many operations in txn request");
        assertThat(client.pairs("many-")).isEmpty();
    }

    @Test
    void aKeyPutTwice() {
        refused(() -> txn(TxnRequest.newBuilder().addSuccess(put("twice")).addSuccess(put("twice"))),
                Status.Code.INVALID_ARGUMENT, "etcdserver: duplicate key given in txn request");
        assertThat(client.pairs("twice")).isEmpty();
    }

    @Test
    void aRequestOverTheLimit() {
        refused(() -> client.put("large", "x".repeat(REQUEST_BYTES_MAX)), Status.Code.INVALID_ARGUMENT,
                "etcdserver: request is too large");
        assertThat(client.pairs("large")).isEmpty();
    }

    @Test
    void aMessageThatNoRequestCouldBe() {
        int limit = REQUEST_BYTES_MAX + FRAME_SLACK_BYTES;
        PutRequest put = PutRequest.newBuilder().setKey(bytes("huge")).setValue(bytes("x".repeat(3 << 20))).build();
        refused(() -> client.kv().put(put), Status.Code.RESOURCE_EXHAUSTED,
                "grpc: received message larger than max (%d vs. %d)".formatted(put.getSerializedSize(), limit));
        assertThat(client.pairs("huge")).isEmpty();
    }

    /** A message whose first field claims to be longer than the message. */
    @Test
    void bytesThatAreNoMessage() {
        MethodDescriptor<ByteString, ByteString> put = MethodDescriptor.newBuilder(new AsTheyAre(), new AsTheyAre())
                .setType(MethodDescriptor.MethodType.UNARY).setFullMethodName("etcdserverpb.KV/Put").build();
        ByteString malformed = ByteString.copyFrom(new byte[]{0x0a, 0x7f, 0x01});
        Status status = catchThrowableOfType(StatusRuntimeException.class, () -> ClientCalls
                .blockingUnaryCall(client.channel(), put, CallOptions.DEFAULT, malformed)).getStatus();
        assertThat(status.getCode()).isEqualTo(Status.Code.INTERNAL);
        assertThat(status.getDescription()).startsWith("grpc: error unmarshalling request: ");
    }

    private record AsTheyAre() implements MethodDescriptor.Marshaller<ByteString> {
        @Override
        public InputStream stream(ByteString value) {
            return new ByteArrayInputStream(value.toByteArray());
        }

        @Override
        public ByteString parse(InputStream stream) {
            try {
                return ByteString.readFrom(stream);
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }
    }

    @Test
    void aMethodThatIsNotThere() {
        MethodDescriptor<ByteString, ByteString> nothing = MethodDescriptor
                .newBuilder(new AsTheyAre(), new AsTheyAre()).setType(MethodDescriptor.MethodType.UNARY)
                .setFullMethodName("etcdserverpb.KV/Nothing").build();
        refused(() -> ClientCalls.blockingUnaryCall(client.channel(), nothing, CallOptions.DEFAULT, ByteString.EMPTY),
                Status.Code.UNIMPLEMENTED, "unknown method Nothing for service etcdserverpb.KV");
    }

    /** An HTTP/2 frame longer than any may be: the connection is given up, not the server. */
    @Test
    void aFrameThatIsMalformed() throws Exception {
        try (Socket socket = new Socket(InetAddress.getLoopbackAddress(), server.clientPort())) {
            socket.setSoTimeout(10_000);
            socket.getOutputStream().write("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".getBytes(StandardCharsets.US_ASCII));
            socket.getOutputStream().write(new byte[]{0, 0, 0, 4, 0, 0, 0, 0, 0});
            socket.getOutputStream().write(new byte[]{(byte) 0xff, (byte) 0xff, (byte) 0xff, 0, 0, 0, 0, 0, 1});
            socket.getOutputStream().flush();
            socket.getInputStream().readAllBytes(); // ends only when the server closes
        }
    }

    @Test
    void noise() throws Exception {
        try (Socket socket = new Socket(InetAddress.getLoopbackAddress(), server.clientPort())) {
            socket.setSoTimeout(10_000);
            socket.getOutputStream().write("\u0001\u0002 nonsense\r\n\r\n".getBytes(StandardCharsets.US_ASCII));
            socket.getOutputStream().flush();
            socket.getInputStream().readAllBytes();
        }
    }
}
