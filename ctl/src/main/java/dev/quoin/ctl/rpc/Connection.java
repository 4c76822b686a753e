package dev.quoin.ctl.rpc;

import java.io.BufferedOutputStream;
import java.io.Closeable;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.io.InterruptedIOException;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;

import org.jspecify.annotations.Nullable;

/**
 * One HTTP/2 connection of a client (RFC 9113) with any number of calls on it.
 *
 * <p>Threads: a reader takes frames in and tells the calls; it waits for no caller. Callers write their frames themselves. A watchman
 * sees to it that a server from which nothing comes is given up. Two locks: {@code state} for windows, calls and what they hold; {@code
 * writing} for the socket, so that whoever waits for the socket keeps nobody from being told. Where both are held, {@code writing} was
 * taken first.
 *
 * <p>Nothing here waits without an end: for an answer as long as the call's deadline says; for the socket, to be written to, until the
 * deadline or the watchman closes it.
 *
 * <p>Memory: a call may hold {@link #CALL_WINDOW_BYTES} of messages that nobody has taken, and one more of any size.
 */
final class Connection implements Closeable {
    /** What a server may send of one call before it is told that there is room again. */
    static final int CALL_WINDOW_BYTES = 4 << 20;
    /** Beyond any call's window: the windows of calls are the bound. */
    private static final int CONNECTION_WINDOW_BYTES = 1 << 30;
    private static final int DEFAULT_WINDOW_BYTES = 65_535;
    /** What every server takes, and what it may send. */
    private static final int FRAME_BYTES_MAX = 16_384;
    /** A block of headers that is longer is no answer of a gRPC server. */
    private static final int HEADER_BLOCK_BYTES_MAX = 1 << 20;

    private static final byte[] PREFACE = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".getBytes(StandardCharsets.US_ASCII);
    private static final int FRAME_HEADER_BYTES = 9;

    private static final int DATA = 0;
    private static final int HEADERS = 1;
    private static final int RST_STREAM = 3;
    private static final int SETTINGS = 4;
    private static final int PUSH_PROMISE = 5;
    private static final int PING = 6;
    private static final int GOAWAY = 7;
    private static final int WINDOW_UPDATE = 8;
    private static final int CONTINUATION = 9;

    private static final int END_STREAM = 0x1;
    private static final int ACK = 0x1;
    private static final int END_HEADERS = 0x4;
    private static final int PADDED = 0x8;
    private static final int PRIORITY = 0x20;
    private static final int PRIORITY_BYTES = 5;

    private static final int HEADER_TABLE_SIZE = 1;
    private static final int ENABLE_PUSH = 2;
    private static final int MAX_CONCURRENT_STREAMS = 3;
    private static final int INITIAL_WINDOW_SIZE = 4;

    private static final int ERROR_CANCEL = 8;
    /** For how long a call that is given up waits to say so. */
    private static final long CANCEL_MILLIS = 100;
    private static final String LATE = "context deadline exceeded";
    private static final long END_MILLIS = 100;

    /**
     * What the channel knows of its connections.
     *
     * @param keepAliveNanos after so long without a byte, while calls are under way, the server is asked for a sign of life; it may be
     *     as long again until this is noticed
     * @param keepAliveTimeoutNanos how long it may take to give one
     * @param receiveBytesMax how long a message may be
     */
    record Settings(long keepAliveNanos, long keepAliveTimeoutNanos, int receiveBytesMax) {}

    final ReentrantLock state = new ReentrantLock();
    /** Anything a caller may wait for has changed. */
    final Condition changed = state.newCondition();

    private final Wire wire;
    private final Settings settings;
    private final String authority;
    private final boolean isSecure;
    private final InputStream in;
    private final OutputStream out;
    private final ReentrantLock writing = new ReentrantLock();

    private final Map<Integer, Call> calls = new HashMap<>();
    private int nextId = 1;
    private long sendWindow = DEFAULT_WINDOW_BYTES;
    private int callWindow = DEFAULT_WINDOW_BYTES;
    private long callsMax = Integer.MAX_VALUE;
    private boolean isDraining;
    private boolean isGreeted;
    private @Nullable RpcException dead;
    private String lastWords = "";

    private @Nullable Thread reader;

