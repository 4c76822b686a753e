package dev.quoin.server.auth;

import dev.quoin.store.AuthOutcome;
import dev.quoin.store.AuthView;
import dev.quoin.store.Caller;

/** What a user is given for a password, and shows from then on. Any thread. */
public interface Tokens {
    /** What a token says. */
    sealed interface Found {
        /** Whose it is. */
        record Of(Caller caller) implements Found {}

        /** It may be one that this member has not heard of yet: ask again when it knows all that was acknowledged. */
        record NotYet() implements Found {}

        /** It is none, or none any more. */
        record Nobodys() implements Found {}
    }

    /** Whose token this is, as users were at {@code auth}. */
    Found find(String token, AuthView auth);

    /** What goes into the log for a token that is to be issued: chance, known to nobody else; or nothing. */
    String prefix();

    /**
     * The token for who has logged in.
     *
     * @throws Refused if there is none for anybody
     */
    String issue(AuthOutcome.Authenticated login) throws Refused;

    /**
     * What the log says about users, on every member and in its order ({@link dev.quoin.member.Events#auth}).
     *
     * @param index of the entry
     */
    void noted(long index, AuthOutcome outcome);

    /** Now and then: forgets what is over. */
    void sweep();

    /** No token is given out here; the text is the answer. */
    final class Refused extends Exception {
        private static final long serialVersionUID = 1L;

        Refused(String why) {
            super(why, null, false, false);
        }

        /** Without a text: as if the password had been wrong. */
        Refused() {
            super(null, null, false, false);
        }
    }
}
