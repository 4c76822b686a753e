@NullMarked
package dev.quoin.member.founding;

import org.jspecify.annotations.NullMarked;
