package dev.quoin.server.peer;

import java.io.IOException;
import java.io.InputStream;
import java.net.InetAddress;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Locale;
import java.util.NavigableMap;
import java.util.TreeMap;

import dev.quoin.base.Bytes;
import dev.quoin.base.ProtoWriter;
import dev.quoin.raft.Message;

/** Requests to a peer port, and its answers as texts that can be compared: the same for ours and etcd's. */
final class PeerRows {
    /** What is asked; {@code {cluster}} and {@code {id}} stand for those of who is asked. */
    record Row(String name, String method, String path, List<String> headers, Bytes body, String expected) {}

    private static final List<String> MEMBER = List.of("X-Server-From: 7", "X-Server-Version: 3.7.1",
            "X-Min-Cluster-Version: 3.0.0", "X-Etcd-Cluster-ID: {cluster}", "X-Raft-To: {id}");
    private static final String TEXT = " content-type=text/plain; charset=utf-8";
    private static final String ERROR = TEXT + " x-content-type-options=nosniff";
    private static final String OURS = " x-etcd-cluster-id={cluster}";
    private static final String STREAM = OURS + " x-server-version=3.7.1";
    private static final byte[] NOTHING = {};

    private PeerRows() {}

    private static Row row(String name, String method, String path, List<String> headers, byte[] body,
            String expected) {
        return new Row(name, method, path, headers, Bytes.of(body), expected);
    }

    private static Row row(String name, String method, String path, String expected) {
        return row(name, method, path, List.of(), NOTHING, expected);
    }

    private static List<String> without(List<String> headers, String name) {
        return headers.stream().filter(header -> !header.startsWith(name)).toList();
    }

    private static List<String> with(List<String> headers, String header) {
        String name = header.substring(0, header.indexOf(':'));
        return java.util.stream.Stream.concat(without(headers, name).stream(), java.util.stream.Stream.of(header))
                .toList();
    }

    private static byte[] framed(Message message) {
        ProtoWriter out = new ProtoWriter(64);
        new PeerStreams.MessageWriter().write(out, message);
        return out.toByteArray();
    }

    private static String error(int status, String more, String text) {
        String allow = more.startsWith(" allow") ? more : "";
        String rest = more.startsWith(" allow") ? "" : more;
        return status + allow + ERROR + rest + " | " + text + "\\n";
    }

