package dev.quoin.net;

import java.util.ArrayDeque;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.AdaptiveRecvByteBufAllocator;
import io.netty.channel.ChannelFutureListener;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.socket.DuplexChannel;
import io.netty.handler.codec.http.DefaultFullHttpResponse;
import io.netty.handler.codec.http.DefaultHttpContent;
import io.netty.handler.codec.http.DefaultHttpResponse;
import io.netty.handler.codec.http.HttpContent;
import io.netty.handler.codec.http.HttpHeaderNames;
import io.netty.handler.codec.http.HttpHeaderValues;
import io.netty.handler.codec.http.HttpResponseStatus;
import io.netty.handler.codec.http.HttpUtil;
import io.netty.handler.codec.http.HttpVersion;
import io.netty.handler.codec.http.LastHttpContent;
import io.netty.handler.codec.http.TooLongHttpHeaderException;
import io.netty.handler.codec.http.TooLongHttpLineException;
import io.netty.util.ReferenceCountUtil;
import org.jspecify.annotations.Nullable;

import dev.quoin.base.Bytes;

/**
 * One HTTP/1.1 connection: one request in work at a time; what is pipelined behind it waits, and the socket is not read
 * meanwhile, but for a body that is streamed to who serves the request. An offer to upgrade is ignored, as etcd ignores
 * it. Owned by its loop.
 */
@SuppressWarnings("FutureReturnValueIgnored") // Netty tells of a failed write by closing the channel, which we hear of.
final class Http1Connection extends ChannelInboundHandlerAdapter implements LoopState.Connection {
    /** How long a client has to read an answer that came before the end of its body, until it is closed. */
    private static final long LINGER_NANOS = 1_000_000_000L;
    /** How much of that body is read and dropped meanwhile, as by Go's server (net/http, maxPostHandlerReadBytes). */
    private static final int LINGER_BYTES_MAX = 256 << 10;
    /** How much of a streamed body may wait here, and not in the socket: pieces that wait for long outlast a collection. */
    private static final int WAITING_BYTES_MAX = 128 << 10;

    private final Shared shared;
    private final LoopState loop;
    private final Peer peer;
    private final Admission admission;
    private final ArrayDeque<Object> pipelined = new ArrayDeque<>(); // at most what one read brought
    private io.netty.handler.codec.http.@Nullable HttpRequest head;
    private ByteBuf body = Unpooled.EMPTY_BUFFER;
    private @Nullable ArrivingBody streamed; // the body of the request in work, until all of it has been received
    private @Nullable ArrivingBody inWork; // the same, until the request has been answered
    private boolean working;
    private boolean unread; // a body that is refused is on its way
    private boolean lingering; // answered before the end of the body
    private long lingeredBytes;
    private boolean keepAlive;
    private boolean draining;
    private boolean first = true;
    private boolean gone;
    private final AtomicLong outboxBytes = new AtomicLong(); // sent by the request's thread, not seen by the loop
    private volatile boolean overHint;
    private final WriteStall stall = new WriteStall();
    private final RoomWaiter room = new RoomWaiter() {
        @Override
        boolean isOver() {
            return overHint;
        }

        @Override
        boolean hasRoom() {
            return ctx().channel().isWritable() && outboxBytes.get() < shared.limits.owedBytesPerStreamMax();
        }
    };
    private @Nullable ChannelHandlerContext context;

    private final Deadlines.Timer idle = new Deadlines.Timer() {
        @Override
        void due() {
            ctx().close();
        }
    };

    Http1Connection(Shared shared, LoopState loop, Peer peer, Admission admission) {
        this.shared = shared;
        this.loop = loop;
        this.peer = peer;
        this.admission = admission;
    }

    private ChannelHandlerContext ctx() {
        return java.util.Objects.requireNonNull(context);
    }

    private void refused(NetMetrics.Refusal why) {
        shared.refused(why, ctx().channel());
    }

    @Override
    public void handlerAdded(ChannelHandlerContext ctx) {
        context = ctx;
        // A loop is shared: who sends a body without end gets one read of a turn, as everybody else.
        ctx.channel().config().setRecvByteBufAllocator(new AdaptiveRecvByteBufAllocator().maxMessagesPerRead(1));
        loop.opened(this);
        shared.metrics.connectionOpened(peer.tls());
        draining = shared.draining;
        armIdle();
    }

    private void armIdle() {
        loop.deadlines.disarm(idle);
        loop.deadlines.arm(idle, System.nanoTime() + shared.limits.httpIdleMillisMax() * 1_000_000);
    }

