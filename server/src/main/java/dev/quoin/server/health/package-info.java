/**
 * What a member says about its health over HTTP: {@code /health}, {@code /livez} and {@code /readyz}, in etcd's bytes. It
 * asks a {@link dev.quoin.server.health.HealthHost} and knows nothing else of the member.
 */
@NullMarked
package dev.quoin.server.health;

import org.jspecify.annotations.NullMarked;
