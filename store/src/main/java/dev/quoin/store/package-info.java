/**
 * The store: what a key-value cluster has agreed on, as a pure state machine. {@link dev.quoin.store.Store#apply} takes
 * a {@link dev.quoin.store.Command} and answers with an {@link dev.quoin.store.Outcome}; nothing here knows a clock, a
 * thread, a file, a socket or chance, so every member that applies the same commands holds the same keys and gives the
 * same answers.
 *
 * <p>Three pictures carry the package. A <b>record</b> is what one change leaves behind: the encoded KeyValue of a put, or
 * the key of a deletion; records lie in {@link dev.quoin.store.Records}, which somebody else keeps, and are never
 * changed. The <b>key index</b> says for every key which records tell its history; it is a tree that is copied along the
 * path of a change, so that a reader who holds a root holds a snapshot. A <b>view</b> is such a root with its revision,
 * and answers reads on any thread without a lock.
 *
 * <p>What is not keys (leases, alarms, users, settings) lies in {@link dev.quoin.store.Buckets}, laid out as etcd's own
 * database has it. All that is known besides the records themselves goes out as an {@link dev.quoin.store.Image}, to start
 * from it later. What a compaction leaves over is found by a {@link dev.quoin.store.CompactionWalk}, and what members
 * compare is computed by a {@link dev.quoin.store.HashWalk}: both look at a view, in steps, on any thread.
 *
 * <p>Everything follows etcd 3.7.1 where a client or another member could tell the difference, its oddities included;
 * where etcd itself would crash, the comment says what happens here instead. Checks that etcd makes before it proposes
 * are in {@link dev.quoin.store.RequestCheck}; {@code apply} does not repeat them, because a member that refuses what
 * another member applied has diverged.
 */
@NullMarked
package dev.quoin.store;

import org.jspecify.annotations.NullMarked;
