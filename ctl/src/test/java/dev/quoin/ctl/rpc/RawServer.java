package dev.quoin.ctl.rpc;

import java.io.ByteArrayOutputStream;
import java.io.Closeable;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.SocketTimeoutException;
import java.nio.ByteBuffer;
import java.util.ArrayDeque;

/** One connection whose frames a test reads and writes itself, one by one. */
final class RawServer implements Closeable {
    static final int DATA = 0;
    static final int HEADERS = 1;
    static final int RST_STREAM = 3;
    static final int SETTINGS = 4;
    static final int PING = 6;
    static final int GOAWAY = 7;
    static final int WINDOW_UPDATE = 8;
    static final int CONTINUATION = 9;

    /** A frame. */
    static final class Frame {
        final int type;
        final int flags;
        final int id;
        final byte[] payload;

        Frame(int type, int flags, int id, byte[] payload) {
            this.type = type;
            this.flags = flags;
            this.id = id;
            this.payload = payload;
        }
    }

    private final ServerSocket listener;
    private final ArrayDeque<Socket> sockets = new ArrayDeque<>();
    private DataInputStream in = new DataInputStream(InputStream.nullInputStream());
    private DataOutputStream out = new DataOutputStream(OutputStream.nullOutputStream());

    RawServer() throws IOException {
        listener = new ServerSocket(0, 16, InetAddress.getLoopbackAddress());
    }

    Endpoint endpoint() {
        return Endpoint.of("127.0.0.1:" + listener.getLocalPort());
    }

    /** Takes the next connection, up to its first settings, and says ours. */
    void accept(byte... settings) throws IOException {
        Socket socket = listener.accept();
        socket.setSoTimeout(10_000);
        sockets.add(socket);
        in = new DataInputStream(socket.getInputStream());
        out = new DataOutputStream(socket.getOutputStream());
        in.readFully(new byte[24]);
        write(SETTINGS, 0, 0, settings);
    }

    /** Whether anybody connects within that time; the connection is left as it is. */
    boolean isDialledWithin(int millis) throws IOException {
        listener.setSoTimeout(millis);
        try {
            sockets.add(listener.accept());
            return true;
        } catch (SocketTimeoutException nobody) {
            return false;
        } finally {
            listener.setSoTimeout(0);
        }
    }

    /** The next frame of this type; others are passed over. */
    Frame next(int type) throws IOException {
        Frame frame = any();
        while (frame.type != type) {
            frame = any();
        }
        return frame;
    }

    /** The next frame. */
    Frame any() throws IOException {
        int head = in.readInt();
        int flags = in.readUnsignedByte();
        int id = in.readInt();
        byte[] payload = new byte[head >>> 8];
        in.readFully(payload);
        return new Frame(head & 0xff, flags, id, payload);
    }

    void write(int type, int flags, int id, byte... payload) throws IOException {
        ByteArrayOutputStream frame = new ByteArrayOutputStream();
        frame.writeBytes(
                ByteBuffer.allocate(9).putInt(payload.length << 8 | type).put((byte) flags).putInt(id).array());
        frame.writeBytes(payload);
        out.write(frame.toByteArray());
    }

    void headers(int id) throws IOException {
        write(HEADERS, 4, id, new HeaderWriter().known(8).named(31, "application/grpc").block());
    }

    void message(int id, byte... message) throws IOException {
        write(DATA, 0, id,
                ByteBuffer.allocate(5 + message.length).put((byte) 0).putInt(message.length).put(message).array());
    }

    void trailers(int id, int status, String message) throws IOException {
        write(HEADERS, 5, id, new HeaderWriter().literal("grpc-status", Integer.toString(status))
                .literal("grpc-message", message).block());
    }

    static byte[] number(int... values) {
        ByteBuffer bytes = ByteBuffer.allocate(4 * values.length);
        for (int value : values) {
            bytes.putInt(value);
        }
        return bytes.array();
    }

    /** Ends the connection. */
    void hangUp() throws IOException {
        Socket socket = sockets.peekLast();
        if (socket != null) {
            socket.close();
        }
    }

    @Override
    public void close() throws IOException {
        listener.close();
        for (Socket socket : sockets) {
            socket.close();
        }
    }
}
