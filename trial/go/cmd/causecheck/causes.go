package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	pb "go.etcd.io/etcd/api/v3/etcdserverpb"

	"quoin.dev/trial/internal/cluster"
	"quoin.dev/trial/internal/faults"
	"quoin.dev/trial/internal/proxy"
)

const (
	syncDelay  = 250 * time.Millisecond // of each sync; less than a quarter of an election timeout twice over
	wayDelay   = 120 * time.Millisecond // each way
	stopped    = 400 * time.Millisecond // less than half of an election timeout, and
	running    = 200 * time.Millisecond // time for heartbeats in between
	settling   = time.Second            // until what was slow has been told
	clients    = 6                      // that write, and as many that read
	pace       = 5 * time.Millisecond
	patience   = 20 * time.Second
	triesMax   = 3    // a cluster may elect somebody, on a machine that has other work
	leastLines = 5    // in the log
	leastShare = 0.75 // of what is slow: a machine may have hiccups of its own
)

// cause is a reason to be slow.
type cause struct {
	name       string
	atFollower bool // who is asked: a follower, or the leader
	phase      string
	begin      func(t *trial, asked *cluster.Member) (end func() error, err error)
}

var causes = []cause{
	{"the disk of the leader is slow", false, "sync", (*trial).slowDisk},
	{"the disk of a follower that is asked is slow", true, "sync", (*trial).slowDisk},
	{"the ways from the leader to both followers are slow", false, "peer", (*trial).slowWays},
	{"the ways from a follower that is asked are slow", true, "peer", (*trial).slowWays},
	{"the leader has a processor only now and then", false, "queue", (*trial).starve},
	{"a follower that is asked has a processor only now and then", true, "queue", (*trial).starve},
	{"the leader has a quota of a tenth of a processor", false, "queue", (*trial).throttle},
}

// sign is what a metric shows of a phase: the least of it in a time in which that is to blame, and the most in one in which it
// is not. Both as a share of the time, or, without share, as they are.
type sign struct {
	of       func(p page) float64
	isShare  bool
	least    float64
	mostElse float64
	what     string
}

var signs = map[string]sign{
	"sync": {page.slowSyncs, false, 3, 2, "syncs of the log above 128 ms"},
	// Each way is timed once in a cause or twice, and there are two. What a process lacks that is given a tenth of a processor may
	// show as one that took long: of the time in which it stands still it notices three quarters.
	"peer":  {page.slowWays, false, 2, 1, "round trips to members above 100 ms"},
	"queue": {page.paused, true, 0.3, 0.2, "of the time it stood still"},
}

func (t *trial) slowDisk(asked *cluster.Member) (func() error, error) {
	disk := t.disks[asked]
	return disk.Heal, disk.Set(faults.Plan{Kinds: faults.Sync, Path: ".wal", Delay: syncDelay})
}

func (t *trial) slowWays(asked *cluster.Member) (func() error, error) {
	var links []proxy.Link
	for _, m := range t.cluster.Members {
		if m != asked {
			links = append(links, proxy.Link{From: asked.Name, To: m.Name}, proxy.Link{From: m.Name, To: asked.Name})
		}
	}
	t.mesh.Delay(wayDelay, links...)
	return func() error { t.mesh.Heal(false); return nil }, nil
}

// starve suspends a process again and again, which is what a container's quota does to it.
func (t *trial) starve(asked *cluster.Member) (func() error, error) {
	ending, ended := make(chan struct{}), make(chan error, 1)
	go func() {
		for {
			if err := asked.Signal(syscall.SIGSTOP); err != nil {
				ended <- err
				return
			}
			time.Sleep(stopped)
			if err := asked.Signal(syscall.SIGCONT); err != nil {
				ended <- err
				return
			}
			select {
			case <-ending:
				ended <- nil
				return
			case <-time.After(running):
			}
		}
	}()
	return func() error { close(ending); return <-ended }, nil
}

var errElected = errors.New("another leader was elected meanwhile")

// judge has the cluster suffer from a cause, and returns what was seen. A cause that cannot be made here is passed over.
func (t *trial) judge(c cause) (string, error) {
	var seen observation
	var err error
	for range triesMax {
		if seen, err = t.observe(c); !errors.Is(err, errElected) {
			break
		}
	}
	if errors.Is(err, errNoGroups) {
		return fmt.Sprintf("%s: SKIPPED: %v", c.name, err), nil
	}
	if err != nil {
		return c.name, err
	}
	return fmt.Sprintf("%s: %s", c.name, seen.text()), seen.blames(c.phase)
}

// observation is what one member told while there was a cause.
type observation struct {
	took    time.Duration
	lines   map[string]int     // of the log, by the phase that each names
	counted map[string]float64 // slow requests, by phase, as the metrics have them
	signs   map[string]float64
}

