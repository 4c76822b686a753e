package dev.quoin.ctl.rpc;

import java.io.IOException;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;

import org.jspecify.annotations.Nullable;

import dev.quoin.base.GoQuote;

/**
 * A way to any of several servers. A call goes to the one that was reached last; if it cannot be reached any more, before anything
 * of the call was sent, to the next. Any thread's.
 */
public final class Channel implements AutoCloseable {
    /** With several servers, one that does not answer must not use up the time of the others; twice as long in each round. */
    private static final long CONNECT_NANOS = TimeUnit.SECONDS.toNanos(1);
    private static final long CONNECT_ALONE_NANOS = TimeUnit.SECONDS.toNanos(20);
    private static final long PAUSE_MIN_NANOS = TimeUnit.MILLISECONDS.toNanos(100);
    private static final long PAUSE_MAX_NANOS = TimeUnit.SECONDS.toNanos(2);
    /** More often than this no server wants to be asked for a sign of life (grpc-go: KeepaliveMinPingTime). */
    private static final long KEEP_ALIVE_MIN_NANOS = TimeUnit.SECONDS.toNanos(10);

    /**
     * What calls need to know.
     *
     * @param endpoints at least one
     * @param keepAliveNanos after so long without a byte the server is asked for a sign of life; 10 s at least
     * @param receiveBytesMax how long a message may be
     */
    public record Settings(List<Endpoint> endpoints, @Nullable Tls tls, long keepAliveNanos, long keepAliveTimeoutNanos,
            int receiveBytesMax) {}

    private final List<Endpoint> endpoints;
    private final @Nullable Tls tls;
    private final Connection.Settings settings;

    private int next;
    private volatile @Nullable Connection current;
    private String lastError = "";
    private volatile boolean isClosed;

    public Channel(Settings settings) {
        this.endpoints = settings.endpoints;
        this.tls = settings.tls;
        this.settings = new Connection.Settings(Math.max(settings.keepAliveNanos, KEEP_ALIVE_MIN_NANOS),
                settings.keepAliveTimeoutNanos, settings.receiveBytesMax);
    }

    /**
     * Begins a call, having waited until a server can be reached.
     *
     * @param path {@code /service/method}
     * @param metadata more headers
     */
    public Call begin(String path, Map<String, String> metadata, Deadline deadline) {
        while (true) {
            Connection connection = connection(deadline);
            try {
                return connection.begin(path, metadata, deadline);
            } catch (RpcException why) {
                if (why.outcome() != RpcException.Outcome.UNTOUCHED) {
                    throw why;
                }
                leave(connection);
            }
        }
    }

    /** How many servers there are. */
    public int size() {
        return endpoints.size();
    }

    /** The next call goes to another server, if there is one. Calls under way stay where they are. */
    public synchronized void turn() {
        if (endpoints.size() > 1) {
            current = null;
            next = (next + 1) % endpoints.size();
        }
    }

    /** Ends the connection in use; calls end with it, and none begins any more. It does not wait for whoever is dialling. */
    @Override
    public void close() {
        isClosed = true;
        Connection open = current;
        if (open != null) {
            open.end();
        }
    }

    private synchronized void leave(Connection connection) {
        if (current == connection) {
            current = null;
        }
    }

    private synchronized Connection connection(Deadline deadline) {
        Connection open = current;
        if (open != null && open.isUsable()) {
            return open;
        }
        long pause = PAUSE_MIN_NANOS;
        long patience = endpoints.size() == 1 ? CONNECT_ALONE_NANOS : CONNECT_NANOS;
        while (true) {
            for (int i = 0; i < endpoints.size(); i++) {
                if (isClosed) {
                    throw RpcException.untouched(Code.CANCELED, "context canceled");
                }
                if (deadline.isOver()) {
                    throw unreachable();
                }
                try {
                    Connection opened = Connection.open(endpoints.get(next), tls, settings,
                            Deadline.in(Math.min(patience, deadline.nanosLeft())));
                    current = opened;
                    return opened;
                } catch (IOException why) {
                    lastError = String.valueOf(why.getMessage());
                    next = (next + 1) % endpoints.size();
                }
            }
            sleep(Math.min(pause, deadline.nanosLeft()));
            pause = Math.min(pause * 8 / 5, PAUSE_MAX_NANOS);
            patience = Math.min(2 * patience, CONNECT_ALONE_NANOS);
        }
    }

    private void sleep(long nanos) {
        try {
            TimeUnit.NANOSECONDS.sleep(nanos);
        } catch (InterruptedException stop) {
            Thread.currentThread().interrupt();
            throw RpcException.untouched(Code.CANCELED, "context canceled");
        }
    }

    /** The words of grpc-go, whose readers look for {@code connection refused} in them. */
    private RpcException unreachable() {
        return RpcException.late("latest balancer error: last connection error: connection error: desc = "
                + GoQuote.of(lastError));
    }
}
