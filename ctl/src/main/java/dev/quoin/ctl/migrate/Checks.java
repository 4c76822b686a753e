package dev.quoin.ctl.migrate;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

import org.jspecify.annotations.Nullable;

import dev.quoin.base.HumanBytes;
import dev.quoin.ctl.migrate.MemberSeen.Answer;

/**
 * What must be so before a member may be stopped, and again when it has come back. Each check says what is wrong, with which member, and
 * what to do. Which releases of etcd get on with Quoin in one cluster: those that mixed clusters are tested with, 3.6 from 3.6.14 on and
 * 3.7.
 */
final class Checks {
    /** The first of 3.6 that is tested beside Quoin. */
    private static final int PATCH_OF_3_6_MIN = 14;
    /**
     * A member that is further behind may need the whole state from the leader (etcd: server/etcdserver/server.go,
     * DefaultSnapshotCatchUpEntries): it is no time to stop another one.
     */
    static final long BEHIND_MAX = 5_000;
    /** Of its quota: what a member may use before a step. */
    private static final int USED_PERCENT_MAX = 95;

    private final Sighting seen;
    private final List<Finding> findings = new ArrayList<>();

    private Checks(Sighting seen) {
        this.seen = seen;
    }

    /** All that is wrong, what is worst first. */
    static List<Finding> of(Sighting seen) {
        Checks checks = new Checks(seen);
        checks.presence();
        checks.leadership();
        checks.alarms();
        checks.versions();
        checks.data();
        return List.copyOf(checks.findings);
    }

    private void stop(String code, String text, String remedy) {
        findings.add(Finding.stops(code, 0, text, remedy));
    }

    private void stop(String code, MemberSeen member, String text, String remedy) {
        findings.add(Finding.stops(code, member.id(), member.label() + " " + text, remedy));
    }

    private void presence() {
        int up = seen.votersUp();
        if (up < seen.quorum()) {
            stop("no-quorum", up + " of " + seen.voters().size() + " voting members answer: that is no quorum",
                    "Start the others, each as what it was; if they are gone for good: quoin help lost-quorum");
        }
        for (MemberSeen member : seen.members()) {
            if (member.name().isEmpty()) {
                stop("unstarted", member, "was added and has never been started",
                        "Start it, or remove it: quoin ctl member remove " + member.hexId());
            } else if (member.isDown()) {
                stop("member-down", member, "does not answer: " + member.silence(),
                        "Start it; if it is gone for good: quoin help replace-member");
            }
            if (member.isLearner()) {
                stop("learner", member, "is a learner", "Promote it, quoin ctl member promote "
                        + member.hexId() + ", or remove it");
            }
        }
        for (String stranger : seen.strangers()) {
            stop("stranger", stranger + " is no member of this cluster", "Leave it out of --endpoints");
        }
    }

    private void leadership() {
        if (seen.leader() == null && seen.votersUp() >= seen.quorum()) {
            stop("no-leader", "the members do not agree on who leads", "Look again when an election is over");
        }
        for (MemberSeen member : seen.members()) {
            Answer answer = member.answer();
            if (answer != null && !answer.readError().isEmpty()) {
                stop("unhealthy", member, "answers no read: " + answer.readError(),
                        "See what its log says: docs/guide/troubleshooting.md");
            }
        }
        for (String unanswered : seen.unanswered()) {
            stop("unanswered", unanswered, "Look again; with users on, it needs one of the role root: --user");
        }
    }

    private void alarms() {
        for (Sighting.Alarm alarm : seen.alarms()) {
            MemberSeen member = seen.member(alarm.member());
            String whose = alarm.member() == 0 ? ""
                    : " for " + (member == null ? Long.toHexString(alarm.member()) : member.label());
            stop("alarm", "the alarm " + alarm.name() + " is raised" + whose, alarm.name().equals("NOSPACE")
                    ? "Make room first: quoin help quota"
                    : "Find out which member holds something else, and replace it: quoin help replace-member");
        }
        seen.members().stream().map(MemberSeen::answer)
                .filter(answer -> answer != null && isStillGoingDown(answer)).findFirst()
                .ifPresent(answer -> stop("downgrade",
                        "a downgrade to " + (answer == null ? "" : answer.downgradeTarget()) + " is under way",
                        "Wait until all store as that version does, or take it back: quoin ctl downgrade cancel"));
    }

