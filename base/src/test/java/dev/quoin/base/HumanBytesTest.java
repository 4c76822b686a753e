package dev.quoin.base;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

import static org.assertj.core.api.Assertions.assertThat;

/** Sizes as etcdutl prints them. */
class HumanBytesTest {
    @ParameterizedTest
    @CsvSource({"0,0 B", "9,9 B", "10,10 B", "999,999 B", "1000,1.0 kB", "1024,1.0 kB", "9949,9.9 kB", "9950,10 kB",
        "12499,12 kB", "12500,12 kB", "13500,14 kB", "20480,20 kB", "82854982,83 MB", "2147483648,2.1 GB",
        "9223372036854775807,9.2 EB"})
    void isPrintedAsGoPrintsIt(long bytes, String text) {
        assertThat(HumanBytes.text(bytes)).isEqualTo(text);
    }
}
