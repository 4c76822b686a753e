package dev.quoin.base;

import java.util.List;

/** Rows of words in columns, two spaces between them and none behind the last: a table for people. */
public final class Columns {
    private Columns() {}

    /** A line for each row; all rows have as many words as the first. */
    public static String of(List<List<String>> rows) {
        StringBuilder table = new StringBuilder();
        for (List<String> row : rows) {
            StringBuilder line = new StringBuilder();
            for (int column = 0; column < row.size(); column++) {
                int at = column;
                int width = rows.stream().mapToInt(each -> each.get(at).length()).max().orElse(0);
                line.append(row.get(column)).append(" ".repeat(width - row.get(column).length() + 2));
            }
            table.append(line.toString().stripTrailing()).append('\n');
        }
        return table.toString();
    }
}
