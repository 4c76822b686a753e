package dev.quoin.ctl.rpc;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayDeque;
import java.util.Map;

import org.jspecify.annotations.Nullable;

/**
 * One RPC: messages there, messages back, an end. Any thread may send, one at a time, and any receive. Its inner state belongs to
 * the connection's lock.
 */
public final class Call implements AutoCloseable {
    /** A byte that says whether a message is compressed, and four of its length. */
    private static final int PREFIX_BYTES = 5;

    private final Connection connection;
    private final int id;
    private final Deadline deadline;

    /** Bytes that may still be sent. */
    long sendWindow;

    private final ArrayDeque<byte[]> messages = new ArrayDeque<>();
    private int messageBytes;
    private int untold;
    private final byte[] prefix = new byte[PREFIX_BYTES];
    private int prefixBytes;
    private int awaited;
    private ByteArrayOutputStream message = new ByteArrayOutputStream(0);
    private @Nullable Map<String, String> headers;
    private boolean hasEnded;
    private @Nullable RpcException failure;

    Call(Connection connection, int id, int sendWindow, Deadline deadline) {
        this.connection = connection;
        this.id = id;
        this.sendWindow = sendWindow;
        this.deadline = deadline;
    }

    int id() {
        return id;
    }

    /** Sends a message; waits while the server has no room. */
    public void send(byte[] bytes) {
        send(bytes, false);
    }

    /** Sends the last message. */
    public void sendLast(byte[] bytes) {
        send(bytes, true);
    }

    private void send(byte[] bytes, boolean isLast) {
        byte[] framed = ByteBuffer.allocate(PREFIX_BYTES + bytes.length).put((byte) 0).putInt(bytes.length).put(bytes)
                .array();
        try {
            connection.send(this, framed, isLast, deadline);
        } catch (RpcException late) {
            connection.cancel(this);
            throw late;
        }
    }

    /** Waits for the next message; nothing when the server has ended the call and all is well. */
    public byte @Nullable [] receive() {
        try {
            return next();
        } catch (RpcException why) {
            // Unless the server has ended the call, it has to be told.
            connection.cancel(this);
            throw why;
        }
    }

    private byte @Nullable [] next() {
        byte[] next;
        int room;
        connection.state.lock();
        try {
            while (messages.isEmpty() && !hasEnded) {
                connection.await(deadline);
            }
            next = messages.poll();
            if (next == null) {
                if (failure != null) {
                    throw failure;
                }
                return null;
            }
            messageBytes -= next.length;
            room = hasEnded ? 0 : roomToTell(0);
        } finally {
            connection.state.unlock();
        }
        if (room > 0) {
            try {
                connection.makeRoom(this, room);
            } catch (IOException why) {
                connection.fail(why);
            }
        }
        return next;
    }

    /** The headers that came before the first message, by their names in small letters; none before they have come. */
    public Map<String, String> headers() {
        connection.state.lock();
        try {
            return headers == null ? Map.of() : headers;
        } finally {
            connection.state.unlock();
        }
    }

    /** Gives the call up, if it has not ended. */
    @Override
    public void close() {
        connection.cancel(this);
    }

    // Below: the connection's lock is held.

    boolean hasEnded() {
        return hasEnded;
    }

    void end(@Nullable RpcException why) {
        if (!hasEnded) {
            hasEnded = true;
            failure = why;
        }
    }

    /**
     * Counts bytes that came, and says how many of those that did the server should be told about now. As long as nobody takes the
     * messages it is told nothing, and stops.
     */
    int roomToTell(int bytes) {
        untold += bytes;
        if (untold < Connection.CALL_WINDOW_BYTES / 2 || messageBytes > Connection.CALL_WINDOW_BYTES) {
            return 0;
        }
        int told = untold;
        untold = 0;
        return told;
    }

