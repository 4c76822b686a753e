package dev.quoin.server;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.StringWriter;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.zip.GZIPOutputStream;

import com.google.gson.stream.JsonWriter;

import dev.quoin.base.Bytes;
import dev.quoin.member.Member;
import dev.quoin.member.MemberStatus;
import dev.quoin.net.HttpFields;
import dev.quoin.net.HttpHandler;
import dev.quoin.net.HttpRequest;
import dev.quoin.net.HttpResponse;
import dev.quoin.server.metrics.ServerMetrics;

/**
 * {@code /metrics}, as Go's client for Prometheus answers it (promhttp): any method, the text format alone, packed for who
 * takes that; and {@code /debug/vars}, as far as etcd's has a meaning here (etcdhttp/debug.go). All else is for whoever is
 * behind it.
 */
final class MetricsFront implements HttpHandler {
    private static final Pattern ESCAPING = Pattern
            .compile("escaping=(allow-utf-8|underscores|dots|values)(?:[;, ]|$)");
    private static final Pattern GZIP = Pattern.compile("(?:^|[, ])gzip(?!\\s*;\\s*q=0(?:\\.0*)?\\s*(?:,|$))");

    private final Member member;
    private final ServerMetrics metrics;
    private final List<String> arguments;
    private final HttpHandler behind;

    /** @param arguments of the process, for whoever looks at its variables */
    MetricsFront(Member member, ServerMetrics metrics, List<String> arguments, HttpHandler behind) {
        this.member = member;
        this.metrics = metrics;
        this.arguments = List.copyOf(arguments);
        this.behind = behind;
    }

    @Override
    public HttpResponse handle(HttpRequest request) throws InterruptedException {
        return switch (request.path()) {
            case "/metrics" -> metrics(request);
            case "/debug/vars" -> request.method().equals("GET") ? variables() : onlyGet();
            default -> behind.handle(request);
        };
    }

    private static HttpResponse onlyGet() {
        return new HttpResponse(405, HttpFields.of("content-type", "text/plain; charset=utf-8", "allow", "GET"),
                new HttpResponse.Body.Whole(Bytes.utf8("Method Not Allowed\n")));
    }

    /** Names without anything to escape are the same in every way of escaping; which one, it says as it was asked. */
    private HttpResponse metrics(HttpRequest request) {
        byte[] page = metrics.page().getBytes(StandardCharsets.UTF_8);
        HttpFields fields = HttpFields.of("content-type",
                "text/plain; version=0.0.4; charset=utf-8; escaping=" + escaping(String.join(",",
                        request.headers().all("accept"))));
        boolean isPacked = GZIP.matcher(String.join(",", request.headers().all("accept-encoding"))).find();
        return isPacked
                ? new HttpResponse(200, fields.with("content-encoding", "gzip"),
                        new HttpResponse.Body.Whole(Bytes.of(packed(page))))
                : new HttpResponse(200, fields, new HttpResponse.Body.Whole(Bytes.of(page)));
    }

    private static String escaping(String accepted) {
        Matcher asked = ESCAPING.matcher(accepted);
        return asked.find() ? asked.group(1) : "underscores";
    }

    private static byte[] packed(byte[] page) {
        ByteArrayOutputStream packed = new ByteArrayOutputStream(page.length / 8);
        try (GZIPOutputStream packer = new GZIPOutputStream(packed)) {
            packer.write(page);
        } catch (IOException impossible) {
            throw new UncheckedIOException("an array refused to be written to", impossible);
        }
        return packed.toByteArray();
    }

    // ---- variables

    private HttpResponse variables() {
        Map<String, String> variables = new TreeMap<>();
        variables.put("cmdline", json(json -> {
            json.beginArray();
            json.value("etcd");
            for (String argument : arguments) {
                json.value(argument);
            }
            json.endArray();
        }));
        variables.put("file_descriptor_limit", Long.toString((long) metrics.fileLimit()));
        variables.put("memstats", json(json -> {
            json.beginObject();
            for (Map.Entry<String, Long> figure : new TreeMap<>(metrics.memory()).entrySet()) {
                json.name(figure.getKey()).value(figure.getValue());
            }
            json.endObject();
        }));
        variables.put("raft.status", json(this::consensus));
        StringBuilder body = new StringBuilder("{\n");
        String before = "";
        for (Map.Entry<String, String> variable : variables.entrySet()) {
            body.append(before).append('"').append(variable.getKey()).append("\": ").append(variable.getValue());
            before = ",\n";
        }
        return HttpResponse.of(200, "application/json; charset=utf-8", Bytes.utf8(body.append("\n}\n").toString()));
    }

    /** The fields of Go's raft.Status that a member knows without asking its loop. */
    private void consensus(JsonWriter json) throws IOException {
        MemberStatus status = member.status();
        boolean leads = status.leader() == member.memberId();
        json.beginObject();
        json.name("id").value(Long.toHexString(member.memberId()));
        json.name("term").value(status.term());
        json.name("commit").value(status.committedIndex());
        json.name("lead").value(Long.toHexString(status.leader()));
        json.name("raftState").value(leads ? "StateLeader" : "StateFollower");
        json.name("applied").value(status.appliedIndex());
        json.endObject();
    }

    @FunctionalInterface
    private interface Written {
        void to(JsonWriter json) throws IOException;
    }

    private static String json(Written written) {
        StringWriter text = new StringWriter();
        try (JsonWriter json = new JsonWriter(text)) {
            written.to(json);
        } catch (IOException impossible) {
            throw new UncheckedIOException("a string refused to be written to", impossible);
        }
        return text.toString();
    }
}
