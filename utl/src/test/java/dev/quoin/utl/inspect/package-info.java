@NullMarked
package dev.quoin.utl.inspect;

import org.jspecify.annotations.NullMarked;
