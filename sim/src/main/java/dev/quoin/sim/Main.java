package dev.quoin.sim;

import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Locale;

/** {@code ./quoin dev sim}: runs seeds, a line for each, and one for all of them. */
public final class Main {
    private static final int LINES_OF_A_VIOLATION = 60;

    private Main() {}

    public static void main(String[] args) throws IOException, InterruptedException {
        if (args.length > 0 && args[0].equals("mutants")) {
            System.exit(Mutants.run(Path.of(""), args.length > 1 ? args[1] : "") ? 0 : 1);
        }
        Options options;
        try {
            options = Options.parse(args);
        } catch (IllegalArgumentException wrong) {
            System.err.println(wrong.getMessage());
            System.exit(2);
            return;
        }
        System.exit(run(options) ? 0 : 1);
    }

    /** Whether nothing was violated. */
    static boolean run(Options options) {
        Tally total = new Tally();
        double hours = 0;
        long hash = 0;
        long seed = options.seed();
        long seeds = 0;
        while (seeds < options.seeds() && hours < options.hours()) {
            Simulation simulation = new Simulation(seed, options.members(), options.trace());
            Simulation.Result result;
            try {
                result = simulation.run();
            } catch (RuntimeException | Error broken) {
                violated(seed, simulation, broken);
                return false;
            }
            System.out.printf(Locale.ROOT,
                    "seed %d: %d members, %.2f h, %d writes, %d reads, %d faults of %d kinds, ok%n",
                    seed, result.members(), result.hours(), result.tally().of("writes"),
                    result.tally().of("reads") + result.tally().of("stale reads"), result.tally().faultCount(),
                    result.tally().faultKinds());
            total.add(result.tally());
            hours += result.hours();
            hash = hash * 31 + result.hash();
            seed++;
            seeds++;
        }
        double cpu = cpuSeconds();
        System.out.println("faults: " + total.faultsText());
        System.out.println("counts: " + total.othersText());
        System.out.printf(Locale.ROOT,
                "%d seeds from %d, %.1f simulated hours in %.0f s of CPU (%.2f h/s), %d faults of %d kinds, hash=%016x%n",
                seeds, options.seed(), hours, cpu, hours / cpu, total.faultCount(), total.faultKinds(),
                hash);
        return true;
    }

    /** Of the whole process, with compiler and collector. */
    private static double cpuSeconds() {
        return ProcessHandle.current().info().totalCpuDuration().orElse(Duration.ZERO).toMillis() / 1e3;
    }

    private static void violated(long seed, Simulation simulation, Throwable broken) {
        List<String> last = simulation.last(LINES_OF_A_VIOLATION);
        last.forEach(System.out::println);
        System.out.printf(Locale.ROOT, "seed %d: VIOLATION at %.6f s: %s%n", seed, simulation.seconds(),
                broken.getMessage());
        Throwable shown = broken.getCause() == null ? broken : broken.getCause();
        shown.printStackTrace(System.out);
        System.out.printf(Locale.ROOT, "bring it back with: ./quoin dev sim --seed %d --trace%n", seed);
    }
}
