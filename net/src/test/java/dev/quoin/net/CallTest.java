package dev.quoin.net;

import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

import dev.quoin.base.Bytes;

import static org.assertj.core.api.Assertions.assertThat;

/** What a handler is told, and when. */
class CallTest {
    private final LinkedBlockingQueue<String> told = new LinkedBlockingQueue<>();
    private final List<AutoCloseable> open = new ArrayList<>();

    /** Writes down what it is told. */
    private class Recording implements Handler {
        @Override
        public void onOpen(Call call) {
            told.add("open");
        }

        @Override
        public void onMessage(Call call, Bytes message) {
            told.add("message " + message.length());
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

    private RawClient client(NetConfig config) throws Exception {
        NetServer server = NetServer.start(config);
        open.add(server);
        RawClient client = RawClient.open(new InetSocketAddress(InetAddress.getLoopbackAddress(), server.port()));
        open.add(client);
        return client;
    }

    private static NetConfig config(Method... methods) {
        return NetConfig.plain(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), Router.of(methods),
                TestService::http);
    }

    @AfterEach
    void close() throws Exception {
        for (AutoCloseable one : open.reversed()) {
            one.close();
        }
    }

    private static void call(RawClient client, int stream, String... more) throws Exception {
        List<String[]> fields = new ArrayList<>(
                List.of(new String[]{":method", "POST"}, new String[]{":scheme", "http"},
                        new String[]{":path", "/t.T/M"}, new String[]{":authority", "a"},
                        new String[]{"content-type", "application/grpc"}));
        for (int i = 0; i < more.length; i += 2) {
            fields.add(new String[]{more[i], more[i + 1]});
        }
        client.headers(stream, false, fields);
    }

    private String next() throws InterruptedException {
        return String.valueOf(told.poll(10, TimeUnit.SECONDS));
    }

    @Test
    void aResetEndsTheCallOnce() throws Exception {
        RawClient client = client(config(Method.stream("/t.T/M", Method.Kind.BIDI, new Recording())));
        call(client, 1);
        client.send(RawClient.DATA, 0, 1, RawClient.message(0, (byte) 1, (byte) 2));
        client.reset(1, 8);
        client.ping(1);
        client.await(f -> f.type() == RawClient.PING);
        assertThat(List.of(next(), next(), next())).containsExactly("open", "message 2", "end RESET");
        assertThat(told).isEmpty();
    }

    @Test
    void aLostConnectionEndsItsCalls() throws Exception {
        RawClient client = client(config(Method.stream("/t.T/M", Method.Kind.BIDI, new Recording())));
        call(client, 1);
        assertThat(next()).isEqualTo("open");
        client.close();
        assertThat(next()).isEqualTo("end CONNECTION_LOST");
    }

    @Test
    void aDeadlineEndsTheCallAndResetsTheStream() throws Exception {
        RawClient client = client(config(Method.stream("/t.T/M", Method.Kind.BIDI, new Recording())));
        call(client, 1, "grpc-timeout", "50m");
        assertThat(client.await(f -> f.stream() == 1).error()).isEqualTo("CANCEL");
        assertThat(List.of(next(), next())).containsExactly("open", "end DEADLINE");
    }

    @Test
    void withoutCreditAMessageWaitsAndSoDoesTheEnd() throws Exception {
        LinkedBlockingQueue<Call> calls = new LinkedBlockingQueue<>();
        Handler handler = new Recording() {
            @Override
            public void onOpen(Call call) {
                calls.add(call);
            }
        };
        NetLimits limits = NetLimits.defaults().change().messagesAheadMax(2).build();
        RawClient client = client(
                config(Method.stream("/t.T/M", Method.Kind.CLIENT_STREAMING, handler)).withLimits(limits));
        call(client, 1);
        for (int i = 1; i <= 3; i++) {
            client.send(RawClient.DATA, i == 3 ? RawClient.END_STREAM : 0, 1, RawClient.message(0, new byte[i]));
        }
        client.ping(1);
        client.await(f -> f.type() == RawClient.PING);
        assertThat(told).containsExactly("message 1", "message 2");
        calls.take().request(1);
        assertThat(List.of(next(), next(), next(), next())).containsExactly("message 1", "message 2", "message 3",
                "half-close");
    }

    /** A handler may ask for the next message from within the one before: no number of them is too deep for the stack. */
    @Test
    void manyMessagesThatWaitedAreToldOneAfterTheOther() throws Exception {
        int count = 12_000; // What the first window of a stream takes.
        LinkedBlockingQueue<Call> calls = new LinkedBlockingQueue<>();
        CountDownLatch all = new CountDownLatch(count);
        AtomicInteger depth = new AtomicInteger();
        Handler handler = new Recording() {
            @Override
            public void onOpen(Call call) {
                calls.add(call);
            }

            @Override
            public void onMessage(Call call, Bytes message) {
                assertThat(depth.incrementAndGet()).isEqualTo(1);
                all.countDown();
                if (all.getCount() < count - 1) {
                    call.request(1);
                }
                depth.decrementAndGet();
            }
        };
        NetLimits limits = NetLimits.defaults().change().messagesAheadMax(1).build();
        RawClient client = client(config(Method.stream("/t.T/M", Method.Kind.BIDI, handler)).withLimits(limits));
        call(client, 1);
        byte[] empty = RawClient.message(0);
        byte[] frame = new byte[3_000 * empty.length];
        for (int at = 0; at < frame.length; at += empty.length) {
            System.arraycopy(empty, 0, frame, at, empty.length);
        }
        for (int left = count; left > 0; left -= 3_000) {
            client.send(RawClient.DATA, 0, 1, Arrays.copyOf(frame, Math.min(left, 3_000) * empty.length));
        }
        client.send(RawClient.DATA, RawClient.END_STREAM, 1);
        client.ping(1);
        client.await(f -> f.type() == RawClient.PING);
        assertThat(all.getCount()).isEqualTo(count - 1);
        calls.take().request(1);
        assertThat(all.await(20, TimeUnit.SECONDS)).as("%d are left, and told was %s", all.getCount(), told).isTrue();
        assertThat(next()).isEqualTo("half-close");
    }

