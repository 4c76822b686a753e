/**
 * etcd's database file: what members send each other as a snapshot, what {@code etcdctl snapshot save} writes, and what
 * {@code member/snap/db} is. Written front to back without ever holding it, and read without believing it.
 *
 * <p>The file is bbolt's: pages of equal size, two of them a head ({@code Meta}), the others nodes of B+trees. One tree
 * maps names to buckets, and each bucket is a tree of its own, or lies as a whole in the entry that names it if it is
 * small.
 *
 * <p>Begin with {@code Format}, what is in the file; then {@link dev.quoin.disk.snapshot.SnapshotWriter} and {@code
 * TreeWriter}, how it comes out in order; {@link dev.quoin.disk.snapshot.SnapshotReader} and {@code TreeWalk}, what is
 * checked. What buckets mean is not known here, save how a revision is written ({@link
 * dev.quoin.disk.snapshot.RevisionKey}).
 */
@NullMarked
package dev.quoin.disk.snapshot;

import org.jspecify.annotations.NullMarked;
