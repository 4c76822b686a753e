package dev.quoin.ctl.migrate;

import java.util.List;

import org.junit.jupiter.api.Test;

import static dev.quoin.ctl.migrate.Kind.ETCD;
import static dev.quoin.ctl.migrate.Kind.QUOIN;
import static org.assertj.core.api.Assertions.assertThat;

/** Which step follows from what was seen, and what stands in its way. */
class PlanTest {
    private static Plan plan(Seen seen) {
        return Plan.of(seen.look(), QUOIN, true);
    }

    private static Plan back(Seen seen) {
        return Plan.of(seen.look(), ETCD, true);
    }

    private static String step(Plan plan) {
        return switch (plan.step()) {
            case Step.Done() -> "done";
            case Step.Finish(List<MemberSeen> down) -> "start " + down.stream().map(MemberSeen::label).toList();
            case Step.HandOver(MemberSeen leader, MemberSeen to) -> leader.label() + " hands over to " + to.label();
            case Step.Replace(MemberSeen member) -> "replace " + member.label();
        };
    }

    private static List<String> codes(Plan plan) {
        return plan.findings().stream().map(finding -> finding.severity().word() + " " + finding.code()).toList();
    }

    // ---- the order

    @Test
    void followersGoFirstByTheirNames() {
        assertThat(step(plan(Seen.of(ETCD, ETCD, ETCD)))).isEqualTo("replace m2");
        assertThat(step(plan(Seen.of(ETCD, QUOIN, ETCD)))).isEqualTo("replace m3");
        assertThat(step(plan(Seen.of(ETCD, ETCD, ETCD).led(3)))).isEqualTo("replace m1");
    }

    @Test
    void theLeaderIsLastAndHandsOverToOneThatHasMadeItsStep() {
        assertThat(step(plan(Seen.of(ETCD, QUOIN, QUOIN)))).isEqualTo("m1 hands over to m2");
        assertThat(step(plan(Seen.of(ETCD, QUOIN, QUOIN).applied(2, 990)))).isEqualTo("m1 hands over to m3");
        assertThat(step(plan(Seen.of(ETCD, QUOIN, QUOIN).led(2)))).isEqualTo("replace m1");
        assertThat(step(plan(Seen.of(QUOIN, QUOIN, QUOIN)))).isEqualTo("done");
    }

    @Test
    void theWayBackIsTheSameWay() {
        assertThat(step(back(Seen.of(QUOIN, QUOIN, QUOIN)))).isEqualTo("replace m2");
        assertThat(step(back(Seen.of(QUOIN, ETCD, ETCD)))).isEqualTo("m1 hands over to m2");
        assertThat(step(back(Seen.of(ETCD, QUOIN, ETCD)))).isEqualTo("replace m2");
        assertThat(step(back(Seen.of(ETCD, ETCD, ETCD)))).isEqualTo("done");
    }

    @Test
    void whoHasNobodyToHandOverToIsReplacedAsItLeads() {
        Plan plan = plan(Seen.of(ETCD));
        assertThat(step(plan)).isEqualTo("replace m1");
        assertThat(codes(plan)).containsExactly("ask pause", "note space");
        assertThat(plan.isSafe()).isTrue();
        assertThat(plan.asks()).isTrue();
    }

    // ---- what somebody has to agree to, and what is only told

    @Test
    void ofTwoMembersNoneCanBeMissed() {
        Plan plan = plan(Seen.of(ETCD, ETCD));
        assertThat(codes(plan)).containsExactly("ask pause", "note space");
        assertThat(plan.findings().get(0).text()).contains("nothing can be written");
    }

    @Test
    void ofThreeTheOtherTwoAreNeededAndOfFiveNotAll() {
        Plan ofThree = plan(Seen.of(ETCD, ETCD, ETCD));
        assertThat(codes(ofThree)).containsExactly("note margin", "note space");
        assertThat(ofThree.isSafe()).isTrue();
        assertThat(ofThree.asks()).isFalse();
        assertThat(codes(plan(Seen.of(ETCD, ETCD, ETCD, ETCD, ETCD)))).containsExactly("note space");
    }

