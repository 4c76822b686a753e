package dev.quoin.net;

import java.nio.file.Path;

import org.jspecify.annotations.Nullable;

/**
 * How a {@link Dialler} speaks TLS. The name that was dialled must be in the other's certificate, and so must an address.
 *
 * @param authority        PEM: who may have signed the other's certificate
 * @param certificateChain PEM, what we show when asked, our certificate first; or null
 * @param privateKey       PEM, its key, PKCS#8 or PKCS#1, without a password; null if and only if there is no certificate
 * @param serverName       asked for and looked for in place of the name that was dialled, or null
 */
public record DialTls(Path authority, @Nullable Path certificateChain, @Nullable Path privateKey,
        @Nullable String serverName) {
    public DialTls {
        if ((certificateChain == null) != (privateKey == null)) {
            throw new IllegalArgumentException("a certificate needs its key, and a key its certificate");
        }
    }
}
