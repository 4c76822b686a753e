package dev.quoin.sim;

import org.jspecify.annotations.Nullable;

/** One write of a client, and what became of it. */
final class Op {
    final Asked asked;
    final String askedOf;
    /** What the client may rely on having happened before. */
    final long floorIndex;
    /** Where the log has it; 0 while it does not. */
    long index;
    /** What the answer must be, known as soon as the log has it. */
    @Nullable
    Expected expected;
    /** The member said that nothing was done. */
    boolean isRefused;
    boolean isAnswered;

    Op(Asked asked, String askedOf, long floorIndex) {
        this.asked = asked;
        this.askedOf = askedOf;
        this.floorIndex = floorIndex;
    }

    @Override
    public String toString() {
        return asked + " of " + askedOf + (index == 0 ? "" : " at " + index);
    }
}
