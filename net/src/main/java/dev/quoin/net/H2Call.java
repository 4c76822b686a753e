package dev.quoin.net;

import java.util.ArrayDeque;

import io.netty.buffer.ByteBuf;
import io.netty.handler.codec.http2.Http2Error;
import io.netty.handler.codec.http2.Http2Headers;
import io.netty.handler.codec.http2.Http2Stream;
import io.netty.util.AsciiString;
import org.jspecify.annotations.Nullable;

import dev.quoin.base.Bytes;
import dev.quoin.base.Invariant;

/**
 * A gRPC call on an HTTP/2 stream: the half-close rules, the credit of its client, and the order headers, messages,
 * trailers. What is answered when is grpc-go's (server.go, stream.go).
 *
 * <p>Inbound, a message is told to the handler while there is credit; one that comes without credit waits, and from then
 * on nothing is given back to the stream's window, so that at most a window of bytes waits.
 */
final class H2Call extends H2Stream implements ServedCall, CallEnd, MessageReader.Target {
    private static final Status TOO_MANY_BYTES = Status.of(Status.Code.RESOURCE_EXHAUSTED,
            "too many bytes of requests in work");

    private final Method method;
    private final Http2Headers requestHeaders;
    private final String subtype;
    private final boolean gzip;
    private final long deadlineNanos;
    private final Deadlines.@Nullable Timer deadline;
    private final MessageReader reader;
    private final NetMetrics.Calls counted;

    private @Nullable ArrayDeque<Bytes> waiting;
    private @Nullable Runnable heldTask; // goes on once the connection owes less
    private int credit;
    private int unconsumed;
    private long charged;
    private boolean delivered; // the message of a method whose client sends one
    private boolean telling; // the handler is being told a message
    private boolean halfCloseTold;
    private boolean headersSent;
    private boolean finished;
    private volatile boolean cancelled;
    private volatile @Nullable Metadata metadata;
    private @Nullable Object attachment;

    // For whoever counts.
    private long openedNanos;
    private long endedNanos;
    private End why = End.FINISHED;
    private Status.Code code = Status.Code.OK;
    private @Nullable Bytes request;
    private Bytes @Nullable [] answer;
    private long sentBytes;

    H2Call(H2Connection connection, Http2Stream stream, RequestHead head, Http2Headers requestHeaders) {
        super(connection, stream);
        method = head.method();
        this.requestHeaders = requestHeaders;
        subtype = head.subtype;
        gzip = head.gzip;
        counted = connection.shared().counted(method);
        reader = new MessageReader(this, connection.shared().limits.requestBytesMax());
        credit = method.kind().clientStreams() ? connection.shared().limits.messagesAheadMax() : 1;
        if (head.timeoutNanos < 0) {
            deadlineNanos = NO_DEADLINE;
            deadline = null;
        } else {
            long now = System.nanoTime();
            // A hundred years is for ever, and does not overflow.
            deadlineNanos = now + Math.min(head.timeoutNanos, 3_153_600_000_000_000_000L);
            deadline = new Deadlines.Timer() {
                @Override
                void due() {
                    deadlinePassed();
                }
            };
        }
    }

    void open() {
        if (deadline != null) {
            connection.loop().deadlines.arm(deadline, deadlineNanos);
        }
        openedNanos = connection.loop().turnNanos();
        AsciiString header = connection.shared().countedHeader;
        counted.opened(header.isEmpty() ? null : requestHeaders.get(header));
        try {
            method.handler().onOpen(this);
        } catch (Throwable t) {
            fault(t);
        }
    }

    // ---- inbound ----

    @Override
    int data(ByteBuf data, int total, boolean end) {
        if (end) {
            remoteEnded = true;
        }
        if (isOver() || delivered) {
            return total;
        }
        try {
            reader.feed(data);
        } catch (StatusException e) {
            refuse(e.status());
        }
        if (end) {
            ended();
        }
        if (waiting != null && !waiting.isEmpty() && method.kind().clientStreams()) {
            unconsumed += total;
            return 0;
        }
        return total;
    }

