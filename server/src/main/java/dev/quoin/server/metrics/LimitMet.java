package dev.quoin.server.metrics;

import java.net.SocketAddress;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;

import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Told when a client meets a bound of the services. Any thread. */
@FunctionalInterface
public interface LimitMet {
    void by(SocketAddress client);

    /** Counted each time, and told in the log once in ten seconds, in the words of the front's own bounds. */
    static LimitMet counted(String limit, Counter counter) {
        Logger log = LoggerFactory.getLogger(LimitMet.class);
        long pauseNanos = TimeUnit.SECONDS.toNanos(10);
        AtomicLong due = new AtomicLong(System.nanoTime());
        return client -> {
            counter.increment();
            long from = due.get();
            long now = System.nanoTime();
            if (now - from >= 0 && due.compareAndSet(from, now + pauseNanos)) {
                log.atWarn().addKeyValue("remote-addr", String.valueOf(client).replaceFirst("^/", ""))
                        .addKeyValue("limit", limit)
                        .log("a client met a limit; others of the next ten seconds are only counted");
            }
        };
    }
}
