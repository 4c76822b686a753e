package dev.quoin.server.peer;

import java.io.IOException;
import java.util.concurrent.TimeUnit;

import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

import dev.quoin.net.DialRequest;
import dev.quoin.net.DialTarget;
import dev.quoin.server.dial.Exchange;

/**
 * Asks a member every few seconds for nothing, to know how long that takes (rafthttp/probing_status.go). On a virtual thread.
 */
final class RoundTrips {
    private static final Logger LOG = LoggerFactory.getLogger(RoundTrips.class);
    private static final long PAUSE_SECONDS = 5;

    private final PeerLink link;
    private final PeerContext context;
    private final Thread thread;

    RoundTrips(PeerLink link, PeerContext context) {
        this.link = link;
        this.context = context;
        thread = Thread.ofVirtual().name("peer-round-trips-" + link.name()).unstarted(this::run);
    }

    void start() {
        thread.start();
    }

    void close() {
        thread.interrupt();
    }

    private void run() {
        try {
            while (true) {
                measure();
                TimeUnit.SECONDS.sleep(PAUSE_SECONDS);
            }
        } catch (InterruptedException closed) {
            // That is how it ends.
        }
    }

    /** Whether it is within reach is found out elsewhere. */
    private void measure() throws InterruptedException {
        DialTarget target = link.targets().pick();
        if (target == null) {
            return;
        }
        PeerLimits limits = context.limits();
        long begun = System.nanoTime();
        try {
            Exchange.Reply reply = context.client().ask(target, DialRequest.get("/raft/probing", context.headers(),
                    limits.answerBytesMax(), limits.silenceMillisMax()).keepingConnection());
            if (reply.status() == 200) {
                link.metrics().roundTrip(System.nanoTime() - begun);
            }
        } catch (IOException silent) {
            LOG.atDebug().addKeyValue("remote-peer-id", link.name()).addKeyValue("error", silent.getMessage())
                    .log("a member did not answer a probe");
        }
    }
}