    @Override
    public void message(boolean compressed, int flag, Bytes message) throws StatusException {
        Bytes plain = plain(compressed, flag, message);
        switch (method.kind()) {
            case UNARY -> {
                delivered = true;
                if (connection.owesTooMuch()) {
                    wait(plain);
                    connection.hold(this);
                } else {
                    tell(plain);
                }
            }
            case SERVER_STREAMING -> {
                if (waiting != null) {
                    throw new StatusException(Status.Code.INTERNAL, "cardinality violation: "
                            + "received multiple request messages for non-client-streaming RPC");
                }
                wait(plain); // It is told with the end, as grpc-go's generated handlers wait for it.
            }
            case CLIENT_STREAMING, BIDI -> {
                if (credit > 0 && (waiting == null || waiting.isEmpty())) {
                    credit--;
                    uncharge();
                    tell(plain);
                } else {
                    wait(plain);
                }
            }
        }
    }

    private Bytes plain(boolean compressed, int flag, Bytes message) throws StatusException {
        if (flag == 0) {
            return message;
        }
        if (!compressed) {
            throw new StatusException(Status.Code.INTERNAL, "grpc: received unexpected payload format " + flag);
        }
        if (!gzip) {
            throw new StatusException(Status.Code.INTERNAL,
                    "grpc: compressed flag set with identity or empty encoding");
        }
        Bytes plain = Gzip.inflate(message, connection.shared().limits.requestBytesMax());
        grew(plain.length());
        return plain;
    }

    private void wait(Bytes message) {
        if (waiting == null) {
            waiting = new ArrayDeque<>();
        }
        waiting.add(message);
    }

    private void tell(Bytes message) {
        if (method.mode() == Method.Mode.HOT) {
            connection.loop().hotMessage();
        }
        telling = true;
        counted.received(message.length());
        if (!method.kind().clientStreams()) {
            request = message;
        }
        try {
            method.handler().onMessage(this, message);
        } catch (Throwable t) {
            fault(t);
        } finally {
            telling = false;
        }
    }

    @Override
    public boolean owesTooMuch() {
        return connection.owesTooMuch();
    }

    @Override
    public void whenTaken(Runnable task) {
        heldTask = task;
        connection.hold(this);
    }

    /** The connection has taken its answers: the call it held back may begin, or go on. */
    void release() {
        Runnable task = heldTask;
        if (task != null) {
            heldTask = null;
            if (!isOver()) {
                task.run();
            }
            return;
        }
        Bytes message = waiting == null ? null : waiting.poll();
        if (isOver() || message == null) {
            return;
        }
        tell(message);
        if (method.kind() == Method.Kind.SERVER_STREAMING) {
            tellHalfClose();
        }
    }

    @Override
    public boolean over() {
        return isOver() || (delivered && !method.kind().clientStreams());
    }

    @Override
    public void grew(int bytes) throws StatusException {
        if (bytes == 0) {
            return;
        }
        charged += bytes;
        if (!connection.charge(bytes)) {
            throw new StatusException(TOO_MANY_BYTES);
        }
    }

    private void uncharge() {
        connection.charge(-charged);
        charged = 0;
    }

    @Override
    void remoteEnd() {
        remoteEnded = true;
        if (!isOver()) {
            ended();
        }
    }

    /** The client's side has ended: the rules of grpc-go for what came too early or not at all. */
    private void ended() {
        if (isOver()) {
            return;
        }
        switch (method.kind()) {
            case UNARY -> {
                if (!delivered) {
                    refuse(Status.of(Status.Code.UNKNOWN, reader.insideBody() ? "unexpected EOF" : "EOF"));
                }
            }
            case SERVER_STREAMING -> endOfOnlyMessage();
            case CLIENT_STREAMING, BIDI -> {
                if (reader.insideBody()) {
                    refuse(Status.of(Status.Code.INTERNAL, "unexpected EOF"));
                } else if (waiting == null || waiting.isEmpty()) {
                    tellHalfClose();
                }
            }
        }
    }