    static List<Row> rows() {
        Message stray = new Message.Heartbeat(7, 12_345, 1, 1, Bytes.EMPTY);
        byte[] strayBytes = PeerMessages.bytes(stray).toByteArray();
        byte[] garbage = {(byte) 0xff};
        return List.of(
                row("unknown path", "GET", "/nope", error(404, "", "404 page not found")),
                row("unknown path of raft", "GET", "/raft/nope", error(404, "", "404 page not found")),
                row("message: method", "GET", "/raft", error(405, " allow=POST", "Method Not Allowed")),
                row("message: says nothing", "POST", "/raft", error(412, OURS, "incompatible version")),
                row("message: too old", "POST", "/raft", with(MEMBER, "X-Server-Version: 2.3.8"), NOTHING,
                        error(412, OURS, "incompatible version")),
                row("message: wants newer", "POST", "/raft", with(MEMBER, "X-Min-Cluster-Version: 3.8.0"), NOTHING,
                        error(412, OURS, "incompatible version")),
                row("message: newer", "POST", "/raft", with(MEMBER, "X-Server-Version: 4.0.0-alpha.1"), garbage,
                        error(400, OURS, "error unmarshalling raft message")),
                row("message: other cluster", "POST", "/raft", with(MEMBER, "X-Etcd-Cluster-ID: 1"), NOTHING,
                        error(412, OURS, "cluster ID mismatch")),
                row("message: no cluster", "POST", "/raft", without(MEMBER, "X-Etcd-Cluster-ID"), NOTHING,
                        error(412, OURS, "cluster ID mismatch")),
                row("message: garbage", "POST", "/raft", MEMBER, garbage,
                        error(400, OURS, "error unmarshalling raft message")),
                row("message: for another", "POST", "/raft", MEMBER, strayBytes,
                        error(500, OURS, "error processing raft message")),
                row("state: method", "GET", "/raft/snapshot", error(405, " allow=POST", "Method Not Allowed")),
                row("state: other cluster", "POST", "/raft/snapshot", with(MEMBER, "X-Etcd-Cluster-ID: 1"), NOTHING,
                        error(412, OURS, "cluster ID mismatch")),
                row("state: nothing", "POST", "/raft/snapshot", MEMBER, NOTHING,
                        error(400, OURS, "failed to decode raft message (EOF)")),
                row("state: cut short", "POST", "/raft/snapshot", MEMBER, new byte[]{0, 0, 0},
                        error(400, OURS, "failed to decode raft message (unexpected EOF)")),
                row("state: another message", "POST", "/raft/snapshot", MEMBER, framed(stray),
                        error(400, OURS, "wrong raft message type")),
                row("stream: method", "POST", "/raft/stream/message/7",
                        error(405, " allow=GET", "Method Not Allowed")),
                row("stream: says nothing", "GET", "/raft/stream/message/7",
                        error(412, STREAM, "incompatible version")),
                row("stream: other cluster", "GET", "/raft/stream/msgapp/7", with(MEMBER, "X-Etcd-Cluster-ID: 1"),
                        NOTHING, error(412, STREAM, "cluster ID mismatch")),
                row("stream: unknown kind", "GET", "/raft/stream/nope/7", MEMBER, NOTHING,
                        error(404, STREAM, "invalid path")),
                row("stream: no id", "GET", "/raft/stream/message/xyz", MEMBER, NOTHING,
                        error(404, STREAM, "invalid from")),
                row("stream: unknown sender", "GET", "/raft/stream/message/7", MEMBER, NOTHING,
                        error(404, STREAM, "error sender not found")),
                row("probing", "GET", "/raft/probing", "200" + TEXT + " | {\"OK\":true,\"Now\":\"{now}\"}\\n"),
                row("members", "GET", "/members", "200 content-type=application/json" + OURS
                        + " | [{\"id\":{decimal},\"peerURLs\":[\"{url}\"],\"name\":\"etcd\",\"clientURLs\":[\"{url}\"]}]\\n"),
                row("members: method", "POST", "/members", error(405, " allow=GET", "Method Not Allowed")),
                row("members: below", "GET", "/members/", error(404, "", "404 page not found")),
                row("promote: method", "GET", "/members/promote/1",
                        error(405, " allow=POST", "Method Not Allowed")),
                row("promote: no id", "POST", "/members/promote/abc",
                        error(404, OURS, "member abc not found in cluster")),
                row("promote: unknown", "POST", "/members/promote/12", error(404, OURS, "membership: ID not found")),
                row("hash", "GET", "/members/hashkv", List.of("X-Etcd-Cluster-ID: {cluster}"), ascii("{}"),
                        "200 content-type=application/json" + OURS
                                + " | {\"header\":{\"revision\":{n}},\"hash\":{n},\"compact_revision\":-1,\"hash_revision\":{n}}"),
                row("hash: method", "POST", "/members/hashkv", error(405, " allow=GET", "Method Not Allowed")),
                row("hash: nothing", "GET", "/members/hashkv", error(400, "", "error unmarshalling request")),
                row("hash: a list", "GET", "/members/hashkv", List.of(), ascii("[]"),
                        error(400, "", "error unmarshalling request")),
                row("hash: a text", "GET", "/members/hashkv", List.of(), ascii("{\"revision\":\"1\"}"),
                        error(400, "", "error unmarshalling request")),
                row("hash: other cluster", "GET", "/members/hashkv", List.of("X-Etcd-Cluster-ID: 1"), ascii("{}"),
                        error(412, "", "cluster ID mismatch")),
                row("hash: future", "GET", "/members/hashkv", List.of(), ascii("{\"revision\":99}"),
                        error(400, "", "mvcc: required revision is a future revision")),
                row("version", "GET", "/version", "200 content-type=application/json | "
                        + "{\"etcdserver\":\"3.7.1\",\"etcdcluster\":\"3.7.0\",\"storage\":\"3.7.0\"}"),
                row("version: method", "POST", "/version", error(405, " allow=GET", "Method Not Allowed")),
                row("downgrade", "GET", "/downgrade/enabled", "200 content-type=text/plain" + OURS + " | false"),
                row("downgrade: method", "POST", "/downgrade/enabled",
                        error(405, " allow=GET", "Method Not Allowed")),
                row("lease: method", "GET", "/leases", error(405, "", "Method Not Allowed")),
                row("lease: garbage", "POST", "/leases", List.of(), garbage,
                        error(400, "", "error unmarshalling request")),
                row("lease: garbage about its time", "POST", "/leases/internal", List.of(), garbage,
                        error(400, "", "error unmarshalling request")),
                row("lease: too large", "POST", "/leases", List.of(), new byte[65_537],
                        error(413, "", "request body too large")));
    }

