package dev.quoin.server.config;

/** A heading in the help, as etcd's. */
public enum Section {
    MEMBER("Member"),
    CLUSTERING("Clustering"),
    SECURITY("Security"),
    AUTH("Auth"),
    MONITORING("Profiling and Monitoring"),
    LOGGING("Logging"),
    TRACING("Distributed tracing"),
    FEATURES("Features"),
    UNSAFE("Unsafe feature");

    private final String title;

    Section(String title) {
        this.title = title;
    }

    String title() {
        return title;
    }
}
