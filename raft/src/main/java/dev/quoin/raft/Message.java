package dev.quoin.raft;

import java.util.List;

import dev.quoin.base.Bytes;

/**
 * What members say to one another. Each is one of raftpb's message types or one of its two uses, with the fields that
 * type uses; how they look on the wire is no business of this room.
 *
 * <p>{@code term} is the sender's, but for requests for votes and their answers, where it is the one that is asked for,
 * and for what a follower passes on to its leader ({@link Propose}, {@link ReadIndex}), which has none: 0.
 */
public sealed interface Message {
    long from();

    long to();

    default long term() {
        return 0;
    }

    /**
     * MsgApp: a leader's entries behind the one at {@code prevIndex}, and how far it has committed. Without entries it asks
     * where the follower is, or only tells the commit index.
     */
    record Append(long from, long to, long term, long prevIndex, long prevTerm, List<Entry> entries, long commit)
            implements
                Message {}

    /** MsgAppResp: the logs are the same up to {@code index}, durably; 0 says nothing but the term. */
    record AppendAccepted(long from, long to, long term, long index) implements Message {}

    /**
     * MsgAppResp, rejected: the follower does not have the entry at {@code index} in the leader's term. The logs may agree
     * at {@code hintIndex}, where the follower's has {@code hintTerm}; 0 if it does not know.
     */
    record AppendRejected(long from, long to, long term, long index, long hintIndex, long hintTerm)
            implements
                Message {}

    /**
     * MsgHeartbeat: the leader lives. {@code commit} is no further than what the follower is known to hold. {@code context}
     * comes back as it is; a leader of ours puts the number of its newest read round there, or nothing.
     */
    record Heartbeat(long from, long to, long term, long commit, Bytes context) implements Message {}

    /** MsgHeartbeatResp. */
    record HeartbeatAnswer(long from, long to, long term, Bytes context) implements Message {}

    /**
     * MsgVote, or MsgPreVote if {@code pre}, of a node whose log ends at {@code lastIndex}. {@code transfer}: the leader
     * asked for this election, so a follower that hears its leader votes too.
     */
    record VoteRequest(long from, long to, long term, boolean pre, long lastIndex, long lastTerm, boolean transfer)
            implements
                Message {}

    /** MsgVoteResp, or MsgPreVoteResp. */
    record VoteAnswer(long from, long to, long term, boolean pre, boolean granted) implements Message {}

    /**
     * MsgSnap: the follower needs what is no longer in the log. The shell sends the state itself beside it; a state that is
     * further on by then is as good, under its own place in the log. Who receives it gives this to the core only once the
     * state is on stable storage.
     */
    record InstallSnapshot(long from, long to, long term, SnapshotMeta snapshot) implements Message {}

    /** MsgProp: a follower passes on what it was asked to propose. */
    record Propose(long from, long to, List<Input.Proposal> proposals) implements Message {}

    /** MsgReadIndex: a follower asks up to where it must apply before it may read. */
    record ReadIndex(long from, long to, Bytes context) implements Message {}

    /** MsgReadIndexResp. */
    record ReadIndexAnswer(long from, long to, long term, long index, Bytes context) implements Message {}

    /** MsgTransferLeader: {@code from} is not the sender but who shall lead. */
    record TransferLeader(long from, long to, long term) implements Message {}

    /** MsgTimeoutNow: stand for election at once. */
    record TimeoutNow(long from, long to, long term) implements Message {}
}
