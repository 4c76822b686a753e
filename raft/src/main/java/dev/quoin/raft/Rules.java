package dev.quoin.raft;

import dev.quoin.base.Invariant;

/**
 * How a node behaves; the same for all members of a cluster.
 *
 * @param electionTicks how many silent ticks make a follower stand for election: at least these, less than twice these
 * @param heartbeatTicks how often a leader says that it lives
 * @param preVote ask whether an election could be won before the term is raised (Raft thesis §9.6)
 * @param checkQuorum a leader that hears no quorum for an election timeout steps down; a follower that hears its leader
 *        votes for nobody
 * @param leaseReads a leader answers reads without asking a quorum, trusting {@code checkQuorum} and time
 * @param stepDownOnRemoval a leader that is no longer a voter steps down when the change is applied
 * @param forwardProposals a follower passes proposals on to its leader
 * @param checkConfChanges a leader refuses a change of members while another may not be applied yet
 */
public record Rules(int electionTicks, int heartbeatTicks, boolean preVote, boolean checkQuorum, boolean leaseReads,
        boolean stepDownOnRemoval, boolean forwardProposals, boolean checkConfChanges) {
    public Rules {
        Invariant.check(heartbeatTicks > 0, "heartbeats every %d ticks", heartbeatTicks);
        Invariant.check(electionTicks > heartbeatTicks, "election after %d ticks, heartbeat after %d", electionTicks,
                heartbeatTicks);
        Invariant.check(!leaseReads || checkQuorum, "reads by lease need the check of the quorum");
    }

    /** What etcd 3.7 sets, with its choice of ticks. */
    public static Rules etcd(int electionTicks) {
        return etcd(electionTicks, true);
    }

    /** The same with or without {@link #preVote}, {@code --pre-vote}. */
    public static Rules etcd(int electionTicks, boolean preVote) {
        return new Rules(electionTicks, 1, preVote, true, false, false, true, true);
    }
}
