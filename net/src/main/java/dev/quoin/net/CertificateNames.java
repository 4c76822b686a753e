package dev.quoin.net;

import java.net.InetAddress;
import java.net.UnknownHostException;
import java.security.cert.CertificateParsingException;
import java.security.cert.X509Certificate;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Locale;

/**
 * The names and addresses that a certificate is for (RFC 5280 §4.2.1.6), and how they are compared: as Go does it
 * (crypto/x509/verify.go, VerifyHostname). A {@code *} stands for the whole of the first label alone, a common name for
 * nothing.
 */
record CertificateNames(List<String> hosts, List<InetAddress> addresses) {
    private static final int DNS_NAME = 2;
    private static final int IP_ADDRESS = 7;

    static CertificateNames of(X509Certificate certificate) throws CertificateParsingException {
        List<String> hosts = new ArrayList<>();
        List<InetAddress> addresses = new ArrayList<>();
        Collection<List<?>> names = certificate.getSubjectAlternativeNames();
        for (List<?> name : names == null ? List.<List<?>>of() : names) {
            switch ((Integer) name.getFirst()) {
                case DNS_NAME -> hosts.add((String) name.get(1));
                case IP_ADDRESS -> addresses.add(InetAddress.ofLiteral((String) name.get(1)));
                default -> {} // mail and the like: nobody to connect to
            }
        }
        return new CertificateNames(List.copyOf(hosts), List.copyOf(addresses));
    }

    boolean areNone() {
        return hosts.isEmpty() && addresses.isEmpty();
    }

    /** @param host a name or an address, the latter in brackets or not */
    boolean areFor(String host) {
        String bare = host.startsWith("[") && host.endsWith("]") ? host.substring(1, host.length() - 1) : host;
        try {
            return addresses.contains(InetAddress.ofLiteral(bare));
        } catch (IllegalArgumentException name) {
            return hosts.stream().anyMatch(pattern -> matches(pattern, host));
        }
    }

    private static boolean matches(String pattern, String host) {
        String[] wanted = labels(pattern);
        String[] given = labels(host);
        if (wanted.length != given.length || host.isEmpty()) {
            return false;
        }
        for (int i = 0; i < wanted.length; i++) {
            boolean any = i == 0 && wanted[i].equals("*") && wanted.length > 1;
            if (!any && (!wanted[i].equals(given[i]) || given[i].isEmpty())) {
                return false;
            }
        }
        return true;
    }

    private static String[] labels(String name) {
        String rooted = name.toLowerCase(Locale.ROOT);
        return (rooted.endsWith(".") ? rooted.substring(0, rooted.length() - 1) : rooted).split("\\.", -1);
    }

    /**
     * Whether somebody at this address is one of them: by the address, by what the address is called, or by where the names
     * lead. Asks the resolver, and waits for it.
     */
    boolean areAt(InetAddress address) {
        return addresses.contains(address) || (!hosts.isEmpty() && (isCalledSo(address) || leadTo(address)));
    }

    private boolean isCalledSo(InetAddress address) {
        String called = address.getCanonicalHostName();
        return hosts.stream().anyMatch(host -> host.startsWith("*.")
                ? called.endsWith(host.substring(1))
                : called.equals(host));
    }

    private boolean leadTo(InetAddress address) {
        return hosts.stream().filter(host -> !host.startsWith("*.")).anyMatch(host -> leadsTo(host, address));
    }

    private static boolean leadsTo(String host, InetAddress address) {
        try {
            return List.of(InetAddress.getAllByName(host)).contains(address);
        } catch (UnknownHostException e) {
            return false; // it leads nowhere, so not here
        }
    }
}