    @Test
    void hotMessagesOfOneReadAreHandedOverOnce() throws Exception {
        List<Call> gathered = new ArrayList<>();
        AtomicInteger turns = new AtomicInteger();
        Method hot = Method.hot("/t.T/M", Method.Kind.UNARY, (call, message) -> gathered.add(call));
        LoopTurn turn = loop -> {
            assertThat(loop.inLoop()).isTrue();
            turns.incrementAndGet();
            List<Call> batch = List.copyOf(gathered);
            gathered.clear();
            // Answered from another thread, which wakes the loop once.
            Thread.startVirtualThread(() -> batch.forEach(call -> call.finish(Bytes.utf8("x"))));
        };
        RawClient client = client(config(hot).withTurn(turn));
        java.io.ByteArrayOutputStream both = new java.io.ByteArrayOutputStream();
        List<String[]> fields = List.of(new String[]{":method", "POST"}, new String[]{":scheme", "http"},
                new String[]{":path", "/t.T/M"}, new String[]{":authority", "a"},
                new String[]{"content-type", "application/grpc"});
        for (int stream = 1; stream <= 39; stream += 2) {
            both.writeBytes(RawClient.frame(RawClient.HEADERS, RawClient.END_HEADERS, stream, RawClient.block(fields)));
            both.writeBytes(RawClient.frame(RawClient.DATA, RawClient.END_STREAM, stream, RawClient.message(0)));
        }
        client.ping(1);
        client.await(f -> f.type() == RawClient.PING);
        client.bytes(both.toByteArray());
        for (int stream = 1; stream <= 39; stream += 2) {
            int wanted = stream;
            if (client.seen.stream().noneMatch(f -> f.stream() == wanted && f.ends())) {
                client.await(f -> f.stream() == wanted && f.ends());
            }
        }
        assertThat(turns.get()).isBetween(1, 5);
    }

    @Test
    void aFullServerRefusesAtOnce() throws Exception {
        CountDownLatch release = new CountDownLatch(1);
        CountDownLatch begun = new CountDownLatch(1);
        Method slow = Method.virtual("/t.T/M", (call, request) -> {
            begun.countDown();
            release.await();
            return Bytes.EMPTY;
        });
        RawClient client = client(config(slow).withLimits(NetLimits.defaults().change().virtualCallsMax(1).build()));
        call(client, 1);
        client.send(RawClient.DATA, RawClient.END_STREAM, 1, RawClient.message(0));
        assertThat(begun.await(10, TimeUnit.SECONDS)).isTrue();
        call(client, 3);
        client.send(RawClient.DATA, RawClient.END_STREAM, 3, RawClient.message(0));
        assertThat(FrontTable.answer(client, 3)).isEqualTo("200 8 \"too many requests in work\"");
        release.countDown();
        assertThat(client.await(f -> f.stream() == 1 && f.ends()).field("grpc-status")).isEqualTo("0");
    }

    @Test
    void anExceptionSaysNothingAboutUs() throws Exception {
        Method hot = Method.hot("/t.T/M", Method.Kind.UNARY, (call, message) -> {
            throw new IllegalStateException("a secret");
        });
        RawClient client = client(config(hot));
        call(client, 1);
        client.send(RawClient.DATA, RawClient.END_STREAM, 1, RawClient.message(0));
        assertThat(FrontTable.answer(client, 1)).isEqualTo("200 13 \"internal error\"");
    }

    @Test
    void aLongAnswerInManyPiecesArrivesWhole() throws Exception {
        Bytes[] pieces = new Bytes[3000];
        java.util.zip.CRC32 sent = new java.util.zip.CRC32();
        java.util.Random random = new java.util.Random(7);
        int size = 0;
        for (int i = 0; i < pieces.length; i++) {
            byte[] piece = new byte[random.nextInt(i % 10 == 0 ? 9000 : 300)];
            random.nextBytes(piece);
            sent.update(piece);
            size += piece.length;
            pieces[i] = Bytes.of(piece);
        }
        RawClient client = client(config(
                Method.hot("/t.T/M", Method.Kind.UNARY, (call, message) -> call.finish(pieces))));
        call(client, 1);
        client.send(RawClient.DATA, RawClient.END_STREAM, 1, RawClient.message(0));
        client.await(f -> f.stream() == 1 && f.ends());
        java.io.ByteArrayOutputStream body = new java.io.ByteArrayOutputStream();
        client.seen.stream().filter(f -> f.type() == RawClient.DATA).forEach(f -> body.writeBytes(f.payload()));
        byte[] all = body.toByteArray();
        assertThat(all.length).isEqualTo(size + 5);
        assertThat(java.nio.ByteBuffer.wrap(all).getInt(1)).isEqualTo(size);
        java.util.zip.CRC32 received = new java.util.zip.CRC32();
        received.update(all, 5, size);
        assertThat(received.getValue()).isEqualTo(sent.getValue());
    }
}
