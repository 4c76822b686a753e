package dev.quoin.net;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.Set;

import io.netty.handler.codec.http2.Http2Headers;
import io.netty.handler.codec.http2.ReadOnlyHttp2Headers;
import io.netty.util.AsciiString;

import dev.quoin.base.Bytes;

/**
 * Headers and trailers of answers. The common ones are made once: a read-only list of constant strings may be shared by
 * all loops, and its strings are hashed once.
 */
final class GrpcHeaders {
    private static final AsciiString STATUS_200 = AsciiString.cached("200");
    private static final AsciiString CONTENT_TYPE = AsciiString.cached("content-type");
    private static final AsciiString GRPC = AsciiString.cached("application/grpc");
    private static final AsciiString ENCODING = AsciiString.cached("grpc-encoding");
    private static final AsciiString GZIP = AsciiString.cached("gzip");
    private static final AsciiString GRPC_STATUS = AsciiString.cached("grpc-status");
    private static final AsciiString GRPC_MESSAGE = AsciiString.cached("grpc-message");
    private static final AsciiString DETAILS = AsciiString.cached("grpc-status-details-bin");
    private static final AsciiString[] NUMBERS = new AsciiString[17];

    static {
        for (int i = 0; i < NUMBERS.length; i++) {
            NUMBERS[i] = AsciiString.cached(Integer.toString(i));
        }
    }

    private static final Http2Headers HEADERS = ReadOnlyHttp2Headers.serverHeaders(true, STATUS_200, CONTENT_TYPE,
            GRPC);
    private static final Http2Headers HEADERS_GZIP = ReadOnlyHttp2Headers.serverHeaders(true, STATUS_200, CONTENT_TYPE,
            GRPC, ENCODING, GZIP);
    /** The trailers of a call that went well. etcd sends the empty message, so it is there. */
    static final Http2Headers TRAILERS_OK = ReadOnlyHttp2Headers.trailers(true, GRPC_STATUS, NUMBERS[0], GRPC_MESSAGE,
            AsciiString.EMPTY_STRING);

    /** Names a request or an answer may not carry as metadata (grpc-go, http_util.go isReservedHeader). */
    private static final Set<String> RESERVED = Set.of("content-type", "te", "grpc-encoding", "grpc-message",
            "grpc-status", "grpc-timeout", "grpc-message-type", "grpc-status-details-bin", "connection", "host");

    private GrpcHeaders() {}

    static boolean reserved(CharSequence name) {
        return name.length() == 0 || name.charAt(0) == ':' || RESERVED.contains(name.toString());
    }

    static Http2Headers initial(String subtype, boolean gzip, Metadata metadata) {
        if (subtype.isEmpty() && metadata.isEmpty()) {
            return gzip ? HEADERS_GZIP : HEADERS;
        }
        List<AsciiString> pairs = new ArrayList<>();
        add(pairs, CONTENT_TYPE, contentType(subtype));
        if (gzip) {
            add(pairs, ENCODING, GZIP);
        }
        addMetadata(pairs, metadata);
        return ReadOnlyHttp2Headers.serverHeaders(false, STATUS_200, pairs.toArray(new AsciiString[0]));
    }

    static Http2Headers trailers(Status status, Metadata metadata) {
        if (status.isOk() && status.details() == null && status.message().isEmpty() && metadata.isEmpty()) {
            return TRAILERS_OK;
        }
        List<AsciiString> pairs = new ArrayList<>();
        addStatus(pairs, status);
        addMetadata(pairs, metadata);
        return ReadOnlyHttp2Headers.trailers(false, pairs.toArray(new AsciiString[0]));
    }

    /** Headers and trailers in one, for a call that ends before it sent anything. */
    static Http2Headers trailersOnly(int httpStatus, String subtype, Status status, Metadata metadata) {
        List<AsciiString> pairs = new ArrayList<>();
        add(pairs, CONTENT_TYPE, contentType(subtype));
        addStatus(pairs, status);
        addMetadata(pairs, metadata);
        AsciiString code = httpStatus == 200 ? STATUS_200 : AsciiString.of(Integer.toString(httpStatus));
        return ReadOnlyHttp2Headers.serverHeaders(false, code, pairs.toArray(new AsciiString[0]));
    }

    private static AsciiString contentType(String subtype) {
        return subtype.isEmpty() ? GRPC : new AsciiString("application/grpc+" + subtype);
    }

    private static void addStatus(List<AsciiString> pairs, Status status) {
        add(pairs, GRPC_STATUS, NUMBERS[status.code().number()]);
        add(pairs, GRPC_MESSAGE, new AsciiString(GoText.percentEncode(status.message())));
        Bytes details = status.details();
        if (details != null) {
            add(pairs, DETAILS, base64(details));
        }
    }

    private static void addMetadata(List<AsciiString> pairs, Metadata metadata) {
        metadata.forEach((name, value) -> {
            if (!reserved(name)) {
                add(pairs, new AsciiString(name), value instanceof Bytes bytes ? base64(bytes)
                        : new AsciiString(value.toString()));
            }
        });
    }

    private static void add(List<AsciiString> pairs, AsciiString name, AsciiString value) {
        pairs.add(name);
        pairs.add(value);
    }

    private static AsciiString base64(Bytes bytes) {
        byte[] encoded = Base64.getEncoder().withoutPadding().encode(bytes.toByteArray());
        return new AsciiString(new String(encoded, StandardCharsets.ISO_8859_1));
    }
}