    /** When something came last. */
    private volatile long heardAtNanos = System.nanoTime();

    // The reader's own.
    private int consumed;

    private Connection(Wire wire, Endpoint endpoint, boolean isSecure, Settings settings) throws IOException {
        this.wire = wire;
        this.settings = settings;
        this.authority = endpoint.authority();
        this.isSecure = isSecure;
        this.in = wire.in();
        this.out = new BufferedOutputStream(wire.out(), 2 * FRAME_BYTES_MAX);
    }

    /**
     * Connects, and waits until the server has said that it speaks HTTP/2, as grpc-go does: a host that takes connections and says
     * nothing is left for another, and no call is given to it.
     *
     * @param patience until when all of that may last
     */
    static Connection open(Endpoint endpoint, @Nullable Tls tls, Settings settings, Deadline patience)
            throws IOException {
        Wire wire = Wire.open(endpoint, tls, patience);
        Connection connection = new Connection(wire, endpoint, endpoint.isSecure(tls != null), settings);
        try {
            connection.greet();
            connection.reader = start("rpc " + endpoint.address(), connection::read);
            connection.awaitGreeting(patience);
        } catch (IOException why) {
            connection.close();
            throw why;
        }
        start("rpc watchman", connection::watch);
        return connection;
    }

    private static Thread start(String name, Runnable work) {
        Thread thread = new Thread(work, name);
        thread.setDaemon(true);
        thread.start();
        return thread;
    }

    private void greet() throws IOException {
        out.write(PREFACE);
        ByteBuffer payload = ByteBuffer.allocate(18).putShort((short) HEADER_TABLE_SIZE).putInt(0)
                .putShort((short) ENABLE_PUSH).putInt(0).putShort((short) INITIAL_WINDOW_SIZE)
                .putInt(CALL_WINDOW_BYTES);
        write(SETTINGS, 0, 0, payload.array());
        write(WINDOW_UPDATE, 0, 0, number(CONNECTION_WINDOW_BYTES - DEFAULT_WINDOW_BYTES));
        out.flush();
    }

    private void awaitGreeting(Deadline patience) throws IOException {
        state.lock();
        try {
            while (!isGreeted && dead == null) {
                if (patience.isOver() || changed.awaitNanos(patience.nanosLeft()) <= 0) {
                    throw new IOException("error reading server preface: " + LATE);
                }
            }
            if (!isGreeted) {
                throw new IOException("error reading server preface: " + lastWords);
            }
        } catch (InterruptedException stop) {
            Thread.currentThread().interrupt();
            throw new InterruptedIOException("context canceled");
        } finally {
            state.unlock();
        }
    }

    // The watchman's thread.

    /** Asks a server from which nothing comes for a sign of life, and gives the connection up if there is none. */
    private void watch() {
        boolean hasAsked = false;
        try {
            while (isAlive()) {
                long heardBefore = heardAtNanos;
                TimeUnit.NANOSECONDS.sleep(hasAsked ? settings.keepAliveTimeoutNanos : settings.keepAliveNanos);
                if (heardAtNanos != heardBefore || isIdle()) {
                    hasAsked = false;
                } else if (hasAsked) {
                    fail(new IOException("keepalive ping failed to receive ACK within timeout"));
                } else {
                    hasAsked = true;
                    // Not by the watchman: the socket may take nothing any more.
                    start("rpc ping", this::ping);
                }
            }
        } catch (InterruptedException stop) {
            fail(new IOException("the watchman was stopped", stop));
        }
    }

    private boolean isAlive() {
        state.lock();
        try {
            return dead == null;
        } finally {
            state.unlock();
        }
    }

    private boolean isIdle() {
        state.lock();
        try {
            return calls.isEmpty();
        } finally {
            state.unlock();
        }
    }

    private void ping() {
        try {
            writeNow(PING, 0, 0, new byte[8]);
        } catch (IOException why) {
            fail(why);
        }
    }

    /** Whether new calls may begin here. */
    boolean isUsable() {
        state.lock();
        try {
            return dead == null && !isDraining && nextId > 0;
        } finally {
            state.unlock();
        }
    }

    int receiveBytesMax() {
        return settings.receiveBytesMax;
    }

