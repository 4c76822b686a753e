package dev.quoin.raft;

import java.util.ArrayList;
import java.util.List;

/** Performs the transcripts of the configuration changer: a configuration, and what a leader knows of its members. */
final class ConfChangeTranscript {
    private static final RaftLimits LIMITS = RaftLimits.DEFAULT;

    private Configuration configuration = Configuration.EMPTY;
    private Progresses progresses = new Progresses(List.of(), List.of());
    private long lastIndex;

    /** {@code v1 l2 r3 u4}: make a voter, make a learner, remove, update. */
    static List<ConfChange.Change> changes(String input) {
        List<ConfChange.Change> changes = new ArrayList<>();
        for (String word : input.strip().split("\\s+", -1)) {
            if (!word.isEmpty()) {
                ConfChange.Kind kind = switch (word.charAt(0)) {
                    case 'v' -> ConfChange.Kind.ADD_VOTER;
                    case 'l' -> ConfChange.Kind.ADD_LEARNER;
                    case 'r' -> ConfChange.Kind.REMOVE;
                    case 'u' -> ConfChange.Kind.UPDATE;
                    default -> throw new IllegalArgumentException("unknown change " + word);
                };
                changes.add(new ConfChange.Change(kind, Long.parseUnsignedLong(word.substring(1))));
            }
        }
        return changes;
    }

    String perform(Transcript.Command command) {
        List<ConfChange.Change> changes = changes(command.input());
        try {
            configuration = switch (command.name()) {
                case "simple" -> ConfigChanger.simple(configuration, changes);
                case "enter-joint" -> ConfigChanger.enterJoint(configuration,
                        command.value("autoleave", "false").equals("true"), changes);
                case "leave-joint" -> ConfigChanger.leaveJoint(configuration);
                default -> throw new IllegalArgumentException("unknown command " + command.name());
            };
        } catch (ConfigChanger.Impossible e) {
            lastIndex++;
            return e.getMessage() + "\n";
        }
        progresses = progresses.of(configuration, lastIndex, LIMITS);
        lastIndex++;
        StringBuilder text = new StringBuilder().append(configuration).append('\n');
        for (int i = 0; i < progresses.size(); i++) {
            long id = progresses.idAt(i);
            text.append(id).append(": ").append(progresses.at(i).seen(id)).append('\n');
        }
        return text.toString();
    }
}