    private void endOfOnlyMessage() {
        if (reader.insideBody()) {
            refuse(Status.of(Status.Code.INTERNAL, "unexpected EOF"));
            return;
        }
        if (waiting == null) {
            refuse(Status.of(Status.Code.INTERNAL, "cardinality violation: "
                    + "received no request message from non-client-streaming RPC"));
            return;
        }
        delivered = true;
        if (connection.owesTooMuch()) {
            connection.hold(this);
        } else {
            release();
        }
    }

    private void tellHalfClose() {
        if (isOver() || halfCloseTold) {
            return;
        }
        halfCloseTold = true;
        try {
            method.handler().onHalfClose(this);
        } catch (Throwable t) {
            fault(t);
        }
    }

    @Override
    public void request(int messages) {
        if (loop().inLoop()) {
            requestNow(messages);
        } else {
            connection.loop().post(new LoopState.Op() {
                @Override
                void run() {
                    requestNow(messages);
                }
            });
        }
    }

    private void requestNow(int messages) {
        if (isOver() || !method.kind().clientStreams()) {
            return;
        }
        credit += messages;
        if (telling) {
            // Asked for from within a message: whoever tells it goes on, so that no depth of the stack counts messages.
            return;
        }
        while (credit > 0 && waiting != null && !waiting.isEmpty()) {
            credit--;
            tell(waiting.remove());
            if (isOver()) {
                return;
            }
        }
        if (waiting == null || waiting.isEmpty()) {
            if (unconsumed > 0) {
                uncharge();
                connection.consume(this, unconsumed);
                unconsumed = 0;
            }
            if (remoteEnded && !reader.insideBody()) {
                tellHalfClose();
            }
        }
    }

    // ---- outbound ----

    @Override
    public void headers(Metadata initial) {
        if (loop().inLoop()) {
            headersNow(initial);
        } else {
            connection.loop().post(new LoopState.Op() {
                @Override
                void run() {
                    headersNow(initial);
                }
            });
        }
    }

    private void headersNow(Metadata initial) {
        if (isOver() || headersSent) {
            return;
        }
        headersSent = true;
        connection.writeHeaders(this, GrpcHeaders.initial(subtype, gzip, initial), false);
    }

    @Override
    public void send(Bytes message) {
        send(new Bytes[]{message});
    }

    @Override
    public void send(Bytes... pieces) {
        Bytes[] packed = gzip ? new Bytes[]{Gzip.deflate(pieces)} : pieces;
        long size = size(packed);
        if (loop().inLoop()) {
            sendNow(packed, size);
            return;
        }
        sending(size);
        connection.loop().post(new LoopState.Op() {
            @Override
            void run() {
                sendNow(packed, size);
                sent(size);
            }
        });
    }

    private void sendNow(Bytes[] pieces, long size) {
        if (isOver()) {
            return;
        }
        if (tooLarge(size)) {
            return;
        }
        headersNow(Metadata.EMPTY);
        if (!isOver()) {
            connection.writeMessage(this, gzip, pieces, size);
            countSent(size);
            checkWritable();
        }
    }

    private void countSent(long size) {
        sentBytes += size;
        counted.sent(size);
    }

    private boolean tooLarge(long size) {
        if (size <= connection.shared().limits.answerBytesMax()) {
            return false;
        }
        finishNow(tooLargeStatus(size), Metadata.EMPTY);
        return true;
    }

    private Status tooLargeStatus(long size) {
        String prefix = method.kind() == Method.Kind.UNARY ? "grpc: " : "";
        return Status.of(Status.Code.RESOURCE_EXHAUSTED, prefix + "trying to send message larger than max (" + size
                + " vs. " + connection.shared().limits.answerBytesMax() + ")");
    }

