/**
 * {@code quoin doctor}: looks at a data directory that will not start, or that nobody is sure of, and says what it is, what is
 * wrong with it and what to do. It never changes anything. {@link dev.quoin.utl.doctor.Examination} finds out, and begins a start
 * to see whether it would succeed, so what would be refused is told in the member's own words; {@link
 * dev.quoin.utl.doctor.Finding}s are what comes of it.
 */
@NullMarked
package dev.quoin.utl.doctor;

import org.jspecify.annotations.NullMarked;
