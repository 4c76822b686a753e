/**
 * A disk in memory that fails like a real one, only more often and from a seed: it loses power between any two
 * operations, keeps any subset of the sectors that were not synced, tears the last one, and forgets data after a failed
 * sync. The tests of this room and the simulator run on it.
 */
@NullMarked
package dev.quoin.disk.memory;

import org.jspecify.annotations.NullMarked;
