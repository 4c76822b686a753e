// Failover kills the leader of a cluster again and again, under load on every member, and measures how long nobody can
// write, how long a read of what a member has takes meanwhile, and what becomes of the writes that were under way through
// the others. Two systems are measured in turns, kill by kill, and set side by side.
//
//	failover --kills 100 --assert --a quoin 'COMMAND' --b etcd 'COMMAND'
//
// A COMMAND starts one member: {data}, {client}, {peer}, {name} and {cluster} in it are filled in. At the end everything
// is read back: a put that was acknowledged must be there, and no put may have happened twice.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
	"time"

	"quoin.dev/trial/internal/cluster"
	"quoin.dev/trial/internal/process"
	"quoin.dev/trial/internal/tally"
)

func main() { os.Exit(run()) }

// plan is what the command line asks for.
type plan struct {
	systems  []*system
	kills    int
	seed     uint64
	members  int
	every    time.Duration // between two requests of a kind on one member
	deadline time.Duration // of one request
	ready    time.Duration
	asserted *limits // nil: nothing is asserted of the figures
}

// system is one of those that are measured, and all that was measured of it.
type system struct {
	name    string
	cluster *cluster.Cluster
	random  *rand.Rand
	killed  []outcome
	puts    []put // of all kills
}

func run() int {
	systems, rest, err := process.TakeSystems(os.Args[1:])
	if err != nil {
		fmt.Fprintln(os.Stderr, "failover:", err)
		return 2
	}
	p := &plan{}
	flags := flag.NewFlagSet("failover", flag.ContinueOnError)
	flags.IntVar(&p.kills, "kills", 100, "how often to kill the leader of each system")
	flags.Uint64Var(&p.seed, "seed", 1, "seed of the moments to kill")
	flags.IntVar(&p.members, "members", 3, "members of each cluster")
	flags.DurationVar(&p.every, "every", 10*time.Millisecond, "time between two puts, and between two reads, on each member")
	flags.DurationVar(&p.deadline, "deadline", 8*time.Second, "deadline of each request; none is sent twice")
	flags.DurationVar(&p.ready, "ready", time.Minute, "bound for a cluster to be whole again")
	timeout := flags.Duration("timeout", 2*time.Hour, "bound for the whole run")
	dir := flags.String("dir", os.TempDir(), "where to make the directory for data and logs")
	asserts := flags.Bool("assert", false, "fail when the figures of the first system are above these limits:")
	bounds := defaultLimits
	flags.DurationVar(&bounds.median, "median", bounds.median, "with --assert: the median time to the next write")
	flags.IntVar(&bounds.slow, "slow", bounds.slow, "with --assert: how many may take more than 2.5 s; none more than 5 s")
	flags.IntVar(&bounds.gaps, "gaps", bounds.gaps, "with --assert: after how many kills serializable reads may stall for more than 100 ms")
	flags.DurationVar(&bounds.inFlight, "in-flight", bounds.inFlight, "with --assert: the time from the kill until every write that was under way is answered")
	flags.Usage = func() {
		fmt.Fprint(flags.Output(), "usage: failover [flags] --a NAME 'COMMAND' [--b NAME 'COMMAND']\n"+
			"A COMMAND starts one member, with "+cluster.Flags+"\n")
		flags.PrintDefaults()
	}
	if err := flags.Parse(rest); err != nil {
		return 2
	}
	if len(systems) == 0 || flags.NArg() > 0 || p.kills < 1 || p.members < 3 {
		flags.Usage()
		return 2
	}
	if *asserts {
		p.asserted = &bounds
	}

	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	ctx, cancel := context.WithTimeout(ctx, *timeout)
	defer cancel()
	counts := tally.New("failover", os.Stdout)
	home, err := os.MkdirTemp(*dir, "failover-")
	if err != nil {
		counts.Check("make a directory", err)
		return counts.Close()
	}
	defer os.RemoveAll(home)
	fmt.Printf("seed %d, %d kills, %d members; on each a put and a serializable read every %v\n", p.seed, p.kills, p.members, p.every)
	for i, s := range systems {
		clusterOf, err := cluster.New(s.Command, filepath.Join(home, s.Name), p.members, cluster.Straight)
		if err != nil {
			fmt.Fprintln(os.Stderr, "failover:", err)
			return 2
		}
		defer clusterOf.Kill()
		p.systems = append(p.systems, &system{name: s.Name, cluster: clusterOf, random: rand.New(rand.NewPCG(p.seed, uint64(i)))})
	}
	p.perform(ctx, counts)
	return counts.Close()
}

// perform is the run. It ends at the first failure to measure: nothing that follows could be compared.
func (p *plan) perform(ctx context.Context, counts *tally.Tally) {
	for _, s := range p.systems {
		if !counts.Check("start "+s.name, s.cluster.Start(ctx, p.ready)) {
			return
		}
	}
	for n := range p.kills {
		for turn := range p.systems {
			s := p.systems[(turn+n)%len(p.systems)] // who goes first changes with the round
			o, err := p.kill(ctx, s, n)
			if !counts.Check(fmt.Sprintf("kill %d, %s: %s", n+1, s.name, o), err) {
				return
			}
			s.killed = append(s.killed, o)
		}
	}
	for _, s := range p.systems {
		what, err := s.readBack(ctx)
		counts.Check(s.name+": "+what, err)
	}
	fmt.Print("\n" + p.table())
	if p.asserted == nil {
		return
	}
	for what, err := range p.asserted.judge(p.systems[0]) {
		counts.Check(p.systems[0].name+": "+what, err)
	}
}

// kill is one round: load, SIGKILL for the leader, load until somebody writes again, and the leader back.
func (p *plan) kill(ctx context.Context, s *system, number int) (outcome, error) {
	leader, _, err := s.cluster.Consensus(ctx)
	if err != nil {
		return outcome{}, err
	}
	l := startLoad(ctx, p, s, leader, number)
	l.sleep(500*time.Millisecond + time.Duration(s.random.Int64N(int64(time.Second)))) // any phase of the heartbeat
	l.killed.Store(l.now())
	err = leader.Kill()
	recovered := l.awaitWrite(p.ready)
	l.sleep(300 * time.Millisecond)
	l.stop()
	o := l.outcome(number, leader.Name)
	s.puts = append(s.puts, l.puts...)
	switch {
	case ctx.Err() != nil:
		return o, fmt.Errorf("out of time: %w", ctx.Err())
	case err != nil:
		return o, err
	case !recovered:
		return o, fmt.Errorf("nobody could write within %v", p.ready)
	}
	if err := leader.Spawn(); err != nil {
		return o, err
	}
	if err := s.cluster.AwaitReady(ctx, p.ready); err != nil {
		return o, errors.Join(errors.New("after the leader's return"), err)
	}
	return o, nil
}
