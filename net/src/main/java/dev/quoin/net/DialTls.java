package dev.quoin.net;

import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;

import org.jspecify.annotations.Nullable;

/**
 * How a {@link Dialler} speaks TLS. The name that was dialled must be in the other's certificate, and so must an address.
 *
 * @param authority        PEM: who may have signed the other's certificate; null: whom the JDK trusts
 * @param certificateChain PEM, what we show when asked, our certificate first; or null
 * @param privateKey       PEM, its key, PKCS#8, PKCS#1 or SEC 1, without a password; null if and only if there is no
 *                         certificate
 * @param serverName       asked for and looked for in place of the name that was dialled, or null
 * @param trustsAll        whether the other's certificate is not looked at: for those that members make for themselves
 * @param commonNames      one of which the other's certificate must have; empty: any
 * @param hostNames        for one of which it must be valid; empty: any
 * @param protocols        versions and cipher suites
 */
public record DialTls(@Nullable Path authority, @Nullable Path certificateChain, @Nullable Path privateKey,
        @Nullable String serverName, boolean trustsAll, List<String> commonNames, List<String> hostNames,
        TlsProtocols protocols) {
    public DialTls {
        commonNames = List.copyOf(commonNames);
        hostNames = List.copyOf(hostNames);
        if ((certificateChain == null) != (privateKey == null)) {
            throw new IllegalArgumentException("a certificate needs its key, and a key its certificate");
        }
    }

    public DialTls(@Nullable Path authority, @Nullable Path certificateChain, @Nullable Path privateKey,
            @Nullable String serverName) {
        this(authority, certificateChain, privateKey, serverName, false, List.of(), List.of(), TlsProtocols.DEFAULT);
    }

    List<Path> files() {
        return Stream.of(authority, certificateChain, privateKey).filter(file -> file != null).toList();
    }
}
