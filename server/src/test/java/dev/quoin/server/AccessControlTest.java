package dev.quoin.server;

import java.net.InetSocketAddress;
import java.util.Set;
import java.util.concurrent.atomic.AtomicBoolean;

import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

import dev.quoin.base.Bytes;
import dev.quoin.net.HttpFields;
import dev.quoin.net.HttpRequest;
import dev.quoin.net.HttpResponse;
import dev.quoin.net.Peer;

import static org.assertj.core.api.Assertions.assertThat;

/** Which hosts and which pages HTTP is served to. */
class AccessControlTest {
    private int misdirected;

    private static HttpResponse ask(AccessControl control, String method, boolean tls, String... headers)
            throws InterruptedException {
        return control.handle(new HttpRequest(method, "/health", null, HttpFields.of(headers), Bytes.EMPTY,
                new Peer(new InetSocketAddress(0), tls, null)));
    }

    private AccessControl control(Set<String> hosts, Set<String> origins) {
        return new AccessControl(request -> HttpResponse.text(404, "behind"), hosts, origins, () -> false,
                client -> misdirected++);
    }

    @Test
    void cve20185702OnlyHostsThatAreAllowedUnlessThereIsTls() throws InterruptedException {
        AccessControl control = control(Set.of("a", "::1"), Set.of("*"));
        assertThat(ask(control, "GET", false, "host", "a:1").status()).isEqualTo(404);
        assertThat(ask(control, "GET", false, "host", "a").status()).isEqualTo(404);
        assertThat(ask(control, "GET", false, "host", "[::1]:1").status()).isEqualTo(404);
        assertThat(ask(control, "GET", false, "host", "b:1").status()).isEqualTo(421);
        assertThat(ask(control, "GET", false).status()).isEqualTo(421);
        assertThat(misdirected).as("counted").isEqualTo(2);
        assertThat(ask(control, "GET", true, "host", "b:1").status()).isEqualTo(404);
        assertThat(ask(control(Set.of("*"), Set.of()), "GET", false, "host", "b").status()).isEqualTo(404);
        assertThat(ask(control(Set.of(), Set.of()), "GET", false, "host", "b").status()).isEqualTo(404);
    }

    @Test
    void cve20181098And1099PagesAreToldWhetherTheyMayRead() throws InterruptedException {
        AccessControl some = control(Set.of("*"), Set.of("http://a:1"));
        assertThat(ask(some, "GET", false, "origin", "http://a:1").headers().first("access-control-allow-origin"))
                .isEqualTo("http://a:1");
        assertThat(ask(some, "GET", false, "origin", "http://b:1").headers().first("access-control-allow-origin"))
                .isNull();
        HttpResponse all = ask(control(Set.of("*"), Set.of("*")), "OPTIONS", false, "origin", "http://b:1");
        assertThat(all.status()).isEqualTo(200);
        assertThat(all.headers().first("access-control-allow-origin")).isEqualTo("*");
        assertThat(all.headers().first("access-control-allow-methods")).isEqualTo("POST, GET, OPTIONS, PUT, DELETE");
    }

    private static HttpResponse askAs(AccessControl control, String path, @Nullable String name)
            throws InterruptedException {
        return control.handle(new HttpRequest("POST", path, null, HttpFields.EMPTY, Bytes.EMPTY,
                new Peer(new InetSocketAddress(0), true, name)));
    }

    /** As etcd does: who would be somebody else by gRPC must not think to be that here. */
    @Test
    void cve201816886ANameThatWouldCountElsewhereIsRefusedAtTheGateway() throws InterruptedException {
        AtomicBoolean namesCount = new AtomicBoolean(true);
        AccessControl control = new AccessControl(request -> HttpResponse.text(404, "behind"), Set.of("*"), Set.of("*"),
                namesCount::get, client -> misdirected++);
        HttpResponse refused = askAs(control, "/v3/kv/put", "alice");
        assertThat(refused.status()).isEqualTo(400);
        assertThat(((HttpResponse.Body.Whole) refused.body()).bytes().toUtf8()).isEqualTo(
                "CommonName of client sending a request against gateway will be ignored and not used as expected\n");
        assertThat(askAs(control, "/v3beta/kv/put", "alice").status()).isEqualTo(400);
        assertThat(askAs(control, "/v3/kv/put", null).status()).isEqualTo(404);
        assertThat(askAs(control, "/health", "alice").status()).isEqualTo(404);
        namesCount.set(false);
        assertThat(askAs(control, "/v3/kv/put", "alice").status()).isEqualTo(404);
    }
}
