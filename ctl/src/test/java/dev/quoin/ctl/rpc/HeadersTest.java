package dev.quoin.ctl.rpc;

import java.io.IOException;
import java.util.HexFormat;
import java.util.Map;

import org.junit.jupiter.api.Test;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

/** Blocks from RFC 7541, appendix C, and what must not be believed. */
class HeadersTest {
    private static byte[] hex(String text) {
        return HexFormat.of().parseHex(text.replace(" ", ""));
    }

    @Test
    void readsLiteralsAndIndexedNames() throws Exception {
        // C.2.1, C.2.2, C.2.3, C.2.4
        assertThat(HeaderReader.read(hex("400a 6375 7374 6f6d 2d6b 6579 0d63 7573 746f 6d2d 6865 6164 6572")))
                .containsExactly(Map.entry("custom-key", "custom-header"));
        assertThat(HeaderReader.read(hex("040c 2f73 616d 706c 652f 7061 7468")))
                .containsExactly(Map.entry(":path", "/sample/path"));
        assertThat(HeaderReader.read(hex("1008 7061 7373 776f 7264 0673 6563 7265 74")))
                .containsExactly(Map.entry("password", "secret"));
        assertThat(HeaderReader.read(hex("82"))).containsExactly(Map.entry(":method", "GET"));
    }

    @Test
    void readsHuffmansCode() throws Exception {
        // C.4.1, C.6.1
        assertThat(HeaderReader.read(hex("8286 8441 8cf1 e3c2 e5f2 3a6b a0ab 90f4 ff"))).containsExactly(
                Map.entry(":method", "GET"), Map.entry(":scheme", "http"), Map.entry(":path", "/"),
                Map.entry(":authority", "www.example.com"));
        assertThat(
                HeaderReader.read(hex("4882 6402 5885 aec3 771a 4b61 96d0 7abe 9410 54d4 44a8 2005 9504 0b81 66e0 82a6 "
                        + "2d1b ff6e 919d 29ad 1718 63c7 8f0b 97c8 e9ae 82ae 43d3")))
                .containsExactly(
                        Map.entry(":status", "302"), Map.entry("cache-control", "private"),
                        Map.entry("date", "Mon, 21 Oct 2013 20:13:21 GMT"),
                        Map.entry("location", "https://www.example.com"));
    }

    @Test
    void readsWhatItWrites() throws Exception {
        String path = "/x".repeat(300);
        byte[] block = new HeaderWriter().known(HeaderWriter.METHOD_POST).known(HeaderWriter.SCHEME_HTTPS)
                .named(HeaderWriter.PATH, path).named(HeaderWriter.USER_AGENT, "me").literal("te", "trailers")
                .secret("token", "s").block();
        assertThat(HeaderReader.read(block)).containsExactly(Map.entry(":method", "POST"),
                Map.entry(":scheme", "https"),
                Map.entry(":path", path), Map.entry("user-agent", "me"), Map.entry("te", "trailers"),
                Map.entry("token", "s"));
    }

    @Test
    void anEmptyTableIsAnnouncedAndStaysEmpty() throws Exception {
        assertThat(HeaderReader.read(hex("20 88"))).containsExactly(Map.entry(":status", "200"));
        assertThatThrownBy(() -> HeaderReader.read(hex("3f e1 1f"))).isInstanceOf(IOException.class);
        assertThatThrownBy(() -> HeaderReader.read(hex("be"))).isInstanceOf(IOException.class);
        assertThatThrownBy(() -> HeaderReader.read(hex("80"))).isInstanceOf(IOException.class);
    }

    @Test
    void nothingIsReadBeyondTheBlock() {
        for (String block : new String[]{"40", "400a63", "00017805", "0f", "7fffffffffff", "04 8c f1 e3", "0001ff8f"}) {
            assertThatThrownBy(() -> HeaderReader.read(hex(block))).as(block).isInstanceOf(IOException.class);
        }
    }

    @Test
    void huffmansPaddingIsTheBeginningOfOnes() {
        // 'a' is 00011; padded with zeros, with a whole byte of ones too many, and the code of the end itself.
        for (String block : new String[]{"000178 81 18", "000178 82 1f ff", "000178 84 ffffffff"}) {
            assertThatThrownBy(() -> HeaderReader.read(hex(block))).as(block).isInstanceOf(IOException.class);
        }
    }

    @Test
    void messagesAreDecoded() {
        assertThat(Call.percentDecoded("etcdserver: 100%25 gr%C3%BCn")).isEqualTo("etcdserver: 100% grün");
        assertThat(Call.percentDecoded("50% off %zz %")).isEqualTo("50% off %zz %");
    }
}
