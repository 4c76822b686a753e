/**
 * The JSON gateway: every RPC that etcd offers under {@code /v3/} as an HTTP POST, as grpc-gateway 2.29 serves it in etcd 3.7.1
 * (server/embed/serve.go, api/etcdserverpb/gw). {@link dev.quoin.server.gateway.Gateway} is the way in.
 *
 * <p>A request is found in a table ({@link dev.quoin.server.gateway.Routes}). Its body is cut into JSON documents while it
 * arrives ({@link dev.quoin.server.gateway.Documents}), each becomes a protobuf message ({@link
 * dev.quoin.server.gateway.JsonParser}), and the messages go to the very methods that gRPC clients call ({@link
 * dev.quoin.net.InnerCalls}): so checks, gates and errors are the same. An answer is turned into JSON while it is read ({@link
 * dev.quoin.server.gateway.JsonPrinter}): a list is never held as a whole.
 *
 * <p>Which JSON is taken for which message, and how messages are written, is Go's protojson to the byte, but for the space that
 * it puts behind commas in some builds and not in others. The texts of errors about JSON are Go's.
 */
@NullMarked
package dev.quoin.server.gateway;

import org.jspecify.annotations.NullMarked;
