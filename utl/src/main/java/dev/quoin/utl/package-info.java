/**
 * What works on the files of a member that does not run, etcd's or Quoin's. Each thing is a class that others can call ({@link
 * dev.quoin.utl.SnapshotRestore}, {@link dev.quoin.utl.SnapshotStatus}, {@link dev.quoin.utl.StoredKeys}); the program {@code
 * etcdutl} ({@link dev.quoin.utl.Etcdutl}) only reads what it is told, and prints. Two more programs have packages of their own:
 * {@code quoin doctor} and {@code quoin inspect}.
 *
 * <p>Checks, texts and exit codes of {@code etcdutl} are those of etcdutl 3.7.1, where a text is not about bbolt.
 */
@NullMarked
package dev.quoin.utl;

import org.jspecify.annotations.NullMarked;
