package dev.quoin.net;

import java.util.Iterator;
import java.util.Map;

import io.netty.handler.codec.http2.Http2Headers;
import org.jspecify.annotations.Nullable;

import dev.quoin.base.Bytes;
import dev.quoin.base.GoQuote;

/**
 * What the header list of a request says: which call it is, or why it is none. The checks, their order and their texts
 * are grpc-go's (http2_server.go operateHeaders, server.go handleStream); only the frame-level ones, the stream limit and
 * the header list limit have happened before, in the HTTP/2 decoder. One deliberate difference: a request that does not
 * even claim to be gRPC is an HTTP request, as on etcd's TLS port.
 */
final class RequestHead {
    /** What to do with the request. */
    enum Verdict {
        CALL, HTTP, REFUSED, RESET
    }

    /** A timeout that is over before anyone could act on it. */
    private static final long OVER_NANOS = 1_000;

    final Verdict verdict;
    private final int httpStatus;
    private final @Nullable Status refusal;
    private final @Nullable Method method;
    final String subtype;
    final boolean gzip;
    final long timeoutNanos; // negative: none

    private RequestHead(Verdict verdict, int httpStatus, @Nullable Status refusal, @Nullable Method method,
            Scan scan) {
        this.verdict = verdict;
        this.httpStatus = httpStatus;
        this.refusal = refusal;
        this.method = method;
        subtype = scan.subtype;
        gzip = scan.gzip;
        timeoutNanos = scan.timeoutNanos;
    }

    /** The method called; only for a call. */
    Method method() {
        return java.util.Objects.requireNonNull(method);
    }

    Http2Headers refusalHeaders() {
        return GrpcHeaders.trailersOnly(httpStatus, subtype, java.util.Objects.requireNonNull(refusal), Metadata.EMPTY);
    }

    static RequestHead read(Http2Headers headers, Router router) {
        Scan scan = new Scan();
        scan.all(headers);
        if (scan.authorities > 1 || scan.hosts > 1) {
            return refused(scan, 400, Status.Code.INTERNAL, "num values of :authority: " + scan.authorities
                    + ", num values of host: " + scan.hosts + ", both must only have 1 value as per HTTP/2 spec");
        }
        if (scan.connectionHeader) {
            return new RequestHead(Verdict.RESET, 0, null, null, scan);
        }
        if (!scan.grpc) {
            CharSequence type = scan.contentType;
            if (type == null || !type.toString().contains("application/grpc")) {
                return new RequestHead(Verdict.HTTP, 0, null, null, scan);
            }
            return refused(scan, 415, Status.Code.INVALID_ARGUMENT,
                    "invalid gRPC request content-type " + GoQuote.of(type.toString()));
        }
        if (scan.error != null) {
            return refused(scan, 400, Status.Code.INTERNAL, scan.error);
        }
        CharSequence verb = headers.method();
        if (verb == null || !"POST".contentEquals(verb)) {
            return refused(scan, 405, Status.Code.INTERNAL, "Received a HEADERS frame with :method "
                    + GoQuote.of(String.valueOf(verb)) + " which should be POST");
        }
        if (scan.timeoutNanos >= 0 && scan.timeoutNanos <= OVER_NANOS) {
            return refused(scan, 200, Status.Code.DEADLINE_EXCEEDED, "context deadline exceeded");
        }
        CharSequence path = headers.path();
        String text = path == null ? "" : path.toString();
        Method method = router.find(text);
        if (method == null) {
            return new RequestHead(Verdict.REFUSED, 200, router.unknown(text), null, scan);
        }
        if (scan.unknownEncoding != null) {
            return refused(scan, 200, Status.Code.UNIMPLEMENTED,
                    "grpc: Decompressor is not installed for grpc-encoding "
                            + GoQuote.of(scan.unknownEncoding));
        }
        return new RequestHead(Verdict.CALL, 200, null, method, scan);
    }

    private static RequestHead refused(Scan scan, int httpStatus, Status.Code code, String message) {
        return new RequestHead(Verdict.REFUSED, httpStatus, Status.of(code, message), null, scan);
    }

