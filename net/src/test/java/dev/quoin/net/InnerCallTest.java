package dev.quoin.net;

import java.io.IOException;
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
import org.junit.jupiter.api.Timeout;

import dev.quoin.base.Bytes;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

/** Calls from inside the process: the same handlers, the same rules. */
@Timeout(30)
class InnerCallTest {
    private static final Peer PEER = new Peer(new InetSocketAddress(0), false, null);
    private static final String SERVICE = "/test.Service/";

    private final AtomicInteger turns = new AtomicInteger();
    private final LinkedBlockingQueue<End> ends = new LinkedBlockingQueue<>();
    private final LinkedBlockingQueue<String> told = new LinkedBlockingQueue<>();
    private final CountDownLatch mayGoOn = new CountDownLatch(1);
    private final NetLimits limits = NetLimits.defaults().change().requestBytesMax(1_000).owedBytesPerStreamMax(10_000)
            .messagesAheadMax(4).partBytes(1_000).build();
    private final InnerCalls calls = new InnerCalls(router(), limits, NetMetrics.NONE,
            loop -> turns.incrementAndGet(), 2);

    @AfterEach
    void stop() {
        calls.close();
    }

    private Router router() {
        return Router.of(
                Method.hot(SERVICE + "Hot", Method.Kind.UNARY, (call, message) -> call.finish(message, message)),
                Method.virtual(SERVICE + "Virtual", (call, message) -> {
                    String name = call.headers().text("name");
                    if (name == null) {
                        throw new StatusException(Status.Code.NOT_FOUND, "no name");
                    }
                    return Bytes.utf8(name);
                }),
                Method.virtualStream(SERVICE + "Long", this::longOnes),
                Method.virtualStream(SERVICE + "Fault", (call, message) -> {
                    throw new IllegalStateException("a secret");
                }),
                Method.stream(SERVICE + "Bidi", Method.Kind.BIDI, new Echo()));
    }

    /** Sends as many messages as the request has bytes, of 100,000 bytes each; the second one breaks off. */
    private void longOnes(Call call, Bytes request) throws StatusException, InterruptedException {
        for (int number = 1; number <= request.length(); number++) {
            boolean breaks = number == 2;
            boolean sent = call.send(new LongMessage() {
                @Override
                public long length() {
                    return 100_000;
                }

                @Override
                public void writeTo(Sink sink) throws StatusException {
                    for (int at = 0; at < 100; at++) {
                        if (breaks && at == 50) {
                            throw new StatusException(Status.Code.DATA_LOSS, "half of it");
                        }
                        if (!sink.write(new byte[1_000], 0, 1_000)) {
                            return;
                        }
                    }
                }
            });
            told.add("sent " + sent);
        }
    }

    /** Answers each message with itself, of which it takes more when it may; ends with the client. */
    private final class Echo implements Handler {
        @Override
        public void onMessage(Call call, Bytes message) {
            told.add("message " + message.length());
            call.send(message);
            if (mayGoOn.getCount() == 0) {
                call.request(1);
            }
        }

        @Override
        public void onHalfClose(Call call) {
            call.finish(Status.OK);
        }

        @Override
        public void onWritable(Call call) {
            told.add("room");
        }

        @Override
        public void onEnd(Call call, End why) {
            ends.add(why);
        }
    }

    private InnerCall open(String name, Metadata headers) {
        return calls.open(SERVICE + name, headers, PEER, Call.NO_DEADLINE);
    }

    private static byte[] content(InnerCall.Received received) throws IOException {
        return ((InnerCall.Received.Message) received).content().readAllBytes();
    }

    private static Status status(InnerCall.Received received) {
        return ((InnerCall.Received.Ended) received).status();
    }

    @Test
    void aHotCallIsAnsweredAndItsTurnEnds() throws Exception {
        InnerCall call = open("Hot", Metadata.EMPTY);
        call.send(Bytes.utf8("ab"));
        assertThat(content(call.receive())).asString().isEqualTo("abab");
        assertThat(status(call.receive())).isEqualTo(Status.OK);
        assertThat(status(call.receive())).as("it stays over").isEqualTo(Status.OK);
        InnerCall second = open("Hot", Metadata.EMPTY);
        second.send(Bytes.utf8("c"));
        second.receive();
        assertThat(turns.get()).isPositive();
    }

    @Test
    void aVirtualCallSeesItsMetadata() throws Exception {
        InnerCall call = open("Virtual", Metadata.of("name", "me"));
        call.send(Bytes.EMPTY);
        assertThat(content(call.receive())).asString().isEqualTo("me");
        InnerCall nameless = open("Virtual", Metadata.EMPTY);
        nameless.send(Bytes.EMPTY);
        assertThat(status(nameless.receive())).isEqualTo(Status.of(Status.Code.NOT_FOUND, "no name"));
    }

    @Test
    void whatIsTooLargeOrUnknownOrBrokenHasItsStatus() throws Exception {
        InnerCall call = open("Hot", Metadata.EMPTY);
        call.send(Bytes.of(new byte[1_001]));
        assertThat(status(call.receive())).isEqualTo(Status.of(Status.Code.RESOURCE_EXHAUSTED,
                "grpc: received message larger than max (1001 vs. 1000)"));
        InnerCall none = open("None", Metadata.EMPTY);
        assertThat(status(none.receive()))
                .isEqualTo(Status.of(Status.Code.UNIMPLEMENTED, "unknown method None for service test.Service"));
        InnerCall fault = open("Fault", Metadata.EMPTY);
        fault.send(Bytes.EMPTY);
        assertThat(status(fault.receive())).isEqualTo(Status.of(Status.Code.INTERNAL, "internal error"));
    }

