/**
 * What this server tells Prometheus: etcd's names with etcd's types, labels, buckets and texts, the JVM's, and our own.
 *
 * <p>A {@link dev.quoin.server.metrics.Registry} holds all names and writes the page. What happens often is counted where
 * it happens ({@link dev.quoin.server.metrics.Counter}, {@link dev.quoin.server.metrics.Histogram}: a few nanoseconds, no
 * lock); what is there anyway is read when somebody asks. The rooms below know nothing of this: they have an interface
 * each ({@code NetMetrics}, {@code MemberMetrics}, {@code PeerMetrics}), which a class here implements.
 *
 * <p>Why no library: etcd has gauges that end in {@code _total} and counters that do not, and libraries that keep the rules of
 * today have no place for such names.
 */
@NullMarked
package dev.quoin.server.metrics;

import org.jspecify.annotations.NullMarked;
