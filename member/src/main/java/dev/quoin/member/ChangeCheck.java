package dev.quoin.member;

import java.time.Duration;
import java.util.List;
import java.util.function.LongUnaryOperator;

import org.jspecify.annotations.Nullable;

import dev.quoin.raft.PeerProgress;

/**
 * Whether a change of members may be proposed, as etcd decides it (etcdserver/server.go mayAddMember and its like,
 * api/membership/cluster.go IsReadyTo…). Pure. What can only be known when the change is applied is left to
 * {@link MemberChange}: whether there is such a member, whether its URLs are free, whether it is a learner.
 *
 * <p>The strict check looks at the cluster as it would be. Two things could go wrong: that those who have ever started are
 * no quorum of it (then nothing would be decided until others start), and that those who are within reach just now are
 * none.
 *
 * @param self the member that was asked
 * @param activeSinceNanos for each member, as {@link Network#activeSinceNanos}
 * @param nowNanos on the same clock
 * @param isStrict {@link MemberConfig#strictReconfig}
 */
record ChangeCheck(Membership membership, long self, LongUnaryOperator activeSinceNanos, long nowNanos,
        boolean isStrict) {
    /** How long a member must have been within reach to count, etcd's HealthInterval. */
    private static final long HEALTHY_NANOS = Duration.ofSeconds(5).toNanos();
    /** How much of the leader's log a learner must have, etcd's readyPercentThreshold. */
    private static final double READY_SHARE = 0.9;

    /**
     * Why a change may not be proposed.
     *
     * @param arithmetic how that was found, for whoever reads the log: the client is told only the reason
     */
    record Refused(ChangeRefusal why, String arithmetic) {}

    /**
     * Null if the change may be proposed.
     *
     * @param progress how the leader sees each member, itself among them; null if this member does not lead
     */
    @Nullable
    Refused refusal(ClusterChange change, @Nullable List<PeerProgress> progress) {
        return switch (change) {
            case ClusterChange.Add add -> isStrict ? refusal(add) : null;
            case ClusterChange.Remove remove -> isStrict ? refusal(remove) : null;
            case ClusterChange.Promote promote -> refusal(promote, progress);
            case ClusterChange.Update any -> null;
        };
    }

    // ---- adding

    private @Nullable Refused refusal(ClusterChange.Add add) {
        List<MemberInfo> voters = voters();
        long started = started(voters);
        int after = voters.size() + 1;
        // One that has been restored from a backup gets its second member: nothing else could be done with it.
        boolean isSecondOfOne = started == 1 && after == 2;
        if (!add.learner() && !isSecondOfOne && started < quorum(after)) {
            return notEnough("member add", started, after);
        }
        if (voters.size() == 1) {
            return null;
        }
        // The new one is not within reach yet, whatever it is.
        long healthy = healthy(voters);
        return healthy >= quorum(after) ? null
                : new Refused(ChangeRefusal.UNHEALTHY, "member add: " + healthy
                        + " of " + voters.size() + " voters have been within reach for 5 s, and a cluster of " + after
                        + " needs " + quorum(after) + reach(voters));
    }

    // ---- removing

    private @Nullable Refused refusal(ClusterChange.Remove remove) {
        if (membership.member(remove.id()).filter(MemberInfo::isLearner).isPresent()) {
            return null;
        }
        List<MemberInfo> voters = voters();
        List<MemberInfo> left = voters.stream().filter(member -> member.id() != remove.id()).toList();
        if (started(left) < quorum(left.size())) {
            return notEnough("member remove", started(left), left.size());
        }
        // One that is down is no part of those who decide now.
        if (remove.id() != self && activeSinceNanos.applyAsLong(remove.id()) == 0) {
            return null;
        }
        long healthy = healthy(voters);
        int needed = 1 + (voters.size() - 1) / 2;
        return healthy - 1 >= needed ? null
                : new Refused(ChangeRefusal.UNHEALTHY, "member remove: " + healthy
                        + " of " + voters.size() + " voters have been within reach for 5 s, one of them is to go, and "
                        + needed + " must be left" + reach(voters));
    }

    // ---- promoting

    private @Nullable Refused refusal(ClusterChange.Promote promote, @Nullable List<PeerProgress> progress) {
        if (progress == null) {
            return new Refused(ChangeRefusal.NOT_LEADER, "member promote: only the leader knows a learner's log");
        }
        PeerProgress learner = of(promote.id(), progress);
        if (learner == null) {
            return new Refused(ChangeRefusal.ID_NOT_FOUND, "member promote: no log is sent to this member");
        }
        PeerProgress leader = of(self, progress);
        long leaderMatch = leader == null ? 0 : leader.match();
        // Nothing of nothing is no number, and not too little.
        if ((double) learner.match() / leaderMatch < READY_SHARE) {
            return new Refused(ChangeRefusal.LEARNER_NOT_READY, "member promote: the learner has the log up to index "
                    + learner.match() + ", less than " + READY_SHARE + " of the leader's " + leaderMatch);
        }
        List<MemberInfo> voters = voters();
        // It counts as one that has started.
        long started = started(voters) + 1;
        int after = voters.size() + 1;
        return !isStrict || started >= quorum(after) ? null : notEnough("member promote", started, after);
    }

    private static @Nullable PeerProgress of(long id, List<PeerProgress> progress) {
        return progress.stream().filter(peer -> peer.peer() == id).findFirst().orElse(null);
    }

    // ---- counting

    private static Refused notEnough(String what, long started, int after) {
        return new Refused(ChangeRefusal.NOT_ENOUGH_STARTED, what + ": " + started + " voters have started, and a"
                + " cluster of " + after + " needs " + quorum(after));
    }

    /** Whom the counting found out of reach, or not long enough within it. */
    private String reach(List<MemberInfo> voters) {
        List<String> missing = voters.stream().filter(member -> !isHealthy(member.id()))
                .map(member -> Long.toHexString(member.id())).toList();
        return "; missing: " + missing;
    }

    private List<MemberInfo> voters() {
        return membership.members().stream().filter(member -> !member.isLearner()).toList();
    }

    private static long started(List<MemberInfo> members) {
        return members.stream().filter(member -> !member.name().isEmpty()).count();
    }

    private long healthy(List<MemberInfo> members) {
        return members.stream().filter(member -> isHealthy(member.id())).count();
    }

    private boolean isHealthy(long id) {
        if (id == self) {
            return true;
        }
        long since = activeSinceNanos.applyAsLong(id);
        return since != 0 && nowNanos - since > HEALTHY_NANOS;
    }

    private static int quorum(int members) {
        return members / 2 + 1;
    }
}
