/**
 * How a member with an empty directory finds out which cluster it belongs to, by etcd's ways: from the flags, from members
 * that run already, from DNS, from a discovery service. The outcome is a {@link dev.quoin.member.Origin}, or
 * {@link dev.quoin.server.bootstrap.BootstrapRefused} in etcd's words.
 */
@NullMarked
package dev.quoin.server.bootstrap;

import org.jspecify.annotations.NullMarked;
