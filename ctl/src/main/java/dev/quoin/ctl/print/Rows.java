package dev.quoin.ctl.print;

import java.util.ArrayList;
import java.util.List;

import dev.quoin.api.etcdserverpb.Member;
import dev.quoin.api.etcdserverpb.StatusResponse;
import dev.quoin.base.HumanBytes;

/** Answers as rows of texts: what a table shows in cells and the simple format between commas. */
final class Rows {
    static final List<String> MEMBER = List.of("ID", "Status", "Name", "Peer Addrs", "Client Addrs", "Is Learner");
    static final List<String> HEALTH = List.of("endpoint", "health", "took", "error");
    static final List<String> STATUS = List.of("endpoint", "ID", "version", "storage version", "db size", "in use",
            "percentage not in use", "quota", "is leader", "is learner", "raft term", "raft index",
            "raft applied index", "errors", "downgrade target version", "downgrade enabled");
    static final List<String> HASH = List.of("endpoint", "hash", "hash_revision");

    private Rows() {}

    static List<List<String>> members(List<Member> members) {
        List<List<String>> rows = new ArrayList<>();
        for (Member member : members) {
            rows.add(List.of(Long.toHexString(member.getID()), member.getName().isEmpty() ? "unstarted" : "started",
                    member.getName(), String.join(",", member.getPeerURLsList()),
                    String.join(",", member.getClientURLsList()), String.valueOf(member.getIsLearner())));
        }
        return rows;
    }

    static List<List<String>> health(List<Health> health) {
        List<List<String>> rows = new ArrayList<>();
        for (Health each : health) {
            rows.add(List.of(each.endpoint(), String.valueOf(each.isHealthy()), each.took(), each.error()));
        }
        return rows;
    }

    static List<List<String>> statuses(List<EndpointStatus> statuses) {
        List<List<String>> rows = new ArrayList<>();
        for (EndpointStatus each : statuses) {
            StatusResponse status = each.status();
            long member = status.getHeader().getMemberId();
            // etcdctl divides by a size of 0.
            long used = status.getDbSize() == 0 ? 100 : status.getDbSizeInUse() * 100 / status.getDbSize();
            rows.add(List.of(each.endpoint(), Long.toHexString(member), status.getVersion(),
                    status.getStorageVersion(), HumanBytes.text(status.getDbSize()),
                    HumanBytes.text(status.getDbSizeInUse()),
                    100 - used + "%", HumanBytes.text(status.getDbSizeQuota()),
                    String.valueOf(status.getLeader() == member),
                    String.valueOf(status.getIsLearner()), Long.toUnsignedString(status.getRaftTerm()),
                    Long.toUnsignedString(status.getRaftIndex()),
                    Long.toUnsignedString(status.getRaftAppliedIndex()),
                    String.join(", ", status.getErrorsList()), status.getDowngradeInfo().getTargetVersion(),
                    String.valueOf(status.getDowngradeInfo().getEnabled())));
        }
        return rows;
    }

    static List<List<String>> hashes(List<EndpointHash> hashes) {
        List<List<String>> rows = new ArrayList<>();
        for (EndpointHash each : hashes) {
            rows.add(List.of(each.endpoint(), Integer.toUnsignedString(each.answer().getHash()),
                    String.valueOf(each.answer().getHashRevision())));
        }
        return rows;
    }
}
