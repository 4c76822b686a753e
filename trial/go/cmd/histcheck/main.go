// Histcheck lets clients write and read a few keys of a cluster, all members of it and as fast as they can, while
// members are killed, suspended, cut off from each other, replaced, and the leader is moved. It records every request and
// answer, and decides afterwards whether all of them together are what one store would have said: strict serializability,
// and for serializable reads some state of the past that never goes back (see package history).
//
//	histcheck --ops 500000 --seed 1 -- etcd --name {name} --data-dir {data} --listen-client-urls {client}
//	    --advertise-client-urls {client} --listen-peer-urls {listen} --initial-advertise-peer-urls {peer}
//	    --initial-cluster {cluster} --initial-cluster-state {state}
//
// {listen} is where a member listens for the others, {peer} is the proxy in front of it, which they are told. With --also, members
// are of several kinds.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"os/signal"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"quoin.dev/trial/internal/cluster"
	"quoin.dev/trial/internal/entries"
	"quoin.dev/trial/internal/history"
	"quoin.dev/trial/internal/nemesis"
	"quoin.dev/trial/internal/proxy"
	"quoin.dev/trial/internal/recording"
	"quoin.dev/trial/internal/tally"
)

func main() { os.Exit(run()) }

// plan is what the command line asks for.
type plan struct {
	ops     int64
	length  time.Duration
	seed    uint64
	clients int
	keys    int
	members int
	timeout time.Duration // of one request
	ready   time.Duration
	harms   []string
	quiet   bool
	also    [][]string // commands of other kinds of members
}

