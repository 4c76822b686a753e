package dev.quoin.server.metrics;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.function.Consumer;

import org.jspecify.annotations.Nullable;

/**
 * One name, and all its series. What the series are, its source says whenever it is asked.
 *
 * @param labels their names, in the order in which the source gives their values
 */
record Family(String name, String help, Type type, List<String> labels, Consumer<Series> source) {
    /** What Prometheus makes of the numbers. */
    enum Type {
        COUNTER,
        GAUGE,
        HISTOGRAM,
        SUMMARY;

        String text() {
            return switch (this) {
                case COUNTER -> "counter";
                case GAUGE -> "gauge";
                case HISTOGRAM -> "histogram";
                case SUMMARY -> "summary";
            };
        }
    }

    /** What a source gives its series to. */
    interface Series {
        /** One number; with a value for each label of the family, in their order. */
        void add(double value, String... labelValues);

        void add(Histogram histogram, String... labelValues);

        /** How often something happened, and how much that was together. */
        void add(long count, double sum, String... labelValues);
    }

    Family {
        labels = List.copyOf(labels);
    }

    /** Labels in the order of their names, series in that of their labels, as Go's client writes them; no line if there is no series. */
    void writeTo(StringBuilder page) {
        List<Line> lines = new ArrayList<>();
        source.accept(new Collected(lines));
        if (lines.isEmpty()) {
            return;
        }
        lines.sort((a, b) -> Arrays.compare(a.values, b.values));
        page.append("# HELP ").append(name).append(' ').append(help.replace("\\", "\\\\").replace("\n", "\\n"))
                .append("\n# TYPE ").append(name).append(' ').append(type.text()).append('\n');
        lines.forEach(line -> page.append(line.text));
    }

    /** What is written for one series. */
    private static final class Line {
        private final String[] values;
        private final StringBuilder text;

        Line(String[] values, StringBuilder text) {
            this.values = values;
            this.text = text;
        }
    }

    private final class Collected implements Series {
        private final List<Line> lines;
        private final List<Integer> order = new ArrayList<>();

        Collected(List<Line> lines) {
            this.lines = lines;
            for (int at = 0; at < labels.size(); at++) {
                order.add(at);
            }
            order.sort(Comparator.comparing(labels::get));
        }

        @Override
        public void add(double value, String... labelValues) {
            StringBuilder text = new StringBuilder();
            sample(text, "", labelValues, null, value);
            keep(text, labelValues);
        }

        @Override
        public void add(long count, double sum, String... labelValues) {
            StringBuilder text = new StringBuilder();
            sample(text, "_sum", labelValues, null, sum);
            sample(text, "_count", labelValues, null, (double) count);
            keep(text, labelValues);
        }

        @Override
        public void add(Histogram histogram, String... labelValues) {
            StringBuilder text = new StringBuilder();
            long[] counts = histogram.counts();
            long below = 0;
            for (int at = 0; at < counts.length; at++) {
                below += counts[at];
                String bound = at < histogram.buckets().count() ? GoNumber.text(histogram.buckets().bound(at)) : "+Inf";
                sample(text, "_bucket", labelValues, bound, (double) below);
            }
            sample(text, "_sum", labelValues, null, histogram.sum());
            sample(text, "_count", labelValues, null, (double) below);
            keep(text, labelValues);
        }

        private void keep(StringBuilder text, String[] labelValues) {
            String[] sorted = order.stream().map(at -> labelValues[at]).toArray(String[]::new);
            lines.add(new Line(sorted, text));
        }

        private void sample(StringBuilder text, String suffix, String[] labelValues, @Nullable String bound,
                double value) {
            text.append(name).append(suffix);
            char before = '{';
            for (int at : order) {
                text.append(before).append(labels.get(at)).append("=\"");
                escape(text, labelValues[at]);
                text.append('"');
                before = ',';
            }
            if (bound != null) {
                text.append(before).append("le=\"").append(bound).append('"');
                before = ',';
            }
            text.append(before == ',' ? "} " : " ").append(GoNumber.text(value)).append('\n');
        }

        private static void escape(StringBuilder text, String value) {
            for (int at = 0; at < value.length(); at++) {
                switch (value.charAt(at)) {
                    case '\\' -> text.append("\\\\");
                    case '"' -> text.append("\\\"");
                    case '\n' -> text.append("\\n");
                    default -> text.append(value.charAt(at));
                }
            }
        }
    }
}
