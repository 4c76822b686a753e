package dev.quoin.ctl.rpc;

import java.io.BufferedOutputStream;
import java.io.Closeable;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.SocketException;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.HashMap;
import java.util.Map;

import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLParameters;
import javax.net.ssl.SSLServerSocket;

import org.jspecify.annotations.Nullable;

/**
 * A gRPC server in this process that has an answer ready for every call: a rehearsal has somebody to talk to ({@code
 * dev.quoin.ctl.Rehearsal}). It knows as much of HTTP/2 as that takes.
 */
public final class CannedServer implements Closeable {
    private static final int PREFACE_BYTES = 24;
    private static final int DATA = 0;
    private static final int HEADERS = 1;
    private static final int SETTINGS = 4;
    private static final int PING = 6;
    private static final int WINDOW_UPDATE = 8;
    private static final int ACK = 1;
    private static final int END_STREAM = 1;
    private static final int END_HEADERS = 4;
    private static final int STATUS_200 = 8;
    private static final int FRAME_BYTES_MAX = 16_384;

    private final ServerSocket listener;
    private final Map<String, byte[]> answers;

    private CannedServer(ServerSocket listener, Map<String, byte[]> answers) {
        this.listener = listener;
        this.answers = answers;
        start(this::accept);
    }

    /**
     * Without TLS.
     *
     * @param answers a message for each path; other paths are answered by Unimplemented
     */
    public static CannedServer plain(Map<String, byte[]> answers) throws IOException {
        return new CannedServer(new ServerSocket(0, 16, InetAddress.getLoopbackAddress()), answers);
    }

    /**
     * With TLS; it asks for certificates.
     *
     * @param context has a key
     */
    public static CannedServer secure(SSLContext context, Map<String, byte[]> answers) throws IOException {
        ServerSocket listener = context.getServerSocketFactory().createServerSocket(0, 16,
                InetAddress.getLoopbackAddress());
        if (!(listener instanceof SSLServerSocket secure)) {
            throw new IOException("no socket for TLS: " + listener);
        }
        SSLParameters parameters = secure.getSSLParameters();
        parameters.setApplicationProtocols(new String[]{"h2"});
        parameters.setWantClientAuth(true);
        secure.setSSLParameters(parameters);
        return new CannedServer(listener, answers);
    }

    /** Host and port. */
    public String endpoint() {
        return "127.0.0.1:" + listener.getLocalPort();
    }

    private static void start(Runnable work) {
        Thread thread = new Thread(work, "canned");
        thread.setDaemon(true);
        thread.start();
    }

    private void accept() {
        while (!listener.isClosed()) {
            try {
                Socket socket = listener.accept();
                start(() -> serve(socket));
            } catch (SocketException closed) {
                return;
            } catch (IOException why) {
                throw new UncheckedIOException(why);
            }
        }
    }

    private void serve(Socket socket) {
        Map<Integer, String> paths = new HashMap<>();
        try (socket;
                DataInputStream in = new DataInputStream(socket.getInputStream());
                DataOutputStream out = new DataOutputStream(new BufferedOutputStream(socket.getOutputStream()))) {
            in.readFully(new byte[PREFACE_BYTES]);
            frame(out, SETTINGS, 0, 0, new byte[0]);
            while (true) {
                int head = in.readInt();
                int flags = in.readUnsignedByte();
                int id = in.readInt();
                byte[] payload = new byte[head >>> 8];
                in.readFully(payload);
                take(out, paths, head & 0xff, flags, id, payload);
                out.flush();
            }
        } catch (EOFException | SocketException gone) {
            // The client has had its answers.
        } catch (IOException why) {
            throw new UncheckedIOException(why);
        }
    }

    private void take(DataOutputStream out, Map<Integer, String> paths, int type, int flags, int id, byte[] payload)
            throws IOException {
        switch (type) {
            case HEADERS -> paths.put(id, HeaderReader.read(payload).getOrDefault(":path", ""));
            case DATA -> {
                byte[] room = ByteBuffer.allocate(4).putInt(Math.max(payload.length, 1)).array();
                frame(out, WINDOW_UPDATE, 0, 0, room);
                frame(out, WINDOW_UPDATE, 0, id, room);
                if ((flags & END_STREAM) != 0) {
                    answer(out, id, answers.get(paths.remove(id)));
                }
            }
            case SETTINGS -> {
                if ((flags & ACK) == 0) {
                    frame(out, SETTINGS, ACK, 0, new byte[0]);
                }
            }
            case PING -> frame(out, PING, ACK, 0, payload);
            default -> {
                // Nothing that matters here.
            }
        }
    }

    private static void answer(DataOutputStream out, int id, byte @Nullable [] message)
            throws IOException {
        HeaderWriter headers = new HeaderWriter().known(STATUS_200).named(HeaderWriter.CONTENT_TYPE,
                "application/grpc");
        frame(out, HEADERS, END_HEADERS, id, headers.block());
        if (message != null) {
            byte[] framed = ByteBuffer.allocate(5 + message.length).put((byte) 0).putInt(message.length).put(message)
                    .array();
            for (int at = 0; at < framed.length; at += FRAME_BYTES_MAX) {
                frame(out, DATA, 0, id, Arrays.copyOfRange(framed, at, Math.min(framed.length, at + FRAME_BYTES_MAX)));
            }
        }
        HeaderWriter trailers = new HeaderWriter().literal("grpc-status", message == null ? "12" : "0")
                .literal("grpc-message", message == null ? "no answer for this" : "");
        frame(out, HEADERS, END_HEADERS | END_STREAM, id, trailers.block());
    }

    private static void frame(DataOutputStream out, int type, int flags, int id, byte[] payload) throws IOException {
        out.writeInt(payload.length << 8 | type);
        out.writeByte(flags);
        out.writeInt(id);
        out.write(payload);
    }

    @Override
    public void close() throws IOException {
        listener.close();
    }
}
