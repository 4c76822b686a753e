package dev.quoin.ctl.gateway;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.ServerSocket;
import java.net.Socket;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;

import org.jspecify.annotations.Nullable;

import dev.quoin.ctl.cli.Log;
import dev.quoin.ctl.rpc.Deadline;
import dev.quoin.ctl.rpc.Dial;
import dev.quoin.ctl.text.GoDurations;

/**
 * Takes connections and copies what comes to a server, and back (etcd: server/proxy/tcpproxy/userspace.go). A connection is two virtual
 * threads, one a direction, each with one buffer: so a side that does not read stops the other side, and memory is bounded by the number
 * of connections. A side that has said all it has to say may still be answered; etcd closes both then. A server that cannot be reached is
 * left out until, after the delay, it can be.
 */
final class TcpProxy implements AutoCloseable {
    /** Of each direction. */
    static final int BUFFER_BYTES = 16 << 10;
    /** At once: 320 MB of buffers. Who comes later waits in the queue of the listener. */
    static final int CONNECTIONS_MAX = 10_000;
    /** A server that does not answer for so long is given up; etcd waits as long as the system does. */
    private static final long CONNECT_NANOS = TimeUnit.SECONDS.toNanos(5);
    /** After a connection could not be taken, for want of descriptors above all. */
    private static final long ACCEPT_PAUSE_MILLIS = 100;

    private final ServerSocket listener;
    private final Remotes remotes;
    private final long retryNanos;
    private final int connectionsMax;
    private final Semaphore places;
    private final Log log;

    /**
     * @param listener is closed with this
     * @param retryNanos after so long a server that could not be reached is tried again
     * @param connectionsMax at once
     */
    TcpProxy(ServerSocket listener, Remotes remotes, long retryNanos, int connectionsMax, Log log) {
        this.listener = listener;
        this.remotes = remotes;
        this.retryNanos = retryNanos;
        this.connectionsMax = connectionsMax;
        this.places = new Semaphore(connectionsMax);
        this.log = log;
    }

    /** Takes connections until this is closed, or the calling thread is interrupted. */
    void run() throws InterruptedException {
        log.line("info", "ready to proxy client requests", "endpoints",
                remotes.all().stream().map(remote -> remote.place().toString()).toList());
        Thread monitor = Thread.ofVirtual().name("gateway monitor").start(this::monitor);
        try {
            while (!listener.isClosed()) {
                accept();
            }
        } finally {
            monitor.interrupt();
        }
    }

    /** How many there are now. */
    int connections() {
        return connectionsMax - places.availablePermits();
    }

    /** Takes no more connections; those that are open go on. */
    @Override
    public void close() throws IOException {
        listener.close();
    }

    private void accept() throws InterruptedException {
        places.acquire();
        Socket client;
        try {
            client = listener.accept();
        } catch (IOException why) {
            places.release();
            if (!listener.isClosed()) {
                log.line("warn", "failed to accept a connection", "error", String.valueOf(why.getMessage()));
                TimeUnit.MILLISECONDS.sleep(ACCEPT_PAUSE_MILLIS);
            }
            return;
        }
        Thread.ofVirtual().name("gateway connection").start(() -> {
            try {
                serve(client);
            } finally {
                places.release();
            }
        });
    }

    private void serve(Socket client) {
        Socket server = dial();
        try {
            if (server != null) {
                relay(client, server);
            }
        } finally {
            close(client);
            if (server != null) {
                close(server);
            }
        }
    }

    /** A connection to whoever's turn it is and can be reached; nothing if nobody can. */
    private @Nullable Socket dial() {
        for (Remote remote = remotes.pick(); remote != null; remote = remotes.pick()) {
            try {
                return dial(remote);
            } catch (IOException why) {
                remotes.deactivate(remote);
                tell("warn", "deactivated endpoint", remote, why);
            }
        }
        return null;
    }

    private static Socket dial(Remote remote) throws IOException {
        return Dial.tcp(remote.place().host(), String.valueOf(remote.place().port()), Deadline.in(CONNECT_NANOS));
    }

    private void tell(String level, String message, Remote remote, IOException why) {
        log.line(level, message, "address", remote.place(), "interval", GoDurations.text(retryNanos), "error",
                String.valueOf(why.getMessage()));
    }

    private static void relay(Socket client, Socket server) {
        Thread back = Thread.ofVirtual().name("gateway answers").start(() -> copy(server, client));
        copy(client, server);
        try {
            back.join();
        } catch (InterruptedException stop) {
            // Both sockets are closed next, which ends the other direction.
            Thread.currentThread().interrupt();
        }
    }

    /** Copies until the end, which is passed on too. What breaks ends the other direction as well. */
    private static void copy(Socket from, Socket to) {
        try {
            from.setTcpNoDelay(true);
            from.setKeepAlive(true);
            InputStream in = from.getInputStream();
            OutputStream out = to.getOutputStream();
            byte[] buffer = new byte[BUFFER_BYTES];
            for (int length = in.read(buffer); length >= 0; length = in.read(buffer)) {
                out.write(buffer, 0, length);
            }
            to.shutdownOutput();
        } catch (IOException broken) {
            close(from);
            close(to);
        }
    }

    private static void close(Socket socket) {
        try {
            socket.close();
        } catch (IOException broken) {
            // Its descriptor is given back all the same, and there is nobody left to tell.
        }
    }

    private void monitor() {
        try {
            while (true) {
                TimeUnit.NANOSECONDS.sleep(retryNanos);
                for (Remote remote : remotes.inactive()) {
                    Thread.ofVirtual().name("gateway retry").start(() -> retry(remote));
                }
            }
        } catch (InterruptedException closed) {
            Thread.currentThread().interrupt();
        }
    }

    private void retry(Remote remote) {
        try {
            dial(remote).close();
        } catch (IOException why) {
            tell("warn", "failed to activate endpoint (stay inactive for another interval)", remote, why);
            return;
        }
        remotes.activate(remote);
        log.line("info", "activated", "address", remote.place());
    }
}
