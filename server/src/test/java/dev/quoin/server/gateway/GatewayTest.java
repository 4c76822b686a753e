package dev.quoin.server.gateway;

import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;

import com.google.protobuf.ByteString;
import com.google.protobuf.InvalidProtocolBufferException;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

import dev.quoin.api.etcdserverpb.LeaseKeepAliveRequest;
import dev.quoin.api.etcdserverpb.LeaseKeepAliveResponse;
import dev.quoin.api.etcdserverpb.PutRequest;
import dev.quoin.api.etcdserverpb.PutResponse;
import dev.quoin.api.etcdserverpb.RangeRequest;
import dev.quoin.api.etcdserverpb.RangeResponse;
import dev.quoin.api.etcdserverpb.ResponseHeader;
import dev.quoin.api.etcdserverpb.WatchRequest;
import dev.quoin.api.etcdserverpb.WatchResponse;
import dev.quoin.api.mvccpb.KeyValue;
import dev.quoin.api.v3electionpb.LeaderRequest;
import dev.quoin.base.Bytes;
import dev.quoin.net.Call;
import dev.quoin.net.End;
import dev.quoin.net.Handler;
import dev.quoin.net.InnerCalls;
import dev.quoin.net.LongMessage;
import dev.quoin.net.Method;
import dev.quoin.net.NetConfig;
import dev.quoin.net.NetLimits;
import dev.quoin.net.NetMetrics;
import dev.quoin.net.NetServer;
import dev.quoin.net.Router;
import dev.quoin.net.Status;
import dev.quoin.net.StatusException;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

/** The gateway through real sockets, before methods that answer as they are asked. */
@Timeout(60)
class GatewayTest {
    private static final int MESSAGE_BYTES_MAX = 2_000;

    private final LinkedBlockingQueue<String> told = new LinkedBlockingQueue<>();
    private final HttpClient client = HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build();
    @SuppressWarnings("NullAway.Init")
    private InnerCalls calls;
    @SuppressWarnings("NullAway.Init")
    private NetServer server;
    private final AtomicInteger tooLarge = new AtomicInteger();

