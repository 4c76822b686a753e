package dev.quoin.ctl;

import dev.quoin.ctl.command.QuoinCommands;

/** The process {@code quoin}, for the subcommands that are on a client's side. */
public final class QuoinMain {
    private QuoinMain() {}

    public static void main(String[] words) {
        Program.main(words, QuoinCommands::all);
    }
}
