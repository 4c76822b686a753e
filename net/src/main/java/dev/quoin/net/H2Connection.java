package dev.quoin.net;

import java.nio.charset.StandardCharsets;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufAllocator;
import io.netty.buffer.Unpooled;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelHandlerContext;
import io.netty.handler.codec.http2.AbstractHttp2ConnectionHandlerBuilder;
import io.netty.handler.codec.http2.DefaultHttp2Connection;
import io.netty.handler.codec.http2.DefaultHttp2LocalFlowController;
import io.netty.handler.codec.http2.DefaultHttp2RemoteFlowController;
import io.netty.handler.codec.http2.Http2Connection;
import io.netty.handler.codec.http2.Http2ConnectionAdapter;
import io.netty.handler.codec.http2.Http2ConnectionDecoder;
import io.netty.handler.codec.http2.Http2ConnectionEncoder;
import io.netty.handler.codec.http2.Http2ConnectionHandler;
import io.netty.handler.codec.http2.Http2Error;
import io.netty.handler.codec.http2.Http2EventAdapter;
import io.netty.handler.codec.http2.Http2Exception;
import io.netty.handler.codec.http2.Http2Headers;
import io.netty.handler.codec.http2.Http2Settings;
import io.netty.handler.codec.http2.Http2Stream;
import org.jspecify.annotations.Nullable;

import dev.quoin.base.Bytes;

/**
 * One HTTP/2 connection: Netty's connection handler without a channel for each stream, and the rules around it that are
 * ours: which request becomes what, how much a client may owe, ping and SETTINGS rates, keep-alive, the two-step goodbye.
 * Owned by its loop.
 */
@SuppressWarnings("FutureReturnValueIgnored") // Netty tells of a failed write by closing the channel, which we hear of.
final class H2Connection extends Http2ConnectionHandler implements LoopState.Connection {
    private static final int SPLICE_BYTES_MIN = 16 * 1024;
    private static final int PIECE_BYTES_MIN = 4096;
    private static final int ENDED_EARLY_MAX = 256;
    private static final long GOODBYE_PING = 0x0106010802040306L;
    private static final long GOODBYE_WAIT_NANOS = 5_000_000_000L;
    private static final long SETTINGS_WINDOW_NANOS = 30_000_000_000L;

    private final Shared shared;
    private final LoopState loop;
    private final Peer peer;
    private final Admission admission;
    private final Http2Connection.PropertyKey key;
    private final OwedBytes owedBytes;
    private final PingPolicy pings;
    private final List<H2Stream> watched = new ArrayList<>();
    private final ArrayDeque<H2Call> held = new ArrayDeque<>();
    private int[] endedEarly = {}; // the last streams we ended before their clients did, once there is one
    private int endedEarlyNext;
    private boolean releaseDue;
    private boolean inRead;
    private boolean touched;
    private boolean gone;
    private End goneWhy = End.CONNECTION_LOST;
    private long requestBytes;
    private long lastReadNanos = System.nanoTime();
    private final WriteStall stall = new WriteStall();
    private int settingsInWindow;
    private long settingsWindowStart;
    private boolean settingsFlood;
    private long peerHeaderListMax = Long.MAX_VALUE;
    private boolean draining;
    private boolean lastGoAwaySent;
    private @Nullable ChannelHandlerContext context;

    private final Deadlines.Timer keepalive = new Deadlines.Timer() {
        @Override
        void due() {
            keepaliveDue();
        }
    };
    private boolean keepalivePinged;

    private final Deadlines.Timer goodbye = new Deadlines.Timer() {
        @Override
        void due() {
            lastGoAway();
        }
    };

    private H2Connection(Http2ConnectionDecoder decoder, Http2ConnectionEncoder encoder, Http2Settings settings,
            Builder builder) {
        super(decoder, encoder, settings);
        shared = builder.shared;
        loop = builder.loop;
        peer = builder.peer;
        admission = builder.admission;
        key = builder.key;
        owedBytes = builder.owedBytes;
        pings = new PingPolicy(shared.limits.pingMinMillis(), shared.limits.pingWithoutStream());
    }

    /** Puts Netty's parts together: the limits, the flow controllers, and the listener. */
    static final class Builder extends AbstractHttp2ConnectionHandlerBuilder<H2Connection, Builder> {
        private final Shared shared;
        private final LoopState loop;
        private final Peer peer;
        private final Admission admission;
        private final Http2Connection.PropertyKey key;
        private final OwedBytes owedBytes;

