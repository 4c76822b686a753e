package dev.quoin.ctl.cli;

import java.io.PrintStream;
import java.time.OffsetDateTime;
import java.time.ZoneId;
import java.time.format.DateTimeFormatter;
import java.util.List;
import java.util.Locale;

import dev.quoin.ctl.text.GoJson;

/**
 * Lines on standard error for programs: one JSON object each, shaped as those of etcd's client. Not loaded unless something is
 * to be said.
 */
public final class Log {
    private static final DateTimeFormatter TIME = DateTimeFormatter.ofPattern("yyyy-MM-dd'T'HH:mm:ss.SSSSSSXX",
            Locale.ROOT);

    private final PrintStream err;
    private final String caller;

    public Log(PrintStream err) {
        this(err, "etcdctl");
    }

    /** @param caller what each line says of where it comes from */
    public Log(PrintStream err, String caller) {
        this.err = err;
        this.caller = caller;
    }

    /** One line; {@code fields} are names and what they stand for in turn: texts, and lists of texts. Any thread's. */
    public void line(String level, String message, Object... fields) {
        StringBuilder line = new StringBuilder("{\"level\":\"").append(level).append("\",\"ts\":\"")
                .append(OffsetDateTime.now(ZoneId.systemDefault()).format(TIME))
                .append("\",\"caller\":\"").append(caller).append("\",\"msg\":");
        GoJson.quote(line, message);
        for (int i = 0; i < fields.length; i += 2) {
            GoJson.quote(line.append(','), String.valueOf(fields[i]));
            value(line.append(':'), fields[i + 1]);
        }
        err.print(line.append("}\n"));
    }

    private static void value(StringBuilder line, Object value) {
        if (value instanceof List<?> texts) {
            line.append('[');
            for (Object text : texts) {
                GoJson.quote(line.append(line.charAt(line.length() - 1) == '[' ? "" : ","), String.valueOf(text));
            }
            line.append(']');
        } else {
            GoJson.quote(line, String.valueOf(value));
        }
    }
}
