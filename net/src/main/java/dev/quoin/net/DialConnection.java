package dev.quoin.net;

import java.io.IOException;
import java.net.ConnectException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.UnknownHostException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;

import javax.net.ssl.SSLException;

import io.netty.bootstrap.Bootstrap;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelHandler;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.ChannelOption;
import io.netty.channel.WriteBufferWaterMark;
import io.netty.channel.socket.nio.NioSocketChannel;
import io.netty.handler.codec.PrematureChannelClosureException;
import io.netty.handler.codec.http.DefaultHttpContent;
import io.netty.handler.codec.http.DefaultHttpRequest;
import io.netty.handler.codec.http.HttpClientCodec;
import io.netty.handler.codec.http.HttpContent;
import io.netty.handler.codec.http.HttpDecoderConfig;
import io.netty.handler.codec.http.HttpMethod;
import io.netty.handler.codec.http.HttpObject;
import io.netty.handler.codec.http.HttpUtil;
import io.netty.handler.codec.http.HttpVersion;
import io.netty.handler.codec.http.LastHttpContent;
import io.netty.handler.codec.http.TooLongHttpHeaderException;
import io.netty.handler.codec.http.TooLongHttpLineException;
import io.netty.handler.ssl.SslHandler;
import io.netty.util.ReferenceCountUtil;
import org.jspecify.annotations.Nullable;

import dev.quoin.base.Bytes;
import dev.quoin.base.Invariant;
import dev.quoin.net.DialEnd.Why;

/**
 * One call to another server, from the look-up of its name to the end of its answer (its connection serves no other, unless
 * that was asked for). Owned
 * by the dialler's loop but for what {@link DialCall} lets others do, which travels there.
 */
@SuppressWarnings("FutureReturnValueIgnored") // Netty tells of a failed write by closing the channel, which we hear of.
final class DialConnection extends ChannelInboundHandlerAdapter implements DialCall, LoopState.Connection {
    private static final WriteBufferWaterMark WATER = new WriteBufferWaterMark(128 * 1024, 256 * 1024);

    private final Dialler dialler;
    private final LoopState loop;
    private final NetLimits limits;
    private final DialTarget target;
    private final DialRequest request;
    private final io.netty.handler.codec.http.HttpRequest head;
    private final DialHandler handler;

    private @Nullable Channel channel;
    private Why lateIs = Why.CONNECT;
    private boolean informational; // what comes belongs to an answer of 1xx
    private boolean answering; // the answer's head has been told
    private boolean paused;
    private boolean mayBeKept; // the other does not close the connection behind its answer
    private boolean asked; // all of the request has been written
    private long answerBytes;
    private final AtomicLong outboxBytes = new AtomicLong(); // sent by the caller's thread, not seen by the loop
    private long sentBytes; // of the caller's thread
    private volatile boolean asking;
    private volatile boolean over;
    private final WriteStall stall = new WriteStall();
    private final RoomWaiter room = new RoomWaiter() {
        @Override
        boolean isOver() {
            return over;
        }

        @Override
        boolean hasRoom() {
            Channel open = asking ? channel : null;
            return open != null && open.isWritable() && outboxBytes.get() < limits.owedBytesPerStreamMax();
        }
    };

    private final Deadlines.Timer late = new Deadlines.Timer() {
        @Override
        void due() {
            finish(new DialEnd.Failed(lateIs, lateIs == Why.CONNECT
                    ? "no connection within " + limits.dialConnectMillisMax() + " ms"
                    : "nothing came for " + request.silenceMillisMax() + " ms"));
        }
    };

    DialConnection(Dialler dialler, DialTarget target, DialRequest request, DialHandler handler) {
        this.dialler = dialler;
        loop = dialler.loop;
        limits = dialler.limits;
        this.target = target;
        this.request = request;
        this.handler = handler;
        head = head(target, request);
    }

    private static io.netty.handler.codec.http.HttpRequest head(DialTarget target, DialRequest request) {
        io.netty.handler.codec.http.HttpRequest head = new DefaultHttpRequest(HttpVersion.HTTP_1_1,
                HttpMethod.valueOf(request.method()), request.path());
        head.headers().set("Host", target.authority());
        request.headers().forEach((name, value) -> head.headers().add(HttpWork.canonical(name), value));
        switch (request.body()) {
            case DialRequest.Body.None none -> {
                if (!request.method().equals("GET")) {
                    head.headers().set("Content-Length", 0);
                }
            }
            case DialRequest.Body.Whole whole -> head.headers().set("Content-Length", whole.bytes().length());
            case DialRequest.Body.Streamed streamed -> head.headers().set("Content-Length", streamed.length());
        }
        if (!request.keepsConnection()) {
            head.headers().set("Connection", "close");
        }
        return head;
    }

