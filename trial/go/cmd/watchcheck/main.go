// Watchcheck lets clients write to a cluster and others watch it, while its history is compacted every 200 ms, members are
// killed, suspended and cut off from each other, streams break, are closed and go on elsewhere, and some read slowly. It
// records every message to every watch, and decides afterwards whether all of them are right (see package watches).
//
//	watchcheck --events 2000000 --resumptions 500 -- etcd --name {name} --data-dir {data} --listen-client-urls {client}
//	    --advertise-client-urls {client} --listen-peer-urls {listen} --initial-advertise-peer-urls {peer}
//	    --initial-cluster {cluster} --initial-cluster-state {state} --watch-progress-notify-interval 300ms
//
// With --also, members are of several kinds. With --abuse it does to a single server what no good client does, and asks that it stays within its memory.
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
	"syscall"
	"time"

	pb "go.etcd.io/etcd/api/v3/etcdserverpb"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"quoin.dev/trial/internal/cluster"
	"quoin.dev/trial/internal/entries"
	"quoin.dev/trial/internal/nemesis"
	"quoin.dev/trial/internal/proxy"
	"quoin.dev/trial/internal/recording"
	"quoin.dev/trial/internal/tally"
	"quoin.dev/trial/internal/watches"
)

func main() { os.Exit(run()) }

// plan is what the command line asks for.
type plan struct {
	events       int64
	resumptions  int64
	length       time.Duration
	seed         uint64
	members      int
	writers      int
	streams      int
	watches      int // of each stream
	rate         int // writes a second
	pace         time.Duration
	lifetime     time.Duration
	compactEvery time.Duration
	request      time.Duration
	ready        time.Duration
	harms        []string
	leases       bool
	quiet        bool
	also         [][]string // commands of other kinds of members
}

