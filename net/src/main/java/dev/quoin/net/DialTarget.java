package dev.quoin.net;

/**
 * Who is dialled.
 *
 * @param host a name, or an address as text
 * @param tls  whether TLS is spoken
 */
public record DialTarget(String host, int port, boolean tls) {
    /** What an URL has for it, an IPv6 address in brackets. */
    String authority() {
        return (host.indexOf(':') < 0 ? host : "[" + host + "]") + ":" + port;
    }
}
