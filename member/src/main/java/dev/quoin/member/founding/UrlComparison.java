package dev.quoin.member.founding;

import java.net.InetAddress;
import java.net.UnknownHostException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;

import org.jspecify.annotations.Nullable;

import dev.quoin.base.GoQuote;

/**
 * Whether two sets of URLs reach the same member: letter by letter, or once their names are resolved (pkg/netutil). All
 * comparisons of one object share its time for resolving.
 */
public final class UrlComparison {
    /** Told that a name has no address, and that it will be looked up again after the pause. */
    @FunctionalInterface
    public interface Listener {
        void unresolved(String url, String host, Duration pause, String why);
    }

    private final Resolver resolver;
    private final Duration pause;
    private final Listener listener;
    private final long deadlineNanos;

    /**
     * Begins its time.
     *
     * @param within for the addresses of all names
     * @param pause between two attempts to find the address of a name
     */
    public UrlComparison(Resolver resolver, Duration within, Duration pause, Listener listener) {
        this.resolver = resolver;
        this.pause = pause;
        this.listener = listener;
        deadlineNanos = System.nanoTime() + within.toNanos();
    }

    /** Null if they are equal, else what is different, in etcd's words. */
    public @Nullable String difference(List<String> left, List<String> right) throws InterruptedException {
        if (left.size() != right.size()) {
            return "len(" + quoted(left) + ") != len(" + quoted(right) + ")";
        }
        if (firstDifference(left, right) == null) {
            return null;
        }
        try {
            return firstDifference(resolved(left), resolved(right));
        } catch (UnknownHostException unknown) {
            return unknown.getMessage();
        }
    }

    private static @Nullable String firstDifference(List<String> left, List<String> right) {
        List<String> sortedLeft = left.stream().sorted().toList();
        List<String> sortedRight = right.stream().sorted().toList();
        for (int i = 0; i < sortedLeft.size(); i++) {
            if (!normal(sortedLeft.get(i)).equals(normal(sortedRight.get(i)))) {
                return "resolved urls: " + GoQuote.of(sortedLeft.get(i)) + " != "
                        + GoQuote.of(sortedRight.get(i));
            }
        }
        return null;
    }

    /** One spelling for each IPv6 address. */
    private static String normal(String url) {
        if (!PeerUrls.isGood(url)) {
            return url;
        }
        String host = PeerUrls.host(url);
        return host.indexOf(':') < 0 ? url : at(url, host);
    }

    private static String at(String url, String host) {
        InetAddress address;
        try {
            address = InetAddress.ofLiteral(host);
        } catch (IllegalArgumentException noAddress) {
            return url;
        }
        return at(url, address);
    }

    private static String at(String url, InetAddress address) {
        String text = address.getHostAddress();
        return PeerUrls.scheme(url) + "://" + (text.indexOf(':') < 0 ? text : "[" + text + "]") + ":"
                + PeerUrls.port(url);
    }

    private List<String> resolved(List<String> urls) throws UnknownHostException, InterruptedException {
        List<String> resolved = new ArrayList<>();
        for (String url : urls) {
            if (!PeerUrls.isGood(url)) {
                throw new UnknownHostException("failed to resolve " + GoQuote.of(url) + " (not an URL)");
            }
            String host = PeerUrls.host(url);
            resolved.add(host.equals("localhost") ? url : at(url, address(url, host)));
        }
        return resolved;
    }

    private InetAddress address(String url, String host) throws UnknownHostException, InterruptedException {
        while (true) {
            try {
                return resolver.address(host);
            } catch (UnknownHostException unknown) {
                listener.unresolved(url, host, pause, String.valueOf(unknown.getMessage()));
                if (System.nanoTime() + pause.toNanos() - deadlineNanos >= 0) {
                    throw new UnknownHostException("failed to resolve " + GoQuote.of(url) + " (lookup "
                            + host + ": no such host)");
                }
                Thread.sleep(pause);
            }
        }
    }

    private static String quoted(List<String> urls) {
        return "[" + String.join(" ", urls.stream().map(GoQuote::of).toList()) + "]";
    }
}
