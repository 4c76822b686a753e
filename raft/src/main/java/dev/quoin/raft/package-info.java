/**
 * Consensus as a pure state machine: {@link dev.quoin.raft.RaftCore#step} takes one {@link dev.quoin.raft.Input} and
 * answers what the world must do, as a list of {@link dev.quoin.raft.Effect}s. No clock, thread, file, socket or random
 * source of its own: ticks, acknowledgements of the disk and chance come in as values, so that the simulator and the
 * server run the same code, and a seed is a whole run.
 *
 * <p>The source is the Raft paper (Ongaro and Ousterhout, 2014) and, where etcd's members must agree with us to the
 * letter, the behaviour of go.etcd.io/raft v3.7: elections with a vote before the vote, a leader that checks its
 * quorum, flow control, learners, joint configurations, reads without a log entry, transfer of leadership, snapshots.
 * It replays that library's own transcripts line for line.
 *
 * <p>Where to start: {@link dev.quoin.raft.Input}, {@link dev.quoin.raft.Effect} and {@link dev.quoin.raft.Message} say
 * what goes in and out. {@link dev.quoin.raft.RaftCore} has terms, votes and what a follower does; what a node knows only
 * while it leads is in {@code Leadership}. {@link dev.quoin.raft.Rules} and {@link dev.quoin.raft.RaftLimits} are what an
 * operator may choose.
 *
 * <p>Ids are 64-bit unsigned numbers in a {@code long}; 0 is nobody.
 */
@NullMarked
package dev.quoin.raft;

import org.jspecify.annotations.NullMarked;
