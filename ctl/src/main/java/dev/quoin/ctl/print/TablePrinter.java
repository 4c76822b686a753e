package dev.quoin.ctl.print;

import java.io.PrintStream;
import java.util.List;
import java.util.Locale;

import dev.quoin.api.etcdserverpb.MemberListResponse;

/** A box with a title over each column, as tablewriter 1.1 draws it: titles in the middle, cells to the right. */
final class TablePrinter extends Printer {
    TablePrinter(PrintStream out) {
        super("table", out, false);
    }

    @Override
    public void memberList(MemberListResponse answer) {
        draw(Rows.MEMBER, Rows.members(answer.getMembersList()));
    }

    @Override
    public void endpointHealth(List<Health> health) {
        draw(Rows.HEALTH, Rows.health(health));
    }

    @Override
    public void endpointStatus(List<EndpointStatus> statuses) {
        draw(Rows.STATUS, Rows.statuses(statuses));
    }

    @Override
    public void endpointHash(List<EndpointHash> hashes) {
        draw(Rows.HASH, Rows.hashes(hashes));
    }

    private void draw(List<String> titles, List<List<String>> rows) {
        List<String> shown = titles.stream().map(title -> title.replace('_', ' ').toUpperCase(Locale.ROOT)).toList();
        int[] widths = new int[titles.size()];
        for (int column = 0; column < widths.length; column++) {
            widths[column] = width(shown.get(column));
            for (List<String> row : rows) {
                widths[column] = Math.max(widths[column], width(row.get(column)));
            }
        }
        StringBuilder table = new StringBuilder();
        rule(table, widths, "┌", "┬", "┐");
        line(table, widths, shown, true);
        rule(table, widths, "├", "┼", "┤");
        for (List<String> row : rows) {
            line(table, widths, row, false);
        }
        rule(table, widths, "└", "┴", "┘");
        out.print(table);
    }

    private static int width(String text) {
        return text.codePointCount(0, text.length());
    }

    private static void rule(StringBuilder table, int[] widths, String left, String between, String right) {
        for (int column = 0; column < widths.length; column++) {
            table.append(column == 0 ? left : between).append("─".repeat(widths[column] + 2));
        }
        table.append(right).append('\n');
    }

    private static void line(StringBuilder table, int[] widths, List<String> texts, boolean isCentred) {
        for (int column = 0; column < widths.length; column++) {
            String text = texts.get(column);
            int gap = widths[column] - width(text);
            int left = isCentred ? gap / 2 : gap;
            table.append("│ ").append(" ".repeat(left)).append(text).append(" ".repeat(gap - left)).append(' ');
        }
        table.append("│\n");
    }
}
