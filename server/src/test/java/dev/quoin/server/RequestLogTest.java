package dev.quoin.server;

import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.read.ListAppender;
import com.google.protobuf.ByteString;
import com.google.protobuf.MessageLite;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.slf4j.LoggerFactory;

import dev.quoin.api.etcdserverpb.PutRequest;
import dev.quoin.api.etcdserverpb.RangeRequest;
import dev.quoin.api.etcdserverpb.RangeResponse;
import dev.quoin.base.Bytes;
import dev.quoin.member.ChangeRefusal;
import dev.quoin.member.Phases;
import dev.quoin.member.Phases.Phase;
import dev.quoin.member.SlowApply;
import dev.quoin.net.Call;
import dev.quoin.net.CallEnd;
import dev.quoin.net.End;
import dev.quoin.net.Handler;
import dev.quoin.net.Method;
import dev.quoin.net.Status;
import dev.quoin.server.config.Flags;
import dev.quoin.server.metrics.ServerMetrics;
import dev.quoin.store.Command;
import dev.quoin.store.Outcome;

import static org.assertj.core.api.Assertions.assertThat;

/** What took too long is told in etcd's words, with what it waited for; keys are shown, values are not. */
class RequestLogTest {
    private static final long MS = 1_000_000;

    private final Logger logger = (Logger) LoggerFactory.getLogger(RequestLog.class);
    private final ListAppender<ILoggingEvent> lines = new ListAppender<>();
    private final ServerMetrics metrics = metrics();
    private final RequestLog log = new RequestLog(metrics.requests(), Duration.ofMillis(100), Duration.ofMillis(300));

    private static ServerMetrics metrics() {
        try {
            return new ServerMetrics(new ServerMetrics.Settings("3.7.1", "0", false, Duration.ofMillis(100),
                    Duration.ofMillis(300), ((Flags.Wish.Start) Flags.read(new String[0], Map.of())).flags().gates()),
                    new RealClock(), slow -> {}, ChangeRefusal::name);
        } catch (Exception refused) {
            throw new AssertionError(refused);
        }
    }

    @BeforeEach
    void listen() {
        logger.setLevel(Level.INFO);
        lines.start();
        logger.addAppender(lines);
    }

    @AfterEach
    void stop() {
        logger.detachAppender(lines);
        logger.setLevel(null);
    }

    /** The end of a call, without the call. */
    private record Ended(Call call, Status.Code code, long nanos, Bytes request, @Nullable Bytes whole)
            implements
                CallEnd {
        @Override
        public End why() {
            return End.FINISHED;
        }

        @Override
        public Bytes @Nullable [] answer() {
            return whole == null ? null : new Bytes[]{whole};
        }

        @Override
        public long sentBytes() {
            return 42;
        }
    }

    private void ends(String name, MessageLite request, @Nullable MessageLite answer, long nanos,
            @Nullable Object attachment) {
        Method method = Method.hot("/etcdserverpb.KV/" + name, Method.Kind.UNARY, new Handler() {
            @Override
            public void onMessage(Call call, Bytes message) {}
        });
        RecordedCall call = new RecordedCall(method, Bytes.of(request.toByteArray()))
                .from(new InetSocketAddress(InetAddress.getLoopbackAddress(), 4711));
        call.attach(attachment);
        log.of(method).ended(new Ended(call, Status.Code.OK, nanos, Bytes.of(request.toByteArray()),
                answer == null ? null : Bytes.of(answer.toByteArray())));
    }

    private static PutRequest put() {
        return PutRequest.newBuilder().setKey(ByteString.copyFromUtf8("k\n\u0001"))
                .setValue(ByteString.copyFromUtf8("secret"))
                .build();
    }

    private static Map<String, String> fields(ILoggingEvent line) {
        return line.getKeyValuePairs().stream()
                .collect(Collectors.toMap(pair -> pair.key, pair -> String.valueOf(pair.value)));
    }

