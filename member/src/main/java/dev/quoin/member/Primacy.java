package dev.quoin.member;

/**
 * Whether this member is the primary lessor: it leads, and has applied all that was agreed upon before its term. And how
 * sure it is: that it led a moment ago is known only if a quorum has followed it since. Times are those of the
 * {@link Lessor}, which owns it.
 */
final class Primacy {
    /** How late a turn may come before the process counts as having stood still, in ticks; together with the one it waited. */
    private static final int LATE_TICKS = 2;
    /** How long after that no lease ends. */
    private static final int CALM_TICKS = 3;
    private static final long NEVER = Long.MIN_VALUE / 2;

    private final long tickNanos;
    private final long electionNanos;
    /** The term in which this member leads, 0 for none. */
    private long term;
    private boolean isPrimary;
    private long promotion;
    private long promotedNanos;

    private long confirmedNanos = NEVER;
    private boolean isAsking;

    private long wantedNanos = Long.MAX_VALUE;
    private long calmNanos = NEVER;
    private boolean hasBeenCalm = true;

    Primacy(long tickNanos, int electionTicks) {
        this.tickNanos = tickNanos;
        electionNanos = tickNanos * electionTicks;
    }

    /** In which this member leads, whether it is the primary already or not; 0 if it does not. */
    long term() {
        return term;
    }

    boolean isPrimary() {
        return isPrimary;
    }

    /** Of how many this is the last. */
    long promotion() {
        return promotion;
    }

    long promotedNanos() {
        return promotedNanos;
    }

    /** What a new primary gives each lease beside its time: its predecessor may have renewed it after being succeeded. */
    long extensionNanos() {
        return electionNanos;
    }

    // ---- the office

    /** Not the primary yet. */
    void leads(long inTerm) {
        term = inTerm;
    }

    /** The empty entry of a term is applied; says whether this member is to be promoted by it. */
    boolean begun(long begun) {
        return begun == term && !isPrimary;
    }

    void promote(long nowNanos) {
        isPrimary = true;
        promotion++;
        promotedNanos = nowNanos;
        confirmedNanos = NEVER;
        isAsking = false;
        wantedNanos = Long.MAX_VALUE;
        calmNanos = NEVER;
        hasBeenCalm = true;
    }

    /** Says whether it was the primary. */
    boolean demote() {
        boolean was = isPrimary;
        isPrimary = false;
        term = 0;
        return was;
    }

    // ---- a quorum

    /** Whether a quorum has followed this leader lately enough for what it promises now to be kept by any other. */
    boolean isFresh(long nowNanos) {
        return nowNanos - confirmedNanos <= electionNanos / 2;
    }

    /** Whether it is time to ask the quorum again, so that nobody has to wait for that. */
    boolean isGettingStale(long nowNanos) {
        return nowNanos - confirmedNanos > electionNanos / 4;
    }

    /** Whether the quorum is to be asked now: not if it is being asked already. */
    boolean ask() {
        boolean isFirst = !isAsking;
        isAsking = true;
        return isFirst;
    }

    void confirmed(long underPromotion, long askedNanos, boolean isSo) {
        if (isPrimary && underPromotion == promotion) {
            isAsking = false;
            confirmedNanos = isSo ? Math.max(confirmedNanos, askedNanos) : confirmedNanos;
        }
    }

    // ---- standing still

    /** A turn begins. One that comes much later than it was wanted finds that the process has stood still. */
    void turn(long nowNanos) {
        boolean isLate = wantedNanos != Long.MAX_VALUE && nowNanos - wantedNanos > LATE_TICKS * tickNanos;
        // One that always stands still must come to an end of leases, too: so not twice without a look in between.
        if (isLate && hasBeenCalm) {
            calmNanos = nowNanos + CALM_TICKS * tickNanos;
            hasBeenCalm = false;
        }
    }

    /** The turn is over, and the next is wanted after so long. */
    void nextTurn(long nowNanos, long waitNanos) {
        wantedNanos = waitNanos == Long.MAX_VALUE ? Long.MAX_VALUE : nowNanos + waitNanos;
    }

    /** Whether the process has run for long enough that renewals which wait in sockets have been heard. */
    boolean isCalm(long nowNanos) {
        boolean isCalm = nowNanos >= calmNanos;
        hasBeenCalm |= isCalm;
        return isCalm;
    }
}
