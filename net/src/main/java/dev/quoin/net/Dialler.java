package dev.quoin.net;

import java.io.IOException;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;

import io.netty.util.concurrent.DefaultThreadFactory;
import org.jspecify.annotations.Nullable;

/**
 * Asks other servers over HTTP/1.1, on a loop that is its own or shared: one connection for each request, unless requests
 * say that they may follow each other on one. Nothing is tried twice.
 *
 * <p>TCP_USER_TIMEOUT is not to be had from the JDK's sockets: {@link DialRequest#silenceMillisMax} and {@link
 * NetLimits#writeStallMillisMax} find out about a peer that is gone without a word.
 */
public final class Dialler implements AutoCloseable {
    final NetLimits limits;
    final LoopState loop;
    final @Nullable DialTlsContext tls;
    private final EventLoops loops;
    private final boolean ownsLoops;
    final ParkedConnections parked = new ParkedConnections();
    private final ExecutorService handshakes;
    private final AtomicInteger calls = new AtomicInteger();
    private final Object lifecycle = new Object();
    private boolean closed;

    /**
     * @param tls for targets that speak TLS, or null if none does
     * @throws IOException a certificate cannot be read; the text names it
     */
    public Dialler(NetLimits limits, @Nullable DialTls tls) throws IOException {
        this(limits, tls, new EventLoops("net-dial", 1, null), true);
    }

    /** As the other, on the first of loops that outlive it. */
    public Dialler(NetLimits limits, @Nullable DialTls tls, EventLoops loops) throws IOException {
        this(limits, tls, loops, false);
    }

    private Dialler(NetLimits limits, @Nullable DialTls tls, EventLoops loops, boolean ownsLoops) throws IOException {
        this.limits = limits;
        this.loops = loops;
        this.ownsLoops = ownsLoops;
        loop = loops.all().getFirst();
        handshakes = Executors.newFixedThreadPool(1, new DefaultThreadFactory("net-dial-tls", true));
        this.tls = tls == null ? null : new DialTlsContext(tls, handshakes);
        loop.execute(() -> loop.opened(parked));
    }

    /** Starts a call; all that becomes of it is told to {@code handler}. Any thread; never waits. */
    public DialCall open(DialTarget target, DialRequest request, DialHandler handler) {
        if (target.tls() && tls == null) {
            throw new IllegalArgumentException(target.authority() + " speaks TLS, and there is no authority to trust");
        }
        DialConnection call = new DialConnection(this, target, request, handler);
        synchronized (lifecycle) {
            if (closed) {
                throw new IllegalStateException("the dialler is closed");
            }
            boolean admitted = calls.incrementAndGet() <= limits.dialsMax();
            loop.execute(() -> call.start(admitted));
        }
        return call;
    }

    void ended() {
        calls.decrementAndGet();
    }

    /**
     * Reads the certificate files again, for calls to come, if they have changed. One thread at a time.
     *
     * @return whether they have, and are in use
     * @throws IOException they cannot be used, and the old ones stay in use; told once for each change
     */
    public boolean refreshTls() throws IOException {
        return tls != null && tls.refresh();
    }

    /** Ends every call, {@link DialEnd.Why#CLOSED}. Not on the loop. */
    @Override
    public void close() {
        // Before the loop stops, for that closes the channels: every call ends for the reason that is true.
        CountDownLatch ended = new CountDownLatch(1);
        synchronized (lifecycle) {
            if (closed) {
                return;
            }
            closed = true;
            loop.execute(() -> {
                loop.forEachConnection(this::abort);
                parked.abort(End.CONNECTION_LOST);
                loop.closed(parked);
                ended.countDown();
            });
        }
        try {
            ended.await(5, TimeUnit.SECONDS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        if (ownsLoops) {
            loops.close();
        }
        handshakes.shutdownNow();
    }

    private void abort(LoopState.Connection connection) {
        if (connection instanceof DialConnection call && call.isOf(this)) {
            call.abort(End.CONNECTION_LOST);
        }
    }
}