    @Override
    public boolean send(LongMessage message) throws StatusException {
        Invariant.check(!loop().inLoop(), "an event loop would wait for itself");
        return sendParts(gzip ? new Packed(message) : message);
    }

    private boolean sendParts(LongMessage message) throws StatusException {
        long length = message.length();
        if (length > connection.shared().limits.answerBytesMax()) {
            throw new StatusException(tooLargeStatus(length));
        }
        PartSink parts = new PartSink(this, gzip, length);
        try {
            message.writeTo(parts);
            boolean isWhole = parts.end();
            if (isWhole) {
                connection.loop().execute(() -> countSent(length));
            }
            return isWhole;
        } finally {
            parts.release();
        }
    }

    /** A message as its compressed bytes, whose number is found by compressing it once for nobody. */
    private final class Packed implements LongMessage {
        private final LongMessage plain;
        private final long length;

        Packed(LongMessage plain) throws StatusException {
            this.plain = plain;
            long[] bytes = {0};
            pack((array, offset, count) -> {
                bytes[0] += count;
                return !isOver();
            });
            length = bytes[0];
        }

        private void pack(Sink target) throws StatusException {
            try (GzipSink packer = new GzipSink(target)) {
                plain.writeTo(packer);
                packer.finish();
            }
        }

        @Override
        public long length() {
            return length;
        }

        @Override
        public void writeTo(Sink sink) throws StatusException {
            pack(sink);
        }
    }

    /** Takes over a part of a message; from any thread but the loop. */
    void sendPart(ByteBuf part) {
        int size = part.readableBytes();
        sending(size);
        connection.loop().post(new LoopState.Op() {
            @Override
            void run() {
                partNow(part);
                sent(size);
            }
        });
    }

    private void partNow(ByteBuf part) {
        headersNow(Metadata.EMPTY);
        if (isOver()) {
            part.release();
        } else {
            connection.writeData(this, part, false);
            checkWritable();
        }
    }

    @Override
    public void finish(Bytes... answer) {
        Bytes[] packed = gzip ? new Bytes[]{Gzip.deflate(answer)} : answer;
        long size = size(packed);
        if (loop().inLoop()) {
            answerNow(packed, size);
        } else {
            connection.loop().post(new Answer(this, packed, size));
        }
    }

    private static final class Answer extends LoopState.Op {
        private final H2Call call;
        private final Bytes[] pieces;
        private final long size;

        Answer(H2Call call, Bytes[] pieces, long size) {
            this.call = call;
            this.pieces = pieces;
            this.size = size;
        }

        @Override
        void run() {
            call.answerNow(pieces, size);
        }
    }

    private void answerNow(Bytes[] pieces, long size) {
        if (!late()) {
            answer = gzip ? null : pieces;
            sendNow(pieces, size);
            finishNow(Status.OK, Metadata.EMPTY);
            answer = null;
        }
    }

    @Override
    public void finish(Status status, Metadata trailers) {
        if (loop().inLoop()) {
            finishLate(status, trailers);
        } else {
            connection.loop().post(new LoopState.Op() {
                @Override
                void run() {
                    finishLate(status, trailers);
                }
            });
        }
    }

    private void finishLate(Status status, Metadata trailers) {
        if (!late()) {
            finishNow(status, trailers);
        }
    }

    /** Whether this answer comes after the end: it is counted, and dropped. */
    private boolean late() {
        if (isOver()) {
            connection.refused(NetMetrics.Refusal.LATE_ANSWER);
        }
        return isOver();
    }

    private void finishNow(Status status, Metadata trailers) {
        if (isOver() || finished) {
            return;
        }
        finished = true;
        code = status.code();
        Http2Headers last = headersSent ? GrpcHeaders.trailers(status, trailers)
                : GrpcHeaders.trailersOnly(200, subtype, status, trailers);
        headersSent = true;
        connection.writeHeaders(this, last, true);
        end(End.FINISHED);
    }

