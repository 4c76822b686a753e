package dev.quoin.ctl.rpc;

import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;

/** Writes a block of headers (RFC 7541) as entries of the static table and plain literals, which every server reads. */
final class HeaderWriter {
    static final int AUTHORITY = 1;
    static final int METHOD_POST = 3;
    static final int PATH = 4;
    static final int SCHEME_HTTP = 6;
    static final int SCHEME_HTTPS = 7;
    static final int CONTENT_TYPE = 31;
    static final int USER_AGENT = 58;

    private static final int NEVER_INDEXED = 0x10;

    private final ByteArrayOutputStream block = new ByteArrayOutputStream(256);

    /** A header that the static table has, name and value. */
    HeaderWriter known(int index) {
        block.write(0x80 | index);
        return this;
    }

    /** A header whose name the static table has. */
    HeaderWriter named(int index, String value) {
        number(0, 4, index);
        return text(value);
    }

    HeaderWriter literal(String name, String value) {
        block.write(0);
        return text(name).text(value);
    }

    /** A header whose value nobody on the way may keep. */
    HeaderWriter secret(String name, String value) {
        block.write(NEVER_INDEXED);
        return text(name).text(value);
    }

    byte[] block() {
        return block.toByteArray();
    }

    private HeaderWriter text(String text) {
        byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
        number(0, 7, bytes.length);
        block.writeBytes(bytes);
        return this;
    }

    private void number(int flags, int prefixBits, int number) {
        int mask = (1 << prefixBits) - 1;
        if (number < mask) {
            block.write(flags | number);
            return;
        }
        block.write(flags | mask);
        int rest = number - mask;
        while (rest >= 0x80) {
            block.write((rest & 0x7f) | 0x80);
            rest >>= 7;
        }
        block.write(rest);
    }
}
