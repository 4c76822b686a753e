package dev.quoin.ctl;

import dev.quoin.ctl.command.Commands;

/** The process {@code etcdctl}. */
public final class Main {
    private Main() {}

    public static void main(String[] words) {
        Program.main(words, Commands::all);
    }
}
