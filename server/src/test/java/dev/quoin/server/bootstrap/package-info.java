/** Tests of how a member finds its cluster. */
@NullMarked
package dev.quoin.server.bootstrap;

import org.jspecify.annotations.NullMarked;
