package dev.quoin.ctl.cli;

import java.io.PrintStream;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;

/** Usage texts and pages of help, as cobra writes them (spf13/cobra, command.go, defaultUsageFunc; spf13/pflag, FlagUsages). */
public final class Help {
    /** Names are padded to at least this. */
    private static final int NAME_WIDTH_MIN = 11;

    private Help() {}

    /** What {@code --help} prints. */
    static void page(Command command, PrintStream out) {
        StringBuilder page = new StringBuilder();
        String description = command.description().stripTrailing();
        if (!description.isEmpty()) {
            page.append(description).append("\n\n");
        }
        page.append(usage(command));
        page.append(command.lastWords());
        out.print(page);
    }

    static String usage(Command command) {
        StringBuilder usage = new StringBuilder("Usage:");
        if (command.action() != null) {
            usage.append("\n  ").append(command.useLine());
        }
        if (!command.children().isEmpty()) {
            usage.append("\n  ").append(command.path()).append(" [command]");
        }
        if (!command.examples().isEmpty()) {
            usage.append("\n\nExamples:\n").append(command.examples());
        }
        if (!command.children().isEmpty()) {
            children(command, usage);
        }
        flags("\n\nFlags:\n", command.localFlags(), usage);
        flags("\n\nGlobal Flags:\n", command.inheritedFlags(), usage);
        if (!command.children().isEmpty()) {
            usage.append("\n\nUse \"").append(command.path())
                    .append(" [command] --help\" for more information about a command.");
        }
        return usage.append('\n').toString();
    }

    private static void children(Command command, StringBuilder usage) {
        List<Command> sorted = new ArrayList<>(command.children());
        sorted.removeIf(Command::isHidden);
        sorted.sort(Comparator.comparing(Command::name));
        int width = NAME_WIDTH_MIN;
        for (Command child : sorted) {
            width = Math.max(width, child.name().length());
        }
        List<String> titles = command.groups().isEmpty() ? List.of("Available Commands:") : command.groups();
        for (String title : titles) {
            usage.append("\n\n").append(title);
            for (Command child : sorted) {
                if (command.groups().isEmpty() || child.group().equals(title)) {
                    usage.append("\n  ").append(child.name()).append(" ".repeat(width - child.name().length()))
                            .append(' ').append(child.summary());
                }
            }
        }
    }

    private static void flags(String title, List<Flag> flags, StringBuilder usage) {
        String lines = lines(flags.stream().filter(flag -> !flag.isHidden()).toList());
        if (!lines.isEmpty()) {
            usage.append(title).append(lines.stripTrailing());
        }
    }

    /** A line for each flag, in the order of their names. */
    public static String lines(List<Flag> flags) {
        List<Flag> sorted = new ArrayList<>(flags);
        sorted.sort(Comparator.comparing(Flag::name));
        List<String> heads = new ArrayList<>();
        int width = 0;
        for (Flag flag : sorted) {
            String head = flag.shorthand() == 0 ? "      --" : "  -" + flag.shorthand() + ", --";
            head += flag.name() + (valueName(flag).isEmpty() ? "" : " " + valueName(flag));
            heads.add(head);
            width = Math.max(width, head.length());
        }
        StringBuilder lines = new StringBuilder();
        for (int i = 0; i < heads.size(); i++) {
            Flag flag = sorted.get(i);
            lines.append(heads.get(i)).append(" ".repeat(width - heads.get(i).length())).append("   ")
                    .append(flag.usage().replace("`", ""));
            if (!flag.hasObviousDefault()) {
                lines.append(" (default ").append(flag.shownDefault()).append(')');
            }
            lines.append('\n');
        }
        return lines.toString();
    }

    /** The word in back quotes of its usage, or the name of its type. */
    private static String valueName(Flag flag) {
        int open = flag.usage().indexOf('`');
        int close = flag.usage().indexOf('`', open + 1);
        return open >= 0 && close > open ? flag.usage().substring(open + 1, close) : flag.kind().typeName();
    }
}
