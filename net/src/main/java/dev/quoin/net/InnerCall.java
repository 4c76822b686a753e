package dev.quoin.net;

import java.io.ByteArrayInputStream;
import java.io.InputStream;
import java.util.ArrayDeque;
import java.util.concurrent.Semaphore;

import org.jspecify.annotations.Nullable;

import dev.quoin.base.Bytes;
import dev.quoin.base.Invariant;

/**
 * A call from inside the process ({@link InnerCalls}), as whoever asks sees it: messages in, messages and one status out. What
 * serves it sees a {@link Call} like any other.
 *
 * <p><b>Threads.</b> One thread sends, one receives; both may wait, so neither is a loop. {@link #cancel} may be called from
 * anywhere. Who stops receiving before the end must cancel.
 *
 * <p><b>Bounds.</b> Answers that are not received count as owed: beyond {@link NetLimits#owedBytesPerStreamMax} the call is
 * not writable. A sender waits while the handler has had {@link NetLimits#messagesAheadMax} messages more than it asked for.
 * Metadata in an answer is not passed on.
 */
public final class InnerCall {
    /** What comes of a call. */
    public sealed interface Received {
        /**
         * A message.
         *
         * @param length in bytes
         * @param content those, to be read to the end before anything else is received; reading ends with an exception if the
         *        message is not to be completed
         */
        record Message(long length, InputStream content) implements Received {}

        /** The end: nothing comes after it. */
        record Ended(Status status) implements Received {}
    }

    private static final Status CANCELLED = Status.of(Status.Code.CANCELLED, "context canceled");
    static final Status DEADLINE = Status.of(Status.Code.DEADLINE_EXCEEDED, "context deadline exceeded");
    /** Lets a sender that waits go on, once there is nobody to send to. */
    private static final int NO_MORE_WAITING = 1 << 30;

    private final InnerCalls calls;
    private final LoopState loop;
    private final NetLimits limits;
    private final Served served;
    private final Semaphore credit;

    // What is received, guarded by this.
    private final ArrayDeque<Received> queue = new ArrayDeque<>();
    private long queuedBytes;
    private boolean blocked; // was found without room, and has not been told otherwise
    private boolean ended; // the status is queued: nothing may follow
    private Status.Code code = Status.Code.CANCELLED; // that of the status
    private long answeredBytes;
    private @Nullable MessagePipe pipe; // the long message that is being sent

    InnerCall(InnerCalls calls, LoopState loop, NetLimits limits, Method method, Metadata headers, Peer peer,
            long deadlineNanos) {
        this.calls = calls;
        this.loop = loop;
        this.limits = limits;
        served = new Served(method, headers, peer, deadlineNanos);
        credit = new Semaphore(limits.messagesAheadMax());
    }

    void open() {
        loop.execute(served::open);
    }

    // ---- whoever asks

    /**
     * Sends a message, once the handler may be told one.
     *
     * @return false if the call is over: nobody wants to know
     */
    public boolean send(Bytes message) throws InterruptedException {
        if (served.method.kind().clientStreams()) {
            credit.acquire();
        }
        if (served.isOver()) {
            return false;
        }
        loop.execute(() -> served.message(message));
        return true;
    }

    /** No more will be sent. */
    public void halfClose() {
        loop.execute(served::halfClose);
    }

    /** Waits for the next message, or the end. */
    public synchronized Received receive() throws InterruptedException {
        while (queue.isEmpty()) {
            wait();
        }
        Received next = queue.element();
        if (next instanceof Received.Message message) {
            queue.remove();
            taken(message);
        }
        return next;
    }

    private void taken(Received.Message message) {
        queuedBytes -= message.length();
        if (blocked && hasRoom()) {
            blocked = false;
            loop.execute(served::roomMade);
        }
    }

    /** Whoever asked is not interested any more. Without effect if the call is over. */
    public void cancel() {
        cancel(End.RESET, CANCELLED);
    }

