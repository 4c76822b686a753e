package dev.quoin.ctl.command;

import java.io.IOException;

/** What a server says on its page of metrics of the memory it has. */
final class ResidentMemory {
    private static final String NAME = "process_resident_memory_bytes";

    private ResidentMemory() {}

    /** The number on the line of that name (etcd: util.go, endpointMemoryMetrics). */
    static double bytes(String page) throws IOException {
        String value = page.lines().filter(line -> line.startsWith(NAME)).findFirst()
                .map(line -> line.substring(NAME.length()).strip()).orElse("");
        try {
            return Double.parseDouble(value);
        } catch (NumberFormatException none) {
            throw new IOException("could not find: " + NAME, none);
        }
    }
}
