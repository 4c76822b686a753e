// Lockcheck lets many clients hold locks in turns, through the Lock service and through the locks of etcd's Go library, and
// judges from the order of the revisions: who is granted a lock stands first in its queue, by the revision at which its key
// was created, and its key is there; and a counter that is guarded by the lock's key loses no update, though holders pause
// for longer than their leases live, waiters give up, and leaders change.
//
//	lockcheck [--acquisitions N] [--pauses N] [--members 1,3] [--modes service,library] -- COMMAND ARGS...
//	lockcheck --self-test
//
// A second counter, guarded by nothing, shows what pauses cost without fencing: how many of its updates were lost is
// printed and not judged.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"quoin.dev/trial/internal/cluster"
	"quoin.dev/trial/internal/tally"
)

func main() { os.Exit(run()) }

// plan is what the command line asks for.
type plan struct {
	acquisitions int // of each run
	pauses       int // of each run
	locks        int
	workers      int
	ttl          time.Duration
	every        time.Duration // between two changes of the leader
	patience     time.Duration // for one grant
	seed         uint64
}

func run() int {
	p := &plan{}
	flag.IntVar(&p.acquisitions, "acquisitions", 20_000, "how often a lock is to be granted, in each run")
	flag.IntVar(&p.pauses, "pauses", 200, "how often a holder is to pause for longer than its lease lives, in each run")
	flag.IntVar(&p.locks, "locks", 16, "how many locks there are")
	flag.IntVar(&p.workers, "workers", 64, "how many clients take turns")
	flag.DurationVar(&p.ttl, "ttl", 2*time.Second, "how long the leases live that locks hang on")
	flag.DurationVar(&p.every, "every", 4*time.Second, "time between two changes of the leader, where there are several members")
	flag.DurationVar(&p.patience, "patience", 2*time.Minute, "bound for the wait for one grant")
	flag.Uint64Var(&p.seed, "seed", 1, "seed of who does what")
	members := flag.String("members", "1,3", "sizes of the clusters, a run for each")
	modes := flag.String("modes", "service,library", "how locks are taken, a run for each")
	timeout := flag.Duration("timeout", time.Hour, "bound for everything")
	dir := flag.String("dir", os.TempDir(), "where to make the directory for data and logs")
	self := flag.Bool("self-test", false, "judge histories that are right, and such with faults planted in them")
	flag.Usage = func() {
		fmt.Fprint(flag.CommandLine.Output(), "usage: lockcheck [flags] -- COMMAND ARGS... | lockcheck --self-test\n"+
			"COMMAND starts one member, with "+cluster.Flags+"\n")
		flag.PrintDefaults()
	}
	flag.Parse()

	counts := tally.New("lockcheck", os.Stdout)
	if *self {
		selfTest(counts, p.seed)
		return counts.Close()
	}
	sizes, err := numbers(*members)
	if err != nil || flag.NArg() == 0 || p.locks < 1 || p.workers < 2 {
		flag.Usage()
		return 2
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	ctx, cancel := context.WithTimeout(ctx, *timeout)
	defer cancel()
	home, err := os.MkdirTemp(*dir, "lockcheck-")
	if !counts.Check("make a directory", err) {
		return counts.Close()
	}
	defer os.RemoveAll(home)
	fmt.Printf("seed %d: %d acquisitions and %d pauses in each run, %d clients, %d locks\n", p.seed, p.acquisitions, p.pauses, p.workers, p.locks)
	for _, size := range sizes {
		for _, mode := range strings.Split(*modes, ",") {
			what := fmt.Sprintf("%s, members: %d", mode, size)
			counts.Check(what, p.perform(ctx, mode, size, filepath.Join(home, fmt.Sprintf("%s-%d", mode, size)), flag.Args()))
		}
	}
	return counts.Close()
}

func numbers(list string) ([]int, error) {
	var all []int
	for _, word := range strings.Split(list, ",") {
		n, err := strconv.Atoi(word)
		if err != nil || n < 1 {
			return nil, fmt.Errorf("not a list of numbers: %q", list)
		}
		all = append(all, n)
	}
	return all, nil
}

// perform is one run on a cluster of its own.
func (p *plan) perform(ctx context.Context, mode string, size int, dir string, command []string) error {
	lockers := map[string]locker{"service": serviceLocker, "library": libraryLocker}
	lock, known := lockers[mode]
	if !known {
		return fmt.Errorf("no mode is called %q: service or library", mode)
	}
	c, err := cluster.New(command, dir, size, cluster.Straight)
	if err != nil {
		return err
	}
	defer c.Kill()
	if err := c.Start(ctx, time.Minute); err != nil {
		return err
	}
	begin := time.Now()
	h, changes, err := p.record(ctx, c, lock)
	if err != nil {
		return err
	}
	sums := h.sums()
	fmt.Printf("     %d grants (%d through a wait), %d refused or lost, %d given up; %d pauses, after which %d guarded writes were refused; "+
		"%d changes of the leader; without fencing %d of %d updates lost; %.0f s\n",
		sums.granted, sums.waited, sums.failed, sums.cancelled, sums.paused, sums.refused, changes, sums.unfencedLost, sums.unfenced, time.Since(begin).Seconds())
	fmt.Print(h.failures())
	if sums.granted < p.acquisitions || sums.paused < p.pauses {
		return fmt.Errorf("too little was done: %d grants, %d pauses", sums.granted, sums.paused)
	}
	violations := h.judge()
	if len(violations) > 0 {
		const shown = 5
		return errors.New(strings.Join(violations[:min(shown, len(violations))], "; ") + fmt.Sprintf(" (%d violations)", len(violations)))
	}
	return nil
}
