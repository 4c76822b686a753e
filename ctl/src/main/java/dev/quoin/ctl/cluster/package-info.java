/**
 * {@code quoin cluster N}: members on this host, for trying things. {@link dev.quoin.ctl.cluster.LocalCluster} starts and stops them,
 * each a process that is started as anyone would start it ({@link dev.quoin.ctl.cluster.LocalMember}), with what {@link
 * dev.quoin.ctl.cluster.Layout} says of ports and files; {@link dev.quoin.ctl.cluster.ClusterView} shows how they are.
 */
@NullMarked
package dev.quoin.ctl.cluster;

import org.jspecify.annotations.NullMarked;
