package dev.quoin.server.config;

import java.math.BigInteger;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * What the operator has given, value by value, and what there is to say about it. Each value has parsed; whether they fit
 * together is for {@code ServerConfig}. Not to be changed once it has been read; for one thread until then.
 */
public final class Flags {
    /** The operator's wish. */
    public sealed interface Wish {
        record Help() implements Wish {}

        record ShowVersion() implements Wish {}

        record Start(Flags flags) implements Wish {}
    }

    private final Map<String, String> given = new LinkedHashMap<>();
    private final List<Note> notes = new ArrayList<>();
    private final boolean fromFile;

    Flags(boolean fromFile) {
        this.fromFile = fromFile;
    }

    /**
     * Reads the command line, then the environment: a setting in both is refused. A configuration file, named by either,
     * counts alone (etcdmain/config.go).
     */
    public static Wish read(String[] args, Map<String, String> environment) throws Refused {
        Flags flags = new Flags(false);
        if (!CommandLine.read(args, flags)) {
            return new Wish.Help();
        }
        if (flags.isTrue("version")) {
            return new Wish.ShowVersion();
        }
        String file = flags.text("config-file").isEmpty()
                ? environment.getOrDefault("ETCD_CONFIG_FILE", "")
                : flags.text("config-file");
        if (!file.isEmpty()) {
            return new Wish.Start(ConfigFile.read(file));
        }
        Environment.read(environment, flags);
        return new Wish.Start(flags);
    }

    /** @param value in the form of its kind */
    void set(Flag flag, String value) {
        given.put(flag.name(), value);
    }

    void note(Note note) {
        notes.add(note);
    }

    /** Lines for the log that reading has left. */
    public List<Note> notes() {
        return List.copyOf(notes);
    }

    /** Whether a configuration file was read, and nothing else. */
    public boolean areFromFile() {
        return fromFile;
    }

    public boolean isGiven(String name) {
        return given.containsKey(name);
    }

    /** Whether it was given, and as something else than it is by itself. */
    boolean differs(Flag flag) {
        return !current(flag).equals(flag.initial());
    }

    /** What holds: the last that was given, or what holds by itself. */
    String current(Flag flag) {
        return given.getOrDefault(flag.name(), flag.initial());
    }

    public String text(String name) {
        return current(FlagTable.setting(name));
    }

    /** Texts or URLs, each once and in order; none if there are none. */
    public List<String> list(String name) {
        String text = text(name);
        return text.isEmpty() && !isGiven(name) ? List.of() : List.of(text.split(",", -1));
    }

    public List<String> urls(String name) {
        String text = text(name);
        return text.isEmpty() ? List.of() : List.of(text.split(",", -1));
    }

    /** All that was given, as arguments, for whoever looks at the process; what could be a secret is not shown. */
    public List<String> shown() {
        List<String> shown = new ArrayList<>();
        given.forEach((name, value) -> shown.add("--" + name + "=" + (isSecret(name) ? "..." : value)));
        return shown;
    }

    private static boolean isSecret(String name) {
        return name.contains("password") || name.contains("user") || name.contains("auth-token")
                || name.equals("discovery-token");
    }

    public Duration duration(String name) {
        return FlagKind.duration(text(name));
    }

    public boolean isTrue(String name) {
        return text(name).equals("true");
    }

    /** A number, or the largest that an int has: what counts beyond it is not told from it. */
    public int count(String name) {
        return Math.clamp(number(name), Integer.MIN_VALUE, Integer.MAX_VALUE);
    }

    /** A number, or the nearest that a long has. */
    public long number(String name) {
        BigInteger number = new BigInteger(text(name));
        return number.bitLength() > 63 ? Long.MAX_VALUE : number.longValue();
    }

    public Gates gates() {
        try {
            return Gates.parse(text("feature-gates"));
        } catch (BadValue bad) {
            throw new IllegalStateException("--feature-gates was checked", bad);
        }
    }
}
