package dev.quoin.server;

import java.util.Arrays;
import java.util.Objects;

import dev.quoin.base.Bytes;
import dev.quoin.member.Member;
import dev.quoin.net.HttpFields;
import dev.quoin.net.HttpHandler;
import dev.quoin.net.HttpRequest;
import dev.quoin.net.HttpResponse;
import dev.quoin.net.StatusException;
import dev.quoin.server.metrics.HealthCounts;

/** What the client port answers over plain HTTP: {@code /health} and {@code /version}, as etcd words them. */
final class HttpFront implements HttpHandler {
    private final Member member;
    private final MemberCalls calls;
    private final HealthCounts counts;

    HttpFront(Member member, MemberCalls calls, HealthCounts counts) {
        this.member = member;
        this.calls = calls;
        this.counts = counts;
    }

    @Override
    public HttpResponse handle(HttpRequest request) throws InterruptedException {
        return switch (request.path()) {
            case "/health" -> isGet(request) ? counted(health(request)) : onlyGet();
            case "/version" -> isGet(request) ? version() : onlyGet();
            default -> HttpResponse.text(404, "404 page not found\n");
        };
    }

    private static boolean isGet(HttpRequest request) {
        return request.method().equals("GET");
    }

    private static HttpResponse onlyGet() {
        return new HttpResponse(405, HttpFields.of("content-type", "text/plain; charset=utf-8", "allow", "GET"),
                new HttpResponse.Body.Whole(Bytes.utf8("Method Not Allowed\n")));
    }

    private HttpResponse counted(HttpResponse response) {
        counts.answered(response.status() == 200);
        return response;
    }

    /** Leader first, then a read (etcdhttp/health.go). No alarm can be raised yet, which etcd would look at before. */
    private HttpResponse health(HttpRequest request) throws InterruptedException {
        if (hasQuery(request, "serializable=true")) {
            return healthy();
        }
        if (member.leader() == 0) {
            return unhealthy("RAFT NO LEADER");
        }
        try {
            calls.linearize();
            return healthy();
        } catch (StatusException failed) {
            return unhealthy("RANGE ERROR:" + failed.status().message());
        }
    }

    private static boolean hasQuery(HttpRequest request, String parameter) {
        return Arrays.asList(Objects.requireNonNullElse(request.query(), "").split("&", -1)).contains(parameter);
    }

    /** JSON that etcd sends as plain text; probes compare the body. */
    private static HttpResponse healthy() {
        return HttpResponse.text(200, "{\"health\":\"true\",\"reason\":\"\"}");
    }

    private static HttpResponse unhealthy(String reason) {
        return HttpResponse.text(503, "{\"health\":\"false\",\"reason\":\"" + reason.replace("\"", "\\\"") + "\"}");
    }

    private HttpResponse version() {
        String cluster = member.membership().clusterVersion();
        return json(200, "{\"etcdserver\":\"" + Version.ETCD + "\",\"etcdcluster\":\""
                + (cluster.isEmpty() ? "not_decided" : cluster) + "\",\"storage\":\"" + Version.CLUSTER + "\"}");
    }

    private static HttpResponse json(int status, String body) {
        return HttpResponse.of(status, "application/json", Bytes.utf8(body));
    }
}
