package dev.quoin.server;

import java.util.List;
import java.util.Locale;
import java.util.TreeSet;
import java.util.stream.Collectors;

import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParseException;
import com.google.gson.JsonParser;
import com.google.gson.JsonPrimitive;
import org.jspecify.annotations.Nullable;

import dev.quoin.server.config.Flags;
import dev.quoin.server.config.Refused;

/**
 * Where log lines go, and which (embed/config_logging.go).
 *
 * @param level what is less grave is left out; at {@code FATAL} there is nothing to see but why the process ends
 * @param isConsole whether lines are for people, and not JSON
 * @param outputs each once and in order: {@code stderr}, {@code stdout}, {@code systemd/journal} or a file
 * @param rotation when a file is begun anew, or null
 */
record LogConfig(LogLevel level, boolean isConsole, List<String> outputs, @Nullable Rotation rotation) {
    static final String STDERR = "stderr";
    static final String STDOUT = "stdout";
    static final String JOURNAL = "systemd/journal";
    private static final String DEFAULT = "default";
    private static final String NOWHERE = "/dev/null";

    /**
     * When a log file is begun anew, and what becomes of the old ones.
     *
     * @param fileBytesMax before that it is
     * @param ageDaysMax 0 keeps them whatever their age
     * @param backupsMax 0 keeps them all
     * @param isLocalTime whether their names have the host's time, else UTC
     * @param isCompressed whether they become {@code .gz}
     */
    record Rotation(long fileBytesMax, int ageDaysMax, int backupsMax, boolean isLocalTime, boolean isCompressed) {
        private static final long MIB = 1 << 20;
        private static final long DEFAULT_MIB = 100;

        static Rotation parse(String json) throws Refused {
            JsonObject fields;
            try {
                JsonElement root = JsonParser.parseString(json);
                if (!root.isJsonObject()) {
                    throw Refused.check("invalid log rotation config: it is no JSON object");
                }
                fields = root.getAsJsonObject();
            } catch (JsonParseException bad) {
                throw Refused.check("improperly formatted log rotation config: " + bad.getMessage());
            }
            long mib = number(fields, "maxsize");
            return new Rotation((mib <= 0 ? DEFAULT_MIB : mib) * MIB, number(fields, "maxage"),
                    number(fields, "maxbackups"), isTrue(fields, "localtime"), isTrue(fields, "compress"));
        }

        private static int number(JsonObject fields, String name) throws Refused {
            JsonElement value = fields.get(name);
            if (value == null || value.isJsonNull()) {
                return 0;
            }
            if (value instanceof JsonPrimitive primitive && primitive.isNumber()
                    && primitive.getAsString().matches("-?[0-9]{1,9}")) {
                return primitive.getAsInt();
            }
            throw Refused.check("invalid log rotation config: " + name + " is " + value + ", and must be a number");
        }

        private static boolean isTrue(JsonObject fields, String name) throws Refused {
            JsonElement value = fields.get(name);
            if (value == null || value.isJsonNull()) {
                return false;
            }
            if (value instanceof JsonPrimitive primitive && primitive.isBoolean()) {
                return primitive.getAsBoolean();
            }
            throw Refused
                    .check("invalid log rotation config: " + name + " is " + value + ", and must be true or false");
        }
    }

    /** For whoever cannot be told otherwise. */
    static final LogConfig INITIAL = new LogConfig(LogLevel.INFO, false, List.of(STDERR), null);

    LogConfig {
        outputs = List.copyOf(outputs);
    }

    /** The checks, in the order in which etcd makes them. */
    static LogConfig of(Flags flags) throws Refused {
        String logger = flags.text("logger");
        if (logger.equals("capnslog")) {
            throw Refused.check("--logger=capnslog is removed in v3.5");
        }
        if (!logger.equals("zap")) {
            throw Refused.check("unknown logger option \"" + logger + "\"");
        }
        List<String> given = flags.isGiven("log-outputs") ? flags.list("log-outputs") : List.of(DEFAULT);
        if (given.size() > 1 && given.contains(DEFAULT)) {
            throw Refused.check("multi logoutput for \"default\" is not supported yet");
        }
        boolean rotates = flags.isTrue("enable-log-rotation");
        if (rotates) {
            refuseButOneFile(given);
        }
        Rotation rotation = rotates ? Rotation.parse(flags.text("log-rotation-config-json")) : null;
        if (given.contains(JOURNAL) && given.size() > 1) {
            throw Refused.check("running with systemd/journal but other '--log-outputs' values ("
                    + quoted(given) + ") are configured with 'default'; override 'default' value with something else");
        }
        return new LogConfig(level(flags.text("log-level")), isConsole(flags.text("log-format")), outputs(given),
                rotation);
    }

    private static String quoted(List<String> texts) {
        return texts.stream().map(text -> "\"" + text + "\"").collect(Collectors.joining(" ", "[", "]"));
    }

    private static void refuseButOneFile(List<String> given) throws Refused {
        long files = given.stream().filter(output -> !List.of(DEFAULT, STDERR, STDOUT).contains(output)).count();
        if (files > 1 || (files == 0 && given.size() == 1)) {
            throw Refused.check(
                    "--log-outputs requires a single file path when --log-rotate-config-json is defined");
        }
    }

    /** A level that there is not makes etcd panic. */
    private static LogLevel level(String level) throws Refused {
        return switch (level.toLowerCase(Locale.ROOT)) {
            case "debug" -> LogLevel.DEBUG;
            case "info", "" -> LogLevel.INFO;
            case "warn", "warning" -> LogLevel.WARN;
            case "error" -> LogLevel.ERROR;
            case "dpanic", "panic", "fatal" -> LogLevel.FATAL;
            default -> throw Refused.panic("unrecognized level: \"" + level + "\"");
        };
    }

    private static boolean isConsole(String format) throws Refused {
        return switch (format) {
            case "console" -> true;
            case "json", "" -> false;
            default ->
                throw Refused.check("unknown log format: " + format + ", supported values json, console");
        };
    }

    private static List<String> outputs(List<String> given) {
        if (given.contains(NOWHERE)) {
            return List.of(NOWHERE);
        }
        TreeSet<String> outputs = new TreeSet<>();
        given.forEach(output -> outputs.add(output.equals(DEFAULT) ? STDERR : output));
        return List.copyOf(outputs);
    }
}