        Builder(Shared shared, LoopState loop, Peer peer, Admission admission) {
            this.shared = shared;
            this.loop = loop;
            this.peer = peer;
            this.admission = admission;
            Http2Connection connection = new DefaultHttp2Connection(true);
            key = connection.newKey();
            owedBytes = new OwedBytes(connection, key);
            // One stalled stream must not hold the window of all: the connection's window refills as bytes are read.
            connection.local().flowController(new DefaultHttp2LocalFlowController(connection, 0.5f, true));
            connection.remote().flowController(new DefaultHttp2RemoteFlowController(connection, owedBytes));
            connection(connection);
            limits(shared.limits);
        }

        private void limits(NetLimits limits) {
            initialSettings(new Http2Settings()
                    .maxConcurrentStreams(Math.min(limits.streamsPerConnectionMax(), 100_000))
                    .initialWindowSize(limits.streamWindowBytes())
                    .maxHeaderListSize(limits.headerListBytesMax()));
            validateHeaders(true);
            validateRequiredPseudoHeaders(true);
            decoderEnforceMaxRstFramesPerWindow(limits.resetsReceivedMax(), 30);
            encoderEnforceMaxRstFramesPerWindow(limits.resetsProvokedMax(), 30);
            decoderEnforceMaxSmallContinuationFrames(limits.continuationsMax());
            decoderEnforceMaxConsecutiveEmptyDataFrames(limits.emptyDataMax());
            encoderEnforceMaxQueuedControlFrames(limits.controlAnswersQueuedMax());
            gracefulShutdownTimeoutMillis(0);
        }

        @Override
        protected H2Connection build(Http2ConnectionDecoder decoder, Http2ConnectionEncoder encoder,
                Http2Settings settings) {
            H2Connection connection = new H2Connection(decoder, encoder, settings, this);
            frameListener(connection.new Frames());
            connection.connection().addListener(connection.new Streams());
            encoder.flowController().listener(connection::writabilityChanged);
            return connection;
        }

        @Override
        protected H2Connection build() {
            return super.build();
        }
    }

    // ---- life ----

    @Override
    public void handlerAdded(ChannelHandlerContext ctx) throws Exception {
        context = ctx;
        super.handlerAdded(ctx);
        int more = shared.limits.connectionWindowBytes() - 65_535;
        if (more > 0) {
            Http2Stream whole = connection().connectionStream();
            connection().local().flowController().incrementWindowSize(whole, more);
        }
        loop.opened(this);
        shared.metrics.connectionOpened(peer.tls());
        if (shared.limits.keepaliveIntervalMillis() > 0) {
            loop.deadlines.arm(keepalive, lastReadNanos + shared.limits.keepaliveIntervalMillis() * 1_000_000);
        }
        if (shared.draining) {
            drain();
        }
    }

    private ChannelHandlerContext ctx() {
        return java.util.Objects.requireNonNull(context);
    }

    @Override
    public void channelRead(ChannelHandlerContext ctx, Object message) throws Exception {
        inRead = true;
        lastReadNanos = System.nanoTime();
        if (message instanceof ByteBuf buffer) {
            shared.metrics.bytesReceived(buffer.readableBytes());
        }
        super.channelRead(ctx, message);
    }

    @Override
    public void channelReadComplete(ChannelHandlerContext ctx) throws Exception {
        inRead = false;
        super.channelReadComplete(ctx);
    }

    @Override
    public void channelInactive(ChannelHandlerContext ctx) throws Exception {
        leave();
        super.channelInactive(ctx);
    }

    private void leave() {
        if (gone) {
            return;
        }
        gone = true;
        admission.close();
        loop.deadlines.disarm(keepalive);
        loop.deadlines.disarm(goodbye);
        loop.closed(this);
        shared.metrics.connectionClosed(peer.tls());
    }

    @Override
    protected void onConnectionError(ChannelHandlerContext ctx, boolean outbound, Throwable cause,
            @Nullable Http2Exception error) {
        if (error != null) {
            refused(reason(error));
        } else if (!(cause instanceof java.io.IOException)) {
            Faults.internal("HTTP/2 connection", cause); // An IOException is a client that went.
        }
        super.onConnectionError(ctx, outbound, cause, error);
    }

