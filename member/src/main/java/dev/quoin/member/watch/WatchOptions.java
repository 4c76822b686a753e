package dev.quoin.member.watch;

/**
 * What a watcher wants, beside its range.
 *
 * @param progressNotify to be told now and then how far it is, while there is nothing else to tell
 * @param previous events tell what the key was before
 * @param noPuts puts are left out
 * @param noDeletes deletions are left out
 * @param fragment a message that is too large comes in several
 */
public record WatchOptions(boolean progressNotify, boolean previous, boolean noPuts, boolean noDeletes,
        boolean fragment) {
    public static final WatchOptions NONE = new WatchOptions(false, false, false, false, false);

    boolean wants(boolean isDeletion) {
        return !(isDeletion ? noDeletes : noPuts);
    }
}
