package dev.quoin.raft;

import java.util.List;
import java.util.stream.Collectors;

import org.jspecify.annotations.Nullable;

/**
 * A line of log for an {@link Event}, in the words of go.etcd.io/raft, which operators know and search for. What that
 * library does not say is not said here either, but for a message that was refused.
 */
public record LogLine(Level level, String text) {
    /** How much it matters. */
    public enum Level {
        DEBUG,
        INFO,
        WARN,
        ERROR
    }

    private static LogLine info(String format, Object... args) {
        return new LogLine(Level.INFO, format.formatted(args));
    }

    private static LogLine debug(String format, Object... args) {
        return new LogLine(Level.DEBUG, format.formatted(args));
    }

    private static LogLine warn(String format, Object... args) {
        return new LogLine(Level.WARN, format.formatted(args));
    }

    /** The lines for what happened in node {@code id}: none, one or two. */
    public static List<LogLine> of(long id, Event event) {
        LogLine line = line(id, event);
        if (line != null && event instanceof Event.SnapshotSent sent) {
            return List.of(line, debug("%x paused sending replication messages to %x [%s]", id, sent.peer(),
                    sent.after()));
        }
        return line == null ? List.of() : List.of(line);
    }

    private static @Nullable LogLine line(long id, Event event) {
        return switch (event) {
            case Event.BecameFollower(long term) -> info("%x became follower at term %d", id, term);
            case Event.BecamePreCandidate(long term) -> info("%x became pre-candidate at term %d", id, term);
            case Event.BecameCandidate(long term) -> info("%x became candidate at term %d", id, term);
            case Event.BecameLeader(long term) -> info("%x became leader at term %d", id, term);
            case Event.ElectionStarted(long term) -> info("%x is starting a new election at term %d", id, term);
            case Event.CampaignIgnored() -> debug("%x ignoring MsgHup because already leader", id);
            case Event.CannotCampaign() -> warn("%x is unpromotable and can not campaign", id);
            case Event.CampaignBlocked(long term) ->
                warn("%x cannot campaign at term %d since there are still pending configuration changes to apply", id,
                        term);
            case Event.VoteRequested(Message.VoteRequest m, long term) ->
                info("%x [logterm: %d, index: %d] sent %s request to %x at term %d", id, m.lastTerm(), m.lastIndex(),
                        type(m), m.to(), term);
            case Event.VoteReceived(long from, boolean pre, boolean granted, long term) ->
                info("%x received %sResp%s from %x at term %d", id, voteType(pre), granted ? "" : " rejection", from,
                        term);
            case Event.VotesCounted(boolean pre, int granted, int rejected) ->
                info("%x has received %d %sResp votes and %d vote rejections", id, granted, voteType(pre), rejected);
            case Event.VoteAnswered e -> voteAnswered(id, e);
            case Event.HigherTerm(Message m, long term) ->
                info("%x [term: %d] received a %s message with higher term from %x [term: %d]", id, term, type(m),
                        m.from(), m.term());
            case Event.StaleMessage(Message m, long term) -> stale(id, m, term);
            case Event.Refused(Message m, Event.Refusal refusal) ->
                warn("%x refused a %s message from %x: %s", id, type(m), m.from(), refusal.text());
            case Event.ConflictFound(long index, long existing, long conflicting) ->
                info("found conflict at index %d [existing term: %d, conflicting term: %d]", index, existing,
                        conflicting);
            case Event.Truncated truncated -> null;
            case Event.AppendRefused(Message.Append m, long ownTerm) ->
                debug("%x [logterm: %d, index: %d] rejected MsgApp [logterm: %d, index: %d] from %x", id, ownTerm,
                        m.prevIndex(), m.prevTerm(), m.prevIndex(), m.from());
            case Event.RejectionReceived(Message.AppendRejected m) ->
                debug("%x received MsgAppResp(rejected, hint: (index %d, term %d)) from %x for index %d", id,
                        m.hintIndex(), m.hintTerm(), m.from(), m.index());
            case Event.ProgressDecreased(long peer, PeerProgress progress) ->
                debug("%x decreased progress of %x to [%s]", id, peer, progress);
            case Event.SnapshotWithheld(long peer) ->
                debug("ignore sending snapshot to %x since it is not recently active", peer);
            case Event.SnapshotSent e ->
                debug("%x [firstindex: %d, commit: %d] sent snapshot[index: %d, term: %d] to %x [%s]", id,
                        e.firstIndex(), e.committed(), e.snapshot().index(), e.snapshot().term(), e.peer(),
                        e.before());
            case Event.RecoveredFromSnapshot(long peer, PeerProgress progress) ->
                debug("%x recovered from needing snapshot, resumed sending replication messages to %x [%s]", id, peer,
                        progress);
            case Event.SnapshotReported(long peer, boolean arrived, PeerProgress progress) ->
                debug("%x snapshot %s, resumed sending replication messages to %x [%s]", id,
                        arrived ? "succeeded" : "failed", peer, progress);
            case Event.PeerUnreachable(long peer, PeerProgress progress) ->
                debug("%x failed to send message to %x because it is unreachable [%s]", id, peer, progress);
            case Event.RestoreStarted started -> null;
            case Event.LogRestored e ->
                info("%x [commit: %d, lastindex: %d, lastterm: %d] restored snapshot [index: %d, term: %d]", id,
                        e.committed(), e.lastIndex(), e.lastTerm(), e.snapshot().index(), e.snapshot().term());
            case Event.FastForwarded e ->
                info("%x [commit: %d, lastindex: %d, lastterm: %d] fast-forwarded commit to snapshot [index: %d, "
                        + "term: %d]", id, e.committed(), e.lastIndex(), e.lastTerm(), e.snapshot().index(),
                        e.snapshot().term());
            case Event.SnapshotNotForUs e ->
                warn("%x attempted to restore snapshot but it is not in the ConfState %s; should never happen", id,
                        protoText(e.snapshot().configuration()));
            case Event.SnapshotTaken(boolean restored, long committed, SnapshotMeta snapshot) ->
                info("%x [commit: %d] %s snapshot [index: %d, term: %d]", id, committed,
                        restored ? "restored" : "ignored", snapshot.index(), snapshot.term());
            case Event.ConfigurationSwitched(ConfState configuration) ->
                info("%x switched to configuration %s", id, configuration);
            case Event.ConfChangeRefused(ConfChange change, ConfState configuration, String reason) ->
                info("%x ignoring conf change %s at config %s: %s", id, confChange(change), configuration, reason);
            case Event.LeavingJoint(ConfState configuration) ->
                info("initiating automatic transition out of joint configuration %s", configuration);
            case Event.StayingJoint(ConfState configuration, Effect.Reason reason) ->
                debug("not initiating automatic transition out of joint configuration %s: raft proposal dropped",
                        configuration);
            case Event.QuorumLost() -> warn("%x stepped down to follower since quorum is not active", id);
            case Event.ProposalDropped e -> proposalDropped(id, e);
            case Event.TransferStarted(long to, long term) ->
                info("%x [term %d] starts to transfer leadership to %x", id, term, to);
            case Event.TransferAborted(long to, long term, boolean forAnother) ->
                forAnother ? info("%x [term %d] abort previous transferring leadership to %x", id, term, to) : null;
            case Event.TransferIgnored e -> transferIgnored(id, e);
            case Event.TimeoutNowSent(long to, boolean atOnce) -> atOnce
                    ? info("%x sends MsgTimeoutNow to %x immediately as %x already has up-to-date log", id, to, to)
                    : info("%x sent MsgTimeoutNow to %x after received MsgAppResp", id, to);
            case Event.TimeoutNowReceived(long from, long term, var role) -> role == RaftCore.Role.FOLLOWER
                    ? info("%x [term %d] received MsgTimeoutNow from %x and starts an election to get leadership.", id,
                            term, from)
                    : debug("%x [term %d state %s] ignored MsgTimeoutNow from %x", id, term, role(role), from);
            case Event.LeaderForgotten(long leader, long term) ->
                info("%x forgetting leader %x at term %d", id, leader, term);
            case Event.ForgetLeaderIgnored() ->
                new LogLine(Level.ERROR, "ignoring MsgForgetLeader due to ReadOnlyLeaseBased");
        };
    }

