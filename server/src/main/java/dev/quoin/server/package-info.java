/**
 * What etcd's clients and operators see: the gRPC services, the HTTP paths, the flags, the log lines and the process. It
 * decodes and checks, asks the {@link dev.quoin.member.Member}, and encodes what comes back; it decides nothing about keys.
 *
 * <p>Start reading at {@link dev.quoin.server.Main}; the way of a request starts in {@link dev.quoin.server.KvService}.
 */
@NullMarked
package dev.quoin.server;

import org.jspecify.annotations.NullMarked;
