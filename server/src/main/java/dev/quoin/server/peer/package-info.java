/**
 * How members talk to each other: etcd's peer protocol (rafthttp and etcdhttp/peer.go), in both roles.
 *
 * <p>{@link dev.quoin.server.peer.PeerNetwork} is the member's {@link dev.quoin.member.Network}. It has a {@link
 * dev.quoin.server.peer.PeerLink} for each other member, and that has three ways to carry a message: two streams, which
 * the receiver dials (so we dial two for what we want to hear, and serve two that the other dials), and the pipeline, a
 * POST for each message, where a stream is missing. The streams are two so that a heartbeat never stands behind entries.
 *
 * <p>{@link dev.quoin.server.peer.PeerFront} is what the peer port answers: the streams that others dial, messages and
 * states that are posted, and what members and joiners ask of each other.
 *
 * <p>{@link dev.quoin.server.peer.PeerMessages} and {@link dev.quoin.server.peer.PeerStreams} have the bytes.
 */
@NullMarked
package dev.quoin.server.peer;

import org.jspecify.annotations.NullMarked;
