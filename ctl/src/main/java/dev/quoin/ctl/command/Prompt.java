package dev.quoin.ctl.command;

import java.io.IOException;
import java.nio.charset.StandardCharsets;

import org.jspecify.annotations.Nullable;

import dev.quoin.ctl.cli.Failure;
import dev.quoin.ctl.cli.Streams;

/** Asks a person for a password, without showing it on a terminal (speakeasy: by {@code stty}). */
final class Prompt {
    private final Streams streams;

    Prompt(Streams streams) {
        this.streams = streams;
    }

    /** What is typed behind the prompt. */
    String password(String prompt) {
        streams.out().print(prompt);
        streams.out().flush();
        Thread restore = new Thread(() -> echo(true));
        Runtime.getRuntime().addShutdownHook(restore);
        echo(false);
        try {
            String line = new Lines(streams.in()).rest();
            streams.out().print('\n');
            return line.strip();
        } finally {
            echo(true);
            Runtime.getRuntime().removeShutdownHook(restore);
        }
    }

    /** Asks twice, for a password that is new. */
    String newPassword(String user) {
        String first = password("Password of " + user + ": ");
        if (first.isEmpty()) {
            throw Failure.badArguments("empty password");
        }
        if (!first.equals(password("Type password of " + user + " again for confirmation: "))) {
            throw Failure.badArguments("given passwords are different");
        }
        return first;
    }

    /** Without a terminal, {@code stty} fails, and there is nothing to hide. */
    private static void echo(boolean isShown) {
        try {
            new ProcessBuilder("stty", isShown ? "echo" : "-echo").redirectInput(ProcessBuilder.Redirect.INHERIT)
                    .redirectOutput(ProcessBuilder.Redirect.DISCARD).redirectError(ProcessBuilder.Redirect.DISCARD)
                    .start().waitFor();
        } catch (InterruptedException stop) {
            Thread.currentThread().interrupt();
        } catch (IOException noStty) {
            throw Failure.of("stty binary not found:\n\t" + noStty.getMessage());
        }
    }

    /** The next word of standard input. */
    @Nullable
    String word() {
        try {
            StringBuilder word = new StringBuilder();
            int next = streams.in().read();
            while (next == ' ' || next == '\t') {
                next = streams.in().read();
            }
            while (next > ' ') {
                word.append((char) next);
                next = streams.in().read();
            }
            return new String(word.toString().getBytes(StandardCharsets.ISO_8859_1), StandardCharsets.UTF_8);
        } catch (IOException why) {
            return null;
        }
    }
}
