/** Tests of the disk that fails: its failures must be as bad as promised, and no worse. */
@NullMarked
package dev.quoin.disk.memory;

import org.jspecify.annotations.NullMarked;
