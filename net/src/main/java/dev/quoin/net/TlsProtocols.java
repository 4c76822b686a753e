package dev.quoin.net;

import java.util.List;

import io.netty.handler.codec.http2.Http2SecurityUtil;

/**
 * What is offered and taken in a handshake.
 *
 * @param versions of TLS, by the JDK's names; at least one
 * @param suites   cipher suites, by the names that the JDK, Go and IANA share, the best first; those that the JDK does not
 *                 have are passed over
 */
public record TlsProtocols(List<String> versions, List<String> suites) {
    private static final List<String> SUITES_OF_1_3 = List.of("TLS_AES_128_GCM_SHA256", "TLS_AES_256_GCM_SHA384",
            "TLS_CHACHA20_POLY1305_SHA256");
    public static final TlsProtocols DEFAULT = new TlsProtocols(List.of("TLSv1.3", "TLSv1.2"),
            Http2SecurityUtil.CIPHERS);

    public TlsProtocols {
        versions = List.copyOf(versions);
        suites = List.copyOf(suites);
        if (versions.isEmpty()) {
            throw new IllegalArgumentException("no version of TLS");
        }
    }

    /** The same versions. As in Go only the suites of TLS 1.2 are there to be chosen: those of 1.3 are all good. */
    public TlsProtocols withSuitesOf12(List<String> chosen) {
        List<String> all = new java.util.ArrayList<>(SUITES_OF_1_3);
        all.addAll(chosen);
        return new TlsProtocols(versions, all);
    }

    String[] versionsArray() {
        return versions.toArray(String[]::new);
    }
}
