package dev.quoin.ctl.cli;

import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;

import dev.quoin.base.GoQuote;
import dev.quoin.ctl.text.Malformed;

/**
 * What variables say of flags (etcd: pkg/flags/flag.go, SetPflagsFromEnv): {@code PREFIX_SOME_FLAG} stands for {@code
 * --some-flag} of those that a command inherits. A flag given both ways ends the program; a variable that is no flag is
 * warned of.
 */
public final class Environment {
    private final String prefix;
    private final Map<String, String> variables;
    private final Log log;

    public Environment(String prefix, Map<String, String> variables, Log log) {
        this.prefix = prefix + "_";
        this.variables = new TreeMap<>(variables);
        this.log = log;
    }

    /**
     * Adds to the flags what variables say.
     *
     * @param silent names of variables that mean something to this command alone
     */
    public void applyTo(Invocation invocation, List<String> silent) {
        Set<String> used = new TreeSet<>(silent);
        Set<String> shadowed = new TreeSet<>();
        for (Flag flag : invocation.command().inheritedFlags()) {
            String name = nameOf(flag);
            String value = variables.getOrDefault(name, "");
            if (invocation.flags().isGiven(flag.name())) {
                shadowed.add(name);
            } else if (!value.isEmpty()) {
                used.add(name);
                set(invocation.flags(), flag, name, value);
            }
        }
        variables.forEach((name, value) -> verify(name, value, used, shadowed));
    }

    private void verify(String name, String value, Set<String> used, Set<String> shadowed) {
        if (used.contains(name)) {
            return;
        }
        if (shadowed.contains(name)) {
            log.line("fatal", "conflicting environment variable is shadowed by corresponding command-line flag "
                    + "(either unset environment variable or disable flag))", "environment-variable", name);
            throw Failure.silent(Failure.ERROR);
        }
        if (name.startsWith(prefix)) {
            log.line("warn", "unrecognized environment variable", "environment-variable", name + "=" + value);
        }
    }

    /** etcdctl passes over a value that does not parse, and then works with a zero: here it is refused. */
    private static void set(Flags flags, Flag flag, String name, String value) {
        try {
            flags.setFrom(flag, value);
        } catch (Malformed why) {
            throw Failure.badArguments(
                    "invalid value " + GoQuote.of(value) + " for " + name + ": " + why.getMessage());
        }
    }

    private String nameOf(Flag flag) {
        return prefix + flag.name().replace('-', '_').toUpperCase(Locale.ROOT);
    }

    /** All inherited flags as variables with their values, a line each. */
    public String table(Invocation invocation) {
        TreeMap<String, String> lines = new TreeMap<>();
        for (Flag flag : invocation.command().inheritedFlags()) {
            lines.putIfAbsent(flag.name(), nameOf(flag) + "=" + invocation.flags().shown(flag) + "\n");
        }
        return String.join("", lines.values());
    }
}
