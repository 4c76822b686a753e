package dev.quoin.net;

import io.netty.buffer.ByteBufAllocator;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.parallel.Isolated;

import static org.assertj.core.api.Assertions.assertThatThrownBy;

/** The guard against leaks fires. */
@Isolated
class LeakCheckTest {
    @Test
    @SuppressWarnings("NullAway")
    void aBufferThatNobodyReleasedIsFound() {
        for (int i = 0; i < 50; i++) {
            ByteBufAllocator.DEFAULT.directBuffer(64).writeByte(1);
        }
        assertThatThrownBy(() -> new LeakCheck().afterAll(null)).isInstanceOf(AssertionError.class)
                .hasMessageContaining("LEAK");
    }
}
