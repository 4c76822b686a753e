package dev.quoin.base;

import org.junit.jupiter.api.Test;

import static org.assertj.core.api.Assertions.assertThat;

/** Expectations come from running Go. */
class GoQuoteTest {
    @Test
    void quotesAsStrconvDoes() {
        assertThat(GoQuote.of("a\"b\\c\n\t\r\u0007\b\f\u000b\u0001\u007f"))
                .isEqualTo("\"a\\\"b\\\\c\\n\\t\\r\\a\\b\\f\\v\\x01\\x7f\"");
        assertThat(GoQuote.of("grün 日本 😀")).isEqualTo("\"grün 日本 😀\"");
        assertThat(GoQuote.of("\u00a0\u200b\u2028")).isEqualTo("\"\\u00a0\\u200b\\u2028\"");
        assertThat(GoQuote.of("\ufffd")).isEqualTo("\"\ufffd\"");
    }

    @Test
    void quotesBytesThatAreNoUtf8() {
        assertThat(GoQuote.of(new byte[]{'a', (byte) 0xff, 0, (byte) 0xc3, (byte) 0x28}))
                .isEqualTo("\"a\\xff\\x00\\xc3(\"");
        // Too long a form of '/', half of a surrogate pair, and the end cut off.
        assertThat(GoQuote.of(new byte[]{(byte) 0xc0, (byte) 0xaf})).isEqualTo("\"\\xc0\\xaf\"");
        assertThat(GoQuote.of(new byte[]{(byte) 0xed, (byte) 0xa0, (byte) 0x80})).isEqualTo("\"\\xed\\xa0\\x80\"");
        assertThat(GoQuote.of(new byte[]{(byte) 0xe2, (byte) 0x82})).isEqualTo("\"\\xe2\\x82\"");
    }
}
