package dev.quoin.ctl.cli;

import java.io.PrintStream;
import java.time.OffsetDateTime;
import java.time.ZoneId;
import java.time.format.DateTimeFormatter;
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

    public Log(PrintStream err) {
        this.err = err;
    }

    /** One line; {@code fields} are names and texts in turn. */
    public void line(String level, String message, String... fields) {
        StringBuilder line = new StringBuilder("{\"level\":\"").append(level).append("\",\"ts\":\"")
                .append(OffsetDateTime.now(ZoneId.systemDefault()).format(TIME))
                .append("\",\"caller\":\"etcdctl\",\"msg\":");
        GoJson.quote(line, message);
        for (int i = 0; i < fields.length; i += 2) {
            GoJson.quote(line.append(','), fields[i]);
            GoJson.quote(line.append(':'), fields[i + 1]);
        }
        err.print(line.append("}\n"));
    }
}
