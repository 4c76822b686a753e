// Hostilecheck does to a server what hostile clients do: connections that say nothing, floods of resets, continuations, pings and
// settings, bombs of headers, windows of one byte, wrong passwords, bodies without measure, foreign hosts. A healthy client goes on
// all the while: it must be served, and how much longer it waits, and how much memory the server takes, is printed for each drill.
// Who attacks is another process, of the lowest priority, and attacks another server first, to compare. It starts the server itself, on loopback alone.
//
//	hostilecheck [--length 2s] [--memory MIB] [--rest 60s] -- dist/target/quoin/bin/etcd …
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"regexp"
	"syscall"
	"time"

	"quoin.dev/trial/internal/tally"
)

func main() { os.Exit(run()) }

func run() int {
	length := flag.Duration("length", 2*time.Second, "how long each drill goes on")
	memory := flag.Int64("memory", 0, "MiB that the server may take at most; 0: as much as it likes")
	factor := flag.Float64("factor", 2, "how often the healthy client may wait, by the 99th percentile, what it waits beside attacks on another server")
	slack := flag.Duration("slack", 0, "and by how much beyond that: on a small machine who attacks and who serves share processors")
	asEtcd := flag.Bool("as-etcd", false, "do not ask for Quoin's own metrics and log lines")
	only := flag.String("only", "", "only drills whose names match")
	dir := flag.String("dir", os.TempDir(), "where to make the directory for data and logs")
	timeout := flag.Duration("timeout", 10*time.Minute, "bound for the whole run")
	rest := flag.Duration("rest", 0, "for how long the server is left alone in the end, until its memory must be what it was before; 0: it is not looked at")
	attack := flag.Bool("attack", false, "be who attacks: what to do comes line by line")
	flag.Parse()
	if *attack {
		return attackAsTold()
	}
	wanted, err := regexp.Compile(*only)
	if err != nil || flag.NArg() == 0 {
		fmt.Fprintln(os.Stderr, "hostilecheck: a command is missing, or --only is no expression")
		flag.Usage()
		return 2
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	ctx, cancel := context.WithTimeout(ctx, *timeout)
	defer cancel()
	counts := tally.New("hostilecheck", os.Stdout)
	home, err := os.MkdirTemp(*dir, "hostilecheck-")
	if err != nil {
		counts.Check("make a directory", err)
		return counts.Close()
	}
	defer os.RemoveAll(home)
	t := &trial{length: *length, memory: *memory, factor: *factor, slack: *slack, rest: *rest, asEtcd: *asEtcd, counts: counts}
	defer t.close()
	if counts.Check("start", t.start(ctx, flag.Args(), home)) {
		t.run(ctx, wanted)
	}
	return counts.Close()
}