    private static long size(Bytes[] pieces) {
        long size = 0;
        for (Bytes piece : pieces) {
            size += piece.length();
        }
        return size;
    }

    // ---- ends ----

    /** The request broke a rule: the status is our answer, if there is still someone to read it. */
    private void refuse(Status status) {
        if (status.code() == Status.Code.RESOURCE_EXHAUSTED) {
            connection.refused(status.equals(TOO_MANY_BYTES)
                    ? NetMetrics.Refusal.REQUEST_BYTES
                    : NetMetrics.Refusal.MESSAGE_TOO_LARGE);
        }
        finishNow(status, Metadata.EMPTY);
    }

    private void fault(Throwable t) {
        finishNow(Faults.internal("handler of " + method.path(), t), Metadata.EMPTY);
    }

    private void deadlinePassed() {
        end(End.DEADLINE);
        connection.reset(this, Http2Error.CANCEL);
    }

    /** Ends the call for its handler; what has been written may still be on its way. */
    void end(End why) {
        if (isOver()) {
            return;
        }
        cancelled = why != End.FINISHED;
        setOver();
        if (deadline != null) {
            connection.loop().deadlines.disarm(deadline);
        }
        uncharge();
        waiting = null;
        count(why);
        request = null;
        try {
            method.handler().onEnd(this, why);
        } catch (Throwable t) {
            Faults.internal("end of " + method.path(), t);
        }
        if (unconsumed > 0) {
            connection.consume(this, unconsumed);
            unconsumed = 0;
        }
    }

    private void count(End reason) {
        why = reason;
        endedNanos = connection.loop().turnNanos();
        if (!finished) {
            code = switch (reason) {
                case DEADLINE -> Status.Code.DEADLINE_EXCEEDED;
                case DRAINED -> Status.Code.UNAVAILABLE;
                case RESET, CONNECTION_LOST, FINISHED -> Status.Code.CANCELLED;
            };
        }
        counted.ended(this);
    }

    @Override
    void closed(End why) {
        unconsumed = 0; // The flow controller gives back what a closed stream held.
        end(why);
    }

    @Override
    void becameWritable() {
        try {
            method.handler().onWritable(this);
        } catch (Throwable t) {
            fault(t);
        }
    }

    // ---- for whoever counts ----

    @Override
    public Call call() {
        return this;
    }

    @Override
    public End why() {
        return why;
    }

    @Override
    public Status.Code code() {
        return code;
    }

    @Override
    public long nanos() {
        return endedNanos - openedNanos;
    }

    @Override
    public @Nullable Bytes request() {
        return request;
    }

    @Override
    public Bytes @Nullable [] answer() {
        return answer;
    }

    @Override
    public long sentBytes() {
        return sentBytes;
    }

    // ---- what is fixed ----

    H2Connection connection() {
        return connection;
    }

    @Override
    public VirtualWork virtualWork() {
        return connection.shared().calls;
    }

    @Override
    public void refused(NetMetrics.Refusal why) {
        connection.refused(why);
    }

    @Override
    public void wake() {
        wakeWaiter();
    }

    @Override
    public Method method() {
        return method;
    }

    @Override
    public Metadata headers() {
        Metadata known = metadata;
        if (known == null) {
            known = RequestHead.metadata(requestHeaders);
            metadata = known;
        }
        return known;
    }

    @Override
    public Peer peer() {
        return connection.peer();
    }

    @Override
    public Loop loop() {
        return connection.loop();
    }

    @Override
    public long deadlineNanos() {
        return deadlineNanos;
    }

    @Override
    public boolean cancelled() {
        return cancelled;
    }

    @Override
    public boolean writable() {
        return writableHint();
    }

    @Override
    public boolean awaitWritable() throws InterruptedException {
        return awaitRoom();
    }

    @Override
    public @Nullable Object attachment() {
        return attachment;
    }

    @Override
    public void attach(@Nullable Object other) {
        attachment = other;
    }

}
