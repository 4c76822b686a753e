package dev.quoin.server.config;

import java.util.Map;

/** What was asked for is not to be had, and the process ends: how, and with which exit code, depends on where it was noticed. */
public final class Refused extends Exception {
    private static final long serialVersionUID = 1L;

    /** How etcd ends. */
    public enum Form {
        /** A flag that does not parse: plain text and the usage. */
        USAGE(2),
        /** A value that makes etcd panic: plain text. */
        PANIC(2),
        /** An URL in the configuration file that does not parse: plain text. */
        PLAIN(1),
        /** A configuration that makes no sense: a line of the log. */
        CHECK(1),
        /** The same, of level fatal. */
        FATAL(1);

        private final int exitCode;

        Form(int exitCode) {
            this.exitCode = exitCode;
        }

        public int exitCode() {
            return exitCode;
        }
    }

    private final Form form;
    private final transient Map<String, String> fields;

    private Refused(Form form, String message, Map<String, String> fields) {
        super(message);
        this.form = form;
        this.fields = fields;
    }

    /** A configuration that makes no sense. */
    public static Refused check(String message) {
        return new Refused(Form.CHECK, message, Map.of());
    }

    /** What etcd would panic at. */
    public static Refused panic(String message) {
        return new Refused(Form.PANIC, message, Map.of());
    }

    static Refused of(Form form, String message) {
        return new Refused(form, message, Map.of());
    }

    /** The process ends with this line of the log. */
    public static Refused fatal(String message, String key, String value) {
        return new Refused(Form.FATAL, message, Map.of(key, value));
    }

    public Form form() {
        return form;
    }

    /** What the line of the log says beside the message. */
    public Map<String, String> fields() {
        return fields;
    }
}
