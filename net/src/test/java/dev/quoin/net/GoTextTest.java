package dev.quoin.net;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

import dev.quoin.base.Bytes;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

/** Texts on the wire are Go's to the letter. */
class GoTextTest {
    @Test
    void aMessageIsPercentEncodedOutsidePrintableAscii() {
        assertThat(GoText.percentEncode("plain ~ text")).isEqualTo("plain ~ text");
        assertThat(GoText.percentEncode("100%\t\r\n")).isEqualTo("100%25%09%0D%0A");
        assertThat(GoText.percentEncode("\u263a \ud83d\ude08")).isEqualTo("%E2%98%BA %F0%9F%98%88");
        assertThat(GoText.percentEncode("lone \ud83d")).isEqualTo("lone %EF%BF%BD");
    }

    @ParameterizedTest
    @CsvSource({"1H,3600000000000", "2M,120000000000", "3S,3000000000", "4m,4000000", "5u,5000", "6n,6",
        "99999999H,9223372036854775807"})
    void aTimeoutHasANumberAndAUnit(String text, long nanos) throws Exception {
        assertThat(GoText.timeoutNanos(text)).isEqualTo(nanos);
    }

    @ParameterizedTest
    @CsvSource({"AQ,01", "AQ==,01", "AQI,0102", "AQID,010203", "q6ur,ababab", "'',''"})
    void base64ComesWithOrWithoutPadding(String text, String hex) throws Exception {
        assertThat(GoText.base64(text)).isEqualTo(Bytes.of(java.util.HexFormat.of().parseHex(hex)));
    }

    @ParameterizedTest
    @CsvSource({"!!!,0", "AQ!D,2", "AQIDA,4"})
    void illegalBase64NamesTheByte(String text, int at) {
        assertThatThrownBy(() -> GoText.base64(text)).hasMessage("illegal base64 data at input byte " + at);
    }
}
