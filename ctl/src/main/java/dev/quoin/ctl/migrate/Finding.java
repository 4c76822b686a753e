package dev.quoin.ctl.migrate;

/**
 * Something about a cluster that matters to the next step.
 *
 * @param code for programs; it stays the same
 * @param member whom it is about; 0 for the cluster
 * @param text for people, a sentence without its end
 * @param remedy what to do about it, a sentence without its end; empty if there is nothing
 */
public record Finding(Severity severity, String code, long member, String text, String remedy) {
    /** How much it matters. */
    public enum Severity {
        /** No step is taken. */
        STOPS("stop"),
        /** Somebody has to say that it is all right. */
        ASKS("ask"),
        /** To be known. */
        NOTES("note");

        private final String word;

        Severity(String word) {
            this.word = word;
        }

        /** For programs and people. */
        public String word() {
            return word;
        }
    }

    static Finding stops(String code, long member, String text, String remedy) {
        return new Finding(Severity.STOPS, code, member, text, remedy);
    }

    static Finding asks(String code, long member, String text, String remedy) {
        return new Finding(Severity.ASKS, code, member, text, remedy);
    }

    static Finding notes(String code, long member, String text, String remedy) {
        return new Finding(Severity.NOTES, code, member, text, remedy);
    }

    public boolean stops() {
        return severity == Severity.STOPS;
    }
}
