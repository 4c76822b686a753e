package dev.quoin.utl;

import java.math.BigDecimal;
import java.math.BigInteger;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

import org.jspecify.annotations.Nullable;

import dev.quoin.base.GoQuote;

/**
 * Words of a command line, told apart as cobra and pflag do: options, in any place before {@code --}, and the rest. A value
 * follows its option or an equals sign; that of a switch only an equals sign.
 */
final class Arguments {
    private static final Pattern DURATION_PART = Pattern.compile("([0-9]+(?:\\.[0-9]*)?|\\.[0-9]+)(ns|us|µs|ms|s|m|h)");
    private static final Pattern DURATION = Pattern.compile("[-+]?(0|(" + DURATION_PART.pattern() + ")+)");
    private static final BigInteger NUMBER_MAX = BigInteger.TWO.pow(64).subtract(BigInteger.ONE);

    private final List<Option> options;
    private final Map<String, String> values = new TreeMap<>();
    private final List<String> rest = new ArrayList<>();
    private boolean wantsHelp;

    private Arguments(List<Option> options) {
        this.options = options;
    }

    /** @throws Refused in pflag's words */
    static Arguments read(List<String> words, List<Option> options) throws Refused {
        Arguments arguments = new Arguments(options);
        List<String> left = new ArrayList<>(words.reversed());
        while (!left.isEmpty()) {
            String word = left.removeLast();
            if (word.equals("--")) {
                arguments.rest.addAll(left.reversed());
                break;
            }
            if (word.startsWith("--")) {
                arguments.takeLong(word.substring(2), left);
            } else if (word.startsWith("-") && word.length() > 1) {
                arguments.takeShort(word.substring(1), left);
            } else {
                arguments.rest.add(word);
            }
        }
        return arguments;
    }

    private void takeLong(String word, List<String> left) throws Refused {
        int equals = word.indexOf('=');
        String name = equals < 0 ? word : word.substring(0, equals);
        if (name.equals("help")) {
            wantsHelp = true;
            return;
        }
        Option option = options.stream().filter(known -> known.name().equals(name)).findFirst()
                .orElseThrow(() -> new Refused("unknown flag: --" + name));
        String value = equals < 0 ? null : word.substring(equals + 1);
        if (value == null) {
            value = follows(option, left, "flag needs an argument: --" + name);
        }
        put(option, value, "--" + name);
    }

    /** One letter; what is behind it is its value, or further letters if it is a switch. */
    private void takeShort(String letters, List<String> left) throws Refused {
        char letter = letters.charAt(0);
        if (letter == 'h') {
            wantsHelp = true;
            return;
        }
        Optional<Option> option = options.stream().filter(known -> isLetter(known.letter(), letter)).findFirst();
        if (option.isEmpty()) {
            throw new Refused("unknown shorthand flag: '" + letter + "' in -" + letters);
        }
        String value = letters.substring(1);
        if (value.isEmpty()) {
            value = follows(option.get(), left, "flag needs an argument: '" + letter + "' in -" + letters);
        } else if (value.startsWith("=")) {
            value = value.substring(1);
        }
        put(option.get(), value, "-" + letter + ", --" + option.get().name());
    }

    private static boolean isLetter(@Nullable Character known, char letter) {
        return known != null && known == letter;
    }

    private static String follows(Option option, List<String> left, String otherwise) throws Refused {
        if (option.kind() == Option.Kind.BOOLEAN) {
            return "true";
        }
        if (left.isEmpty()) {
            throw new Refused(otherwise);
        }
        return left.removeLast();
    }

    private void put(Option option, String value, String called) throws Refused {
        String bad = switch (option.kind()) {
            case TEXT -> "";
            case BOOLEAN -> value.matches("1|t|T|TRUE|true|True|0|f|F|FALSE|false|False")
                    ? ""
                    : "strconv.ParseBool: parsing " + GoQuote.of(value) + ": invalid syntax";
            case NUMBER -> badNumber(value);
            case INTEGER -> badInteger(value);
            case DURATION -> DURATION.matcher(value).matches() ? "" : "time: invalid duration " + GoQuote.of(value);
        };
        if (!bad.isEmpty()) {
            throw new Refused("invalid argument " + GoQuote.of(value) + " for \"" + called + "\" flag: " + bad);
        }
        values.put(option.name(), value);
    }

    /** Go takes other bases, too; nobody writes a number of revisions so. */
    private static String badNumber(String value) {
        if (!value.matches("[0-9]{1,40}")) {
            return "strconv.ParseUint: parsing " + GoQuote.of(value) + ": invalid syntax";
        }
        return new BigInteger(value).compareTo(NUMBER_MAX) > 0
                ? "strconv.ParseUint: parsing " + GoQuote.of(value) + ": value out of range"
                : "";
    }

    private static String badInteger(String value) {
        if (!value.matches("[-+]?[0-9]{1,40}")) {
            return "strconv.ParseInt: parsing " + GoQuote.of(value) + ": invalid syntax";
        }
        return new BigInteger(value).bitLength() > 63
                ? "strconv.ParseInt: parsing " + GoQuote.of(value) + ": value out of range"
                : "";
    }

    boolean wantsHelp() {
        return wantsHelp;
    }

    /** What is no option. */
    List<String> rest() {
        return List.copyOf(rest);
    }

    String text(String name) {
        Option option = options.stream().filter(known -> known.name().equals(name)).findFirst().orElseThrow();
        return values.getOrDefault(name, option.initial());
    }

    boolean isTrue(String name) {
        return text(name).matches("1|t|T|TRUE|true|True");
    }

    /** Whether it was said at all. */
    boolean isGiven(String name) {
        return values.containsKey(name);
    }

    long integer(String name) {
        return Long.parseLong(text(name));
    }

    Duration duration(String name) {
        String text = text(name);
        BigDecimal nanos = BigDecimal.ZERO;
        Matcher part = DURATION_PART.matcher(text);
        while (part.find()) {
            nanos = nanos.add(new BigDecimal(part.group(1)).multiply(BigDecimal.valueOf(nanosIn(part.group(2)))));
        }
        return Duration.ofNanos(nanos.min(BigDecimal.valueOf(Long.MAX_VALUE)).longValue())
                .multipliedBy(text.startsWith("-") ? -1 : 1);
    }

    private static long nanosIn(String unit) {
        return switch (unit) {
            case "ns" -> 1;
            case "ms" -> 1_000_000;
            case "s" -> 1_000_000_000;
            case "m" -> 60_000_000_000L;
            case "h" -> 3_600_000_000_000L;
            default -> 1_000;
        };
    }

    BigInteger number(String name) {
        return new BigInteger(text(name));
    }
}