    /** One pass over the list: the names that matter are told apart by length first, because most do not matter. */
    private static final class Scan {
        int authorities;
        int hosts;
        boolean connectionHeader;
        boolean grpc;
        String subtype = "";
        @Nullable
        CharSequence contentType;
        long timeoutNanos = -1;
        @Nullable
        String error; // The last one wins: it is one check.
        boolean gzip;
        @Nullable
        String unknownEncoding;

        void all(Http2Headers headers) {
            Iterator<Map.Entry<CharSequence, CharSequence>> entries = headers.iterator();
            while (entries.hasNext()) {
                Map.Entry<CharSequence, CharSequence> entry = entries.next();
                one(entry.getKey(), entry.getValue());
            }
        }

        private void one(CharSequence name, CharSequence value) {
            switch (name.length()) {
                case 4 -> {
                    if (is(name, "host")) {
                        hosts++;
                    }
                }
                case 10 -> {
                    if (is(name, ":authority")) {
                        authorities++;
                    } else if (is(name, "connection")) {
                        connectionHeader = true;
                    }
                }
                case 12 -> {
                    if (is(name, "content-type")) {
                        contentType(value);
                    } else if (is(name, "grpc-timeout")) {
                        timeout(value);
                    }
                }
                case 13 -> {
                    if (is(name, "grpc-encoding")) {
                        encoding(value);
                    }
                }
                default -> {}
            }
            if (Metadata.isBinary(name) && !GrpcHeaders.reserved(name)) {
                binary(name, value);
            }
        }

        private static boolean is(CharSequence name, String wanted) {
            return wanted.contentEquals(name);
        }

        private void contentType(CharSequence value) {
            String text = value.toString();
            String base = "application/grpc";
            if (text.equals(base)) {
                grpc = true;
                subtype = "";
            } else if (text.startsWith(base)
                    && (text.charAt(base.length()) == '+' || text.charAt(base.length()) == ';')) {
                grpc = true;
                subtype = text.substring(base.length() + 1);
            } else {
                contentType = value;
            }
        }

        private void timeout(CharSequence value) {
            try {
                timeoutNanos = GoText.timeoutNanos(value);
            } catch (GoText.Illegal e) {
                error = "malformed grpc-timeout: " + e.getMessage();
            }
        }

        private void encoding(CharSequence value) {
            String text = value.toString();
            gzip = text.equals("gzip");
            unknownEncoding = gzip || text.isEmpty() || text.equals("identity") ? null : text;
        }

        private void binary(CharSequence name, CharSequence value) {
            String text = value.toString();
            for (String part : text.split(",", -1)) {
                try {
                    GoText.base64(part);
                } catch (GoText.Illegal e) {
                    error = "malformed binary metadata " + GoQuote.of(text) + " in header "
                            + GoQuote.of(name.toString())
                            + ": " + e.getMessage();
                }
            }
        }
    }

    /** The metadata of a request that passed its checks. */
    static Metadata metadata(Http2Headers headers) {
        Metadata.Builder metadata = Metadata.builder();
        CharSequence authority = headers.authority();
        CharSequence host = authority == null ? headers.get("host") : authority;
        if (host != null) {
            metadata.add(":authority", host.toString());
        }
        for (Map.Entry<CharSequence, CharSequence> entry : headers) {
            String name = entry.getKey().toString();
            if (GrpcHeaders.reserved(name)) {
                continue;
            }
            if (!Metadata.isBinary(name)) {
                metadata.add(name, entry.getValue().toString());
                continue;
            }
            for (String part : entry.getValue().toString().split(",", -1)) {
                metadata.add(name, decoded(part));
            }
        }
        return metadata.build();
    }

    private static Bytes decoded(String part) {
        try {
            return GoText.base64(part);
        } catch (GoText.Illegal e) {
            throw dev.quoin.base.Invariant.violation("binary metadata passed its check and is illegal");
        }
    }
}
