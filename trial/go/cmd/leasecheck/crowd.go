package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	pb "go.etcd.io/etcd/api/v3/etcdserverpb"

	"quoin.dev/trial/internal/cluster"
	"quoin.dev/trial/internal/tally"
)

// crowd is very many leases, and puts beside them.
type crowd struct {
	leases int
	p99    time.Duration

	mutex sync.Mutex
	took  []time.Duration // of the puts of this phase
	errs  []error
}

const (
	granters   = 64
	putPause   = 10 * time.Millisecond
	phaseLeast = 5 * time.Second
)

// run tells of each phase what puts had to wait: idle, granting, with all of them there, renewing, a new leader, and
// expiry of one in twenty.
func (c *crowd) run(ctx context.Context, w *world, members *cluster.Cluster, counts *tally.Tally) {
	var putting sync.WaitGroup
	done := make(chan struct{})
	putting.Go(func() { c.put(ctx, w.targets[0], done) })
	var ids []int64
	var short []int64
	for _, phase := range []struct {
		name   string
		calm   bool // without a change of the leader
		action func(ctx context.Context) (int, error)
	}{
		{"idle", true, func(ctx context.Context) (int, error) { return 0, nil }},
		{"granting", true, func(ctx context.Context) (n int, err error) {
			ids, err = grant(ctx, w.targets, c.leases, 36_000)
			return len(ids), err
		}},
		{"all there", true, func(ctx context.Context) (int, error) { return len(ids), listed(ctx, w.targets, len(ids)) }},
		{"renewing", true, func(ctx context.Context) (int, error) { return renew(ctx, w.targets, ids[:min(len(ids), 200_000)]) }},
		{"granting what expires", true, func(ctx context.Context) (n int, err error) {
			short, err = grant(ctx, w.targets, c.leases/20, 60)
			return len(short), err
		}},
		{"a new leader", false, func(ctx context.Context) (int, error) { return 1, another(ctx, members) }},
		{"expiring", true, func(ctx context.Context) (int, error) { return len(short), left(ctx, w.targets, len(ids)) }},
	} {
		c.begin()
		began := time.Now()
		n, err := phase.action(ctx)
		took := time.Since(began)
		time.Sleep(max(phaseLeast-took, 0))
		words, p99, errPut := c.end()
		if err == nil && phase.calm {
			err = errPut
		}
		if err == nil && phase.calm && c.p99 > 0 && p99 > c.p99 {
			err = fmt.Errorf("the 99th percentile of puts is above %v", c.p99)
		}
		if !counts.Check(fmt.Sprintf("%s: %d in %.1f s; %s", phase.name, n, took.Seconds(), words), err) {
			break
		}
	}
	close(done)
	putting.Wait()
	for _, m := range members.Members {
		if now, peak, err := m.Memory(); err == nil {
			fmt.Printf("%s: %d MiB resident, %d at most\n", m.Name, now>>20, peak>>20)
		}
	}
}

// put puts one after the other.
func (c *crowd) put(ctx context.Context, t *target, done chan struct{}) {
	for n := 0; ; n++ {
		select {
		case <-done:
			return
		case <-time.After(putPause):
		}
		ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
		began := time.Now()
		_, err := t.kv.Put(ctx, &pb.PutRequest{Key: fmt.Appendf(nil, "beside/%d", n%100)})
		cancel()
		c.mutex.Lock()
		c.took = append(c.took, time.Since(began))
		if err != nil {
			c.errs = append(c.errs, err)
		}
		c.mutex.Unlock()
	}
}

func (c *crowd) begin() {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	c.took, c.errs = nil, nil
}

func (c *crowd) end() (string, time.Duration, error) {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	if len(c.took) == 0 {
		return "no put was answered", 0, errors.New("no put was answered")
	}
	slices.Sort(c.took)
	at := func(share float64) time.Duration {
		return c.took[int(share*float64(len(c.took)-1))].Round(10 * time.Microsecond)
	}
	return fmt.Sprintf("%d puts beside it, median %v, p99 %v, at most %v, %d failed", len(c.took), at(0.5), at(0.99), at(1), len(c.errs)), at(0.99), errors.Join(c.errs...)
}

// grant grants so many leases, on all members at once.
func grant(ctx context.Context, targets []*target, n int, ttl int64) ([]int64, error) {
	var left atomic.Int64
	left.Store(int64(n))
	ids := make([][]int64, granters)
	errs := make([]error, granters)
	var granting sync.WaitGroup
	for i := range granters {
		granting.Go(func() {
			for left.Add(-1) >= 0 {
				answer, err := targets[i%len(targets)].lease.LeaseGrant(ctx, &pb.LeaseGrantRequest{TTL: ttl})
				if err != nil {
					errs[i] = err
					return
				}
				ids[i] = append(ids[i], answer.ID)
			}
		})
	}
	granting.Wait()
	return slices.Concat(ids...), errors.Join(errs...)
}

// renew renews these, on streams to all members.
func renew(ctx context.Context, targets []*target, ids []int64) (int, error) {
	const streams = 8
	errs := make([]error, streams)
	var renewing sync.WaitGroup
	for i := range streams {
		renewing.Go(func() {
			stream, err := targets[i%len(targets)].lease.LeaseKeepAlive(ctx)
			for n := i; n < len(ids) && err == nil; n += streams {
				var answer *pb.LeaseKeepAliveResponse
				if err = stream.Send(&pb.LeaseKeepAliveRequest{ID: ids[n]}); err == nil {
					answer, err = stream.Recv()
				}
				if err == nil && (answer.ID != ids[n] || answer.TTL != 36_000) {
					err = fmt.Errorf("lease %d is renewed with %v", ids[n], answer)
				}
			}
			errs[i] = err
		})
	}
	renewing.Wait()
	return len(ids), errors.Join(errs...)
}

// listed demands that every member lists so many.
func listed(ctx context.Context, targets []*target, want int) error {
	for _, t := range targets {
		if _, err := t.kv.Range(ctx, &pb.RangeRequest{Key: []byte("ready")}); err != nil {
			return err
		}
		answer, err := t.lease.LeaseLeases(ctx, &pb.LeaseLeasesRequest{})
		if err != nil {
			return fmt.Errorf("%s: list: %w", t.name, err)
		}
		if len(answer.Leases) != want {
			return fmt.Errorf("%s lists %d, and there are %d", t.name, len(answer.Leases), want)
		}
	}
	return nil
}

// another moves the leader.
func another(ctx context.Context, members *cluster.Cluster) error {
	leader, _, err := members.Consensus(ctx)
	if err != nil {
		return err
	}
	for _, m := range members.Members {
		if m != leader {
			if _, err := leader.Maintenance.MoveLeader(ctx, &pb.MoveLeaderRequest{TargetID: m.ID}); err != nil {
				return err
			}
			return members.AwaitReady(ctx, time.Minute)
		}
	}
	return nil
}

// left waits until so many are left. A new leader may give all the whole of their time again.
func left(ctx context.Context, targets []*target, want int) error {
	const patience = 10 * time.Minute
	for begin := time.Now(); ; time.Sleep(time.Second) {
		err := listed(ctx, targets, want)
		if err == nil || time.Since(begin) > patience {
			return err
		}
	}
}
