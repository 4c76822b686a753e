package dev.quoin.ctl.migrate;

import java.util.List;

/** How far a member is on its way from one program to the other: the checks after a step. */
public sealed interface Arrival {
    /** What does not pass by itself. */
    List<String> HOPELESS = List.of("hash-differs", "alarm");

    /**
     * It is on its way.
     *
     * @param what has not come yet, for people
     */
    record Awaited(String what) implements Arrival {}

    /** All is well as far as it was looked; hashes have not been compared. */
    record ToCompare() implements Arrival {}

    /** It goes wrong, and waiting does not help. */
    record Wrong(Finding why) implements Arrival {}

    /** The same member, of the other kind, caught up, and all hold the same. */
    record Arrived() implements Arrival {}

    /**
     * Judges one look.
     *
     * @param member whose step it is
     * @param target what it is to be
     */
    public static Arrival of(Sighting seen, long member, Kind target) {
        MemberSeen moved = seen.member(member);
        if (moved == null && (!seen.unanswered().isEmpty() || seen.votersUp() < seen.quorum())) {
            return new Awaited("whether " + Long.toHexString(member) + " is a member is not known now");
        }
        if (moved == null) {
            return new Wrong(Finding.stops("removed", member, Long.toHexString(member) + " is no member any more",
                    "Whoever was removed cannot come back: quoin help replace-member"));
        }
        if (!moved.is(target.other())) {
            return ofAll(seen);
        }
        return Checks.of(seen).stream().filter(finding -> finding.member() != member).findFirst()
                .map(finding -> new Awaited("do not stop " + moved.label() + " now: " + finding.text()))
                .orElse(moved.leads() && seen.voters().size() > 1
                        ? new Awaited("do not stop " + moved.label() + " now: it leads. Type quoin migrate next again")
                        : new Awaited(moved.label() + " is still " + target.other().word()));
    }

    /** All members, whatever they are. */
    public static Arrival ofAll(Sighting seen) {
        List<Finding> findings = Checks.of(seen);
        Finding wrong = findings.stream().filter(finding -> HOPELESS.contains(finding.code())).findFirst()
                .orElse(null);
        if (wrong != null) {
            return new Wrong(wrong);
        }
        if (!findings.isEmpty()) {
            return new Awaited(findings.get(0).text());
        }
        return seen.hashes() instanceof Hashes.NotAsked ? new ToCompare() : new Arrived();
    }
}
