package dev.quoin.store;

import dev.quoin.base.Bytes;

/**
 * On whose behalf something is done, as the entry in the log says; who it is was proved before that.
 *
 * @param name the user; empty if nobody in particular
 * @param authRevision the revision of users and roles, unsigned, at which the user was identified; 0 if nobody was
 */
public record Caller(Bytes name, long authRevision) {
    public static final Caller NOBODY = new Caller(Bytes.EMPTY, 0);
}
