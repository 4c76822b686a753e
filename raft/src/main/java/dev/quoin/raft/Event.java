package dev.quoin.raft;

/** What happened inside a node, for those who read logs. Ids and numbers as in {@link Message}. */
public sealed interface Event {
    record BecameFollower(long term) implements Event {}

    record BecamePreCandidate(long term) implements Event {}

    record BecameCandidate(long term) implements Event {}

    record BecameLeader(long term) implements Event {}

    record ElectionStarted(long term) implements Event {}

    /** It leads already. */
    record CampaignIgnored() implements Event {}

    /** An election was due, and this node is no voter or waits for a snapshot. */
    record CannotCampaign() implements Event {}

    /** An election was due, and committed changes of the members are not applied yet. */
    record CampaignBlocked(long term) implements Event {}

    /** {@code term} is the node's own, the request has the one it asks for. */
    record VoteRequested(Message.VoteRequest request, long term) implements Event {}

    record VoteReceived(long from, boolean pre, boolean granted, long term) implements Event {}

    record VotesCounted(boolean pre, int granted, int rejected) implements Event {}

    /** How a request for a vote was answered by a node whose log ends at {@code lastIndex}. */
    record VoteAnswered(Message.VoteRequest request, Answer answer, long lastTerm, long lastIndex, long vote, long term,
            int remainingTicks) implements Event {}

    enum Answer {
        CAST,
        REJECTED,
        /** Not answered: the leader has been heard within an election timeout. */
        IGNORED_IN_LEASE
    }

    record HigherTerm(Message message, long term) implements Event {}

    record StaleMessage(Message message, long term) implements Event {}

    /** The message cannot be, or hurts: it changed nothing. */
    record Refused(Message message, Refusal refusal) implements Event {}

    /** Why a message was refused. */
    enum Refusal {
        UNKNOWN_PEER("its sender is not a member that this node knows"),
        NOT_FOR_US("it is addressed to another member, or comes from this one"),
        NUMBERS("a term or an index is zero or beyond 2^63"),
        ENTRIES("its entries do not follow one another"),
        CONFLICT_WITH_COMMITTED("it would replace an entry that is committed"),
        COMMIT_BEYOND_LOG("it says that entries are committed which this node does not have: one of the logs was lost"),
        TOO_MANY_READS("too many reads of other members wait already"),
        ACKNOWLEDGES_TOO_MUCH("it acknowledges what was never sent"),
        SECOND_LEADER("two members lead in one term"),
        CONFIGURATION("its configuration cannot be"),
        PROPOSAL("it proposes nothing, or a change of members that cannot be read");

        private final String text;

        Refusal(String text) {
            this.text = text;
        }

        public String text() {
            return text;
        }
    }

    record ConflictFound(long index, long existingTerm, long conflictingTerm) implements Event {}

    /** The log from {@code index} on is about to be replaced. */
    record Truncated(long index) implements Event {}

    record AppendRefused(Message.Append append, long ownTerm) implements Event {}

    record RejectionReceived(Message.AppendRejected rejection) implements Event {}

    record ProgressDecreased(long peer, PeerProgress progress) implements Event {}

    /** A follower of which nothing was heard for long is not sent a snapshot. */
    record SnapshotWithheld(long peer) implements Event {}

    record SnapshotSent(long peer, long firstIndex, long committed, SnapshotMeta snapshot, PeerProgress before,
            PeerProgress after) implements Event {}

    record RecoveredFromSnapshot(long peer, PeerProgress progress) implements Event {}

    record SnapshotReported(long peer, boolean arrived, PeerProgress progress) implements Event {}

    record PeerUnreachable(long peer, PeerProgress progress) implements Event {}

    record RestoreStarted(long committed, long applied, long handedOver, long lastIndex, SnapshotMeta snapshot)
            implements
                Event {}

    record LogRestored(long committed, long lastIndex, long lastTerm, SnapshotMeta snapshot) implements Event {}

    /** The log holds the snapshot's entry already: only the commit index moves. */
    record FastForwarded(long committed, long lastIndex, long lastTerm, SnapshotMeta snapshot) implements Event {}

    record SnapshotNotForUs(SnapshotMeta snapshot) implements Event {}

    record SnapshotTaken(boolean restored, long committed, SnapshotMeta snapshot) implements Event {}

    record ConfigurationSwitched(ConfState configuration) implements Event {}

    record ConfChangeRefused(ConfChange change, ConfState configuration, String reason) implements Event {}

    record LeavingJoint(ConfState configuration) implements Event {}

    /** It is tried again with the next entry that is applied. */
    record StayingJoint(ConfState configuration, Effect.Reason reason) implements Event {}

    record QuorumLost() implements Event {}

    /** {@code peer}: the leader they were not forwarded to, or who shall lead; 0 for nobody. */
    record ProposalDropped(Effect.Reason reason, long peer, long term) implements Event {}

    record TransferStarted(long to, long term) implements Event {}

    /** {@code forAnother}: somebody else shall lead now; else it took too long, or the target is no voter any more. */
    record TransferAborted(long to, long term, boolean forAnother) implements Event {}

    record TransferIgnored(long to, long term, Ignored reason) implements Event {}

    /** Why a transfer did not begin. */
    enum Ignored {
        NO_LEADER,
        NOT_A_MEMBER,
        LEARNER,
        UNDER_WAY,
        LEADS_ALREADY
    }

    /** {@code atOnce}: it held the whole log when the transfer began. */
    record TimeoutNowSent(long to, boolean atOnce) implements Event {}

    /** Heeded by a follower; a candidate stands for election already. */
    record TimeoutNowReceived(long from, long term, RaftCore.Role role) implements Event {}

    record LeaderForgotten(long leader, long term) implements Event {}

    /** Reads trust the lease of the leader, so nobody may forget it. */
    record ForgetLeaderIgnored() implements Event {}
}
