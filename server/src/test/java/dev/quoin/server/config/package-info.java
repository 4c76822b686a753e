/** Tests of reading flags, variables and the configuration file. */
@NullMarked
package dev.quoin.server.config;

import org.jspecify.annotations.NullMarked;