    @Override
    public void channelRead(ChannelHandlerContext ctx, Object message) {
        ArrivingBody arriving = streamed;
        if (lingering) {
            try {
                drop(message);
            } finally {
                ReferenceCountUtil.release(message);
            }
        } else if (arriving != null) {
            try {
                more(arriving, message);
            } finally {
                ReferenceCountUtil.release(message);
            }
        } else if (working) {
            pipelined.add(message);
            ctx.channel().config().setAutoRead(false);
        } else {
            accept(message);
        }
    }

    private void more(ArrivingBody arriving, Object message) {
        if (!(message instanceof HttpContent content) || content.decoderResult().isFailure()) {
            arriving.lost("a malformed body");
            ctx().close();
            return;
        }
        int length = content.content().readableBytes();
        if (length > 0) {
            byte[] piece = new byte[length];
            content.content().readBytes(piece);
            arriving.piece(piece);
        }
        if (content instanceof LastHttpContent) {
            streamed = null;
            arriving.ended();
            // The socket is read on, or a client that goes would not be noticed: until it sends more.
        }
    }

    /** What nobody reads: not so much that a client could keep us busy with it. */
    private void drop(Object message) {
        if (!(message instanceof HttpContent content) || content.decoderResult().isFailure()
                || content instanceof LastHttpContent) {
            closeWritten();
            return;
        }
        lingeredBytes += content.content().readableBytes();
        if (lingeredBytes > LINGER_BYTES_MAX && ctx().channel().config().isAutoRead()) {
            ctx().channel().config().setAutoRead(false);
            endWritten();
        }
    }

    private void accept(Object message) {
        try {
            if (message instanceof io.netty.handler.codec.http.HttpRequest request) {
                begin(request);
            }
            if (!working && message instanceof HttpContent content) {
                more(content);
            }
        } finally {
            ReferenceCountUtil.release(message);
        }
    }

    private void begin(io.netty.handler.codec.http.HttpRequest request) {
        admission.admitted();
        armIdle();
        if (request.decoderResult().isFailure()) {
            Throwable cause = request.decoderResult().cause();
            refused(NetMetrics.Refusal.HTTP_HEAD);
            if (cause instanceof TooLongHttpLineException) {
                refuse(414, "request line too long\n");
            } else if (cause instanceof TooLongHttpHeaderException) {
                refuse(431, "request header fields too large\n");
            } else if (first && !peer.tls()) {
                // Neither protocol: closed without a word, as etcd's plain port does it.
                working = true;
                ctx().close();
            } else {
                refuse(400, "malformed request\n");
            }
            return;
        }
        first = false;
        keepAlive = request.protocolVersion().equals(HttpVersion.HTTP_1_1) && HttpUtil.isKeepAlive(request);
        if (request.protocolVersion().majorVersion() != 1) {
            refuse(505, "HTTP version not supported\n");
        } else if (request.protocolVersion().equals(HttpVersion.HTTP_1_1)
                && request.headers().getAll(HttpHeaderNames.HOST).size() != 1) {
            refuse(400, "missing required Host header\n");
        } else if (shared.config.http().streams(request.method().name(), path(request))) {
            workStreamed(request);
        } else if (HttpUtil.getContentLength(request, 0L) > shared.limits.httpBodyBytesMax()) {
            refuseBody(true);
        } else {
            head = request;
            body = Unpooled.EMPTY_BUFFER;
            // The body is wanted now, because it is collected before the request is served.
            continueIfExpected(request);
        }
    }

    private void continueIfExpected(io.netty.handler.codec.http.HttpRequest request) {
        if (HttpUtil.is100ContinueExpected(request)) {
            ctx().writeAndFlush(new DefaultFullHttpResponse(HttpVersion.HTTP_1_1, HttpResponseStatus.CONTINUE,
                    Unpooled.EMPTY_BUFFER));
        }
    }

    private void more(HttpContent content) {
        io.netty.handler.codec.http.HttpRequest request = head;
        if (request == null) {
            return;
        }
        if (content.decoderResult().isFailure()) {
            refuse(400, "malformed request body\n");
            return;
        }
        ByteBuf bytes = content.content();
        if (body.readableBytes() + bytes.readableBytes() > shared.limits.httpBodyBytesMax()) {
            refuseBody(!(content instanceof LastHttpContent));
            return;
        }
        if (bytes.isReadable()) {
            if (!body.isWritable()) {
                body = Unpooled.buffer(Math.max(bytes.readableBytes(), 256)).writeBytes(body);
            }
            body.writeBytes(bytes);
        }
        if (content instanceof LastHttpContent) {
            head = null;
            work(request);
        }
    }

