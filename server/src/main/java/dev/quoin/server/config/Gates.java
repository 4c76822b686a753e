package dev.quoin.server.config;

import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Collectors;

/** Which of the {@link Gate}s are open, read as Kubernetes' feature gates are: {@code A=true,B=false,AllAlpha=true}. */
public final class Gates {
    private static final String ALL_ALPHA = "AllAlpha";
    private static final String ALL_BETA = "AllBeta";

    /** As they were given, in the order of their names. */
    private final Map<String, Boolean> given;

    private Gates(Map<String, Boolean> given) {
        this.given = given;
    }

    static Gates parse(String text) throws BadValue {
        Map<String, Boolean> given = new TreeMap<>();
        for (String part : text.split(",", -1)) {
            if (!part.isEmpty()) {
                put(given, part);
            }
        }
        for (String name : given.keySet()) {
            if (Gate.of(name).isEmpty() && !name.equals(ALL_ALPHA) && !name.equals(ALL_BETA)) {
                throw new BadValue("unrecognized feature gate: " + name);
            }
        }
        return new Gates(given);
    }

    private static void put(Map<String, Boolean> given, String part) throws BadValue {
        int equals = part.indexOf('=');
        if (equals < 0) {
            throw new BadValue("missing bool value for " + part.strip());
        }
        String name = part.substring(0, equals).strip();
        String value = part.substring(equals + 1).strip();
        try {
            given.put(name, Boolean.valueOf(FlagKind.BOOLEAN.read(value, "")));
        } catch (BadValue bad) {
            throw new BadValue("invalid value of " + name + "=" + value + ", err: strconv.ParseBool: parsing \"" + value
                    + "\": invalid syntax");
        }
    }

    /** A gate's own value counts before that of its stage. */
    public boolean isOpen(Gate gate) {
        String stage = gate.stage() == Gate.Stage.ALPHA ? ALL_ALPHA : ALL_BETA;
        return given.getOrDefault(gate.title(), given.getOrDefault(stage, gate.initial()));
    }

    /** Whether anything was said of it, or of all of its stage. */
    public boolean isGiven(Gate gate) {
        return given.containsKey(gate.title())
                || given.containsKey(gate.stage() == Gate.Stage.ALPHA ? ALL_ALPHA : ALL_BETA);
    }

    /** All that differ from nothing said, as etcd logs them. */
    @Override
    public String toString() {
        Map<String, Boolean> all = new TreeMap<>(given);
        for (Gate gate : Gate.values()) {
            if (given.containsKey(gate.stage() == Gate.Stage.ALPHA ? ALL_ALPHA : ALL_BETA)) {
                all.put(gate.title(), isOpen(gate));
            }
        }
        return all.entrySet().stream().map(gate -> gate.getKey() + "=" + gate.getValue())
                .collect(Collectors.joining(","));
    }
}