    // ---- connecting

    void start(boolean admitted) {
        loop.opened(this);
        if (!admitted) {
            finish(new DialEnd.Failed(Why.TOO_MANY, limits.dialsMax() + " calls are at work"));
            return;
        }
        Channel kept = request.keepsConnection() ? dialler.parked.take(target) : null;
        if (kept != null) {
            channel = kept;
            askOn(kept);
            return;
        }
        arm(Why.CONNECT, limits.dialConnectMillisMax());
        // A look-up blocks, for as long as the resolver likes.
        Thread.ofVirtual().name("net-dial-name").start(this::resolve);
    }

    private void resolve() {
        try {
            InetAddress[] addresses = InetAddress.getAllByName(target.host());
            loop.execute(() -> connect(addresses, 0));
        } catch (UnknownHostException e) {
            loop.execute(() -> finish(new DialEnd.Failed(Why.CONNECT, "no address for " + target.host())));
        }
    }

    /** Tries the addresses in turn, all within the one deadline. */
    private void connect(InetAddress[] addresses, int next) {
        if (over) {
            return;
        }
        ChannelFuture connecting = new Bootstrap().group(loop.executor).channel(NioSocketChannel.class)
                .option(ChannelOption.TCP_NODELAY, true)
                .option(ChannelOption.SO_KEEPALIVE, true)
                .option(ChannelOption.WRITE_BUFFER_WATER_MARK, WATER)
                .option(ChannelOption.CONNECT_TIMEOUT_MILLIS, (int) limits.dialConnectMillisMax())
                .handler(new ChannelInboundHandlerAdapter())
                .connect(new InetSocketAddress(addresses[next], target.port()));
        channel = connecting.channel();
        connecting.addListener(future -> {
            if (over) {
                connecting.channel().close();
            } else if (future.isSuccess()) {
                connected(connecting.channel(), () -> connect(addresses, next));
            } else if (next + 1 < addresses.length) {
                connect(addresses, next + 1);
            } else {
                finish(new DialEnd.Failed(isRefused(future.cause()) ? Why.REFUSED : Why.CONNECT,
                        String.valueOf(future.cause().getMessage())));
            }
        });
    }

    /** The JDK says so in the text alone. */
    private static boolean isRefused(Throwable cause) {
        return cause instanceof ConnectException && String.valueOf(cause.getMessage()).startsWith("Connection refused");
    }

    /** @param again connects once more, where the first handshake shows that it takes another engine; nothing is asked by then */
    private void connected(Channel connected, Runnable again) {
        loop.deadlines.disarm(late);
        DialTlsContext tls = dialler.tls;
        if (!target.tls() || tls == null) {
            ask(connected);
            return;
        }
        SslHandler handshake;
        try {
            handshake = tls.handler(connected.alloc(), target);
        } catch (IOException e) {
            finish(new DialEnd.Failed(Why.HANDSHAKE, String.valueOf(e.getMessage())));
            return;
        }
        handshake.setHandshakeTimeout(limits.handshakeMillisMax(), TimeUnit.MILLISECONDS);
        ChannelHandler behind = new HandshakeEnd();
        connected.pipeline().addLast(handshake, behind);
        handshake.handshakeFuture().addListener(future -> {
            if (over) {
                return;
            }
            if (future.isSuccess()) {
                connected.pipeline().remove(behind);
                ask(connected);
            } else if (tls.failed(target, future.cause())) {
                connected.close();
                arm(Why.CONNECT, limits.dialConnectMillisMax());
                again.run();
            } else {
                finish(new DialEnd.Failed(Why.HANDSHAKE, TlsWords.reason(future.cause())));
            }
        });
    }

    /** Why a handshake has failed is told by its future; Netty tells it down the pipeline too. */
    private static final class HandshakeEnd extends ChannelInboundHandlerAdapter {
        @Override
        public void exceptionCaught(ChannelHandlerContext ctx, Throwable cause) {
            ctx.close();
        }
    }

