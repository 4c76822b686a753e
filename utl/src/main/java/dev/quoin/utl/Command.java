package dev.quoin.utl;

import java.util.List;
import java.util.Optional;

/** A command of {@code etcdutl}, or a group of such: what it is called, and which options it has. */
@SuppressWarnings("ImmutableEnumChecker") // Its options are a list that nobody changes.
enum Command {
    COMPLETION("completion", "Generates completion script", List.of()),
    DEFRAG("defrag", "Defragments the storage of the etcd", List.of()),
    HASHKV("hashkv <filename>", "Prints the KV history hash of a given file", List.of()),
    MIGRATE("migrate", "Migrates schema of etcd data dir files to make them compatible with different etcd version",
            List.of()),
    SNAPSHOT("snapshot <subcommand>", "Manages etcd node snapshots", List.of()),
    SNAPSHOT_RESTORE("restore <filename> --data-dir {output dir} [options]",
            "Restores an etcd member snapshot to an etcd directory", SnapshotRestore.OPTIONS),
    SNAPSHOT_STATUS("status <filename>", "Gets backend snapshot status of a given file", List.of()),
    VERSION("version", "Prints the version of etcdutl", List.of());

    /** What every command has. */
    static final List<Option> INHERITED = List.of(
            Option.of("timeout", Option.Kind.DURATION, "10s",
                    "time to wait to obtain a file lock on db file, 0 to block indefinitely"),
            new Option("write-out", 'w', Option.Kind.TEXT, "simple",
                    "set the output format (fields, json, protobuf, simple, table)"));

    private final String usage;
    private final String summary;
    private final List<Option> options;

    Command(String usage, String summary, List<Option> options) {
        this.usage = usage;
        this.summary = summary;
        this.options = options;
    }

    String title() {
        return usage.split(" ", 2)[0];
    }

    String summary() {
        return summary;
    }

    List<Option> options() {
        return options;
    }

    boolean isServed() {
        return switch (this) {
            case SNAPSHOT, SNAPSHOT_RESTORE, SNAPSHOT_STATUS -> true;
            case COMPLETION, DEFRAG, HASHKV, MIGRATE, VERSION -> false;
        };
    }

    static List<Command> atTheTop() {
        return List.of(COMPLETION, DEFRAG, HASHKV, MIGRATE, SNAPSHOT, VERSION);
    }

    List<Command> below() {
        return this == SNAPSHOT ? List.of(SNAPSHOT_RESTORE, SNAPSHOT_STATUS) : List.of();
    }

    /** The one of this name, or the only one whose name begins so. */
    static Optional<Command> find(List<Command> among, String name) {
        List<Command> found = among.stream().filter(command -> command.title().startsWith(name)).toList();
        return found.stream().filter(command -> command.title().equals(name) || found.size() == 1).findFirst();
    }

    String usageLine() {
        return switch (this) {
            case SNAPSHOT_RESTORE, SNAPSHOT_STATUS -> "etcdutl snapshot " + usage;
            case COMPLETION, DEFRAG, HASHKV, MIGRATE, SNAPSHOT, VERSION -> "etcdutl " + usage;
        };
    }
}
