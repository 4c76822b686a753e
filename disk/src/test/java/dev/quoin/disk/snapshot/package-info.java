/** Tests of snapshots: round trips, files that were damaged or forged, and what etcd makes of them. */
@NullMarked
package dev.quoin.disk.snapshot;

import org.jspecify.annotations.NullMarked;
