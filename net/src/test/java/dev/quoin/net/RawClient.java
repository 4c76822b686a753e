package dev.quoin.net;

import java.io.ByteArrayOutputStream;
import java.io.DataInputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.OutputStream;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.SocketTimeoutException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.function.Predicate;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.handler.codec.http2.DefaultHttp2HeadersDecoder;
import io.netty.handler.codec.http2.Http2Exception;

/**
 * HTTP/2 by hand: sends whatever frames it is told to, well-formed or not, and tells what came back. One thread; blocking.
 * Header lists are sent as literals without indexing; what comes back is decoded by Netty.
 */
final class RawClient implements AutoCloseable {
    static final int DATA = 0;
    static final int HEADERS = 1;
    static final int RST_STREAM = 3;
    static final int SETTINGS = 4;
    static final int PING = 6;
    static final int GOAWAY = 7;
    static final int WINDOW_UPDATE = 8;
    static final int CONTINUATION = 9;
    static final int END_STREAM = 1;
    static final int END_HEADERS = 4;
    static final int PADDED = 8;
    private static final int WAIT_MILLIS = 10_000;

    private static final String[] ERRORS = {"NO_ERROR", "PROTOCOL_ERROR", "INTERNAL_ERROR", "FLOW_CONTROL_ERROR",
        "SETTINGS_TIMEOUT", "STREAM_CLOSED", "FRAME_SIZE_ERROR", "REFUSED_STREAM", "CANCEL", "COMPRESSION_ERROR",
        "CONNECT_ERROR", "ENHANCE_YOUR_CALM", "INADEQUATE_SECURITY", "HTTP_1_1_REQUIRED"};

    /** A frame that came; {@code fields} for HEADERS only. The end of the connection is a frame of type -1. */
    @SuppressWarnings("ArrayRecordComponent") // Compared by nobody.
    record Frame(int type, int flags, int stream, byte[] payload, List<Map.Entry<String, String>> fields) {
        boolean ends() {
            return (type == DATA || type == HEADERS) && (flags & END_STREAM) != 0;
        }

        boolean isEnd() {
            return type < 0;
        }

        int code() {
            return ByteBuffer.wrap(payload).getInt(type == GOAWAY ? 4 : 0);
        }

        int lastStream() {
            return ByteBuffer.wrap(payload).getInt(0);
        }

        String error() {
            int code = code();
            return code >= 0 && code < ERRORS.length ? ERRORS[code] : Integer.toString(code);
        }

        String debug() {
            return new String(payload, 8, payload.length - 8, StandardCharsets.UTF_8);
        }

        String field(String name) {
            for (Map.Entry<String, String> field : fields) {
                if (field.getKey().equals(name)) {
                    return field.getValue();
                }
            }
            return "";
        }
    }

    private final Socket socket = new Socket();
    private final OutputStream out;
    private final DataInputStream in;
    private final DefaultHttp2HeadersDecoder decoder = new DefaultHttp2HeadersDecoder(false, 1 << 20);
    final List<Frame> seen = new ArrayList<>();
    private boolean refillWindows = true;
    private boolean mute;

    RawClient(InetSocketAddress address) throws IOException {
        socket.connect(address, WAIT_MILLIS);
        socket.setTcpNoDelay(true);
        out = socket.getOutputStream();
        in = new DataInputStream(new java.io.BufferedInputStream(socket.getInputStream(), 1 << 16));
    }

    /** Connected, with preface and SETTINGS sent: pairs of identifier and value. */
    static RawClient open(InetSocketAddress address, int... settings) throws IOException {
        RawClient client = new RawClient(address);
        client.bytes("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".getBytes(StandardCharsets.US_ASCII));
        client.settings(settings);
        return client;
    }

    RawClient withoutRefill() {
        refillWindows = false;
        return this;
    }

    /** Acknowledges nothing any more. */
    RawClient mute() {
        mute = true;
        return this;
    }

    // ---- out ----

    void bytes(byte[] bytes) throws IOException {
        out.write(bytes);
        out.flush();
    }

    static byte[] frame(int type, int flags, int stream, byte[] payload) {
        ByteBuffer frame = ByteBuffer.allocate(9 + payload.length);
        frame.put((byte) (payload.length >> 16)).putShort((short) payload.length);
        frame.put((byte) type).put((byte) flags).putInt(stream).put(payload);
        return frame.array();
    }

    void send(int type, int flags, int stream, byte... payload) throws IOException {
        bytes(frame(type, flags, stream, payload));
    }

    void settings(int... pairs) throws IOException {
        ByteBuffer payload = ByteBuffer.allocate(pairs.length / 2 * 6);
        for (int i = 0; i < pairs.length; i += 2) {
            payload.putShort((short) pairs[i]).putInt(pairs[i + 1]);
        }
        send(SETTINGS, 0, 0, payload.array());
    }

