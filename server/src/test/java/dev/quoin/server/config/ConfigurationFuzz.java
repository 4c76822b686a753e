package dev.quoin.server.config;

import java.nio.charset.StandardCharsets;
import java.util.Map;

/** A command line, an environment or a configuration file, as the first byte says; arguments are lines. */
public final class ConfigurationFuzz {
    private static final int KINDS = 3;

    private ConfigurationFuzz() {}

    public static void fuzzerTestOneInput(byte[] input) {
        if (input.length == 0) {
            return;
        }
        String text = new String(input, 1, input.length - 1, StandardCharsets.UTF_8);
        if (text.contains("config-file") || text.contains("CONFIG_FILE")) {
            return; // it would be read
        }
        try {
            switch ((input[0] & 0xff) % KINDS) {
                case 0 -> Flags.read(text.split("\n", -1), Map.of());
                case 1 -> {
                    String[] pair = text.split("=", 2);
                    Flags.read(new String[0], Map.of(pair[0], pair[pair.length - 1]));
                }
                default -> ConfigFile.parse(text);
            }
        } catch (Refused refused) {
            return; // with etcd's words
        }
    }
}
