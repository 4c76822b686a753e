package dev.quoin.server;

import java.io.IOException;
import java.io.StringWriter;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Instant;
import java.time.ZoneId;
import java.time.format.DateTimeFormatter;
import java.util.Locale;

import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.classic.spi.IThrowableProxy;
import ch.qos.logback.classic.spi.ThrowableProxyUtil;
import com.google.gson.FormattingStyle;
import com.google.gson.stream.JsonWriter;
import org.slf4j.event.KeyValuePair;

/**
 * Log lines as etcd's logger (zap) writes them: one JSON object a line with {@code level}, {@code ts}, {@code caller} and
 * {@code msg} first, then the fields. Operators and test harnesses parse these. Or for people: the same four with tabs
 * between them, then an object of the fields. For one thread at a time.
 */
final class ZapEncoder {
    private static final DateTimeFormatter TIMESTAMP = DateTimeFormatter
            .ofPattern("yyyy-MM-dd'T'HH:mm:ss.SSSSSSXX", Locale.ROOT).withZone(ZoneId.systemDefault());

    private final boolean isConsole;

    ZapEncoder(boolean isConsole) {
        this.isConsole = isConsole;
    }

    /** The line, with its end. */
    byte[] encode(ILoggingEvent event) {
        try {
            return (isConsole ? console(event) : json(event)).append('\n').toString()
                    .getBytes(StandardCharsets.UTF_8);
        } catch (IOException e) {
            throw new UncheckedIOException("a string refused to be written to", e);
        }
    }

    /** A moment, as it stands in a line. */
    static String text(Instant moment) {
        return TIMESTAMP.format(moment);
    }

    private static StringWriter json(ILoggingEvent event) throws IOException {
        StringWriter line = new StringWriter();
        try (JsonWriter json = new JsonWriter(line)) {
            json.setHtmlSafe(false);
            json.beginObject();
            json.name("level").value(LogLevel.of(event).text());
            json.name("ts").value(TIMESTAMP.format(timestamp(event)));
            json.name("caller").value(caller(event));
            json.name("msg").value(event.getFormattedMessage());
            fields(event, json);
            if (event.getThrowableProxy() != null) {
                json.name("stacktrace").value(ThrowableProxyUtil.asString(event.getThrowableProxy()));
            }
            json.endObject();
        }
        return line;
    }

    private static StringWriter console(ILoggingEvent event) throws IOException {
        StringWriter line = new StringWriter();
        line.append(TIMESTAMP.format(timestamp(event))).append('\t').append(LogLevel.of(event).text()).append('\t')
                .append(caller(event)).append('\t').append(event.getFormattedMessage());
        if (event.getKeyValuePairs() != null || event.getThrowableProxy() != null) {
            line.append('\t');
            try (JsonWriter json = new JsonWriter(line)) {
                json.setHtmlSafe(false);
                json.setFormattingStyle(FormattingStyle.COMPACT.withSpaceAfterSeparators(true));
                json.beginObject();
                fields(event, json);
                json.endObject();
            }
        }
        if (event.getThrowableProxy() != null) {
            line.append('\n').append(ThrowableProxyUtil.asString(event.getThrowableProxy()).stripTrailing());
        }
        return line;
    }

    private static void fields(ILoggingEvent event, JsonWriter json) throws IOException {
        if (event.getKeyValuePairs() != null) {
            for (KeyValuePair field : event.getKeyValuePairs()) {
                write(json.name(field.key), field.value);
            }
        }
        IThrowableProxy thrown = event.getThrowableProxy();
        if (thrown != null) {
            json.name("error").value(thrown.getClassName() + ": " + thrown.getMessage());
        }
    }

    private static Instant timestamp(ILoggingEvent event) {
        Instant instant = event.getInstant();
        return instant != null ? instant : Instant.ofEpochMilli(event.getTimeStamp());
    }

    private static void write(JsonWriter json, Object value) throws IOException {
        switch (value) {
            case null -> json.nullValue();
            case Number number -> json.value(number);
            case Boolean bool -> json.value(bool);
            case Path file -> json.value(file.toString()); // which is a list of names, too
            case Iterable<?> list -> {
                json.beginArray();
                for (Object element : list) {
                    json.value(String.valueOf(element));
                }
                json.endArray();
            }
            default -> json.value(value.toString());
        }
    }

    /** Folder and line of the caller, in the form of zap's: {@code server/Main.java:42}. */
    private static String caller(ILoggingEvent event) {
        StackTraceElement[] callers = event.getCallerData();
        if (callers.length == 0) {
            return "unknown";
        }
        String className = callers[0].getClassName();
        int end = className.lastIndexOf('.');
        int start = className.lastIndexOf('.', end - 1);
        return className.substring(start + 1, Math.max(start + 1, end)) + "/" + callers[0].getFileName() + ":"
                + callers[0].getLineNumber();
    }
}
