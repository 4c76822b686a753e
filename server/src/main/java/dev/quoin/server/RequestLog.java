package dev.quoin.server;

import java.net.InetSocketAddress;
import java.net.SocketAddress;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.slf4j.event.Level;

import dev.quoin.base.Bytes;
import dev.quoin.base.ProtoReader;
import dev.quoin.base.ProtoReader.Malformed;
import dev.quoin.base.ProtoWriter;
import dev.quoin.member.Phases;
import dev.quoin.member.Phases.Phase;
import dev.quoin.member.Requests;
import dev.quoin.member.SlowApply;
import dev.quoin.net.CallEnd;
import dev.quoin.net.Method;
import dev.quoin.net.Status;
import dev.quoin.server.config.Durations;
import dev.quoin.server.metrics.Histogram;
import dev.quoin.server.metrics.RequestCounts;
import dev.quoin.server.metrics.RpcMetrics;
import dev.quoin.store.Command;

/**
 * Tells of requests that took too long, in etcd's words: {@code apply request took too long} when it was the store (or, for
 * a read, anything), {@code request stats} for the whole of a call (etcdserver/txn/util.go, v3rpc/interceptor.go). Beside
 * etcd's fields it names the phase that is to blame, and what each took. At level debug every call has its stats.
 *
 * <p>Lines are bounded: when everything is slow, a few say it, and the last says how many were left out. Any thread; mostly
 * event loops, once for each call.
 */
final class RequestLog implements RpcMetrics.Listeners {
    private static final Logger LOG = LoggerFactory.getLogger(RequestLog.class);
    private static final String KV = "/etcdserverpb.KV/";
    private static final String SNAPSHOT = "/etcdserverpb.Maintenance/Snapshot";
    private static final String AUTH = "/etcdserverpb.Auth/";
    private static final int NOT_COUNTED = -1;
    private static final int LINES_PER_SECOND_MAX = 50;

    /** Requests that are agreed upon by the cluster, by their method, under etcd's names; those of Auth are found by rule. */
    private static final Map<String, String> TYPES = Map.of(KV + "Range", "Range", KV + "Put", "Put",
            KV + "DeleteRange", "DeleteRange", KV + "Txn", "Txn", KV + "Compact", "Compaction",
            "/etcdserverpb.Lease/LeaseGrant", "LeaseGrant", "/etcdserverpb.Lease/LeaseRevoke", "LeaseRevoke",
            "/etcdserverpb.Maintenance/Alarm", "Alarm");

    private final RequestCounts counts;
    private final Duration slowApply;
    private final long slowCallNanos;
    private final LineBudget budget = new LineBudget();

    /**
     * @param slowApply {@code --warning-apply-duration}
     * @param slowCall {@code --warning-unary-request-duration}
     */
    RequestLog(RequestCounts counts, Duration slowApply, Duration slowCall) {
        this.counts = counts;
        this.slowApply = slowApply;
        slowCallNanos = slowCall.toNanos();
    }

    @Override
    public RpcMetrics.Ends of(Method method) {
        if (method.path().equals(SNAPSHOT)) {
            return end -> counts.snapshot(end.nanos());
        }
        return method.kind() == Method.Kind.UNARY ? new Unary(method.path()) : RpcMetrics.Ends.NOBODY;
    }

    // ---- what the apply loop has to say

    /** On the apply loop. */
    static void applied(SlowApply slow, Duration expected) {
        LOG.atWarn().addKeyValue("took", Durations.text(Duration.ofNanos(slow.nanos())))
                .addKeyValue("expected-duration", Durations.text(expected)).addKeyValue("prefix", "")
                .addKeyValue("request", RequestText.of(slow)).addKeyValue("response", "")
                .addKeyValue("guilty-phase", RequestCounts.name(Phase.APPLY)).log("apply request took too long");
    }

    // ---- calls

    /** The calls of one method. */
    private final class Unary implements RpcMetrics.Ends {
        private final String path;
        private final @Nullable Histogram answered;
        private final @Nullable Histogram failed;
        private final @Nullable Histogram readAnswered;
        private final @Nullable Histogram readFailed;

        Unary(String path) {
            this.path = path;
            String type = type(path);
            answered = type == null ? null : counts.duration(type, true);
            failed = type == null ? null : counts.duration(type, false);
            boolean mayOnlyRead = path.equals(KV + "Txn");
            readAnswered = mayOnlyRead ? counts.duration("ReadonlyTxn", true) : answered;
            readFailed = mayOnlyRead ? counts.duration("ReadonlyTxn", false) : failed;
        }

        @Override
        public void ended(CallEnd end) {
            long nanos = end.nanos();
            boolean isRead = end.call().attachment() instanceof ReadRound;
            boolean isAnswered = end.code() == Status.Code.OK;
            Histogram duration = isRead
                    ? (isAnswered ? readAnswered : readFailed)
                    : (isAnswered ? answered : failed);
            if (duration != null) {
                duration.observe(nanos);
            }
            if (isRead && nanos > slowApply.toNanos()) {
                readSlowly(end);
            }
            if (nanos > slowCallNanos) {
                Phases phases = phases(end);
                counts.slow(phases);
                stats(end, Level.WARN, phases);
            } else if (LOG.isDebugEnabled()) {
                stats(end, Level.DEBUG, phases(end));
            }
        }

