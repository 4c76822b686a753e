package dev.quoin.ctl.cli;

import java.io.PrintStream;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;

/**
 * What a shell may offer for a word that is being typed, by the protocol between cobra's scripts and its programs (spf13/cobra,
 * completions.go): {@code __complete WORD…} prints a line for each offer, its name, a tab and what it is, then a line with a colon and a
 * number, the directive. So scripts made by etcdctl work with this program, and those of this one with etcdctl.
 */
final class Completion {
    /** The command's name; with {@code NoDesc} behind it names alone are printed. */
    static final String COMMAND = "__complete";

    /** What a shell does besides: cobra's ShellCompDirective. */
    private enum Directive {
        /** It offers files if there is nothing else. */
        DEFAULT("ShellCompDirectiveDefault", 0),
        /** It offers nothing else. */
        NO_FILES("ShellCompDirectiveNoFileComp", 4);

        private final String title;
        private final int number;

        Directive(String title, int number) {
            this.title = title;
            this.number = number;
        }
    }

    private final Command root;
    private final PrintStream out;
    private final PrintStream err;
    private final List<String> offers = new ArrayList<>();

    Completion(Command root, PrintStream out, PrintStream err) {
        this.root = root;
        this.out = out;
        this.err = err;
    }

    /** Prints what fits the last of the words; the first is the command's name. */
    void run(List<String> words) {
        boolean isDescribed = words.get(0).equals(COMMAND);
        Directive directive = words.size() < 2 ? Directive.DEFAULT
                : collect(words.subList(1, words.size() - 1), words.get(words.size() - 1));
        for (String offer : offers) {
            int tab = offer.indexOf('\t');
            out.print((isDescribed || tab < 0 ? offer : offer.substring(0, tab)) + "\n");
        }
        out.print(":" + directive.number + "\n");
        out.flush();
        err.print("Completion ended with directive: " + directive.title + "\n");
    }

    private Directive collect(List<String> before, String typed) {
        CommandLine.Found found = CommandLine.find(root, before);
        Command command = found.command();
        List<Flag> flags = CommandLine.known(command);
        if (before.contains("--")) {
            return Directive.DEFAULT;
        }
        String last = before.isEmpty() ? "" : before.get(before.size() - 1);
        if (CommandLine.takesNext(last, flags)) {
            return values(choicesOf(last, flags), typed);
        }
        int equals = typed.indexOf('=');
        if (typed.startsWith("--") && equals > 0) {
            return values(choicesOf(typed.substring(0, equals), flags), typed.substring(equals + 1));
        }
        if (typed.startsWith("-")) {
            names(flags, typed);
            return Directive.NO_FILES;
        }
        boolean hasArguments = !CommandLine.positional(found.words(), command).isEmpty();
        if (!command.children().isEmpty()) {
            if (!hasArguments) {
                children(command, typed);
            }
            return Directive.NO_FILES;
        }
        command.choices().forEach(choice -> offer(choice, "", typed));
        return command.choices().isEmpty() ? Directive.DEFAULT : Directive.NO_FILES;
    }

    private static List<String> choicesOf(String word, List<Flag> flags) {
        for (Flag flag : flags) {
            if (word.equals("--" + flag.name()) || word.equals("-" + flag.shorthand())) {
                return flag.choices();
            }
        }
        return List.of();
    }

    private Directive values(List<String> choices, String typed) {
        choices.forEach(choice -> offer(choice, "", typed));
        return Directive.DEFAULT;
    }

    private void names(List<Flag> flags, String typed) {
        List<Flag> sorted = new ArrayList<>(flags);
        sorted.removeIf(Flag::isHidden);
        sorted.sort(Comparator.comparing(Flag::name));
        for (Flag flag : sorted) {
            offer("--" + flag.name(), flag.usage(), typed);
            if (flag.shorthand() != 0) {
                offer("-" + flag.shorthand(), flag.usage(), typed);
            }
        }
    }

    private void children(Command command, String typed) {
        List<Command> sorted = new ArrayList<>(command.children());
        sorted.removeIf(Command::isHidden);
        sorted.sort(Comparator.comparing(Command::name));
        sorted.forEach(child -> offer(child.name(), child.summary(), typed));
    }

    private void offer(String name, String about, String typed) {
        if (name.startsWith(typed)) {
            offers.add(about.isEmpty() ? name : name + "\t" + firstLine(about));
        }
    }

    private static String firstLine(String text) {
        return text.strip().lines().findFirst().orElse("");
    }
}
