/** Asking other servers, for those who may wait for the answer. */
@NullMarked
package dev.quoin.server.dial;

import org.jspecify.annotations.NullMarked;
