/**
 * What every room may use, and nothing that belongs to one of them: invariants, the two seams for time, byte ranges, the
 * protobuf wire format by hand, and CRC-32C that can be continued. Depends on {@code java.base} alone, holds no thread,
 * no file and no state.
 */
@NullMarked
package dev.quoin.base;

import org.jspecify.annotations.NullMarked;