    /** Takes a piece of the stream of messages. */
    void take(byte[] bytes, int from, int length) {
        int at = from;
        int end = from + length;
        while (at < end) {
            if (prefixBytes < PREFIX_BYTES) {
                prefix[prefixBytes++] = bytes[at++];
                if (prefixBytes == PREFIX_BYTES) {
                    beginMessage();
                }
            } else {
                int piece = Math.min(end - at, awaited - message.size());
                message.write(bytes, at, piece);
                at += piece;
            }
            if (prefixBytes == PREFIX_BYTES && message.size() == awaited) {
                messages.add(message.toByteArray());
                messageBytes += awaited;
                prefixBytes = 0;
            }
        }
    }

    private void beginMessage() {
        if (prefix[0] != 0) {
            throw RpcException.unknown(Code.INTERNAL,
                    "grpc: compressed message without an encoding that was agreed on");
        }
        awaited = ByteBuffer.wrap(prefix, 1, 4).getInt();
        if (awaited < 0 || awaited > connection.receiveBytesMax()) {
            throw RpcException.unknown(Code.RESOURCE_EXHAUSTED, "grpc: received message larger than max ("
                    + Integer.toUnsignedString(awaited) + " vs. " + connection.receiveBytesMax() + ")");
        }
        // It grows with what comes: a length alone is only a claim.
        message = new ByteArrayOutputStream(Math.min(awaited, 1 << 16));
    }

    /**
     * Takes headers or trailers.
     *
     * @return why the call has failed, if it has
     */
    @Nullable
    RpcException takeHeaders(Map<String, String> block, boolean isEnd) {
        if (headers == null) {
            headers = block;
            String status = block.getOrDefault(":status", "");
            if (!status.equals("200")) {
                return RpcException.answered(ofHttp(status),
                        "unexpected HTTP status code received from server: " + status);
            }
            String type = block.getOrDefault("content-type", "");
            if (!type.startsWith("application/grpc")) {
                return RpcException.answered(Code.UNKNOWN,
                        "unexpected HTTP status code received from server: 200 (OK); transport: received unexpected "
                                + "content-type \"" + type + "\"");
            }
        }
        if (!isEnd) {
            return null;
        }
        String status = block.get("grpc-status");
        if (status == null) {
            return RpcException.unknown(Code.INTERNAL, "server closed the stream without sending trailers");
        }
        if (status.equals("0")) {
            return prefixBytes == 0 ? null : RpcException.unknown(Code.INTERNAL, "unexpected EOF");
        }
        Code code = status.length() <= 2 && status.chars().allMatch(Character::isDigit)
                ? Code.of(Integer.parseInt(status))
                : Code.UNKNOWN;
        return RpcException.answered(code, percentDecoded(block.getOrDefault("grpc-message", "")));
    }

    private static Code ofHttp(String status) {
        return switch (status) {
            case "400" -> Code.INTERNAL;
            case "401" -> Code.UNAUTHENTICATED;
            case "403" -> Code.PERMISSION_DENIED;
            case "404" -> Code.UNIMPLEMENTED;
            case "429", "502", "503", "504" -> Code.UNAVAILABLE;
            default -> Code.UNKNOWN;
        };
    }

    /** UTF-8 whose bytes beyond printable ASCII are written {@code %XX}; what is no such code stays. */
    static String percentDecoded(String text) {
        if (text.indexOf('%') < 0) {
            return text;
        }
        ByteArrayOutputStream bytes = new ByteArrayOutputStream(text.length());
        for (int at = 0; at < text.length(); at++) {
            int high = text.charAt(at) == '%' && at + 2 < text.length() ? Character.digit(text.charAt(at + 1), 16) : -1;
            int low = high >= 0 ? Character.digit(text.charAt(at + 2), 16) : -1;
            if (low >= 0) {
                bytes.write(high << 4 | low);
                at += 2;
            } else {
                bytes.write(text.charAt(at));
            }
        }
        return bytes.toString(StandardCharsets.UTF_8);
    }
}
