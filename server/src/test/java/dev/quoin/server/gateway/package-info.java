/** Tests of the JSON gateway. */
@NullMarked
package dev.quoin.server.gateway;

import org.jspecify.annotations.NullMarked;
