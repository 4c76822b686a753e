package dev.quoin.server;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

import dev.quoin.member.SemVersion;
import dev.quoin.net.StatusException;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

/** Which versions a cluster may go down to; DowngradeTest in trial asks etcd the same. */
class DowngradesTest {
    @ParameterizedTest
    @CsvSource({"3.6, 3.6.0", "3.6.0, 3.6.0", "3.6.9, 3.6.0", "4.1, 4.1.0"})
    void aTargetIsTwoNumbersOrThree(String text, String version) throws StatusException {
        assertThat(Downgrades.target(text)).isEqualTo(SemVersion.of(version));
    }

    @ParameterizedTest
    @CsvSource({"''", "3", "x", "3.x", "v3.6", "3.6.0.1"})
    void anythingElseIsRefused(String text) {
        StatusException refused = catchThrowableOfType(StatusException.class, () -> Downgrades.target(text));
        assertThat(refused.status()).isEqualTo(Downgrades.BAD_FORMAT);
    }

    @Test
    void onlyOneMinorVersionDownAndOneAtATime() {
        SemVersion cluster = SemVersion.of("3.7.0");
        assertThat(Downgrades.refusal(SemVersion.of("3.6.0"), cluster, "")).isNull();
        assertThat(Downgrades.refusal(SemVersion.of("3.6.0"), cluster, "3.6.0")).isEqualTo(Downgrades.IN_PROGRESS);
        for (String target : new String[]{"3.7.0", "3.5.0", "3.8.0", "2.6.0"}) {
            assertThat(Downgrades.refusal(SemVersion.of(target), cluster, "3.6.0")).isEqualTo(Downgrades.BAD_TARGET);
        }
    }
}
