package dev.quoin.server.config;

/**
 * The command line as Go's flag package reads it: {@code --flag=value}, {@code --flag value} or one dash; a boolean stands
 * alone or takes {@code =value}; the last of several counts. What is no flag ends the flags.
 */
final class CommandLine {
    private final String[] args;
    private int next;

    private CommandLine(String[] args) {
        this.args = args;
    }

    /** Returns false if help was asked for, wherever that was. */
    static boolean read(String[] args, Flags into) throws Refused {
        CommandLine line = new CommandLine(args);
        while (line.isAtFlag()) {
            String argument = args[line.next++];
            String body = argument.substring(argument.startsWith("--") ? 2 : 1);
            if (body.isEmpty() || body.startsWith("-") || body.startsWith("=")) {
                throw usage("bad flag syntax: " + argument);
            }
            int equals = body.indexOf('=');
            String name = equals < 0 ? body : body.substring(0, equals);
            Flag flag = FlagTable.find(name).orElse(null);
            if (flag == null && (name.equals("help") || name.equals("h"))) {
                return false;
            }
            if (flag == null) {
                throw usage("flag provided but not defined: -" + name);
            }
            set(flag, equals < 0 ? line.value(flag) : body.substring(equals + 1), into);
        }
        if (line.next < args.length) {
            throw Refused.check("\"" + args[line.next] + "\" is not a valid flag");
        }
        return true;
    }

    private boolean isAtFlag() {
        if (next == args.length || !args[next].startsWith("-") || args[next].equals("-")) {
            return false;
        }
        if (args[next].equals("--")) {
            next++;
            return false;
        }
        return true;
    }

    private String value(Flag flag) throws Refused {
        if (flag.kind().standsAlone()) {
            return "true";
        }
        if (next == args.length) {
            throw usage("flag needs an argument: -" + flag.name());
        }
        return args[next++];
    }

    private static void set(Flag flag, String value, Flags into) throws Refused {
        try {
            into.set(flag, flag.kind().read(value, into.current(flag)));
        } catch (BadValue bad) {
            throw usage(flag.kind() == FlagKind.BOOLEAN
                    ? "invalid boolean value \"" + value + "\" for -" + flag.name() + ": " + bad.why()
                    : "invalid value \"" + value + "\" for flag -" + flag.name() + ": " + bad.why());
        }
    }

    private static Refused usage(String message) {
        return Refused.of(Refused.Form.USAGE, message);
    }
}