    /** Netty's own bounds (resets, continuations, empty frames, queued answers) all end in the same code. */
    private NetMetrics.Refusal reason(Http2Exception error) {
        if (error.error() != Http2Error.ENHANCE_YOUR_CALM) {
            return NetMetrics.Refusal.PROTOCOL;
        }
        return settingsFlood ? NetMetrics.Refusal.SETTINGS : NetMetrics.Refusal.FLOOD;
    }

    /** The client has met a bound. */
    void refused(NetMetrics.Refusal why) {
        shared.refused(why, ctx().channel());
    }

    /**
     * Leaves out two kinds of reset that Netty would send, and count as provoked, though no client is to blame: for what was
     * queued on a stream that is reset already, by either side (one for each frame); and for a frame that was on its way to
     * a stream we have ended early.
     */
    @Override
    protected void onStreamError(ChannelHandlerContext ctx, boolean outbound, Throwable cause,
            Http2Exception.StreamException error) {
        if (error instanceof Http2Exception.HeaderListSizeException) {
            refused(NetMetrics.Refusal.HTTP_HEAD);
        }
        Http2Stream stream = connection().stream(error.streamId());
        boolean dropped = stream != null && stream.isResetSent();
        boolean late = stream == null && error.error() == Http2Error.STREAM_CLOSED && endedEarly(error.streamId());
        if (!dropped && !late) {
            super.onStreamError(ctx, outbound, cause, error);
        }
    }

    private boolean endedEarly(int streamId) {
        for (int id : endedEarly) {
            if (id == streamId) {
                return true;
            }
        }
        return false;
    }

    private void rememberEndedEarly(int streamId) {
        if (endedEarly.length == 0) {
            endedEarly = new int[ENDED_EARLY_MAX];
        }
        endedEarly[endedEarlyNext] = streamId;
        endedEarlyNext = (endedEarlyNext + 1) % endedEarly.length;
    }

    // ---- frames in ----

    private final class Frames extends Http2EventAdapter {
        @Override
        public void onHeadersRead(ChannelHandlerContext ctx, int streamId, Http2Headers headers, int streamDependency,
                short weight, boolean exclusive, int padding, boolean endOfStream) throws Http2Exception {
            onHeadersRead(ctx, streamId, headers, padding, endOfStream);
        }

        @Override
        public void onHeadersRead(ChannelHandlerContext ctx, int streamId, Http2Headers headers, int padding,
                boolean endOfStream) throws Http2Exception {
            Http2Stream stream = connection().stream(streamId);
            H2Stream known = stream.getProperty(key);
            if (known == null) {
                guarded(streamId, () -> request(stream, headers, endOfStream));
            } else if (endOfStream) {
                guarded(streamId, known::remoteEnd);
            }
        }

        @Override
        public int onDataRead(ChannelHandlerContext ctx, int streamId, ByteBuf data, int padding, boolean endOfStream)
                throws Http2Exception {
            int total = data.readableBytes() + padding;
            Http2Stream stream = connection().stream(streamId);
            H2Stream known = stream == null ? null : stream.getProperty(key);
            if (known == null) {
                return total;
            }
            try {
                return known.data(data, total, endOfStream);
            } catch (Throwable t) {
                throw unexpected(streamId, t);
            }
        }

        @Override
        public void onRstStreamRead(ChannelHandlerContext ctx, int streamId, long errorCode) {
            Http2Stream stream = connection().stream(streamId);
            if (stream == null) {
                return;
            }
            // Otherwise Netty answers with a reset of its own when it drops what is queued, and a client that cancels calls
            // in good faith uses up what it may provoke.
            stream.resetSent();
            H2Stream known = stream.getProperty(key);
            if (known != null) {
                known.closed(End.RESET);
            }
        }

        @Override
        public void onPingRead(ChannelHandlerContext ctx, long data) throws Http2Exception {
            if (pings.tooMany(System.nanoTime(), connection().numActiveStreams() > 0)) {
                refused(NetMetrics.Refusal.PINGS);
                ByteBuf text = Unpooled.copiedBuffer("too_many_pings", StandardCharsets.US_ASCII);
                goAway(ctx, connection().remote().lastStreamCreated(), Http2Error.ENHANCE_YOUR_CALM.code(), text,
                        ctx.newPromise()).addListener(written -> ctx.close());
                ctx.flush();
            }
        }

