/**
 * Answers as etcdctl shows them with {@code --write-out}: {@link dev.quoin.ctl.print.Printer#of} knows the five formats. What a format
 * cannot show ends the command with exit code 4 (etcd: etcdctl/ctlv3/command/printer*.go).
 */
@NullMarked
package dev.quoin.ctl.print;

import org.jspecify.annotations.NullMarked;
