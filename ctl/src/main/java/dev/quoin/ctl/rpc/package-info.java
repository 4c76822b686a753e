/**
 * A gRPC client for programs that are over soon: blocking calls on one HTTP/2 connection over the JDK's sockets. {@link
 * dev.quoin.ctl.rpc.Channel} picks a server that can be reached and keeps a {@link dev.quoin.ctl.rpc.Connection} to it; a
 * {@link dev.quoin.ctl.rpc.Call} is one RPC, unary or streaming either way. It knows nothing of etcd.
 *
 * <p>Why not Netty's, which the server uses? Its header decoder and frame reader do run without a channel, but they bring
 * buffers, a leak detector, an internal logger and some 150 classes to load and initialize before the first byte; a plain get has
 * 0.2 s in all, JVM included. What remains to be written here is small, because this side may choose: it announces a header table of
 * size 0, so headers are read with the static table and Huffman's code alone, and it writes literals only.
 *
 * <p>Threads: one reader for each connection, which never waits for a caller; any number of callers.
 */
@NullMarked
package dev.quoin.ctl.rpc;

import org.jspecify.annotations.NullMarked;