    private void ask(Channel connected) {
        connected.pipeline().addLast(new HttpClientCodec(
                new HttpDecoderConfig().setMaxInitialLineLength(limits.requestLineBytesMax())
                        .setMaxHeaderSize(limits.headerListBytesMax()),
                false, false));
        askOn(connected);
    }

    private void askOn(Channel connected) {
        connected.pipeline().addLast(this);
        connected.config().setAutoRead(!paused);
        connected.write(head);
        switch (request.body()) {
            case DialRequest.Body.None none -> asked(connected, Unpooled.EMPTY_BUFFER);
            case DialRequest.Body.Whole whole -> asked(connected, wrap(whole.bytes()));
            case DialRequest.Body.Streamed streamed -> connected.flush();
        }
        asking = true;
        room.wakeWaiter();
        if (!connected.isActive()) {
            cut("the connection was closed");
        }
    }

    private static ByteBuf wrap(Bytes bytes) {
        return Unpooled.wrappedBuffer(bytes.array(), bytes.offset(), bytes.length());
    }

    /** The last of the request is on its way: from now on the other is waited for. */
    private void asked(Channel connected, ByteBuf last) {
        connected.write(new DefaultHttpContent(last));
        connected.writeAndFlush(LastHttpContent.EMPTY_LAST_CONTENT);
        asked = true;
        if (!answering && !over) {
            arm(Why.SILENT, request.silenceMillisMax());
        }
    }

    private void arm(Why why, long millis) {
        loop.deadlines.disarm(late);
        if (!paused || why == Why.CONNECT) {
            lateIs = why;
            loop.deadlines.arm(late, System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(millis));
        }
    }

    // ---- the answer

    @Override
    public void channelRead(ChannelHandlerContext ctx, Object message) {
        try {
            if (!over && message instanceof HttpObject object) {
                read(object);
            }
        } catch (RuntimeException | Error e) {
            Faults.internal("handler of a dialled answer", e);
            finish(new DialEnd.Failed(Why.CANCELLED, "its handler failed"));
        } finally {
            ReferenceCountUtil.release(message);
        }
    }

    private void read(HttpObject object) {
        if (object.decoderResult().isFailure()) {
            finish(malformed(object.decoderResult().cause()));
            return;
        }
        if (object instanceof io.netty.handler.codec.http.HttpResponse response) {
            int status = response.status().code();
            informational = status < 200 && status != 101;
            if (status == 101) {
                finish(new DialEnd.Failed(Why.MALFORMED, "an upgrade that was not asked for"));
            } else if (!informational) {
                answered(status, response);
            }
        }
        if (!over && object instanceof HttpContent content) {
            more(content);
        }
    }

    private static DialEnd malformed(Throwable cause) {
        if (cause instanceof TooLongHttpHeaderException || cause instanceof TooLongHttpLineException) {
            return new DialEnd.Failed(Why.TOO_LARGE, "the head of the answer: " + cause.getMessage());
        }
        if (cause instanceof PrematureChannelClosureException) {
            return new DialEnd.Failed(Why.CUT, "the connection was closed inside the answer");
        }
        return new DialEnd.Failed(Why.MALFORMED, String.valueOf(cause.getMessage()));
    }

    private void answered(int status, io.netty.handler.codec.http.HttpResponse response) {
        answering = true;
        mayBeKept = HttpUtil.isKeepAlive(response);
        arm(Why.SILENT, request.silenceMillisMax());
        handler.onHead(this, status, HttpFields.collect(
                sink -> response.headers().forEach(field -> sink.accept(field.getKey(), field.getValue()))));
    }

    private void more(HttpContent content) {
        boolean last = content instanceof LastHttpContent;
        if (informational) {
            informational = !last;
            return;
        }
        int length = content.content().readableBytes();
        answerBytes += length;
        if (answerBytes > request.answerBytesMax()) {
            finish(new DialEnd.Failed(Why.TOO_LARGE, "an answer of more than " + request.answerBytesMax() + " bytes"));
            return;
        }
        if (length > 0) {
            byte[] piece = new byte[length];
            content.content().readBytes(piece);
            arm(Why.SILENT, request.silenceMillisMax());
            handler.onBytes(this, Bytes.of(piece));
        }
        if (last) {
            finish(new DialEnd.Answered());
        }
    }

