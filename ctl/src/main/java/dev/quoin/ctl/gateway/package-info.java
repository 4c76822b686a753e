/**
 * {@code etcd gateway start}: passes connections on to one of several servers, byte by byte (etcd: server/etcdmain/gateway.go,
 * server/proxy/tcpproxy). {@link dev.quoin.ctl.gateway.Gateway} is the command, {@link dev.quoin.ctl.gateway.Remotes} knows whose turn
 * it is, {@link dev.quoin.ctl.gateway.TcpProxy} copies. It reads nothing of what it passes on: TLS goes through it whole.
 */
@NullMarked
package dev.quoin.ctl.gateway;

import org.jspecify.annotations.NullMarked;
