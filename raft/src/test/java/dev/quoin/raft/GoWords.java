package dev.quoin.raft;

import java.util.List;
import java.util.stream.Collectors;

import org.jspecify.annotations.Nullable;

/** What the reference prints for the things of this room, word for word. */
final class GoWords {
    private GoWords() {}

    static String hex(long id) {
        return Long.toHexString(id);
    }

    static String role(RaftCore.Role role) {
        return switch (role) {
            case FOLLOWER -> "StateFollower";
            case PRE_CANDIDATE -> "StatePreCandidate";
            case CANDIDATE -> "StateCandidate";
            case LEADER -> "StateLeader";
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

    static String message(Message message) {
        String head = hex(message.from()) + "->" + hex(message.to()) + " " + type(message) + " Term:" + message.term();
        return head + switch (message) {
            case Message.Append m -> log(m.prevTerm(), m.prevIndex()) + commit(m.commit()) + entries(m.entries(), "");
            case Message.AppendAccepted m -> log(0, m.index());
            case Message.AppendRejected m -> log(m.hintTerm(), m.index()) + " Rejected (Hint: " + m.hintIndex() + ")";
            case Message.Heartbeat m -> log(0, 0) + commit(m.commit());
            case Message.HeartbeatAnswer m -> log(0, 0);
            case Message.VoteRequest m -> log(m.lastTerm(), m.lastIndex());
            case Message.VoteAnswer m -> log(0, 0) + (m.granted() ? "" : " Rejected (Hint: 0)");
            case Message.InstallSnapshot m -> log(0, 0) + "\n  Snapshot: " + snapshot(m.snapshot());
            case Message.Propose m -> log(0, 0) + entries(m.proposals().stream()
                    .map(proposal -> new Entry(0, 0, proposal.kind(), proposal.data())).toList(), "");
            case Message.ReadIndex m -> log(0, 0);
            case Message.ReadIndexAnswer m -> log(0, m.index());
            case Message.TransferLeader m -> log(0, 0);
            case Message.TimeoutNow m -> log(0, 0);
        };
    }

    private static String log(long term, long index) {
        return " Log:" + term + "/" + index;
    }

    static String commit(long commit) {
        return commit == 0 ? "" : " Commit:" + commit;
    }

    static String entries(List<Entry> entries, String indent) {
        if (entries.isEmpty()) {
            return "";
        }
        if (entries.size() == 1) {
            return " Entries:[" + entry(entries.getFirst()) + "]";
        }
        return entries.stream().map(entry -> "\n" + indent + "  " + entry(entry))
                .collect(Collectors.joining("", " Entries:[", "\n" + indent + "]"));
    }

    static String entry(Entry entry) {
        String head = entry.term() + "/" + entry.index() + " ";
        return head + switch (entry.kind()) {
            case NORMAL -> "EntryNormal \"" + entry.data().toUtf8().replace("\"", "\\\"") + '"';
            case CONF_CHANGE -> "EntryConfChange" + changes(entry);
            case CONF_CHANGE_V2 -> "EntryConfChangeV2" + changes(entry);
        };
    }

    private static String changes(Entry entry) {
        return ConfChange.decode(entry.kind(), entry.data()).changes().stream()
                .map(change -> " " + letter(change.kind()) + Long.toUnsignedString(change.node()))
                .collect(Collectors.joining());
    }

    private static String letter(ConfChange.Kind kind) {
        return switch (kind) {
            case ADD_VOTER -> "v";
            case ADD_LEARNER -> "l";
            case REMOVE -> "r";
            case UPDATE -> "u";
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

    static String snapshot(SnapshotMeta snapshot) {
        ConfState state = snapshot.configuration();
        return "Index:" + snapshot.index() + " Term:" + snapshot.term() + " ConfState:Voters:" + ids(state.voters())
                + " VotersOutgoing:" + ids(state.votersOutgoing()) + " Learners:" + ids(state.learners())
                + " LearnersNext:" + ids(state.learnersNext()) + " AutoLeave:" + state.autoLeave();
    }

    private static String ids(List<Long> ids) {
        return ids.stream().map(String::valueOf).collect(Collectors.joining(" ", "[", "]"));
    }

    static String hardState(HardState state) {
        return "Term:" + state.term() + (state.vote() == 0 ? "" : " Vote:" + state.vote()) + " Commit:"
                + state.commit();
    }

    static String progress(PeerProgress progress) {
        String state = switch (progress.state()) {
            case PROBE -> "StateProbe";
            case REPLICATE -> "StateReplicate";
            case SNAPSHOT -> "StateSnapshot";
        };
        return state + " match=" + progress.match() + " next=" + progress.next()
                + (progress.learner() ? " learner" : "") + (progress.paused() ? " paused" : "")
                + (progress.pendingSnapshot() > 0 ? " pendingSnap=" + progress.pendingSnapshot() : "")
                + (progress.recentlyActive() ? "" : " inactive")
                + (progress.inflight() > 0 ? " inflight=" + progress.inflight() : "")
                + (progress.inflight() > 0 && progress.inflightFull() ? "[full]" : "");
    }

    /** A line of the reference's log: its level, and its text for the node with this id. */
    record Line(Level level, String text) {}

    enum Level {
        DEBUG,
        INFO,
        WARN,
        ERROR,
        FATAL,
        NONE
    }

    private static Line info(String format, Object... args) {
        return new Line(Level.INFO, format.formatted(args));
    }

    private static Line debug(String format, Object... args) {
        return new Line(Level.DEBUG, format.formatted(args));
    }

    private static Line warn(String format, Object... args) {
        return new Line(Level.WARN, format.formatted(args));
    }

    static List<Line> lines(long id, Event event) {
        Line line = line(id, event);
        if (line != null && event instanceof Event.SnapshotSent sent) {
            return List.of(line, debug("%x paused sending replication messages to %x [%s]", id, sent.peer(),
                    progress(sent.after())));
        }
        return line == null ? List.of() : List.of(line);
    }

    private static @Nullable Line line(long id, Event event) {
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
            case Event.Refused refused -> null;
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
                debug("%x decreased progress of %x to [%s]", id, peer, progress(progress));
            case Event.SnapshotWithheld(long peer) ->
                debug("ignore sending snapshot to %x since it is not recently active", peer);
            case Event.SnapshotSent e ->
                debug("%x [firstindex: %d, commit: %d] sent snapshot[index: %d, term: %d] to %x [%s]", id,
                        e.firstIndex(), e.committed(), e.snapshot().index(), e.snapshot().term(), e.peer(),
                        progress(e.before()));
            case Event.RecoveredFromSnapshot(long peer, PeerProgress progress) ->
                debug("%x recovered from needing snapshot, resumed sending replication messages to %x [%s]", id, peer,
                        progress(progress));
            case Event.SnapshotReported(long peer, boolean arrived, PeerProgress progress) ->
                debug("%x snapshot %s, resumed sending replication messages to %x [%s]", id,
                        arrived ? "succeeded" : "failed", peer, progress(progress));
            case Event.PeerUnreachable(long peer, PeerProgress progress) ->
                debug("%x failed to send message to %x because it is unreachable [%s]", id, peer, progress(progress));
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
                new Line(Level.ERROR, "ignoring MsgForgetLeader due to ReadOnlyLeaseBased");
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

    static Line stale(long id, Message message, long term) {
        return info("%x [term: %d] ignored a %s message with lower term from %x [term: %d]", id, term, type(message),
                message.from(), message.term());
    }

    private static Line voteAnswered(long id, Event.VoteAnswered e) {
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

    private static @Nullable Line proposalDropped(long id, Event.ProposalDropped e) {
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

    private static Line transferIgnored(long id, Event.TransferIgnored e) {
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
}
