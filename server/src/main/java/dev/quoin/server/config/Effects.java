package dev.quoin.server.config;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;

/** What of the settings given does not act: named at the start, or refused. */
public final class Effects {
    /** What etcd takes at least, and what we bear. */
    private static final Duration PEER_SILENCE = Duration.ofSeconds(5);

    private Effects() {}

    /** Refuses what would protect and cannot. */
    public static void refuseUnserved(Flags flags) throws Refused {
        for (Flag flag : settings()) {
            if (flag.effect() instanceof Effect.Unserved(String why) && flags.differs(flag)) {
                throw Refused.check("--" + flag.name() + " is not served yet: " + why);
            }
        }
        Gates gates = flags.gates();
        for (Gate gate : Gate.values()) {
            if (gate.effect() instanceof Effect.Unserved(String why) && gates.isOpen(gate)) {
                throw Refused.check("feature gate " + gate.title() + " is not served yet: " + why);
            }
        }
    }

    /** One line with all that changes nothing, if there is something; and etcd's about what is deprecated. */
    public static List<Note> notes(Flags flags) {
        List<Note> notes = new ArrayList<>();
        if (flags.isGiven("max-snapshots")) {
            notes.add(
                    Note.warning("--max-snapshots is deprecated in 3.6 and will be decommissioned in 3.8.", Map.of()));
        }
        if (flags.isGiven("v2-deprecation")) {
            notes.add(Note.warning("--v2-deprecation is deprecated and scheduled for removal in v3.8. The default value"
                    + " is enforced, ignoring user input.", Map.of()));
        }
        List<String> idle = idle(flags);
        if (!idle.isEmpty()) {
            notes.add(Note.warning("some settings have no effect", Map.of("settings", idle)));
        }
        return notes;
    }

    private static List<String> idle(Flags flags) {
        List<String> idle = new ArrayList<>();
        for (Flag flag : settings()) {
            if (flag.effect() instanceof Effect.Idle(String why) && flags.differs(flag) && !isRaised(flag, flags)) {
                idle.add("--" + flag.name() + ": " + why);
            }
        }
        Gates gates = flags.gates();
        for (Gate gate : Gate.values()) {
            if (gate.effect() instanceof Effect.Idle(String why) && gates.isOpen(gate) != gate.initial()) {
                idle.add(gate.title() + ": " + why);
            }
        }
        return idle;
    }

    private static List<Flag> settings() {
        return Stream.concat(FlagTable.ALL.stream(), FlagTable.FILE_ONLY.stream()).toList();
    }

    /** A wait for other members that is too short is raised to what holds anyway. */
    private static boolean isRaised(Flag flag, Flags flags) {
        return flag.name().matches("raft-(read|write)-timeout")
                && flags.duration(flag.name()).compareTo(PEER_SILENCE) <= 0;
    }
}
