/**
 * What a cluster is told to begin with, {@code --initial-cluster} and {@code --initial-advertise-peer-urls}: read, checked and
 * refused in etcd's words. For whoever makes a member: the server when it starts, and the restore of a snapshot. Begin with
 * {@link dev.quoin.member.founding.InitialCluster}.
 */
@NullMarked
package dev.quoin.member.founding;

import org.jspecify.annotations.NullMarked;
