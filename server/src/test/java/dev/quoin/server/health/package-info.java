/** Tests of what is said about health. */
@NullMarked
package dev.quoin.server.health;

import org.jspecify.annotations.NullMarked;
