/** Texts, numbers and durations as Go's library reads and writes them, because scripts match on them. Pure functions. */
@NullMarked
package dev.quoin.ctl.text;

import org.jspecify.annotations.NullMarked;
