package dev.quoin.net;

import java.util.IdentityHashMap;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;

import org.jspecify.annotations.Nullable;

/**
 * Calls of a router's methods from inside the process, for a front that speaks another protocol on behalf of its clients. They
 * pass the same handlers as calls from outside, gates included, and count in the same metrics. They live on an event loop of
 * their own. Any thread.
 *
 * <p>As many as {@link NetLimits#virtualCallsMax} may be at work on virtual threads, beside those from outside.
 */
public final class InnerCalls implements AutoCloseable {
    private static final Status TOO_MANY = Status.of(Status.Code.RESOURCE_EXHAUSTED, "too many requests in work");
    private static final Status STOPPED = Status.of(Status.Code.UNAVAILABLE, "the server is stopping");

    private final Router router;
    private final NetLimits limits;
    private final NetMetrics metrics;
    private final Refusals refusals;
    private final IdentityHashMap<Method, NetMetrics.Calls> counted = new IdentityHashMap<>(); // not changed any more
    private final int openMax;
    private final EventLoops loops;
    private final VirtualWork work;
    private final Set<InnerCall> open = ConcurrentHashMap.newKeySet();
    private final AtomicInteger opened = new AtomicInteger();
    private volatile boolean closed;

    /**
     * What may be called, and how often.
     *
     * @param turn told when hot messages came
     * @param openMax calls that may be open at once
     */
    public InnerCalls(Router router, NetLimits limits, NetMetrics metrics, @Nullable LoopTurn turn, int openMax) {
        this.router = router;
        this.limits = limits;
        this.metrics = metrics;
        refusals = new Refusals(metrics);
        this.openMax = openMax;
        router.forEach(method -> counted.put(method, metrics.calls(method)));
        loops = new EventLoops("inner-loop", 1, turn);
        work = new VirtualWork("inner-call", limits.virtualCallsMax());
    }

    /**
     * Opens a call. One of a method that there is not, whose time is over, or that would be too many, has ended already, and
     * nobody has heard of it.
     *
     * @param deadlineNanos when it ends at the latest, on the scale of {@link System#nanoTime}, or {@link Call#NO_DEADLINE}
     */
    public InnerCall open(String path, Metadata headers, Peer peer, long deadlineNanos) {
        Method method = router.find(path);
        if (method == null) {
            Method unknown = Method.stream(path, Method.Kind.UNARY, (call, message) -> {});
            return ended(call(unknown, headers, peer, deadlineNanos), router.unknown(path));
        }
        InnerCall call = call(method, headers, peer, deadlineNanos);
        if (deadlineNanos != Call.NO_DEADLINE && deadlineNanos - System.nanoTime() <= 0) {
            return ended(call, InnerCall.DEADLINE);
        }
        if (opened.incrementAndGet() > openMax) {
            opened.decrementAndGet();
            refused(NetMetrics.Refusal.HTTP_REQUESTS, peer);
            return ended(call, TOO_MANY);
        }
        open.add(call);
        call.open();
        return closed ? ended(call, STOPPED) : call;
    }

    private InnerCall call(Method method, Metadata headers, Peer peer, long deadlineNanos) {
        return new InnerCall(this, loops.all().getFirst(), limits, method, headers, peer, deadlineNanos);
    }

    private static InnerCall ended(InnerCall call, Status why) {
        call.cancel(End.DRAINED, why);
        return call;
    }

    /** A call is over. */
    void ended(InnerCall call) {
        if (open.remove(call)) {
            opened.decrementAndGet();
        }
    }

    VirtualWork virtualWork() {
        return work;
    }

    /** Where a call is counted. */
    NetMetrics.Calls counted(Method method) {
        return counted.getOrDefault(method, NetMetrics.Calls.NONE);
    }

    @Nullable
    CharSequence countedHeader(Metadata headers) {
        String name = metrics.countedHeader();
        return name.isEmpty() ? null : headers.text(name);
    }

    /** A client has met a bound. */
    void refused(NetMetrics.Refusal why, Peer peer) {
        refusals.met(why, peer.address());
    }

    /** Ends all calls, and its loop. */
    @Override
    public void close() {
        closed = true;
        open.forEach(call -> call.cancel(End.DRAINED, STOPPED));
        loops.close();
    }
}
