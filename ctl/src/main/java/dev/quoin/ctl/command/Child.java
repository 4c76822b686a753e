package dev.quoin.ctl.command;

import java.io.File;
import java.io.IOException;
import java.util.List;
import java.util.Map;

import dev.quoin.base.GoQuote;
import dev.quoin.ctl.cli.Failure;

/** A program that a command runs: it writes where we write, and has nothing to read. */
final class Child {
    private static final File NULL = new File("/dev/null");

    private Child() {}

    /**
     * Runs it to its end, whatever signals come meanwhile.
     *
     * @param more variables besides those of this process
     * @return its exit code
     */
    static int run(List<String> words, Map<String, String> more) {
        ProcessBuilder builder = new ProcessBuilder(words).redirectInput(ProcessBuilder.Redirect.from(NULL))
                .redirectOutput(ProcessBuilder.Redirect.INHERIT).redirectError(ProcessBuilder.Redirect.INHERIT);
        builder.environment().putAll(more);
        Process process;
        try {
            process = builder.start();
        } catch (IOException why) {
            String program = words.get(0);
            throw Failure.of(program.contains("/") ? "fork/exec " + program + ": no such file or directory"
                    : "exec: " + GoQuote.of(program) + ": executable file not found in $PATH");
        }
        boolean isInterrupted = false;
        try {
            while (true) {
                try {
                    return process.waitFor();
                } catch (InterruptedException later) {
                    isInterrupted = true;
                }
            }
        } finally {
            if (isInterrupted) {
                Thread.currentThread().interrupt();
            }
        }
    }
}
