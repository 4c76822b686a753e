/**
 * What works on the files of a member that does not run: so far, looking at a snapshot and restoring one. Each is a class that
 * others can call ({@link dev.quoin.utl.SnapshotRestore}, {@link dev.quoin.utl.SnapshotStatus}); the program {@code etcdutl}
 * ({@link dev.quoin.utl.Etcdutl}) only reads what it is told, and prints.
 *
 * <p>Checks, texts and exit codes are those of etcdutl 3.7.1, where a text is not about bbolt.
 */
@NullMarked
package dev.quoin.utl;

import org.jspecify.annotations.NullMarked;
