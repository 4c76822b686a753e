package dev.quoin.member;

import org.junit.jupiter.api.Test;

import static org.assertj.core.api.Assertions.assertThat;

/** What is said of a member holds together, although its parts are of different moments. */
class MemberStatusTest {
    @Test
    void aMemberThatHasJustStartedDoesNotUseMoreThanItTakes() {
        MemberStatus status = new MemberStatus(1, 2, 3, 4, 0, 344, 0);
        assertThat(status.storeBytes()).isEqualTo(344);
        assertThat(status.committedIndex()).isEqualTo(4);
    }
}
