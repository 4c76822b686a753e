package dev.quoin.ctl.rpc;

import java.io.ByteArrayOutputStream;
import java.io.IOException;

/**
 * Huffman's code for header texts (RFC 7541, appendix B), for reading. The code is canonical: among codes of one length the
 * values rise with the symbols, and the first of a length follows from the lengths before. So the lengths alone define it.
 */
final class Huffman {
    /** Bits of the code of each byte. */
    private static final byte[] LENGTHS = {
        13, 23, 28, 28, 28, 28, 28, 28, 28, 24, 30, 28, 28, 30, 28, 28,
        28, 28, 28, 28, 28, 28, 30, 28, 28, 28, 28, 28, 28, 28, 28, 28,
        6, 10, 10, 12, 13, 6, 8, 11, 10, 10, 8, 11, 8, 6, 6, 6,
        5, 5, 5, 6, 6, 6, 6, 6, 6, 6, 7, 8, 15, 6, 12, 10,
        13, 6, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7,
        7, 7, 7, 7, 7, 7, 7, 7, 8, 7, 8, 13, 19, 13, 14, 6,
        15, 5, 6, 5, 6, 5, 6, 6, 6, 5, 7, 7, 6, 6, 6, 5,
        6, 7, 6, 5, 5, 6, 7, 7, 7, 7, 7, 15, 11, 14, 13, 28,
        20, 22, 20, 20, 22, 22, 22, 23, 22, 23, 23, 23, 23, 23, 24, 23,
        24, 24, 22, 23, 24, 23, 23, 23, 23, 21, 22, 23, 22, 23, 23, 24,
        22, 21, 20, 22, 22, 23, 23, 21, 23, 22, 22, 24, 21, 22, 23, 23,
        21, 21, 22, 21, 23, 22, 23, 23, 20, 22, 22, 22, 23, 22, 22, 23,
        26, 26, 20, 19, 22, 23, 22, 25, 26, 26, 26, 27, 27, 26, 24, 25,
        19, 21, 26, 27, 27, 26, 27, 24, 21, 21, 26, 26, 28, 27, 27, 27,
        20, 24, 20, 21, 22, 21, 21, 23, 22, 22, 25, 25, 24, 24, 26, 23,
        26, 27, 26, 26, 27, 27, 27, 27, 27, 28, 27, 27, 27, 27, 27, 26};
    private static final int BITS_MAX = 30;
    /** More bits of padding than this would have held a symbol. */
    private static final int PADDING_BITS_MAX = 7;

    /** For each length: the value of its first code, how many there are, and where their symbols begin. */
    private static final int[] FIRST = new int[BITS_MAX + 1];
    private static final int[] COUNT = new int[BITS_MAX + 1];
    private static final int[] BEGIN = new int[BITS_MAX + 1];
    private static final byte[] SYMBOLS = new byte[LENGTHS.length];

    static {
        int at = 0;
        int next = 0;
        for (int bits = 1; bits <= BITS_MAX; bits++) {
            next <<= 1;
            FIRST[bits] = next;
            BEGIN[bits] = at;
            for (int symbol = 0; symbol < LENGTHS.length; symbol++) {
                if (LENGTHS[symbol] == bits) {
                    SYMBOLS[at++] = (byte) symbol;
                    COUNT[bits]++;
                    next++;
                }
            }
        }
    }

    private Huffman() {}

    /** The text behind {@code length} bytes of code. */
    static byte[] decode(byte[] coded, int from, int length) throws IOException {
        ByteArrayOutputStream text = new ByteArrayOutputStream(length * 8 / 5 + 1);
        int code = 0;
        int bits = 0;
        for (int at = from; at < from + length; at++) {
            for (int bit = 7; bit >= 0; bit--) {
                code = code << 1 | ((coded[at] >> bit) & 1);
                bits++;
                if (bits > BITS_MAX) {
                    throw new IOException("a header text is not Huffman coded");
                }
                int nth = code - FIRST[bits];
                if (nth >= 0 && nth < COUNT[bits]) {
                    text.write(SYMBOLS[BEGIN[bits] + nth]);
                    code = 0;
                    bits = 0;
                }
            }
        }
        // The rest of the last byte is the beginning of a code that is all ones.
        if (bits > PADDING_BITS_MAX || code != (1 << bits) - 1) {
            throw new IOException("a header text ends inside a Huffman code");
        }
        return text.toByteArray();
    }
}
