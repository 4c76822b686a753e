package dev.quoin.ctl.rpc;

import java.io.Closeable;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.ConnectException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.NoRouteToHostException;
import java.net.Socket;
import java.net.SocketTimeoutException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.net.UnknownHostException;
import java.nio.channels.Channels;
import java.nio.channels.SocketChannel;
import java.util.concurrent.TimeUnit;

import org.jspecify.annotations.Nullable;

/** Bytes to a server and back: a TCP socket, one with TLS, or a socket of unix. Errors have the words of Go's dialler. */
final class Wire implements Closeable {
    private final InputStream in;
    private final OutputStream out;
    private final Closeable whole;
    private final @Nullable Socket socket;

    private Wire(InputStream in, OutputStream out, Closeable whole, @Nullable Socket socket) {
        this.in = in;
        this.out = out;
        this.whole = whole;
        this.socket = socket;
    }

    /**
     * Connects, and shakes hands if the endpoint wants TLS.
     *
     * @param nanos how long connecting may take
     */
    static Wire open(Endpoint endpoint, @Nullable Tls tls, long nanos) throws IOException {
        int millis = Math.clamp(TimeUnit.NANOSECONDS.toMillis(nanos), 1, Integer.MAX_VALUE);
        boolean isSecure = endpoint.isSecure(tls != null);
        if (endpoint.isUnix()) {
            if (isSecure) {
                throw new IOException("TLS over a unix socket is not served yet");
            }
            return unix(endpoint);
        }
        int colon = endpoint.address().lastIndexOf(':');
        if (colon < 0 || endpoint.address().endsWith("]")) {
            throw dial("dial tcp: address " + endpoint.address() + ": missing port in address");
        }
        String host = endpoint.address().substring(0, colon).replace("[", "").replace("]", "");
        Socket socket = tcp(host, endpoint.address().substring(colon + 1), millis);
        if (!isSecure) {
            return of(socket);
        }
        Tls settings = tls == null ? Tls.ofSystem() : tls;
        return of(settings.wrap(socket, host, millis));
    }

    private static Wire of(Socket socket) throws IOException {
        return new Wire(socket.getInputStream(), socket.getOutputStream(), socket, socket);
    }

    private static Wire unix(Endpoint endpoint) throws IOException {
        try {
            SocketChannel channel = SocketChannel.open(StandardProtocolFamily.UNIX);
            channel.connect(UnixDomainSocketAddress.of(endpoint.address()));
            return new Wire(Channels.newInputStream(channel), Channels.newOutputStream(channel), channel, null);
        } catch (IOException why) {
            throw dial("dial unix " + endpoint.address() + ": connect: " + lower(why));
        }
    }

    /** Tries each address of the host in turn. */
    private static Socket tcp(String host, String port, int millis) throws IOException {
        InetAddress[] addresses;
        int number;
        try {
            number = Integer.parseInt(port);
            addresses = host.isEmpty() ? new InetAddress[]{InetAddress.getLoopbackAddress()}
                    : InetAddress.getAllByName(host);
        } catch (UnknownHostException why) {
            throw dial("dial tcp: lookup " + host + ": no such host");
        } catch (NumberFormatException why) {
            throw dial("dial tcp: lookup tcp/" + port + ": unknown port");
        }
        IOException last = null;
        for (InetAddress address : addresses) {
            try {
                return tcp(address, number, millis);
            } catch (IOException why) {
                last = why;
            }
        }
        throw last == null ? dial("dial tcp: lookup " + host + ": no such host") : last;
    }

    private static Socket tcp(InetAddress address, int port, int millis) throws IOException {
        Socket socket = new Socket();
        try {
            socket.setTcpNoDelay(true);
            socket.connect(new InetSocketAddress(address, port), millis);
            return socket;
        } catch (IOException | IllegalArgumentException why) {
            socket.close();
            String host = address.getHostAddress();
            String where = "dial tcp " + (host.indexOf(':') < 0 ? host : "[" + host + "]") + ":" + port + ": ";
            throw dial(where + switch (why) {
                case SocketTimeoutException timeout -> "i/o timeout";
                case NoRouteToHostException noRoute -> "connect: no route to host";
                case ConnectException refused -> "connect: " + lower(refused);
                default -> lower(why);
            });
        }
    }

    private static IOException dial(String why) {
        return new IOException("transport: Error while dialing: " + why);
    }

    /** The first sentence of a message as Go writes them: {@code connection refused}. */
    private static String lower(Exception why) {
        String message = String.valueOf(why.getMessage());
        int detail = message.indexOf(" (");
        String sentence = detail < 0 ? message : message.substring(0, detail);
        return sentence.isEmpty() ? "failed" : Character.toLowerCase(sentence.charAt(0)) + sentence.substring(1);
    }

    InputStream in() {
        return in;
    }

    OutputStream out() {
        return out;
    }

    /** After so long without a byte, a read ends with {@link SocketTimeoutException}; a socket of unix waits for ever. */
    void readTimeout(long nanos) throws IOException {
        if (socket != null) {
            socket.setSoTimeout(Math.clamp(TimeUnit.NANOSECONDS.toMillis(nanos), 1, Integer.MAX_VALUE));
        }
    }

    @Override
    public void close() throws IOException {
        whole.close();
    }
}
