package dev.quoin.server;

import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.UnknownHostException;
import java.util.List;

import dev.quoin.server.bootstrap.PeerUrls;

/** What etcd asks of URLs beside their form (embed/config.go): whether one can listen on them, whether others can dial them. */
final class Urls {
    private static final int PORT_MAX = 65_535;

    private Urls() {}

    /** A name is not listened on, but for localhost. */
    static void checkBind(List<String> urls) throws Flags.Refused {
        for (String url : urls) {
            String host = PeerUrls.host(url);
            if (!host.equals("localhost") && !isAddress(host)) {
                throw new Flags.Refused(1, "expected IP in URL for binding (" + url + ")");
            }
        }
    }

    /** Whoever is told of an URL needs a host in it. */
    static void checkHost(List<String> urls, String flag, String form) throws Flags.Refused {
        for (String url : urls) {
            if (PeerUrls.host(url).isEmpty()) {
                throw new Flags.Refused(1, "--" + flag + " \"" + String.join(",", urls) + "\" must be " + form
                        + " (unexpected empty host (" + url + "))");
            }
        }
    }

    static InetSocketAddress listenAddress(String flag, String url) throws Flags.Refused {
        if (!url.startsWith("http://")) {
            throw refused(flag, url, "TLS is not served yet; use http");
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

    private static Flags.Refused refused(String flag, String url, String why) {
        return new Flags.Refused(1, "invalid value \"" + url + "\" for flag --" + flag + ": " + why);
    }
}