    private void work(io.netty.handler.codec.http.HttpRequest request) {
        ctx().channel().config().setAutoRead(false);
        start(request, null);
    }

    /** The body is on its way: what follows the head goes to who serves the request. */
    private void workStreamed(io.netty.handler.codec.http.HttpRequest request) {
        ArrivingBody arriving = new ArrivingBody();
        streamed = arriving;
        inWork = arriving;
        body = Unpooled.EMPTY_BUFFER;
        continueIfExpected(request);
        start(request, arriving);
    }

    private void start(io.netty.handler.codec.http.HttpRequest request, @Nullable HttpBody arriving) {
        working = true;
        loop.deadlines.disarm(idle);
        boolean bodiless = request.method().name().equals("HEAD");
        HttpRequest own = own(request);
        body = Unpooled.EMPTY_BUFFER;
        Reply reply = new Reply(bodiless, request.protocolVersion().equals(HttpVersion.HTTP_1_1));
        if (!shared.requests.start(() -> HttpWork.run(shared, own, arriving, reply))) {
            refused(NetMetrics.Refusal.HTTP_REQUESTS);
            respond(HttpResponse.text(503, "too many requests in work\n"), bodiless);
        }
    }

    private HttpRequest own(io.netty.handler.codec.http.HttpRequest request) {
        String target = request.uri();
        int question = target.indexOf('?');
        String path = path(request);
        HttpFields fields = HttpFields.collect(
                sink -> request.headers().forEach(entry -> sink.accept(entry.getKey(), entry.getValue())));
        Bytes bytes = body.isReadable() ? Bytes.of(body.array(), body.arrayOffset(), body.readableBytes())
                : Bytes.EMPTY;
        return new HttpRequest(request.method().name(), path, question < 0 ? null : target.substring(question + 1),
                fields, bytes, peer);
    }

    private static String path(io.netty.handler.codec.http.HttpRequest request) {
        int question = request.uri().indexOf('?');
        return question < 0 ? request.uri() : request.uri().substring(0, question);
    }

    /** Answers and closes: what follows on this connection cannot be trusted to be a request. */
    private void refuse(int status, String text) {
        head = null;
        working = true;
        keepAlive = false;
        loop.deadlines.disarm(idle);
        respond(HttpResponse.text(status, text), false);
    }

    private void refuseBody(boolean more) {
        refused(NetMetrics.Refusal.HTTP_BODY);
        unread = more;
        body = Unpooled.EMPTY_BUFFER;
        refuse(413, "request body too large\n");
    }

    private void respond(HttpResponse response, boolean bodiless) {
        if (gone) {
            return;
        }
        Bytes bytes = response.body() instanceof HttpResponse.Body.Whole whole ? whole.bytes() : Bytes.EMPTY;
        DefaultFullHttpResponse out = new DefaultFullHttpResponse(HttpVersion.HTTP_1_1,
                HttpResponseStatus.valueOf(response.status()),
                bodiless ? Unpooled.EMPTY_BUFFER
                        : Unpooled.wrappedBuffer(bytes.array(), bytes.offset(), bytes.length()));
        HttpWork.fields(response, false).forEach((name, value) -> out.headers().add(HttpWork.canonical(name), value));
        if (!persists()) {
            out.headers().set("Connection", HttpHeaderValues.CLOSE);
        }
        ctx().writeAndFlush(out);
        done();
    }

    /** Says that no more will come, and leaves it to the client to close: what it still sends would have it lose the answer. */
    private void endWritten() {
        if (!peer.tls() && ctx().channel() instanceof DuplexChannel socket) {
            ctx().writeAndFlush(Unpooled.EMPTY_BUFFER).addListener(written -> socket.shutdownOutput());
        }
    }

    private void closeWritten() {
        ctx().writeAndFlush(Unpooled.EMPTY_BUFFER).addListener(ChannelFutureListener.CLOSE);
    }

    /** Answered before its body was there: to close at once could cost the client the answer. */
    private void linger() {
        lingering = true;
        streamed = null;
        loop.deadlines.disarm(idle);
        loop.deadlines.arm(idle, System.nanoTime() + LINGER_NANOS);
        ctx().channel().config().setAutoRead(true);
    }

    private boolean persists() {
        return keepAlive && !draining && streamed == null;
    }

    private void done() {
        if (inWork != null) {
            inWork.discard();
            inWork = null;
        }
        if (streamed != null || unread) {
            linger();
            return;
        }
        if (!persists()) {
            closeWritten();
            return;
        }
        working = false;
        armIdle();
        while (!working && !pipelined.isEmpty()) {
            accept(pipelined.remove());
        }
        if (!working) {
            ctx().channel().config().setAutoRead(true);
        }
    }

