/** Tests of what is told to Prometheus. */
@NullMarked
package dev.quoin.server.metrics;

import org.jspecify.annotations.NullMarked;
