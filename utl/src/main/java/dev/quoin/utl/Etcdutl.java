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
import dev.quoin.base.Invariant;
import dev.quoin.disk.Damaged;
import dev.quoin.disk.Disk;
import dev.quoin.disk.DiskFailure;

/** The program {@code etcdutl}, without its process: finds the command, runs it, prints what comes of it. */
final class Etcdutl {
    private static final int DONE = 0;

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
        } catch (Damaged | DiskFailure | InvalidPathException failed) {
            err.println("Error: " + failed.getMessage());
            return Refused.Exit.FAILED.code;
        } catch (InterruptedException stopped) {
            Thread.currentThread().interrupt();
            return Refused.Exit.FAILED.code;
        }
    }

    private int runCommand(List<String> words) throws Refused, InterruptedException {
        Optional<Command> command = named(withoutOptions(words));
        if (command.isPresent() && !command.get().isServed()) {
            throw new Refused("etcdutl " + command.get().title() + " is not served yet");
        }
        Arguments arguments = read(words, command);
        List<String> rest = arguments.rest();
        if (command.isEmpty() && !rest.isEmpty() && !rest.getFirst().equals("help")) {
            throw new Refused("unknown command " + GoQuote.of(rest.getFirst()) + " for \"etcdutl\"\n"
                    + "Run 'etcdutl --help' for usage.");
        }
        if (arguments.wantsHelp() || command.isEmpty() || command.get() == Command.SNAPSHOT) {
            out.print(usage(command));
            return DONE;
        }
        switch (command.get()) {
            case SNAPSHOT_STATUS -> status(arguments, rest.subList(2, rest.size()));
            case SNAPSHOT_RESTORE -> SnapshotRestore.of(arguments, rest.subList(2, rest.size())).run(disk, this::log);
            case COMPLETION, DEFRAG, HASHKV, MIGRATE, SNAPSHOT, VERSION ->
                throw Invariant.violation("%s is no command that is served", command.get());
        }
        return DONE;
    }

    /** The words that may name a command: what follows an option may be its value. */
    private static List<String> withoutOptions(List<String> words) {
        List<Option> all = Stream.concat(Command.INHERITED.stream(), SnapshotRestore.OPTIONS.stream()).toList();
        try {
            return Arguments.read(words, all).rest();
        } catch (Refused unknown) {
            return words.stream().takeWhile(word -> !word.startsWith("-")).toList();
        }
    }

    private static Optional<Command> named(List<String> names) {
        if (names.isEmpty()) {
            return Optional.empty();
        }
        Optional<Command> first = Command.find(Command.atTheTop(), names.getFirst());
        if (first.isEmpty() || names.size() < 2) {
            return first;
        }
        Optional<Command> second = Command.find(first.get().below(), names.get(1));
        return second.isPresent() ? second : first;
    }

    private Arguments read(List<String> words, Optional<Command> command) throws Refused {
        List<Option> options = new ArrayList<>(Command.INHERITED);
        command.ifPresent(known -> options.addAll(known.options()));
        try {
            return Arguments.read(words, options);
        } catch (Refused refused) {
            err.println("Error: " + refused.getMessage());
            err.println(usage(command));
            throw refused;
        }
    }

    // ---- commands

    private void status(Arguments arguments, List<String> files) throws Refused {
        if (files.size() != 1) {
            throw new Refused(Refused.Exit.BAD_ARGUMENTS, "snapshot status requires exactly one argument");
        }
        Path file = Path.of(files.getFirst());
        if (!disk.exists(file)) {
            throw new Refused("stat " + file + ": no such file or directory");
        }
        StatusPrinter printer = StatusPrinter.of(arguments.text("write-out"));
        out.print(printer.print(SnapshotStatus.of(disk, file)));
    }

    // ---- texts

    private static String usage(Optional<Command> command) {
        StringBuilder text = new StringBuilder("Usage:\n  ");
        text.append(command.map(Command::usageLine).orElse("etcdutl [command]")).append('\n');
        List<Command> below = command.map(Command::below).orElseGet(Command::atTheTop);
        if (!below.isEmpty()) {
            text.append("\nAvailable Commands:\n");
            below.forEach(known -> text.append(String.format(Locale.ROOT, "  %-11s %s\n", known.title(),
                    known.summary())));
        }
        command.ifPresent(known -> appendOptions(text, "Flags", known.options()));
        appendOptions(text, command.isPresent() ? "Global Flags" : "Flags", Command.INHERITED);
        return text.toString();
    }

    private static void appendOptions(StringBuilder text, String title, List<Option> options) {
        if (options.isEmpty()) {
            return;
        }
        text.append('\n').append(title).append(":\n");
        for (Option option : options) {
            String letter = option.letter() == null ? "    " : "-" + option.letter() + ", ";
            String called = letter + "--" + option.name() + " " + option.kind().title;
            text.append(String.format(Locale.ROOT, "  %-42s %s%s\n", called, option.help(), initial(option)));
        }
    }

    private static String initial(Option option) {
        return switch (option.kind()) {
            case BOOLEAN -> "";
            case TEXT -> option.initial().isEmpty() ? "" : " (default " + GoQuote.of(option.initial()) + ")";
            case NUMBER -> option.initial().equals("0") ? "" : " (default " + option.initial() + ")";
            case DURATION -> " (default " + option.initial() + ")";
        };
    }

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