    /**
     * Begins a call; its headers may wait for its first message to leave with them.
     *
     * @param path {@code /service/method}
     * @param metadata more headers
     */
    Call begin(String path, Map<String, String> metadata, Deadline deadline) {
        HeaderWriter headers = new HeaderWriter().known(HeaderWriter.METHOD_POST)
                .known(isSecure ? HeaderWriter.SCHEME_HTTPS : HeaderWriter.SCHEME_HTTP)
                .named(HeaderWriter.PATH, path).named(HeaderWriter.AUTHORITY, authority)
                .named(HeaderWriter.CONTENT_TYPE, "application/grpc")
                .named(HeaderWriter.USER_AGENT, "etcdctl-quoin").literal("te", "trailers");
        if (deadline.isFinite()) {
            headers.literal("grpc-timeout", deadline.header());
        }
        metadata.forEach(headers::secret);
        awaitRoom(deadline);
        writing.lock();
        try {
            Call call = enlist(deadline);
            writeHeaders(call.id(), headers.block());
            return call;
        } catch (IOException why) {
            throw lost(why, RpcException.Outcome.UNTOUCHED);
        } finally {
            writing.unlock();
        }
    }

    /** Waits until the server takes one more call. */
    private void awaitRoom(Deadline deadline) {
        state.lock();
        try {
            while (calls.size() >= callsMax && dead == null && !isDraining) {
                await(deadline);
            }
        } finally {
            state.unlock();
        }
    }

    private Call enlist(Deadline deadline) {
        state.lock();
        try {
            if (dead != null || isDraining || nextId < 0) {
                throw RpcException.untouched(Code.UNAVAILABLE, "the connection is closing");
            }
            Call call = new Call(this, nextId, callWindow, deadline);
            calls.put(nextId, call);
            nextId += 2;
            return call;
        } finally {
            state.unlock();
        }
    }

    private void writeHeaders(int id, byte[] block) throws IOException {
        int at = 0;
        int type = HEADERS;
        do {
            int length = Math.min(FRAME_BYTES_MAX, block.length - at);
            boolean isLast = at + length == block.length;
            writeHead(length, type, isLast ? END_HEADERS : 0, id);
            out.write(block, at, length);
            at += length;
            type = CONTINUATION;
        } while (at < block.length);
    }

    /** Waits for a change; {@code state} is held, and whoever calls looks again at what it waits for. */
    @SuppressWarnings("WaitNotInLoop")
    void await(Deadline deadline) {
        try {
            long left = deadline.nanosLeft();
            if (left <= 0) {
                throw RpcException.late(LATE);
            }
            if (!deadline.isFinite()) {
                changed.await();
            } else if (changed.awaitNanos(left) <= 0) {
                throw RpcException.late(LATE);
            }
        } catch (InterruptedException stop) {
            Thread.currentThread().interrupt();
            throw RpcException.unknown(Code.CANCELED, "context canceled");
        }
    }

    /**
     * Sends bytes of a call as far as windows allow, and waits where they do not.
     *
     * @param isLast nothing follows
     */
    void send(Call call, byte[] bytes, boolean isLast, Deadline deadline) {
        if (bytes.length <= FRAME_BYTES_MAX || !deadline.isFinite()) {
            sendAll(call, bytes, isLast, deadline);
            return;
        }
        // As much as this may not fit into the socket; who waits for that is ended by its end only.
        try (Fuse fuse = new Fuse(wire, deadline.nanosLeft())) {
            try {
                sendAll(call, bytes, isLast, deadline);
            } catch (RpcException why) {
                throw fuse.hasBurnt() ? RpcException.late(LATE) : why;
            }
            if (fuse.hasBurnt()) {
                throw RpcException.late(LATE);
            }
        }
    }

    private void sendAll(Call call, byte[] bytes, boolean isLast, Deadline deadline) {
        int at = 0;
        do {
            int length = reserve(call, bytes.length - at, deadline);
            if (length < 0) {
                return;
            }
            writing.lock();
            try {
                writeHead(length, DATA, isLast && at + length == bytes.length ? END_STREAM : 0, call.id());
                out.write(bytes, at, length);
                at += length;
                if (at == bytes.length) {
                    out.flush();
                }
            } catch (IOException why) {
                throw lost(why, RpcException.Outcome.UNKNOWN);
            } finally {
                writing.unlock();
            }
        } while (at < bytes.length);
    }

