package dev.quoin.member;

/** How a member ends when it must not go on: tells why and ends the process. Does not return in a server. */
@FunctionalInterface
public interface Halt {
    /**
     * Ends the process.
     *
     * @param where which owner could not go on
     * @param why a failed disk, a broken invariant, or the machine giving out
     */
    void halt(String where, Throwable why);
}