    private static byte[] ascii(String text) {
        return text.getBytes(StandardCharsets.US_ASCII);
    }

    /** Asks, and says what came: the status, what fields mean something, and the body. */
    static String ask(int port, Row row, long clusterId, long memberId) throws IOException {
        StringBuilder head = new StringBuilder(row.method + " " + row.path + " HTTP/1.1\r\nHost: a\r\n");
        for (String header : row.headers) {
            head.append(header.replace("{cluster}", Long.toHexString(clusterId)).replace("{id}",
                    Long.toHexString(memberId))).append("\r\n");
        }
        head.append("Connection: close\r\nContent-Length: ").append(row.body.length()).append("\r\n\r\n");
        try (Socket socket = new Socket(InetAddress.getLoopbackAddress(), port)) {
            socket.setSoTimeout(10_000);
            socket.getOutputStream().write(ascii(head.toString()));
            socket.getOutputStream().write(row.body.toByteArray());
            return answer(socket.getInputStream()).replace(Long.toHexString(clusterId), "{cluster}")
                    .replace(Long.toUnsignedString(memberId), "{decimal}");
        }
    }

    private static String until(InputStream in, String end) throws IOException {
        StringBuilder read = new StringBuilder();
        while (read.indexOf(end) < 0) {
            int next = in.read();
            if (next < 0) {
                return read + " (the end)";
            }
            read.append((char) next);
        }
        return read.substring(0, read.length() - end.length());
    }

    private static String answer(InputStream in) throws IOException {
        String[] lines = until(in, "\r\n\r\n").split("\r\n", -1);
        NavigableMap<String, String> fields = new TreeMap<>();
        for (int i = 1; i < lines.length; i++) {
            int colon = lines[i].indexOf(':');
            fields.put(lines[i].substring(0, colon).toLowerCase(Locale.ROOT), lines[i].substring(colon + 1).strip());
        }
        // Not to the end of the connection: etcd closes it five seconds later. One that it aborts has a chunk, and no end.
        String chunk = fields.remove("transfer-encoding") == null ? "" : until(in, "\r\n");
        int length = chunk.isEmpty() ? Integer.parseInt(fields.getOrDefault("content-length", "0"))
                : Integer.parseInt(chunk, 16);
        String text = new String(in.readNBytes(length), StandardCharsets.UTF_8);
        List.of("date", "content-length", "connection").forEach(fields::remove);
        StringBuilder answer = new StringBuilder(lines[0].split(" ", -1)[1]);
        fields.forEach((name, value) -> answer.append(' ').append(name).append('=').append(value));
        String body = text.replace("\n", "\\n")
                .replaceAll("\"Now\":\"[0-9-]+T[0-9:.]+(Z|[+-][0-9:]+)\"", "\"Now\":\"{now}\"")
                .replaceAll("http://127.0.0.1:[0-9]+", "{url}").replaceAll("(revision|hash)\":[0-9]+", "$1\":{n}");
        return answer.append(" | ").append(body).toString();
    }
}