func run() int {
	p := &plan{}
	flag.Int64Var(&p.ops, "ops", 100_000, "how many operations")
	flag.DurationVar(&p.length, "length", time.Hour, "end earlier than that, after so long")
	flag.Uint64Var(&p.seed, "seed", 1, "seed of requests and harm")
	flag.IntVar(&p.clients, "clients", 24, "concurrent clients")
	flag.IntVar(&p.keys, "keys", 12, "keys: few, so that clients meet")
	flag.IntVar(&p.members, "members", 3, "members of the cluster")
	flag.DurationVar(&p.timeout, "request", time.Second, "deadline of a request; its outcome is unknown then, and none is sent twice")
	flag.DurationVar(&p.ready, "ready", time.Minute, "bound for the cluster to be whole again")
	kinds := flag.String("harm", "cut,delay,kill,leader,members,stop", "what is done to the cluster; empty for nothing")
	flag.BoolVar(&p.quiet, "quiet", false, "do not tell each harm")
	flag.Func("also", "COMMAND of another kind of member; may be repeated, and the members are of each kind in turns", func(command string) error {
		p.also = append(p.also, strings.Fields(command))
		return nil
	})
	timeout := flag.Duration("timeout", 3*time.Hour, "bound for the whole run")
	dir := flag.String("dir", os.TempDir(), "where to make the directory for data and logs")
	keep := flag.Bool("keep", false, "keep that directory when something failed")
	record := flag.String("record", "", "write the history to this file when something failed")
	recheck := flag.String("recheck", "", "judge the history in this file, and do nothing else")
	selfTest := flag.Bool("self-test", false, "judge the judge: with histories that are right, and with planted faults")
	flag.Usage = func() {
		fmt.Fprintln(flag.CommandLine.Output(), "usage: histcheck [flags] -- COMMAND ARGS... with", cluster.Flags)
		flag.PrintDefaults()
	}
	flag.Parse()
	if *kinds != "" {
		p.harms = strings.Split(*kinds, ",")
	}
	if err := nemesis.Check(p.harms, p.members); err != nil {
		fmt.Fprintln(os.Stderr, "histcheck:", err)
		return 2
	}

	counts := tally.New("histcheck", os.Stdout)
	switch {
	case *selfTest:
		history.SelfTest(p.seed, 300, 20, func(what string, err error) { counts.Check(what, err) })
		return counts.Close()
	case *recheck != "":
		h, err := recording.Load[history.History](*recheck)
		if counts.Check("read "+*recheck, err) {
			p.judge(h, counts)
		}
		return counts.Close()
	case !slices.ContainsFunc(flag.Args(), func(word string) bool { return strings.Contains(word, "{listen}") }):
		flag.Usage()
		return 2
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	ctx, cancel := context.WithTimeout(ctx, *timeout)
	defer cancel()
	home, err := os.MkdirTemp(*dir, "histcheck-")
	if err != nil {
		counts.Check("make a directory", err)
		return counts.Close()
	}
	h := p.perform(ctx, flag.Args(), home, counts)
	if h != nil && !p.judge(*h, counts) && *record != "" {
		counts.Check("write "+*record, recording.Save(*record, h))
	}
	code := counts.Close()
	if code != 0 && *keep {
		fmt.Fprintln(os.Stderr, "kept:", home)
	} else {
		os.RemoveAll(home)
	}
	return code
}

// perform lets clients and harm loose, and returns what was seen: nil if there is nothing to judge.
func (p *plan) perform(ctx context.Context, command []string, home string, counts *tally.Tally) *history.History {
	fmt.Printf("seed %d, %d clients, %d keys, %d members, harm: %s\n", p.seed, p.clients, p.keys, p.members, strings.Join(p.harms, ","))
	mesh := proxy.New()
	defer mesh.Close()
	members, err := cluster.NewMixed(append([][]string{command}, p.also...), home, p.members, mesh.Listen, nil)
	if !counts.Check("prepare", err) {
		return nil
	}
	defer members.Kill()
	began := time.Now()
	clients := &directory{}
	n := &nemesis.Nemesis{Cluster: members, Mesh: mesh, Random: rand.New(rand.NewPCG(p.seed, 0)), Ready: p.ready,
		Least: 200 * time.Millisecond, Most: time.Second, Did: map[string]int{},
		Say: func(format string, args ...any) {
			if !p.quiet {
				fmt.Printf("%8.2fs %s\n", time.Since(began).Seconds(), fmt.Sprintf(format, args...))
			}
		},
		// What a member answers once it is killed, and what its next process does, counts as another session.
		Hooks: nemesis.Hooks{Admit: clients.admit, Ending: clients.nextSession, Ended: clients.nextSession, Leave: clients.remove}}
	for _, m := range members.Members {
		if !counts.Check("spawn "+m.Name, n.Spawn(m)) {
			return nil
		}
		n.Admit(m)
	}
	if !counts.Check("start", members.AwaitReady(ctx, p.ready)) {
		return nil
	}
	working, err := p.load(ctx, n, clients)
	if !counts.Check(fmt.Sprintf("harm: %s", recording.Counts(n.Did)), err) {
		return nil
	}
	if _, term, err := members.Consensus(ctx); err == nil {
		fmt.Printf("the term is %d now\n", term)
	}
	fmt.Printf("%.0f operations per second\n", float64(total(working))/time.Since(began).Seconds())
	h, err := p.collect(ctx, n, working)
	if !counts.Check("the cluster is whole again, and every member tells its history", err) {
		return nil
	}
	if len(p.also) > 0 {
		scan(members, counts)
	}
	return h
}

// scan ends the members, and says whether their logs have nothing that etcd does not know.
func scan(members *cluster.Cluster, counts *tally.Tally) {
	err := members.Kill()
	n, wrong := entries.ScanAll(members.Directories())
	counts.Check(fmt.Sprintf("%d entries in all logs, each as etcd knows it", n), errors.Join(err, wrong))
}

// load runs the clients and the nemesis, until one of them has had enough.
func (p *plan) load(ctx context.Context, n *nemesis.Nemesis, members *directory) ([]*client, error) {
	began := time.Now()
	var left atomic.Int64
	left.Store(p.ops)
	ending := make(chan struct{})
	end := sync.OnceFunc(func() { close(ending) })
	defer time.AfterFunc(p.length, end).Stop()
	var clients []*client
	var working, harming sync.WaitGroup
	for i := range p.clients {
		random := rand.New(rand.NewPCG(p.seed, uint64(i)+1))
		c := &client{number: i, began: began, timeout: p.timeout, random: random, members: members,
			workload: history.NewWorkload(i, random, history.Keys(p.keys)), errors: map[string]int{}}
		clients = append(clients, c)
		working.Go(func() { c.run(ctx, ending, &left) })
	}
	var harm error
	harming.Go(func() {
		harm = n.Run(ctx, ending, p.harms)
		end()
	})
	working.Wait()
	end()
	harming.Wait()
	return clients, errors.Join(harm, ctx.Err())
}

// collect asks every member, once the cluster is whole again, for its history up to now.
func (p *plan) collect(ctx context.Context, n *nemesis.Nemesis, clients []*client) (*history.History, error) {
	n.Mesh.Heal(true)
	if err := n.Cluster.AwaitReady(ctx, p.ready); err != nil {
		return nil, err
	}
	time.Sleep(time.Second) // what is still under way with an unknown outcome may happen, or not
	h := &history.History{}
	refusals := map[string]int{}
	for _, c := range clients {
		h.Ops = append(h.Ops, c.ops...)
		for text, n := range c.errors {
			refusals[text] += n
		}
	}
	fmt.Println("errors:", recording.Counts(refusals))
	last := int64(0)
	for i, m := range n.Cluster.Members { // one last read on each, a part of the history like the others
		op := history.Op{Client: p.clients + i, Member: m.Name, Invoke: time.Since(clients[0].began), Request: history.Request{
			Then: []history.Action{{Verb: history.Read, Key: firstKey, End: history.KeysEnd}}}}
		answer, err := ask(ctx, m.KV, op.Request)
		if err != nil {
			return nil, err
		}
		op.Answer, op.Return = answer, time.Since(clients[0].began)
		last = max(last, answer.Revision)
		h.Ops = append(h.Ops, op)
	}
	h.Logs = make([]history.Log, len(n.Cluster.Members))
	errs := make([]error, len(n.Cluster.Members))
	var telling sync.WaitGroup
	for i, m := range n.Cluster.Members {
		telling.Go(func() {
			if h.Logs[i], errs[i] = logOf(ctx, m, last); errs[i] != nil {
				errs[i] = fmt.Errorf("the history of %s: %w", m.Name, errs[i])
			}
		})
	}
	telling.Wait()
	return h, errors.Join(errs...)
}

// judge tells the verdict.
func (p *plan) judge(h history.History, counts *tally.Tally) bool {
	outcomes, kinds := map[history.Outcome]int{}, map[string]int{}
	for _, op := range h.Ops {
		outcomes[op.Outcome]++
		if op.Outcome == history.Answered {
			kinds[kindOf(op)]++
		}
	}
	fmt.Println("answered:", recording.Counts(kinds))
	began := time.Now()
	found := history.Check(h)
	var err error
	if len(found) > 0 {
		for _, v := range found {
			fmt.Println("VIOLATION", v)
		}
		err = fmt.Errorf("%d violations told above, the first: %s", len(found), found[0].Anomaly)
	}
	return counts.Check(fmt.Sprintf("%d operations (%d answered, %d with unknown outcome, %d refused), %d revisions on %d members: strictly serializable (judged in %.1fs)",
		len(h.Ops), outcomes[history.Answered], outcomes[history.Unknown], outcomes[history.Refused], len(h.Logs[0].Changes), len(h.Logs), time.Since(began).Seconds()), err)
}

// kindOf names what an answered operation was: what is not among these, the run says nothing about.
func kindOf(op history.Op) string {
	r := op.Request
	first := r.Then[0]
	switch {
	case len(r.Guards) > 0 && op.Answer.Succeeded:
		return "transaction, guards held"
	case len(r.Guards) > 0:
		return "transaction, guards did not hold"
	case first.Verb == history.Put:
		return "put"
	case first.Verb == history.Delete && op.Answer.Results[0].Count == 0:
		return "delete of nothing"
	case first.Verb == history.Delete:
		return "delete"
	case r.At != 0:
		return "read of the past"
	case r.Serializable:
		return "serializable read"
	default:
		return "read"
	}
}

func total(clients []*client) int {
	sum := 0
	for _, c := range clients {
		sum += len(c.ops)
	}
	return sum
}
