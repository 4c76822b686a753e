package dev.quoin.trial;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;

/**
 * A program that is run to its end, with nothing in its environment but {@code PATH} and what it is given here, and killed
 * when it does not end in time.
 */
final class Program {
    /** How a run ended and what it printed. */
    record Result(int exitCode, String stdout, String stderr) {
        /** The lines of standard output. */
        List<String> lines() {
            return stdout.lines().toList();
        }
    }

    private final List<String> command;
    private final Map<String, String> environment = new TreeMap<>();
    private Duration patience = Duration.ofSeconds(30);

    private Program(List<String> command) {
        this.command = command;
    }

    /** The program, and the arguments that every run of it begins with. */
    static Program of(Path executable, String... arguments) {
        List<String> command = new ArrayList<>();
        command.add(executable.toString());
        Collections.addAll(command, arguments);
        return new Program(command);
    }

    Program with(String variable, String value) {
        environment.put(variable, value);
        return this;
    }

    Program within(Duration patience) {
        this.patience = patience;
        return this;
    }

    Result run(String... arguments) throws IOException, InterruptedException {
        return feed("", arguments);
    }

    /** Runs it with this text as its standard input. */
    Result feed(String stdin, String... arguments) throws IOException, InterruptedException {
        List<String> whole = new ArrayList<>(command);
        Collections.addAll(whole, arguments);
        // Files, not pipes: a program that prints more than a pipe holds must not wait for us.
        Path in = Files.writeString(Files.createTempFile("quoin-", ".in"), stdin);
        Path out = Files.createTempFile("quoin-", ".out");
        Path err = Files.createTempFile("quoin-", ".err");
        try {
            ProcessBuilder builder = new ProcessBuilder(whole).redirectInput(in.toFile()).redirectOutput(out.toFile())
                    .redirectError(err.toFile());
            leaveOnlyPath(builder.environment());
            builder.environment().putAll(environment);
            Process process = builder.start();
            if (!process.waitFor(patience.toMillis(), TimeUnit.MILLISECONDS)) {
                process.destroyForcibly().waitFor();
                throw new AssertionError(whole + " did not end within " + patience + "; it printed:\n"
                        + Files.readString(out) + Files.readString(err));
            }
            return new Result(process.exitValue(), Files.readString(out), Files.readString(err));
        } finally {
            Files.delete(in);
            Files.delete(out);
            Files.delete(err);
        }
    }

    /** Supervisors and test harnesses start servers so: no HOME, no JAVA_HOME, no LANG. */
    static void leaveOnlyPath(Map<String, String> environment) {
        environment.keySet().removeIf(variable -> !variable.equals("PATH"));
    }
}
