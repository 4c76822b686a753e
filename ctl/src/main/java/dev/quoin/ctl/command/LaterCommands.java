package dev.quoin.ctl.command;

import dev.quoin.ctl.cli.Command;
import dev.quoin.ctl.cli.Flag;

/** Commands that have their names and flags already and are refused when they are to do something. */
final class LaterCommands {
    private LaterCommands() {}

    static Command check() {
        return new Command("check <subcommand>", "commands for checking properties of the etcd cluster. Use `etcdctl "
                + "check --help` to see subcommands")
                .described("commands for checking properties of the etcd cluster").in(Commands.UTILITY)
                .of(new Command("perf [options]", "Check the performance of the etcd cluster")
                        .taking(Flag.string("load", "s", "The performance check's workload model. Accepted workloads: "
                                + "s(small), m(medium), l(large), xl(xLarge). Different workload models use different "
                                + "configurations in terms of number of clients and expected throughput."),
                                Flag.string("prefix", "/etcdctl-check-perf/",
                                        "The prefix for writing the performance check's keys."),
                                autoCompact(), autoDefrag())
                        .doing(Commands.notYet("check perf")),
                        new Command("datascale [options]", "Check the memory usage of holding data for different "
                                + "workloads on a given server endpoint.")
                                .described("If no endpoint is provided, localhost will be used. If multiple endpoints "
                                        + "are provided, first endpoint will be used.")
                                .taking(Flag.string("load", "s", "The datascale check's workload model. Accepted "
                                        + "workloads: s(small), m(medium), l(large), xl(xLarge)"),
                                        Flag.string("prefix", "/etcdctl-check-datascale/",
                                                "The prefix for writing the datascale check's keys."),
                                        autoCompact(), autoDefrag())
                                .doing(Commands.notYet("check datascale")));
    }

    private static Flag autoCompact() {
        return Flag.bool("auto-compact", "Compact storage with last revision after test is finished.");
    }

    private static Flag autoDefrag() {
        return Flag.bool("auto-defrag", "Defragment storage after test is finished.");
    }

    static Command completion() {
        return new Command("completion [bash|zsh|fish|powershell]", "Generate completion script").withoutFlagsInUse()
                .in(Commands.UTILITY).doing(Commands.notYet("completion"));
    }
}
