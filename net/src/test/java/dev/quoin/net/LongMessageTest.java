package dev.quoin.net;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.zip.GZIPInputStream;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

import static org.assertj.core.api.Assertions.assertThat;

/** A message that is made while it is sent: whole for who takes it, bounded for who does not, never half and whole-looking. */
class LongMessageTest {
    private static final int PIECE_BYTES = 1_000;
    private static final int PART_BYTES = 20_000;
    private static final int OWED_BYTES_MAX = 100_000;

    private final List<AutoCloseable> open = new ArrayList<>();
    private final AtomicLong made = new AtomicLong();
    /** What sending came to: true, false, or the status that ended it. */
    private final LinkedBlockingQueue<Object> ends = new LinkedBlockingQueue<>();

    @AfterEach
    void close() throws Exception {
        for (AutoCloseable one : open.reversed()) {
            one.close();
        }
    }

    /** {@code length} bytes that count up; at {@code damagedAt} they cannot be made any further. */
    private LongMessage counting(long length, long damagedAt) {
        return new LongMessage() {
            @Override
            public long length() {
                return length;
            }

            @Override
            public void writeTo(Sink sink) throws StatusException {
                byte[] piece = new byte[PIECE_BYTES];
                for (long at = 0; at < length; at += PIECE_BYTES) {
                    if (at >= damagedAt) {
                        throw new StatusException(Status.Code.DATA_LOSS, "gone at " + at);
                    }
                    int bytes = (int) Math.min(PIECE_BYTES, length - at);
                    fill(piece, at, bytes);
                    made.addAndGet(bytes);
                    if (!sink.write(piece, 0, bytes)) {
                        return;
                    }
                }
            }
        };
    }

    private static void fill(byte[] piece, long at, int bytes) {
        for (int i = 0; i < bytes; i++) {
            piece[i] = (byte) ((at + i) * 31 / 8);
        }
    }

    private static byte[] content(int length) {
        byte[] all = new byte[length];
        fill(all, 0, length);
        return all;
    }

    private void handle(Call call, LongMessage message) {
        Thread.startVirtualThread(() -> {
            try {
                ends.add(call.send(message));
                call.finish(Status.OK);
            } catch (StatusException e) {
                ends.add(e.status());
                call.finish(e.status());
            } catch (RuntimeException | Error e) {
                ends.add(e);
                call.finish(Status.of(Status.Code.INTERNAL, "internal error"));
            }
        });
    }

