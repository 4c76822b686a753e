/**
 * {@code quoin export}: makes of a Quoin member's data directory one that an etcd starts on, as the same member. {@link
 * dev.quoin.utl.export.Main} reads what is asked for and says what came of it; {@link dev.quoin.member.EtcdExport} does it.
 */
@NullMarked
package dev.quoin.utl.export;

import org.jspecify.annotations.NullMarked;