        @Override
        public void onPingAckRead(ChannelHandlerContext ctx, long data) {
            if (data == GOODBYE_PING && draining) {
                lastGoAway();
            }
        }

        @Override
        public void onSettingsRead(ChannelHandlerContext ctx, Http2Settings settings) throws Http2Exception {
            admission.admitted();
            Long headerListMax = settings.maxHeaderListSize();
            if (headerListMax != null) {
                peerHeaderListMax = headerListMax;
            }
            long now = System.nanoTime();
            if (settingsInWindow == 0 || now - settingsWindowStart > SETTINGS_WINDOW_NANOS) {
                settingsWindowStart = now;
                settingsInWindow = 0;
            }
            if (++settingsInWindow > shared.limits.settingsMax()) {
                settingsFlood = true;
                throw Http2Exception.connectionError(Http2Error.ENHANCE_YOUR_CALM,
                        "Maximum number %d of SETTINGS frames reached", shared.limits.settingsMax());
            }
        }
    }

    private void guarded(int streamId, Runnable work) throws Http2Exception {
        try {
            work.run();
        } catch (Throwable t) {
            throw unexpected(streamId, t);
        }
    }

    /** Whatever escapes costs its stream, never the connection of all the others. */
    private static Http2Exception unexpected(int streamId, Throwable t) {
        Faults.internal("HTTP/2 stream", t);
        return Http2Exception.streamError(streamId, Http2Error.INTERNAL_ERROR, "internal error");
    }

    private void request(Http2Stream stream, Http2Headers headers, boolean end) {
        RequestHead head = RequestHead.read(headers, shared.config.router());
        switch (head.verdict) {
            case RESET ->
                encoder().writeRstStream(ctx(), stream.id(), Http2Error.PROTOCOL_ERROR.code(), ctx().newPromise());
            case REFUSED -> refuse(stream, head, end);
            case HTTP -> {
                H2Exchange exchange = new H2Exchange(this, stream, headers);
                stream.setProperty(key, exchange);
                exchange.open();
                if (end) {
                    exchange.remoteEnd();
                }
            }
            case CALL -> {
                H2Call call = new H2Call(this, stream, head, headers);
                stream.setProperty(key, call);
                call.open();
                if (end) {
                    call.remoteEnd();
                }
            }
        }
    }

    private void refuse(Http2Stream stream, RequestHead head, boolean end) {
        pings.sent();
        ChannelFuture written = encoder().writeHeaders(ctx(), stream.id(), head.refusalHeaders(), 0, true,
                ctx().newPromise());
        if (!end) {
            resetAfter(written, stream);
        }
        wrote();
    }

    private final class Streams extends Http2ConnectionAdapter {
        @Override
        public void onStreamClosed(Http2Stream stream) {
            H2Stream known = stream.getProperty(key);
            if (known != null) {
                known.closed(ctx().channel().isActive() ? End.RESET : goneWhy);
            }
            if (lastGoAwaySent) {
                // The stream leaves the count of active ones only after this call returns.
                loop.executor.execute(H2Connection.this::closeIfIdle);
            }
        }
    }

    // ---- frames out ----

    private void wrote() {
        if (!inRead && !touched) {
            touched = true;
            loop.touch(this);
        }
    }

    void flushTouched() {
        touched = false;
        if (!gone) {
            flush(ctx());
        }
    }

    void writeHeaders(H2Stream to, Http2Headers headers, boolean end) {
        pings.sent();
        if (peerHeaderListMax != Long.MAX_VALUE && listBytes(headers) > peerHeaderListMax) {
            reset(to, Http2Error.INTERNAL_ERROR);
            return;
        }
        ChannelFuture written = encoder().writeHeaders(ctx(), to.stream.id(), headers, 0, end, ctx().newPromise());
        if (end && !to.remoteEnded) {
            resetAfter(written, to.stream);
        }
        wrote();
    }

    private static long listBytes(Http2Headers headers) {
        long bytes = 0;
        for (Map.Entry<CharSequence, CharSequence> entry : headers) {
            bytes += entry.getKey().length() + entry.getValue().length() + 32L;
        }
        return bytes;
    }

