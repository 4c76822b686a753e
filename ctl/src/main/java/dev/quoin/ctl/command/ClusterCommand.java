package dev.quoin.ctl.command;

import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;

import dev.quoin.ctl.cli.Command;
import dev.quoin.ctl.cli.Failure;
import dev.quoin.ctl.cli.Flag;
import dev.quoin.ctl.cli.Invocation;
import dev.quoin.ctl.cli.Streams;
import dev.quoin.ctl.cluster.ClusterRun;

/** quoin cluster: members on this host, for trying things. */
final class ClusterCommand {
    private static final int MEMBERS_MAX = 9;
    private static final String DIRECTORY = "dir";
    private static final String KEEP = "keep";
    /** Where the image is: its launcher says so. */
    private static final String HOME = "QUOIN_HOME";

    private final Streams streams;

    ClusterCommand(Streams streams) {
        this.streams = streams;
    }

    Command cluster() {
        return new Command("cluster <members> [-- member's flags]", "Starts a cluster on this host, for trying things")
                .described("""
                        Starts so many members on the loopback address, 1 to 9, prints how to ask them, and shows
                        how they are until Ctrl-C or SIGTERM, which stops them in order. Ports are 2379, 2380 and
                        so on, or the next that are free.

                        A member that ends is left alone, so that one can see what becomes of the others: type its
                        number and Enter to start it again. What a member prints is in DIR/m1.log and so on.
                        kill -9 of this command leaves the members running: their pids are in the table.
                        """)
                .withExamples("  quoin cluster 3\n  quoin cluster 3 --dir /tmp/demo -- --snapshot-count=1000")
                .taking(Flag.string(DIRECTORY, "",
                        "directory of data and logs; with one of before, that cluster goes on "
                                + "(default: a temporary one)"),
                        Flag.bool(KEEP, "leave the temporary directory behind"))
                .doing(this::run);
    }

    private void run(Invocation invocation) {
        for (Flag flag : invocation.command().inheritedFlags()) {
            if (invocation.flags().isGiven(flag.name())) {
                throw Failure.badArguments("--" + flag.name() + " says nothing about a cluster that is started here");
            }
        }
        ClusterRun.Order order = order(invocation);
        Interruption.ofThisThread();
        try {
            // Not the program's own stream, which ends the process at once when nobody reads any more, and would leave members behind.
            PrintStream out = new PrintStream(new FileOutputStream(FileDescriptor.out), false, StandardCharsets.UTF_8);
            new ClusterRun(streams.in(), out, order).run();
        } catch (IOException why) {
            throw Failure.of(String.valueOf(why.getMessage()));
        }
    }

    private ClusterRun.Order order(Invocation invocation) {
        List<String> arguments = invocation.arguments();
        int members = arguments.isEmpty() ? 0 : members(arguments.get(0));
        if (members < 1 || members > MEMBERS_MAX) {
            throw Failure.badArguments("cluster needs a number of members, 1 to " + MEMBERS_MAX);
        }
        List<String> flags = arguments.subList(1, arguments.size());
        if (!flags.isEmpty() && !flags.get(0).startsWith("-")) {
            throw Failure.badArguments("flags of members stand behind --, and begin with a dash: " + flags.get(0));
        }
        String home = streams.environment().getOrDefault(HOME, "");
        if (home.isEmpty()) {
            throw Failure.of("cluster is started by bin/quoin, which says where the image is (" + HOME + ")");
        }
        String directory = invocation.flags().text(DIRECTORY);
        return new ClusterRun.Order(members, directory.isEmpty() ? null : Path.of(directory),
                invocation.flags().isOn(KEEP), Path.of(home), List.copyOf(flags));
    }

    private static int members(String text) {
        return text.length() == 1 && Character.isDigit(text.charAt(0)) ? text.charAt(0) - '0' : 0;
    }
}
