/**
 * Quoin as the world meets it: the runnable image started as a process of its own, and asked by programs that know nothing
 * of it. Tests that need only Java run in every build. Those that need foreign programs are tagged {@code interop} and run
 * by {@code ./quoin dev interop}.
 */
@NullMarked
package dev.quoin.trial;

import org.jspecify.annotations.NullMarked;
