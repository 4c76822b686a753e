package dev.quoin.ctl.command;

import java.util.List;

import dev.quoin.ctl.cli.Command;
import dev.quoin.ctl.cli.Streams;

/** The subcommands of {@code quoin} that are on a client's side; the launcher starts the others elsewhere. */
public final class QuoinCommands {
    /** What the launcher starts elsewhere: known here, so that whoever mistypes one is offered it. */
    private static final List<String> ELSEWHERE = List.of("cert", "ctl", "doctor", "export", "gateway", "help",
            "inspect", "utl");

    private QuoinCommands() {}

    /** The tree of commands, at its root. */
    public static Command all(Streams streams) {
        Commands commands = new Commands(streams);
        Command root = new Command("quoin", "etcd, rebuilt for the JVM.").handingDown(GlobalFlags.all())
                .endingHelpWith("Use \"quoin ctl options\" for the flags about connections, which are etcdctl's.\n");
        ELSEWHERE.forEach(name -> root.of(new Command(name, "").hidden()));
        return root.of(new ClusterCommand(streams).cluster(), new MigrateCommand(commands).migrate(),
                new RollbackCommand(commands).rollback());
    }
}