    /** Takes room for up to so many bytes out of both windows; -1 if the server has ended the call already. */
    private int reserve(Call call, int wanted, Deadline deadline) {
        boolean isFlushed = false;
        while (true) {
            state.lock();
            try {
                if (call.hasEnded()) {
                    return -1;
                }
                int length = (int) Math.min(Math.min(wanted, FRAME_BYTES_MAX), Math.min(sendWindow, call.sendWindow));
                if (length > 0 || wanted == 0) {
                    sendWindow -= length;
                    call.sendWindow -= length;
                    return length;
                }
                if (isFlushed) {
                    await(deadline);
                    continue;
                }
            } finally {
                state.unlock();
            }
            // The server can only make room once it has what came before.
            flush();
            isFlushed = true;
        }
    }

    private void flush() {
        writing.lock();
        try {
            out.flush();
        } catch (IOException why) {
            throw lost(why, RpcException.Outcome.UNKNOWN);
        } finally {
            writing.unlock();
        }
    }

    /** Gives a call up; the server is told, unless somebody else is busy with a socket that takes nothing. */
    void cancel(Call call) {
        state.lock();
        try {
            if (call.hasEnded()) {
                return;
            }
            forget(call, RpcException.unknown(Code.CANCELED, "context canceled"));
        } finally {
            state.unlock();
        }
        try {
            if (!writing.tryLock(CANCEL_MILLIS, TimeUnit.MILLISECONDS)) {
                return;
            }
            try {
                writeNow(RST_STREAM, 0, call.id(), number(ERROR_CANCEL));
            } finally {
                writing.unlock();
            }
        } catch (InterruptedException stop) {
            Thread.currentThread().interrupt();
        } catch (IOException why) {
            fail(why);
        }
    }

    /** Tells the server that a call has room again. */
    void makeRoom(Call call, int bytes) throws IOException {
        writeNow(WINDOW_UPDATE, 0, call.id(), number(bytes));
    }

    private void forget(Call call, RpcException why) {
        calls.remove(call.id());
        call.end(why);
        changed.signalAll();
    }

    private RpcException lost(IOException why, RpcException.Outcome outcome) {
        fail(why);
        return new RpcException(Code.UNAVAILABLE, "error writing to server: " + why.getMessage(), outcome);
    }

    /** The end of the connection: every call on it ends, with nothing known of what became of it. */
    void fail(IOException why) {
        String words = why instanceof EOFException ? "EOF" : Tls.words(why);
        state.lock();
        try {
            if (dead == null) {
                lastWords = words;
                dead = RpcException.unknown(Code.UNAVAILABLE, "error reading from server: " + words);
                for (Call call : List.copyOf(calls.values())) {
                    forget(call, dead);
                }
                changed.signalAll();
            }
        } finally {
            state.unlock();
        }
        close();
    }

    @Override
    public void close() {
        try {
            wire.close();
        } catch (IOException alreadyBroken) {
            // It is of no use any more either way, and its calls have been told why.
        }
    }

    /**
     * Closes it, and waits a little until the reader has noticed. A JVM that is to end while a thread is in a read of its system gives that
     * thread 0.3 s to come back (HotSpot: VM_Exit::wait_for_threads_in_native_to_block), which is more than all the rest takes.
     */
    void end() {
        close();
        Thread reading = reader;
        try {
            if (reading != null) {
                reading.join(END_MILLIS);
            }
        } catch (InterruptedException stop) {
            Thread.currentThread().interrupt();
        }
    }

    // Frames out.

    private static byte[] number(int value) {
        return ByteBuffer.allocate(4).putInt(value).array();
    }

    private void writeHead(int length, int type, int flags, int id) throws IOException {
        out.write(length >> 16);
        out.write(length >> 8);
        out.write(length);
        out.write(type);
        out.write(flags);
        out.write(number(id));
    }

    private void write(int type, int flags, int id, byte[] payload) throws IOException {
        writeHead(payload.length, type, flags, id);
        out.write(payload);
    }

