package dev.quoin.ctl.rpc;

/**
 * Where a server listens (etcd: client/v3/internal/endpoint): {@code host:port}, a URL of scheme http or https, or a socket of
 * unix.
 *
 * @param text as it was given
 * @param address host and port, or the path of a socket
 */
public record Endpoint(String text, String address, boolean isUnix, Security security) {
    /** Whether the connection is encrypted. */
    public enum Security {
        NONE,
        /** If there are any TLS settings. */
        AS_SET,
        TLS
    }

    /** Reads an endpoint; it is never refused here: what is no address cannot be reached. */
    public static Endpoint of(String text) {
        if (text.startsWith("unix:") || text.startsWith("unixs:")) {
            String path = text.substring(text.indexOf(':') + 1);
            Security security = text.startsWith("unixs:") ? Security.TLS : Security.AS_SET;
            return new Endpoint(text, path.startsWith("//") ? path.substring(2) : path, true, security);
        }
        int scheme = text.indexOf("://");
        if (scheme < 0) {
            return new Endpoint(text, text, false, Security.AS_SET);
        }
        Security security = switch (text.substring(0, scheme)) {
            case "https" -> Security.TLS;
            case "http" -> Security.NONE;
            default -> Security.AS_SET;
        };
        return new Endpoint(text, host(text.substring(scheme + 3)), false, security);
    }

    /** The part of a URL that names host and port. */
    private static String host(String rest) {
        int end = 0;
        while (end < rest.length() && "/?#".indexOf(rest.charAt(end)) < 0) {
            end++;
        }
        String authority = rest.substring(0, end);
        return authority.substring(authority.lastIndexOf('@') + 1);
    }

    /** What the server is called in requests. */
    String authority() {
        return isUnix ? address.substring(address.lastIndexOf('/') + 1) : address;
    }

    /** The name that a certificate must have: the host, or the name of a socket's file without what looks like its port. */
    String serverName() {
        String whole = authority();
        int colon = whole.lastIndexOf(':');
        boolean hasPort = colon >= 0 && colon > whole.lastIndexOf(']')
                && (whole.startsWith("[") || whole.indexOf(':') == colon);
        return (hasPort ? whole.substring(0, colon) : whole).replace("[", "").replace("]", "");
    }

    boolean isSecure(boolean isTlsSet) {
        return security == Security.TLS || (security == Security.AS_SET && isTlsSet);
    }
}
