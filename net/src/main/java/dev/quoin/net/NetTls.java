package dev.quoin.net;

import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;

import org.jspecify.annotations.Nullable;

/**
 * How a server speaks TLS: where its certificate is found, and whom it lets in. Files that have changed are read again when
 * {@link NetServer#refreshTls} is called.
 *
 * @param endpoint         what the log calls the port at which somebody was refused
 * @param certificateChain PEM, the server's certificate first
 * @param privateKey       PEM, PKCS#8, PKCS#1 or SEC 1, without a password
 * @param clients          what a client must show
 * @param protocols        versions and cipher suites
 */
public record NetTls(String endpoint, Path certificateChain, Path privateKey, Clients clients, TlsProtocols protocols) {
    /**
     * What a client's certificate must be. Names are compared as etcd does (client/pkg/transport/listener.go).
     *
     * @param areAsked    whether a client must show one at all; the rest counts for nothing otherwise
     * @param authority   PEM, who may have signed it; null: any that the JDK trusts
     * @param revoked     a revocation list, PEM or DER: no certificate that a client shows may be in it; or null. Whether
     *                    the list is signed, and how old it is, is not looked at, as in etcd
     * @param commonNames one of which it must have; empty: any
     * @param hostNames   for one of which it must be valid, names or addresses; empty: any
     * @param atAddress   whether it must be valid for the address that the client comes from, if it has names at all
     */
    public record Clients(boolean areAsked, @Nullable Path authority, @Nullable Path revoked, List<String> commonNames,
            List<String> hostNames, boolean atAddress) {
        public static final Clients ANYBODY = new Clients(false, null, null, List.of(), List.of(), false);

        public Clients {
            commonNames = List.copyOf(commonNames);
            hostNames = List.copyOf(hostNames);
        }

        public static Clients signedBy(Path authority) {
            return new Clients(true, authority, null, List.of(), List.of(), false);
        }
    }

    /** @param clientAuthority PEM; when given, every client must show a certificate signed by one of these */
    public NetTls(Path certificateChain, Path privateKey, @Nullable Path clientAuthority) {
        this("client endpoint", certificateChain, privateKey,
                clientAuthority == null ? Clients.ANYBODY : Clients.signedBy(clientAuthority), TlsProtocols.DEFAULT);
    }

    List<Path> files() {
        return Stream.of(certificateChain, privateKey, clients.authority, clients.revoked).filter(file -> file != null)
                .toList();
    }
}