    void cancel(End why, Status status) {
        refuseMore(status);
        loop.execute(() -> served.end(why));
    }

    /** Ends what is received, with this, unless it has ended. */
    private synchronized boolean refuseMore(Status status) {
        if (ended) {
            return false;
        }
        ended = true;
        code = status.code();
        queue.add(new Received.Ended(status));
        if (pipe != null) {
            pipe.close();
        }
        notifyAll();
        return true;
    }

    // ---- whoever answers

    private synchronized boolean hasRoom() {
        return queuedBytes < limits.owedBytesPerStreamMax();
    }

    private synchronized void answer(long length, InputStream content) {
        if (!ended) {
            queue.add(new Received.Message(length, content));
            queuedBytes += length;
            answeredBytes += length;
            served.counted.sent(length);
            blocked |= !hasRoom();
            notifyAll();
        }
    }

    /** The same for a message that is made while it is read: it owes what its pipe holds, which is bounded by itself. */
    private synchronized boolean answerLong(long length, MessagePipe parts) {
        if (ended) {
            return false;
        }
        Invariant.check(pipe == null, "two long messages at once");
        pipe = parts;
        answer(length, parts);
        return true;
    }

    private synchronized void noPipe() {
        pipe = null;
    }

    /** What is told of a call that is over, as {@link CallEnd} has it. */
    private record Over(Call call, End why, Status.Code code, long nanos, @Nullable Bytes request, long sentBytes)
            implements
                CallEnd {
        @Override
        public Bytes @Nullable [] answer() {
            return null;
        }
    }

    private synchronized Over over(End why, long nanos) {
        return new Over(served, why, code, nanos, served.request, answeredBytes);
    }

    /** The call as its handler knows it. */
    private final class Served extends RoomWaiter implements ServedCall {
        private final Method method;
        private final Metadata headers;
        private final Peer peer;
        private final long deadlineNanos;
        private final NetMetrics.Calls counted;
        private final Deadlines.Timer deadline = new Deadlines.Timer() {
            @Override
            void due() {
                if (refuseMore(DEADLINE)) {
                    end(End.DEADLINE);
                }
            }
        };
        private boolean opened; // of the loop, as all here but the two below
        private long openedNanos;
        private @Nullable Bytes request;
        private boolean halfClosed;
        private volatile boolean over;
        private volatile boolean cancelled;
        private @Nullable Object attachment;

        Served(Method method, Metadata headers, Peer peer, long deadlineNanos) {
            this.method = method;
            this.headers = headers;
            this.peer = peer;
            this.deadlineNanos = deadlineNanos;
            counted = calls.counted(method);
        }

        // ---- on the loop

        void open() {
            if (over) {
                return;
            }
            opened = true;
            if (deadlineNanos != NO_DEADLINE) {
                loop.deadlines.arm(deadline, deadlineNanos);
            }
            openedNanos = loop.turnNanos();
            counted.opened(calls.countedHeader(headers));
            tell("open", () -> method.handler().onOpen(this));
        }

        void message(Bytes message) {
            if (over || halfClosed) {
                return;
            }
            if (message.length() > limits.requestBytesMax()) {
                refused(NetMetrics.Refusal.MESSAGE_TOO_LARGE);
                finish(Status.of(Status.Code.RESOURCE_EXHAUSTED, "grpc: received message larger than max ("
                        + message.length() + " vs. " + limits.requestBytesMax() + ")"));
                return;
            }
            counted.received(message.length());
            if (method.kind() == Method.Kind.UNARY) {
                request = message;
            }
            if (method.mode() == Method.Mode.HOT) {
                loop.hotMessage();
            }
            tell("message", () -> method.handler().onMessage(this, message));
        }

        void halfClose() {
            if (!over && !halfClosed && method.kind() != Method.Kind.UNARY) {
                halfClosed = true;
                tell("half-close", () -> method.handler().onHalfClose(this));
            }
        }