    void writeData(H2Stream to, ByteBuf data, boolean end) {
        pings.sent();
        ChannelFuture written = encoder().writeData(ctx(), to.stream.id(), data, 0, end, ctx().newPromise());
        if (end && !to.remoteEnded) {
            resetAfter(written, to.stream);
        }
        wrote();
        if (!to.watchedForStall && !hasRoom(to)) {
            to.watchedForStall = true;
            to.progressNanos = System.nanoTime();
            watched.add(to);
        }
    }

    /** One message with its prefix: short ones are copied into one buffer, the long pieces of long ones are not. */
    void writeMessage(H2Stream to, boolean compressed, Bytes[] pieces, long size) {
        boolean splice = size > SPLICE_BYTES_MIN;
        ByteBuf gather = ctx().alloc().directBuffer(5 + (splice ? SPLICE_BYTES_MIN : (int) size));
        gather.writeByte(compressed ? 1 : 0);
        gather.writeInt((int) size);
        for (Bytes piece : pieces) {
            int length = piece.length();
            boolean alone = splice && length >= PIECE_BYTES_MIN;
            if (alone || gather.readableBytes() + length > SPLICE_BYTES_MIN + 5) {
                writeGathered(to, gather);
                gather = alone ? Unpooled.EMPTY_BUFFER : ctx().alloc().directBuffer(SPLICE_BYTES_MIN);
            }
            if (alone) {
                writeData(to, Unpooled.wrappedBuffer(piece.array(), piece.offset(), length), false);
            } else {
                if (!gather.isWritable(length)) {
                    writeGathered(to, gather);
                    gather = ctx().alloc().directBuffer(SPLICE_BYTES_MIN);
                }
                gather.writeBytes(piece.array(), piece.offset(), length);
            }
        }
        writeGathered(to, gather);
    }

    private void writeGathered(H2Stream to, ByteBuf gathered) {
        if (gathered.isReadable()) {
            writeData(to, gathered, false);
        } else {
            gathered.release();
        }
    }

    /** A client that has not ended its side is told, once the answer has left, that nobody listens any more. */
    private void resetAfter(ChannelFuture written, Http2Stream stream) {
        if (encoder().flowController().hasFlowControlled(stream)) {
            written.addListener(done -> resetIfOpen(stream));
        } else {
            resetIfOpen(stream);
        }
    }

    private void resetIfOpen(Http2Stream stream) {
        if (!gone && connection().stream(stream.id()) != null && !stream.isResetSent()) {
            rememberEndedEarly(stream.id());
            encoder().writeRstStream(ctx(), stream.id(), Http2Error.NO_ERROR.code(), ctx().newPromise());
            wrote();
        }
    }

    void reset(H2Stream to, Http2Error code) {
        if (!gone) {
            rememberEndedEarly(to.stream.id());
            encoder().writeRstStream(ctx(), to.stream.id(), code.code(), ctx().newPromise());
            wrote();
        }
    }

    void consume(H2Stream from, int bytes) {
        if (gone || connection().stream(from.stream.id()) == null) {
            return;
        }
        try {
            if (decoder().flowController().consumeBytes(from.stream, bytes)) {
                wrote();
            }
        } catch (Http2Exception e) {
            onError(ctx(), false, e);
        }
    }

    // ---- what is owed ----

    boolean hasRoom(H2Stream stream) {
        return stream.owed < shared.limits.owedBytesPerStreamMax()
                && encoder().flowController().isWritable(stream.stream);
    }

    private void writabilityChanged(Http2Stream stream) {
        H2Stream known = stream.getProperty(key);
        if (known != null) {
            known.checkRoom();
        }
    }

    /** Some of what was queued on this stream has left. */
    void progressed(H2Stream stream) {
        pings.sent(); // A client that measures its bandwidth pings once for each burst of DATA, and must not be struck for it.
        if (stream.watchedForStall) {
            stream.progressNanos = System.nanoTime();
        }
        stream.checkRoom();
        if (!held.isEmpty() && !releaseDue && !owesTooMuch()) {
            releaseDue = true;
            loop.executor.execute(this::releaseHeld);
        }
    }

    boolean owesTooMuch() {
        return owedBytes.total() > shared.limits.owedBytesPerConnectionMax();
    }

    /** This connection takes its answers too slowly: the call begins when it has. */
    void hold(H2Call call) {
        refused(NetMetrics.Refusal.OWED_BYTES);
        held.add(call);
    }