    private void writeNow(int type, int flags, int id, byte[] payload) throws IOException {
        writing.lock();
        try {
            write(type, flags, id, payload);
            out.flush();
        } finally {
            writing.unlock();
        }
    }

    // Frames in: the reader's thread.

    private void read() {
        try {
            byte[] head = new byte[FRAME_HEADER_BYTES];
            while (true) {
                readFully(head);
                int length = (head[0] & 0xff) << 16 | (head[1] & 0xff) << 8 | (head[2] & 0xff);
                if (length > FRAME_BYTES_MAX) {
                    throw new IOException("the server sent a frame of " + length + " bytes");
                }
                byte[] payload = new byte[length];
                readFully(payload);
                int id = ByteBuffer.wrap(head, 5, 4).getInt() & Integer.MAX_VALUE;
                take(head[3], head[4] & 0xff, id, payload);
            }
        } catch (IOException why) {
            fail(why);
        } catch (RuntimeException | Error bug) {
            fail(new IOException("bug: " + bug, bug));
        }
    }

    private void readFully(byte[] bytes) throws IOException {
        int at = 0;
        while (at < bytes.length) {
            int length = in.read(bytes, at, bytes.length - at);
            if (length < 0) {
                throw new EOFException();
            }
            at += length;
            heardAtNanos = System.nanoTime();
        }
    }

    private void take(int type, int flags, int id, byte[] payload) throws IOException {
        if (!isGreeted && type != SETTINGS) {
            throw new IOException("http2: frame type " + type + ", want SETTINGS");
        }
        switch (type) {
            case DATA -> takeData(flags, id, payload);
            case HEADERS -> takeHeaders(flags, id, payload);
            case RST_STREAM -> takeReset(id, payload);
            case SETTINGS -> takeSettings(flags, payload);
            case PING -> {
                if ((flags & ACK) == 0) {
                    writeNow(PING, ACK, 0, payload);
                }
            }
            case GOAWAY -> takeGoAway(payload);
            case WINDOW_UPDATE -> takeRoom(id, payload);
            case PUSH_PROMISE, CONTINUATION -> throw new IOException("the server sent a frame of type " + type
                    + " that nobody asked for");
            default -> {
                // Frames of a kind that is not known are passed over (RFC 9113, 4.1).
            }
        }
    }

    private void takeData(int flags, int id, byte[] payload) throws IOException {
        consumed += payload.length;
        if (consumed >= CONNECTION_WINDOW_BYTES / 4) {
            writeNow(WINDOW_UPDATE, 0, 0, number(consumed));
            consumed = 0;
        }
        int padding = padding(flags, payload);
        int begin = (flags & PADDED) == 0 ? 0 : 1;
        int room = 0;
        Call call;
        state.lock();
        try {
            call = calls.get(id);
            if (call != null) {
                call.take(payload, begin, payload.length - padding - begin);
                room = call.roomToTell(payload.length);
                if ((flags & END_STREAM) != 0) {
                    forget(call, RpcException.unknown(Code.INTERNAL,
                            "server closed the stream without sending trailers"));
                }
                changed.signalAll();
            }
        } catch (RpcException refused) {
            call = calls.get(id);
            if (call != null) {
                forget(call, refused);
            }
        } finally {
            state.unlock();
        }
        if (call != null && room > 0 && (flags & END_STREAM) == 0) {
            makeRoom(call, room);
        }
    }

    private static int padding(int flags, byte[] payload) throws IOException {
        if ((flags & PADDED) == 0) {
            return 0;
        }
        if (payload.length == 0 || (payload[0] & 0xff) >= payload.length) {
            throw new IOException("the server sent a frame that is all padding");
        }
        return payload[0] & 0xff;
    }

    private void takeHeaders(int flags, int id, byte[] payload) throws IOException {
        int begin = ((flags & PADDED) == 0 ? 0 : 1) + ((flags & PRIORITY) == 0 ? 0 : PRIORITY_BYTES);
        int end = payload.length - padding(flags, payload);
        if (begin > end) {
            throw new IOException("the server sent headers that are too short");
        }
        byte[] block = Arrays.copyOfRange(payload, begin, end);
        if ((flags & END_HEADERS) == 0) {
            block = withContinuations(id, block);
        }
        Map<String, String> headers = HeaderReader.read(block);
        state.lock();
        try {
            Call call = calls.get(id);
            if (call == null) {
                return;
            }
            boolean isEnd = (flags & END_STREAM) != 0;
            RpcException why = call.takeHeaders(headers, isEnd);
            if (isEnd || why != null) {
                calls.remove(id);
                call.end(why);
            }
            changed.signalAll();
        } finally {
            state.unlock();
        }
    }

