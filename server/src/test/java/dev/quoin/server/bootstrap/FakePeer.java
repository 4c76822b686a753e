package dev.quoin.server.bootstrap;

import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;

/** A member's peer port, as far as a start asks it; answers what it was told to. */
final class FakePeer implements AutoCloseable {
    final List<String> asked = new CopyOnWriteArrayList<>();
    private final HttpServer server;
    private final Map<String, String> answers = new ConcurrentHashMap<>();
    private volatile String clusterId = "";

    FakePeer() throws IOException {
        server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        server.createContext("/", this::answer);
        server.start();
    }

    private void answer(HttpExchange exchange) throws IOException {
        String path = exchange.getRequestURI().getPath();
        asked.add(path);
        String answer = answers.get(path);
        byte[] body = (answer == null ? "404 page not found" : answer).getBytes(StandardCharsets.UTF_8);
        exchange.getResponseHeaders().set("X-Etcd-Cluster-ID", clusterId);
        exchange.sendResponseHeaders(answer == null ? 404 : 200, body.length);
        exchange.getResponseBody().write(body);
        exchange.close();
    }

    String url() {
        return "http://127.0.0.1:" + server.getAddress().getPort();
    }

    FakePeer answers(String path, String body) {
        answers.put(path, body);
        return this;
    }

    FakePeer isOf(String cluster) {
        clusterId = cluster;
        return this;
    }

    @Override
    public void close() {
        server.stop(0);
    }
}
