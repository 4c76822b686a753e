package dev.quoin.raft;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * One file of the reference's transcripts, in the format of cockroachdb's datadriven: commands, each followed by
 * {@code ----} and what is expected, up to an empty line.
 */
record Transcript(List<Command> commands) {
    /**
     * @param line where it stands, from 1
     * @param input the lines between the command and the {@code ----}
     */
    record Command(int line, String name, List<Arg> args, String input, String expected) {
        Optional<Arg> arg(String key) {
            return args.stream().filter(arg -> arg.key().equals(key) && !arg.values().isEmpty()).findFirst();
        }

        /** The value of {@code key=value}. */
        String value(String key, String otherwise) {
            return arg(key).map(arg -> arg.values().getFirst()).orElse(otherwise);
        }

        /** The arguments that are numbers by themselves. */
        List<Integer> numbers() {
            return args.stream().filter(arg -> arg.values().isEmpty()).map(arg -> Integer.parseInt(arg.key())).toList();
        }
    }

    /** {@code key}, {@code key=value} or {@code key=(value,value)}. */
    record Arg(String key, List<String> values) {}

    static Transcript parse(List<String> lines) {
        List<Command> commands = new ArrayList<>();
        int at = 0;
        while (at < lines.size()) {
            String line = lines.get(at);
            if (line.isBlank() || line.startsWith("#")) {
                at++;
                continue;
            }
            int start = at + 1;
            List<String> words = words(line);
            StringBuilder input = new StringBuilder();
            for (at++; !lines.get(at).equals("----"); at++) {
                input.append(lines.get(at)).append('\n');
            }
            at++;
            if (at < lines.size() && lines.get(at).equals("----")) {
                throw new IllegalArgumentException("line " + at + ": output with empty lines is not expected here");
            }
            StringBuilder expected = new StringBuilder();
            for (; at < lines.size() && !lines.get(at).isEmpty(); at++) {
                expected.append(lines.get(at)).append('\n');
            }
            commands.add(new Command(start, words.getFirst(), words.stream().skip(1).map(Transcript::arg).toList(),
                    input.toString(), expected.toString()));
        }
        return new Transcript(commands);
    }

    /** Cut at spaces, but not inside parentheses. */
    private static List<String> words(String line) {
        List<String> words = new ArrayList<>();
        StringBuilder word = new StringBuilder();
        int depth = 0;
        for (char c : (line + " ").toCharArray()) {
            depth += c == '(' ? 1 : c == ')' ? -1 : 0;
            if (c != ' ' || depth > 0) {
                word.append(c);
            } else if (!word.isEmpty()) {
                words.add(word.toString());
                word.setLength(0);
            }
        }
        return words;
    }

    private static Arg arg(String word) {
        int equals = word.indexOf('=');
        if (equals < 0) {
            return new Arg(word, List.of());
        }
        String value = word.substring(equals + 1);
        List<String> values = new ArrayList<>();
        for (String one : value.replaceAll("[()]", "").split(",", -1)) {
            if (!one.isBlank()) {
                values.add(one.strip());
            }
        }
        return new Arg(word.substring(0, equals), values);
    }
}
