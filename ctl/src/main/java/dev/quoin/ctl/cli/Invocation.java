package dev.quoin.ctl.cli;

import java.util.List;

/**
 * A command with what it was given.
 *
 * @param words the whole command line, the program's name first
 */
public record Invocation(Command command, Flags flags, List<String> words) {
    public List<String> arguments() {
        return flags.arguments();
    }
}
