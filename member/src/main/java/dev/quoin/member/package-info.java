/**
 * One member of a cluster: what joins consensus, disk and store.
 *
 * <p>Owners, each with a thread of its own in the server and scheduled as an actor in the simulator:
 * <ul>
 * <li>{@link dev.quoin.member.RaftLoop} owns the consensus core. It never touches the store or a file, so that ticks go on
 *     whatever disk and apply do.
 * <li>{@link dev.quoin.member.LogWriter} owns the write-ahead log: it writes and syncs whatever has gathered.
 * <li>{@link dev.quoin.member.ApplyLoop} owns the store: it applies committed entries in order, publishes the view and
 *     completes the answers.
 * <li>{@link dev.quoin.member.Lessor} owns the time that leases have, while this member leads.
 * <li>{@link dev.quoin.member.LedgerWriter} writes the store's records behind, some ten times a second.
 * </ul>
 * A request goes: {@link dev.quoin.member.Member#propose} → raft loop → log writer → raft loop → apply loop → answer. They
 * talk through mailboxes only. Whatever escapes one of them ends the process: a member that cannot think must not vote.
 */
@NullMarked
package dev.quoin.member;

import org.jspecify.annotations.NullMarked;
