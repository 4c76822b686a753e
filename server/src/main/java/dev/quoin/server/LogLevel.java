package dev.quoin.server;

import java.util.Locale;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.spi.ILoggingEvent;

/** zap's levels; what ends the process is fatal. */
enum LogLevel {
    DEBUG(7),
    INFO(6),
    WARN(4),
    ERROR(3),
    FATAL(2);

    private final int syslog;

    LogLevel(int syslog) {
        this.syslog = syslog;
    }

    /** As in the journal: the lower the graver. */
    int syslog() {
        return syslog;
    }

    String text() {
        return name().toLowerCase(Locale.ROOT);
    }

    static LogLevel of(ILoggingEvent event) {
        if (event.getMarkerList() != null && event.getMarkerList().contains(Logs.FATAL)) {
            return FATAL;
        }
        int level = event.getLevel().toInt();
        if (level >= Level.ERROR_INT) {
            return ERROR;
        }
        if (level >= Level.WARN_INT) {
            return WARN;
        }
        return level >= Level.INFO_INT ? INFO : DEBUG;
    }
}
