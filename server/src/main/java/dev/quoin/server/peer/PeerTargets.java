package dev.quoin.server.peer;

import java.net.URI;
import java.net.URISyntaxException;
import java.util.ArrayList;
import java.util.List;

import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

import dev.quoin.net.DialTarget;

/**
 * Where a member is to be dialled: one of its URLs, until it fails, then the next (rafthttp/urlpick.go). Any thread.
 */
final class PeerTargets {
    private static final Logger LOG = LoggerFactory.getLogger(PeerTargets.class);

    private List<DialTarget> targets; // guarded by this
    private int picked;

    PeerTargets(List<String> urls) {
        targets = parse(urls);
    }

    /** What cannot be dialled is left out. */
    static List<DialTarget> parse(List<String> urls) {
        List<DialTarget> targets = new ArrayList<>();
        for (String url : urls) {
            DialTarget target = parse(url);
            if (target == null) {
                LOG.atWarn().addKeyValue("url", url).log("a peer URL cannot be dialled");
            } else {
                targets.add(target);
            }
        }
        return List.copyOf(targets);
    }

    private static @Nullable DialTarget parse(String url) {
        try {
            URI uri = new URI(url);
            String scheme = uri.getScheme();
            String authority = uri.getRawAuthority();
            if (scheme == null || authority == null || !(scheme.equals("http") || scheme.equals("https"))) {
                return null;
            }
            // Not getHost: it knows no underscore, which many a container has in its name.
            int colon = authority.lastIndexOf(':');
            String host = colon < 0 ? "" : authority.substring(0, colon);
            if (host.startsWith("[") && host.endsWith("]")) {
                host = host.substring(1, host.length() - 1);
            }
            int port = Integer.parseInt(authority.substring(colon + 1));
            boolean valid = !host.isEmpty() && host.indexOf('@') < 0 && port > 0 && port <= 65_535;
            return valid ? new DialTarget(host, port, scheme.equals("https")) : null;
        } catch (URISyntaxException | NumberFormatException e) {
            return null;
        }
    }

    synchronized void update(List<String> urls) {
        List<DialTarget> now = parse(urls);
        if (!now.equals(targets)) {
            targets = now;
            picked = 0;
        }
    }

    /** Null if there is none. */
    synchronized @Nullable DialTarget pick() {
        return targets.isEmpty() ? null : targets.get(picked);
    }

    /** The next who picks gets another. */
    synchronized void unreachable(DialTarget target) {
        if (!targets.isEmpty() && targets.get(picked).equals(target)) {
            picked = (picked + 1) % targets.size();
        }
    }

    synchronized List<DialTarget> all() {
        return targets;
    }
}
