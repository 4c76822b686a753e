package dev.quoin.base;

import java.net.Socket;
import java.security.Principal;
import java.security.PrivateKey;
import java.security.cert.X509Certificate;
import java.util.List;

import javax.net.ssl.SSLEngine;
import javax.net.ssl.X509ExtendedKeyManager;

import org.jspecify.annotations.Nullable;

/**
 * The one key of a side of TLS, with its certificate and those that vouch for it: shown to whoever asks. The JDK's own managers take keys
 * from a key store alone, where each is locked with ten thousand rounds of a hash and unlocked again. Immutable.
 */
public final class OneKey extends X509ExtendedKeyManager {
    private static final String ALIAS = "quoin";

    private final X509Certificate[] chain;
    private final PrivateKey key;

    /** @param chain the key's own certificate comes first */
    public OneKey(List<X509Certificate> chain, PrivateKey key) {
        this.chain = chain.toArray(new X509Certificate[0]);
        this.key = key;
    }

    /** What kind of key it is, by the JDK's name. */
    public String algorithm() {
        return key.getAlgorithm();
    }

    /** A client shows it even if the server names other authorities: what is wrong with it is for the server to say. */
    @Override
    public String chooseClientAlias(String[] types, Principal @Nullable [] issuers, @Nullable Socket socket) {
        return ALIAS;
    }

    @Override
    public String chooseEngineClientAlias(String[] types, Principal @Nullable [] issuers, @Nullable SSLEngine engine) {
        return ALIAS;
    }

    @Override
    public String[] getClientAliases(String type, Principal @Nullable [] issuers) {
        return new String[]{ALIAS};
    }

    /** A server is asked for one kind of key after the other, as its client prefers them. */
    @Override
    public @Nullable String chooseServerAlias(String type, Principal @Nullable [] issuers, @Nullable Socket socket) {
        return type.equals(key.getAlgorithm()) ? ALIAS : null;
    }

    @Override
    public @Nullable String chooseEngineServerAlias(String type, Principal @Nullable [] issuers,
            @Nullable SSLEngine engine) {
        return chooseServerAlias(type, issuers, null);
    }

    @Override
    public String @Nullable [] getServerAliases(String type, Principal @Nullable [] issuers) {
        return type.equals(key.getAlgorithm()) ? new String[]{ALIAS} : null;
    }

    @Override
    public X509Certificate[] getCertificateChain(String alias) {
        return chain.clone();
    }

    @Override
    public PrivateKey getPrivateKey(String alias) {
        return key;
    }
}
