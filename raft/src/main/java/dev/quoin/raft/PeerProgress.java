package dev.quoin.raft;

/** How a leader sees one member, at one moment. */
public record PeerProgress(long peer, State state, long match, long next, boolean learner, boolean paused,
        long pendingSnapshot, boolean recentlyActive, int inflight, boolean inflightFull) {
    /** How a leader sends to a follower. */
    public enum State {
        /** It is not known where the follower is: one message at a time. */
        PROBE,
        /** The logs agree up to a point: messages are sent ahead of their acknowledgements. */
        REPLICATE,
        /** It needs what the log no longer has: nothing is sent until the snapshot is there. */
        SNAPSHOT
    }

    /** As etcd's logs have it. */
    @Override
    public String toString() {
        String name = switch (state) {
            case PROBE -> "StateProbe";
            case REPLICATE -> "StateReplicate";
            case SNAPSHOT -> "StateSnapshot";
        };
        return name + " match=" + match + " next=" + next + (learner ? " learner" : "") + (paused ? " paused" : "")
                + (pendingSnapshot > 0 ? " pendingSnap=" + pendingSnapshot : "") + (recentlyActive ? "" : " inactive")
                + (inflight > 0 ? " inflight=" + inflight : "") + (inflight > 0 && inflightFull ? "[full]" : "");
    }
}
