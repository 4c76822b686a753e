package dev.quoin.server;

import dev.quoin.base.Bytes;
import dev.quoin.member.Member;
import dev.quoin.member.Membership;
import dev.quoin.net.HttpFields;
import dev.quoin.net.HttpHandler;
import dev.quoin.net.HttpRequest;
import dev.quoin.net.HttpResponse;
import dev.quoin.server.health.HealthFront;

/** What the client port answers over plain HTTP: what {@link HealthFront} does, and {@code /version}, as etcd words it. */
final class HttpFront implements HttpHandler {
    private final Member member;
    private final HealthFront health;

    HttpFront(Member member, HealthFront health) {
        this.member = member;
        this.health = health;
    }

    @Override
    public HttpResponse handle(HttpRequest request) throws InterruptedException {
        if (health.serves(request.path())) {
            return health.handle(request);
        }
        return switch (request.path()) {
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

    private HttpResponse version() {
        Membership membership = member.membership();
        String cluster = membership.clusterVersion();
        return json(200, "{\"etcdserver\":\"" + Version.ETCD + "\",\"etcdcluster\":\""
                + (cluster.isEmpty() ? "not_decided" : cluster) + "\",\"storage\":\"" + membership.storageVersion()
                + "\"}");
    }

    private static HttpResponse json(int status, String body) {
        return HttpResponse.of(status, "application/json", Bytes.utf8(body));
    }
}