    private void releaseHeld() {
        releaseDue = false;
        while (!held.isEmpty() && !owesTooMuch()) {
            held.remove().release();
        }
    }

    /** Bytes of requests in work: false if that is too many now. Negative gives back. */
    boolean charge(long bytes) {
        requestBytes += bytes;
        loop.requestBytes += bytes;
        return bytes <= 0 || (requestBytes <= shared.limits.requestBytesPerConnectionMax()
                && loop.requestBytes <= shared.limits.requestBytesPerLoopMax());
    }

    @Override
    public void sweep(long nowNanos) {
        long stallNanos = shared.limits.writeStallMillisMax() * 1_000_000;
        for (int i = watched.size() - 1; i >= 0; i--) {
            H2Stream stream = watched.get(i);
            boolean closed = connection().stream(stream.stream.id()) == null;
            if (closed || !encoder().flowController().hasFlowControlled(stream.stream)) {
                watched.remove(i);
                stream.watchedForStall = false;
            } else if (nowNanos - stream.progressNanos > stallNanos) {
                refused(NetMetrics.Refusal.WRITE_STALLED);
                reset(stream, Http2Error.ENHANCE_YOUR_CALM);
            }
        }
        sweepChannel(nowNanos, stallNanos);
    }

    /** The socket itself takes nothing: no stream can be told, the connection goes. */
    private void sweepChannel(long nowNanos, long stallNanos) {
        if (stall.isOver(ctx().channel(), nowNanos, stallNanos)) {
            refused(NetMetrics.Refusal.WRITE_STALLED);
            ctx().close();
        }
    }

    // ---- keep-alive and goodbye ----

    private void keepaliveDue() {
        NetLimits limits = shared.limits;
        long now = System.nanoTime();
        long silent = now - lastReadNanos;
        if (silent < limits.keepaliveIntervalMillis() * 1_000_000) {
            keepalivePinged = false;
            loop.deadlines.arm(keepalive, lastReadNanos + limits.keepaliveIntervalMillis() * 1_000_000);
        } else if (!keepalivePinged) {
            keepalivePinged = true;
            encoder().writePing(ctx(), false, now, ctx().newPromise());
            wrote();
            loop.deadlines.arm(keepalive, now + limits.keepaliveTimeoutMillis() * 1_000_000);
        } else {
            refused(NetMetrics.Refusal.KEEPALIVE_TIMEOUT);
            ctx().close();
        }
    }

    @Override
    public void drain() {
        if (draining || gone) {
            return;
        }
        draining = true;
        goAway(Integer.MAX_VALUE);
        encoder().writePing(ctx(), false, GOODBYE_PING, ctx().newPromise());
        flush(ctx());
        loop.deadlines.arm(goodbye, System.nanoTime() + GOODBYE_WAIT_NANOS);
    }

    private ChannelFuture goAway(int lastStreamId) {
        ByteBuf text = Unpooled.copiedBuffer("graceful_stop", StandardCharsets.US_ASCII);
        return goAway(ctx(), lastStreamId, Http2Error.NO_ERROR.code(), text, ctx().newPromise());
    }

    private void lastGoAway() {
        if (gone || lastGoAwaySent) {
            return;
        }
        lastGoAwaySent = true;
        loop.deadlines.disarm(goodbye);
        goAway(connection().remote().lastStreamCreated());
        flush(ctx());
        closeIfIdle();
    }

    private void closeIfIdle() {
        if (!gone && connection().numActiveStreams() == 0) {
            // After what is queued for the socket, not before.
            ctx().writeAndFlush(Unpooled.EMPTY_BUFFER).addListener(written -> ctx().close());
        }
    }

    @Override
    public void abort(End why) {
        goneWhy = why;
        if (gone) {
            return;
        }
        try {
            connection().forEachActiveStream(stream -> {
                H2Stream known = stream.getProperty(key);
                if (known != null) {
                    known.closed(why);
                }
                return true;
            });
        } catch (Http2Exception e) {
            throw dev.quoin.base.Invariant.violation("visiting streams failed: %s", e.getMessage());
        }
        flush(ctx());
        ctx().close();
    }

    /** Where buffers for this connection come from; for any thread. */
    ByteBufAllocator alloc() {
        return ctx().alloc();
    }

    LoopState loop() {
        return loop;
    }

    Shared shared() {
        return shared;
    }

    Peer peer() {
        return peer;
    }
}
