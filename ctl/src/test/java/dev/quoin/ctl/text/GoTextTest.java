package dev.quoin.ctl.text;

import java.nio.charset.StandardCharsets;

import org.junit.jupiter.api.Test;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

/** Expectations come from running Go. */
class GoTextTest {
    @Test
    void writesBytesInHex() {
        assertThat(GoText.hexEscaped("a\nz".getBytes(StandardCharsets.UTF_8))).isEqualTo("\\x61\\x0a\\x7a");
        assertThat(GoText.hex16(0x4d2)).isEqualTo("00000000000004d2");
        assertThat(GoText.padded16(0x4d2)).isEqualTo("             4d2");
        assertThat(GoText.hex16(-1)).isEqualTo("ffffffffffffffff");
    }

    @Test
    void writesDurations() {
        assertThat(GoDurations.text(0)).isEqualTo("0s");
        assertThat(GoDurations.text(999)).isEqualTo("999ns");
        assertThat(GoDurations.text(1_500)).isEqualTo("1.5µs");
        assertThat(GoDurations.text(2_345_678)).isEqualTo("2.345678ms");
        assertThat(GoDurations.text(5_000_000_000L)).isEqualTo("5s");
        assertThat(GoDurations.text(3_661_500_000_000L)).isEqualTo("1h1m1.5s");
        assertThat(GoDurations.text(60_000_000_000L)).isEqualTo("1m0s");
    }

    @Test
    void readsDurations() throws Exception {
        assertThat(GoDurations.parse("0")).isZero();
        assertThat(GoDurations.parse("1h30m")).isEqualTo(5_400_000_000_000L);
        assertThat(GoDurations.parse("-1.5s")).isEqualTo(-1_500_000_000L);
        assertThat(GoDurations.parse(".5ms")).isEqualTo(500_000);
        assertThatThrownBy(() -> GoDurations.parse("5")).hasMessage("time: missing unit in duration \"5\"");
        assertThatThrownBy(() -> GoDurations.parse("5x")).hasMessage("time: unknown unit \"x\" in duration \"5x\"");
        assertThatThrownBy(() -> GoDurations.parse("x")).hasMessage("time: invalid duration \"x\"");
        assertThatThrownBy(() -> GoDurations.parse("")).hasMessage("time: invalid duration \"\"");
    }

    @Test
    void readsNumbers() throws Exception {
        assertThat(GoNumbers.parseInt("4d2", 16)).isEqualTo(0x4d2);
        assertThat(GoNumbers.parseInt("-8000000000000000", 16)).isEqualTo(Long.MIN_VALUE);
        assertThat(GoNumbers.parseInt("0x1_f", 0)).isEqualTo(31);
        assertThat(GoNumbers.parseInt("010", 0)).isEqualTo(8);
        assertThat(GoNumbers.parseInt("1_000", 0)).isEqualTo(1000);
        assertThat(GoNumbers.parseUint("ffffffffffffffff", 16)).isEqualTo(-1);
        assertThatThrownBy(() -> GoNumbers.parseInt("8000000000000000", 16))
                .hasMessage("strconv.ParseInt: parsing \"8000000000000000\": value out of range");
        assertThatThrownBy(() -> GoNumbers.parseInt("x", 10))
                .hasMessage("strconv.ParseInt: parsing \"x\": invalid syntax");
        assertThatThrownBy(() -> GoNumbers.parseInt("1_000", 10))
                .hasMessage("strconv.ParseInt: parsing \"1_000\": invalid syntax");
        assertThatThrownBy(() -> GoNumbers.parseUint("-1", 16))
                .hasMessage("strconv.ParseUint: parsing \"-1\": invalid syntax");
        assertThatThrownBy(() -> GoNumbers.parseBool("yes"))
                .hasMessage("strconv.ParseBool: parsing \"yes\": invalid syntax");
    }

    @Test
    void scansQuotedTexts() throws Exception {
        Scanner scanner = new Scanner("\"a\\x00\\n\\101\\u00e4\") > `raw\\n`");
        assertThat(scanner.quoted()).isEqualTo("a\0\nAä".getBytes(StandardCharsets.UTF_8));
        scanner.expect(')');
        assertThat(scanner.word()).isEqualTo(">");
        assertThat(scanner.quoted()).isEqualTo("raw\\n".getBytes(StandardCharsets.UTF_8));
        assertThatThrownBy(() -> new Scanner("\"open").quoted()).isInstanceOf(Malformed.class);
        assertThatThrownBy(() -> new Scanner("bare").quoted()).isInstanceOf(Malformed.class);
        assertThatThrownBy(() -> new Scanner("\"\\q\"").quoted()).isInstanceOf(Malformed.class);
    }
}