    @Test
    void aSlowPutNamesWhatItWaitedFor() {
        ends("Put", put(), null, 500 * MS, Phases.NONE.with(Phase.QUEUE, 10 * MS).with(Phase.SYNC, 400 * MS)
                .with(Phase.PEER, 20 * MS).with(Phase.APPLY, 30 * MS));
        assertThat(lines.list).hasSize(1);
        ILoggingEvent line = lines.list.getFirst();
        assertThat(line.getLevel()).isEqualTo(Level.WARN);
        assertThat(line.getMessage()).isEqualTo("request stats");
        assertThat(fields(line)).containsEntry("time spent", "500ms").containsEntry("remote", "127.0.0.1:4711")
                .containsEntry("response type", "/etcdserverpb.KV/Put").containsEntry("request count", "1")
                .containsEntry("response size", "42").containsEntry("guilty-phase", "sync")
                .containsEntry("request content", "key:\"k\\n\\001\" value_size:6 ")
                .containsEntry("phases", "[queue=10ms, sync=400ms, peer=20ms, apply=30ms, send=40ms]");
        assertThat(metrics.page()).contains("quoin_slow_requests_total{phase=\"sync\"} 1\n",
                "quoin_slow_request_phase_seconds_total{phase=\"send\"} 0.04\n");
    }

    @Test
    void aClientThatDoesNotTakeItsAnswerIsToBlameItself() {
        ends("Put", put(), null, 500 * MS, Phases.NONE.with(Phase.SYNC, 100 * MS));
        assertThat(fields(lines.list.getFirst())).containsEntry("guilty-phase", "send");
    }

    @Test
    void aSlowReadHasBothLines() {
        RangeRequest range = RangeRequest.newBuilder().setKey(ByteString.copyFromUtf8("a"))
                .setRangeEnd(ByteString.copyFromUtf8("b")).setLimit(5).build();
        ends("Range", range, RangeResponse.newBuilder().setCount(9).build(), 400 * MS, ReadRound.STALE);
        assertThat(lines.list).extracting(ILoggingEvent::getMessage).containsExactly("apply request took too long",
                "request stats");
        assertThat(fields(lines.list.getFirst())).containsEntry("prefix", "read-only range ")
                .containsEntry("request", "key:\"a\" range_end:\"b\" limit:5 ").containsEntry("response", "size:42");
        assertThat(fields(lines.list.getLast())).containsEntry("response count", "9");
        assertThat(metrics.page()).contains("etcd_server_slow_apply_total 1\n");
    }

    @Test
    void whatIsQuickIsNotTold() {
        ends("Put", put(), null, 299 * MS, null);
        assertThat(lines.list).isEmpty();
        logger.setLevel(Level.DEBUG);
        ends("Put", put(), null, 1 * MS, null);
        assertThat(lines.list).extracting(ILoggingEvent::getLevel).containsExactly(Level.DEBUG);
    }

    @Test
    void whenAllIsSlowAFewLinesSayIt() {
        for (int i = 0; i < 1_000; i++) {
            ends("Put", put(), null, 400 * MS, null);
        }
        assertThat(lines.list.size()).isBetween(50, 250);
        assertThat(metrics.page()).contains("quoin_slow_requests_total{phase=\"queue\"} 1000\n");
    }

    @Test
    void anEntryThatWasAppliedSlowlyIsShownWithItsId() {
        RequestLog.applied(new SlowApply(7, Command.Put.of(Bytes.utf8("k"), Bytes.utf8("secret")),
                new Outcome.Nothing(1), 150 * MS), Duration.ofMillis(100));
        assertThat(fields(lines.list.getFirst())).containsEntry("took", "150ms")
                .containsEntry("expected-duration", "100ms")
                .containsEntry("request", "header:<ID:7 > put:<key:\"k\" value_size:6 >")
                .containsEntry("guilty-phase", "apply");
        assertThat(List.of(lines.list.getFirst().getMessage())).containsExactly("apply request took too long");
    }
}
