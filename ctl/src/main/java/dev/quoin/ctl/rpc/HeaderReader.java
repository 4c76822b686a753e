package dev.quoin.ctl.rpc;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * Reads a block of headers (RFC 7541). This side has announced a dynamic table of size 0, so only the static table can be
 * referred to, and blocks do not depend on each other.
 */
final class HeaderReader {
    /** Names and values of the static table, from index 1 on (RFC 7541, appendix A). */
    private static final String[] STATIC = {
        ":authority", "", ":method", "GET", ":method", "POST", ":path", "/", ":path", "/index.html", ":scheme",
        "http", ":scheme", "https", ":status", "200", ":status", "204", ":status", "206", ":status", "304",
        ":status", "400", ":status", "404", ":status", "500", "accept-charset", "", "accept-encoding",
        "gzip, deflate", "accept-language", "", "accept-ranges", "", "accept", "", "access-control-allow-origin",
        "", "age", "", "allow", "", "authorization", "", "cache-control", "", "content-disposition", "",
        "content-encoding", "", "content-language", "", "content-length", "", "content-location", "",
        "content-range", "", "content-type", "", "cookie", "", "date", "", "etag", "", "expect", "", "expires", "",
        "from", "", "host", "", "if-match", "", "if-modified-since", "", "if-none-match", "", "if-range", "",
        "if-unmodified-since", "", "last-modified", "", "link", "", "location", "", "max-forwards", "",
        "proxy-authenticate", "", "proxy-authorization", "", "range", "", "referer", "", "refresh", "",
        "retry-after", "", "server", "", "set-cookie", "", "strict-transport-security", "", "transfer-encoding",
        "", "user-agent", "", "vary", "", "via", "", "www-authenticate", ""};
    /** Four bytes behind a prefix reach 2^28, more than any block has. */
    private static final int NUMBER_BYTES_MAX = 4;

    private final byte[] block;
    private int at;

    private HeaderReader(byte[] block) {
        this.block = block;
    }

    /** The headers of a block, in their order; of several with one name, the first. */
    static Map<String, String> read(byte[] block) throws IOException {
        HeaderReader reader = new HeaderReader(block);
        Map<String, String> headers = new LinkedHashMap<>();
        while (reader.at < block.length) {
            reader.header(headers);
        }
        return headers;
    }

    private void header(Map<String, String> headers) throws IOException {
        int first = block[at] & 0xff;
        if ((first & 0x80) != 0) {
            int index = number(7);
            headers.putIfAbsent(entry(index, 0), entry(index, 1));
        } else if ((first & 0xe0) == 0x20) {
            if (number(5) != 0) {
                throw new IOException("the server enlarges a header table that was announced as empty");
            }
        } else {
            // Literals: to be remembered (there is no room for it), not, or never.
            int index = number((first & 0x40) != 0 ? 6 : 4);
            String name = index == 0 ? text() : entry(index, 0);
            headers.putIfAbsent(name, text());
        }
    }

    private static String entry(int index, int part) throws IOException {
        if (index < 1 || index > STATIC.length / 2) {
            throw new IOException("a header refers to entry " + index + " of a table that has no such entry");
        }
        return STATIC[2 * (index - 1) + part];
    }

    private String text() throws IOException {
        if (at == block.length) {
            throw new IOException("a block of headers ends too early");
        }
        boolean isCoded = (block[at] & 0x80) != 0;
        int length = number(7);
        if (length > block.length - at) {
            throw new IOException("a block of headers ends too early");
        }
        byte[] text = isCoded ? Huffman.decode(block, at, length) : null;
        String result = text != null ? new String(text, StandardCharsets.ISO_8859_1)
                : new String(block, at, length, StandardCharsets.ISO_8859_1);
        at += length;
        return result;
    }

    /** A number whose first bits are the last {@code prefixBits} of the byte at hand. */
    private int number(int prefixBits) throws IOException {
        int mask = (1 << prefixBits) - 1;
        int number = block[at++] & mask;
        if (number < mask) {
            return number;
        }
        for (int i = 0; i < NUMBER_BYTES_MAX; i++) {
            if (at == block.length) {
                throw new IOException("a block of headers ends too early");
            }
            int next = block[at++] & 0xff;
            number += (next & 0x7f) << (7 * i);
            if (next < 0x80) {
                return number;
            }
        }
        throw new IOException("a number in a block of headers is too large");
    }
}
