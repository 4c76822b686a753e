@NullMarked
package dev.quoin.member.watch;

import org.jspecify.annotations.NullMarked;