    void headers(int stream, boolean end, List<String[]> fields) throws IOException {
        send(HEADERS, END_HEADERS | (end ? END_STREAM : 0), stream, block(fields));
    }

    void reset(int stream, int code) throws IOException {
        send(RST_STREAM, 0, stream, ByteBuffer.allocate(4).putInt(code).array());
    }

    void ping(long data) throws IOException {
        send(PING, 0, 0, ByteBuffer.allocate(8).putLong(data).array());
    }

    void windowUpdate(int stream, int more) throws IOException {
        send(WINDOW_UPDATE, 0, stream, ByteBuffer.allocate(4).putInt(more).array());
    }

    static byte[] block(List<String[]> fields) {
        ByteArrayOutputStream block = new ByteArrayOutputStream();
        for (String[] field : fields) {
            block.write(0); // literal without indexing, new name
            text(block, field[0]);
            text(block, field[1]);
        }
        return block.toByteArray();
    }

    private static void text(ByteArrayOutputStream block, String text) {
        byte[] bytes = text.getBytes(StandardCharsets.ISO_8859_1);
        if (bytes.length < 127) {
            block.write(bytes.length);
        } else {
            block.write(127);
            int rest = bytes.length - 127;
            while (rest >= 128) {
                block.write((rest & 127) | 128);
                rest >>>= 7;
            }
            block.write(rest);
        }
        block.writeBytes(bytes);
    }

    /** A gRPC message with its prefix. */
    static byte[] message(int flag, byte... body) {
        return ByteBuffer.allocate(5 + body.length).put((byte) flag).putInt(body.length).put(body).array();
    }

    // ---- in ----

    /** The next frame that fits, all before it being kept in {@link #seen}; the end of the connection always fits. */
    Frame await(Predicate<Frame> wanted) throws IOException {
        Frame frame = poll(wanted, WAIT_MILLIS);
        if (frame == null) {
            throw new AssertionError(
                    "waited in vain; came: " + seen.stream().map(f -> f.type() + "/" + f.stream()).toList());
        }
        return frame;
    }

    /** As {@link #await}, or null if nothing of the kind came in time. */
    @org.jspecify.annotations.Nullable
    Frame poll(Predicate<Frame> wanted, int millis) throws IOException {
        long until = System.nanoTime() + millis * 1_000_000L;
        while (true) {
            long left = (until - System.nanoTime()) / 1_000_000;
            if (left <= 0) {
                return null;
            }
            Frame frame;
            try {
                socket.setSoTimeout((int) left);
                frame = read();
            } catch (SocketTimeoutException e) {
                return null;
            } catch (EOFException | java.net.SocketException e) {
                frame = new Frame(-1, 0, 0, new byte[0], List.of());
            }
            seen.add(frame);
            if (frame.isEnd() || wanted.test(frame)) {
                return frame;
            }
        }
    }

    private Frame read() throws IOException {
        int length = (in.readUnsignedByte() << 16) | in.readUnsignedShort();
        int type = in.readUnsignedByte();
        int flags = in.readUnsignedByte();
        int stream = in.readInt();
        byte[] payload = in.readNBytes(length);
        if (payload.length < length) {
            throw new EOFException();
        }
        answer(type, flags, stream, payload);
        return new Frame(type, flags, stream, payload, type == HEADERS ? decode(stream, payload) : List.of());
    }

    private void answer(int type, int flags, int stream, byte[] payload) {
        if (mute) {
            return;
        }
        try {
            if (type == SETTINGS && flags == 0) {
                send(SETTINGS, 1, 0);
            } else if (type == PING && flags == 0) {
                send(PING, 1, 0, payload);
            } else if (type == DATA && payload.length > 0 && refillWindows) {
                windowUpdate(0, payload.length);
                if ((flags & END_STREAM) == 0) {
                    windowUpdate(stream, payload.length);
                }
            }
        } catch (IOException e) {
            // The other side is going: what it still says is worth reading.
            socket.isClosed();
        }
    }

    private List<Map.Entry<String, String>> decode(int stream, byte[] block) {
        ByteBuf buffer = Unpooled.wrappedBuffer(block);
        List<Map.Entry<String, String>> fields = new ArrayList<>();
        try {
            decoder.decodeHeaders(stream, buffer)
                    .forEach(entry -> fields.add(Map.entry(entry.getKey().toString(), entry.getValue().toString())));
        } catch (Http2Exception e) {
            throw new AssertionError("header block cannot be read", e);
        }
        return fields;
    }

    @Override
    public void close() throws IOException {
        socket.close();
    }
}
