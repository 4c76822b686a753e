package dev.quoin.utl;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

import org.jspecify.annotations.Nullable;

/** A command of {@code etcdutl}, or a group of such: what it is called, what it is for, and which options it has. */
@SuppressWarnings("ImmutableEnumChecker") // Its options are a list that nobody changes.
enum Command {
    ROOT(null, "etcdutl", "An administrative command line tool for etcd3.", List.of()),
    COMPLETION(ROOT, "completion [bash|zsh|fish|powershell]", "Generate completion script", List.of()),
    DEFRAG(ROOT, "defrag", "Defragments the storage of the etcd", Defrag.OPTIONS),
    HASHKV(ROOT, "hashkv <filename>", "Prints the KV history hash of a given file", HashKv.OPTIONS),
    HELP(ROOT, "help [command]", "Help about any command", List.of()),
    MIGRATE(ROOT, "migrate",
            "Migrates schema of etcd data dir files to make them compatible with different etcd version",
            Migrate.OPTIONS),
    SNAPSHOT(ROOT, "snapshot <subcommand>", "Manages etcd node snapshots", List.of()),
    SNAPSHOT_RESTORE(SNAPSHOT, "restore <filename> --data-dir {output dir} [options]",
            "Restores an etcd member snapshot to an etcd directory", SnapshotRestore.OPTIONS),
    SNAPSHOT_STATUS(SNAPSHOT, "status <filename>", "Gets backend snapshot status of a given file", List.of()),
    VERSION(ROOT, "version", "Prints the version of etcdutl", List.of());

    /** What every command has. */
    static final List<Option> INHERITED = List.of(
            Option.of("timeout", Option.Kind.DURATION, "10s",
                    "time to wait to obtain a file lock on db file, 0 to block indefinitely"),
            new Option("write-out", 'w', Option.Kind.TEXT, "simple",
                    "set the output format (fields, json, protobuf, simple, table)"));

    private final @Nullable Command parent;
    private final String use;
    private final String summary;
    private final List<Option> options;

    Command(@Nullable Command parent, String use, String summary, List<Option> options) {
        this.parent = parent;
        this.use = use;
        this.summary = summary;
        this.options = options;
    }

    String title() {
        return use.split(" ", 2)[0];
    }

    /** Its title behind those of its parents. */
    String path() {
        return parent == null ? title() : parent.path() + " " + title();
    }

    String summary() {
        return summary;
    }

    /** Its own, in the order of their names. */
    List<Option> options() {
        return options;
    }

    /** Which of them must be said. */
    List<String> required() {
        return switch (this) {
            case DEFRAG -> List.of("data-dir");
            case MIGRATE -> List.of("data-dir", "target-version");
            case ROOT, COMPLETION, HASHKV, HELP, SNAPSHOT, SNAPSHOT_RESTORE, SNAPSHOT_STATUS, VERSION -> List.of();
        };
    }

    /** Those that it groups, in the order of their names; none if it does something itself. */
    List<Command> below() {
        List<Command> below = new ArrayList<>();
        for (Command command : values()) {
            if (command.parent == this) {
                below.add(command);
            }
        }
        return below;
    }

    /** The one below it of this name, or the only one whose name begins so. */
    Optional<Command> find(String name) {
        List<Command> found = below().stream().filter(command -> command.title().startsWith(name)).toList();
        return found.stream().filter(command -> command.title().equals(name) || found.size() == 1).findFirst();
    }

    String usageLine() {
        String line = parent == null ? use : parent.path() + " " + use;
        return this == COMPLETION ? line : line + " [flags]";
    }
}
