@NullMarked
package dev.quoin.cert;

import org.jspecify.annotations.NullMarked;
