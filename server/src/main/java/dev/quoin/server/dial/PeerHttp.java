package dev.quoin.server.dial;

import java.io.IOException;
import java.net.URI;
import java.net.URISyntaxException;
import java.time.Duration;
import java.util.Objects;

import dev.quoin.net.DialRequest;
import dev.quoin.net.DialTarget;
import dev.quoin.net.Dialler;
import dev.quoin.net.HttpFields;

/** A request to another member over HTTP/1.1, and its whole answer: waits, so not for loops. Nothing is tried twice. */
public final class PeerHttp {
    /** The longest answer is a list of members. */
    private static final long ANSWER_BYTES_MAX = 4L << 20;

    private final Dialler dialler;

    public PeerHttp(Dialler dialler) {
        this.dialler = dialler;
    }

    /**
     * Asks for what lies at an URL.
     *
     * @param url {@code http://HOST:PORT/PATH}
     * @param within how long the whole exchange may take
     * @throws IOException there is no whole answer; the text says why
     */
    public Exchange.Reply get(String url, Duration within) throws IOException, InterruptedException {
        return ask(url, path -> DialRequest.get(path, HttpFields.EMPTY, ANSWER_BYTES_MAX, within.toMillis()), within);
    }

    /** As {@link #get}, with what is to be done. */
    public Exchange.Reply post(String url, HttpFields headers, DialRequest.Body body, Duration within)
            throws IOException, InterruptedException {
        return ask(url, path -> DialRequest.post(path, headers, body, ANSWER_BYTES_MAX, within.toMillis()), within);
    }

    private interface Asking {
        DialRequest of(String path);
    }

    private Exchange.Reply ask(String url, Asking asking, Duration within) throws IOException, InterruptedException {
        URI uri = parse(url);
        String path = Objects.requireNonNullElse(uri.getRawPath(), "");
        try {
            return Exchange.ask(dialler, target(uri), asking.of(path.isEmpty() ? "/" : path), within.toMillis());
        } catch (IOException failed) {
            throw new IOException(url + ": " + failed.getMessage(), failed);
        }
    }

    private static URI parse(String url) throws IOException {
        try {
            return new URI(url);
        } catch (URISyntaxException e) {
            throw new IOException(url + ": " + e.getReason(), e);
        }
    }

    /** Not by URI's host, which knows no underscore. */
    private static DialTarget target(URI uri) throws IOException {
        String authority = Objects.requireNonNullElse(uri.getRawAuthority(), "");
        int colon = authority.lastIndexOf(':');
        if (colon < 0 || !authority.substring(colon + 1).matches("[0-9]{1,5}")) {
            throw new IOException("no port");
        }
        String host = authority.substring(0, colon);
        boolean isBracketed = host.startsWith("[") && host.endsWith("]");
        return new DialTarget(isBracketed ? host.substring(1, host.length() - 1) : host,
                Integer.parseInt(authority.substring(colon + 1)), "https".equals(uri.getScheme()));
    }
}
