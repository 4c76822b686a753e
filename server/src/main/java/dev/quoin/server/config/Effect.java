package dev.quoin.server.config;

/** What becomes of a setting that is given a value of its own. */
public sealed interface Effect {
    /** It does what it does in etcd. */
    record Acts() implements Effect {}

    /**
     * It changes nothing here: a warning at the start names it.
     *
     * @param why in the words of the documentation
     */
    record Idle(String why) implements Effect {}

    /**
     * It would protect and cannot yet, so that a member that went on without it would be less safe than its operator
     * believes: the process ends.
     *
     * @param why in the words of the documentation
     */
    record Unserved(String why) implements Effect {}

    Effect ACTS = new Acts();

    static Effect idle(String why) {
        return new Idle(why);
    }

    static Effect unserved(String why) {
        return new Unserved(why);
    }
}
