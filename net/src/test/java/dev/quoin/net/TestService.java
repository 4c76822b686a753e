package dev.quoin.net;

import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.Optional;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;

import org.jspecify.annotations.Nullable;

import dev.quoin.base.Bytes;
import dev.quoin.base.ProtoReader;

/**
 * grpc.testing.TestService, the service that gRPC's interop clients ask, on {@code net}: between its methods it uses every
 * kind and mode. Run by hand: {@code TestService PORT}.
 */
final class TestService {
    private static final String SERVICE = "/grpc.testing.TestService/";

    private TestService() {}

    static Router router() {
        return Router.of(
                Method.virtual(SERVICE + "EmptyCall", (call, request) -> Bytes.EMPTY),
                Method.hot(SERVICE + "UnaryCall", Method.Kind.UNARY, TestService::unary),
                Method.virtual(SERVICE + "CacheableUnaryCall", (call, request) -> Bytes.EMPTY),
                Method.virtualStream(SERVICE + "StreamingOutputCall", TestService::streamingOutput),
                Method.stream(SERVICE + "StreamingInputCall", Method.Kind.CLIENT_STREAMING, new StreamingInput()),
                Method.stream(SERVICE + "FullDuplexCall", Method.Kind.BIDI, new Duplex()),
                Method.stream(SERVICE + "HalfDuplexCall", Method.Kind.BIDI, new Duplex()));
    }

    static HttpResponse http(HttpRequest request) {
        return switch (request.path()) {
            case "/echo" -> HttpResponse.of(200, "application/octet-stream", request.body());
            case "/stream" -> HttpResponse.streamed(200, "text/plain", sink -> {
                for (int i = 0; i < 3; i++) {
                    sink.send(Bytes.utf8("piece " + i + "\n"));
                }
            });
            case "/fault" -> throw new IllegalStateException("a secret");
            default -> HttpResponse.text(404, "404 page not found\n");
        };
    }

    static NetConfig config(NetLimits limits) {
        return NetConfig.plain(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), router(), TestService::http)
                .withLimits(limits);
    }

    static NetServer start() throws IOException {
        return NetServer.start(config(NetLimits.defaults().change().streamsPerConnectionMax(1000).build()));
    }

    public static void main(String[] args) throws Exception {
        InetSocketAddress address = new InetSocketAddress(InetAddress.getLoopbackAddress(), Integer.parseInt(args[0]));
        NetLimits limits = NetLimits.defaults().change().streamsPerConnectionMax(1000).build();
        NetServer server = NetServer.start(NetConfig.plain(address, router(), TestService::http).withLimits(limits));
        System.out.println("listening on " + server.port());
        Thread.currentThread().join();
    }

    // ---- metadata, echoed ----

    private static Metadata initial(Call call) {
        String echo = call.headers().text("x-grpc-test-echo-initial");
        return echo == null ? Metadata.EMPTY : Metadata.of("x-grpc-test-echo-initial", echo);
    }

    private static Metadata trailing(Call call) {
        Bytes echo = call.headers().bytes("x-grpc-test-echo-trailing-bin");
        return echo == null ? Metadata.EMPTY
                : Metadata.builder().add("x-grpc-test-echo-trailing-bin", echo).build();
    }

    // ---- the methods ----

    private static void unary(Call call, Bytes message) {
        TestMessages.Request request;
        try {
            request = TestMessages.Request.simple(message);
        } catch (ProtoReader.Malformed e) {
            call.finish(Status.of(Status.Code.INTERNAL, "grpc: error unmarshalling request: " + e.getMessage()));
            return;
        }
        call.headers(initial(call));
        Status wanted = request.responseStatus();
        if (wanted != null && !wanted.isOk()) {
            call.finish(wanted, trailing(call));
            return;
        }
        call.send(TestMessages.payload(request.responseSize()));
        call.finish(Status.OK, trailing(call));
    }

    private static void streamingOutput(Call call, Bytes message) throws InterruptedException {
        call.headers(initial(call));
        Status status = outputs(call, message);
        call.finish(status == null ? Status.OK : status, trailing(call));
    }

    /** Sends what a request asks for; the status it asks for, or null. */
    private static @Nullable Status outputs(Call call, Bytes message) throws InterruptedException {
        TestMessages.Request request = TestMessages.Request.streaming(message);
        for (TestMessages.Output output : request.outputs()) {
            TimeUnit.MICROSECONDS.sleep(output.intervalMicros());
            if (!call.awaitWritable()) {
                break;
            }
            call.send(TestMessages.payload(output.size()));
        }
        return request.responseStatus();
    }

    private static final class StreamingInput implements Handler {
        @Override
        public void onOpen(Call call) {
            call.attach(0);
        }

        @Override
        public void onMessage(Call call, Bytes message) {
            call.attach(total(call) + TestMessages.inputSize(message));
            call.request(1);
        }

        @Override
        public void onHalfClose(Call call) {
            call.headers(initial(call));
            call.send(TestMessages.aggregated(total(call)));
            call.finish(Status.OK, trailing(call));
        }

        private static int total(Call call) {
            return call.attachment() instanceof Integer total ? total : 0;
        }
    }

    /** Each request is answered by a thread of its call, in order; credit is given when it has been. */
    private static final class Duplex implements Handler {

        @Override
        public void onOpen(Call call) {
            if (!initial(call).isEmpty()) {
                call.headers(initial(call));
            }
            LinkedBlockingQueue<Optional<Bytes>> requests = new LinkedBlockingQueue<>();
            call.attach(requests);
            Thread.startVirtualThread(() -> answer(call, requests));
        }

        private static void answer(Call call, LinkedBlockingQueue<Optional<Bytes>> requests) {
            try {
                while (true) {
                    Optional<Bytes> message = requests.take();
                    if (message.isEmpty()) {
                        call.finish(Status.OK, trailing(call));
                        return;
                    }
                    Status status = outputs(call, message.get());
                    if (status != null && !status.isOk()) {
                        call.finish(status, trailing(call));
                        return;
                    }
                    call.request(1);
                }
            } catch (InterruptedException e) {
                call.finish(Status.of(Status.Code.CANCELLED, "interrupted"));
            } catch (ProtoReader.Malformed e) {
                call.finish(Status.of(Status.Code.INTERNAL,
                        "grpc: failed to unmarshal the received message: " + e.getMessage()));
            }
        }

        @SuppressWarnings("unchecked")
        private static void add(Call call, Optional<Bytes> message) {
            if (call.attachment() instanceof LinkedBlockingQueue<?> queue) {
                ((LinkedBlockingQueue<Optional<Bytes>>) queue).add(message);
            }
        }

        @Override
        public void onMessage(Call call, Bytes message) {
            add(call, Optional.of(message));
        }

        @Override
        public void onHalfClose(Call call) {
            add(call, Optional.empty());
        }

        @Override
        public void onEnd(Call call, End why) {
            add(call, Optional.empty());
        }
    }
}