    @Test
    void oneMoreThanMayBeOpenIsRefusedUntilOneIsOver() throws Exception {
        InnerCall first = open("Bidi", Metadata.EMPTY);
        InnerCall second = open("Bidi", Metadata.EMPTY);
        assertThat(status(open("Bidi", Metadata.EMPTY).receive()).code()).isEqualTo(Status.Code.RESOURCE_EXHAUSTED);
        first.cancel();
        assertThat(ends.poll(10, TimeUnit.SECONDS)).isEqualTo(End.RESET);
        InnerCall third = open("Bidi", Metadata.EMPTY);
        second.cancel();
        third.cancel();
    }

    @Test
    void aStreamGoesBothWaysUntilTheClientHasSaidAll() throws Exception {
        mayGoOn.countDown();
        InnerCall call = open("Bidi", Metadata.EMPTY);
        for (int i = 0; i < 20; i++) {
            assertThat(call.send(Bytes.utf8("message " + i))).isTrue();
            assertThat(content(call.receive())).asString().isEqualTo("message " + i);
        }
        call.halfClose();
        assertThat(status(call.receive())).isEqualTo(Status.OK);
        assertThat(ends.poll(10, TimeUnit.SECONDS)).isEqualTo(End.FINISHED);
        assertThat(call.send(Bytes.utf8("late"))).isFalse();
    }

    /** Four messages may be ahead: the fifth waits, until the call is over. */
    @Test
    void aSenderWaitsForTheHandler() throws Exception {
        InnerCall call = open("Bidi", Metadata.EMPTY);
        List<Boolean> sent = new ArrayList<>();
        Thread sender = Thread.ofVirtual().start(() -> {
            try {
                for (int i = 0; i < 5; i++) {
                    sent.add(call.send(Bytes.utf8("x")));
                }
            } catch (InterruptedException e) {
                sent.add(false);
            }
        });
        for (int i = 0; i < 4; i++) {
            assertThat(told.poll(10, TimeUnit.SECONDS)).isEqualTo("message 1");
        }
        assertThat(sender.join(java.time.Duration.ofMillis(100))).isFalse();
        call.cancel();
        sender.join();
        assertThat(sent).containsExactly(true, true, true, true, false);
        for (int i = 0; i < 4; i++) {
            content(call.receive());
        }
        assertThat(status(call.receive()).code()).isEqualTo(Status.Code.CANCELLED);
    }

    @Test
    void aHandlerIsToldWhenThereIsRoomAgain() throws Exception {
        mayGoOn.countDown();
        InnerCall call = open("Bidi", Metadata.EMPTY);
        for (int i = 0; i < 11; i++) {
            call.send(Bytes.of(new byte[1_000]));
            assertThat(told.poll(10, TimeUnit.SECONDS)).isEqualTo("message 1000");
        }
        call.receive();
        call.receive();
        assertThat(told.poll(10, TimeUnit.SECONDS)).isEqualTo("room");
        call.cancel();
    }

    @Test
    void aLongMessageIsMadeWhileItIsReadAndNeverSeemsWhole() throws Exception {
        InnerCall call = open("Long", Metadata.EMPTY);
        call.send(Bytes.utf8("12"));
        call.halfClose();
        InnerCall.Received.Message first = (InnerCall.Received.Message) call.receive();
        assertThat(first.length()).isEqualTo(100_000);
        assertThat(told.poll(100, TimeUnit.MILLISECONDS)).as("it waits for its reader").isNull();
        assertThat(first.content().readAllBytes()).hasSize(100_000);
        assertThat(told.poll(10, TimeUnit.SECONDS)).isEqualTo("sent true");
        InnerCall.Received.Message second = (InnerCall.Received.Message) call.receive();
        assertThatThrownBy(() -> second.content().readAllBytes()).isInstanceOf(IOException.class)
                .hasMessage("a message broke off");
        assertThat(status(call.receive())).isEqualTo(Status.of(Status.Code.DATA_LOSS, "half of it"));
    }

    @Test
    void whoCancelsFreesWhoMakesALongMessage() throws Exception {
        InnerCall call = open("Long", Metadata.EMPTY);
        call.send(Bytes.utf8("1"));
        call.halfClose();
        InnerCall.Received.Message first = (InnerCall.Received.Message) call.receive();
        assertThat(first.content().readNBytes(10)).hasSize(10);
        call.cancel();
        assertThat(told.poll(10, TimeUnit.SECONDS)).isEqualTo("sent false");
    }

    @Test
    void aDeadlineEndsIt() throws Exception {
        InnerCall call = calls.open(SERVICE + "Bidi", Metadata.EMPTY, PEER, System.nanoTime() + 50_000_000);
        assertThat(status(call.receive()))
                .isEqualTo(Status.of(Status.Code.DEADLINE_EXCEEDED, "context deadline exceeded"));
        assertThat(ends.poll(10, TimeUnit.SECONDS)).isEqualTo(End.DEADLINE);
        InnerCall late = calls.open(SERVICE + "Bidi", Metadata.EMPTY, PEER, System.nanoTime() - 1);
        assertThat(status(late.receive()).code()).isEqualTo(Status.Code.DEADLINE_EXCEEDED);
        assertThat(ends.poll(100, TimeUnit.MILLISECONDS)).as("nobody has heard of it").isNull();
    }

    @Test
    void closingEndsAll() throws Exception {
        InnerCall call = open("Bidi", Metadata.EMPTY);
        call.send(Bytes.utf8("x"));
        call.receive();
        calls.close();
        assertThat(status(call.receive()).code()).isEqualTo(Status.Code.UNAVAILABLE);
        assertThat(ends).containsExactly(End.DRAINED);
        assertThat(Arrays.asList(call.send(Bytes.EMPTY))).containsExactly(false);
    }
}
