/**
 * What the operator asks for: etcd's flags, its environment variables and its configuration file, read by etcd's rules
 * into {@link dev.quoin.server.config.Flags}. {@link dev.quoin.server.config.FlagTable} is the one list of all settings;
 * the help, the environment, the file and the documentation's list of what does not act come from it.
 */
@NullMarked
package dev.quoin.server.config;

import org.jspecify.annotations.NullMarked;
