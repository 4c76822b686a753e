package dev.quoin.server.config;

import java.util.Locale;

/**
 * A setting of etcd's.
 *
 * @param name on the command line, without dashes
 * @param initial its value unless one is given, in the form of its kind
 * @param key where it is in the configuration file, a path with dots; empty if it is not there
 * @param help one sentence
 */
public record Flag(Section section, String name, FlagKind kind, String initial, String key, Effect effect,
        String help) {
    /** The same under another key of the configuration file. */
    Flag in(String otherKey) {
        return new Flag(section, name, kind, initial, otherKey, effect, help);
    }

    Flag notInFile() {
        return in("");
    }

    String variable() {
        return "ETCD_" + name.toUpperCase(Locale.ROOT).replace('-', '_');
    }
}
