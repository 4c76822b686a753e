package dev.quoin.sim;

import java.util.Locale;

/** What can go wrong, each counted when it does. */
enum Fault {
    // The network.
    LOSS,
    DELAY,
    REORDER,
    DOUBLE,
    CUT,
    CUT_SENDING,
    CUT_RECEIVING,
    FLAPPING,
    CLOG,
    STALE_REPLAY,
    SNAPSHOT_BROKEN_OFF,
    /** A state arrives after its sender has given it up. */
    SNAPSHOT_LATE,
    // Processes.
    KILL,
    POWER_CUT,
    /** Inside an operation on the disk, which happens in part. */
    POWER_CUT_IN_WRITE,
    POWER_CUT_ALL,
    PAUSE_SHORT,
    /** For longer than an election takes. */
    PAUSE_LONG,
    SLOW_MEMBER,
    RESTART_STORM,
    /** A member stays away for minutes. */
    LATE_RESTART,
    // Disks.
    SLOW_SYNC,
    STALLED_DISK,
    FULL_DISK,
    FAILED_SYNC,
    FAILED_READ,
    BIT_ROT,
    DISK_LOST,
    // Clocks.
    CLOCK_DRIFT,
    /** Between two lives of a member. */
    CLOCK_OFFSET,
    WALL_CLOCK_JUMP;

    String label() {
        return name().toLowerCase(Locale.ROOT).replace('_', '-');
    }
}
