package dev.quoin.raft;

/**
 * What a node must remember over a crash (Raft figure 2): its term, whom it voted for in it (0: nobody), and how far the
 * log is known to be committed. {@code commit} may be behind the truth after a crash, never ahead.
 */
public record HardState(long term, long vote, long commit) {
    public static final HardState EMPTY = new HardState(0, 0, 0);

    /** Whether going from {@code before} to this must be synced before anyone hears of it; a commit alone need not be. */
    public boolean mustSync(HardState before) {
        return term != before.term || vote != before.vote;
    }
}
