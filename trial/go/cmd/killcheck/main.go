// Killcheck kills a server with SIGKILL again and again, in the middle of writes, and demands after every restart that
// nothing it acknowledged is lost, changed or invented, and that what it did not acknowledge is wholly there or not at
// all.
//
//	killcheck --kills 20 --seed 1 -- etcd --data-dir {data} --listen-client-urls {client} --advertise-client-urls {client}
//	    --listen-peer-urls {peer} --initial-advertise-peer-urls {peer} --initial-cluster default={peer}
//
// The store must be empty at first, and killcheck its only client: then every revision can be accounted for.
//
// With --faults it is the disk that ends the server, or makes it wait: calls of its fail, as faults.so does it (trial/faults).
// Then the server must also say what failed, and end itself where it could not keep a promise any more.
package main

import (
	"context"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
	"time"

	"quoin.dev/trial/internal/faults"
	"quoin.dev/trial/internal/process"
	"quoin.dev/trial/internal/tally"
)

func main() { os.Exit(run()) }

// Every fifth kill is followed by another one while the server is starting: recovery must survive that as well.
const earlyKillEvery = 5

func run() int {
	kills := flag.Int("kills", 20, "how often to kill the server under load")
	seed := flag.Uint64("seed", 1, "seed of the operations and of the moments to kill")
	clients := flag.Int("clients", 16, "concurrent clients, each with a connection of its own")
	timeout := flag.Duration("timeout", 30*time.Minute, "bound for the whole run")
	ready := flag.Duration("ready", 30*time.Second, "bound for one start of the server")
	dir := flag.String("dir", os.TempDir(), "where to make the directory for data and log")
	compacts := flag.Bool("compact", true, "compact all the time under the load")
	keep := flag.Bool("keep", false, "keep that directory when something failed")
	faultRounds := flag.Int("faults", 0, "instead of killing it, let calls of its disk fail in so many rounds; needs --shim")
	shim := flag.String("shim", "", "faults.so, as trial/faults/build has made it")
	only := flag.String("only", "", "with --faults, a regular expression: only the kinds that it matches")
	selfTest := flag.Bool("self-test", false, "one kill, then plant false expectations and demand that each is noticed")
	flag.Usage = func() {
		fmt.Fprintln(flag.CommandLine.Output(), "usage: killcheck [flags] -- COMMAND ARGS... with {data}, {client} and {peer} to be filled in")
		flag.PrintDefaults()
	}
	flag.Parse()

	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	ctx, cancel := context.WithTimeout(ctx, *timeout)
	defer cancel()

	counts := tally.New("killcheck", os.Stdout)
	home, err := os.MkdirTemp(*dir, "killcheck-")
	if err != nil {
		counts.Check("make a directory", err)
		return counts.Close()
	}
	command := flag.Args()
	if *faultRounds > 0 && len(command) > 0 {
		command = faults.Command(*shim, filepath.Join(home, pageName), command)
	}
	server, err := process.New(command, home)
	kinds, onlyErr := faultsOf(*only)
	if err != nil || onlyErr != nil || *faultRounds > 0 && *shim == "" {
		flag.Usage()
		os.RemoveAll(home)
		return 2
	}
	t := &trial{ctx: ctx, server: server, seed: *seed, clients: *clients, compacts: *compacts, ready: *ready,
		random: rand.New(rand.NewPCG(*seed, 0)), counts: counts}
	switch {
	case *selfTest:
		t.selfTest()
	case *faultRounds > 0:
		t.allFaults(home, command, kinds, *faultRounds)
	default:
		t.all(*kills)
	}
	server.Kill()
	code := counts.Close()
	if code != 0 && *keep {
		fmt.Fprintln(os.Stderr, "kept:", home)
	} else {
		os.RemoveAll(home)
	}
	return code
}

// trial is one run of the program.
type trial struct {
	ctx      context.Context
	server   *process.Server
	seed     uint64
	clients  int
	compacts bool
	ready    time.Duration
	random   *rand.Rand
	counts   *tally.Tally

	past    past          // what all rounds so far have left behind
	restart time.Duration // from the last kill to ready again
}

// all is the normal run. It ends at the first failure: after one, nothing that follows can be judged.
func (t *trial) all(kills int) {
	fmt.Printf("seed %d, %d clients, %d kills\n", t.seed, t.clients, kills)
	took, err := t.server.Start(t.ctx, t.ready)
	if !t.counts.Check(fmt.Sprintf("first start %.2fs", took.Seconds()), err) {
		return
	}
	for n := 1; n <= kills; n++ {
		if !t.kill(n) {
			return
		}
		if n%earlyKillEvery == 0 && !t.killWhileStarting(n) {
			return
		}
	}
	what, err := t.past.recheck(t.ctx, t.server.Address(), t.random)
	t.counts.Check("at the end: "+what, err)
}

// kill is one round: load, kill, restart, verify.
func (t *trial) kill(n int) bool {
	round, took, err := t.round(n)
	acked, unknown := round.size()
	verdict := "ok"
	if err != nil {
		verdict = "FAILED: " + err.Error()
	}
	fmt.Printf("kill %d: acked %d, unknown %d, restart %.2fs %s\n", n, acked, unknown, took.Seconds(), verdict)
	t.counts.Count(err == nil)
	return err == nil
}

// round does the work of kill. The round it returns holds what is known even when it failed.
func (t *trial) round(n int) (*round, time.Duration, error) {
	before, err := fetch(t.ctx, t.server.Address(), under("none"))
	if err != nil {
		return &round{}, 0, fmt.Errorf("before the load: %w", err)
	}
	load := startLoad(t.ctx, t.server.Address(), n, t.seed, t.clients, t.past.counters, t.compacts)
	wait := 20*time.Millisecond + upTo(t.random, 1480*time.Millisecond)
	select {
	case <-time.After(wait):
	case <-load.failed:
	case <-t.ctx.Done():
	}
	died := t.server.Exited()
	killed := time.Now()
	round, err := load.stop(before.revision, t.server.Kill)
	switch {
	case t.ctx.Err() != nil:
		return round, 0, fmt.Errorf("out of time: %w", t.ctx.Err())
	case died:
		return round, 0, fmt.Errorf("the server ended by itself; its log ends:\n%s", t.server.LogTail())
	case err != nil:
		return round, 0, fmt.Errorf("before the kill: %w; the server's log ends:\n%s", err, t.server.LogTail())
	}
	if _, err := t.server.Start(t.ctx, t.ready); err != nil {
		return round, time.Since(killed), err
	}
	took := time.Since(killed)
	t.restart = took
	return round, took, t.past.settle(t.ctx, t.server.Address(), round, t.random)
}

// killWhileStarting kills the server once more, and again somewhere on the way through its next start.
func (t *trial) killWhileStarting(n int) bool {
	wait := 5*time.Millisecond + upTo(t.random, t.restart)
	what := fmt.Sprintf("kill %d again, and %v into the start", n, wait.Round(time.Millisecond))
	err := t.server.Kill()
	if err == nil {
		err = t.server.Spawn()
	}
	if err == nil {
		time.Sleep(wait)
		err = t.server.Kill()
	}
	if err == nil {
		_, err = t.server.Start(t.ctx, t.ready)
	}
	if err == nil {
		err = t.past.unchanged(t.ctx, t.server.Address())
	}
	return t.counts.Check(what, err)
}

func upTo(random *rand.Rand, below time.Duration) time.Duration {
	return time.Duration(random.Int64N(int64(below)))
}
