package dev.quoin.member;

import java.util.EnumSet;
import java.util.Set;

import dev.quoin.disk.DiskFailure;

/**
 * Whether the disk has room for what a member must write. A disk that is full is one that takes its time: whoever writes
 * keeps what was not taken, says so here, and tries again; nothing was promised on the strength of it. Meanwhile the member
 * takes no more to write from clients and lets another lead ({@link RaftLoop}), votes and follows as long as the segment
 * that was prepared has room, and serves what it has.
 *
 * <p>Three owners write, so three threads meet here; others read what is published.
 */
final class DiskRoom {
    /** Who writes. */
    enum Part {
        /** Entries and votes. */
        LOG,
        /** The log's next segment, ahead of need: what finds out first. */
        LOG_AHEAD,
        /** The store's records, behind. */
        LEDGER
    }

    private final Events events;
    /** Guarded by this. */
    private final Set<Part> refused = EnumSet.noneOf(Part.class);
    private volatile boolean isFull;
    private volatile boolean isLogStuck;

    DiskRoom(Events events) {
        this.events = events;
    }

    /** Something was not taken for want of space. Any other failure is passed on: it ends the process. */
    void refused(Part part, DiskFailure failure) {
        if (!failure.isNoSpace()) {
            throw failure;
        }
        synchronized (this) {
            boolean isNews = refused.isEmpty();
            refused.add(part);
            publish();
            if (isNews) {
                events.diskFull(failure);
            }
        }
    }

    /** There was room for all that this part had to write. */
    void taken(Part part) {
        if (!isFull) {
            return;
        }
        synchronized (this) {
            boolean wasRefused = refused.remove(part);
            publish();
            if (wasRefused && refused.isEmpty()) {
                events.diskHasRoom();
            }
        }
    }

    private void publish() {
        isFull = !refused.isEmpty();
        isLogStuck = refused.contains(Part.LOG);
    }

    /** Whether anything waits for space. Any thread. */
    boolean isFull() {
        return isFull;
    }

    /** Whether entries and votes wait for space. Any thread. */
    boolean isLogStuck() {
        return isLogStuck;
    }
}