    /**
     * An announcement stands until all members are of its version (etcd: server/etcdserver/version/monitor.go, CancelDowngradeIfNeeded).
     * Once they store as that version does, those of it may take the places of the others; that they do is how it ends.
     */
    private static boolean isStillGoingDown(Answer answer) {
        if (answer.downgradeTarget().isEmpty()) {
            return false;
        }
        Release target = Release.parse(answer.downgradeTarget());
        Release stored = Release.parse(answer.storageVersion());
        return target == null || stored == null || !stored.line().equals(target.line());
    }

    private void versions() {
        for (MemberSeen member : seen.members()) {
            Answer answer = member.answer();
            if (answer != null && answer.kind() == Kind.ETCD) {
                version(member, answer.version());
            }
        }
        List<String> storage = seen.members().stream().map(MemberSeen::answer).filter(answer -> answer != null)
                .map(Answer::storageVersion).distinct().toList();
        boolean areTold = findings.stream().noneMatch(finding -> finding.code().equals("version"));
        if (areTold && (storage.size() > 1 || storage.contains(""))) {
            stop("cluster-version", "the cluster has not decided its version yet",
                    "That takes seconds once all members serve: look again");
        }
    }

    private void version(MemberSeen member, String text) {
        Release release = Release.parse(text);
        if (release == null) {
            stop("version", member, "says that it is etcd " + text + ", which nobody knows", "");
        } else if (release.isOf(3, 6) && release.patch() < PATCH_OF_3_6_MIN) {
            stop("version", member, "is etcd " + text + ": beside Quoin, 3.6 is tested from 3.6." + PATCH_OF_3_6_MIN
                    + " on", "Bring all members to the newest 3.6 first");
        } else if (release.major() < 3 || (release.major() == 3 && release.minor() < 6)) {
            stop("version", member, "is etcd " + text + ", which does not get on with Quoin in one cluster",
                    "Bring all members to 3.6 first; or, from 3.5, with a pause: stop them all, and start Quoin on each "
                            + "with the same flags and the same data directory");
        } else if (!release.isOf(3, 6) && !release.isOf(3, 7)) {
            stop("version", member, "is etcd " + text + ", which is newer than this program knows",
                    "Use a newer Quoin");
        }
    }

    private void data() {
        for (MemberSeen member : seen.members()) {
            Answer answer = member.answer();
            if (answer == null) {
                continue;
            }
            if (seen.behind(member) > BEHIND_MAX) {
                stop("behind", member, "has " + number(seen.behind(member)) + " entries still to apply",
                        "Wait until it has caught up");
            }
            if (answer.quotaBytes() > 0 && answer.countedBytes() > answer.quotaBytes() / 100 * USED_PERCENT_MAX) {
                stop("quota", member, "uses " + HumanBytes.text(answer.countedBytes()) + " of its quota of "
                        + HumanBytes.text(answer.quotaBytes()), "Make room first: quoin help quota");
            }
        }
        users();
        switch (seen.hashes()) {
            case Hashes.NotAsked() -> {}
            case Hashes.Equal(long revision) -> {}
            case Hashes.Unknown(String why) -> stop("hash-unknown", "whether all hold the same is not known: " + why,
                    "Look again");
            case Hashes.Differ(long revision, String told) -> stop("hash-differs",
                    "the members do not hold the same: at revision " + revision + " HashKV says " + told,
                    "Go no further. Stop the member that is alone with its hash, and replace it: "
                            + "quoin help replace-member");
        }
    }