    private byte[] withContinuations(int id, byte[] first) throws IOException {
        byte[] block = first;
        byte[] head = new byte[FRAME_HEADER_BYTES];
        while (true) {
            readFully(head);
            int length = (head[0] & 0xff) << 16 | (head[1] & 0xff) << 8 | (head[2] & 0xff);
            boolean isOfThis = head[3] == CONTINUATION && ByteBuffer.wrap(head, 5, 4).getInt() == id;
            if (!isOfThis || length > FRAME_BYTES_MAX || block.length + length > HEADER_BLOCK_BYTES_MAX) {
                throw new IOException("the server sent headers that do not end");
            }
            byte[] more = new byte[length];
            readFully(more);
            block = ByteBuffer.allocate(block.length + length).put(block).put(more).array();
            if ((head[4] & END_HEADERS) != 0) {
                return block;
            }
        }
    }

    private void takeReset(int id, byte[] payload) throws IOException {
        if (payload.length != 4) {
            throw new IOException("the server sent a reset of " + payload.length + " bytes");
        }
        int error = ByteBuffer.wrap(payload).getInt();
        state.lock();
        try {
            Call call = calls.get(id);
            if (call != null) {
                forget(call, Resets.meaning(error));
            }
        } finally {
            state.unlock();
        }
    }

    private void takeSettings(int flags, byte[] payload) throws IOException {
        if ((flags & ACK) != 0) {
            return;
        }
        if (payload.length % 6 != 0) {
            throw new IOException("the server sent settings of " + payload.length + " bytes");
        }
        state.lock();
        try {
            ByteBuffer pairs = ByteBuffer.wrap(payload);
            while (pairs.hasRemaining()) {
                apply(pairs.getShort(), pairs.getInt());
            }
            isGreeted = true;
            changed.signalAll();
        } finally {
            state.unlock();
        }
        writeNow(SETTINGS, ACK, 0, new byte[0]);
    }

    private void apply(int setting, int value) throws IOException {
        switch (setting) {
            case MAX_CONCURRENT_STREAMS -> callsMax = Integer.toUnsignedLong(value);
            case INITIAL_WINDOW_SIZE -> {
                if (value < 0) {
                    throw new IOException("the server sent a window of more than 2^31 - 1 bytes");
                }
                for (Call call : calls.values()) {
                    call.sendWindow += value - callWindow;
                }
                callWindow = value;
            }
            default -> {
                // What else it says does not matter to a client that writes literals, takes no pushes and sends short frames.
            }
        }
    }

    /** The server takes no more calls; those that it has not begun it has not touched. */
    private void takeGoAway(byte[] payload) throws IOException {
        if (payload.length < 8) {
            throw new IOException("the server sent a farewell of " + payload.length + " bytes");
        }
        int last = ByteBuffer.wrap(payload).getInt() & Integer.MAX_VALUE;
        state.lock();
        try {
            isDraining = true;
            List<Call> untouched = new ArrayList<>();
            calls.forEach((id, call) -> {
                if (id > last) {
                    untouched.add(call);
                }
            });
            for (Call call : untouched) {
                forget(call, RpcException.untouched(Code.UNAVAILABLE, "the connection is draining"));
            }
            changed.signalAll();
        } finally {
            state.unlock();
        }
    }

    private void takeRoom(int id, byte[] payload) throws IOException {
        if (payload.length != 4) {
            throw new IOException("the server sent a window update of " + payload.length + " bytes");
        }
        int more = ByteBuffer.wrap(payload).getInt() & Integer.MAX_VALUE;
        state.lock();
        try {
            if (id == 0) {
                sendWindow += more;
            } else {
                Call call = calls.get(id);
                if (call != null) {
                    call.sendWindow += more;
                }
            }
            changed.signalAll();
        } finally {
            state.unlock();
        }
    }
}