    @Test
    void aChangeOfLeadersIsAgreedTo() {
        assertThat(plan(Seen.of(ETCD, QUOIN, QUOIN)).asks()).isTrue();
    }

    @Test
    void whatWasAgreedToIsNotAnotherStepByNow() {
        Plan agreed = plan(Seen.of(ETCD, ETCD, ETCD));
        assertThat(plan(Seen.of(ETCD, ETCD, ETCD).applied(2, 990)).isAsAgreed(agreed)).isTrue();
        assertThat(plan(Seen.of(ETCD, ETCD, ETCD).led(2)).isAsAgreed(agreed)).as("another member").isFalse();
        assertThat(plan(Seen.of(ETCD, ETCD, ETCD).down(2)).isAsAgreed(agreed)).as("it is down already").isFalse();
        assertThat(plan(Seen.of(ETCD, ETCD)).isAsAgreed(agreed)).as("there is a pause now").isFalse();
        Plan handOver = plan(Seen.of(ETCD, QUOIN, QUOIN));
        assertThat(plan(Seen.of(ETCD, QUOIN, QUOIN).led(2)).isAsAgreed(handOver)).as("it leads no more").isTrue();
        assertThat(handOver.isAsAgreed(plan(Seen.of(ETCD, QUOIN, QUOIN).led(2)))).as("it leads by now").isFalse();
    }

    @Test
    void aBackupIsRememberedBeforeTheFirstStep() {
        assertThat(codes(Plan.of(Seen.of(ETCD, ETCD, ETCD).look(), QUOIN, false))).contains("note backup");
        assertThat(codes(Plan.of(Seen.of(ETCD, QUOIN, ETCD).look(), QUOIN, false))).doesNotContain("note backup");
    }

    @Test
    void theLastOneOf36IsAgreedTo() {
        Seen last = Seen.of(QUOIN, ETCD, QUOIN).version(1, "3.7.1", "3.6.0").version(2, "3.6.14", "3.6.0").version(3,
                "3.7.1", "3.6.0");
        assertThat(codes(plan(last))).contains("ask no-return-to-3.6");
        Seen lastButOne = Seen.of(QUOIN, ETCD, ETCD).version(1, "3.7.1", "3.6.0").version(2, "3.6.14", "3.6.0")
                .version(3, "3.6.14", "3.6.0");
        assertThat(codes(plan(lastButOne))).doesNotContain("ask no-return-to-3.6");
        assertThat(plan(lastButOne).isSafe()).isTrue();
    }

    @Test
    void whichEtcdMayJoinIsToldOnTheWayBack() {
        Plan plan = back(Seen.of(QUOIN, QUOIN, QUOIN));
        assertThat(codes(plan)).contains("note release");
        assertThat(plan.findings().toString()).contains("of version 3.7: no older etcd can join it",
                "quoin ctl downgrade enable 3.6");
    }

    /** Etcd takes the announcement back when the last member is of that version; so it is there until the last step. */
    @Test
    void aDowngradeThatAllHaveComeToStandsInNobodysWay() {
        Seen down = Seen.of(QUOIN, QUOIN, QUOIN);
        for (int n = 1; n <= 3; n++) {
            down.version(n, "3.7.1", "3.6.0").downgrading(n, "3.6.0");
        }
        assertThat(back(down).isSafe()).as("%s", back(down).findings()).isTrue();
        assertThat(codes(back(down.version(3, "3.7.1", "3.7.0")))).as("one stores as before")
                .contains("stop downgrade");
    }

    @Test
    void aStandingDowngradeKeepsTheWayBackOpen() {
        Seen last = Seen.of(QUOIN, ETCD, QUOIN);
        for (int n = 1; n <= 3; n++) {
            last.version(n, n == 2 ? "3.6.14" : "3.7.1", "3.6.0").downgrading(n, "3.6.0");
        }
        assertThat(codes(plan(last))).doesNotContain("ask no-return-to-3.6");
    }

