@NullMarked
package dev.quoin.utl;

import org.jspecify.annotations.NullMarked;
