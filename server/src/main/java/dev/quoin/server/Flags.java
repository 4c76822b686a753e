package dev.quoin.server;

import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;

import org.jspecify.annotations.Nullable;

import dev.quoin.server.bootstrap.PeerUrls;

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
        BOOLEAN,
        /** {@code 1m30s}. */
        DURATION,
        /** URLs with commas; nothing at all leaves the initial ones. */
        URLS,
        /** {@code new} or {@code existing}. */
        CLUSTER_STATE
    }

    private record Definition(Type type, String initial, String help) {}

    private static final Set<String> TRUE = Set.of("1", "t", "T", "true", "TRUE", "True");
    private static final Set<String> FALSE = Set.of("0", "f", "F", "false", "FALSE", "False");
    private static final Map<String, Definition> DEFINITIONS = new LinkedHashMap<>();

    static {
        text("name", "default", "Human-readable name for this member.");
        text("data-dir", "", "Path to the data directory. Default: NAME.etcd");
        urls("listen-client-urls", "http://localhost:2379", "Comma-separated URLs to listen on for client traffic.");
        urls("advertise-client-urls", "http://localhost:2379", "Comma-separated client URLs to tell the cluster.");
        urls("listen-peer-urls", "http://localhost:2380", "Comma-separated URLs to listen on for other members.");
        urls("initial-advertise-peer-urls", "http://localhost:2380",
                "Comma-separated peer URLs to tell the cluster; part of the member's id.");
        text("initial-cluster", "default=http://localhost:2380",
                "Members the cluster starts with: NAME=URL, with commas; a name may come several times.");
        DEFINITIONS.put("initial-cluster-state", new Definition(Type.CLUSTER_STATE, "new",
                "'new', or 'existing' for a member that was added to a cluster. Counts at the first start only."));
        text("initial-cluster-token", "etcd-cluster", "Token of the cluster; part of its id.");
        text("discovery-srv", "", "DNS domain whose SRV records name the members the cluster starts with.");
        text("discovery-srv-name", "", "Suffix of the service name in these records.");
        text("discovery-endpoints", "",
                "Comma-separated endpoints of an etcd cluster where the members find each other.");
        text("discovery-token", "", "Token under which they do so; part of the cluster's id.");
        duration("discovery-dial-timeout", "2s", "Accepted; a request has one time for all of it.");
        duration("discovery-request-timeout", "5s", "Time for a request to the discovery service.");
        duration("discovery-keepalive-time", "2s", "Accepted: no connection is kept open.");
        duration("discovery-keepalive-timeout", "6s", "Accepted: no connection is kept open.");
        bool("discovery-insecure-transport", "true", "Only without TLS so far.");
        bool("discovery-insecure-skip-tls-verify", "false", "Only without TLS so far.");
        text("discovery-cert", "", "Not served yet.");
        text("discovery-key", "", "Not served yet.");
        text("discovery-cacert", "", "Not served yet.");
        text("discovery-user", "", "Not served yet.");
        text("discovery-password", "", "Not served yet.");
        text("discovery-fallback", "exit", "Only 'exit'.");
        bool("strict-reconfig-check", "true", "Refuse changes of members that would endanger the quorum.");
        bool("force-new-cluster", "false", "Go on as the only member of the cluster, whatever the log says.");
        bool("initial-election-tick-advance", "true", "Shorten the wait before the first election.");
        number("max-learners", "1", "Learners the cluster may have.");
        number("heartbeat-interval", "100", "Time in milliseconds of a heartbeat interval.");
        number("election-timeout", "1000", "Time in milliseconds for an election to time out.");
        number("snapshot-count", "10000", "Applied entries after which the log's beginning is given up.");
        number("max-wals", "5", "Log files to keep that nobody needs; 0 keeps all.");
        number("quota-backend-bytes", "0",
                "Bytes in use from which writes are refused; 0 is 2 GiB, less than 0 is no quota.");
        number("max-txn-ops", "128", "Operations permitted in a transaction.");
        number("max-request-bytes", "1572864", "Largest client request in bytes the server accepts.");
        duration("watch-progress-notify-interval", "0s",
                "How often watchers that asked for it are told how far they are; 0 is 10m, and 100ms is the least.");
        duration("experimental-watch-progress-notify-interval", "0s",
                "Deprecated: use watch-progress-notify-interval.");
        number("max-concurrent-streams", "4294967295", "Streams that each client may open at a time.");
        text("logger", "zap", "Only 'zap': one JSON object a line.");
        text("log-level", "info", "debug, info, warn or error.");
        bool("version", "false", "Print the version and exit.");
        bool("help", "false", "Print this and exit.");
    }

    private final Map<String, String> given = new LinkedHashMap<>();

    private static void text(String name, String initial, String help) {
        DEFINITIONS.put(name, new Definition(Type.TEXT, initial, help));
    }

    private static void number(String name, String initial, String help) {
        DEFINITIONS.put(name, new Definition(Type.NUMBER, initial, help));
    }

    private static void bool(String name, String initial, String help) {
        DEFINITIONS.put(name, new Definition(Type.BOOLEAN, initial, help));
    }

    private static void duration(String name, String initial, String help) {
        DEFINITIONS.put(name, new Definition(Type.DURATION, initial, help));
    }

    private static void urls(String name, String initial, String help) {
        DEFINITIONS.put(name, new Definition(Type.URLS, initial, help));
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
            try {
                set(flag.getKey(), flag.getValue(), value);
            } catch (Refused refused) {
                throw new Refused(1, "invalid value \"" + value + "\" for " + variable + ": " + refused.getMessage());
            }
        }
    }

    private void set(String name, Definition definition, String value) throws Refused {
        String kept = value;
        switch (definition.type()) {
            case TEXT -> {}
            case NUMBER -> check(value.matches("-?[0-9]{1,18}"), name, value);
            case DURATION -> check(Durations.parse(value).isPresent(), name, value);
            case BOOLEAN -> {
                if (!TRUE.contains(value) && !FALSE.contains(value)) {
                    throw new Refused(2, "invalid boolean value \"" + value + "\" for -" + name + ": parse error");
                }
                kept = Boolean.toString(TRUE.contains(value));
            }
            case URLS -> {
                if (value.isEmpty()) {
                    kept = definition.initial();
                }
                checkUrls(name, kept);
            }
            case CLUSTER_STATE -> {
                if (!value.equals("new") && !value.equals("existing")) {
                    throw invalid(name, value, "invalid value");
                }
            }
        }
        given.put(name, kept);
    }

    private static void check(boolean parses, String name, String value) throws Refused {
        if (!parses) {
            throw invalid(name, value, "parse error");
        }
    }

    private static void checkUrls(String name, String value) throws Refused {
        try {
            PeerUrls.parse(List.of(value.split(",", -1)));
        } catch (PeerUrls.Bad bad) {
            throw invalid(name, value, bad.getMessage());
        }
    }

    private static Refused invalid(String name, String value, @Nullable String why) {
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

    /** URLs, each once and in order, as etcd tells them to others. */
    List<String> urls(String name) {
        try {
            return PeerUrls.parse(List.of(text(name).split(",", -1))).stream().distinct().toList();
        } catch (PeerUrls.Bad bad) {
            throw new IllegalStateException("--" + name + " was checked", bad);
        }
    }

    Duration duration(String name) {
        return Durations.parse(text(name)).orElseThrow();
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
