package dev.quoin.cert;

import java.io.IOException;
import java.io.PrintStream;
import java.time.InstantSource;
import java.util.List;

/** The program {@code quoin cert}, without its process: does what it is told, and says what it has done and what comes next. */
final class CertCommand {
    private static final int DONE = 0;

    private final InstantSource clock;
    private final PrintStream out;
    private final PrintStream err;

    CertCommand(InstantSource clock, PrintStream out, PrintStream err) {
        this.clock = clock;
        this.out = out;
        this.err = err;
    }

    /** What the process is to end with: 0; 1 if it is not done; 2 if it was not understood. */
    int run(List<String> words) {
        if (words.isEmpty() || words.stream().anyMatch(word -> word.equals("--help") || word.equals("-h"))) {
            out.print(Order.USAGE);
            return DONE;
        }
        try {
            make(Order.parse(words));
            return DONE;
        } catch (Refused refused) {
            err.println("quoin cert: " + refused.getMessage());
            if (refused.exit() == Refused.Exit.USAGE) {
                err.println("quoin cert --help says what can be said.");
            }
            return refused.exit().code;
        } catch (IOException failed) {
            err.println("quoin cert: " + failed.getMessage());
            return Refused.Exit.FAILED.code;
        }
    }

    private void make(Order asked) throws Refused, IOException {
        CertDirectory directory = new CertDirectory(asked.directory(), clock.instant());
        boolean isNew = directory.isNew();
        Order order = isNew && asked.clients().isEmpty() ? asked.withClients(List.of("root")) : asked;
        if (order.members().isEmpty() && order.clients().isEmpty()) {
            throw Refused.usage("nobody is named who is to have a certificate");
        }
        directory.make(order).forEach(out::println);
        out.println();
        StartCommands commands = new StartCommands(directory, order.members());
        if (isNew) {
            out.println("Whoever has ca.key or peer-ca.key can make a member or a client: keep them off the members.");
        }
        if (!order.members().isEmpty() && !order.renews()) {
            out.println(isNew
                    ? "A member needs its directory alone. To start the members, each where its directory is:\n"
                    : "A member needs its directory alone. To add it to the cluster, and to start it in an environment with"
                            + " what that prints:\n");
            out.println(isNew ? commands.founding() : commands.joining());
        }
        if (!order.clients().isEmpty()) {
            out.println("To ask them, as " + order.clients().getFirst() + ":\n");
            out.print(commands.asking(order.clients().getFirst()));
        }
        if (order.renews()) {
            out.println("Members take new files into use within a second of their coming, for new connections.");
        }
    }
}
