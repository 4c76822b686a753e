/** Tests of giving up history by itself. */
@NullMarked
package dev.quoin.server.compaction;

import org.jspecify.annotations.NullMarked;
