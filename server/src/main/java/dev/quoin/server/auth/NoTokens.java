package dev.quoin.server.auth;

import dev.quoin.store.AuthOutcome;
import dev.quoin.store.AuthView;

/** {@code --auth-token=}: nobody gets a token, and none is good. Certificates remain (server/auth/nop.go). */
final class NoTokens implements Tokens {
    @Override
    public Found find(String token, AuthView auth) {
        return new Found.Nobodys();
    }

    @Override
    public String prefix() {
        return "";
    }

    @Override
    public String issue(AuthOutcome.Authenticated login) throws Refused {
        throw new Refused();
    }

    @Override
    public void noted(long index, AuthOutcome outcome) {}

    @Override
    public void sweep() {}
}
