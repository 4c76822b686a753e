// Leasecheck lets many clients grant leases, put keys under them, renew them through every member, and let them expire,
// while leaders are killed, suspended, cut off and moved. A witness on each member tells when keys go. Everything is
// recorded, and it decides afterwards whether every lease lived as long as it had to and no longer (see package leases).
//
//	leasecheck --leases 50000 --changes 100 -- etcd --name {name} --data-dir {data} --listen-client-urls {client}
//	    --advertise-client-urls {client} --listen-peer-urls {listen} --initial-advertise-peer-urls {peer}
//	    --initial-cluster {cluster} --initial-cluster-state {state}
//
// With --million N it grants so many, and looks at what puts beside them have to wait.
package main

import (
	"cmp"
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
	"syscall"
	"time"

	pb "go.etcd.io/etcd/api/v3/etcdserverpb"

	"quoin.dev/trial/internal/cluster"
	"quoin.dev/trial/internal/leases"
	"quoin.dev/trial/internal/nemesis"
	"quoin.dev/trial/internal/proxy"
	"quoin.dev/trial/internal/recording"
	"quoin.dev/trial/internal/tally"
)

func main() { os.Exit(run()) }

// plan is what the command line asks for.
type plan struct {
	leases   int64
	changes  int64
	length   time.Duration
	seed     uint64
	members  int
	clients  int
	ttl      int64
	request  time.Duration
	ready    time.Duration
	patience time.Duration
	least    time.Duration
	most     time.Duration
	late     time.Duration
	harms    []string
	quiet    bool
}

