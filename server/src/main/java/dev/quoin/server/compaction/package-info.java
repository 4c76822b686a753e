/**
 * Giving up history by itself ({@code --auto-compaction-…}; etcd's server/etcdserver/api/v3compactor): when and up to which
 * revision is decided by a {@link dev.quoin.server.compaction.Schedule}, which is told the time and the revisions.
 */
@NullMarked
package dev.quoin.server.compaction;

import org.jspecify.annotations.NullMarked;
