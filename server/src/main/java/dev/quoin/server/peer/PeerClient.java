package dev.quoin.server.peer;

import java.io.IOException;

import org.jspecify.annotations.Nullable;

import dev.quoin.base.Bytes;
import dev.quoin.net.DialRequest;
import dev.quoin.net.DialTarget;
import dev.quoin.net.DialTls;
import dev.quoin.net.Dialler;
import dev.quoin.net.EventLoops;
import dev.quoin.net.NetLimits;
import dev.quoin.server.dial.Exchange;

/** Asks the peer ports of others, for threads that may wait. Nothing is tried twice, no redirection is followed. */
public final class PeerClient implements AutoCloseable {
    private static final long CONNECT_MILLIS_MAX = 2_000;
    private static final long BYTES_PER_MILLI_MIN = 1_024;

    final Dialler dialler;

    /**
     * @param tls for members that speak TLS, or null
     * @throws IOException a certificate cannot be read; the text names it
     */
    public PeerClient(PeerLimits limits, @Nullable DialTls tls, EventLoops loops) throws IOException {
        dialler = new Dialler(
                NetLimits.defaults().change().writeStallMillisMax(limits.silenceMillisMax()).build(), tls, loops);
    }

    /**
     * Asks and waits for the whole of the answer.
     *
     * @throws IOException there was none
     */
    public Exchange.Reply ask(DialTarget target, DialRequest request) throws IOException, InterruptedException {
        return Exchange.ask(dialler, target, request, wholeMillisMax(request));
    }

    /** What is asked here has a short answer, that comes at once. What is said may be longer. */
    private static long wholeMillisMax(DialRequest request) {
        long said = request.body() instanceof DialRequest.Body.Whole(Bytes bytes) ? bytes.length() : 0;
        return CONNECT_MILLIS_MAX + said / BYTES_PER_MILLI_MIN + 2 * request.silenceMillisMax();
    }

    /** What it dials with, for other questions to members. */
    public Dialler dialler() {
        return dialler;
    }

    @Override
    public void close() {
        dialler.close();
    }
}
