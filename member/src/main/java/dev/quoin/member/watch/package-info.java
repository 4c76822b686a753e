/**
 * Watching keys: what a member tells those who want to know of every change, in order, once, without a gap.
 *
 * <p>Four pictures. The <b>feed</b> ({@link dev.quoin.member.watch.ChangeFeed}) is the one log of recent changes that all
 * watchers share, encoded once. A <b>hub</b> ({@link dev.quoin.member.watch.WatchHub}) belongs to one thread and tells the
 * watchers that keep up; it has one position for all of them, so that a watcher without news costs nothing. A watcher that
 * does not keep up, or begins in the past, has nothing but a <b>cursor</b>, the next revision it needs; it catches up in
 * slices ({@link dev.quoin.member.watch.CatchUp}), from the feed or from a <b>walk</b> over the history of its range, which
 * watchers of the same range share ({@link dev.quoin.member.watch.Walks}).
 *
 * <p>Nothing here has a thread, a clock or chance of its own, and a hub has no lock: the server runs it on an event loop,
 * the simulator by hand.
 */
@NullMarked
package dev.quoin.member.watch;

import org.jspecify.annotations.NullMarked;
