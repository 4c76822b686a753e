/**
 * Where keys and certificates are made: those that a member makes for itself ({@link dev.quoin.cert.SelfSigned}), and those of
 * a whole cluster, by the program {@code quoin cert} ({@link dev.quoin.cert.CertCommand}).
 *
 * <p>The JDK makes keys and signs, but has no public way to put a certificate together; that is BouncyCastle's part
 * ({@link dev.quoin.cert.Draft}). Its provider of algorithms is not used. Nothing here takes part in a handshake.
 *
 * <p>A key leaves this package in one form, PKCS#8 without a password, in a file for its owner's eyes alone.
 */
@NullMarked
package dev.quoin.cert;

import org.jspecify.annotations.NullMarked;
