package dev.quoin.net;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.zip.GZIPOutputStream;

/**
 * What a gRPC server says to requests that are wrong in one way each: the checks before a call exists, messages and
 * compression, half-close. The table may be asked of any server: where etcd's answer is not ours it has a column of its
 * own, with the reason in the row's name. An answer is written as one line: {@code status grpc-status "message"}, the
 * parts of a good one, and how the stream ended if not by trailers.
 */
final class FrontTable {
    /** How long nothing more must come once the expected has. */
    private static final int SURPLUS_MILLIS = 150;
    /** How long nothing must come where nothing is expected. */
    private static final int SILENCE_MILLIS = 700;
    /** How long the expected may take on a busy machine. */
    private static final int PATIENCE_MILLIS = 20_000;

    /**
     * Whom to ask, and with what.
     *
     * @param unary     a unary method and a message it answers well
     * @param streaming a server-streaming method and a message it answers with at least one message
     * @param bidi      a method whose half-close ends it well
     * @param etcd      whether etcd's column is expected
     * @param awaited   the answer to wait for, or empty if any end of the stream will do
     */
    @SuppressWarnings("ArrayRecordComponent") // Compared by nobody.
    record Target(InetSocketAddress address, String unary, byte[] unaryMessage, String streaming,
            byte[] streamingMessage,
            String bidi, int limit, boolean etcd, String awaited) {
        String service() {
            return unary.substring(1, unary.lastIndexOf('/'));
        }

        Target awaiting(String answer) {
            return new Target(address, unary, unaryMessage, streaming, streamingMessage, bidi, limit, etcd, answer);
        }
    }

    /** A question, and the answers expected of us and of etcd. */
    record Row(String name, Ask ask, String ours, String etcd) {
        /** Asks, and waits for the expected answer as long as it takes; for a surplus only a moment. */
        String answer(Target target) throws IOException {
            return ask.of(target.awaiting(expected(target)));
        }

        String expected(Target target) {
            return (target.etcd() ? etcd : ours).replace("SERVICE", target.service())
                    .replace("LIMIT+1", Integer.toString(target.limit() + 1))
                    .replace("LIMIT", Integer.toString(target.limit()));
        }
    }

    interface Ask {
        String of(Target target) throws IOException;
    }

    private final List<Row> rows = new ArrayList<>();

    static List<Row> rows() {
        FrontTable table = new FrontTable();
        table.checks();
        table.messages();
        table.halfClose();
        return table.rows;
    }

    private void row(String name, String expected, Ask ask) {
        rows.add(new Row(name, ask, expected, expected));
    }

    private void row(String name, String ours, String etcd, Ask ask) {
        rows.add(new Row(name, ask, ours, etcd));
    }

    // ---- asking ----

    /** The header list of a good request to {@code path}, and what is put over or after it. */
    private static List<String[]> fields(String path, String... more) {
        List<String[]> fields = new ArrayList<>();
        fields.add(new String[]{":method", "POST"});
        fields.add(new String[]{":scheme", "http"});
        fields.add(new String[]{":path", path});
        fields.add(new String[]{":authority", "localhost"});
        fields.add(new String[]{"content-type", "application/grpc"});
        fields.add(new String[]{"te", "trailers"});
        for (int i = 0; i < more.length; i += 2) {
            String name = more[i];
            int known = -1;
            for (int k = 0; k < fields.size(); k++) {
                known = fields.get(k)[0].equals(name) && !name.startsWith("x-") ? k : known;
            }
            if (known >= 0 && known < 6) {
                fields.get(known)[1] = more[i + 1];
            } else {
                fields.add(new String[]{name, more[i + 1]});
            }
        }
        return fields;
    }

    private static Ask unaryWith(String... more) {
        return target -> ask(target, fields(target.unary(), more), RawClient.message(0, target.unaryMessage()), true);
    }

    private static Ask unaryBody(int flag, String... more) {
        return target -> ask(target, fields(target.unary(), more), RawClient.message(flag, target.unaryMessage()),
                true);
    }

    private static Ask raw(byte[] body, boolean end, String... more) {
        return target -> ask(target, fields(target.unary(), more), body, end);
    }

