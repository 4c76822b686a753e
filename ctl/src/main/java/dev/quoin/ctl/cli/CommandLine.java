package dev.quoin.ctl.cli;

import java.io.PrintStream;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

import org.jspecify.annotations.Nullable;

import dev.quoin.base.GoQuote;
import dev.quoin.ctl.text.Malformed;

/**
 * Finds the command that a line names and runs it, by cobra's rules (spf13/cobra, command.go: Find, execute, ExecuteC): flags
 * anywhere, a unique beginning of a name is enough, help for a family that is named without a member, and usage on standard
 * error after a flag that is wrong.
 */
public final class CommandLine {
    /** How far a word may be from a name that is suggested instead, in letters changed. */
    private static final int SUGGESTION_DISTANCE_MAX = 2;

    private final Command root;
    private final PrintStream out;
    private final PrintStream err;

    public CommandLine(Command root, PrintStream out, PrintStream err) {
        this.root = root;
        this.out = out;
        this.err = err;
    }

    /** A command, and the words that did not lead to it. */
    record Found(Command command, List<String> words) {}

    /** Runs what the words say; help and refusals are printed here. */
    public void run(List<String> words) {
        if (!words.isEmpty() && words.get(0).startsWith(Completion.COMMAND)) {
            new Completion(root, out, err).run(words);
            return;
        }
        Found found = find(root, words);
        Command command = found.command;
        if (command == root && !positional(found.words, root).isEmpty()) {
            String unknown = positional(found.words, root).get(0);
            err.print("Error: unknown command " + GoQuote.of(unknown) + " for " + GoQuote.of(root.path())
                    + suggestions(unknown) + "\nRun '" + root.path() + " --help' for usage.\n");
            throw Failure.silent(Failure.ERROR);
        }
        Flags flags = flagsOf(command);
        try {
            flags.read(found.words);
        } catch (Flags.HelpAsked asked) {
            Help.page(command, out);
            return;
        } catch (Malformed why) {
            refuse(command, why.getMessage());
        }
        Command.Action action = command.action();
        if (action == null || flags.isOn("help")) {
            Help.page(command, out);
            return;
        }
        refuseOtherThan(command, flags.arguments());
        List<String> whole = new ArrayList<>();
        whole.add(root.name());
        whole.addAll(words);
        action.run(new Invocation(command, flags, whole));
    }

    /** cobra: ExactArgs, OnlyValidArgs. */
    private void refuseOtherThan(Command command, List<String> arguments) {
        if (command.choices().isEmpty()) {
            return;
        }
        if (arguments.size() != 1) {
            refuse(command, "accepts 1 arg(s), received " + arguments.size());
        }
        if (!command.choices().contains(arguments.get(0))) {
            refuse(command, "invalid argument " + GoQuote.of(arguments.get(0)) + " for "
                    + GoQuote.of(command.path()));
        }
    }

    private void refuse(Command command, @Nullable String why) {
        err.print("Error: " + why + "\n" + Help.usage(command) + "\n");
        throw Failure.silent(Failure.ERROR);
    }

    /** The flags a command understands: its own, and those of its parents. */
    static Flags flagsOf(Command command) {
        List<Flag> all = command.localFlags();
        all.addAll(command.inheritedFlags());
        return new Flags(all);
    }

    /** Reads a line for a single command, without help: what a transaction or an interactive watch is told. */
    public static Flags parse(Command command, List<String> words) throws Malformed {
        Flags flags = flagsOf(command);
        try {
            flags.read(words);
        } catch (Flags.HelpAsked asked) {
            throw new Malformed("pflag: help requested");
        }
        return flags;
    }

    /** The page of help that the words lead to; without a command of that name, the root's usage on standard error. */
    public void help(List<String> words) {
        Found found = find(root, words);
        if (found.command == root && !positional(found.words, root).isEmpty()) {
            err.print("Unknown help topic [`" + String.join("` `", words) + "`]\n" + Help.usage(root));
            return;
        }
        Help.page(found.command, out);
    }

    static Found find(Command from, List<String> words) {
        List<String> positional = positional(words, from);
        if (!positional.isEmpty()) {
            String name = positional.get(0);
            Command next = child(from, name);
            if (next != null) {
                return find(next, without(words, name, from));
            }
        }
        return new Found(from, words);
    }

    private static @Nullable Command child(Command from, String name) {
        Command beginning = null;
        int beginnings = 0;
        for (Command child : from.children()) {
            if (child.name().equals(name)) {
                return child;
            }
            if (child.name().startsWith(name) && !child.isHidden()) {
                beginning = child;
                beginnings++;
            }
        }
        return beginnings == 1 ? beginning : null;
    }

    /** The words that are neither flags nor their values, as far as the command knows its flags. */
    static List<String> positional(List<String> words, Command command) {
        List<String> positional = new ArrayList<>();
        List<Flag> flags = known(command);
        for (int at = 0; at < words.size(); at++) {
            String word = words.get(at);
            if (word.equals("--")) {
                break;
            }
            if (takesNext(word, flags)) {
                at++;
            } else if (!word.isEmpty() && !word.startsWith("-")) {
                positional.add(word);
            }
        }
        return positional;
    }

    private static List<String> without(List<String> words, String name, Command command) {
        List<Flag> flags = known(command);
        for (int at = 0; at < words.size(); at++) {
            String word = words.get(at);
            if (word.equals("--")) {
                break;
            }
            if (takesNext(word, flags)) {
                at++;
            } else if (word.equals(name)) {
                List<String> rest = new ArrayList<>(words);
                rest.remove(at);
                return rest;
            }
        }
        return words;
    }

    static List<Flag> known(Command command) {
        List<Flag> flags = command.localFlags();
        flags.addAll(command.inheritedFlags());
        return flags;
    }

    /** Whether the word is a flag whose value is the next word. A flag that is not known is taken for one. */
    static boolean takesNext(String word, List<Flag> flags) {
        if (word.contains("=") || !word.startsWith("-")) {
            return false;
        }
        boolean isLong = word.startsWith("--");
        if (!isLong && word.length() != 2) {
            return false;
        }
        for (Flag flag : flags) {
            if (isLong ? flag.name().equals(word.substring(2)) : flag.shorthand() == word.charAt(1)) {
                return !flag.needsNoValue();
            }
        }
        return true;
    }

    private String suggestions(String word) {
        StringBuilder text = new StringBuilder();
        for (Command child : root.children()) {
            String name = child.name();
            boolean isNear = distance(word.toLowerCase(Locale.ROOT), name) <= SUGGESTION_DISTANCE_MAX;
            if (isNear || name.startsWith(word.toLowerCase(Locale.ROOT))) {
                text.append(text.isEmpty() ? "\n\nDid you mean this?\n" : "").append('\t').append(name).append('\n');
            }
        }
        return text.toString();
    }

    /** Letters to insert, to take out or to change until one word is the other (Levenshtein). */
    private static int distance(String left, String right) {
        int[] row = new int[right.length() + 1];
        for (int j = 0; j <= right.length(); j++) {
            row[j] = j;
        }
        for (int i = 1; i <= left.length(); i++) {
            int diagonal = row[0];
            row[0] = i;
            for (int j = 1; j <= right.length(); j++) {
                int change = diagonal + (left.charAt(i - 1) == right.charAt(j - 1) ? 0 : 1);
                diagonal = row[j];
                row[j] = Math.min(change, 1 + Math.min(row[j], row[j - 1]));
            }
        }
        return row[right.length()];
    }
}