    private RawClient client(LongMessage message, int... settings) throws Exception {
        NetLimits limits = NetLimits.defaults().change().partBytes(PART_BYTES).owedBytesPerStreamMax(OWED_BYTES_MAX)
                .writeStallMillisMax(700).build();
        Method method = Method.hot("/t.T/M", Method.Kind.UNARY, (call, request) -> handle(call, message));
        NetServer server = NetServer.start(NetConfig.plain(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0),
                Router.of(List.of(method)), TestService::http).withLimits(limits));
        open.add(server);
        RawClient client = RawClient.open(new InetSocketAddress(InetAddress.getLoopbackAddress(), server.port()),
                settings);
        open.add(client);
        return client;
    }

    private static void ask(RawClient client, String... more) throws Exception {
        List<String[]> fields = new ArrayList<>(
                List.of(new String[]{":method", "POST"}, new String[]{":scheme", "http"},
                        new String[]{":path", "/t.T/M"}, new String[]{":authority", "a"},
                        new String[]{"content-type", "application/grpc"}));
        for (int i = 0; i < more.length; i += 2) {
            fields.add(new String[]{more[i], more[i + 1]});
        }
        client.headers(1, false, fields);
        client.send(RawClient.DATA, RawClient.END_STREAM, 1, RawClient.message(0));
    }

    private static byte[] data(RawClient client) {
        ByteArrayOutputStream body = new ByteArrayOutputStream();
        client.seen.stream().filter(f -> f.type() == RawClient.DATA).forEach(f -> body.writeBytes(f.payload()));
        return body.toByteArray();
    }

    private Object end() throws InterruptedException {
        return String.valueOf(ends.poll(10, TimeUnit.SECONDS));
    }

    /** Waits until nothing more is made for a while: whoever makes it waits. */
    private void awaitStill() throws InterruptedException {
        for (long before = -1; before != made.get();) {
            before = made.get();
            TimeUnit.MILLISECONDS.sleep(100);
        }
    }

    @Test
    void itArrivesWholeWhateverItsLength() throws Exception {
        // Around the edges of a part, whose first has the prefix in it.
        for (int length : new int[]{0, 1, PART_BYTES - 6, PART_BYTES - 5, PART_BYTES - 4, PART_BYTES,
            2 * PART_BYTES - 5,
            3_000_000}) {
            RawClient client = client(counting(length, Long.MAX_VALUE));
            ask(client);
            assertThat(client.await(f -> f.stream() == 1 && f.ends()).field("grpc-status")).isEqualTo("0");
            byte[] all = data(client);
            assertThat(all[0]).isZero();
            assertThat(ByteBuffer.wrap(all).getInt(1)).isEqualTo(length);
            assertThat(Arrays.equals(all, 5, all.length, content(length), 0, length)).as("%d bytes", length).isTrue();
            assertThat(end()).isEqualTo("true");
        }
    }

    @Test
    void aClientThatTakesGzipGetsItCompressed() throws Exception {
        RawClient client = client(counting(3_000_000, Long.MAX_VALUE));
        ask(client, "grpc-encoding", "gzip");
        client.await(f -> f.stream() == 1 && f.ends());
        byte[] all = data(client);
        assertThat(all[0]).isEqualTo((byte) 1);
        assertThat(ByteBuffer.wrap(all).getInt(1)).isEqualTo(all.length - 5);
        byte[] plain = new GZIPInputStream(new ByteArrayInputStream(all, 5, all.length - 5)).readAllBytes();
        assertThat(Arrays.equals(plain, content(3_000_000))).isTrue();
    }

    /** A window that never opens: what is made stays within what a stream may owe, twice (queue and outbox), and a part. */
    @Test
    void aReaderThatStopsStopsTheMakingAndIsResetInTheEnd() throws Exception {
        RawClient client = client(counting(1_000_000_000, Long.MAX_VALUE), 4, 1).withoutRefill();
        ask(client);
        assertThat(client.await(f -> f.type() == RawClient.RST_STREAM).error()).isEqualTo("ENHANCE_YOUR_CALM");
        assertThat(end()).isEqualTo("false");
        assertThat(made.get()).isBetween((long) PART_BYTES, 2L * (OWED_BYTES_MAX + PART_BYTES));
    }

    @Test
    void aResetEndsTheWait() throws Exception {
        RawClient client = client(counting(1_000_000_000, Long.MAX_VALUE), 4, 1).withoutRefill();
        ask(client);
        client.await(f -> f.type() == RawClient.DATA);
        awaitStill();
        client.reset(1, 8);
        assertThat(end()).isEqualTo("false");
    }

    @Test
    void aDeadlineEndsTheWait() throws Exception {
        RawClient client = client(counting(1_000_000_000, Long.MAX_VALUE), 4, 1).withoutRefill();
        ask(client, "grpc-timeout", "200m");
        assertThat(client.await(f -> f.type() == RawClient.RST_STREAM).error()).isEqualTo("CANCEL");
        assertThat(end()).isEqualTo("false");
    }

    @Test
    void aLostConnectionEndsTheWait() throws Exception {
        RawClient client = client(counting(1_000_000_000, Long.MAX_VALUE), 4, 1).withoutRefill();
        ask(client);
        client.await(f -> f.type() == RawClient.DATA);
        client.close();
        assertThat(end()).isEqualTo("false");
    }

    /** Trailers with the reason, after less than the prefix promised: no reader can take it for a message. */
    @Test
    void whatCannotBeMadeToItsEndIsCutShort() throws Exception {
        RawClient client = client(counting(1_000_000, 500_000));
        ask(client);
        RawClient.Frame trailers = client.await(f -> f.stream() == 1 && f.ends());
        assertThat(trailers.type()).isEqualTo(RawClient.HEADERS);
        assertThat(trailers.field("grpc-status")).isEqualTo("15");
        assertThat(trailers.field("grpc-message")).isEqualTo("gone at 500000");
        byte[] all = data(client);
        assertThat(ByteBuffer.wrap(all).getInt(1)).isEqualTo(1_000_000);
        assertThat(all.length).isBetween(5, 500_005);
    }

    /** If nothing has been sent yet, the client gets the status alone, as from any call. */
    @Test
    void whatCannotBeMadeAtAllIsAnOrdinaryRefusal() throws Exception {
        RawClient client = client(counting(1_000_000, 0));
        ask(client);
        assertThat(FrontTable.answer(client, 1)).isEqualTo("200 15 \"gone at 0\"");
    }

    @Test
    void aMessageOfAnotherLengthThanItSaysNeverLooksWhole() throws Exception {
        for (long claimed : new long[]{99_000, 101_000}) {
            LongMessage honest = counting(100_000, Long.MAX_VALUE);
            RawClient client = client(new LongMessage() {
                @Override
                public long length() {
                    return claimed;
                }

                @Override
                public void writeTo(Sink sink) throws StatusException {
                    honest.writeTo(sink);
                }
            });
            ask(client);
            assertThat(client.await(f -> f.stream() == 1 && f.ends()).field("grpc-status")).isEqualTo("13");
            assertThat(data(client).length).isLessThan((int) claimed + 5);
            assertThat(end()).asString().contains("Violation");
        }
    }

    @Test
    void aMessageBeyondTheProtocolIsRefusedUnmade() throws Exception {
        RawClient client = client(counting(1L << 31, Long.MAX_VALUE));
        ask(client);
        assertThat(FrontTable.answer(client, 1)).isEqualTo(
                "200 8 \"grpc: trying to send message larger than max (2147483648 vs. 2147483646)\"");
        assertThat(made.get()).isZero();
    }
}