    private static String ask(Target target, List<String[]> fields, byte[] body, boolean end) throws IOException {
        try (RawClient client = RawClient.open(target.address())) {
            client.headers(1, false, fields);
            client.send(RawClient.DATA, end ? RawClient.END_STREAM : 0, 1, body);
            return answer(client, 1, target.awaited());
        }
    }

    /** Header block only, its end given. */
    private static Ask headersOnly(boolean end, String... more) {
        return target -> {
            try (RawClient client = RawClient.open(target.address())) {
                client.headers(1, end, fields(target.unary(), more));
                return answer(client, 1, target.awaited());
            }
        };
    }

    /** One line for what came back on a stream up to its end. */
    static String answer(RawClient client, int stream) throws IOException {
        return answer(client, stream, "");
    }

    private static String answer(RawClient client, int stream, String awaited) throws IOException {
        List<String> parts = new ArrayList<>();
        boolean ended = false;
        while (true) {
            RawClient.Frame frame = client.poll(f -> f.type() == RawClient.GOAWAY || f.stream() == stream,
                    patience(parts, ended, awaited));
            if (frame == null) {
                break;
            }
            if (frame.isEnd()) {
                parts.add("closed");
                break;
            }
            switch (frame.type()) {
                case RawClient.HEADERS -> parts.add(headers(frame));
                case RawClient.DATA -> {
                    if (frame.payload().length > 0 && !parts.getLast().startsWith("DATA")) {
                        parts.add(frame.payload()[0] == 1 ? "DATA(gzip)" : "DATA");
                    }
                }
                case RawClient.RST_STREAM -> parts.add("RST " + frame.error());
                case RawClient.GOAWAY -> parts.add("GOAWAY " + frame.error());
                default -> {}
            }
            ended |= frame.ends();
            if (frame.type() == RawClient.RST_STREAM) {
                break;
            }
        }
        return line(parts);
    }

    private static String line(List<String> parts) {
        return parts.isEmpty() ? "silence" : String.join(" · ", parts);
    }

    private static int patience(List<String> parts, boolean ended, String awaited) {
        if (parts.isEmpty() && awaited.equals("silence")) {
            return SILENCE_MILLIS;
        }
        boolean complete = awaited.isEmpty() ? ended : line(parts).equals(awaited);
        return complete ? SURPLUS_MILLIS : PATIENCE_MILLIS;
    }

    private static String headers(RawClient.Frame frame) {
        String status = frame.field(":status");
        String code = frame.field("grpc-status");
        StringBuilder line = new StringBuilder(status);
        if (!frame.field("grpc-encoding").isEmpty()) {
            line.append(' ').append(frame.field("grpc-encoding"));
        }
        if (!code.isEmpty()) {
            line.append(status.isEmpty() ? "" : " ").append(code).append(" \"").append(frame.field("grpc-message"))
                    .append('"');
        }
        String type = frame.field("content-type");
        boolean plain = type.isEmpty() || type.equals("application/grpc") || !type.startsWith("application/grpc");
        return plain ? line.toString() : line + " " + type;
    }

    private static final String GOOD = "200 · DATA · 0 \"\"";

    // ---- the checks before a call exists, in their order ----

