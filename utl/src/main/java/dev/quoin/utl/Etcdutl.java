package dev.quoin.utl;

import java.io.PrintStream;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.time.OffsetDateTime;
import java.time.ZoneId;
import java.time.format.DateTimeFormatter;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Collectors;
import java.util.stream.Stream;

import org.jspecify.annotations.Nullable;

import dev.quoin.base.GoQuote;
import dev.quoin.base.Versions;
import dev.quoin.disk.Damaged;
import dev.quoin.disk.Disk;
import dev.quoin.disk.DiskFailure;
import dev.quoin.member.SnapshotRefused;
import dev.quoin.member.StartRefused;

/** The program {@code etcdutl}, without its process: finds the command, runs it, prints what comes of it. */
final class Etcdutl {
    private static final int DONE = 0;
    private static final String VERSION = "etcdutl version: " + Versions.ETCD + "\nAPI version: " + Versions.API + "\n";

    private final Disk disk;
    private final PrintStream out;
    private final PrintStream err;

    Etcdutl(Disk disk, PrintStream out, PrintStream err) {
        this.disk = disk;
        this.out = out;
        this.err = err;
    }

    /** What the process is to end with. */
    int run(List<String> words) {
        try {
            return runCommand(words);
        } catch (Refused refused) {
            err.println("Error: " + refused.getMessage());
            return refused.exitCode();
        } catch (Damaged | DiskFailure | SnapshotRefused | StartRefused | InvalidPathException failed) {
            err.println("Error: " + failed.getMessage());
            return Refused.Exit.FAILED.code;
        } catch (InterruptedException stopped) {
            Thread.currentThread().interrupt();
            return Refused.Exit.FAILED.code;
        }
    }

    /** A command, and the words that did not lead to it. */
    private record Found(Command command, List<String> rest) {
        static Found from(Command command, List<String> names) {
            Optional<Command> next = names.isEmpty() ? Optional.empty() : command.find(names.getFirst());
            return next.isPresent() ? from(next.get(), names.subList(1, names.size())) : new Found(command, names);
        }
    }

    private int runCommand(List<String> words) throws Refused, InterruptedException {
        Found found = Found.from(Command.ROOT, names(words));
        Command command = found.command;
        if (command == Command.ROOT && !found.rest.isEmpty()) {
            throw new Refused("unknown command " + GoQuote.of(found.rest.getFirst()) + " for \"etcdutl\"\n"
                    + "Run 'etcdutl --help' for usage.");
        }
        Arguments arguments = read(words, command);
        if (arguments.wantsHelp() || !command.below().isEmpty()) {
            out.print(Usage.of(command));
            return DONE;
        }
        // What leads to the command comes first among what is no option.
        int depth = command.path().split(" ").length - 1;
        List<String> rest = arguments.rest().subList(depth, arguments.rest().size());
        check(command, arguments, rest);
        run(command, arguments, rest);
        return DONE;
    }

    private void run(Command command, Arguments arguments, List<String> rest) throws Refused, InterruptedException {
        switch (command) {
            case ROOT, SNAPSHOT -> out.print(Usage.of(command));
            case COMPLETION -> out.print(Completion.of(rest.getFirst()));
            case DEFRAG -> new Defrag(Path.of(arguments.text("data-dir")), new Patience(arguments.duration("timeout")))
                    .run(disk, this::log);
            case HASHKV -> hashKv(arguments, Path.of(rest.getFirst()));
            case HELP -> help(rest);
            case MIGRATE -> Migrate.of(arguments).run(disk, this::log);
            case SNAPSHOT_RESTORE -> SnapshotRestore.of(arguments, rest).run(disk, this::log);
            case SNAPSHOT_STATUS -> status(arguments, rest);
            case VERSION -> out.print(VERSION);
        }
    }

    // ---- the words

    /** Those that may name a command: what follows an option may be its value. */
    private static List<String> names(List<String> words) {
        List<Option> all = Stream.concat(Command.INHERITED.stream(),
                Stream.of(Command.values()).flatMap(command -> command.options().stream())).toList();
        try {
            return Arguments.read(words, all).rest();
        } catch (Refused unknown) {
            return words.stream().takeWhile(word -> !word.startsWith("-")).toList();
        }
    }

    private Arguments read(List<String> words, Command command) throws Refused {
        List<Option> options = new ArrayList<>(Command.INHERITED);
        options.addAll(command.options());
        try {
            return Arguments.read(words, options);
        } catch (Refused refused) {
            throw misused(command, refused);
        }
    }

    /** cobra: the number of arguments, then the flags that must be there. */
    private void check(Command command, Arguments arguments, List<String> rest) throws Refused {
        boolean takesOne = command == Command.HASHKV || command == Command.COMPLETION;
        if (takesOne && rest.size() != 1) {
            throw misused(command, new Refused("accepts 1 arg(s), received " + rest.size()));
        }
        if (command == Command.COMPLETION && !Completion.SHELLS.contains(rest.getFirst())) {
            throw misused(command, new Refused("invalid argument " + GoQuote.of(rest.getFirst()) + " for "
                    + GoQuote.of(command.path())));
        }
        List<String> missing = command.required().stream().filter(name -> !arguments.isGiven(name))
                .map(name -> "\"" + name + "\"").toList();
        if (!missing.isEmpty()) {
            throw misused(command, new Refused("required flag(s) " + String.join(", ", missing) + " not set"));
        }
    }

    /** Says how it is called, as cobra does; why it is refused is said again at the end. */
    private Refused misused(Command command, Refused refused) {
        err.println("Error: " + refused.getMessage());
        err.println(Usage.of(command));
        return refused;
    }

    // ---- commands

    private void help(List<String> topic) {
        Found found = Found.from(Command.ROOT, topic);
        if (found.command == Command.ROOT && !topic.isEmpty()) {
            err.print("Unknown help topic [`" + String.join("` `", topic) + "`]\n" + Usage.of(Command.ROOT));
            return;
        }
        out.print(Usage.of(found.command));
    }

    private void status(Arguments arguments, List<String> files) throws Refused {
        if (files.size() != 1) {
            throw new Refused(Refused.Exit.BAD_ARGUMENTS, "snapshot status requires exactly one argument");
        }
        Path file = Path.of(files.getFirst());
        if (!disk.exists(file)) {
            throw new Refused("stat " + file + ": no such file or directory");
        }
        Report.Format format = Report.Format.of(arguments.text("write-out"));
        out.print(SnapshotStatus.of(disk, file).report().in(format));
    }

    private void hashKv(Arguments arguments, Path file) throws Refused {
        Report.Format format = Report.Format.of(arguments.text("write-out"));
        out.print(HashKv.of(disk, file, arguments.integer("rev")).report().in(format));
    }

    // ---- the log

    /** A line as zap writes it for people. */
    private void log(SnapshotRestore.Progress.Level level, String message, Map<String, Object> fields) {
        String time = OffsetDateTime.now(ZoneId.systemDefault()).truncatedTo(ChronoUnit.SECONDS)
                .format(DateTimeFormatter.ISO_OFFSET_DATE_TIME);
        err.println(time + "\t" + level.name().toLowerCase(Locale.ROOT) + "\t" + message + "\t"
                + fields.entrySet().stream().map(field -> GoQuote.of(field.getKey()) + ": " + value(field.getValue()))
                        .collect(Collectors.joining(", ", "{", "}")));
    }

    private static String value(@Nullable Object value) {
        return value instanceof Long ? value.toString() : GoQuote.of(String.valueOf(value));
    }
}
