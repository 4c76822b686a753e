package dev.quoin.server.metrics;

import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.OptionalDouble;

/**
 * What the kernel says of this process, under the names of Go's client (process_*) and etcd's own (os_fd_*). Read from
 * {@code /proc} when somebody asks; where there is no such directory there are no such series.
 */
final class ProcessMetrics {
    private static final double TICKS_PER_SECOND = 100; // USER_HZ, the same on all that Linux runs on
    private static final double PAGE_BYTES = 4_096;
    private static final double KIBI = 1_024;
    /** Fields of {@code stat} behind the name in brackets, counted from 0: proc(5) counts them from 3. */
    private static final int USER_TICKS = 11;
    private static final int SYSTEM_TICKS = 12;
    private static final int START_TICKS = 19;
    private static final int VIRTUAL_BYTES = 20;
    private static final int RESIDENT_PAGES = 21;

    private final Path proc;

    /** @param proc where the kernel tells of processes */
    ProcessMetrics(Path proc) {
        this.proc = proc;
    }

    void register(Registry registry) {
        add(registry, "process_cpu_seconds_total", "Total user and system CPU time spent in seconds.",
                Family.Type.COUNTER,
                () -> (stat(USER_TICKS) + stat(SYSTEM_TICKS)) / TICKS_PER_SECOND);
        add(registry, "process_resident_memory_bytes", "Resident memory size in bytes.", Family.Type.GAUGE,
                this::residentBytes);
        add(registry, "process_virtual_memory_bytes", "Virtual memory size in bytes.", Family.Type.GAUGE,
                () -> stat(VIRTUAL_BYTES));
        add(registry, "process_virtual_memory_max_bytes",
                "Maximum amount of virtual memory available in bytes.", Family.Type.GAUGE,
                () -> limit("Max address space"));
        add(registry, "process_start_time_seconds", "Start time of the process since unix epoch in seconds.",
                Family.Type.GAUGE, () -> bootSeconds() + stat(START_TICKS) / TICKS_PER_SECOND);
        add(registry, "process_open_fds", "Number of open file descriptors.", Family.Type.GAUGE, this::openFiles);
        add(registry, "process_max_fds", "Maximum number of open file descriptors.", Family.Type.GAUGE, this::maxFiles);
        add(registry, "os_fd_used", "The number of used file descriptors.", Family.Type.GAUGE, this::openFiles);
        add(registry, "os_fd_limit", "The file descriptor limit.", Family.Type.GAUGE, this::maxFiles);
        add(registry, "process_network_receive_bytes_total",
                "Number of bytes received by the process over the network.", Family.Type.COUNTER,
                () -> network("InOctets"));
        add(registry, "process_network_transmit_bytes_total",
                "Number of bytes sent by the process over the network.", Family.Type.COUNTER,
                () -> network("OutOctets"));
    }

    /** A number that the kernel may not tell. */
    @FunctionalInterface
    private interface Reading {
        double read() throws IOException;
    }

    private static void add(Registry registry, String name, String help, Family.Type type, Reading reading) {
        registry.add(
                new Family(name, help, type, List.of(), series -> tell(reading).ifPresent(value -> series.add(value))));
    }

    private static OptionalDouble tell(Reading reading) {
        try {
            return OptionalDouble.of(reading.read());
        } catch (IOException | RuntimeException untold) {
            return OptionalDouble.empty(); // Another kernel: the page has one name fewer.
        }
    }

    /** How many files this process may have open, as the kernel says; 0 if it does not. */
    double fileLimit() {
        return tell(this::maxFiles).orElse(0);
    }

    private double stat(int field) throws IOException {
        String stat = Files.readString(proc.resolve("self/stat"));
        return Double.parseDouble(stat.substring(stat.lastIndexOf(')') + 2).split(" ", -1)[field]);
    }

    /** What {@code stat} says lags behind by some pages; what {@code status} says is exact. */
    private double residentBytes() throws IOException {
        for (String line : Files.readAllLines(proc.resolve("self/status"))) {
            if (line.startsWith("VmRSS:")) {
                return Double.parseDouble(line.replaceAll("[^0-9]", "")) * KIBI;
            }
        }
        return stat(RESIDENT_PAGES) * PAGE_BYTES;
    }

    private double bootSeconds() throws IOException {
        for (String line : Files.readAllLines(proc.resolve("stat"))) {
            if (line.startsWith("btime ")) {
                return Double.parseDouble(line.substring("btime ".length()).strip());
            }
        }
        throw new IOException("the kernel does not say when it was started");
    }

    private double openFiles() throws IOException {
        double open = 0;
        try (DirectoryStream<Path> files = Files.newDirectoryStream(proc.resolve("self/fd"))) {
            for (Path file : files) {
                open += file.getNameCount() > 0 ? 1 : 0;
            }
        }
        return open;
    }

    private double maxFiles() throws IOException {
        return limit("Max open files");
    }

    /** The soft limit. */
    private double limit(String name) throws IOException {
        for (String line : Files.readAllLines(proc.resolve("self/limits"))) {
            if (line.startsWith(name)) {
                String soft = line.substring(name.length()).strip().split("\\s+", -1)[0];
                return soft.equals("unlimited") ? Math.pow(2, 64) : Double.parseDouble(soft);
            }
        }
        throw new IOException("no limit is named " + name);
    }

    /** A row of names is followed by a row of numbers. */
    private double network(String name) throws IOException {
        List<String> lines = Files.readAllLines(proc.resolve("self/net/netstat"));
        for (int at = 0; at + 1 < lines.size(); at += 2) {
            List<String> names = List.of(lines.get(at).split(" ", -1));
            if (names.getFirst().equals("IpExt:")) {
                return Double.parseDouble(lines.get(at + 1).split(" ", -1)[names.indexOf(name)]);
            }
        }
        throw new IOException("the kernel does not count " + name);
    }
}
