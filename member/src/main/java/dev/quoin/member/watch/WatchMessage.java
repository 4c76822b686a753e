package dev.quoin.member.watch;

/**
 * What a stream of watchers is told: a WatchResponse, all but the rest of its header.
 *
 * @param watchId {@link #NOBODY} for a refusal, and for progress of the whole stream
 * @param revision for the header
 * @param compactRevision what can still be watched, if a compaction has ended the watcher; else 0
 * @param reason why it was ended or refused; may be empty
 * @param isPart whether more of this message follows in the next one
 */
public record WatchMessage(long watchId, long revision, boolean created, boolean canceled, long compactRevision,
        String reason, boolean isPart, WatchEvents events) {
    public static final long NOBODY = -1;

    static WatchMessage created(long watchId, long revision) {
        return new WatchMessage(watchId, revision, true, false, 0, "", false, WatchEvents.NONE);
    }

    static WatchMessage refused(long revision, String reason) {
        return new WatchMessage(NOBODY, revision, true, true, 0, reason, false, WatchEvents.NONE);
    }

    static WatchMessage canceled(long watchId, long revision, String reason) {
        return new WatchMessage(watchId, revision, false, true, 0, reason, false, WatchEvents.NONE);
    }

    /** As etcd has it, without a reason and without a revision. */
    static WatchMessage compacted(long watchId, long compactRevision) {
        return new WatchMessage(watchId, 0, false, true, compactRevision, "", false, WatchEvents.NONE);
    }

    static WatchMessage progress(long watchId, long revision) {
        return new WatchMessage(watchId, revision, false, false, 0, "", false, WatchEvents.NONE);
    }

    static WatchMessage events(long watchId, long revision, WatchEvents events, boolean isPart) {
        return new WatchMessage(watchId, revision, false, false, 0, "", isPart, events);
    }
}
