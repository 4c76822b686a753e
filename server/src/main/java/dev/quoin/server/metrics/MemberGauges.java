package dev.quoin.server.metrics;

import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;

import dev.quoin.api.etcdserverpb.AlarmType;
import dev.quoin.member.Member;
import dev.quoin.member.MemberInfo;
import dev.quoin.member.MemberStatus;
import dev.quoin.server.metrics.Family.Series;
import dev.quoin.store.AlarmMember;

/** What is read off a member when somebody asks. Registered once it runs. */
final class MemberGauges {
    private final Member member;
    /** Alarms that were or could be raised: where there is none, rules find a 0, as with etcd after one is over. */
    private final Map<List<String>, Boolean> seenAlarms = new ConcurrentHashMap<>();
    private final Map<String, Boolean> seenPeers = new ConcurrentHashMap<>();

    MemberGauges(Member member) {
        this.member = member;
    }

    void register(Registry registry) {
        consensus(registry);
        store(registry);
        cluster(registry);
    }

    private void consensus(Registry registry) {
        registry.gauge("etcd_server_has_leader", "Whether or not a leader exists. 1 is existence, 0 is not.",
                () -> member.leader() == 0 ? 0 : 1);
        registry.gauge("etcd_server_is_leader",
                "Whether or not this member is a leader. 1 if is, 0 otherwise.",
                () -> member.leader() == member.memberId() ? 1 : 0);
        registry.gauge("etcd_server_is_learner",
                "Whether or not this member is a learner. 1 if is, 0 otherwise.", () -> member.isLearner() ? 1 : 0);
        registry.fact("etcd_server_id",
                "Server or member ID in hexadecimal format. 1 for 'server_id' label with current ID.", "server_id",
                Long.toHexString(member.memberId()));
        registry.gauge("etcd_server_proposals_committed_total",
                "The total number of consensus proposals committed.", () -> member.status().committedIndex());
        registry.gauge("etcd_server_proposals_applied_total", "The total number of consensus proposals applied.",
                () -> member.status().appliedIndex());
        registry.gauge("etcd_server_proposals_pending", "The current number of pending proposals to commit.",
                member::waitingCount);
        registry.gauge("etcd_server_snapshot_apply_in_progress_total",
                "1 if the server is applying the incoming snapshot. 0 if none.", () -> member.isInstalling() ? 1 : 0);
        registry.gauge("quoin_raft_term", "The term that this member is in.", member::term);
        registry.gauge("quoin_unapplied_bytes", "Data of entries that wait in memory to be applied.",
                member::unappliedBytes);
    }

    private void store(Registry registry) {
        registry.gauge("etcd_server_quota_backend_bytes", "Current backend storage quota size in bytes.",
                () -> member.status().quotaBytes());
        registry.gauge("etcd_mvcc_db_total_size_in_bytes",
                "Total size of the underlying database physically allocated in bytes.",
                () -> member.status().storeBytes());
        registry.gauge("etcd_mvcc_db_total_size_in_use_in_bytes",
                "Total size of the underlying database logically in use in bytes.",
                () -> member.status().storeBytesInUse());
        registry.gauges("quoin_store_bytes", "Bytes of the store by what becomes of them: 'in_use' counts against the"
                + " quota, 'dead' is given back in the background, 'unwritten' is not in a file yet.", List.of("state"),
                this::space);
        registry.gauge("etcd_debugging_mvcc_keys_total", "Total number of keys.", () -> member.view().keyCount());
        registry.gauge("etcd_debugging_mvcc_current_revision", "The current revision of store.",
                () -> member.view().revision());
        registry.gauge("etcd_debugging_mvcc_compact_revision", "The revision of the last compaction in store.",
                () -> member.view().compactedRevision());
        registry.gauge("etcd_debugging_auth_revision", "The current revision of auth store.",
                () -> member.view().auth().revision());
        registry.gauge("quoin_watch_feed_bytes", "What is kept of recent changes for those who watch.",
                () -> member.watches().feedBytes());
        registry.gauges("etcd_debugging_server_alarms",
                "Alarms for every member in cluster. 1 for 'server_id' label with current ID. 2 for 'alarm_type' label with type of this alarm",
                List.of("server_id", "alarm_type"), this::alarms);
    }

    private void space(Series series) {
        MemberStatus status = member.status();
        series.add((double) status.storeBytesInUse(), "in_use");
        series.add((double) (status.storeBytes() - status.storeBytesInUse()), "dead");
        series.add((double) member.unwrittenBytes(), "unwritten");
    }

    private void alarms(Series series) {
        seenAlarms.replaceAll((alarm, before) -> false);
        for (MemberInfo info : member.membership().members()) {
            for (AlarmType type : List.of(AlarmType.NOSPACE, AlarmType.CORRUPT)) {
                seenAlarms.put(List.of(Long.toHexString(info.id()), type.name()), false);
            }
        }
        for (AlarmMember alarm : member.view().alarms()) {
            AlarmType type = AlarmType.forNumber(alarm.type());
            seenAlarms.put(List.of(Long.toHexString(alarm.memberId()),
                    type == null ? Integer.toString(alarm.type()) : type.name()), true);
        }
        seenAlarms.forEach((alarm, isRaised) -> series.add(isRaised ? 1 : 0, alarm.get(0), alarm.get(1)));
    }

    private void cluster(Registry registry) {
        registry.gauges("etcd_cluster_version",
                "Which version is running. 1 for 'cluster_version' label with current cluster version",
                List.of("cluster_version"), series -> {
                    String version = member.membership().clusterVersion();
                    if (!version.isEmpty()) {
                        series.add(1, version.substring(0, version.lastIndexOf('.')));
                    }
                });
        registry.gauges("etcd_network_known_peers", "The current number of known peers.",
                List.of("Local", "Remote"), this::knownPeers);
        registry.gauges("quoin_peer_reachable_seconds",
                "How long another member has been within reach without a break, 0 if it is not.", List.of("peer"),
                this::reachable);
    }

    /** Those that were removed stay, as 0. */
    private void knownPeers(Series series) {
        seenPeers.replaceAll((peer, before) -> false);
        member.membership().members().forEach(info -> seenPeers.put(Long.toHexString(info.id()), true));
        String local = Long.toHexString(member.memberId());
        seenPeers.forEach((peer, isKnown) -> series.add(isKnown ? 1 : 0, local, peer));
    }

    private void reachable(Series series) {
        for (MemberInfo info : member.membership().members()) {
            if (info.id() != member.memberId()) {
                series.add(member.reachableNanos(info.id()) / (double) Duration.ofSeconds(1).toNanos(),
                        Long.toHexString(info.id()));
            }
        }
    }
}