func run() int {
	p := &plan{}
	flag.Int64Var(&p.events, "events", 0, "go on until so many were delivered, and fail if they were not; 0: for --length")
	flag.Int64Var(&p.resumptions, "resumptions", 0, "go on until so many watches have gone on where a stream before had ended, and fail if they have not")
	flag.DurationVar(&p.length, "length", 30*time.Second, "how long to write and watch, at most")
	flag.Uint64Var(&p.seed, "seed", 1, "seed of requests and harm")
	flag.IntVar(&p.members, "members", 3, "members of the cluster")
	flag.IntVar(&p.writers, "writers", 6, "concurrent writers")
	flag.IntVar(&p.streams, "streams", 16, "concurrent streams, a third of them read slowly")
	flag.IntVar(&p.watches, "watches", 8, "watches of each stream")
	flag.IntVar(&p.rate, "rate", 400, "writes per second, at most")
	flag.DurationVar(&p.lifetime, "lifetime", 4*time.Second, "how long most streams live, at most")
	flag.DurationVar(&p.compactEvery, "compact-every", 200*time.Millisecond, "how often to compact")
	flag.DurationVar(&p.request, "request", time.Second, "deadline of a request; its outcome is unknown then, and none is sent twice")
	flag.DurationVar(&p.ready, "ready", time.Minute, "bound for the cluster to be whole again, and for watchers to have everything")
	kinds := flag.String("harm", "cut,delay,fell,freeze,kill,leader,stop", "what is done to the cluster; of one member kill and stop only; empty for nothing")
	flag.BoolVar(&p.quiet, "quiet", false, "do not tell each harm")
	flag.Func("also", "COMMAND of another kind of member; may be repeated, and the members are of each kind in turns", func(command string) error {
		p.also = append(p.also, strings.Fields(command))
		return nil
	})
	timeout := flag.Duration("timeout", 3*time.Hour, "bound for the whole run")
	dir := flag.String("dir", os.TempDir(), "where to make the directory for data and logs")
	record := flag.String("record", "", "write the history to this file when something failed")
	recheck := flag.String("recheck", "", "judge the history in this file, and do nothing else")
	asEtcd := flag.Bool("as-etcd", false, "tolerate, and count, two races that etcd 3.7.1 loses: progress that is older than a watch, and first and last events without previous values")
	selfTest := flag.Bool("self-test", false, "judge the judge: with histories that are right, and with planted faults")
	mischief := flag.Bool("abuse", false, "do to one server what no good client does")
	limits := &abuse{}
	flag.IntVar(&limits.creates, "creates", 1_000_000, "of --abuse: how many watches are asked for on one stream")
	flag.Int64Var(&limits.memory, "memory", 0, "of --abuse: how many MiB the server may take at most; 0: it is only told")
	flag.Usage = func() {
		fmt.Fprintln(flag.CommandLine.Output(), "usage: watchcheck [flags] -- COMMAND ARGS... with", cluster.Flags)
		flag.PrintDefaults()
	}
	flag.Parse()
	if *kinds != "" {
		p.harms = strings.Split(*kinds, ",")
	}
	if p.members == 1 {
		p.harms = slices.DeleteFunc(p.harms, func(kind string) bool { return kind != "kill" && kind != "stop" })
	}
	if err := nemesis.Check(p.harms, p.members); err != nil {
		fmt.Fprintln(os.Stderr, "watchcheck:", err)
		return 2
	}
	p.pace = time.Duration(p.writers) * time.Second / time.Duration(p.rate)

	counts := tally.New("watchcheck", os.Stdout)
	switch {
	case *selfTest:
		watches.SelfTest(p.seed, 300, 20, func(what string, err error) { counts.Check(what, err) })
		return counts.Close()
	case *recheck != "":
		read, err := recording.Load[watches.History](*recheck)
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
	home, err := os.MkdirTemp(*dir, "watchcheck-")
	if err != nil {
		counts.Check("make a directory", err)
		return counts.Close()
	}
	defer os.RemoveAll(home)
	if *mischief {
		limits.run(ctx, flag.Args(), home, counts)
		return counts.Close()
	}
	h := p.perform(ctx, flag.Args(), home, counts)
	if h != nil {
		h.AsEtcd = *asEtcd
	}
	if h != nil && !judge(h, counts) && *record != "" {
		counts.Check("write "+*record, recording.Save(*record, h))
	}
	return counts.Close()
}

// perform lets writers, watchers and harm loose, and returns what was seen: nil if there is nothing to judge.
func (p *plan) perform(ctx context.Context, command []string, home string, counts *tally.Tally) *watches.History {
	fmt.Printf("seed %d, %d members, %d writers, %d streams of %d watches, harm: %s\n", p.seed, p.members, p.writers, p.streams, p.watches, strings.Join(p.harms, ","))
	mesh := proxy.New()
	defer mesh.Close()
	members, err := cluster.NewMixed(append([][]string{command}, p.also...), home, p.members, mesh.Listen, nil)
	if !counts.Check("prepare", err) {
		return nil
	}
	defer members.Kill()
	w := &world{plan: p, began: time.Now(), ending: make(chan struct{}), kvs: interner{all: map[watches.KV]*watches.KV{}},
		line: frontier{upTo: 1, ahead: map[int64]bool{}}, errors: map[string]int{}}
	n := &nemesis.Nemesis{Cluster: members, Mesh: mesh, Random: rand.New(rand.NewPCG(p.seed, 0)), Ready: p.ready,
		Least: 500 * time.Millisecond, Most: 2500 * time.Millisecond, Did: map[string]int{},
		Say: func(format string, args ...any) {
			if !p.quiet {
				fmt.Printf("%8.2fs %s\n", time.Since(w.began).Seconds(), fmt.Sprintf(format, args...))
			}
		},
		Hooks: nemesis.Hooks{Admit: w.add, Ending: w.nextSession, Ended: w.nextSession}}
	for _, m := range members.Members {
		if !counts.Check("spawn "+m.Name, n.Spawn(m)) {
			return nil
		}
		n.Admit(m)
	}
	if !counts.Check("start", members.AwaitReady(ctx, p.ready)) {
		return nil
	}
	p.leases, err = served(ctx, w.targets[0])
	if !counts.Check("leases", err) {
		return nil
	}
	if !p.leases {
		fmt.Println("OFF: leases: the server does not serve them")
	}
	w.began = time.Now()
	h := p.load(ctx, w, n, counts)
	if h != nil && len(p.also) > 0 {
		scan(members, counts)
	}
	return h
}

func served(ctx context.Context, t *target) (bool, error) {
	_, err := t.lease.LeaseRevoke(ctx, &pb.LeaseRevokeRequest{ID: 99})
	switch status.Code(err) {
	case codes.Unimplemented:
		return false, nil
	case codes.NotFound:
		return true, nil
	}
	return false, fmt.Errorf("a lease that there is not is revoked: %w", err)
}

// scan ends the members, and says whether their logs have nothing that etcd does not know.
func scan(members *cluster.Cluster, counts *tally.Tally) {
	err := members.Kill()
	n, wrong := entries.ScanAll(members.Directories())
	counts.Check(fmt.Sprintf("%d entries in all logs, each as etcd knows it", n), errors.Join(err, wrong))
}

// load runs everything to its end.
func (p *plan) load(ctx context.Context, w *world, n *nemesis.Nemesis, counts *tally.Tally) *watches.History {
	seed := func(kind uint64, number int) *rand.Rand {
		return rand.New(rand.NewPCG(p.seed, kind<<32+uint64(number)))
	}
	var writing, watching sync.WaitGroup
	for i, t := range w.targets {
		one := &watcher{world: w, Rand: seed(1, i), home: t}
		one.wishes = []*wish{{Watch: watches.Watch{Witness: true, Key: "\x00", End: "\x00", PrevKV: true, Start: 2}}}
		watching.Go(func() { one.run(ctx) })
	}
	for i := range p.streams {
		one := &watcher{world: w, Rand: seed(2, i), slow: i%3 == 0}
		for range p.watches {
			wanted := &wish{}
			one.choose(wanted)
			one.wishes = append(one.wishes, wanted)
		}
		watching.Go(func() { one.run(ctx) })
	}
	var writers []*writer
	for i := range p.writers {
		one := &writer{world: w, Rand: seed(3, i), number: i}
		writers = append(writers, one)
		writing.Go(func() { one.run(ctx) })
	}
	writing.Go(func() { w.compact(ctx, seed(4, 0)) })
	var harm error
	writing.Go(func() { harm = n.Run(ctx, w.ending, p.harms) })
	for end := time.Now().Add(p.length); ctx.Err() == nil && time.Now().Before(end); {
		time.Sleep(50 * time.Millisecond)
		if p.events > 0 && w.events.Load() >= p.events && w.resumed.Load() >= p.resumptions {
			break
		}
	}
	took := time.Since(w.began)
	close(w.ending)
	writing.Wait()
	if !counts.Check(fmt.Sprintf("harm: %s", recording.Counts(n.Did)), errors.Join(harm, ctx.Err())) {
		return nil
	}
	n.Mesh.Heal(true)
	last, err := p.settle(ctx, w, n.Cluster, writers)
	if !counts.Check("the cluster is whole again, and takes the last write", err) {
		return nil
	}
	w.last.Store(last)
	watching.Wait()
	fmt.Println("errors:", recording.Counts(w.errors))
	counts.Check(fmt.Sprintf("every stream came to revision %d", last), unended(w.unended))
	h := &watches.History{Watches: w.watches, Writes: w.writes, Last: last}
	fmt.Println("seen:", recording.Counts(watches.Counts(h)))
	err = nil
	if events, resumed := w.events.Load(), w.resumed.Load(); events < p.events || resumed < p.resumptions || events == 0 {
		err = fmt.Errorf("%d and %d were asked for", p.events, p.resumptions)
	}
	counts.Check(fmt.Sprintf("%d events delivered in %.0f s, %d watches resumed", w.events.Load(), took.Seconds(), w.resumed.Load()), err)
	return h
}

func unended(streams []string) error {
	if len(streams) == 0 {
		return nil
	}
	return errors.New(strings.Join(streams[:min(len(streams), 5)], "; "))
}

// settle ends all leases, so that nothing happens by itself any more, and does the last write.
func (p *plan) settle(ctx context.Context, w *world, members *cluster.Cluster, writers []*writer) (int64, error) {
	if err := members.AwaitReady(ctx, p.ready); err != nil {
		return 0, err
	}
	time.Sleep(time.Second) // what is still under way with an unknown outcome may happen, or not
	for _, one := range writers {
		one.target = w.targets[0]
		for _, lease := range one.leases {
			if err := one.revoke(ctx, lease); err != nil {
				return 0, fmt.Errorf("revoke: %w", err)
			}
		}
	}
	last := int64(0)
	for n := range directories * keysOfEach { // an event for each watch, whatever it filters: a put, and then a deletion
		a := writers[0].put(keyAt(n))
		a.Lease = 0
		if err := writers[0].do(ctx, nil, a); err != nil {
			return 0, err
		}
		if err := writers[0].do(ctx, nil, watches.Action{Verb: watches.Delete, Key: keyAt(n)}); err != nil {
			return 0, err
		}
		last = w.writes[len(w.writes)-1].Revision
	}
	return last, nil
}

// judge tells the verdict.
func judge(h *watches.History, counts *tally.Tally) bool {
	began := time.Now()
	found, tolerated := watches.Judge(h)
	var err error
	if len(found) > 0 {
		for _, v := range found {
			fmt.Println("VIOLATION", v)
		}
		err = fmt.Errorf("%d violations told above, the first: %s", len(found), found[0].Anomaly)
	}
	if h.AsEtcd {
		fmt.Println("tolerated, as etcd does it:", recording.Counts(tolerated))
	}
	seen := watches.Counts(h)
	return counts.Check(fmt.Sprintf("%d events to %d watches of %d revisions by %d witnesses' word: all as promised (judged in %.1fs)",
		seen["events"], seen["watches"], h.Last, seen["witnesses"], time.Since(began).Seconds()), err)
}
