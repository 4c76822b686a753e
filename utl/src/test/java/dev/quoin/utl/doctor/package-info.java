@NullMarked
package dev.quoin.utl.doctor;

import org.jspecify.annotations.NullMarked;
