package dev.quoin.member;

import java.time.Duration;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;

import dev.quoin.raft.PeerProgress;

/**
 * Whom a leader asks to lead in its place when it cannot do what a leader must, and how often. That another one can is not known
 * beforehand: it may be just as unfit, and then it asks in its turn. So that leadership does not go to and fro, whoever gets it
 * back in this way keeps it for a while; and so that all are tried, nobody returns it to where it comes from if there is
 * another choice. Who is elected because the others were gone may ask as soon as somebody is there again.
 *
 * <p>Owned by the {@link RaftLoop}; times are those of its clock.
 */
final class Succession {
    /** After an election timeout a transfer is given up, and the leader takes proposals again: as a rule it does. */
    private static final int ELECTIONS_BETWEEN = 5;
    private static final long RETURNED_NANOS = Duration.ofMinutes(5).toNanos();

    private final long electionNanos;
    private long askedNanos;
    /** Whom this member asked to lead or who asked it, whichever was last; 0 for nobody. */
    private long partner;
    /** Whether this member was asked to lead, and has not asked anybody since. */
    private boolean isInvited;

    Succession(long electionNanos, long nowNanos) {
        this.electionNanos = electionNanos;
        askedNanos = nowNanos - RETURNED_NANOS;
    }

    /** Whether this member, which leads, may ask another to. */
    boolean mayAsk(long nowNanos) {
        return nowNanos - askedNanos >= (isInvited ? RETURNED_NANOS : ELECTIONS_BETWEEN * electionNanos);
    }

    /** A voter that is alive and follows closely, the closest first; empty if there is none. */
    Optional<PeerProgress> heir(long self, List<PeerProgress> progress) {
        return progress.stream().filter(seen -> seen.peer() != self && !seen.learner() && seen.recentlyActive()
                && seen.state() == PeerProgress.State.REPLICATE)
                .max(Comparator.<PeerProgress, Boolean>comparing(seen -> seen.peer() != partner)
                        .thenComparingLong(PeerProgress::match).thenComparingLong(PeerProgress::peer));
    }

    void asked(long peer, long nowNanos) {
        askedNanos = nowNanos;
        partner = peer;
        isInvited = false;
    }

    /** The leader asks this member to lead. */
    void invited(long by) {
        partner = by;
        isInvited = true;
    }
}
