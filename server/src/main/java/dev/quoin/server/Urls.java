package dev.quoin.server;

import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.net.URISyntaxException;
import java.net.UnknownHostException;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;

/** URLs as flags give them: {@code http://HOST:PORT}, several with commas (client/pkg/types/urls.go). */
final class Urls {
    private static final int PORT_MAX = 65_535;

    private Urls() {}

    /** The URLs of a flag, checked; each once and in order, as etcd tells them to others. */
    static List<String> parse(String flag, String list) throws Flags.Refused {
        List<String> urls = new ArrayList<>();
        for (String text : list.split(",", -1)) {
            String trimmed = text.strip();
            check(flag, trimmed);
            urls.add(trimmed);
        }
        return urls.stream().distinct().sorted().toList();
    }

    private static void check(String flag, String url) throws Flags.Refused {
        URI uri = uri(flag, url);
        String scheme = uri.getScheme();
        if (scheme == null || !(scheme.equals("http") || scheme.equals("https"))) {
            throw refused(flag, url, "URL scheme must be http or https");
        }
        // Not getHost: it knows no underscore, which many a container has in its name.
        if (uri.getRawAuthority() == null || !uri.getRawAuthority().matches("[^@]+:[0-9]+")) {
            throw refused(flag, url, "URL address does not have the form \"host:port\"");
        }
        if (uri.getPath() != null && !uri.getPath().isEmpty()) {
            throw refused(flag, url, "URL must not contain a path");
        }
    }

    /** The address to listen on. A name is refused but for localhost, as etcd refuses it. */
    static InetSocketAddress listenAddress(String flag, String url) throws Flags.Refused {
        URI uri = uri(flag, url);
        if (!uri.getScheme().equals("http")) {
            throw refused(flag, url, "TLS is not served yet; use http");
        }
        String host = Objects.requireNonNullElse(uri.getHost(), "");
        if (!host.equals("localhost") && !isAddress(host)) {
            throw refused(flag, url, "expected IP in URL for binding (" + url + ")");
        }
        if (uri.getPort() > PORT_MAX) {
            throw refused(flag, url, "a port is at most " + PORT_MAX);
        }
        try {
            InetAddress address = host.equals("localhost")
                    ? InetAddress.getByAddress("localhost", new byte[]{127, 0, 0, 1})
                    : InetAddress.getByName(host);
            return new InetSocketAddress(address, uri.getPort());
        } catch (UnknownHostException e) {
            throw refused(flag, url, "not an address");
        }
    }

    private static boolean isAddress(String host) {
        return host.startsWith("[") || host.matches("[0-9.]+");
    }

    private static URI uri(String flag, String url) throws Flags.Refused {
        try {
            return new URI(url);
        } catch (URISyntaxException e) {
            throw refused(flag, url, e.getReason());
        }
    }

    private static Flags.Refused refused(String flag, String url, String why) {
        return new Flags.Refused(1, "invalid value \"" + url + "\" for flag --" + flag + ": " + why);
    }
}
