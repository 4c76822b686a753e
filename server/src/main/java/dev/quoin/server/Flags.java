package dev.quoin.server;

import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;

/**
 * The command line and the environment, read as Go's flag package and etcd read them: {@code --flag=value},
 * {@code --flag value} or one dash; a boolean stands alone or takes {@code =value}; the last of several counts. An option
 * may instead come from {@code ETCD_FLAG_NAME}; from both is an error.
 */
final class Flags {
    /** The command line is not to be had as it is. */
    static final class Refused extends Exception {
        private static final long serialVersionUID = 1L;
        /** 2 for a flag that does not parse, as Go's; 1 for a configuration that makes no sense. */
        final int exitCode;

        Refused(int exitCode, String message) {
            super(message);
            this.exitCode = exitCode;
        }
    }

    private enum Type {
        TEXT,
        NUMBER,
        BOOLEAN
    }

    private record Definition(Type type, String initial, String help) {}

    private static final Map<String, Definition> DEFINITIONS = new LinkedHashMap<>();

    static {
        text("name", "default", "Human-readable name for this member.");
        text("data-dir", "", "Path to the data directory. Default: NAME.etcd");
        text("listen-client-urls", "http://localhost:2379", "Comma-separated URLs to listen on for client traffic.");
        text("advertise-client-urls", "http://localhost:2379", "Comma-separated client URLs to tell the cluster.");
        text("listen-peer-urls", "http://localhost:2380",
                "URLs for peer traffic. A lone member has none: nothing listens there yet.");
        text("initial-advertise-peer-urls", "http://localhost:2380",
                "Comma-separated peer URLs to tell the cluster; part of the member's id.");
        text("initial-cluster", "", "Members the cluster starts with, NAME=URL. One so far: this one.");
        text("initial-cluster-state", "new", "'new', or 'existing'.");
        text("initial-cluster-token", "etcd-cluster", "Token of the cluster; part of its id.");
        number("heartbeat-interval", "100", "Time in milliseconds of a heartbeat interval.");
        number("election-timeout", "1000", "Time in milliseconds for an election to time out.");
        number("snapshot-count", "10000", "Applied entries after which the log's beginning is given up.");
        number("max-wals", "5", "Log files to keep that nobody needs; 0 keeps all.");
        number("quota-backend-bytes", "0",
                "Bytes in use from which writes are refused; 0 is 2 GiB, less than 0 is no quota.");
        number("max-txn-ops", "128", "Operations permitted in a transaction.");
        number("max-request-bytes", "1572864", "Largest client request in bytes the server accepts.");
        number("max-concurrent-streams", "4294967295", "Streams that each client may open at a time.");
        text("logger", "zap", "Only 'zap': one JSON object a line.");
        text("log-level", "info", "debug, info, warn or error.");
        bool("version", "Print the version and exit.");
        bool("help", "Print this and exit.");
    }

    private final Map<String, String> given = new LinkedHashMap<>();

    private static void text(String name, String initial, String help) {
        DEFINITIONS.put(name, new Definition(Type.TEXT, initial, help));
    }

    private static void number(String name, String initial, String help) {
        DEFINITIONS.put(name, new Definition(Type.NUMBER, initial, help));
    }

    private static void bool(String name, String help) {
        DEFINITIONS.put(name, new Definition(Type.BOOLEAN, "false", help));
    }

    static Flags parse(String[] args, Map<String, String> environment) throws Refused {
        Flags flags = new Flags();
        flags.readArguments(args);
        flags.readEnvironment(environment);
        return flags;
    }

    private void readArguments(String[] args) throws Refused {
        for (int i = 0; i < args.length; i++) {
            String argument = args[i];
            if (!argument.startsWith("-") || argument.equals("-") || argument.equals("--")) {
                throw new Refused(1, "'" + argument + "' is not a valid flag");
            }
            String body = argument.substring(argument.startsWith("--") ? 2 : 1);
            int equals = body.indexOf('=');
            String name = equals < 0 ? body : body.substring(0, equals);
            if (name.isEmpty() || name.startsWith("-")) {
                throw new Refused(2, "bad flag syntax: " + argument);
            }
            if (name.equals("h")) {
                name = "help";
            }
            Definition definition = DEFINITIONS.get(name);
            if (definition == null) {
                throw new Refused(2, "flag provided but not defined: -" + name);
            }
            if (equals >= 0) {
                set(name, definition, body.substring(equals + 1));
            } else if (definition.type() == Type.BOOLEAN) {
                set(name, definition, "true");
            } else if (i + 1 < args.length) {
                i++;
                set(name, definition, args[i]);
            } else {
                throw new Refused(2, "flag needs an argument: -" + name);
            }
        }
    }

    private void readEnvironment(Map<String, String> environment) throws Refused {
        for (Map.Entry<String, Definition> flag : DEFINITIONS.entrySet()) {
            String variable = "ETCD_" + flag.getKey().toUpperCase(Locale.ROOT).replace('-', '_');
            String value = environment.getOrDefault(variable, "");
            if (value.isEmpty() || flag.getKey().equals("version") || flag.getKey().equals("help")) {
                continue;
            }
            if (given.containsKey(flag.getKey())) {
                throw new Refused(1, "conflicting environment variable \"" + variable
                        + "\" is shadowed by corresponding command-line flag"
                        + " (either unset environment variable or disable flag)");
            }
            set(flag.getKey(), flag.getValue(), value);
        }
    }

    private void set(String name, Definition definition, String value) throws Refused {
        switch (definition.type()) {
            case TEXT -> {}
            case NUMBER -> {
                if (!value.matches("-?[0-9]{1,18}")) {
                    throw invalid(name, value, "parse error");
                }
            }
            case BOOLEAN -> {
                if (!value.equals("true") && !value.equals("false")) {
                    throw invalid(name, value, "parse error");
                }
            }
        }
        given.put(name, value);
    }

    private static Refused invalid(String name, String value, String why) {
        return new Refused(2, "invalid value \"" + value + "\" for flag -" + name + ": " + why);
    }

    boolean isGiven(String name) {
        return given.containsKey(name);
    }

    String text(String name) {
        Definition definition = DEFINITIONS.get(name);
        if (definition == null) {
            throw new IllegalArgumentException("no flag is called " + name);
        }
        return given.getOrDefault(name, definition.initial());
    }

    boolean isTrue(String name) {
        return text(name).equals("true");
    }

    /** A number within bounds, both included. */
    long number(String name, long min, long max) throws Refused {
        long value = Long.parseLong(text(name));
        if (value < min || value > max) {
            throw new Refused(1, "--" + name + " is " + value + ", must be from " + min + " to " + max);
        }
        return value;
    }

    static String help() {
        StringBuilder help = new StringBuilder("Usage:\n\n  etcd [flags]\n    Start a Quoin member.\n\nFlags:\n");
        DEFINITIONS.forEach((name, definition) -> help.append("  --").append(name)
                .append(definition.type() == Type.BOOLEAN ? "" : " '" + definition.initial() + "'").append("\n    ")
                .append(definition.help()).append('\n'));
        return help.toString();
    }
}