    /** The socket is not read while enough of its body is waiting, or while its loop has taken too much of bodies. */
    private final class ArrivingBody extends StreamedBody {
        private final int waitingBytesMax = Math.min(WAITING_BYTES_MAX, shared.limits.streamWindowBytes());
        private boolean stopped; // of the loop, as all here
        private boolean paced;

        ArrivingBody() {
            super(shared.limits);
        }

        void piece(byte[] piece) {
            if (arrived(piece) >= waitingBytesMax) {
                stopped = true;
            }
            long pauseNanos = loop.bodies.took(piece.length, System.nanoTime());
            if (pauseNanos > 0 && !paced) {
                paced = true;
                loop.executor.schedule(() -> {
                    paced = false;
                    goOn();
                }, pauseNanos, TimeUnit.NANOSECONDS);
            }
            if (stopped || paced) {
                ctx().channel().config().setAutoRead(false);
            }
        }

        @Override
        void taken() {
            loop.execute(() -> {
                if (stopped && waitingBytes() < waitingBytesMax) {
                    stopped = false;
                    goOn();
                }
            });
        }

        private void goOn() {
            if (!stopped && !paced && inWork == this && pipelined.isEmpty()) {
                ctx().channel().config().setAutoRead(true);
            }
        }
    }

    /** The way back from the virtual thread. */
    private final class Reply implements HttpWork.Reply {
        private final boolean bodiless;
        private final boolean chunked;

        Reply(boolean bodiless, boolean chunked) {
            this.bodiless = bodiless;
            this.chunked = chunked;
        }

        @Override
        public void whole(HttpResponse response) {
            loop.execute(() -> respond(response, bodiless));
        }

        @Override
        public void head(HttpResponse response) {
            loop.execute(() -> {
                DefaultHttpResponse out = new DefaultHttpResponse(HttpVersion.HTTP_1_1,
                        HttpResponseStatus.valueOf(response.status()));
                HttpWork.fields(response, false)
                        .forEach((name, value) -> out.headers().add(HttpWork.canonical(name), value));
                if (chunked) {
                    out.headers().set("Transfer-Encoding", HttpHeaderValues.CHUNKED);
                }
                if (!persists()) {
                    out.headers().set("Connection", HttpHeaderValues.CLOSE);
                }
                ctx().writeAndFlush(out);
                // A client that goes is noticed only by reading.
                ctx().channel().config().setAutoRead(true);
            });
        }

        @Override
        public boolean piece(Bytes piece) throws InterruptedException {
            if (!room.awaitRoom()) {
                return false;
            }
            push(piece);
            return true;
        }

        @Override
        public boolean hasRoom() {
            return !room.isOver() && room.hasRoom();
        }

        @Override
        public void push(Bytes piece) {
            if (bodiless) {
                return;
            }
            outboxBytes.addAndGet(piece.length());
            loop.execute(() -> {
                ctx().writeAndFlush(new DefaultHttpContent(
                        Unpooled.wrappedBuffer(piece.array(), piece.offset(), piece.length())));
                outboxBytes.addAndGet(-piece.length());
                room.wakeWaiter();
            });
        }

        @Override
        public void end() {
            loop.execute(() -> {
                if (!gone) {
                    ctx().writeAndFlush(LastHttpContent.EMPTY_LAST_CONTENT);
                    done();
                }
            });
        }

        @Override
        public void fail() {
            loop.execute(() -> ctx().close());
        }
    }

    @Override
    public void channelWritabilityChanged(ChannelHandlerContext ctx) {
        room.wakeWaiter();
        ctx.fireChannelWritabilityChanged();
    }

    @Override
    public void channelInactive(ChannelHandlerContext ctx) {
        if (!gone) {
            gone = true;
            overHint = true;
            room.wakeWaiter();
            if (inWork != null) {
                inWork.gone();
                inWork = null;
            }
            streamed = null;
            admission.close();
            loop.deadlines.disarm(idle);
            loop.closed(this);
            shared.metrics.connectionClosed(peer.tls());
            pipelined.forEach(ReferenceCountUtil::release);
            pipelined.clear();
        }
        ctx.fireChannelInactive();
    }

    @Override
    public void drain() {
        draining = true;
        if (!working && head == null) {
            ctx().close();
        }
    }

    @Override
    public void abort(End why) {
        ctx().close();
    }

    @Override
    public void sweep(long nowNanos) {
        if (stall.isOver(ctx().channel(), nowNanos, shared.limits.writeStallMillisMax() * 1_000_000)) {
            refused(NetMetrics.Refusal.WRITE_STALLED);
            ctx().close();
        }
    }
}
