@NullMarked
package dev.quoin.utl.export;

import org.jspecify.annotations.NullMarked;
