package dev.quoin.ctl.command;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;

import org.jspecify.annotations.Nullable;

import dev.quoin.ctl.cli.Failure;

/** Reads lines byte by byte, so that nothing is taken from whoever reads next. */
final class Lines {
    private final InputStream in;

    Lines(InputStream in) {
        this.in = in;
    }

    /** The next line without its end; nothing if the input ends before the line does. */
    @Nullable
    String next() {
        ByteArrayOutputStream line = new ByteArrayOutputStream();
        return read(line) ? line.toString(StandardCharsets.UTF_8) : null;
    }

    /** What there is up to the end of the line or of the input. */
    String rest() {
        ByteArrayOutputStream line = new ByteArrayOutputStream();
        read(line);
        return line.toString(StandardCharsets.UTF_8);
    }

    private boolean read(ByteArrayOutputStream line) {
        try {
            for (int next = in.read(); next >= 0; next = in.read()) {
                if (next == '\n') {
                    return true;
                }
                line.write(next);
            }
            return false;
        } catch (IOException why) {
            throw Failure.invalidInput(String.valueOf(why.getMessage()));
        }
    }
}
