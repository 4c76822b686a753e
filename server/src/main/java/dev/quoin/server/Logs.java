package dev.quoin.server;

import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.AccessDeniedException;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.LoggerContext;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.AppenderBase;
import org.slf4j.LoggerFactory;
import org.slf4j.Marker;
import org.slf4j.MarkerFactory;
import org.slf4j.spi.LoggingEventBuilder;

import dev.quoin.server.config.Refused;

/** Sets logging up by hand: no configuration file is looked for, and nothing of a library gets a word in before. */
final class Logs {
    /** On what ends the process. */
    static final Marker FATAL = MarkerFactory.getMarker("fatal");

    private Logs() {}

    /** @throws Refused if an output cannot be had */
    static void start(LogConfig config) throws Refused {
        List<LogSink> sinks = new ArrayList<>();
        for (String output : config.outputs()) {
            sinks.add(sink(output, config));
        }
        start(config.level(), new ZapEncoder(config.isConsole()), sinks);
    }

    /** Before there is a configuration, or in place of one that is refused. */
    static void start() {
        start(LogLevel.INFO, new ZapEncoder(false), List.of(stream(FileDescriptor.err)));
    }

    private static void start(LogLevel level, ZapEncoder encoder, List<LogSink> sinks) {
        LoggerContext context = (LoggerContext) LoggerFactory.getILoggerFactory();
        context.reset();
        Lines lines = new Lines(encoder, sinks);
        lines.setContext(context);
        lines.start();
        Logger root = context.getLogger(org.slf4j.Logger.ROOT_LOGGER_NAME);
        root.setLevel(switch (level) {
            case DEBUG -> Level.DEBUG;
            case INFO -> Level.INFO;
            case WARN -> Level.WARN;
            case ERROR -> Level.ERROR;
            case FATAL -> Level.OFF;
        });
        root.addAppender(lines);
        // Netty tells of every frame that a vanished client still sends.
        context.getLogger("io.netty").setLevel(level == LogLevel.FATAL || level == LogLevel.ERROR
                ? root.getLevel()
                : Level.WARN);
    }

    /** A line about why the process ends, which is written at every level. */
    static LoggingEventBuilder fatal(org.slf4j.Logger logger) {
        return logger.makeLoggingEventBuilder(org.slf4j.event.Level.ERROR).addMarker(FATAL);
    }

    /** The line with these fields, in their order. */
    static LoggingEventBuilder with(LoggingEventBuilder line, Map<String, ?> fields) {
        LoggingEventBuilder whole = line;
        for (Map.Entry<String, ?> field : fields.entrySet()) {
            whole = whole.addKeyValue(field.getKey(), field.getValue());
        }
        return whole;
    }

    private static LogSink sink(String output, LogConfig config) throws Refused {
        try {
            return switch (output) {
                case LogConfig.STDERR -> stream(FileDescriptor.err);
                case LogConfig.STDOUT -> stream(FileDescriptor.out);
                case LogConfig.JOURNAL -> LogJournal.open(LogJournal.SOCKET, stream(FileDescriptor.err));
                default -> LogFile.open(Path.of(output), config.rotation());
            };
        } catch (NoSuchFileException missing) {
            throw Refused.check("open sink \"" + output + "\": open " + output + ": no such file or directory");
        } catch (AccessDeniedException denied) {
            throw Refused.check("open sink \"" + output + "\": open " + output + ": permission denied");
        } catch (IOException failed) {
            throw Refused.check(output.equals(LogConfig.JOURNAL)
                    ? "can't find journal (" + failed.getMessage() + ")"
                    : "open sink \"" + output + "\": " + failed.getMessage());
        }
    }

    private static LogSink stream(FileDescriptor descriptor) {
        OutputStream stream = new FileOutputStream(descriptor);
        return (line, level) -> {
            try {
                stream.write(line);
            } catch (IOException nobodyReads) {
                return; // there is nowhere left to say so
            }
        };
    }

    /** Makes each line once, for all who take it. */
    private static final class Lines extends AppenderBase<ILoggingEvent> {
        private final ZapEncoder encoder;
        private final List<LogSink> sinks;

        Lines(ZapEncoder encoder, List<LogSink> sinks) {
            this.encoder = encoder;
            this.sinks = List.copyOf(sinks);
        }

        @Override
        protected void append(ILoggingEvent event) {
            byte[] line = encoder.encode(event);
            LogLevel level = LogLevel.of(event);
            for (LogSink sink : sinks) {
                sink.write(line, level);
            }
        }
    }
}
