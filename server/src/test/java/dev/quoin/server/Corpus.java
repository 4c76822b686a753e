package dev.quoin.server;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Random;

/**
 * Inputs of one fuzz target that are worth keeping: {@code src/test/fuzz/TARGET.hex}, one a line, in hexadecimal; a line may end in
 * {@code #} and a word about it. {@code dev/fuzz} adds to them what reaches code that none before has reached.
 */
final class Corpus {
    private static final Path DIRECTORY = Path.of("src/test/fuzz");

    private Corpus() {}

    static List<byte[]> of(String target) throws IOException {
        List<byte[]> inputs = new ArrayList<>();
        for (String line : Files.readAllLines(DIRECTORY.resolve(target + ".hex"))) {
            inputs.add(HexFormat.of().parseHex(line.replaceFirst("\\s*#.*", "")));
        }
        return inputs;
    }

    /** The input, a little other: bytes changed, taken out, doubled, or those of another in their place. */
    static byte[] mutated(byte[] input, byte[] other, Random random) {
        byte[] copy = input.clone();
        for (int changes = 1 + random.nextInt(4); changes > 0 && copy.length > 0; changes--) {
            int at = random.nextInt(copy.length);
            switch (random.nextInt(5)) {
                case 0 -> copy[at] = (byte) random.nextInt();
                case 1 -> copy[at] ^= (byte) (1 << random.nextInt(8));
                case 2 -> copy = joined(copy, at, copy, Math.min(copy.length, at + 1 + random.nextInt(4)));
                case 3 -> copy = joined(copy, Math.min(copy.length, at + random.nextInt(16)), copy, at);
                default -> copy = joined(copy, at, other, random.nextInt(other.length + 1));
            }
        }
        return copy;
    }

    private static byte[] joined(byte[] head, int headEnd, byte[] tail, int tailStart) {
        byte[] joined = new byte[headEnd + tail.length - tailStart];
        System.arraycopy(head, 0, joined, 0, headEnd);
        System.arraycopy(tail, tailStart, joined, headEnd, tail.length - tailStart);
        return joined;
    }
}
