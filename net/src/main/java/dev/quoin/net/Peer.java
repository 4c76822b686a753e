package dev.quoin.net;

import java.net.SocketAddress;

import org.jspecify.annotations.Nullable;

/**
 * Who is at the other end of a connection.
 *
 * @param address    as the socket says it
 * @param tls        whether the connection is encrypted
 * @param commonName the subject's common name in the client certificate, if one was asked for, given and trusted
 */
public record Peer(SocketAddress address, boolean tls, @Nullable String commonName) {}
