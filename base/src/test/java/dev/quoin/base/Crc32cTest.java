package dev.quoin.base;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Random;

import org.junit.jupiter.api.Test;

import static org.assertj.core.api.Assertions.assertThat;

class Crc32cTest {
    private static final byte[] CHECK = "123456789".getBytes(StandardCharsets.US_ASCII);

    @Test
    void hasThePublishedCheckValue() {
        assertThat(Crc32c.of(CHECK, 0, CHECK.length)).isEqualTo(0xe3069283);
    }

    @Test
    void continuesAcrossAnySplit() {
        for (int split = 0; split <= CHECK.length; split++) {
            int first = Crc32c.update(0, CHECK, 0, split);
            assertThat(Crc32c.update(first, CHECK, split, CHECK.length - split)).isEqualTo(0xe3069283);
        }
    }

    @Test
    void continuesFromAnyValue() {
        Random random = new Random(7);
        for (int round = 0; round < 10_000; round++) {
            int previous = random.nextInt();
            assertThat(Crc32c.update(previous, CHECK, 0, 0)).isEqualTo(previous);
            assertThat(Crc32c.update(previous, ByteBuffer.wrap(CHECK)))
                    .isEqualTo(Crc32c.update(previous, CHECK, 0, CHECK.length));
        }
    }
}
