package dev.quoin.utl;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;

import dev.quoin.base.GoQuote;

/** How commands are called, in the words of cobra and pflag (spf13/cobra, command.go; spf13/pflag, FlagUsages). */
final class Usage {
    private static final int TITLE_WIDTH_MIN = 11;

    private Usage() {}

    static String of(Command command) {
        StringBuilder text = new StringBuilder("Usage:\n  ");
        List<Command> below = command.below();
        text.append(below.isEmpty() ? command.usageLine() : command.path() + " [command]").append('\n');
        if (!below.isEmpty()) {
            text.append("\nAvailable Commands:\n");
            below.forEach(known -> text.append("  ").append(padded(known.title(), TITLE_WIDTH_MIN)).append(' ')
                    .append(known.summary()).append('\n'));
        }
        List<Option> local = new ArrayList<>(command.options());
        local.add(new Option("help", 'h', Option.Kind.BOOLEAN, "false", "help for " + command.title()));
        if (command == Command.ROOT) {
            local.addAll(Command.INHERITED);
        }
        text.append("\nFlags:\n").append(lines(local));
        if (command != Command.ROOT) {
            text.append("\nGlobal Flags:\n").append(lines(Command.INHERITED));
        }
        if (!below.isEmpty()) {
            text.append("\nUse \"").append(command.path())
                    .append(" [command] --help\" for more information about a command.\n");
        }
        return text.toString();
    }

    private static String lines(List<Option> options) {
        List<Option> sorted = options.stream().sorted(Comparator.comparing(Option::name)).toList();
        List<String> heads = sorted.stream().map(Usage::head).toList();
        int width = heads.stream().mapToInt(String::length).max().orElse(0);
        StringBuilder text = new StringBuilder();
        for (int i = 0; i < heads.size(); i++) {
            Option option = sorted.get(i);
            text.append(padded(heads.get(i), width)).append("   ").append(option.help()).append(initial(option))
                    .append('\n');
        }
        return text.toString();
    }

    private static String head(Option option) {
        String letter = option.letter() == null ? "    " : "-" + option.letter() + ", ";
        String kind = option.kind().title;
        return "  " + letter + "--" + option.name() + (kind.isEmpty() ? "" : " " + kind);
    }

    private static String initial(Option option) {
        return switch (option.kind()) {
            case BOOLEAN -> "";
            case TEXT -> option.initial().isEmpty() ? "" : " (default " + GoQuote.of(option.initial()) + ")";
            case NUMBER, INTEGER -> option.initial().equals("0") ? "" : " (default " + option.initial() + ")";
            case DURATION -> " (default " + option.initial() + ")";
        };
    }

    private static String padded(String text, int width) {
        return text + " ".repeat(Math.max(0, width - text.length()));
    }
}
