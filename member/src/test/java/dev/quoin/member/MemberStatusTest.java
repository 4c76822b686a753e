package dev.quoin.member;

import org.junit.jupiter.api.Test;

import static org.assertj.core.api.Assertions.assertThat;

/** Clients subtract the two figures as unsigned numbers. */
class MemberStatusTest {
    @Test
    void whatIsAppliedIsCommitted() {
        assertThat(new MemberStatus(1, 2, 10, 12, 0, 0, 0).committedIndex()).isEqualTo(12);
        assertThat(new MemberStatus(1, 2, 12, 10, 0, 0, 0).committedIndex()).isEqualTo(12);
    }
}
