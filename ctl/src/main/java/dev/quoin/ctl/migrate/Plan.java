package dev.quoin.ctl.migrate;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;

/**
 * What a sighting leads to.
 *
 * @param target what all members are to be
 * @param findings all that matters to the step, what stops it first
 */
public record Plan(Sighting seen, Kind target, List<Finding> findings, Step step) {
    /** With these not even what is down is started: it would join what is wrong, or it is not known which cluster this is. */
    private static final List<String> NO_START = List.of("alarm", "hash-differs", "version", "stranger");

    /**
     * The followers one after the other, by their names; the leader last, and not before another member leads. Members that do not
     * answer come before all others: nothing is stopped while one is down.
     *
     * @param isBackedUp whether a snapshot has been seen to
     */
    public static Plan of(Sighting seen, Kind target, boolean isBackedUp) {
        Step step = step(seen, target);
        List<Finding> findings = new ArrayList<>(Checks.of(seen));
        MemberSeen stopped = switch (step) {
            case Step.HandOver(MemberSeen leader, MemberSeen to) -> leader;
            case Step.Replace(MemberSeen member) -> member;
            case Step.Done() -> null;
            case Step.Finish(List<MemberSeen> down) -> null;
        };
        if (stopped != null && findings.isEmpty()) {
            findings.addAll(Checks.before(seen, stopped, target));
            if (!isBackedUp && seen.count(target) == 0) {
                findings.add(Finding.notes("backup", 0, "a step that goes wrong is undone by a backup",
                        "--snapshot FILE takes one first"));
            }
        }
        return new Plan(seen, target, List.copyOf(findings), step);
    }

    private static Step step(Sighting seen, Kind target) {
        List<MemberSeen> down = seen.down().stream().filter(member -> !member.name().isEmpty()).toList();
        if (!down.isEmpty()) {
            return new Step.Finish(down);
        }
        List<MemberSeen> left = seen.voters().stream().filter(member -> member.is(target.other()))
                .sorted(Comparator.comparing(MemberSeen::leads).thenComparing(MemberSeen::name)
                        .thenComparing(MemberSeen::hexId))
                .toList();
        if (left.isEmpty()) {
            return new Step.Done();
        }
        MemberSeen next = left.get(0);
        return next.leads() && seen.voters().size() > 1 ? new Step.HandOver(next, heir(seen, next, target))
                : new Step.Replace(next);
    }

    /** Who leads next: one that stays what it is, and of these the one that has applied most. */
    private static MemberSeen heir(Sighting seen, MemberSeen leader, Kind target) {
        return seen.voters().stream().filter(member -> member.id() != leader.id())
                .min(Comparator.comparing((MemberSeen member) -> !member.is(target)).thenComparingLong(seen::behind)
                        .thenComparing(MemberSeen::name).thenComparing(MemberSeen::hexId))
                .orElseThrow();
    }

    /** Whether the step may be taken; that of starting what does not answer stops nobody, and mends most of what is wrong. */
    public boolean isSafe() {
        return findings.stream().filter(Finding::stops)
                .allMatch(finding -> step instanceof Step.Finish && !NO_START.contains(finding.code()));
    }

    /** Whether somebody has to agree before the step. */
    public boolean asks() {
        return step instanceof Step.HandOver
                || findings.stream().anyMatch(finding -> finding.severity() == Finding.Severity.ASKS);
    }

    /**
     * Whether nobody has to be asked anew who agreed to another plan, an earlier one: the same members are stopped or started, and nothing
     * is asked that was not. Who was to hand over leadership may just be replaced by now.
     */
    public boolean isAsAgreed(Plan agreed) {
        return step instanceof Step.Finish == agreed.step instanceof Step.Finish
                && (!(step instanceof Step.HandOver) || agreed.step instanceof Step.HandOver)
                && step.touched().equals(agreed.step.touched()) && agreed.asked().containsAll(asked());
    }

    private List<String> asked() {
        return findings.stream().filter(finding -> finding.severity() == Finding.Severity.ASKS).map(Finding::code)
                .toList();
    }

    public boolean isDone() {
        return step instanceof Step.Done;
    }
}
