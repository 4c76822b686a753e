package dev.quoin.utl;

import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/** A table of one row, as etcdutl's table writer draws it: the head in the middle of its cell, the row at its right. */
final class Table {
    private Table() {}

    static String of(List<String> head, List<String> row) {
        List<Integer> widths = IntStream.range(0, head.size())
                .mapToObj(i -> Math.max(head.get(i).length(), row.get(i).length())).toList();
        return border("┌", "┬", "┐", widths)
                + line(IntStream.range(0, head.size()).mapToObj(i -> centred(head.get(i), widths.get(i))).toList())
                + border("├", "┼", "┤", widths)
                + line(IntStream.range(0, row.size()).mapToObj(i -> " ".repeat(widths.get(i) - row.get(i).length())
                        + row.get(i)).toList())
                + border("└", "┴", "┘", widths);
    }

    private static String border(String left, String middle, String right, List<Integer> widths) {
        return widths.stream().map(width -> "─".repeat(width + 2)).collect(Collectors.joining(middle, left, right))
                + "\n";
    }

    private static String line(List<String> cells) {
        return cells.stream().map(cell -> " " + cell + " ").collect(Collectors.joining("│", "│", "│")) + "\n";
    }

    private static String centred(String text, int width) {
        int left = (width - text.length()) / 2;
        return " ".repeat(left) + text + " ".repeat(width - text.length() - left);
    }
}
