package dev.quoin.server.metrics;

import dev.quoin.server.metrics.Histogram.Unit;
import dev.quoin.server.peer.PeerMetrics;

/** What is counted of the ways to other members, under etcd's names (rafthttp/metrics.go). */
public final class PeerCounts implements PeerMetrics {
    private static final Buckets SNAPSHOT = Buckets.exponential(0.1, 2, 10);

    private final Labelled<Counter> active;
    private final Labelled<Counter> disconnected;
    private final Labelled<Counter> sentBytes;
    private final Labelled<Counter> receivedBytes;
    private final Labelled<Counter> sentFailures;
    private final Labelled<Counter> receivedFailures;
    private final Labelled<Counter> snapshotsSent;
    private final Labelled<Counter> snapshotsBeingSent;
    private final Labelled<Counter> snapshotsNotSent;
    private final Labelled<Histogram> snapshotSending;
    private final Labelled<Counter> snapshotsReceived;
    private final Labelled<Counter> snapshotsBeingReceived;
    private final Labelled<Counter> snapshotsNotReceived;
    private final Labelled<Histogram> snapshotReceiving;
    private final Labelled<Histogram> roundTrips;
    private final Histogram snapshotSave;
    private volatile String local = "";

    PeerCounts(Registry registry) {
        active = registry.countedGauges("etcd_network_active_peers",
                "The current number of active peer connections.", "Local", "Remote");
        disconnected = registry.counters("etcd_network_disconnected_peers_total",
                "The total number of disconnected peers.", "Local", "Remote");
        sentBytes = registry.counters("etcd_network_peer_sent_bytes_total",
                "The total number of bytes sent to peers.", "To");
        receivedBytes = registry.counters("etcd_network_peer_received_bytes_total",
                "The total number of bytes received from peers.", "From");
        sentFailures = registry.counters("etcd_network_peer_sent_failures_total",
                "The total number of send failures from peers.", "To");
        receivedFailures = registry.counters("etcd_network_peer_received_failures_total",
                "The total number of receive failures from peers.", "From");
        snapshotsSent = registry.counters("etcd_network_snapshot_send_success",
                "Total number of successful snapshot sends", "To");
        snapshotsBeingSent = registry.countedGauges("etcd_network_snapshot_send_inflights_total",
                "Total number of inflight snapshot sends", "To");
        snapshotsNotSent = registry.counters("etcd_network_snapshot_send_failures",
                "Total number of snapshot send failures", "To");
        snapshotSending = registry.histograms("etcd_network_snapshot_send_total_duration_seconds",
                "Total latency distributions of v3 snapshot sends", SNAPSHOT, "To");
        snapshotsReceived = registry.counters("etcd_network_snapshot_receive_success",
                "Total number of successful snapshot receives", "From");
        snapshotsBeingReceived = registry.countedGauges("etcd_network_snapshot_receive_inflights_total",
                "Total number of inflight snapshot receives", "From");
        snapshotsNotReceived = registry.counters("etcd_network_snapshot_receive_failures",
                "Total number of snapshot receive failures", "From");
        snapshotReceiving = registry.histograms("etcd_network_snapshot_receive_total_duration_seconds",
                "Total latency distributions of v3 snapshot receives", SNAPSHOT, "From");
        roundTrips = registry.histograms("etcd_network_peer_round_trip_time_seconds",
                "Round-Trip-Time histogram between peers", Buckets.exponential(0.0001, 2, 16), "To");
        snapshotSave = registry.histogram("etcd_snap_db_save_total_duration_seconds",
                "The total latency distributions of v3 snapshot save", Unit.NANOS_AS_SECONDS, SNAPSHOT);
    }

    /** Who this member is, before there are links. */
    void begin(long memberId) {
        local = Long.toHexString(memberId);
    }

    @Override
    public Link link(long peer) {
        return new Counted(Long.toHexString(peer));
    }

    /** One member; all its series are there from the beginning, at 0. */
    private final class Counted implements Link {
        private final String peer;
        private final Counter activeHere;
        private final Counter disconnectedHere;
        private final Counter sentHere;
        private final Counter receivedHere;
        private final Counter sentFailuresHere;
        private final Counter receivedFailuresHere;
        private final Histogram roundTripsHere;

        Counted(String peer) {
            this.peer = peer;
            activeHere = active.of(local, peer);
            disconnectedHere = disconnected.of(local, peer);
            sentHere = sentBytes.of(peer);
            receivedHere = receivedBytes.of(peer);
            sentFailuresHere = sentFailures.of(peer);
            receivedFailuresHere = receivedFailures.of(peer);
            roundTripsHere = roundTrips.of(peer);
        }

        @Override
        public void active(boolean isActive) {
            activeHere.add(isActive ? 1 : -1);
            if (!isActive) {
                disconnectedHere.increment();
            }
        }

        @Override
        public void sent(long bytes) {
            sentHere.add(bytes);
        }

        @Override
        public void sendFailed() {
            sentFailuresHere.increment();
        }

        @Override
        public void received(long bytes) {
            receivedHere.add(bytes);
        }

        @Override
        public void receiveFailed() {
            receivedFailuresHere.increment();
        }

        @Override
        public void roundTrip(long nanos) {
            roundTripsHere.observe(nanos);
        }

        @Override
        public void snapshotBegun() {
            snapshotsBeingSent.of(peer).increment();
        }

        @Override
        public void snapshotSent(boolean hasArrived, long nanos) {
            snapshotsBeingSent.of(peer).add(-1);
            if (hasArrived) {
                snapshotsSent.of(peer).increment();
                snapshotSending.of(peer).observe(nanos);
            } else {
                snapshotsNotSent.of(peer).increment();
            }
        }

        @Override
        public void stateBegun() {
            snapshotsBeingReceived.of(peer).increment();
        }

        @Override
        public void stateReceived(boolean isTaken, long nanos) {
            snapshotsBeingReceived.of(peer).add(-1);
            if (isTaken) {
                snapshotsReceived.of(peer).increment();
                snapshotReceiving.of(peer).observe(nanos);
                snapshotSave.observe(nanos);
            } else {
                snapshotsNotReceived.of(peer).increment();
            }
        }
    }
}