    @BeforeEach
    void start() throws IOException {
        Router router = Router.of(
                Method.hot("/etcdserverpb.KV/Put", Method.Kind.UNARY, this::put),
                Method.virtual("/etcdserverpb.KV/DeleteRange", (call, request) -> {
                    throw new StatusException(Status.Code.UNAUTHENTICATED, "say who you are");
                }),
                Method.hot("/etcdserverpb.KV/Range", Method.Kind.UNARY, this::range),
                Method.stream("/etcdserverpb.Watch/Watch", Method.Kind.BIDI, new Watch()),
                Method.stream("/etcdserverpb.Lease/LeaseKeepAlive", Method.Kind.BIDI, new KeepAlive()),
                Method.virtualStream("/v3electionpb.Election/Observe", this::observe));
        NetLimits limits = NetLimits.defaults().change().requestBytesMax(MESSAGE_BYTES_MAX).build();
        calls = new InnerCalls(router, limits, NetMetrics.NONE, null, 3);
        Gateway gateway = new Gateway(
                request -> dev.quoin.net.HttpResponse.text(200, "behind " + request.path()), calls, MESSAGE_BYTES_MAX,
                1 << 20, client -> tooLarge.incrementAndGet());
        server = NetServer.start(NetConfig.plain(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), router,
                gateway));
    }

    @AfterEach
    void stop() {
        client.close();
        server.close();
        calls.close();
    }

    // ---- what is called

    private void put(Call call, Bytes message) {
        told.add("token " + call.headers().text("authorization"));
        try {
            PutRequest request = PutRequest.parseFrom(message.toByteArray());
            call.finish(Bytes.of(PutResponse.newBuilder()
                    .setHeader(ResponseHeader.newBuilder().setRevision(request.getLease()))
                    .setPrevKv(KeyValue.newBuilder().setKey(request.getKey()).setValue(request.getValue())).build()
                    .toByteArray()));
        } catch (InvalidProtocolBufferException e) {
            call.finish(Status.of(Status.Code.INTERNAL, "unreadable"));
        }
    }

    /** As many KeyValues of 1,000 bytes as the limit says, one by one; behind so many as the revision says it breaks off. */
    private void range(Call call, Bytes message) {
        Thread.ofVirtual().start(() -> {
            try {
                RangeRequest request = RangeRequest.parseFrom(message.toByteArray());
                byte[] one = RangeResponse.newBuilder()
                        .addKvs(KeyValue.newBuilder().setValue(ByteString.copyFrom(new byte[1_000]))).build()
                        .toByteArray();
                call.send(new LongMessage() {
                    @Override
                    public long length() {
                        return one.length * request.getLimit();
                    }

                    @Override
                    public void writeTo(Sink sink) throws StatusException {
                        for (long i = 0; i < request.getLimit(); i++) {
                            if (request.getRevision() != 0 && i == request.getRevision()) {
                                throw new StatusException(Status.Code.DATA_LOSS, "it is lost");
                            }
                            if (!sink.write(one, 0, one.length)) {
                                return;
                            }
                        }
                    }
                });
                call.finish(Status.OK);
            } catch (StatusException ended) {
                call.finish(ended.status());
            } catch (InvalidProtocolBufferException e) {
                call.finish(Status.of(Status.Code.INTERNAL, "unreadable"));
            }
        });
    }

    /** Answers creations; a cancellation of watch 1 is an error. Tells of its end. */
    private final class Watch implements Handler {
        @Override
        public void onOpen(Call call) {
            told.add("open");
        }

        @Override
        public void onMessage(Call call, Bytes message) {
            try {
                WatchRequest request = WatchRequest.parseFrom(message.toByteArray());
                if (request.hasCancelRequest()) {
                    call.finish(Status.of(Status.Code.OUT_OF_RANGE, "<no> & such"));
                    return;
                }
                call.send(Bytes.of(WatchResponse.newBuilder().setCreated(true)
                        .setWatchId(request.getCreateRequest().getWatchId())
                        .setCancelReason("x".repeat((int) request.getCreateRequest().getStartRevision())).build()
                        .toByteArray()));
                call.request(1);
            } catch (InvalidProtocolBufferException e) {
                call.finish(Status.of(Status.Code.INTERNAL, "unreadable"));
            }
        }

        @Override
        public void onHalfClose(Call call) {
            told.add("half-close");
        }

        @Override
        public void onEnd(Call call, End why) {
            told.add("end " + why);
        }
    }

    private static final class KeepAlive implements Handler {
        @Override
        public void onMessage(Call call, Bytes message) {
            try {
                long id = LeaseKeepAliveRequest.parseFrom(message.toByteArray()).getID();
                call.send(Bytes.of(LeaseKeepAliveResponse.newBuilder().setID(id).setTTL(9).build().toByteArray()));
            } catch (InvalidProtocolBufferException e) {
                call.finish(Status.of(Status.Code.INTERNAL, "unreadable"));
            }
            call.request(1);
        }

        @Override
        public void onHalfClose(Call call) {
            call.finish(Status.OK);
        }
    }

    private void observe(Call call, Bytes message) throws StatusException {
        try {
            String name = LeaderRequest.parseFrom(message.toByteArray()).getName().toStringUtf8();
            if (name.isEmpty()) {
                throw new StatusException(Status.Code.UNAVAILABLE, "nobody");
            }
            call.send(Bytes.EMPTY);
        } catch (InvalidProtocolBufferException e) {
            throw new StatusException(Status.Code.INTERNAL, "unreadable");
        }
    }

    // ---- how it is asked

    private java.net.http.HttpResponse<String> ask(String method, String path, String body, String... headers)
            throws Exception {
        HttpRequest.Builder request = HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + server.port() + path))
                .method(method, HttpRequest.BodyPublishers.ofString(body));
        for (int i = 0; i < headers.length; i += 2) {
            request.header(headers[i], headers[i + 1]);
        }
        return client.send(request.build(), java.net.http.HttpResponse.BodyHandlers.ofString());
    }

    private void answers(String path, String body, int status, String answer) throws Exception {
        java.net.http.HttpResponse<String> response = ask("POST", path, body);
        assertThat(response.body()).isEqualTo(answer);
        assertThat(response.statusCode()).isEqualTo(status);
    }

    private Socket open(String path, String more) throws IOException {
        Socket socket = new Socket(InetAddress.getLoopbackAddress(), server.port());
        socket.setSoTimeout(20_000);
        write(socket, "POST " + path + " HTTP/1.1\r\nHost: a\r\n" + more + "\r\n\r\n");
        return socket;
    }

    private static void write(Socket socket, String text) throws IOException {
        socket.getOutputStream().write(text.getBytes(StandardCharsets.US_ASCII));
    }

    private static void chunk(Socket socket, String text) throws IOException {
        write(socket, Integer.toHexString(text.length()) + "\r\n" + text + "\r\n");
    }

    private static String untilText(Socket socket, String end) throws IOException {
        StringBuilder read = new StringBuilder();
        while (read.indexOf(end) < 0) {
            int next = socket.getInputStream().read();
            if (next < 0) {
                return read + " (closed)";
            }
            read.append((char) next);
        }
        return read.toString();
    }

    private String told() throws InterruptedException {
        return String.valueOf(told.poll(20, TimeUnit.SECONDS));
    }

    // ---- once

    @Test
    void aMessageIsAnswered() throws Exception {
        java.net.http.HttpResponse<String> response = ask("POST", "/v3/kv/put",
                "{\"key\":\"YQ\",\"value\":\"Yg\",\"lease\":\"7\",\"new\":1} and what follows", "Authorization",
                "mine");
        assertThat(response.statusCode()).isEqualTo(200);
        assertThat(response.body())
                .isEqualTo("{\"header\":{\"revision\":\"7\"},\"prev_kv\":{\"key\":\"YQ==\",\"value\":\"Yg==\"}}");
        assertThat(response.headers().allValues("content-type")).containsExactly("application/json");
        assertThat(response.headers().allValues("grpc-metadata-content-type")).containsExactly("application/grpc");
        assertThat(told()).isEqualTo("token mine");
        answers("/v3beta/kv/put", "", 200, "{\"header\":{},\"prev_kv\":{}}");
        answers("/v3/kv/put", " \n", 200, "{\"header\":{},\"prev_kv\":{}}");
    }

    @Test
    void whatIsWrongHasACodeAndAText() throws Exception {
        answers("/v3/kv/put", "{\"key\":1}", 400,
                "{\"code\":3,\"message\":\"proto: (line 1:8): invalid value for bytes field key: 1\"}");
        answers("/v3/kv/put", "{", 400, "{\"code\":3,\"message\":\"unexpected EOF\"}");
        answers("/v3/none", "{}", 404, "{\"code\":5,\"message\":\"Not Found\"}");
        answers("/v3/auth/enable", "{}", 501, "{\"code\":12,\"message\":\"unknown service etcdserverpb.Auth\"}");
        answers("/v3/kv/put", "{\"value\":\"" + "A".repeat(2_800) + "\"}", 429, "{\"code\":8,\"message\":"
                + "\"grpc: received message larger than max (2103 vs. 2000)\"}");
        answers("/v3/kv/put", "{\"value\":\"" + "A".repeat(5_000) + "\"}", 429, "{\"code\":8,\"message\":"
                + "\"a JSON document is larger than max (4000)\"}");
        assertThat(tooLarge).as("of documents: messages are counted where they are refused").hasValue(1);
        try (Socket socket = open("/v3/kv/put", "Content-Length: 4001")) {
            assertThat(untilText(socket, "}")).as("before any of it has come").startsWith("HTTP/1.1 429")
                    .endsWith("a JSON document is larger than max (4000)\"}");
        }
        assertThat(tooLarge).hasValue(2);
        java.net.http.HttpResponse<String> unknown = ask("POST", "/v3/kv/deleterange", "{}");
        assertThat(unknown.statusCode()).isEqualTo(401);
        assertThat(unknown.headers().firstValue("www-authenticate")).hasValue("say who you are");
        assertThat(unknown.headers().firstValue("grpc-metadata-content-type")).isEmpty();
        for (String method : List.of("GET", "PUT", "DELETE", "PATCH")) {
            java.net.http.HttpResponse<String> not = ask(method, "/v3/kv/put", "");
            assertThat(not.body()).isEqualTo("{\"code\":12,\"message\":\"Method Not Allowed\"}");
            assertThat(not.statusCode()).isEqualTo(501);
        }
        assertThat(ask("GET", "/version", "").body()).isEqualTo("behind /version");
    }

    @Test
    void everyCodeHasItsHttpStatus() {
        assertThat(List.of(Status.Code.values()).stream().map(Gateway::httpStatus)).containsExactly(200, 499, 500, 400,
                504,
                404, 409, 403, 429, 400, 409, 400, 501, 500, 503, 500, 401);
    }

    @Test
    void aLongAnswerComesInPiecesAndOneThatBreaksOffIsNeverWhole() throws Exception {
        assertThat(ask("POST", "/v3/kv/range", "{\"limit\":2}").body()).hasSize(8 + 2 * 1_348 + 1 + 2);
        String large = ask("POST", "/v3/kv/range", "{\"limit\":5000}").body();
        assertThat(large).hasSize(8 + 5_000 * 1_348 + 4_999 + 2).startsWith("{\"kvs\":[{").endsWith("}]}");
        answers("/v3/kv/range", "{\"limit\":20,\"revision\":10}", 500, "{\"code\":15,\"message\":\"it is lost\"}");
        assertThatThrownBy(() -> ask("POST", "/v3/kv/range", "{\"limit\":5000,\"revision\":\"4990\"}"))
                .isInstanceOf(IOException.class);
    }

    // ---- as a stream

    @Test
    void aWatchGoesOnWhenItsBodyIsOverAndEndsWithItsClient() throws Exception {
        String create = "{\"create_request\":{\"watch_id\":\"7\"}}";
        try (Socket socket = open("/v3/watch", "Content-Length: " + create.length())) {
            write(socket, create);
            assertThat(untilText(socket, "}}\n")).startsWith("HTTP/1.1 200").contains("Transfer-Encoding: chunked",
                    "Content-Type: application/json", "Grpc-Metadata-Content-Type: application/grpc")
                    .endsWith("{\"result\":{\"watch_id\":\"7\",\"created\":true}}\n");
            assertThat(List.of(told(), told())).containsExactly("open", "half-close");
            TimeUnit.MILLISECONDS.sleep(200);
            assertThat(told).isEmpty();
        }
        assertThat(told()).isEqualTo("end RESET");
    }

    @Test
    void aWatchIsAskedMoreWhileItAnswers() throws Exception {
        try (Socket socket = open("/v3/watch", "Transfer-Encoding: chunked")) {
            chunk(socket, "{\"create_request\":{\"watch_id\":1}}{\"create_request\"");
            assertThat(untilText(socket, "}}\n")).endsWith("\"1\",\"created\":true}}\n");
            chunk(socket, ":{\"watch_id\":2}}\n");
            assertThat(untilText(socket, "}}\n")).endsWith("\"2\",\"created\":true}}\n");
            chunk(socket, "{\"cancel_request\":{}}");
            assertThat(untilText(socket, "}}\n"))
                    .endsWith("{\"error\":{\"code\":11,\"message\":\"\\u003cno\\u003e \\u0026 such\"}}\n");
            assertThat(untilText(socket, "never")).contains("0\r\n\r\n").endsWith("(closed)");
        }
        assertThat(List.of(told(), told())).containsExactly("open", "end FINISHED");
    }

    /** There are clients that take a chunk for a line. */
    @Test
    void aLineIsOneChunk() throws Exception {
        String create = "{\"create_request\":{\"start_revision\":\"1000000\"}}";
        try (Socket socket = open("/v3/watch", "Content-Length: " + create.length())) {
            write(socket, create);
            String line = "{\"result\":{\"created\":true,\"cancel_reason\":\"" + "x".repeat(1_000_000) + "\"}}\n";
            assertThat(untilText(socket, "\r\n\r\n")).contains("chunked");
            assertThat(untilText(socket, "\r\n")).isEqualTo(Integer.toHexString(line.length()) + "\r\n");
            assertThat(socket.getInputStream().readNBytes(line.length()))
                    .isEqualTo(line.getBytes(StandardCharsets.US_ASCII));
        }
    }

    @Test
    void anErrorBeforeTheFirstMessageIsTheHttpStatusAndALine() throws Exception {
        answers("/v3/watch", "{\"cancel_request\":{}}", 400,
                "{\"error\":{\"code\":11,\"message\":\"\\u003cno\\u003e \\u0026 such\"}}\n");
        answers("/v3/election/observe", "{}", 503, "{\"error\":{\"code\":14,\"message\":\"nobody\"}}\n");
        answers("/v3/election/observe", "{\"name\":\"YQ\"}", 200, "{\"result\":{}}\n");
        answers("/v3/election/observe", "{\"name\":2}", 400,
                "{\"code\":3,\"message\":\"proto: (line 1:9): invalid value for bytes field name: 2\"}");
        answers("/v3/maintenance/snapshot", "{}", 501,
                "{\"error\":{\"code\":12,\"message\":\"unknown service etcdserverpb.Maintenance\"}}\n");
    }

    @Test
    void keepAliveAnswersEachAndEndsWithTheBodyOrWithWhatIsNoJson() throws Exception {
        answers("/v3/lease/keepalive", "{\"ID\":1}{\"ID\":\"2\"}\n", 200,
                "{\"result\":{\"ID\":\"1\",\"TTL\":\"9\"}}\n{\"result\":{\"ID\":\"2\",\"TTL\":\"9\"}}\n");
        answers("/v3/lease/keepalive", "", 200, "");
        answers("/v3/lease/keepalive", "{\"ID\":1}oops{\"ID\":2}", 200, "{\"result\":{\"ID\":\"1\",\"TTL\":\"9\"}}\n");
        answers("/v3/lease/keepalive", "{\"ID\":\"one\"}", 200, "");
    }

    @Test
    void callsThatAreOpenAreBounded() throws Exception {
        String create = "{\"create_request\":{}}";
        try (Socket first = open("/v3/watch", "Content-Length: 21");
                Socket second = open("/v3/watch", "Content-Length: 21");
                Socket third = open("/v3/watch", "Content-Length: 21")) {
            for (Socket socket : List.of(first, second, third)) {
                write(socket, create);
                untilText(socket, "}}\n");
            }
            answers("/v3/kv/put", "{}", 429, "{\"code\":8,\"message\":\"too many requests in work\"}");
        }
        told.clear();
        for (int tries = 0; ask("POST", "/v3/kv/put", "{}").statusCode() != 200; tries++) {
            assertThat(tries).isLessThan(200);
            TimeUnit.MILLISECONDS.sleep(50);
        }
    }

    @Test
    void aDeadlineIsKept() throws Exception {
        java.net.http.HttpResponse<String> late = ask("POST", "/v3/watch", "", "Grpc-Timeout", "50m");
        assertThat(late.statusCode()).isEqualTo(504);
        assertThat(late.body()).isEqualTo("{\"error\":{\"code\":4,\"message\":\"context deadline exceeded\"}}\n");
        assertThat(ask("POST", "/v3/watch", "", "Grpc-Timeout", "soon").body())
                .isEqualTo("{\"code\":3,\"message\":\"invalid grpc-timeout: soon\"}");
    }
}
