package dev.quoin.store;

/**
 * In whose name a command was proposed.
 *
 * @param name the user; empty if nobody said who they are
 * @param authRevision the revision of users and roles at which that was found to be so
 */
public record Caller(String name, long authRevision) {
    /** Nobody in particular, as long as there are no users. */
    public static final Caller NONE = new Caller("", 0);
}
