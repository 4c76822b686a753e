package dev.quoin.server.peer;

import org.jspecify.annotations.Nullable;

/** The two kinds of streams: one for appends, which may be large, and one for all else. */
enum StreamKind {
    MESSAGES("message", "stream Message"), APPENDS("msgapp", "stream MsgApp v2");

    static final String PREFIX = "/raft/stream/";

    private final String pathName;
    private final String etcdName;

    StreamKind(String pathName, String etcdName) {
        this.pathName = pathName;
        this.etcdName = etcdName;
    }

    /** As etcd's log lines have it. */
    String etcdName() {
        return etcdName;
    }

    /** What {@code from} dials to hear us. */
    String path(long from) {
        return PREFIX + pathName + "/" + Long.toHexString(from);
    }

    /** The kind that is dialled under {@code PREFIX + name}; null if there is none. */
    static @Nullable StreamKind of(String name) {
        for (StreamKind kind : values()) {
            if (kind.pathName.equals(name)) {
                return kind;
            }
        }
        return null;
    }
}
