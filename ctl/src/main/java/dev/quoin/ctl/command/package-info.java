/**
 * etcdctl's commands (etcd: etcdctl/ctlv3/command): what each takes, asks and shows. {@link dev.quoin.ctl.command.Commands} has them
 * all; a {@link dev.quoin.ctl.command.Context} is one run of one of them.
 */
@NullMarked
package dev.quoin.ctl.command;

import org.jspecify.annotations.NullMarked;
