package dev.quoin.ctl.gateway;

import dev.quoin.base.GoQuote;
import dev.quoin.ctl.text.Malformed;

/**
 * A place on the network.
 *
 * @param host a name or an address, without brackets; may be empty
 * @param port 0 to 65,535
 */
record HostPort(String host, int port) {
    private static final int PORT_MAX = 65_535;
    private static final int PORT_DIGITS_MAX = 5;

    /** Reads {@code host:port} or {@code [address]:port}, as Go's {@code net.SplitHostPort} does; the port is a number. */
    static HostPort parse(String text) throws Malformed {
        int colon = text.lastIndexOf(':');
        if (colon < 0) {
            throw new Malformed("address " + text + ": missing port in address");
        }
        String host = text.substring(0, colon);
        if (host.startsWith("[") && host.endsWith("]")) {
            host = host.substring(1, host.length() - 1);
        } else if (host.indexOf(':') >= 0) {
            throw new Malformed("address " + text + ": too many colons in address");
        }
        return new HostPort(host, port(text.substring(colon + 1)));
    }

    private static int port(String text) throws Malformed {
        boolean isNumber = text.length() <= PORT_DIGITS_MAX && text.matches("[0-9]+");
        if (!isNumber || Integer.parseInt(text) > PORT_MAX) {
            throw new Malformed("not a port: " + GoQuote.of(text));
        }
        return Integer.parseInt(text);
    }

    @Override
    public String toString() {
        return (host.indexOf(':') < 0 ? host : "[" + host + "]") + ":" + port;
    }
}
