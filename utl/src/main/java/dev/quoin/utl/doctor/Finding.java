package dev.quoin.utl.doctor;

/**
 * Something about a data directory.
 *
 * @param what is found, in a sentence or more
 * @param cure what to do about it; empty if nothing need be done, or if it is said already
 */
record Finding(Weight weight, String what, String cure) {
    enum Weight {
        /** It is as it should be. */
        FINE("ok"),
        /** Worth knowing. */
        NOTE("note"),
        /** A member would not start, or would not do all that it should. */
        WRONG("wrong");

        private final String title;

        Weight(String title) {
            this.title = title;
        }
    }

    static Finding fine(String what) {
        return new Finding(Weight.FINE, what, "");
    }

    static Finding note(String what) {
        return new Finding(Weight.NOTE, what, "");
    }

    static Finding wrong(String what, String cure) {
        return new Finding(Weight.WRONG, what, cure);
    }

    boolean isWrong() {
        return weight == Weight.WRONG;
    }

    /** As it is printed: the weight, and behind it the text, line by line. */
    String text() {
        String whole = cure.isEmpty() ? what : what + "\n" + cure;
        String indented = whole.strip().replace("\n", "\n       ");
        return weight.title + " ".repeat(7 - weight.title.length()) + indented + "\n";
    }
}
