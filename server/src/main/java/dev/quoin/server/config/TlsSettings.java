package dev.quoin.server.config;

import java.util.ArrayList;
import java.util.List;
import java.util.Set;

import dev.quoin.net.TlsProtocols;

/** TLS versions and cipher suites: what etcd asks of them, whether they are used or not (embed/config.go, tlsutil). */
public final class TlsSettings {
    private static final int ANY = 0;
    /** Go's names of what it has, for better and for worse, and two that etcd knows beside them. */
    private static final Set<String> SUITES = Set.of("TLS_AES_128_GCM_SHA256", "TLS_AES_256_GCM_SHA384",
            "TLS_CHACHA20_POLY1305_SHA256", "TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA",
            "TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA", "TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA",
            "TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA", "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256",
            "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384", "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256",
            "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384", "TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256",
            "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256", "TLS_RSA_WITH_RC4_128_SHA",
            "TLS_RSA_WITH_3DES_EDE_CBC_SHA", "TLS_RSA_WITH_AES_128_CBC_SHA", "TLS_RSA_WITH_AES_256_CBC_SHA",
            "TLS_RSA_WITH_AES_128_CBC_SHA256", "TLS_RSA_WITH_AES_128_GCM_SHA256", "TLS_RSA_WITH_AES_256_GCM_SHA384",
            "TLS_ECDHE_ECDSA_WITH_RC4_128_SHA", "TLS_ECDHE_RSA_WITH_RC4_128_SHA",
            "TLS_ECDHE_RSA_WITH_3DES_EDE_CBC_SHA", "TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA256",
            "TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA256", "TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305",
            "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305");

    private TlsSettings() {}

    public static void check(Flags flags) throws Refused {
        String min = flags.text("tls-min-version");
        String max = flags.text("tls-max-version");
        int least = version(min);
        int most = version(max);
        if (most != ANY && least > most) {
            throw Refused.check("min version (" + min + ") is greater than max version (" + max + ")");
        }
        List<String> suites = flags.list("cipher-suites");
        if (least == 3 && !suites.isEmpty()) {
            throw Refused.check("cipher suites cannot be configured when only TLS1.3 is enabled");
        }
        for (String suite : suites) {
            if (!SUITES.contains(suite)) {
                throw Refused.check("unexpected TLS cipher suite \"" + suite + "\"");
            }
        }
    }

    /** As they were checked. */
    public static TlsProtocols protocols(Flags flags) throws Refused {
        int least = Math.max(2, version(flags.text("tls-min-version")));
        int most = version(flags.text("tls-max-version"));
        List<String> versions = new ArrayList<>();
        for (int minor = most == ANY ? 3 : most; minor >= least; minor--) {
            versions.add("TLSv1." + minor);
        }
        List<String> suites = flags.list("cipher-suites");
        TlsProtocols protocols = new TlsProtocols(versions, TlsProtocols.DEFAULT.suites());
        return suites.isEmpty()
                ? protocols
                : protocols.withSuitesOf12(suites.stream().map(TlsSettings::withItsHash).toList());
    }

    /** etcd knows two suites by older names. */
    private static String withItsHash(String suite) {
        return suite.endsWith("_CHACHA20_POLY1305") ? suite + "_SHA256" : suite;
    }

    private static int version(String version) throws Refused {
        return switch (version) {
            case "" -> ANY;
            case "TLS1.2" -> 2;
            case "TLS1.3" -> 3;
            default -> throw Refused
                    .check("unexpected TLS version \"" + version + "\" (must be one of: TLS1.2, TLS1.3)");
        };
    }
}
