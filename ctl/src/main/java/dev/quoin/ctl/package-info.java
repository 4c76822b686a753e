/**
 * etcdctl: one process, one command, a plain answer. {@link dev.quoin.ctl.Program} finds the command ({@link dev.quoin.ctl.cli}),
 * the command ({@link dev.quoin.ctl.command}) asks a server ({@link dev.quoin.ctl.client} over {@link dev.quoin.ctl.rpc}), and
 * a printer ({@link dev.quoin.ctl.print}) shows the answer as etcdctl 3.7.1 shows it, to the byte.
 *
 * <p>What else is on a client's side of the wire shares these: {@code quoin rollback}, {@code quoin migrate}
 * ({@link dev.quoin.ctl.migrate}) and {@code quoin cluster}, and {@code etcd gateway} ({@link dev.quoin.ctl.gateway}).
 *
 * <p>A one-shot command is over before a JVM is warm, so its way has no reflection, no descriptor of a message, and no library
 * but the generated messages.
 */
@NullMarked
package dev.quoin.ctl;

import org.jspecify.annotations.NullMarked;
