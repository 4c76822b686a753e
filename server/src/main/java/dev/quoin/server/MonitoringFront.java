package dev.quoin.server;

import dev.quoin.net.HttpHandler;
import dev.quoin.net.HttpResponse;

/** What {@code --listen-metrics-urls} serves: of all HTTP paths those for machines that watch this one. */
final class MonitoringFront {
    private MonitoringFront() {}

    static HttpHandler before(HttpHandler all) {
        return request -> request.path().matches("/(metrics|health|livez(/.*)?|readyz(/.*)?)")
                ? all.handle(request)
                : HttpResponse.text(404, "404 page not found\n");
    }
}
