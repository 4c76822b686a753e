package dev.quoin.ctl.command;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.function.Consumer;

import dev.quoin.base.Invariant;
import dev.quoin.base.Versions;
import dev.quoin.ctl.cli.Command;
import dev.quoin.ctl.cli.CommandLine;
import dev.quoin.ctl.cli.Help;
import dev.quoin.ctl.cli.Streams;

/** All of etcdctl's commands. */
public final class Commands {
    static final String KEY_VALUE = "Key-value commands";
    static final String MAINTENANCE = "Cluster maintenance commands";
    static final String CONCURRENCY = "Concurrency commands";
    static final String AUTHENTICATION = "Authentication commands";
    static final String UTILITY = "Utility commands";

    private final Streams streams;

    Commands(Streams streams) {
        this.streams = streams;
    }

    /** The tree of commands, at its root. */
    public static Command all(Streams streams) {
        Commands commands = new Commands(streams);
        Command root = new Command("etcdctl", "A simple command line client for etcd3.")
                .handingDown(GlobalFlags.all())
                .endingHelpWith("Use \"etcdctl options\" for a list of global command-line options "
                        + "(applies to all commands).\n")
                .grouped(KEY_VALUE, MAINTENANCE, CONCURRENCY, AUTHENTICATION, UTILITY);
        KeyValueCommands keyValue = new KeyValueCommands(commands);
        MaintenanceCommands maintenance = new MaintenanceCommands(commands);
        return root.of(keyValue.get(), keyValue.put(), keyValue.del(), new TxnCommand(commands, keyValue).txn(),
                keyValue.compaction(), maintenance.alarm(), maintenance.defrag(),
                new EndpointCommands(commands).endpoint(), maintenance.moveLeader(),
                new WatchCommand(commands).watch(), commands.version(), new LeaseCommands(commands).lease(),
                new MemberCommands(commands).member(), new SnapshotCommand(commands).snapshot(),
                new MirrorCommand(commands).makeMirror(), new LockCommand(commands).lock(),
                new ElectCommand(commands).elect(),
                new AuthCommands(commands).auth(), new UserCommands(commands).user(),
                new RoleCommands(commands).role(), new CheckCommands(commands).check(), commands.completion(),
                maintenance.downgrade(), commands.options(root), commands.help(root));
    }

    /** An action of a command, with its context. */
    Command.Action action(Consumer<Context> what) {
        return invocation -> {
            try (Context context = new Context(invocation, streams)) {
                what.accept(context);
            }
        };
    }

    Streams streams() {
        return streams;
    }

    private Command version() {
        return new Command("version", "Prints the version of etcdctl").in(UTILITY)
                .doing(invocation -> streams.out()
                        .print("etcdctl version: " + Versions.ETCD + "\nAPI version: " + Versions.API + "\n"));
    }

    private Command options(Command root) {
        return new Command("options", "Show the global command-line flags").in(UTILITY)
                .doing(invocation -> streams.out().print("The following options can be passed to any command:\n\n"
                        + Help.lines(root.handedDown())));
    }

    private Command help(Command root) {
        return new Command("help [command]", "Help about any command").in(UTILITY)
                .described("Help provides help for any command in the application.\n"
                        + "Simply type etcdctl help [path to command] for full details.")
                .doing(invocation -> new CommandLine(root, streams.out(), streams.err())
                        .help(invocation.arguments()));
    }

    private Command completion() {
        return new Command("completion [bash|zsh|fish|powershell]", "Generate completion script").described("""
                To load completions:

                Bash:

                  $ source <(etcdctl completion bash)

                  # To load completions for each session, execute once:
                  # Linux:
                  $ etcdctl completion bash > /etc/bash_completion.d/etcdctl
                  # macOS:
                  $ etcdctl completion bash > /usr/local/etc/bash_completion.d/etcdctl

                Zsh:

                  # If shell completion is not already enabled in your environment,
                  # you will need to enable it.  You can execute the following once:

                  $ echo "autoload -U compinit; compinit" >> ~/.zshrc

                  # To load completions for each session, execute once:
                  $ etcdctl completion zsh > "${fpath[1]}/_etcdctl"

                  # You will need to start a new shell for this setup to take effect.

                fish:

                  $ etcdctl completion fish | source

                  # To load completions for each session, execute once:
                  $ etcdctl completion fish > ~/.config/fish/completions/etcdctl.fish

                PowerShell:

                  PS> etcdctl completion powershell | Out-String | Invoke-Expression

                  # To load completions for every new session, run:
                  PS> etcdctl completion powershell > etcdctl.ps1
                  # and source this file from your PowerShell profile.
                """).withoutFlagsInUse().in(UTILITY).choosing("bash", "zsh", "fish", "powershell")
                .doing(invocation -> streams.out().print(completionScript(invocation.arguments().get(0))));
    }

    /** A few lines that ask this program itself what to offer ({@code __complete}). */
    private static String completionScript(String shell) {
        try (InputStream script = Commands.class.getResourceAsStream("completion." + shell)) {
            if (script == null) {
                throw Invariant.violation("there is no completion.%s", shell);
            }
            return new String(script.readAllBytes(), StandardCharsets.UTF_8);
        } catch (IOException why) {
            throw new UncheckedIOException(why);
        }
    }

    /** Words of a message that names what was given: {@code [a b]}. */
    static String listed(List<String> words) {
        return "[" + String.join(" ", words) + "]";
    }
}