    /** As protobuf prints it, but for its spaces, of which it takes one or two as it likes. */
    private static String protoText(ConfState state) {
        StringBuilder text = new StringBuilder();
        state.voters().forEach(id -> text.append("voters:").append(id).append(' '));
        state.learners().forEach(id -> text.append("learners:").append(id).append(' '));
        state.votersOutgoing().forEach(id -> text.append("voters_outgoing:").append(id).append(' '));
        state.learnersNext().forEach(id -> text.append("learners_next:").append(id).append(' '));
        return text.append("auto_leave:").append(state.autoLeave()).toString();
    }

    static LogLine stale(long id, Message message, long term) {
        return info("%x [term: %d] ignored a %s message with lower term from %x [term: %d]", id, term, type(message),
                message.from(), message.term());
    }

    private static LogLine voteAnswered(long id, Event.VoteAnswered e) {
        Message.VoteRequest m = e.request();
        String head = "%x [logterm: %d, index: %d, vote: %x]".formatted(id, e.lastTerm(), e.lastIndex(), e.vote());
        String tail = "[logterm: %d, index: %d] at term %d".formatted(m.lastTerm(), m.lastIndex(), e.term());
        return switch (e.answer()) {
            case CAST -> info("%s cast %s for %x %s", head, type(m), m.from(), tail);
            case REJECTED -> info("%s rejected %s from %x %s", head, type(m), m.from(), tail);
            case IGNORED_IN_LEASE ->
                info("%s ignored %s from %x %s: lease is not expired (remaining ticks: %d)", head, type(m), m.from(),
                        tail, e.remainingTicks());
        };
    }

