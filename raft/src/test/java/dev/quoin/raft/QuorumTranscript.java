package dev.quoin.raft;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;

/** Performs the transcripts of quorums: what a majority, or two that must agree, have committed or voted. */
final class QuorumTranscript {
    private QuorumTranscript() {}

    static String perform(Transcript.Command command) {
        List<Long> first = ids(command, "cfg");
        boolean joint = command.args().stream().anyMatch(arg -> arg.key().equals("cfgj"));
        List<Long> second = ids(command, "cfgj");
        List<String> said = command.args().stream()
                .filter(arg -> arg.key().equals("idx") || arg.key().equals("votes")).findFirst()
                .map(Transcript.Arg::values).orElse(List.of());
        List<Long> voters = new ArrayList<>(first);
        second.stream().filter(id -> !voters.contains(id)).forEach(voters::add);
        List<Long> distinct = voters.stream().distinct().toList();
        if (distinct.size() != said.size()) {
            List<String> shown = said.stream().map(one -> one.replace("y", "2").replace("n", "1").replace('_', '0'))
                    .toList();
            Map<Long, String> sorted = new TreeMap<>();
            distinct.forEach(id -> sorted.put(id, id + ":{}"));
            return "error: mismatched input (explicit or _) for voters map[" + String.join(" ", sorted.values())
                    + "]: [" + String.join(" ", shown) + "]";
        }
        SortedMap<Long, String> byVoter = new TreeMap<>();
        for (int i = 0; i < said.size(); i++) {
            if (!said.get(i).equals("_")) {
                byVoter.put(distinct.get(i), said.get(i));
            }
        }
        Configuration configuration = configuration(first, joint ? second : List.of());
        Configuration mirrored = configuration(joint ? second : first, joint ? first : List.of());
        return switch (command.name()) {
            case "committed" -> committed(configuration, mirrored, distinct, byVoter, joint);
            case "vote" -> vote(configuration, mirrored, byVoter);
            default -> throw new IllegalArgumentException("unknown command " + command.name());
        };
    }

    private static List<Long> ids(Transcript.Command command, String key) {
        return command.arg(key).map(Transcript.Arg::values).orElse(List.of()).stream()
                .filter(value -> !value.equals("zero")).map(Long::valueOf).toList();
    }

    private static Configuration configuration(List<Long> incoming, List<Long> outgoing) {
        return new Configuration(Majority.of(incoming), Majority.of(outgoing), Majority.EMPTY, Majority.EMPTY, false);
    }

    private static String committed(Configuration configuration, Configuration mirrored, List<Long> voters,
            SortedMap<Long, String> byVoter, boolean joint) {
        Majority.ByMember acknowledged = id -> Long.parseLong(byVoter.getOrDefault(id, "0"));
        long index = configuration.committed(acknowledged);
        StringBuilder text = new StringBuilder(describe(voters, byVoter));
        if (mirrored.committed(acknowledged) != index) {
            text.append(index(mirrored.committed(acknowledged))).append(" <-- via symmetry\n");
        }
        if (!joint) {
            text.append(alternatives(configuration.incoming(), acknowledged, index));
        }
        return text.append(index(index)).append('\n').toString();
    }

    /** Other ways to come to the same index; each prints only if it comes to another. */
    private static String alternatives(Majority voters, Majority.ByMember acknowledged, long index) {
        StringBuilder text = new StringBuilder();
        List<Long> ids = voters.toList();
        if (configuration(ids, ids).committed(acknowledged) != index) {
            text.append("differs joint with itself\n");
        }
        long counted = ids.isEmpty() ? Long.MAX_VALUE : 0;
        for (long id : ids) {
            long candidate = acknowledged.of(id);
            long holders = ids.stream().filter(other -> acknowledged.of(other) >= candidate).count();
            if (holders > ids.size() / 2 && candidate > counted) {
                counted = candidate;
            }
        }
        return counted == index ? text.toString() : text + "differs when counted\n";
    }

    private static String index(long index) {
        return index == Long.MAX_VALUE ? "∞" : String.valueOf(index);
    }

    private static String describe(List<Long> voters, SortedMap<Long, String> byVoter) {
        if (voters.isEmpty()) {
            return "<empty majority quorum>";
        }
        int count = voters.size();
        List<Long> byIndex = new ArrayList<>(voters);
        Comparator<Long> order = Comparator.comparingLong(id -> Long.parseLong(byVoter.getOrDefault(id, "0")));
        byIndex.sort(order.thenComparing(Comparator.naturalOrder()));
        Map<Long, Integer> bars = new TreeMap<>();
        int bar = 0;
        for (int i = 0; i < count; i++) {
            if (i > 0 && order.compare(byIndex.get(i - 1), byIndex.get(i)) < 0) {
                bar = i;
            }
            bars.put(byIndex.get(i), bar);
        }
        StringBuilder text = new StringBuilder(" ".repeat(count)).append("    idx\n");
        for (long id : voters.stream().sorted().toList()) {
            int length = bars.getOrDefault(id, 0);
            String shown = byVoter.containsKey(id) ? "x".repeat(length) + ">" + " ".repeat(count - length)
                    : "?" + " ".repeat(count);
            text.append("%s %5d    (id=%x)%n".formatted(shown, Long.parseLong(byVoter.getOrDefault(id, "0")), id));
        }
        return text.toString();
    }

    private static String vote(Configuration configuration, Configuration mirrored,
            SortedMap<Long, String> byVoter) {
        Votes votes = new Votes();
        byVoter.forEach((id, said) -> votes.record(id, said.equals("y")));
        VoteResult result = configuration.result(votes);
        String symmetry = mirrored.result(votes) == result ? "" : mirrored.result(votes) + " <-- via symmetry\n";
        return symmetry + switch (result) {
            case PENDING -> "VotePending\n";
            case LOST -> "VoteLost\n";
            case WON -> "VoteWon\n";
        };
    }
}
