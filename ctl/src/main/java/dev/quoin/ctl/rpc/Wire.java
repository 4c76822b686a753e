package dev.quoin.ctl.rpc;

import java.io.Closeable;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.Socket;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.SocketChannel;

import org.jspecify.annotations.Nullable;

/**
 * Bytes to a server and back: a TCP socket or one of unix, with TLS on it or without. Errors have the words of Go's dialler. Closing it ends
 * whoever reads or writes at once: it is the socket below TLS that is closed, since a farewell of TLS may wait for the server.
 */
final class Wire implements Closeable {
    private final Socket socket;
    private final InputStream in;
    private final OutputStream out;

    /**
     * @param socket what is closed
     * @param talked what is read and written
     */
    private Wire(Socket socket, Socket talked) throws IOException {
        this.socket = socket;
        this.in = talked.getInputStream();
        this.out = talked.getOutputStream();
    }

    /**
     * Connects, and shakes hands if the endpoint wants TLS.
     *
     * @param patience until when that may last; the lookup of a name takes the time that the system gives it
     */
    static Wire open(Endpoint endpoint, @Nullable Tls tls, Deadline patience) throws IOException {
        Socket socket = endpoint.isUnix() ? unix(endpoint, patience) : tcp(endpoint, patience);
        if (!endpoint.isSecure(tls != null)) {
            return new Wire(socket, socket);
        }
        Tls settings = tls == null ? Tls.ofSystem() : tls;
        return new Wire(socket, settings.wrap(socket, endpoint.serverName(), patience));
    }

    private static Socket tcp(Endpoint endpoint, Deadline patience) throws IOException {
        int colon = endpoint.address().lastIndexOf(':');
        if (colon < 0 || endpoint.address().endsWith("]")) {
            throw dial("dial tcp: address " + endpoint.address() + ": missing port in address");
        }
        try {
            return Dial.tcp(endpoint.serverName(), endpoint.address().substring(colon + 1), patience);
        } catch (IOException why) {
            throw dial(String.valueOf(why.getMessage()));
        }
    }

    /** Who listens with a queue that is full lets others wait: hence the fuse. */
    private static Socket unix(Endpoint endpoint, Deadline patience) throws IOException {
        SocketChannel channel = SocketChannel.open(StandardProtocolFamily.UNIX);
        try (Fuse fuse = new Fuse(channel, patience.nanosLeft())) {
            try {
                channel.connect(UnixDomainSocketAddress.of(endpoint.address()));
                return new UnixSocket(channel);
            } catch (IOException | IllegalArgumentException why) {
                channel.close();
                throw dial("dial unix " + endpoint.address() + ": "
                        + (fuse.hasBurnt() ? "i/o timeout" : "connect: " + Dial.lower(why)));
            }
        }
    }

    private static IOException dial(String why) {
        return new IOException("transport: Error while dialing: " + why);
    }

    InputStream in() {
        return in;
    }

    OutputStream out() {
        return out;
    }

    @Override
    public void close() throws IOException {
        socket.close();
    }
}
