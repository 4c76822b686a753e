package dev.quoin.net;

/**
 * Serves everything that is not gRPC, on HTTP/1.1 and HTTP/2 alike. Runs on a virtual thread of its own and may block;
 * how many run at once is bounded ({@link NetLimits#httpRequestsMax}, then 503). An exception becomes a bare 500 and a
 * line in the log.
 */
@FunctionalInterface
public interface HttpHandler {
    HttpResponse handle(HttpRequest request) throws InterruptedException;

    /**
     * Whether such a request is handled as soon as its head is there, by {@link #handleStreamed}. Called on a loop.
     */
    default boolean streams(String method, String path) {
        return false;
    }

    /**
     * Serves a request whose body may still be on its way. One that is answered before it has been read costs the client
     * its connection, on HTTP/1.1.
     *
     * @param head the request, without its body
     */
    default HttpResponse handleStreamed(HttpRequest head, HttpBody body) throws InterruptedException {
        throw new IllegalStateException("nothing is streamed to this handler: " + head.path());
    }
}