    /**
     * HashKV is of keys alone. A member whose users or roles are others refuses or lets pass other writes where it applies them. It may
     * be a change that was made while they were asked: that passes by itself.
     */
    private void users() {
        List<String> told = new ArrayList<>();
        List<Long> revisions = new ArrayList<>();
        for (MemberSeen member : seen.members()) {
            Answer answer = member.answer();
            if (answer != null && answer.authRevision() != Answer.NOT_TOLD) {
                revisions.add(answer.authRevision());
                told.add(member.label() + " " + answer.authRevision());
            }
        }
        if (revisions.stream().distinct().count() > 1) {
            stop("auth-differs", "the members do not have the same users and roles: their revisions are "
                    + String.join(", ", told),
                    "Look again; if it stays so, go no further, and replace the one that differs: "
                            + "quoin help replace-member");
        }
    }

    static String number(long number) {
        return String.format(Locale.ROOT, "%,d", number);
    }

    /** What follows for a member that is stopped, while nothing is wrong. */
    static List<Finding> before(Sighting seen, MemberSeen member, Kind target) {
        List<Finding> about = new ArrayList<>();
        int left = seen.votersUp() - 1;
        if (left == 0) {
            about.add(Finding.asks("pause", member.id(),
                    member.label() + " is the only member: while it is down nobody is served",
                    ""));
        } else if (left < seen.quorum()) {
            about.add(Finding.asks("pause", member.id(),
                    "of two members both are needed: while " + member.label() + " is down nothing can be written",
                    "For no pause, add a third one first: quoin ctl member add --learner"));
        } else if (left == seen.quorum()) {
            about.add(Finding.notes("margin", member.id(),
                    "while " + member.label() + " is down, the other " + left + " are all needed", ""));
        }
        about.addAll(untested(seen));
        Finding release = release(seen, member, target);
        if (release != null) {
            about.add(release);
        }
        Answer answer = member.answer();
        if (answer != null) {
            about.add(Finding.notes("space", member.id(),
                    "the data directory of before is kept beside the new one: "
                            + member.label() + " holds " + HumanBytes.text(answer.storeBytes()),
                    "See that its disk has more than that to spare"));
        }
        return about;
    }

    /** Members of pre-releases, which nothing here is tested with. */
    private static List<Finding> untested(Sighting seen) {
        return seen.members().stream().filter(member -> member.is(Kind.ETCD) && isPreRelease(member))
                .map(member -> Finding.notes("pre-release", member.id(),
                        member.label() + " is a pre-release of etcd, which is not tested beside Quoin", ""))
                .toList();
    }

    private static boolean isPreRelease(MemberSeen member) {
        Answer answer = member.answer();
        return answer != null && answer.version().contains("-");
    }

    /** Of releases of etcd: which way there is not back any more, or which one there is to start. */
    private static @Nullable Finding release(Sighting seen, MemberSeen member, Kind target) {
        Answer answer = member.answer();
        Release storage = answer == null ? null : Release.parse(answer.storageVersion());
        if (target == Kind.ETCD) {
            return storage == null ? null
                    : Finding.notes("release", 0, "this cluster is of version " + storage.line()
                            + ": no older etcd can join it",
                            storage.isOf(3, 7)
                                    ? "For etcd 3.6, before the first step: quoin ctl downgrade enable 3.6, and leave it standing"
                                    : "");
        }
        List<MemberSeen> old = seen.members().stream().filter(Checks::isOf36).toList();
        boolean isHeldDown = answer != null && !answer.downgradeTarget().isEmpty();
        if (old.size() == 1 && old.get(0).id() == member.id() && !isHeldDown) {
            return Finding.asks("no-return-to-3.6", member.id(),
                    member.label()
                            + " is the last member of etcd 3.6: without it the cluster becomes one of version 3.7",
                    "Back from there it is etcd 3.7; or 3.6, if the first thing is: quoin ctl downgrade enable 3.6");
        }
        return null;
    }

    private static boolean isOf36(MemberSeen member) {
        Answer answer = member.answer();
        Release release = answer == null || answer.kind() != Kind.ETCD ? null : Release.parse(answer.version());
        return release != null && release.isOf(3, 6);
    }
}