    private static @Nullable LogLine proposalDropped(long id, Event.ProposalDropped e) {
        return switch (e.reason()) {
            case NO_LEADER -> info("%x no leader at term %d; dropping proposal", id, e.term());
            case FORWARDING_DISABLED ->
                info("%x not forwarding to leader %x at term %d; dropping proposal", id, e.peer(), e.term());
            case LEADERSHIP_TRANSFER ->
                debug("%x [term %d] transfer leadership to %x is in progress; dropping proposal", id, e.term(),
                        e.peer());
            case TOO_MUCH_UNCOMMITTED ->
                warn("%x appending new entries to log would exceed uncommitted entry size limit; dropping proposal",
                        id);
            case NOT_A_MEMBER, MALFORMED -> null;
        };
    }

    private static LogLine transferIgnored(long id, Event.TransferIgnored e) {
        return switch (e.reason()) {
            case NO_LEADER -> info("%x no leader at term %d; dropping leader transfer msg", id, e.term());
            case NOT_A_MEMBER -> debug("%x no progress available for %x", id, e.to());
            case LEARNER -> debug("%x is learner. Ignored transferring leadership", id);
            case UNDER_WAY ->
                info("%x [term %d] transfer leadership to %x is in progress, ignores request to same node %x", id,
                        e.term(), e.to(), e.to());
            case LEADS_ALREADY -> debug("%x is already leader. Ignored transferring leadership to self", id);
        };
    }

    static String type(Message message) {
        return switch (message) {
            case Message.Append m -> "MsgApp";
            case Message.AppendAccepted m -> "MsgAppResp";
            case Message.AppendRejected m -> "MsgAppResp";
            case Message.Heartbeat m -> "MsgHeartbeat";
            case Message.HeartbeatAnswer m -> "MsgHeartbeatResp";
            case Message.VoteRequest m -> voteType(m.pre());
            case Message.VoteAnswer m -> voteType(m.pre()) + "Resp";
            case Message.InstallSnapshot m -> "MsgSnap";
            case Message.Propose m -> "MsgProp";
            case Message.ReadIndex m -> "MsgReadIndex";
            case Message.ReadIndexAnswer m -> "MsgReadIndexResp";
            case Message.TransferLeader m -> "MsgTransferLeader";
            case Message.TimeoutNow m -> "MsgTimeoutNow";
        };
    }

    static String voteType(boolean pre) {
        return pre ? "MsgPreVote" : "MsgVote";
    }

    static String role(RaftCore.Role role) {
        return switch (role) {
            case FOLLOWER -> "StateFollower";
            case PRE_CANDIDATE -> "StatePreCandidate";
            case CANDIDATE -> "StateCandidate";
            case LEADER -> "StateLeader";
        };
    }

    static String confChange(ConfChange change) {
        String transition = switch (change.transition()) {
            case AUTO -> "ConfChangeTransitionAuto";
            case JOINT_IMPLICIT -> "ConfChangeTransitionJointImplicit";
            case JOINT_EXPLICIT -> "ConfChangeTransitionJointExplicit";
        };
        return "transition:" + transition + change.changes().stream()
                .map(one -> " changes:{type:" + kind(one.kind()) + " node_id:" + one.node() + "}")
                .collect(Collectors.joining());
    }

    private static String kind(ConfChange.Kind kind) {
        return switch (kind) {
            case ADD_VOTER -> "ConfChangeAddNode";
            case ADD_LEARNER -> "ConfChangeAddLearnerNode";
            case REMOVE -> "ConfChangeRemoveNode";
            case UPDATE -> "ConfChangeUpdateNode";
        };
    }
}
