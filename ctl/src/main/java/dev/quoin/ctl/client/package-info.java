/**
 * What etcd's client does beyond one call: credentials, a second try where that is safe, watches that outlive a connection, leases
 * that are kept, locks and elections (etcd: client/v3).
 *
 * <p>One rule above all: a write whose outcome is not known is never sent again ({@link dev.quoin.ctl.client.Method#isRepeatable}).
 */
@NullMarked
package dev.quoin.ctl.client;

import org.jspecify.annotations.NullMarked;
