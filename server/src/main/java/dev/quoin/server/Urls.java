package dev.quoin.server;

import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.SocketAddress;
import java.net.UnixDomainSocketAddress;
import java.net.UnknownHostException;
import java.util.List;

import dev.quoin.member.founding.PeerUrls;
import dev.quoin.server.config.Refused;

/** What etcd asks of URLs beside their form (embed/config.go): whether one can listen on them, whether others can dial them. */
final class Urls {
    private static final int PORT_MAX = 65_535;

    private Urls() {}

    /** A name is not listened on, but for localhost. */
    static void checkBind(List<String> urls) throws Refused {
        for (String url : urls) {
            if (PeerUrls.isUnix(url)) {
                continue;
            }
            String host = PeerUrls.host(url);
            if (!host.equals("localhost") && !isAddress(host)) {
                throw Refused.check("expected IP in URL for binding (" + url + ")");
            }
        }
    }

    /** Whoever is told of an URL needs a host in it. */
    static void checkHost(List<String> urls, String flag, String form) throws Refused {
        for (String url : urls) {
            if (!PeerUrls.isUnix(url) && PeerUrls.host(url).isEmpty()) {
                throw Refused.check("--" + flag + " \"" + String.join(",", urls) + "\" must be " + form
                        + " (unexpected empty host (" + url + "))");
            }
        }
    }

    /** Whether whoever uses it expects TLS. */
    static boolean isSecure(String url) {
        return url.startsWith("https:") || url.startsWith("unixs:");
    }

    /** Where to listen for an URL without TLS. A socket of unix is a file named like the URL's host and path. */
    static SocketAddress listenAddress(String flag, String url) throws Refused {
        if (PeerUrls.isUnix(url)) {
            return UnixDomainSocketAddress.of(PeerUrls.socket(url));
        }
        String host = PeerUrls.host(url);
        String port = PeerUrls.port(url);
        if (!port.matches("[0-9]{1,5}") || Integer.parseInt(port) > PORT_MAX) {
            throw refused(flag, url, "a port is a number up to " + PORT_MAX);
        }
        try {
            InetAddress address = host.equals("localhost")
                    ? InetAddress.getByAddress("localhost", new byte[]{127, 0, 0, 1})
                    : InetAddress.ofLiteral(host);
            return new InetSocketAddress(address, Integer.parseInt(port));
        } catch (UnknownHostException | IllegalArgumentException e) {
            throw refused(flag, url, "not an address");
        }
    }

    private static boolean isAddress(String host) {
        try {
            InetAddress.ofLiteral(host);
            return true;
        } catch (IllegalArgumentException name) {
            return false;
        }
    }

    private static Refused refused(String flag, String url, String why) {
        return Refused.check("invalid value \"" + url + "\" for flag --" + flag + ": " + why);
    }
}
