package dev.quoin.ctl.client;

/**
 * Who this client says it is; empty texts stand for nothing.
 *
 * @param token a token made elsewhere; with one, user and password are not looked at
 */
public record Credentials(String user, String password, String token) {
    public static final Credentials NONE = new Credentials("", "", "");

    /** Whether a token can be had from a server. */
    boolean canAuthenticate() {
        return token.isEmpty() && !user.isEmpty() && !password.isEmpty();
    }

    @Override
    public String toString() {
        return "user " + user;
    }
}