    private void checks() {
        row("a good unary call", GOOD, unaryWith());
        row("0: bad padding is a fault of the connection (RFC 9113 6.2)", "GOAWAY PROTOCOL_ERROR · closed",
                "RST PROTOCOL_ERROR", target -> {
                    try (RawClient client = RawClient.open(target.address())) {
                        client.send(RawClient.HEADERS, RawClient.END_HEADERS | RawClient.PADDED, 1, (byte) 200,
                                (byte) 0);
                        return answer(client, 1, target.awaited());
                    }
                });
        row("0: an upper-case name", "RST PROTOCOL_ERROR", headersOnly(false, "X-Upper", "a"));
        row("0: a pseudo-header after a regular one", "RST PROTOCOL_ERROR", target -> {
            List<String[]> fields = fields(target.unary());
            fields.add(fields.remove(2));
            return ask(target, fields, RawClient.message(0, target.unaryMessage()), true);
        });
        row("0: two :authority", "RST PROTOCOL_ERROR", target -> {
            List<String[]> fields = fields(target.unary());
            fields.add(3, new String[]{":authority", "other"});
            return ask(target, fields, RawClient.message(0, target.unaryMessage()), true);
        });
        row("2: an even stream; we close at once", "GOAWAY PROTOCOL_ERROR · closed", "GOAWAY PROTOCOL_ERROR",
                target -> {
                    try (RawClient client = RawClient.open(target.address())) {
                        client.headers(2, false, fields(target.unary()));
                        return answer(client, 2, target.awaited());
                    }
                });
        row("3: two hosts",
                "400 13 \"num values of :authority: 1, num values of host: 2, both must only have 1 value as per "
                        + "HTTP/2 spec\" · RST NO_ERROR",
                headersOnly(false, "host", "a", "host", "b"));
        row("4: a connection header", "RST PROTOCOL_ERROR", headersOnly(false, "connection", "close"));
        row("5: content-type application/grpc-web",
                "415 3 \"invalid gRPC request content-type \"application/grpc-web\"\" · RST NO_ERROR",
                headersOnly(false, "content-type", "application/grpc-web"));
        row("5: content-type text/plain is HTTP, as over TLS",
                "404 · DATA", "415 3 \"invalid gRPC request content-type \"text/plain\"\" · RST NO_ERROR",
                unaryWith("content-type", "text/plain"));
        row("5: a subtype comes back and changes nothing", "200 application/grpc+json · DATA · 0 \"\"",
                unaryWith("content-type", "application/grpc+json"));
        row("5: a parameter comes back as a subtype", "200 application/grpc+x · DATA · 0 \"\"",
                unaryWith("content-type", "application/grpc;x"));
        timeouts();
        row("6: bad base64 in -bin",
                "400 13 \"malformed binary metadata \"!!!\" in header \"x-bin\": illegal base64 data at input byte 0\""
                        + " · RST NO_ERROR",
                headersOnly(false, "x-bin", "!!!"));
        row("6: the later of two faults wins",
                "400 13 \"malformed grpc-timeout: transport: timeout unit is not recognized: \"5x\"\" · RST NO_ERROR",
                headersOnly(false, "x-bin", "!!!", "grpc-timeout", "5x"));
        row("6: a list in a -bin header is split, as the protocol asks", GOOD,
                "400 13 \"malformed binary metadata \"AQ,Ag\" in header \"x-bin\": illegal base64 data at input byte 2\" · RST NO_ERROR",
                unaryWith("x-bin", "AQ,Ag"));
        row("9: GET", "405 13 \"Received a HEADERS frame with :method \"GET\" which should be POST\" · RST NO_ERROR",
                headersOnly(false, ":method", "GET"));
        row("10: a deadline of 0", "200 4 \"context deadline exceeded\" · RST NO_ERROR",
                headersOnly(false, "grpc-timeout", "0n"));
        row("10: a deadline of a nanosecond", "200 4 \"context deadline exceeded\" · RST NO_ERROR",
                headersOnly(false, "grpc-timeout", "1n"));
        row("11: one slash", "200 12 \"malformed method name: \"/foo\"\" · RST NO_ERROR",
                headersOnly(false, ":path", "/foo"));
        row("11: no leading slash", "200 12 \"malformed method name: \"foo/bar\"\" · RST NO_ERROR",
                headersOnly(false, ":path", "foo/bar"));
        row("11: an empty path is refused by the decoder", "RST PROTOCOL_ERROR",
                "200 12 \"malformed method name: \"\"\" · RST NO_ERROR", headersOnly(false, ":path", ""));
        row("12: an unknown service", "200 12 \"unknown service a/b\" · RST NO_ERROR",
                headersOnly(false, ":path", "/a/b/c"));
        row("13: an unknown method", "200 12 \"unknown method Nope for service SERVICE\" · RST NO_ERROR", target -> {
            try (RawClient client = RawClient.open(target.address())) {
                client.headers(1, false, fields("/" + target.service() + "/Nope"));
                return answer(client, 1, target.awaited());
            }
        });
        row("14: an unknown encoding",
                "200 12 \"grpc: Decompressor is not installed for grpc-encoding \"deflate\"\" · RST NO_ERROR",
                headersOnly(false, "grpc-encoding", "deflate"));
        row("the end is told with the request: no reset follows", "200 12 \"unknown service a/b\"",
                headersOnly(true, ":path", "/a/b/c"));
        row("host stands in for :authority", GOOD, target -> {
            List<String[]> fields = fields(target.unary(), "host", "localhost");
            fields.remove(3);
            return ask(target, fields, RawClient.message(0, target.unaryMessage()), true);
        });
    }

