package dev.quoin.ctl.gateway;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;

import org.junit.jupiter.api.Test;

import static org.assertj.core.api.Assertions.assertThat;

/** Whose turn it is. */
class RemotesTest {
    private static final long SEED = 20260811;

    private static Remote remote(String host, int priority, int weight) {
        return new Remote(new HostPort(host, 2379), priority, weight);
    }

    private static Remotes remotes(Remote... all) {
        return new Remotes(List.of(all), new Random(SEED));
    }

    private static String picks(Remotes remotes, int count) {
        List<String> picked = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            Remote next = remotes.pick();
            picked.add(next == null ? "nobody" : next.place().host());
        }
        return String.join(" ", picked);
    }

    private static Map<String, Integer> shares(Remotes remotes, int count) {
        Map<String, Integer> shares = new TreeMap<>();
        for (String host : picks(remotes, count).split(" ", -1)) {
            shares.merge(host, 1, Integer::sum);
        }
        return shares;
    }

    @Test
    void withoutWeightsTheyTakeTurns() {
        assertThat(picks(remotes(remote("a", 0, 0), remote("b", 0, 0), remote("c", 0, 0)), 7))
                .isEqualTo("a b c a b c a");
    }

    @Test
    void turnsArePassedOverByWhoCannotBeReached() {
        Remote b = remote("b", 0, 0);
        Remotes remotes = remotes(remote("a", 0, 0), b, remote("c", 0, 0));
        remotes.deactivate(b);
        assertThat(shares(remotes, 10)).isEqualTo(Map.of("a", 5, "c", 5));
        assertThat(remotes.inactive()).containsExactly(b);
        remotes.activate(b);
        remotes.activate(b);
        assertThat(shares(remotes, 9)).isEqualTo(Map.of("a", 3, "b", 3, "c", 3));
        assertThat(remotes.inactive()).isEmpty();
    }

    @Test
    void nobodyIsLeft() {
        Remote a = remote("a", 0, 0);
        Remotes remotes = remotes(a);
        remotes.deactivate(a);
        assertThat(remotes.pick()).isNull();
    }

    /** etcd takes turns among all priorities. */
    @Test
    void theLowestPriorityThatCanBeReachedIsUsedAlone() {
        Remote a = remote("a", 1, 0);
        Remote b = remote("b", 1, 0);
        Remotes remotes = remotes(remote("d", 3, 0), b, remote("c", 2, 5), a);
        assertThat(shares(remotes, 8)).isEqualTo(Map.of("a", 4, "b", 4));
        remotes.deactivate(a);
        remotes.deactivate(b);
        assertThat(picks(remotes, 2)).isEqualTo("c c");
        remotes.activate(b);
        assertThat(picks(remotes, 2)).isEqualTo("b b");
    }

    /** etcd gives the second of two equal weights nothing. */
    @Test
    void sharesAreWhatWeightsSay() {
        Map<String, Integer> equal = shares(remotes(remote("a", 0, 1), remote("b", 0, 1)), 10_000);
        assertThat(equal.get("a")).isBetween(4_800, 5_200);
        Map<String, Integer> unequal = shares(remotes(remote("a", 0, 10), remote("b", 0, 30), remote("c", 0, 60)),
                10_000);
        assertThat(unequal.get("a")).isBetween(850, 1_150);
        assertThat(unequal.get("b")).isBetween(2_800, 3_200);
    }

    @Test
    void besideWeightsWhoHasNoneIsHardlyEverUsed() {
        assertThat(shares(remotes(remote("a", 0, 1), remote("b", 0, 0), remote("c", 0, 0)), 10_000).get("a"))
                .isBetween(9_850, 9_950);
    }
}