        void roomMade() {
            wakeWaiter();
            if (!over) {
                tell("room", () -> method.handler().onWritable(this));
            }
        }

        private void tell(String what, Runnable event) {
            try {
                event.run();
            } catch (Throwable t) {
                finish(Faults.internal(what + " of an inner " + method.path(), t));
            }
        }

        /** Ends the call for its handler, once. */
        void end(End why) {
            if (over) {
                return;
            }
            cancelled = why != End.FINISHED;
            over = true;
            loop.deadlines.disarm(deadline);
            credit.release(NO_MORE_WAITING);
            wakeWaiter();
            calls.ended(InnerCall.this);
            if (!opened) {
                return;
            }
            counted.ended(InnerCall.this.over(why, loop.turnNanos() - openedNanos));
            try {
                method.handler().onEnd(this, why);
            } catch (Throwable t) {
                Faults.internal("end of an inner " + method.path(), t);
            }
        }

        // ---- from any thread

        @Override
        boolean isOver() {
            return over;
        }

        @Override
        boolean hasRoom() {
            return InnerCall.this.hasRoom();
        }

        @Override
        public boolean cancelled() {
            return cancelled;
        }

        @Override
        public boolean writable() {
            return !over && hasRoom();
        }

        @Override
        public boolean awaitWritable() throws InterruptedException {
            return awaitRoom();
        }

        @Override
        public void wake() {
            wakeWaiter();
        }

        @Override
        public void headers(Metadata initial) {}

        @Override
        public void send(Bytes message) {
            send(new Bytes[]{message});
        }

        @Override
        public void send(Bytes... pieces) {
            Bytes whole = pieces.length == 1 ? pieces[0] : joined(pieces);
            answer(whole.length(), new ByteArrayInputStream(whole.array(), whole.offset(), whole.length()));
        }

        private static Bytes joined(Bytes[] pieces) {
            int length = 0;
            for (Bytes piece : pieces) {
                length = Math.addExact(length, piece.length());
            }
            byte[] whole = new byte[length];
            int at = 0;
            for (Bytes piece : pieces) {
                piece.copyTo(whole, at);
                at += piece.length();
            }
            return Bytes.of(whole);
        }

        @Override
        public boolean send(LongMessage message) throws StatusException {
            Invariant.check(!loop.inLoop(), "an event loop would wait for itself");
            long length = message.length();
            if (length > limits.answerBytesMax()) {
                throw new StatusException(Status.Code.RESOURCE_EXHAUSTED, "trying to send message larger than max ("
                        + length + " vs. " + limits.answerBytesMax() + ")");
            }
            MessagePipe parts = new MessagePipe(length, limits.partBytes());
            if (!answerLong(length, parts)) {
                return false;
            }
            try {
                message.writeTo(parts);
                return parts.end();
            } finally {
                parts.over();
                noPipe();
            }
        }

        @Override
        public void finish(Status status, Metadata trailers) {
            if (!refuseMore(status)) {
                refused(NetMetrics.Refusal.LATE_ANSWER);
            } else if (loop.inLoop()) {
                end(End.FINISHED);
            } else {
                loop.execute(() -> end(End.FINISHED));
            }
        }

        @Override
        public void finish(Bytes... answer) {
            send(answer);
            finish(Status.OK);
        }

        @Override
        public void request(int messages) {
            credit.release(messages);
        }

        // ---- what is fixed

        @Override
        public VirtualWork virtualWork() {
            return calls.virtualWork();
        }

        @Override
        public void refused(NetMetrics.Refusal why) {
            calls.refused(why, peer);
        }

        @Override
        public Method method() {
            return method;
        }

        @Override
        public Metadata headers() {
            return headers;
        }

        @Override
        public Peer peer() {
            return peer;
        }

        @Override
        public Loop loop() {
            return loop;
        }

        @Override
        public long deadlineNanos() {
            return deadlineNanos;
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
}
