package dev.quoin.member.founding;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

import dev.quoin.base.GoQuote;

/**
 * URLs of members as etcd reads them (client/pkg/types/urls.go, Go's net/url): {@code http://HOST:PORT}, nothing behind
 * it. Refused in etcd's words. Beside etcd's, sockets of unix are refused, which clients alone may use ({@link #parseAny}),
 * and so is what no member has: a user, a query.
 */
public final class PeerUrls {
    private static final Pattern SCHEME = Pattern.compile("([a-zA-Z][a-zA-Z0-9+.-]*):(.*)", Pattern.DOTALL);
    private static final Pattern AUTHORITY = Pattern.compile("//([^/?#]*)(.*)", Pattern.DOTALL);
    private static final Pattern HOST_PORT = Pattern.compile("([^:@\\[\\]]*|\\[[^@\\[\\]]*]):([^:]*)");
    private static final Pattern UNIX = Pattern.compile("(?i)unixs?:");
    private static final Pattern UNIX_REST = Pattern.compile("//([^/?#]*)(/[^?#]*)?");
    private static final Pattern BAD_HOST = Pattern.compile("[\\s<>\"\\\\^`{|}]");

    private PeerUrls() {}

    /** Not an URL of a member, and why. */
    public static final class Bad extends Exception {
        private static final long serialVersionUID = 1L;

        Bad(String message) {
            super(message);
        }
    }

    /** Each checked, in the order in which they are told to others. */
    public static List<String> parse(List<String> texts) throws Bad {
        for (String text : texts) {
            if (isUnix(text.strip())) {
                throw noScheme(text.strip());
            }
        }
        return parseAny(texts);
    }

    /** As {@link #parse}; a socket of unix may be among them: {@code unix://localhost:1}, {@code unixs:///run/s}. */
    public static List<String> parseAny(List<String> texts) throws Bad {
        List<String> urls = new ArrayList<>();
        for (String text : texts) {
            urls.add(parse(text.strip()));
        }
        return urls.stream().sorted().toList();
    }

    /** Whether this is the URL of a socket of unix; what it names is a file, by {@link #socket}. */
    public static boolean isUnix(String url) {
        return UNIX.matcher(url).lookingAt();
    }

    /** The file of a socket of unix: host and path as one. */
    public static String socket(String url) {
        return authority(url);
    }

    /** Whether {@link #host} and its like can be asked: what a member tells of others was never checked. */
    public static boolean isGood(String url) {
        try {
            return !isUnix(url) && parse(url).equals(url);
        } catch (Bad bad) {
            return false;
        }
    }

    private static String parse(String text) throws Bad {
        Matcher scheme = SCHEME.matcher(text);
        if (!scheme.matches()) {
            int colon = text.indexOf(':');
            int slash = text.indexOf('/');
            if (colon >= 0 && (slash < 0 || colon < slash)) {
                throw new Bad("parse " + GoQuote.of(text) + ": "
                        + (colon == 0 ? "missing protocol scheme" : "first path segment in URL cannot contain colon"));
            }
            throw noScheme(text);
        }
        String name = scheme.group(1).toLowerCase(Locale.ROOT);
        if (isUnix(text)) {
            return unix(text, name, scheme.group(2));
        }
        if (!name.equals("http") && !name.equals("https")) {
            throw noScheme(text);
        }
        Matcher rest = AUTHORITY.matcher(scheme.group(2));
        String authority = rest.matches() ? rest.group(1) : "";
        checkAuthority(text, authority);
        if (rest.group(2).startsWith("/")) {
            throw new Bad("URL must not contain a path: " + text);
        }
        if (!rest.group(2).isEmpty()) {
            throw noHostPort(text);
        }
        return name + "://" + authority;
    }

    /** A port must be a number even here, where it is part of a file's name. */
    private static String unix(String text, String name, String rest) throws Bad {
        Matcher parts = UNIX_REST.matcher(rest);
        if (!parts.matches() || rest.length() == 2) {
            throw new Bad("URL names no socket: " + text);
        }
        if (parts.group(1).contains(":")) {
            checkAuthority(text, parts.group(1));
        }
        return name + ":" + rest;
    }

    private static void checkAuthority(String text, String authority) throws Bad {
        Matcher bad = BAD_HOST.matcher(authority);
        if (bad.find()) {
            throw new Bad(
                    "parse " + GoQuote.of(text) + ": invalid character " + GoQuote.of(bad.group()) + " in host name");
        }
        Matcher parts = HOST_PORT.matcher(authority);
        if (!parts.matches()) {
            throw noHostPort(text);
        }
        if (!parts.group(2).chars().allMatch(c -> c >= '0' && c <= '9')) {
            throw new Bad(
                    "parse " + GoQuote.of(text) + ": invalid port " + GoQuote.of(":" + parts.group(2)) + " after host");
        }
    }

    private static Bad noScheme(String text) {
        return new Bad("URL scheme must be http, https, unix, or unixs: " + text);
    }

    private static Bad noHostPort(String text) {
        return new Bad("URL address does not have the form \"host:port\": " + text);
    }

    public static String scheme(String url) {
        return url.substring(0, url.indexOf("://"));
    }

    /** What stands before the port; an IPv6 address without its brackets. */
    public static String host(String url) {
        String authority = authority(url);
        String host = authority.substring(0, authority.lastIndexOf(':'));
        return host.startsWith("[") ? host.substring(1, host.length() - 1) : host;
    }

    /** The port as it is written; may be empty. */
    public static String port(String url) {
        return url.substring(url.lastIndexOf(':') + 1);
    }

    private static String authority(String url) {
        return url.substring(url.indexOf("://") + 3);
    }
}
