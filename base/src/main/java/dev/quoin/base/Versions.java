package dev.quoin.base;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import java.util.TreeMap;

/**
 * What Quoin says it is. The versions stand in one file, {@code versions} beside this class, a name and a version on each line: the
 * image has the same file ({@code lib/versions}) for the launchers, which say a version without a JVM.
 */
public final class Versions {
    private static final Map<String, String> LINES = read();

    /** The etcd that this stands in for: what clients read as a server's version. */
    public static final String ETCD = of("etcd");
    /** The version of etcd's API. */
    public static final String API = of("api");
    /** Our own. */
    public static final String QUOIN = of("quoin");

    /**
     * The header by which a server says that it is Quoin, since everything else about it says etcd: of members' answers to each other
     * ({@code /version}), and of {@code Status}, there with {@link #QUOIN} as its value.
     */
    public static final String HEADER = "x-quoin-version";

    private Versions() {}

    private static String of(String name) {
        String version = LINES.get(name);
        if (version == null) {
            throw Invariant.violation("the file of versions does not name %s", name);
        }
        return version;
    }

    private static Map<String, String> read() {
        InputStream file = Versions.class.getResourceAsStream("versions");
        if (file == null) {
            throw Invariant.violation("there is no file of versions");
        }
        Map<String, String> lines = new TreeMap<>();
        try (BufferedReader reader = new BufferedReader(new InputStreamReader(file, StandardCharsets.US_ASCII))) {
            for (String line = reader.readLine(); line != null; line = reader.readLine()) {
                int space = line.indexOf(' ');
                lines.put(line.substring(0, space), line.substring(space + 1));
            }
        } catch (IOException why) {
            throw new UncheckedIOException(why);
        }
        return lines;
    }
}
