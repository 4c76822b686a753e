package dev.quoin.server.config;

import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;

import org.jspecify.annotations.Nullable;

/** The variables {@code ETCD_…}, read after the command line as etcd reads them (pkg/flags). */
final class Environment {
    private static final String PREFIX = "ETCD_";
    /** Would be the variable of {@code --version}. */
    private static final String VERSION = "ETCD_VERSION";

    private Environment() {}

    static void read(Map<String, String> variables, Flags into) throws Refused {
        Map<String, String> environment = new TreeMap<>(variables);
        String version = environment.remove(VERSION);
        if (version != null && !version.isEmpty()) {
            into.note(Note.warning("cannot set special environment variable",
                    Map.of("key", VERSION, "value", version)));
        }
        Set<String> shadowed = new HashSet<>();
        FlagTable.BY_NAME.values().stream().filter(flag -> into.isGiven(flag.name()))
                .forEach(flag -> shadowed.add(flag.variable()));
        Set<String> used = new HashSet<>();
        String refusal = use(environment, shadowed, used, into);
        refuseOrTellRest(environment, shadowed, used, into);
        if (refusal != null) {
            throw Refused.check(refusal);
        }
    }

    /** Returns what is wrong with the last that is wrong, as etcd does. */
    private static @Nullable String use(Map<String, String> environment, Set<String> shadowed, Set<String> used,
            Flags into) {
        String refusal = null;
        for (Flag flag : FlagTable.BY_NAME.values()) {
            String variable = flag.variable();
            String value = environment.getOrDefault(variable, "");
            if (value.isEmpty() || shadowed.contains(variable)) {
                continue;
            }
            used.add(variable);
            try {
                into.set(flag, flag.kind().read(value, into.current(flag)));
                into.note(Note.info("recognized and used environment variable",
                        Map.of("variable-name", variable, "variable-value", value)));
            } catch (BadValue bad) {
                refusal = "invalid value \"" + value + "\" for " + variable + ": " + bad.why();
            }
        }
        return refusal;
    }

    private static void refuseOrTellRest(Map<String, String> environment, Set<String> shadowed, Set<String> used,
            Flags into) throws Refused {
        for (Map.Entry<String, String> variable : environment.entrySet()) {
            if (used.contains(variable.getKey())) {
                continue;
            }
            if (shadowed.contains(variable.getKey())) {
                throw Refused.fatal("conflicting environment variable is shadowed by corresponding command-line flag"
                        + " (either unset environment variable or disable flag))", "environment-variable",
                        variable.getKey());
            }
            if (variable.getKey().startsWith(PREFIX)) {
                into.note(Note.warning("unrecognized environment variable",
                        Map.of("environment-variable", variable.getKey() + "=" + variable.getValue())));
            }
        }
    }
}
