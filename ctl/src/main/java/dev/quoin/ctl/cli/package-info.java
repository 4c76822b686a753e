/**
 * The command line: which command, which flags, which arguments, by the rules of spf13/cobra and spf13/pflag, whose texts
 * scripts read. A {@link dev.quoin.ctl.cli.Command} tree is built in code; {@link dev.quoin.ctl.cli.CommandLine} finds the
 * command and reads its {@link dev.quoin.ctl.cli.Flags}; {@link dev.quoin.ctl.cli.Help} writes usage texts; {@link
 * dev.quoin.ctl.cli.Environment} adds what {@code ETCDCTL_*} variables say. It knows nothing of etcd.
 */
@NullMarked
package dev.quoin.ctl.cli;

import org.jspecify.annotations.NullMarked;
