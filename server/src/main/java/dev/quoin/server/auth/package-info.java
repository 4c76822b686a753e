/**
 * Proofs of who somebody is: passwords ({@link dev.quoin.server.auth.Passwords}) and the tokens that are given for one, simple
 * ({@link dev.quoin.server.auth.SimpleTokens}) or signed ({@link dev.quoin.server.auth.JwtTokens}). Sources: etcd's
 * server/auth/{store,options,simple_token,jwt}.go.
 *
 * <p>What a user may do is not decided here, but in {@code store} ({@link dev.quoin.store.AuthView}); who must be asked for
 * what, {@code server} knows ({@code Access}). No password and no token is ever logged or put into words: of a token a log
 * line has its fingerprint at most.
 */
@NullMarked
package dev.quoin.server.auth;

import org.jspecify.annotations.NullMarked;
