package dev.quoin.ctl.cli;

import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

import org.jspecify.annotations.Nullable;

import dev.quoin.base.GoQuote;
import dev.quoin.base.Invariant;
import dev.quoin.ctl.text.GoDurations;
import dev.quoin.ctl.text.Malformed;

/** The flags a command knows, what was given of them, and the arguments between them (spf13/pflag, flag.go). One thread's. */
public final class Flags {
    private final Map<String, Flag> known = new TreeMap<>();
    private final Map<String, Object> given = new TreeMap<>();
    private final List<String> arguments = new ArrayList<>();

    Flags(Collection<Flag> flags) {
        for (Flag flag : flags) {
            known.putIfAbsent(flag.name(), flag);
        }
    }

    /** Help was asked for. */
    static final class HelpAsked extends Exception {
        private static final long serialVersionUID = 1L;

        HelpAsked() {
            super(null, null, false, false);
        }
    }

    /** Reads flags and arguments in any order; behind {@code --} there are only arguments. */
    void read(List<String> words) throws Malformed, HelpAsked {
        int at = 0;
        while (at < words.size()) {
            String word = words.get(at++);
            if (word.length() < 2 || word.charAt(0) != '-') {
                arguments.add(word);
            } else if (word.equals("--")) {
                arguments.addAll(words.subList(at, words.size()));
                at = words.size();
            } else {
                String next = at < words.size() ? words.get(at) : null;
                at += word.startsWith("--") ? readLong(word, next) : readShort(word, next);
            }
        }
    }

    /** Reads {@code --name}, {@code --name=value} or {@code --name value}; returns how many words it took of the next. */
    private int readLong(String word, @Nullable String next) throws Malformed, HelpAsked {
        String name = word.substring(2);
        if (name.charAt(0) == '-' || name.charAt(0) == '=') {
            throw new Malformed("bad flag syntax: " + word);
        }
        int equals = name.indexOf('=');
        String value = equals < 0 ? null : name.substring(equals + 1);
        name = equals < 0 ? name : name.substring(0, equals);
        Flag flag = known.get(name);
        if (flag == null) {
            if (name.equals("help")) {
                throw new HelpAsked();
            }
            throw new Malformed("unknown flag: --" + name);
        }
        if (value != null) {
            set(flag, value);
            return 0;
        }
        if (flag.needsNoValue()) {
            set(flag, "true");
            return 0;
        }
        if (next == null) {
            throw new Malformed("flag needs an argument: --" + name);
        }
        set(flag, next);
        return 1;
    }

    /** Reads letters behind one dash: flags that need no value, and one at the end that may have one. */
    private int readShort(String word, @Nullable String next) throws Malformed, HelpAsked {
        String letters = word.substring(1);
        while (!letters.isEmpty()) {
            Flag flag = byLetter(letters.charAt(0), letters);
            if (letters.length() > 2 && letters.charAt(1) == '=') {
                set(flag, letters.substring(2));
                return 0;
            }
            if (!flag.needsNoValue()) {
                if (letters.length() > 1) {
                    set(flag, letters.substring(1));
                    return 0;
                }
                if (next == null) {
                    throw new Malformed("flag needs an argument: '" + letters.charAt(0) + "' in -" + letters);
                }
                set(flag, next);
                return 1;
            }
            set(flag, "true");
            letters = letters.substring(1);
        }
        return 0;
    }

    private Flag byLetter(char letter, String letters) throws Malformed, HelpAsked {
        for (Flag flag : known.values()) {
            if (flag.shorthand() == letter) {
                return flag;
            }
        }
        if (letter == 'h') {
            throw new HelpAsked();
        }
        throw new Malformed("unknown shorthand flag: '" + letter + "' in -" + letters);
    }

    private void set(Flag flag, String value) throws Malformed {
        try {
            given.put(flag.name(), flag.parse(value, given.get(flag.name())));
        } catch (Malformed why) {
            String names = flag.shorthand() == 0 ? "--" + flag.name() : "-" + flag.shorthand() + ", --" + flag.name();
            throw new Malformed("invalid argument " + GoQuote.of(value) + " for " + GoQuote.of(names) + " flag: "
                    + why.getMessage());
        }
    }

    /** Sets a flag from elsewhere than the command line. */
    void setFrom(Flag flag, String value) throws Malformed {
        given.put(flag.name(), flag.parse(value, null));
    }

    /** The arguments that are no flags. */
    public List<String> arguments() {
        return arguments;
    }

    /** Whether it was given at all. */
    public boolean isGiven(String name) {
        return given.containsKey(name);
    }

    public boolean isOn(String name) {
        return value(name) instanceof Boolean on && on;
    }

    public String text(String name) {
        return (String) value(name);
    }

    /** A number; of a duration, its nanoseconds. */
    public long number(String name) {
        return (Long) value(name);
    }

    public List<String> texts(String name) {
        List<String> texts = new ArrayList<>();
        if (value(name) instanceof List<?> values) {
            values.forEach(each -> texts.add((String) each));
        }
        return texts;
    }

    private Object value(String name) {
        Object value = given.get(name);
        if (value != null) {
            return value;
        }
        Flag flag = known.get(name);
        if (flag == null) {
            throw Invariant.violation("no flag %s", name);
        }
        try {
            return flag.parse(flag.standard(), null);
        } catch (Malformed impossible) {
            throw Invariant.violation("the default of --%s: %s", name, impossible.getMessage());
        }
    }

    /** A flag's value as it would be written behind it. */
    public String shown(String name) {
        Flag flag = known.get(name);
        if (flag == null) {
            throw Invariant.violation("no flag %s", name);
        }
        return shown(flag);
    }

    /** A flag's value as Go's {@code %v} shows it. */
    String shown(Flag flag) {
        Object value = value(flag.name());
        return switch (flag.kind()) {
            case STRINGS -> "[" + String.join(",", texts(flag.name())) + "]";
            case DURATION -> GoDurations.text((Long) value);
            case UINT -> Long.toUnsignedString((Long) value);
            default -> value.toString();
        };
    }
}
