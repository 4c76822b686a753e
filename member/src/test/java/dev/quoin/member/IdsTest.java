package dev.quoin.member;

import java.util.List;

import org.junit.jupiter.api.Test;

import static org.assertj.core.api.Assertions.assertThat;

class IdsTest {
    /** etcd's well-known defaults. */
    @Test
    void theDefaultMemberAndClusterHaveTheIdsThatEtcdGivesThem() {
        long member = Ids.member(List.of("http://localhost:2380"), "etcd-cluster");
        assertThat(Long.toHexString(member)).isEqualTo("8e9e05c52164694d");
        assertThat(Long.toHexString(Ids.cluster(List.of(member)))).isEqualTo("cdf818194e3a8c32");
    }

    @Test
    void requestIdsCarryTheMemberAndCountUp() {
        RequestIds ids = new RequestIds(0x1234_0000_0000_abcdL, 0x0123456789L);
        assertThat(Long.toHexString(ids.next())).isEqualTo("abcd012345678901");
        assertThat(Long.toHexString(ids.next())).isEqualTo("abcd012345678902");
    }
}
