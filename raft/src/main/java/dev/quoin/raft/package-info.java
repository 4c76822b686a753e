/**
 * Consensus as a pure state machine: {@link dev.quoin.raft.RaftCore#step} takes one {@link dev.quoin.raft.Input} and
 * answers what the world must do, as a list of {@link dev.quoin.raft.Effect}s. No clock, thread, file, socket or random
 * source of its own: ticks, acknowledgements of the disk and chance come in as values, so that the simulator and the
 * server run the same code, and a seed is a whole run.
 *
 * <p>The source is the Raft paper (Ongaro and Ousterhout, 2014) and, where etcd's members must agree with us to the
 * letter, the behaviour of go.etcd.io/raft v3.7. So far the core serves a cluster of one voter: it elects itself,
 * appends, commits what its own disk holds, and answers read-index requests. Messages between members come in as a new
 * {@code Input} and a new {@code Effect}; the compiler then lists every place that must think about them.
 *
 * <p>Ids are 64-bit unsigned numbers in a {@code long}; 0 is nobody.
 */
@NullMarked
package dev.quoin.raft;

import org.jspecify.annotations.NullMarked;