    private void timeouts() {
        String[][] bad = {{"5", "transport: timeout string is too short: \"5\""},
            {"123456789m", "transport: timeout string is too long: \"123456789m\""},
            {"5x", "transport: timeout unit is not recognized: \"5x\""},
            {"-5m", "strconv.ParseUint: parsing \"-5\": invalid syntax"}};
        for (String[] one : bad) {
            row("6: grpc-timeout " + one[0], "400 13 \"malformed grpc-timeout: " + one[1] + "\" · RST NO_ERROR",
                    headersOnly(false, "grpc-timeout", one[0]));
        }
        row("6: the largest timeout", GOOD, unaryWith("grpc-timeout", "99999999H"));
        row("6: of two timeouts the last counts", GOOD, target -> {
            List<String[]> fields = fields(target.unary());
            fields.add(new String[]{"grpc-timeout", "1n"});
            fields.add(new String[]{"grpc-timeout", "10S"});
            return ask(target, fields, RawClient.message(0, target.unaryMessage()), true);
        });
    }

    // ---- messages and compression ----

    private void messages() {
        row("a length over the limit, by its prefix alone",
                "200 8 \"grpc: received message larger than max (LIMIT+1 vs. LIMIT)\" · RST NO_ERROR",
                target -> ask(target, fields(target.unary()), prefix(target.limit() + 1L), false));
        row("a length of 4 GiB",
                "200 8 \"grpc: received message larger than max (4294967295 vs. LIMIT)\" · RST NO_ERROR",
                raw(prefix(0xffff_ffffL), false));
        row("compressed, with no encoding named",
                "200 13 \"grpc: compressed flag set with identity or empty encoding\"",
                unaryBody(1));
        row("compressed, with identity named", "200 13 \"grpc: compressed flag set with identity or empty encoding\"",
                unaryBody(1, "grpc-encoding", "identity"));
        row("a flag of 2", "200 13 \"grpc: received unexpected payload format 2\"", unaryBody(2));
        row("gzip", "200 gzip · DATA(gzip) · 0 \"\"",
                target -> ask(target, fields(target.unary(), "grpc-encoding", "gzip"),
                        RawClient.message(1, gzip(target.unaryMessage())), true));
        row("gzip named, the message plain: the answer is gzip", "200 gzip · DATA(gzip) · 0 \"\"",
                unaryBody(0, "grpc-encoding", "gzip"));
        row("gzip accepted, none named: the answer is plain", GOOD, unaryBody(0, "grpc-accept-encoding", "gzip"));
        row("gzip that is too short for a header",
                "200 13 \"grpc: failed to decompress the message: unexpected EOF\"",
                raw(RawClient.message(1, (byte) 1, (byte) 2, (byte) 3), true, "grpc-encoding", "gzip"));
        row("gzip cut short", "200 13 \"grpc: failed to read decompressed data: unexpected EOF\"", target -> {
            byte[] whole = gzip("abcdefghijklmnopqrstuvwxyz".repeat(10).getBytes(StandardCharsets.US_ASCII));
            return ask(target, fields(target.unary(), "grpc-encoding", "gzip"),
                    RawClient.message(1, java.util.Arrays.copyOf(whole, whole.length - 10)), true);
        });
        row("gzip that inflates over the limit",
                "200 8 \"grpc: received message after decompression larger than max LIMIT\"",
                target -> ask(target, fields(target.unary(), "grpc-encoding", "gzip"),
                        RawClient.message(1, gzip(new byte[4 * target.limit()])), true));
        row("the body ends inside a message", "200 2 \"unexpected EOF\"", raw(new byte[]{0, 0, 0, 0, 9, 1, 2}, true));
        row("the body ends inside a prefix", "200 2 \"EOF\"", raw(new byte[]{0, 0, 0}, true));
        row("the body is empty", "200 2 \"EOF\"", raw(new byte[0], true));
    }

    // ---- half-close ----