    // ---- what stops a step

    private static void stops(Seen seen, String code, String words) {
        Plan plan = plan(seen);
        assertThat(plan.isSafe()).as("%s", plan.findings()).isFalse();
        assertThat(plan.findings()).first().satisfies(finding -> {
            assertThat(finding.code()).isEqualTo(code);
            assertThat(finding.stops()).isTrue();
            assertThat(finding.text()).contains(words);
        });
        // What is agreed to or told is about a step; there is none.
        assertThat(plan.findings()).allMatch(Finding::stops);
    }

    private static Seen three() {
        return Seen.of(ETCD, ETCD, ETCD);
    }

    @Test
    void whoIsDownIsStartedBeforeAnyOtherIsStopped() {
        Plan plan = plan(Seen.of(ETCD, ETCD, ETCD).down(2));
        assertThat(step(plan)).isEqualTo("start [m2]");
        assertThat(codes(plan)).containsExactly("stop member-down");
        assertThat(plan.isSafe()).isTrue();
        // Even when all who answer are what they are to be.
        assertThat(step(plan(Seen.of(QUOIN, QUOIN, QUOIN).down(3)))).isEqualTo("start [m3]");
    }

    @Test
    void aMemberThatIsDownMakesNothingElseGood() {
        assertThat(plan(three().down(2).alarm(3, "CORRUPT")).isSafe()).isFalse();
        assertThat(plan(three().down(2).version(3, "3.5.21", "")).isSafe()).isFalse();
        assertThat(plan(three().down(2).stranger("http://10.9.9.9:2379")).isSafe()).isFalse();
    }

    /** To start what is down stops nobody. */
    @Test
    void whatAStartMendsDoesNotForbidIt() {
        assertThat(plan(three().down(2).committed(1, 9_000).applied(1, 9_000)).isSafe()).as("m3 is behind").isTrue();
        assertThat(plan(three().down(2).space(3, 960, 100, 1000)).isSafe()).as("m3 is almost full").isTrue();
        Plan lost = plan(three().led(1, 0).down(2).down(3));
        assertThat(step(lost)).isEqualTo("start [m2, m3]");
        assertThat(lost.isSafe()).isTrue();
        assertThat(lost.findings().get(0).text()).contains("1 of 3 voting members answer");
        assertThat(codes(lost)).startsWith("stop no-quorum").doesNotContain("stop no-leader");
    }

    @Test
    void aLearnerIsNoQuorum() {
        assertThat(plan(Seen.of(ETCD, ETCD, ETCD, ETCD).learner(3).learner(4).down(2)).findings().get(0).text())
                .contains("1 of 2 voting");
    }

    @Test
    void aMembershipThatIsBeingChangedStops() {
        stops(Seen.of(ETCD, ETCD, ETCD, ETCD).learner(4), "learner", "m4 is a learner");
        stops(Seen.of(ETCD, ETCD, ETCD, ETCD).unstarted(4), "unstarted", "4 was added and has never been started");
        stops(three().stranger("http://10.9.9.9:2379"), "stranger", "http://10.9.9.9:2379 is no member");
    }

    @Test
    void aClusterThatDoesNotAgreeStops() {
        stops(three().led(2, 3), "no-leader", "do not agree");
        stops(three().led(0), "no-leader", "do not agree");
        stops(three().led(77), "no-leader", "do not agree");
        stops(three().failingReads(3, "etcdserver: request timed out"), "unhealthy",
                "m3 answers no read: etcdserver: request timed out");
        stops(three().unanswered("the list of alarms cannot be had: etcdserver: permission denied"), "unanswered",
                "permission denied");
    }

    @Test
    void anAlarmStops() {
        stops(three().alarm(2, "NOSPACE"), "alarm", "the alarm NOSPACE is raised for m2");
        stops(three().alarm(0, "CORRUPT"), "alarm", "the alarm CORRUPT is raised");
        stops(three().downgrading(2, "3.6.0"), "downgrade", "a downgrade to 3.6.0 is under way");
    }

