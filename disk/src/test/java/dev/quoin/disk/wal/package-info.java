/** Tests of the write-ahead log: byte for byte against etcd's rules, and after every fault a disk can have. */
@NullMarked
package dev.quoin.disk.wal;

import org.jspecify.annotations.NullMarked;