func run() int {
	p := &plan{}
	flag.Int64Var(&p.leases, "leases", 1_000_000_000, "how many leases, and fail if there were fewer; by default as many as there is time for")
	flag.Int64Var(&p.changes, "changes", 0, "go on until the leader has changed so often, and fail if it has not")
	flag.DurationVar(&p.length, "length", 30*time.Second, "how long to grant leases, at most")
	flag.Uint64Var(&p.seed, "seed", 1, "seed of requests and harm")
	flag.IntVar(&p.members, "members", 3, "members of the cluster")
	flag.IntVar(&p.clients, "clients", 300, "concurrent clients, each with one lease at a time")
	flag.Int64Var(&p.ttl, "ttl", 4, "leases are granted for 2 s and up to so many more, less one")
	flag.DurationVar(&p.request, "request", 3*time.Second, "deadline of a request")
	flag.DurationVar(&p.ready, "ready", time.Minute, "bound for the cluster to be whole again")
	flag.DurationVar(&p.least, "least", time.Second, "shortest pause between two harms")
	flag.DurationVar(&p.most, "most", 12*time.Second, "longest pause between two harms: only where it is longer than a lease's life does one expire")
	flag.DurationVar(&p.late, "late", 2*time.Second, "how late a lease may end")
	kinds := flag.String("harm", "cut,fell,freeze,leader,leader,stop", "what is done to the cluster; empty for nothing")
	flag.BoolVar(&p.quiet, "quiet", false, "do not tell each harm")
	timeout := flag.Duration("timeout", 3*time.Hour, "bound for the whole run")
	dir := flag.String("dir", os.TempDir(), "where to make the directory for data and logs")
	record := flag.String("record", "", "write the history to this file when something failed")
	recheck := flag.String("recheck", "", "judge the history in this file, and do nothing else")
	asEtcd := flag.Bool("as-etcd", false, "tolerate two faults of etcd 3.7.1: a lease renewed for a moment after its end, and ended by a leader that is none any more (package leases)")
	selfTest := flag.Bool("self-test", false, "judge the judge: with histories that are right, and with planted faults")
	crowded := &crowd{}
	flag.IntVar(&crowded.leases, "million", 0, "grant so many leases and look at the puts beside them, and do nothing else")
	flag.DurationVar(&crowded.p99, "p99", 0, "of --million: how long a put may take at the 99th percentile of each phase; 0: it is only told")
	flag.Usage = func() {
		fmt.Fprintln(flag.CommandLine.Output(), "usage: leasecheck [flags] -- COMMAND ARGS... with", cluster.Flags)
		flag.PrintDefaults()
	}
	flag.Parse()
	if *kinds != "" {
		p.harms = strings.Split(*kinds, ",")
	}
	if err := nemesis.Check(p.harms, p.members); err != nil {
		fmt.Fprintln(os.Stderr, "leasecheck:", err)
		return 2
	}
	p.patience = time.Duration(p.ttl+2)*time.Second + 3*p.most + p.ready

	counts := tally.New("leasecheck", os.Stdout)
	switch {
	case *selfTest:
		leases.SelfTest(p.seed, 300, 20, func(what string, err error) { counts.Check(what, err) })
		return counts.Close()
	case *recheck != "":
		read, err := recording.Load[leases.History](*recheck)
		if counts.Check("read "+*recheck, err) {
			read.AsEtcd = *asEtcd
			judge(&read, counts)
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
	home, err := os.MkdirTemp(*dir, "leasecheck-")
	if err != nil {
		counts.Check("make a directory", err)
		return counts.Close()
	}
	defer os.RemoveAll(home)
	h := p.perform(ctx, flag.Args(), home, crowded, counts)
	if h != nil {
		h.AsEtcd = *asEtcd
	}
	if h != nil && !judge(h, counts) && *record != "" {
		counts.Check("write "+*record, recording.Save(*record, h))
	}
	return counts.Close()
}

// perform starts the cluster and what is asked for. It returns what was seen: nil if there is nothing to judge.
func (p *plan) perform(ctx context.Context, command []string, home string, crowded *crowd, counts *tally.Tally) *leases.History {
	fmt.Printf("seed %d, %d members, %d clients, harm: %s\n", p.seed, p.members, p.clients, strings.Join(p.harms, ","))
	mesh := proxy.New()
	defer mesh.Close()
	members, err := cluster.New(command, home, p.members, mesh.Listen)
	if !counts.Check("prepare", err) {
		return nil
	}
	defer members.Kill()
	w := &world{plan: p, began: time.Now(), ending: make(chan struct{}), changes: map[int64]*leases.Change{},
		gone: map[string]bool{}, errors: map[string]int{}, watched: map[string]int64{}}
	leader := ""
	n := &nemesis.Nemesis{Cluster: members, Mesh: mesh, Random: rand.New(rand.NewPCG(p.seed, 0)), Ready: p.ready,
		Least: p.least, Most: p.most, Did: map[string]int{},
		Say: func(format string, args ...any) {
			if !p.quiet {
				fmt.Printf("%8.2fs %s\n", time.Since(w.began).Seconds(), fmt.Sprintf(format, args...))
			}
		},
		Hooks: nemesis.Hooks{Admit: w.add, Begins: func() { w.harmed(true) }, Healed: func() {
			w.harmed(false)
			// Of a leader that leaves and returns, and of several changes in one harm, one is counted.
			if now, term, err := members.Consensus(ctx); err == nil {
				if one := fmt.Sprintf("%s in term %d", now.Name, term); one != leader {
					leader = one
					w.changed.Add(1)
				}
			}
		}}}
	for _, m := range members.Members {
		if !counts.Check("spawn "+m.Name, n.Spawn(m)) {
			return nil
		}
		n.Admit(m)
	}
	if !counts.Check("start", members.AwaitReady(ctx, p.ready)) {
		return nil
	}
	if first, term, err := members.Consensus(ctx); counts.Check("a leader", err) {
		leader = fmt.Sprintf("%s in term %d", first.Name, term)
	}
	w.began = time.Now()
	if crowded.leases > 0 {
		crowded.run(ctx, w, members, counts)
		return nil
	}
	return p.load(ctx, w, n, counts)
}

// load runs everything to its end.
func (p *plan) load(ctx context.Context, w *world, n *nemesis.Nemesis, counts *tally.Tally) *leases.History {
	watching, unwatch := context.WithCancel(ctx)
	defer unwatch()
	var witnesses, working, harming sync.WaitGroup
	for _, t := range w.targets {
		witnesses.Go(func() { w.witness(watching, t) })
	}
	for i := range p.clients {
		one := &worker{world: w, Rand: rand.New(rand.NewPCG(p.seed, uint64(i)+1)), number: i}
		working.Go(func() {
			time.Sleep(time.Duration(one.IntN(4000)) * time.Millisecond)
			one.run(ctx)
		})
	}
	var harm error
	harming.Go(func() { harm = n.Run(ctx, w.ending, p.harms) })
	for end := time.Now().Add(p.length); ctx.Err() == nil && time.Now().Before(end); {
		time.Sleep(50 * time.Millisecond)
		if w.granted.Load() >= p.leases && w.changed.Load() >= p.changes {
			break
		}
	}
	close(w.ending)
	harming.Wait()
	if !counts.Check(fmt.Sprintf("harm: %s; the leader changed %d times", recording.Counts(n.Did), w.changed.Load()), errors.Join(harm, ctx.Err())) {
		return nil
	}
	n.Mesh.Heal(true)
	working.Wait()
	h, err := p.collect(ctx, w, n.Cluster)
	unwatch()
	witnesses.Wait()
	if !counts.Check("every member lists its leases, and every witness has seen all", err) {
		return nil
	}
	fmt.Println("errors:", recording.Counts(w.errors))
	fmt.Println("seen:", recording.Counts(leases.Counts(h)))
	wanted := p.leases
	if wanted == 1_000_000_000 {
		wanted = 1
	}
	err = nil
	if w.granted.Load() < wanted || w.changed.Load() < p.changes {
		err = fmt.Errorf("%d and %d were asked for", wanted, p.changes)
	}
	counts.Check(fmt.Sprintf("%d leases, %d changes of the leader in %.0f s", w.granted.Load(), w.changed.Load(), w.now().Seconds()), err)
	return h
}

// collect grants a few leases that live, and lets every member say which there are.
func (p *plan) collect(ctx context.Context, w *world, members *cluster.Cluster) (*leases.History, error) {
	if err := members.AwaitReady(ctx, p.ready); err != nil {
		return nil, err
	}
	one := &worker{world: w, Rand: rand.New(rand.NewPCG(p.seed, 99))}
	for range 10 {
		l := &leases.Lease{}
		var err error
		l.Grant, err = one.call(ctx, w.targets[0], func(ctx context.Context, c *leases.Call) error {
			answer, err := w.targets[0].lease.LeaseGrant(ctx, &pb.LeaseGrantRequest{TTL: 3600})
			l.ID, l.TTL = answer.GetID(), answer.GetTTL()
			return err
		})
		if err != nil {
			return nil, err
		}
		w.leases = append(w.leases, l)
	}
	h := &leases.History{Harms: w.harms, Election: time.Second, Late: p.late}
	for _, t := range w.targets {
		list := leases.List{IDs: map[int64]bool{}}
		var err error
		list.Call, err = one.call(ctx, t, func(ctx context.Context, c *leases.Call) error {
			if _, err := t.kv.Range(ctx, &pb.RangeRequest{Key: []byte("ready")}); err != nil { // it is as far as the others now
				return err
			}
			c.Sent = w.now()
			answer, err := t.lease.LeaseLeases(ctx, &pb.LeaseLeasesRequest{})
			for _, l := range answer.GetLeases() {
				list.IDs[l.ID] = true
			}
			return err
		})
		if err != nil {
			return nil, fmt.Errorf("%s: list: %w", t.name, err)
		}
		h.Lists = append(h.Lists, list)
	}
	last, err := w.targets[0].kv.Put(ctx, &pb.PutRequest{Key: []byte(prefix + "last")})
	if err != nil {
		return nil, err
	}
	for begin := time.Now(); ; time.Sleep(20 * time.Millisecond) {
		w.mutex.Lock()
		late := slices.ContainsFunc(w.targets, func(t *target) bool { return w.watched[t.name] < last.Header.Revision })
		w.mutex.Unlock()
		if !late {
			break
		}
		if time.Since(begin) > p.ready {
			return nil, fmt.Errorf("the witnesses have come to %v, and the last revision is %d", w.watched, last.Header.Revision)
		}
	}
	w.mutex.Lock()
	defer w.mutex.Unlock()
	h.Leases, h.End = w.leases, w.now()
	for _, change := range w.changes {
		h.Changes = append(h.Changes, *change)
	}
	slices.SortFunc(h.Changes, func(a, b leases.Change) int { return cmp.Compare(a.Revision, b.Revision) })
	return h, nil
}

// judge tells the verdict.
func judge(h *leases.History, counts *tally.Tally) bool {
	found := leases.Check(h)
	var err error
	if len(found) > 0 {
		for _, v := range found {
			fmt.Println("VIOLATION", v)
		}
		err = fmt.Errorf("%d violations told above, the first: %s", len(found), found[0].Anomaly)
	}
	return counts.Check(fmt.Sprintf("%d leases: none early, none forgotten, all keys of each in one revision, none renewed after its end", len(h.Leases)), err)
}