    @Test
    void releasesThatDoNotGetOnStop() {
        stops(three().version(1, "3.5.21", ""), "version", "m1 is etcd 3.5.21, which does not get on");
        stops(three().version(1, "3.4.30", ""), "version", "m1 is etcd 3.4.30");
        stops(three().version(2, "3.6.13", "3.6.0"), "version", "tested from 3.6.14 on");
        stops(three().version(3, "3.8.0-alpha.0", "3.7.0"), "version", "newer than this program knows");
        stops(three().version(3, "4.0.0", "3.7.0"), "version", "newer than this program knows");
        stops(three().version(3, "next", "3.7.0"), "version", "which nobody knows");
        for (String good : List.of("3.6.14", "3.6.20", "3.7.0", "3.7.1", "3.7.0-rc.1")) {
            assertThat(plan(three().version(2, good, "3.7.0")).isSafe()).as(good).isTrue();
        }
        assertThat(codes(plan(three().version(2, "3.7.0-rc.1", "3.7.0")))).contains("note pre-release");
        assertThat(codes(plan(three()))).doesNotContain("note pre-release");
    }

    @Test
    void aClusterWithoutAVersionStops() {
        stops(three().version(1, "3.7.1", ""), "cluster-version", "not decided");
        stops(three().version(1, "3.7.1", "3.6.0"), "cluster-version", "not decided");
    }

    @Test
    void aMemberThatIsBehindStops() {
        stops(three().committed(1, 6_001).applied(1, 6_001), "behind", "m2 has 5,001 entries still to apply");
        assertThat(plan(three().committed(1, 6_000).applied(1, 6_000)).isSafe()).isTrue();
    }

    @Test
    void aMemberThatIsAlmostFullStops() {
        stops(three().space(2, 960, 100, 1000), "quota", "m2 uses 960 B of its quota of 1.0 kB");
        assertThat(plan(three().space(2, 950, 100, 1000)).isSafe()).isTrue();
        // Quoin counts what is in use, not its files.
        assertThat(plan(Seen.of(ETCD, QUOIN, ETCD).space(2, 2000, 900, 1000)).isSafe()).isTrue();
        stops(Seen.of(ETCD, QUOIN, ETCD).space(2, 2000, 960, 1000), "quota", "m2 uses 960 B");
    }

    @Test
    void membersThatDoNotHoldTheSameStop() {
        stops(three().hashes(new Hashes.Differ(42, "m1 1, m2 2, m3 1")), "hash-differs",
                "at revision 42 HashKV says m1 1, m2 2, m3 1");
        stops(three().hashes(new Hashes.Unknown("compacted")), "hash-unknown", "compacted");
    }

    /** HashKV is of keys alone. */
    @Test
    void membersWhoseUsersAreOthersStop() {
        stops(three().users(2, 8), "auth-differs", "their revisions are m1 7, m2 8, m3 7");
        assertThat(plan(three().users(2, MemberSeen.Answer.NOT_TOLD)).isSafe()).isTrue();
    }

    @Test
    void hashesAreComparedAcrossTheSameCompactionOnly() {
        Hashes.Told one = new Hashes.Told("m1", 7, 42, 10);
        assertThat(Hashes.compare(List.of(one, new Hashes.Told("m2", 7, 42, 10)))).isEqualTo(new Hashes.Equal(42));
        assertThat(Hashes.compare(List.of(one, new Hashes.Told("m2", -1, 42, 10))))
                .isEqualTo(new Hashes.Differ(42, "m1 7, m2 4294967295"));
        assertThat(Hashes.compare(List.of(one, new Hashes.Told("m2", 8, 42, 11)))).isInstanceOf(Hashes.Unknown.class);
        assertThat(Hashes.compare(List.of(one, new Hashes.Told("m2", 8, 41, 10)))).isInstanceOf(Hashes.Unknown.class);
        assertThat(Hashes.compare(List.of())).isInstanceOf(Hashes.Unknown.class);
    }
}
