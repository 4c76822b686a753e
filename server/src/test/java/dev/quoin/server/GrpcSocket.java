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
import java.util.Arrays;

import com.google.protobuf.MessageLite;

/** A client that asks and does not read what it is told: frames of HTTP/2 over a socket, for tests that look elsewhere. */
final class GrpcSocket implements AutoCloseable {
    private static final int PATIENCE_MILLIS = 20_000;
    private static final int DATA = 0;
    private static final int HEADERS = 1;
    private static final int RST_STREAM = 3;
    private static final int SETTINGS = 4;
    private static final int PING = 6;
    private static final int WINDOW_UPDATE = 8;
    private static final int END_STREAM = 1;
    private static final int ACK = 1;
    private static final int END_HEADERS = 4;

    private final Socket socket;
    private final OutputStream out;
    private final DataInputStream in;
    private int nextStream = 1;

    GrpcSocket(InetSocketAddress server) throws IOException {
        socket = new Socket(server.getAddress(), server.getPort());
        socket.setSoTimeout(PATIENCE_MILLIS);
        out = socket.getOutputStream();
        in = new DataInputStream(socket.getInputStream());
        out.write("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".getBytes(StandardCharsets.US_ASCII));
        frame(SETTINGS, 0, 0, new byte[0]);
        frame(WINDOW_UPDATE, 0, 0, ByteBuffer.allocate(4).putInt(1 << 30).array());
    }

    /** Asks, and waits for the end of the answer, whatever it is. */
    void call(String method, MessageLite request, String... headers) throws IOException {
        int stream = open(method, headers);
        message(stream, request, END_STREAM);
        awaitEnd(stream);
    }

    /** Opens a stream, says something and leaves it open; its number. */
    int stream(String method, MessageLite request) throws IOException {
        int stream = open(method);
        message(stream, request, 0);
        return stream;
    }

    void cancel(int stream) throws IOException {
        frame(RST_STREAM, 0, stream, ByteBuffer.allocate(4).putInt(8).array());
    }

    private int open(String method, String... more) throws IOException {
        int stream = nextStream;
        nextStream += 2;
        ByteArrayOutputStream block = new ByteArrayOutputStream();
        literals(block, ":method", "POST", ":scheme", "http", ":path", "/" + method, ":authority", "localhost",
                "content-type", "application/grpc", "te", "trailers");
        literals(block, more);
        frame(HEADERS, END_HEADERS, stream, block.toByteArray());
        return stream;
    }

    private void message(int stream, MessageLite request, int flags) throws IOException {
        byte[] message = request.toByteArray();
        byte[] whole = ByteBuffer.allocate(5 + message.length).put((byte) 0).putInt(message.length).put(message)
                .array();
        int at = 0;
        while (whole.length - at > 16_384) {
            frame(DATA, 0, stream, Arrays.copyOfRange(whole, at, at + 16_384));
            at += 16_384;
        }
        frame(DATA, flags, stream, Arrays.copyOfRange(whole, at, whole.length));
    }

    /** Literals that nobody has to remember, none of them longer than 126 bytes (RFC 7541 §6.2.2). */
    private static void literals(ByteArrayOutputStream block, String... namesAndValues) {
        for (int i = 0; i < namesAndValues.length; i++) {
            if (i % 2 == 0) {
                block.write(0);
            }
            block.write(namesAndValues[i].length());
            block.writeBytes(namesAndValues[i].getBytes(StandardCharsets.US_ASCII));
        }
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
            byte[] payload = in.readNBytes(lengthAndType >>> 8);
            int type = lengthAndType & 0xff;
            if ((type == SETTINGS || type == PING) && (flags & ACK) == 0) {
                frame(type, ACK, 0, type == PING ? payload : new byte[0]);
            }
            boolean isEnd = (type == DATA || type == HEADERS) && (flags & END_STREAM) != 0;
            if (of == stream && (isEnd || type == RST_STREAM)) {
                return;
            }
            if (of == 0 && type == 7) {
                throw new EOFException("the server says goodbye");
            }
        }
    }

    @Override
    public void close() throws IOException {
        socket.close();
    }
}