func (t *trial) observe(c cause) (observation, error) {
	if err := t.cluster.AwaitReady(t.ctx, t.ready); err != nil {
		return observation{}, err
	}
	leader, term, err := t.cluster.Consensus(t.ctx)
	if err != nil {
		return observation{}, err
	}
	asked := leader
	for _, m := range t.cluster.Members {
		if c.atFollower && m != leader {
			asked = m
		}
	}
	began, logged := time.Now(), asked.LogSize()
	before, err := scrape(asked.Client)
	if err != nil {
		return observation{}, err
	}
	end, err := c.begin(t, asked)
	if err != nil {
		return observation{}, err
	}
	working := t.work(asked)
	sleep(t.ctx, t.length)
	if err := errors.Join(working(), end(), t.elected(leader, term)); err != nil {
		return observation{}, err
	}
	sleep(t.ctx, settling)
	took := time.Since(began)
	after, err := scrape(asked.Client)
	if err != nil {
		return observation{}, err
	}
	log, err := asked.LogFrom(logged)
	if err != nil {
		return observation{}, err
	}
	seen := observation{took: took, lines: guilty(log), counted: map[string]float64{}, signs: map[string]float64{}}
	for phase, number := range after.slowRequests() {
		if more := number - before.slowRequests()[phase]; more > 0 {
			seen.counted[phase] = more
		}
	}
	for phase, sign := range signs {
		seen.signs[phase] = sign.of(after) - sign.of(before)
		if sign.isShare {
			seen.signs[phase] /= took.Seconds()
		}
	}
	return seen, nil
}

// elected says whether somebody else leads than before, or again.
func (t *trial) elected(leader *cluster.Member, term uint64) error {
	if err := t.cluster.AwaitReady(t.ctx, t.ready); err != nil {
		return err
	}
	now, termNow, err := t.cluster.Consensus(t.ctx)
	if err != nil || now != leader || termNow != term {
		return errors.Join(errElected, err)
	}
	return nil
}

// blames demands that all that was told names one phase.
func (o observation) blames(phase string) error {
	var errs []error
	total := 0
	for _, lines := range o.lines {
		total += lines
	}
	if right := o.lines[phase]; right < leastLines || float64(right) < leastShare*float64(total) {
		errs = append(errs, fmt.Errorf("of %d lines about slow requests, %d name %s", total, right, phase))
	}
	sum := 0.0
	for _, number := range o.counted {
		sum += number
	}
	if right := o.counted[phase]; right < leastLines || right < leastShare*sum {
		errs = append(errs, fmt.Errorf("of %v slow requests, the metrics count %v as %s", sum, right, phase))
	}
	for of, sign := range signs {
		value := o.signs[of]
		if of == phase && value < sign.least {
			errs = append(errs, fmt.Errorf("%.2f %s: too few", value, sign.what))
		}
		if of != phase && value > sign.mostElse {
			errs = append(errs, fmt.Errorf("%.2f %s: too many", value, sign.what))
		}
	}
	return errors.Join(errs...)
}

func (o observation) text() string {
	var words []string
	for _, phase := range slices.Sorted(maps.Keys(o.lines)) {
		words = append(words, fmt.Sprintf("%d lines name %s", o.lines[phase], phase))
	}
	for _, phase := range slices.Sorted(maps.Keys(o.counted)) {
		words = append(words, fmt.Sprintf("%.0f counted as %s", o.counted[phase], phase))
	}
	for _, phase := range slices.Sorted(maps.Keys(signs)) {
		words = append(words, fmt.Sprintf("%.2f %s", o.signs[phase], signs[phase].what))
	}
	return strings.Join(words, ", ")
}

// work has clients write and read through one member, one request after the other each, until it is called to an end.
func (t *trial) work(m *cluster.Member) (end func() error) {
	var done atomic.Bool
	var at sync.WaitGroup
	errs := make([]error, 2*clients)
	for i := range errs {
		at.Go(func() {
			key := fmt.Appendf(nil, "cause/%d", i/2)
			for !done.Load() && errs[i] == nil {
				ctx, cancel := context.WithTimeout(t.ctx, patience)
				if i%2 == 0 {
					_, errs[i] = m.KV.Put(ctx, &pb.PutRequest{Key: key, Value: []byte("x")})
				} else {
					_, errs[i] = m.KV.Range(ctx, &pb.RangeRequest{Key: key})
				}
				cancel()
				time.Sleep(pace)
			}
		})
	}
	return func() error {
		done.Store(true)
		at.Wait()
		return errors.Join(errs...)
	}
}

func sleep(ctx context.Context, length time.Duration) {
	select {
	case <-ctx.Done():
	case <-time.After(length):
	}
}
