package dev.quoin.server;

import java.io.ByteArrayOutputStream;
import java.io.DataInputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.OutputStream;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;

import com.google.protobuf.ByteString;
import com.google.protobuf.MessageLite;

import dev.quoin.api.etcdserverpb.Compare;
import dev.quoin.api.etcdserverpb.DeleteRangeRequest;
import dev.quoin.api.etcdserverpb.MemberListRequest;
import dev.quoin.api.etcdserverpb.PutRequest;
import dev.quoin.api.etcdserverpb.RangeRequest;
import dev.quoin.api.etcdserverpb.RequestOp;
import dev.quoin.api.etcdserverpb.StatusRequest;
import dev.quoin.api.etcdserverpb.TxnRequest;

/**
 * A short life of a member, which the build plays so that the JVM can write down what a member needs of classes and which
 * methods are hot ({@code -XX:AOTCacheOutput}): with that at hand a start takes two thirds of the time (docs/evidence/0007). It asks over the
 * member's own client port, in frames of HTTP/2 written by hand, since a client is no part of the image.
 */
final class Rehearsal implements AutoCloseable {
    /** Set by the build alone. */
    private static final String PROPERTY = "quoin.rehearsal";
    private static final int ROUNDS = 150;
    private static final int READ_MILLIS_MAX = 30_000;
    private static final int FRAME_BYTES_MAX = 1 << 24;
    private static final int DATA = 0;
    private static final int HEADERS = 1;
    private static final int RST_STREAM = 3;
    private static final int SETTINGS = 4;
    private static final int PING = 6;
    private static final int WINDOW_UPDATE = 8;
    /** Beside what a connection begins with: all answers together. */
    private static final int WINDOW_BYTES = 1 << 30;
    private static final int END_STREAM = 1;
    private static final int ACK = 1;
    private static final int END_HEADERS = 4;

    private final Socket socket;
    private final OutputStream out;
    private final DataInputStream in;
    private int nextStream = 1;

    private Rehearsal(InetSocketAddress server) throws IOException {
        socket = new Socket(server.getAddress(), server.getPort());
        socket.setSoTimeout(READ_MILLIS_MAX);
        out = socket.getOutputStream();
        in = new DataInputStream(socket.getInputStream());
    }

    static boolean isAsked() {
        return Boolean.getBoolean(PROPERTY);
    }

    /** Asks what clients ask, many times. */
    static void play(InetSocketAddress server) throws IOException {
        health(server);
        try (Rehearsal client = new Rehearsal(server)) {
            client.out.write("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".getBytes(StandardCharsets.US_ASCII));
            client.frame(SETTINGS, 0, 0, new byte[0]);
            client.frame(WINDOW_UPDATE, 0, 0, ByteBuffer.allocate(4).putInt(WINDOW_BYTES).array());
            for (int i = 0; i < ROUNDS; i++) {
                client.round(ByteString.copyFromUtf8("key-" + i % 50), ByteString.copyFromUtf8("value-" + i));
            }
        }
        health(server);
    }

    private static void health(InetSocketAddress server) throws IOException {
        try (Socket socket = new Socket(server.getAddress(), server.getPort())) {
            socket.setSoTimeout(READ_MILLIS_MAX);
            socket.getOutputStream().write("GET /health HTTP/1.0\r\n\r\n".getBytes(StandardCharsets.US_ASCII));
            socket.getInputStream().readAllBytes();
        }
    }

    private void round(ByteString key, ByteString value) throws IOException {
        PutRequest put = PutRequest.newBuilder().setKey(key).setValue(value).build();
        RangeRequest get = RangeRequest.newBuilder().setKey(key).build();
        call("etcdserverpb.KV/Put", put);
        call("etcdserverpb.KV/Range", get);
        call("etcdserverpb.KV/Range", get.toBuilder().setSerializable(true).build());
        call("etcdserverpb.KV/Range", RangeRequest.newBuilder().setKey(ByteString.copyFromUtf8("key"))
                .setRangeEnd(ByteString.copyFromUtf8("kez")).setLimit(10).build());
        call("etcdserverpb.KV/Txn", TxnRequest.newBuilder()
                .addCompare(Compare.newBuilder().setKey(key).setTarget(Compare.CompareTarget.MOD))
                .addSuccess(RequestOp.newBuilder().setRequestPut(put))
                .addFailure(RequestOp.newBuilder().setRequestRange(get)).build());
        call("etcdserverpb.KV/DeleteRange", DeleteRangeRequest.newBuilder().setKey(key).build());
        call("etcdserverpb.Maintenance/Status", StatusRequest.getDefaultInstance());
        call("etcdserverpb.Cluster/MemberList", MemberListRequest.getDefaultInstance());
    }

    private void call(String method, MessageLite request) throws IOException {
        int stream = nextStream;
        nextStream += 2;
        frame(HEADERS, END_HEADERS, stream, headers(":method", "POST", ":scheme", "http", ":path", "/" + method,
                ":authority", "localhost", "content-type", "application/grpc", "te", "trailers"));
        byte[] message = request.toByteArray();
        frame(DATA, END_STREAM, stream,
                ByteBuffer.allocate(5 + message.length).put((byte) 0).putInt(message.length).put(message).array());
        awaitEnd(stream);
    }

    /** Literals that nobody has to remember, none of them longer than 126 bytes (RFC 7541 §6.2.2). */
    private static byte[] headers(String... namesAndValues) {
        ByteArrayOutputStream block = new ByteArrayOutputStream();
        for (int i = 0; i < namesAndValues.length; i++) {
            if (i % 2 == 0) {
                block.write(0);
            }
            block.write(namesAndValues[i].length());
            block.writeBytes(namesAndValues[i].getBytes(StandardCharsets.US_ASCII));
        }
        return block.toByteArray();
    }

    private void frame(int type, int flags, int stream, byte[] payload) throws IOException {
        out.write(ByteBuffer.allocate(9 + payload.length).put((byte) (payload.length >> 16))
                .putShort((short) payload.length).put((byte) type).put((byte) flags).putInt(stream).put(payload)
                .array());
    }

    private void awaitEnd(int stream) throws IOException {
        while (true) {
            int lengthAndType = in.readInt();
            int flags = in.readUnsignedByte();
            int of = in.readInt();
            byte[] payload = in.readNBytes((lengthAndType >>> 8) % FRAME_BYTES_MAX);
            int type = lengthAndType & 0xff;
            if ((type == SETTINGS || type == PING) && (flags & ACK) == 0) {
                frame(type, ACK, 0, type == PING ? payload : new byte[0]);
            }
            if (of == stream && (type == DATA || type == HEADERS) && (flags & END_STREAM) != 0) {
                return;
            }
            if (of == stream && type == RST_STREAM) {
                throw new EOFException("stream " + stream + " was reset");
            }
        }
    }

    @Override
    public void close() throws IOException {
        socket.close();
    }
}
