/**
 * The front door: HTTP/2, HTTP/1.1 and gRPC on one port, on Netty, and nothing of what is behind it. A server is a
 * {@link dev.quoin.net.Router} (gRPC methods by path), an {@link dev.quoin.net.HttpHandler} (everything else, whatever
 * the HTTP version) and {@link dev.quoin.net.NetLimits} (every bound, with its unit and default); {@link
 * dev.quoin.net.NetServer} joins them to sockets.
 *
 * <p>One gRPC call is one {@link dev.quoin.net.Call}, one HTTP/2 stream. It belongs to the event loop of its connection
 * ({@link dev.quoin.net.Loop}): everything that happens to it is told on that loop, and everything done to it from
 * elsewhere travels there through one outbox, with one wake-up for each batch and one flush for each connection
 * touched. A {@link dev.quoin.net.Method} says where its work is done: on the loop itself (for the few calls that must
 * be quick and never block), on a virtual thread of its own, or as a stream fed when its client has room.
 *
 * <p>The other way round, a {@link dev.quoin.net.Dialler} asks other servers: one HTTP/1.1 request, one {@link
 * dev.quoin.net.DialCall}, whose end is always told to its {@link dev.quoin.net.DialHandler}.
 *
 * <p>What a client sees is what etcd's gRPC server shows: the same checks in the same order with the same texts. What
 * a hostile client may cost is bounded before it costs it. Netty's types stay inside: no signature here shows one.
 */
@NullMarked
package dev.quoin.net;

import org.jspecify.annotations.NullMarked;
