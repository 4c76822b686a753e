package dev.quoin.member;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

import dev.quoin.raft.PeerProgress;

import static org.assertj.core.api.Assertions.assertThat;

/**
 * The rules of etcd's strict check, in its own numbers. A cluster is written as a word, a letter for each member: who is
 * asked is the first. {@code H} has been within reach for long, {@code h} for less than five seconds, {@code D} is down,
 * {@code n} is down and has never started; {@code L} is a learner.
 */
class ChangeCheckTest {
    private static final long NOW = Duration.ofHours(1).toNanos();
    private static final Map<Character, Long> SINCE = Map.of('H', NOW - Duration.ofSeconds(5).toNanos() - 1, 'h',
            NOW - Duration.ofSeconds(5).toNanos(), 'D', 0L, 'n', 0L, 'L', NOW - Duration.ofMinutes(1).toNanos());

    private static Membership cluster(String word) {
        List<MemberInfo> members = new ArrayList<>();
        for (int i = 0; i < word.length(); i++) {
            members.add(new MemberInfo(i + 1, word.charAt(i) == 'n' ? "" : "m" + i, List.of("http://m" + i + ":1"),
                    List.of(), word.charAt(i) == 'L'));
        }
        return Membership.of(members);
    }

    private static ChangeCheck check(String word, boolean isStrict) {
        return new ChangeCheck(cluster(word), 1,
                id -> id > word.length() ? 0 : SINCE.getOrDefault(word.charAt((int) id - 1), 0L), NOW, isStrict);
    }

    private static @Nullable ChangeRefusal why(String word, ClusterChange change,
            @Nullable List<PeerProgress> progress) {
        ChangeCheck.Refused refused = check(word, true).refusal(change, progress);
        return refused == null ? null : refused.why();
    }

    private static ClusterChange.Add add(boolean learner) {
        return new ClusterChange.Add(99, List.of("http://new:1"), learner);
    }

    @ParameterizedTest
    @CsvSource(nullValues = "ok", value = {//
        // The cluster would be of two, of which only one has started: but so a backup grows.
        "H,     ok", //
        "Hn,    NOT_ENOUGH_STARTED", //
        "HH,    ok", //
        "HD,    UNHEALTHY", //
        "HHH,   ok", //
        "HHD,   UNHEALTHY", // three of four
        "HHh,   UNHEALTHY", //
        "HHn,   NOT_ENOUGH_STARTED", //
        "HHHH,  ok", //
        "HHHD,  ok", //
        "HHHHH, ok", //
        "HHHHD, ok", //
        "HHHDD, UNHEALTHY", //
        "HHHnn, NOT_ENOUGH_STARTED", //
        "HL,    ok", //
        "DHH,   ok", // the one that is asked reaches itself
    })
    void aVoterIsAdded(String word, @Nullable ChangeRefusal why) {
        assertThat(why(word, add(false), null)).isEqualTo(why);
        assertThat(check(word, false).refusal(add(false), null)).as("not strict").isNull();
    }

    @ParameterizedTest
    @CsvSource(nullValues = "ok", value = {"H, ok", "Hn, UNHEALTHY", "HH, ok", "HHn, UNHEALTHY", "HHH, ok",
        "HHD, UNHEALTHY", "HHHnn, UNHEALTHY", "HHHHn, ok"})
    void aLearnerIsAdded(String word, @Nullable ChangeRefusal why) {
        assertThat(why(word, add(true), null)).isEqualTo(why);
    }

    @ParameterizedTest
    @CsvSource(nullValues = "ok", value = {//
        "H,     1, NOT_ENOUGH_STARTED", //
        "HH,    2, ok", //
        "HD,    2, ok", //
        "HH,    1, ok", //
        "HHH,   3, ok", //
        "HHD,   3, ok", // one that is down may always go
        "HHD,   2, UNHEALTHY", //
        "HHh,   3, UNHEALTHY", //
        "HHn,   2, NOT_ENOUGH_STARTED", //
        "HHn,   3, ok", //
        "HHHHH, 5, ok", //
        "HHHHD, 4, ok", //
        "HHHDD, 3, UNHEALTHY", //
        "HHL,   3, ok", //
        "HDL,   3, ok", //
        "HHH,   9, ok", // the entry will find that there is none
    })
    void aMemberIsRemoved(String word, long id, @Nullable ChangeRefusal why) {
        assertThat(why(word, new ClusterChange.Remove(id), null)).isEqualTo(why);
        assertThat(check(word, false).refusal(new ClusterChange.Remove(id), null)).as("not strict").isNull();
    }

    private static PeerProgress progress(long id, long match) {
        return new PeerProgress(id, PeerProgress.State.REPLICATE, match, match + 1, id == 99, false, 0, true, 0, false);
    }

    @ParameterizedTest
    @CsvSource(nullValues = "ok", value = {"100, 100, ok", "100, 90, ok", "100, 89, LEARNER_NOT_READY",
        "10, 9, ok", "9, 8, LEARNER_NOT_READY", "0, 0, ok"})
    void aLearnerIsPromotedOnceItHasMostOfTheLog(long leader, long learner, @Nullable ChangeRefusal why) {
        List<PeerProgress> progress = List.of(progress(1, leader), progress(2, leader), progress(99, learner));
        assertThat(why("HH", new ClusterChange.Promote(99), progress)).isEqualTo(why);
        ChangeCheck.Refused lax = check("HH", false).refusal(new ClusterChange.Promote(99), progress);
        assertThat(lax == null ? null : lax.why()).as("this is no part of the strict check").isEqualTo(why);
    }

    @Test
    void onlyTheLeaderPromotesAndOnlyWhomItSendsTo() {
        assertThat(why("HH", new ClusterChange.Promote(99), null)).isEqualTo(ChangeRefusal.NOT_LEADER);
        assertThat(why("HH", new ClusterChange.Promote(99), List.of(progress(1, 1))))
                .isEqualTo(ChangeRefusal.ID_NOT_FOUND);
    }

    @ParameterizedTest
    @CsvSource(nullValues = "ok", value = {"H, ok", "Hn, ok", "Hnn, NOT_ENOUGH_STARTED", "HHnn, ok",
        "HHnnn, NOT_ENOUGH_STARTED"})
    void aPromotionNeedsEnoughWhoHaveStarted(String word, @Nullable ChangeRefusal why) {
        List<PeerProgress> progress = List.of(progress(1, 5), progress(99, 5));
        assertThat(why(word, new ClusterChange.Promote(99), progress)).isEqualTo(why);
        assertThat(check(word, false).refusal(new ClusterChange.Promote(99), progress)).as("not strict").isNull();
    }

    @Test
    void anUpdateIsNeverRefusedBefore() {
        assertThat(why("HDD", new ClusterChange.Update(7, List.of()), null)).isNull();
    }

    @Test
    void theLogTellsHowItWasCounted() {
        ChangeCheck.Refused unhealthy = check("HHD", true).refusal(add(false), null);
        assertThat(unhealthy).isNotNull();
        assertThat(unhealthy.arithmetic()).isEqualTo("member add: 2 of 3 voters have been within reach for 5 s,"
                + " and a cluster of 4 needs 3; missing: [3]");
        ChangeCheck.Refused notEnough = check("HHn", true).refusal(add(false), null);
        assertThat(notEnough).isNotNull();
        assertThat(notEnough.arithmetic())
                .isEqualTo("member add: 2 voters have started, and a cluster of 4 needs 3");
    }
}