        private void readSlowly(CallEnd end) {
            counts.readSlowly();
            int leftOut = budget.take();
            if (leftOut == LineBudget.NONE_LEFT) {
                return;
            }
            Phases phases = phases(end);
            LOG.atWarn().addKeyValue("took", Durations.text(Duration.ofNanos(end.nanos())))
                    .addKeyValue("expected-duration", Durations.text(slowApply))
                    .addKeyValue("prefix", path.equals(KV + "Txn") ? "read-only txn " : "read-only range ")
                    .addKeyValue("request", Content.of(path, end).text)
                    .addKeyValue("response", "size:" + end.sentBytes())
                    .addKeyValue("guilty-phase", RequestCounts.name(phases.longest()))
                    .addKeyValue("phases", text(phases)).addKeyValue("left-out", leftOut)
                    .log("apply request took too long");
        }

        private void stats(CallEnd end, Level level, Phases phases) {
            int leftOut = level == Level.DEBUG ? 0 : budget.take();
            if (leftOut == LineBudget.NONE_LEFT) {
                return;
            }
            Content content = Content.of(path, end);
            LOG.atLevel(level).addKeyValue("start time", Instant.now().minusNanos(end.nanos()))
                    .addKeyValue("time spent", Durations.text(Duration.ofNanos(end.nanos())))
                    .addKeyValue("remote", remote(end.call().peer().address()))
                    .addKeyValue("response type", path).addKeyValue("request count", content.requestCount)
                    .addKeyValue("request size", content.requestBytes)
                    .addKeyValue("response count", content.responseCount)
                    .addKeyValue("response size", content.isKnown ? end.sentBytes() : NOT_COUNTED)
                    .addKeyValue("request content", content.text)
                    .addKeyValue("guilty-phase", RequestCounts.name(phases.longest()))
                    .addKeyValue("phases", text(phases)).addKeyValue("left-out", leftOut).log("request stats");
        }
    }

    private static @Nullable String type(String path) {
        if (path.startsWith(AUTH)) {
            String name = path.substring(AUTH.length());
            return name.startsWith("Auth") ? name : "Auth" + name;
        }
        return TYPES.get(path);
    }

    /** Of others nobody knows more than how long they took; what became of them says a little. */
    private static Phases phases(CallEnd end) {
        return switch (end.call().attachment()) {
            case ReadRound round -> round.phases(end.nanos());
            case Phases until -> until.with(Phase.SEND, end.nanos() - until.sum());
            case null, default ->
                Phases.NONE.with(end.code() == Status.Code.UNAVAILABLE ? Phase.PEER : Phase.QUEUE, end.nanos());
        };
    }

    private static List<String> text(Phases phases) {
        List<String> all = new ArrayList<>();
        for (Phase phase : Phase.values()) {
            all.add(RequestCounts.name(phase) + "=" + Durations.text(Duration.ofNanos(phases.nanos(phase))));
        }
        return all;
    }

    private static String remote(SocketAddress address) {
        return address instanceof InetSocketAddress inet
                ? inet.getAddress().getHostAddress() + ":" + inet.getPort()
                : address.toString();
    }

    /** A request and its answer, as far as etcd shows them; of other requests than those about keys nothing is shown. */
    private record Content(boolean isKnown, int requestCount, int requestBytes, long responseCount, String text) {
        private static final Content UNKNOWN = new Content(false, NOT_COUNTED, NOT_COUNTED, NOT_COUNTED, "");

        static Content of(String path, CallEnd end) {
            Bytes request = end.request();
            if (request == null || !path.startsWith(KV)) {
                return UNKNOWN;
            }
            try {
                return switch (path.substring(KV.length())) {
                    case "Range" -> new Content(true, 0, request.length(), number(end.answer(), 4),
                            RequestText.query(Requests.range(request)));
                    case "Put" ->
                        new Content(true, 1, request.length(), 0, RequestText.put(Requests.put(request)));
                    case "DeleteRange" -> new Content(true, 0, request.length(), number(end.answer(), 2),
                            RequestText.range(Requests.deleteRange(request).range()));
                    case "Txn" -> txn(Requests.txn(request), request.length(), end);
                    default -> UNKNOWN;
                };
            } catch (Malformed unreadable) {
                return UNKNOWN;
            }
        }

        private static Content txn(Command.Txn txn, int bytes, CallEnd end) {
            boolean hasSucceeded = number(end.answer(), 2) > 0;
            int steps = hasSucceeded ? txn.success().size() : txn.failure().size();
            return new Content(true, steps, bytes, 0, RequestText.txn(txn));
        }

        /** A number in the answer; of an answer that was not sent in one go it is not known. */
        private static long number(Bytes @Nullable [] pieces, int field) {
            if (pieces == null) {
                return NOT_COUNTED;
            }
            int length = 0;
            for (Bytes piece : pieces) {
                length += piece.length();
            }
            byte[] whole = new byte[length];
            int at = 0;
            for (Bytes piece : pieces) {
                piece.copyTo(whole, at);
                at += piece.length();
            }
            ProtoReader reader = new ProtoReader(Bytes.of(whole));
            long number = 0;
            for (int tag = reader.tag(); tag != 0; tag = reader.tag()) {
                if (tag == (field << 3 | ProtoWriter.VARINT)) {
                    number = reader.varint(tag);
                } else {
                    reader.skip(tag);
                }
            }
            return number;
        }
    }

    /** How many lines may still be written in this second. */
    private static final class LineBudget {
        static final int NONE_LEFT = -1;

        private long second;
        private int lines;
        private int leftOut;

        /** Takes a line, and says how many were left out before it. */
        synchronized int take() {
            long now = System.nanoTime() / 1_000_000_000;
            if (now != second) {
                second = now;
                lines = 0;
            }
            if (lines == LINES_PER_SECOND_MAX) {
                leftOut++;
                return NONE_LEFT;
            }
            lines++;
            int before = leftOut;
            leftOut = 0;
            return before;
        }
    }
}