    private void halfClose() {
        row("unary: the end is not awaited", GOOD + " · RST NO_ERROR",
                target -> ask(target, fields(target.unary()), RawClient.message(0, target.unaryMessage()), false));
        row("unary: more messages are ignored", GOOD, target -> ask(target, fields(target.unary()),
                twice(RawClient.message(0, target.unaryMessage())), true));
        row("unary: END_STREAM on HEADERS, as over TLS", "200 2 \"EOF\"", "silence", headersOnly(true));
        row("server streaming: a message and the end", GOOD, target -> ask(target, fields(target.streaming()),
                RawClient.message(0, target.streamingMessage()), true));
        row("server streaming: the end is awaited", "silence", target -> ask(target, fields(target.streaming()),
                RawClient.message(0, target.streamingMessage()), false));
        row("server streaming: a second message",
                "200 13 \"cardinality violation: received multiple request messages for "
                        + "non-client-streaming RPC\"",
                target -> ask(target, fields(target.streaming()),
                        twice(RawClient.message(0, target.streamingMessage())), true));
        row("server streaming: no message", "200 13 \"cardinality violation: received no request message from "
                + "non-client-streaming RPC\"", target -> ask(target, fields(target.streaming()), new byte[0], true));
        row("server streaming: cut inside a message", "200 13 \"unexpected EOF\"",
                target -> ask(target, fields(target.streaming()), new byte[]{0, 0, 0, 0, 9, 1, 2}, true));
        row("bidi: half-close ends it well", "200 0 \"\"",
                target -> ask(target, fields(target.bidi()), new byte[0], true));
        row("bidi: END_STREAM on HEADERS, as over TLS", "200 0 \"\"", "silence", target -> {
            try (RawClient client = RawClient.open(target.address())) {
                client.headers(1, true, fields(target.bidi()));
                return answer(client, 1, target.awaited());
            }
        });
        row("bidi: cut inside a prefix is a half-close", "200 0 \"\"",
                target -> ask(target, fields(target.bidi()), new byte[]{0, 0, 0}, true));
        row("bidi: cut inside a message", "200 13 \"unexpected EOF\"",
                target -> ask(target, fields(target.bidi()), new byte[]{0, 0, 0, 0, 9, 1, 2}, true));
    }

    private static byte[] prefix(long length) {
        return new byte[]{0, (byte) (length >> 24), (byte) (length >> 16), (byte) (length >> 8), (byte) length};
    }

    private static byte[] twice(byte[] once) {
        byte[] twice = java.util.Arrays.copyOf(once, once.length * 2);
        System.arraycopy(once, 0, twice, once.length, once.length);
        return twice;
    }

    static byte[] gzip(byte[] plain) throws IOException {
        ByteArrayOutputStream packed = new ByteArrayOutputStream();
        try (GZIPOutputStream out = new GZIPOutputStream(packed)) {
            out.write(plain);
        }
        return packed.toByteArray();
    }

    /** For people: asks a server and prints what it says; {@code FrontTable PORT etcd|test}. */
    public static void main(String[] args) throws Exception {
        InetSocketAddress address = new InetSocketAddress(java.net.InetAddress.getLoopbackAddress(),
                Integer.parseInt(args[0]));
        Target target = args[1].equals("etcd") ? etcd(address) : testService(address);
        for (Row row : rows()) {
            String answer = row.ask().of(target);
            String expected = row.expected(target);
            System.out.println((answer.equals(expected) ? "ok   " : "FAIL ") + row.name() + ": " + answer
                    + (answer.equals(expected) ? "" : "\n     expected " + expected));
        }
    }

    static Target testService(InetSocketAddress address) {
        return new Target(address, "/grpc.testing.TestService/UnaryCall", new byte[]{16, 3},
                "/grpc.testing.TestService/StreamingOutputCall", new byte[]{18, 2, 8, 1},
                "/grpc.testing.TestService/FullDuplexCall", 2_097_152, false, "");
    }

    static Target etcd(InetSocketAddress address) {
        byte[] key = {10, 1, 'a'};
        return new Target(address, "/etcdserverpb.KV/Range", key, "/etcdserverpb.KV/RangeStream", key,
                "/etcdserverpb.Lease/LeaseKeepAlive", 2_097_152, true, "");
    }

}
