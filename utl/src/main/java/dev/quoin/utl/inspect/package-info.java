/**
 * {@code quoin inspect}: lists, shows, compares and exports the keys of a snapshot or of a data directory, etcd's or Quoin's; only
 * reads. Begin with {@link dev.quoin.utl.inspect.Inspector}, which does what {@link dev.quoin.utl.inspect.Order} asks for; {@link
 * dev.quoin.utl.inspect.KeyPages} goes through keys with little in memory, and {@link dev.quoin.utl.inspect.ValueText} shows a
 * value, Kubernetes' objects as far as {@link dev.quoin.utl.inspect.ProtoTree} can read them without knowing what they are.
 */
@NullMarked
package dev.quoin.utl.inspect;

import org.jspecify.annotations.NullMarked;
