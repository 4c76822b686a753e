package dev.quoin.net;

/**
 * Serves everything that is not gRPC, on HTTP/1.1 and HTTP/2 alike. Runs on a virtual thread of its own and may block;
 * how many run at once is bounded ({@link NetLimits#httpRequestsMax}, then 503). An exception becomes a bare 500 and a
 * line in the log.
 */
@FunctionalInterface
public interface HttpHandler {
    HttpResponse handle(HttpRequest request) throws InterruptedException;
}
