/** Tests of the disk itself. */
@NullMarked
package dev.quoin.disk;

import org.jspecify.annotations.NullMarked;
