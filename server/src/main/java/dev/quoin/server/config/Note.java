package dev.quoin.server.config;

import java.util.Collections;
import java.util.Map;
import java.util.TreeMap;

/**
 * A line for the log, noticed before there is a log.
 *
 * @param isWarning else it is for information
 */
public record Note(boolean isWarning, String message, Map<String, Object> fields) {
    public Note {
        fields = Collections.unmodifiableMap(new TreeMap<>(fields));
    }

    public static Note warning(String message, Map<String, Object> fields) {
        return new Note(true, message, fields);
    }

    public static Note info(String message, Map<String, Object> fields) {
        return new Note(false, message, fields);
    }
}
