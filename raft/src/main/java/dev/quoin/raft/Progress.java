package dev.quoin.raft;

import dev.quoin.base.Invariant;

/**
 * What a leader knows of one member's log, and how it sends to it: {@code match < next}. Entries up to {@code match} are
 * known to be there, those between are on their way.
 */
final class Progress {
    private static final int SILENT_CHECKS_MAX = 2;

    private final Inflights inflights;
    private final boolean learner;
    private PeerProgress.State state = PeerProgress.State.PROBE;
    private long match;
    private long next;
    /** The highest commit index on its way to the follower; not known to have arrived. */
    private long sentCommit;
    private long pendingSnapshot;
    private boolean recentlyActive;
    /** Nothing is sent until the follower answers: it is probed, or too much is in flight. */
    private boolean flowPaused;
    /** It was sent a snapshot, and is not yet near the end of the log again. */
    private boolean catchingUp;
    /** How often in a row nothing was heard of it when the quorum was checked. */
    private int silentChecks;
    /** The newest read round that the member has confirmed. */
    private long confirmedRound;

    Progress(long match, long next, boolean learner, boolean recentlyActive, RaftLimits limits) {
        this.match = match;
        this.next = next;
        this.learner = learner;
        this.recentlyActive = recentlyActive;
        inflights = new Inflights(limits.inflightMessagesMax(), limits.inflightBytesMax());
        Invariant.check(match < next, "match %d, next %d", match, next);
    }

    private Progress(Progress other, boolean learner) {
        this.learner = learner;
        inflights = other.inflights;
        state = other.state;
        match = other.match;
        next = other.next;
        sentCommit = other.sentCommit;
        pendingSnapshot = other.pendingSnapshot;
        recentlyActive = other.recentlyActive;
        flowPaused = other.flowPaused;
        confirmedRound = other.confirmedRound;
        catchingUp = other.catchingUp;
        silentChecks = other.silentChecks;
    }

    /** The same member, promoted or demoted. */
    Progress asLearner(boolean isLearner) {
        return learner == isLearner ? this : new Progress(this, isLearner);
    }

    long match() {
        return match;
    }

    long next() {
        return next;
    }

    boolean isLearner() {
        return learner;
    }

    PeerProgress.State state() {
        return state;
    }

    boolean isRecentlyActive() {
        return recentlyActive;
    }

    void setRecentlyActive(boolean active) {
        recentlyActive = active;
    }

    /** The quorum is checked: from now on it counts whether it is heard again. */
    void checked() {
        silentChecks = recentlyActive ? 0 : silentChecks + 1;
        recentlyActive = false;
    }

    /** Whether the log should be kept longer for it: as long as a snapshot is on its way, and then while it lives. */
    boolean isCatchingUp() {
        return state == PeerProgress.State.SNAPSHOT || (catchingUp && silentChecks < SILENT_CHECKS_MAX);
    }

    /** It is near the end of the log. */
    void caughtUp() {
        catchingUp = false;
    }

    long confirmedRound() {
        return confirmedRound;
    }

    void confirm(long round) {
        confirmedRound = Math.max(confirmedRound, round);
    }

    void probe() {
        long sent = state == PeerProgress.State.SNAPSHOT ? pendingSnapshot : 0;
        enter(PeerProgress.State.PROBE);
        next = Math.max(match, sent) + 1;
        sentCommit = Math.min(sentCommit, next - 1);
    }

    void replicate() {
        enter(PeerProgress.State.REPLICATE);
        next = match + 1;
    }

    void awaitSnapshot(long index) {
        enter(PeerProgress.State.SNAPSHOT);
        catchingUp = true;
        pendingSnapshot = index;
        next = index + 1;
        sentCommit = index;
    }

    /** The snapshot did not arrive: it says nothing about where to go on. */
    void forgetSnapshot() {
        pendingSnapshot = 0;
    }

    private void enter(PeerProgress.State entered) {
        flowPaused = false;
        pendingSnapshot = 0;
        state = entered;
        inflights.clear();
    }

    void pause() {
        flowPaused = true;
    }

    void resume() {
        flowPaused = false;
    }

    boolean isPaused() {
        return flowPaused || state == PeerProgress.State.SNAPSHOT;
    }

    /** Whether entries may be sent, beyond a message without any that only asks for an answer. */
    boolean mayTakeEntries() {
        return state != PeerProgress.State.REPLICATE || !inflights.isFull();
    }

    void sentEntries(int entries, long bytes) {
        switch (state) {
            case REPLICATE -> {
                if (entries > 0) {
                    next += entries;
                    inflights.add(next - 1, bytes);
                }
                flowPaused = inflights.isFull();
            }
            case PROBE -> flowPaused |= entries > 0;
            case SNAPSHOT -> throw Invariant.violation("entries sent to a member that waits for a snapshot");
        }
    }

    void sentCommit(long commit) {
        sentCommit = commit;
    }

    /** Whether telling {@code commit} could move the member's own commit index. */
    boolean wouldGainFrom(long commit) {
        return commit > sentCommit && sentCommit < next - 1;
    }

    /** The member holds everything up to {@code index}. Says whether that is news. */
    boolean acknowledged(long index) {
        if (index <= match) {
            return false;
        }
        match = index;
        next = Math.max(next, index + 1);
        flowPaused = false;
        return true;
    }

    void freeInflightTo(long index) {
        inflights.freeTo(index);
    }

    /**
     * The member does not hold the entry {@code rejected} that it was asked to append behind. Moves {@code next} back and
     * says so, unless the rejection is an old one.
     */
    boolean rejected(long rejected, long matchHint) {
        if (state == PeerProgress.State.REPLICATE) {
            if (rejected <= match) {
                return false;
            }
            next = match + 1;
            sentCommit = Math.min(sentCommit, next - 1);
            return true;
        }
        // One message at a time is under way: a rejection of any other is an old one.
        if (rejected != next - 1) {
            return false;
        }
        next = Math.max(Math.min(rejected, matchHint + 1), match + 1);
        sentCommit = Math.min(sentCommit, next - 1);
        flowPaused = false;
        return true;
    }

    long pendingSnapshot() {
        return pendingSnapshot;
    }

    PeerProgress seen(long id) {
        return new PeerProgress(id, state, match, next, learner, isPaused(), pendingSnapshot, recentlyActive,
                inflights.count(), inflights.isFull());
    }
}
