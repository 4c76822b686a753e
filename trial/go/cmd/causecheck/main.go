// Causecheck gives a cluster one reason after the other to be slow, a disk, the way between members, or lack of processor, and
// demands that the log of the member that is asked names that reason, that its metrics do, and that they name no other.
//
//	causecheck --shim OUTDIR/faults.so -- etcd --name {name} --data-dir {data} --listen-client-urls {client}
//	    --advertise-client-urls {client} --listen-peer-urls {listen} --initial-advertise-peer-urls {peer}
//	    --initial-cluster {cluster} --initial-cluster-state {state}
//
// What is judged are words of Quoin's: guilty-phase in the line "request stats", and metrics named quoin_….
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"time"

	"quoin.dev/trial/internal/cluster"
	"quoin.dev/trial/internal/faults"
	"quoin.dev/trial/internal/proxy"
	"quoin.dev/trial/internal/tally"
)

func main() { os.Exit(run()) }

// slow is from when on a request is, so that it is told of. Less than etcd's 300 ms: what is done to the cluster must not
// cost a leader its office.
const slow = 100 * time.Millisecond

// trial is one run of the program.
type trial struct {
	ctx    context.Context
	counts *tally.Tally
	length time.Duration
	ready  time.Duration

	cluster *cluster.Cluster
	mesh    *proxy.Mesh
	disks   map[*cluster.Member]*faults.Disk
}

func run() int {
	t := &trial{}
	shim := flag.String("shim", "", "faults.so, as trial/faults/build has made it")
	only := flag.String("only", "", "a regular expression: only the reasons that it matches")
	rounds := flag.Int("rounds", 1, "how often to go through all of them")
	flag.DurationVar(&t.length, "length", 6*time.Second, "how long each is there; members time their ways every 5 s")
	flag.DurationVar(&t.ready, "ready", time.Minute, "bound for the cluster to be whole")
	timeout := flag.Duration("timeout", time.Hour, "bound for the whole run")
	dir := flag.String("dir", os.TempDir(), "where to make the directory for data and logs")
	flag.Usage = func() {
		fmt.Fprintln(flag.CommandLine.Output(), "usage: causecheck --shim FILE [flags] -- COMMAND ARGS... with", cluster.Flags)
		flag.PrintDefaults()
	}
	flag.Parse()
	wanted, err := regexp.Compile(*only)
	if err != nil || flag.NArg() == 0 || *shim == "" || *rounds < 1 {
		flag.Usage()
		return 2
	}

	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	ctx, cancel := context.WithTimeout(ctx, *timeout)
	defer cancel()
	t.ctx, t.counts = ctx, tally.New("causecheck", os.Stdout)
	home, err := os.MkdirTemp(*dir, "causecheck-")
	if !t.counts.Check("make a directory", err) {
		return t.counts.Close()
	}
	defer os.RemoveAll(home)
	err = t.start(home, *shim, flag.Args())
	if t.cluster != nil {
		defer t.cluster.Kill()
	}
	if t.mesh != nil {
		defer t.mesh.Close()
	}
	if t.counts.Check("three members start", err) {
		for range *rounds {
			for _, cause := range causes {
				if wanted.MatchString(cause.name) {
					t.counts.Check(t.judge(cause))
				}
			}
		}
	}
	return t.counts.Close()
}

// start brings up three members behind proxies, each with a disk that can be slowed down.
func (t *trial) start(home, shim string, command []string) error {
	if !strings.Contains(strings.Join(command, " "), "{listen}") {
		return fmt.Errorf("the command has no {listen}: no proxy can stand between its members")
	}
	command = faults.Command(shim, "{data}.faults", append(command, "--warning-unary-request-duration="+slow.String()))
	t.mesh = proxy.New()
	members, err := cluster.New(command, filepath.Join(home, "members"), 3, t.mesh.Listen)
	if err != nil {
		return err
	}
	t.cluster = members
	t.disks = map[*cluster.Member]*faults.Disk{}
	for _, m := range members.Members {
		if t.disks[m], err = faults.New(m.Data + ".faults"); err != nil {
			return err
		}
		if err := m.Spawn(); err != nil {
			return err
		}
		t.mesh.Know(m.PID(), m.Name)
	}
	return members.AwaitReady(t.ctx, t.ready)
}
