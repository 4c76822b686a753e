package dev.quoin.ctl.migrate;

/** What a member's program is. */
public enum Kind {
    ETCD("etcd", "etcd"),
    QUOIN("Quoin", "quoin");

    private final String word;
    private final String program;

    Kind(String word, String program) {
        this.word = word;
        this.program = program;
    }

    /** For people. */
    public String word() {
        return word;
    }

    /** As flags and commands write it. */
    public String program() {
        return program;
    }

    Kind other() {
        return this == ETCD ? QUOIN : ETCD;
    }
}
