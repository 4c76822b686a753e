package dev.quoin.store;

import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

import static org.assertj.core.api.Assertions.assertThat;

class HistoryTest {
    private static String dump(@Nullable History history) {
        return history == null ? "gone" : Dump.of(history);
    }

    /** Put at 1 and 2, deleted at 3, put at 4, deleted at 5. */
    private static History twoLives() {
        return History.created(1, 0, 10, 0).put(2, 0, 20, 0).delete(3, 0, 30).put(4, 0, 40, 0).delete(5, 0, 50);
    }

    @Test
    void aRevisionSeesTheNewestPutUpToItUnlessADeletionCameAfter() {
        History history = twoLives();
        assertThat(dump(history)).isEqualTo("1.0c1v1@10 2.0c1v2@20 3.0t@30 4.0c4v1@40 5.0t@50");
        assertThat(history.at(0)).isEqualTo(History.ABSENT);
        assertThat(history.at(1)).isZero();
        assertThat(history.at(2)).isEqualTo(1);
        assertThat(history.at(3)).isEqualTo(History.ABSENT);
        assertThat(history.at(4)).isEqualTo(3);
        assertThat(history.at(9)).isEqualTo(History.ABSENT);
    }

    @Test
    void aCompactionKeepsWhatCanStillBeReadAndADeletionExactlyThere() {
        assertThat(dump(twoLives().compact(1))).isEqualTo("1.0c1v1@10 2.0c1v2@20 3.0t@30 4.0c4v1@40 5.0t@50");
        assertThat(dump(twoLives().compact(2))).isEqualTo("2.0c1v2@20 3.0t@30 4.0c4v1@40 5.0t@50");
        assertThat(dump(twoLives().compact(3))).isEqualTo("3.0t@30 4.0c4v1@40 5.0t@50");
        assertThat(dump(twoLives().compact(4))).isEqualTo("4.0c4v1@40 5.0t@50");
        assertThat(dump(twoLives().compact(5))).isEqualTo("5.0t@50");
        assertThat(dump(twoLives().compact(6))).isEqualTo("gone");
    }

    @Test
    void aCompactedHistoryGoesOnCountingVersions() {
        History compacted = History.created(2, 0, 1, 0).put(3, 0, 2, 0).put(4, 0, 3, 0).compact(4);
        assertThat(compacted).isInstanceOf(History.Single.class);
        assertThat(dump(compacted)).isEqualTo("4.0c2v3@3");
        assertThat(dump(compacted == null ? null : compacted.put(7, 1, 4, 0))).isEqualTo("4.0c2v3@3 7.1c2v4@4");
    }

    @Test
    void aKeyDeletedAndPutAgainInTheTransactionOfTheCompactionKeepsItsDeletion() {
        History history = History.created(2, 0, 1, 0).delete(3, 0, 2).put(3, 1, 3, 0);
        assertThat(history.at(3)).isEqualTo(2);
        assertThat(dump(history.compact(3))).isEqualTo("3.0t@2 3.1c3v1@3");
        assertThat(dump(history.compact(4))).isEqualTo("3.1c3v1@3");
    }

    @Test
    void anOlderHistoryDoesNotSeeWhatIsAppendedToTheArrayItShares() {
        History before = History.created(2, 0, 1, 0).put(3, 0, 2, 0).put(4, 0, 3, 0);
        History after = before.put(5, 0, 4, 0).delete(6, 0, 5);
        assertThat(dump(before)).isEqualTo("2.0c2v1@1 3.0c2v2@2 4.0c2v3@3");
        assertThat(dump(after)).isEqualTo("2.0c2v1@1 3.0c2v2@2 4.0c2v3@3 5.0c2v4@4 6.0t@5");
        assertThat(before.isLive()).isTrue();
        assertThat(after.isLive()).isFalse();
    }
}