    // ---- the end

    private void finish(DialEnd end) {
        if (over) {
            return;
        }
        over = true;
        room.wakeWaiter();
        loop.deadlines.disarm(late);
        loop.closed(this);
        dialler.ended();
        leave(end);
        try {
            handler.onEnd(this, end);
        } catch (RuntimeException | Error e) {
            Faults.internal("handler of a dialled call's end", e);
        }
    }

    private void leave(DialEnd end) {
        Channel open = channel;
        if (open == null) {
            return;
        }
        if (request.keepsConnection() && mayBeKept && asked && end instanceof DialEnd.Answered && open.isActive()) {
            open.pipeline().remove(this);
            open.config().setAutoRead(true);
            dialler.parked.park(target, open);
        } else {
            open.close();
        }
    }

    private void cut(String text) {
        finish(new DialEnd.Failed(Why.CUT, text));
    }

    @Override
    public void channelInactive(ChannelHandlerContext ctx) {
        cut("the connection was closed before the answer was whole");
    }

    @Override
    public void exceptionCaught(ChannelHandlerContext ctx, Throwable cause) {
        Throwable root = cause.getCause() == null ? cause : cause.getCause();
        if (root instanceof SSLException) {
            finish(new DialEnd.Failed(Why.HANDSHAKE, String.valueOf(root.getMessage())));
        } else if (root instanceof IOException) {
            cut(String.valueOf(root.getMessage()));
        } else {
            Faults.internal("dialled connection", cause);
            finish(new DialEnd.Failed(Why.MALFORMED, String.valueOf(root.getMessage())));
        }
    }

    boolean isOf(Dialler other) {
        return dialler == other;
    }

    @Override
    public void drain() {
        abort(End.DRAINED);
    }

    @Override
    public void abort(End why) {
        finish(new DialEnd.Failed(Why.CLOSED, "the dialler was closed"));
    }

    @Override
    public void sweep(long nowNanos) {
        if (channel == null || !asking) {
            return;
        }
        if (stall.isOver(channel, nowNanos, TimeUnit.MILLISECONDS.toNanos(limits.writeStallMillisMax()))) {
            finish(new DialEnd.Failed(Why.WRITE_STALLED,
                    "not a byte was taken for " + limits.writeStallMillisMax() + " ms"));
        }
    }

    // ---- what others may do

    /** At once if this is the loop: a pause must not wait for the reads that it is to end. */
    private void onLoop(Runnable task) {
        if (loop.inLoop()) {
            task.run();
        } else {
            loop.execute(task);
        }
    }

    @Override
    public void cancel() {
        onLoop(() -> finish(new DialEnd.Failed(Why.CANCELLED, "cancelled")));
    }

    @Override
    public void pause() {
        onLoop(() -> setPaused(true));
    }

    @Override
    public void resume() {
        onLoop(() -> setPaused(false));
    }

    private void setPaused(boolean now) {
        if (over || paused == now) {
            return;
        }
        paused = now;
        if (channel == null || !asking) {
            return;
        }
        channel.config().setAutoRead(!now);
        if (now) {
            loop.deadlines.disarm(late);
        } else if (answering || asked) {
            arm(Why.SILENT, request.silenceMillisMax());
        }
    }

    @Override
    public boolean send(Bytes piece) throws InterruptedException {
        Invariant.check(!loop.inLoop(), "a body is sent on the loop that must send it");
        long length = request.body() instanceof DialRequest.Body.Streamed streamed ? streamed.length() : 0;
        Invariant.check(piece.length() <= length - sentBytes, "%d bytes beyond the announced length",
                piece.length() - (length - sentBytes));
        if (!room.awaitRoom()) {
            return false;
        }
        sentBytes += piece.length();
        boolean last = sentBytes == length;
        outboxBytes.addAndGet(piece.length());
        loop.execute(() -> write(piece, last));
        return true;
    }

    private void write(Bytes piece, boolean last) {
        outboxBytes.addAndGet(-piece.length());
        Channel open = channel;
        if (!over && open != null) {
            if (last) {
                asked(open, wrap(piece));
            } else {
                open.writeAndFlush(new DefaultHttpContent(wrap(piece)));
            }
        }
        room.wakeWaiter();
    }

    @Override
    public void channelWritabilityChanged(ChannelHandlerContext ctx) {
        room.wakeWaiter();
    }
}
