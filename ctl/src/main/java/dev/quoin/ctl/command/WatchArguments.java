package dev.quoin.ctl.command;

import java.util.ArrayList;
import java.util.List;

import dev.quoin.ctl.cli.Failure;
import dev.quoin.ctl.text.Malformed;

/**
 * Which of a watch's words name keys, and which the command to run for each event; the rules of etcdctl (etcd: watch_command.go,
 * parseWatchArgs), with {@code ETCDCTL_WATCH_KEY} standing for a key that is not among the words.
 */
record WatchArguments(List<String> keys, List<String> command) {
    private static final String SEPARATOR = "--";
    private static final String BAD_NUMBER = "bad number of arguments";

    /** The keys that the environment names; empty if there are none. */
    record Named(String key, String rangeEnd) {
        List<String> keys() {
            if (key.isEmpty()) {
                return List.of();
            }
            return rangeEnd.isEmpty() ? List.of(key) : List.of(key, rangeEnd);
        }
    }

    /**
     * Of a command line.
     *
     * @param words the whole line, from the program's name on
     * @param arguments those that are no flags, without the separator
     */
    static WatchArguments ofLine(List<String> words, List<String> arguments, Named named) {
        int watch = words.indexOf("watch");
        List<String> raw = words.subList(watch + 1, words.size());
        int separator = raw.indexOf(SEPARATOR);
        if (separator >= 0 && separator == raw.size() - 1) {
            throw noCommand();
        }
        if (separator < 0 && raw.isEmpty() && named.key.isEmpty()) {
            throw Failure.badArguments(BAD_NUMBER);
        }
        boolean hasKeys = separator < 0 ? !arguments.isEmpty() : arguments.size() > raw.size() - separator - 1;
        if (hasKeys && !named.key.isEmpty()) {
            throw conflict();
        }
        return of(raw, separator, arguments, named);
    }

    /**
     * Of a line that was typed, behind its {@code watch}.
     *
     * @param arguments those that are no flags, without the separator
     */
    static WatchArguments ofTyped(List<String> words, List<String> arguments, Named named) {
        int separator = words.indexOf(SEPARATOR);
        if (separator >= 0 && separator == words.size() - 1) {
            throw noCommand();
        }
        if (separator < 0 && named.key.isEmpty() && arguments.isEmpty()) {
            throw Failure.badArguments(BAD_NUMBER);
        }
        if (separator < 0 && !arguments.isEmpty() && !named.key.isEmpty()) {
            throw conflict();
        }
        return of(words, separator, arguments, named);
    }

    private static WatchArguments of(List<String> words, int separator, List<String> arguments, Named named) {
        List<String> command = separator < 0 ? List.of() : words.subList(separator + 1, words.size());
        List<String> keys = new ArrayList<>(named.keys());
        keys.addAll(arguments.subList(0, Math.max(0, arguments.size() - command.size())));
        if (keys.isEmpty()) {
            throw Failure.badArguments(BAD_NUMBER);
        }
        return new WatchArguments(List.copyOf(keys), List.copyOf(command));
    }

    private static Failure noCommand() {
        return Failure.badArguments("bad number of arguments (found separator --, but no commands)");
    }

    private static Failure conflict() {
        return Failure.badArguments("bad number of arguments (found conflicting environment key)");
    }

    /** What is wrong with a flag of a line that was typed. */
    static Failure refused(Malformed why) {
        return Failure.badArguments(String.valueOf(why.getMessage()));
    }
}
