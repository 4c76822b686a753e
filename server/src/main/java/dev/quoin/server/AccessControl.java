package dev.quoin.server;

import java.util.Objects;
import java.util.Set;
import java.util.function.BooleanSupplier;

import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

import dev.quoin.base.Bytes;
import dev.quoin.net.HttpBody;
import dev.quoin.net.HttpFields;
import dev.quoin.net.HttpHandler;
import dev.quoin.net.HttpRequest;
import dev.quoin.net.HttpResponse;
import dev.quoin.server.metrics.LimitMet;

/**
 * What stands before the HTTP paths of the client port (embed/serve.go): a request without TLS is served only under a host
 * name that is allowed, so that no page in a browser reaches a server on localhost through a name of its own
 * (CVE-2018-5702); who shows a certificate whose name would count by gRPC is told that it does not count here; and pages are
 * told whether they may read the answer.
 */
final class AccessControl implements HttpHandler {
    private static final Logger LOG = LoggerFactory.getLogger(AccessControl.class);
    private static final String ALL = "*";
    private static final String GATEWAY = "/v3/";
    private static final String OLD_GATEWAY = "/v3beta/";
    private static final HttpResponse NAME_IGNORED = HttpResponse.text(400,
            "CommonName of client sending a request against"
                    + " gateway will be ignored and not used as expected\n");

    private final HttpHandler behind;
    private final Set<String> hosts;
    private final Set<String> origins;
    private final BooleanSupplier namesCount;
    private final LimitMet misdirected;

    /**
     * @param hosts allowed names; none, or {@code *} among them, is all
     * @param origins of pages, in the same way
     * @param namesCount whether the name in a client's certificate says at the moment who makes a gRPC call
     * @param misdirected told who named a host that is not allowed
     */
    AccessControl(HttpHandler behind, Set<String> hosts, Set<String> origins, BooleanSupplier namesCount,
            LimitMet misdirected) {
        this.behind = behind;
        this.hosts = Set.copyOf(hosts);
        this.origins = Set.copyOf(origins);
        this.namesCount = namesCount;
        this.misdirected = misdirected;
    }

    private static boolean allows(Set<String> allowed, String name) {
        return allowed.isEmpty() || allowed.contains(ALL) || allowed.contains(name);
    }

    @Override
    public HttpResponse handle(HttpRequest request) throws InterruptedException {
        HttpResponse refusal = refusal(request);
        if (refusal != null) {
            return refusal;
        }
        return withOrigin(request, isOptions(request) ? ok() : behind.handle(request));
    }

    private @Nullable HttpResponse refusal(HttpRequest request) {
        if (!request.peer().tls()) {
            return allows(hosts, host(request)) ? null : misdirected(request);
        }
        String name = request.peer().commonName();
        boolean isByGateway = request.path().startsWith(GATEWAY) || request.path().startsWith(OLD_GATEWAY);
        return isByGateway && name != null && !name.isEmpty() && namesCount.getAsBoolean() ? NAME_IGNORED : null;
    }

    private HttpResponse misdirected(HttpRequest request) {
        String host = host(request);
        misdirected.by(request.peer().address());
        LOG.atWarn().addKeyValue("host", host).log("rejecting HTTP request to prevent DNS rebinding attacks");
        return HttpResponse.text(421, """

                Quoin received your request, but its Host header names a host that is not allowed.
                Use TLS, or add the host: --host-whitelist "%s". See CVE-2018-5702.
                """.formatted(host));
    }

    private static boolean isOptions(HttpRequest request) {
        return request.method().equals("OPTIONS");
    }

    private static HttpResponse ok() {
        return new HttpResponse(200, HttpFields.EMPTY, new HttpResponse.Body.Whole(Bytes.EMPTY));
    }

    /** Without its port. */
    private static String host(HttpRequest request) {
        String host = Objects.requireNonNullElse(request.headers().first("host"), "");
        int colon = host.lastIndexOf(':');
        if (colon < 0 || host.endsWith("]")) {
            return host;
        }
        String name = host.substring(0, colon);
        return name.startsWith("[") && name.endsWith("]") ? name.substring(1, name.length() - 1) : name;
    }

    private HttpResponse withOrigin(HttpRequest request, HttpResponse answer) {
        String origin = Objects.requireNonNullElse(request.headers().first("origin"), "");
        if (!allows(origins, origin)) {
            return answer;
        }
        HttpFields headers = answer.headers()
                .with("access-control-allow-methods", "POST, GET, OPTIONS, PUT, DELETE")
                .with("access-control-allow-origin", allows(origins, ALL) ? ALL : origin)
                .with("access-control-allow-headers", "accept, content-type, authorization");
        return new HttpResponse(answer.status(), headers, answer.body());
    }

    @Override
    public boolean streams(String method, String path) {
        return behind.streams(method, path);
    }

    @Override
    public HttpResponse handleStreamed(HttpRequest head, HttpBody body) throws InterruptedException {
        HttpResponse refusal = refusal(head);
        if (refusal != null) {
            return refusal;
        }
        return withOrigin(head, isOptions(head) ? ok() : behind.handleStreamed(head, body));
    }
}
