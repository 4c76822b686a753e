package dev.quoin.member;

/** What became of a state that was to be sent to another member. */
public enum Delivery {
    /** Its receiver says that it has it. */
    ARRIVED,
    /** It did not get there, or its receiver did not take it: another try may do better. */
    FAILED,
    /** A record that belongs to it is lost here ({@link dev.quoin.disk.Damaged}), so this member cannot send it to anybody. */
    DAMAGED
}
