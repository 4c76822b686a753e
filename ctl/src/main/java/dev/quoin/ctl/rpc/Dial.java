package dev.quoin.ctl.rpc;

import java.io.IOException;
import java.net.ConnectException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.NoRouteToHostException;
import java.net.Socket;
import java.net.SocketTimeoutException;
import java.net.UnknownHostException;
import java.util.concurrent.TimeUnit;

/** Connections over TCP, by name. Errors have the words of Go's dialler, {@code dial tcp 127.0.0.1:1: connect: connection refused}. */
public final class Dial {
    private Dial() {}

    /**
     * Connects, trying each address of the host in turn.
     *
     * @param host a name or an address; empty for this host
     * @param patience until when that may last; the lookup of a name takes the time that the system gives it
     */
    public static Socket tcp(String host, String port, Deadline patience) throws IOException {
        InetAddress[] addresses;
        int number;
        try {
            number = Integer.parseInt(port);
            addresses = host.isEmpty() ? new InetAddress[]{InetAddress.getLoopbackAddress()}
                    : addresses(host);
        } catch (UnknownHostException why) {
            throw new IOException("dial tcp: lookup " + host + ": no such host", why);
        } catch (NumberFormatException why) {
            throw new IOException("dial tcp: lookup tcp/" + port + ": unknown port", why);
        }
        IOException last = null;
        for (InetAddress address : addresses) {
            try {
                return tcp(address, number, patience);
            } catch (IOException why) {
                last = why;
            }
        }
        throw last == null ? new IOException("dial tcp: lookup " + host + ": no such host") : last;
    }

    /**
     * Whether anybody takes connections there, to know in no time of a server that is down; nothing is asked.
     *
     * @param patience until when that may last
     * @throws IOException if nobody does, with the reason
     */
    public static void probe(Endpoint endpoint, Deadline patience) throws IOException {
        int colon = endpoint.address().lastIndexOf(':');
        if (!endpoint.isUnix() && colon >= 0) {
            tcp(endpoint.serverName(), endpoint.address().substring(colon + 1), patience).close();
        }
    }

    /**
     * The addresses of a name. The dot with which name services end one is left out: the system's list of hosts has none.
     *
     * @throws UnknownHostException it has none
     */
    public static InetAddress[] addresses(String host) throws UnknownHostException {
        return InetAddress.getAllByName(host.endsWith(".") ? host.substring(0, host.length() - 1) : host);
    }

    private static Socket tcp(InetAddress address, int port, Deadline patience) throws IOException {
        int millis = Math.clamp(TimeUnit.NANOSECONDS.toMillis(patience.nanosLeft()), 1, Integer.MAX_VALUE);
        Socket socket = new Socket();
        try {
            socket.setTcpNoDelay(true);
            socket.connect(new InetSocketAddress(address, port), millis);
            return socket;
        } catch (IOException | IllegalArgumentException why) {
            socket.close();
            String host = address.getHostAddress();
            String where = "dial tcp " + (host.indexOf(':') < 0 ? host : "[" + host + "]") + ":" + port + ": ";
            throw new IOException(where + switch (why) {
                case SocketTimeoutException timeout -> "i/o timeout";
                case NoRouteToHostException noRoute -> "connect: no route to host";
                case ConnectException refused -> "connect: " + lower(refused);
                default -> lower(why);
            }, why);
        }
    }

    /** The first sentence of a message as Go writes them: {@code connection refused}. */
    static String lower(Exception why) {
        String message = String.valueOf(why.getMessage());
        int detail = message.indexOf(" (");
        String sentence = detail < 0 ? message : message.substring(0, detail);
        return sentence.isEmpty() ? "failed" : Character.toLowerCase(sentence.charAt(0)) + sentence.substring(1);
    }
}
