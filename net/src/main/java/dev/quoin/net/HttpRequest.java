package dev.quoin.net;

import java.util.regex.Pattern;

import org.jspecify.annotations.Nullable;

import dev.quoin.base.Bytes;

/**
 * A request that is not gRPC, whole: its body has been read within {@link NetLimits#httpBodyBytesMax}.
 *
 * @param path  as sent, before any {@code ?}, not decoded
 * @param query what follows the {@code ?}, not decoded, or null if there is none
 */
public record HttpRequest(String method, String path, @Nullable String query, HttpFields headers, Bytes body,
        Peer peer) {
    private static final Pattern LENGTH = Pattern.compile("[0-9]{1,18}");

    /** How many bytes the body has by what the head says, or -1 if it does not say. */
    public long contentLength() {
        String said = headers.first("content-length");
        return said != null && LENGTH.matcher(said).matches() ? Long.parseLong(said) : -1;
    }
}
