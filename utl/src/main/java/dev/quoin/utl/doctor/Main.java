package dev.quoin.utl.doctor;

import java.io.PrintStream;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

import org.jspecify.annotations.Nullable;

import dev.quoin.disk.RealDisk;

/** The process {@code quoin doctor}: 0 if all is well, 1 if something is wrong, 2 if it was not understood. */
public final class Main {
    private static final int WELL = 0;
    private static final int WRONG = 1;
    private static final int MISUSED = 2;

    private static final String USAGE = """
            quoin doctor DIR [--wal-dir DIR]

            Looks at a data directory of a member that does not run, says what it is, what is wrong with it and what to do.
            Reads all of it and changes nothing. Ends with 0 if nothing is wrong, else with 1.

              --wal-dir DIR   where the write-ahead log is, if the member was given a --wal-dir
            """;

    private Main() {}

    public static void main(String[] args) {
        System.exit(run(List.of(args), System.out, System.err));
    }

    /** Runs to its end; what the process is to end with. */
    static int run(List<String> words, PrintStream out, PrintStream err) {
        if (words.contains("--help") || words.contains("-h")) {
            out.print(USAGE);
            return WELL;
        }
        List<String> rest = new ArrayList<>();
        String log = null;
        for (int at = 0; at < words.size(); at++) {
            String word = words.get(at);
            if (word.startsWith("--wal-dir=")) {
                log = word.substring(word.indexOf('=') + 1);
            } else if (word.equals("--wal-dir") && at + 1 < words.size()) {
                at++;
                log = words.get(at);
            } else {
                rest.add(word);
            }
        }
        if (rest.size() != 1 || rest.getFirst().startsWith("-")) {
            err.print("quoin doctor: one directory is to be named\n" + USAGE);
            return MISUSED;
        }
        try {
            return examine(Path.of(rest.getFirst()), log == null ? null : Path.of(log), out);
        } catch (InvalidPathException noName) {
            err.println("quoin doctor: " + noName.getMessage());
            return MISUSED;
        }
    }

    private static int examine(Path directory, @Nullable Path log, PrintStream out) {
        List<Finding> findings = new Examination(new RealDisk(), directory, log).run();
        findings.forEach(finding -> out.print(finding.text()));
        long wrong = findings.stream().filter(Finding::isWrong).count();
        out.println(
                wrong == 0 ? "Nothing is wrong." : wrong == 1 ? "One thing is wrong." : wrong + " things are wrong.");
        return wrong == 0 ? WELL : WRONG;
    }
}
