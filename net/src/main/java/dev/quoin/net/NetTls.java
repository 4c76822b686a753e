package dev.quoin.net;

import java.nio.file.Path;

import org.jspecify.annotations.Nullable;

/**
 * Where the server's certificate is found.
 *
 * @param certificateChain PEM, the server's certificate first
 * @param privateKey       PEM, PKCS#8 or PKCS#1, without a password
 * @param clientAuthority  PEM; when given, every client must show a certificate signed by one of these
 */
public record NetTls(Path certificateChain, Path privateKey, @Nullable Path clientAuthority) {}
