package dev.quoin.net;

import org.jspecify.annotations.Nullable;

import dev.quoin.base.Bytes;

/**
 * A request that is not gRPC, whole: its body has been read within {@link NetLimits#httpBodyBytesMax}.
 *
 * @param path  as sent, before any {@code ?}, not decoded
 * @param query what follows the {@code ?}, not decoded, or null if there is none
 */
public record HttpRequest(String method, String path, @Nullable String query, HttpFields headers, Bytes body,
        Peer peer) {}
