package dev.quoin.server.metrics;

import dev.quoin.server.metrics.Histogram.Unit;

/**
 * What streams of watchers are told and how long that takes. Where etcd times a turn of a stream's loop, the loops of this
 * server are timed, which serve many streams in a turn.
 */
public final class WatchCounts {
    private static final Buckets LOOP = Buckets.exponential(0.001, 2, 14);

    private final Counter streams;
    private final Counter events;
    private final Histogram delivery;
    private final Histogram deliveryPerEvent;
    private final Histogram control;
    private final Histogram progress;

    WatchCounts(Registry registry) {
        streams = registry.countedGauge("etcd_debugging_mvcc_watch_stream_total", "Total number of watch streams.");
        events = registry.counter("etcd_debugging_mvcc_events_total",
                "Total number of events sent by this member.");
        delivery = registry.histogram("etcd_debugging_server_watch_send_loop_watch_stream_duration_seconds",
                "The total duration in seconds of running through the send loop watch stream response all events.",
                Unit.NANOS_AS_SECONDS, LOOP);
        deliveryPerEvent = registry.histogram(
                "etcd_debugging_server_watch_send_loop_watch_stream_duration_per_event_seconds",
                "The average duration in seconds of running through the send loop watch stream response, per event.",
                Unit.NANOS_AS_SECONDS, LOOP);
        control = registry.histogram("etcd_debugging_server_watch_send_loop_control_stream_duration_seconds",
                "The total duration in seconds of running through the send loop control stream response.",
                Unit.NANOS_AS_SECONDS, LOOP);
        progress = registry.histogram("etcd_debugging_server_watch_send_loop_progress_duration_seconds",
                "The total duration in seconds of running through the progress loop control stream response.",
                Unit.NANOS_AS_SECONDS, LOOP);
    }

    /** So many streams more, or fewer. */
    public void streams(int more) {
        streams.add(more);
    }

    /** So many events were handed to a stream. */
    public void sent(int more) {
        events.add(more);
    }

    /** How many events were sent so far. */
    public long sentEvents() {
        return events.value();
    }

    /** A loop has told those who watch what is new. */
    public void delivered(long events, long nanos) {
        delivery.observe(nanos);
        if (events > 0) {
            deliveryPerEvent.observe(nanos / events);
        }
    }

    /** A loop has done what a client wanted of its stream. */
    public void controlled(long nanos) {
        control.observe(nanos);
    }

    /** A loop has told those how far they are who wanted to know. */
    public void progressed(long nanos) {
        progress.observe(nanos);
    }
}
