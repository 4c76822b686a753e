package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	pb "go.etcd.io/etcd/api/v3/etcdserverpb"
	clientv3 "go.etcd.io/etcd/client/v3"
	"go.etcd.io/etcd/client/v3/concurrency"
	lpb "go.etcd.io/etcd/server/v3/etcdserver/api/v3lock/v3lockpb"
	"go.uber.org/zap"
	"google.golang.org/grpc"

	"quoin.dev/trial/internal/cluster"
)

const (
	root       = "lockcheck/"
	counters   = root + "counter/"
	unfenced   = root + "unfenced/"
	queues     = root + "lock/"
	lastKey    = root + "end"
	requestMax = 10 * time.Second // for each request but the wait for a lock
)

// locker takes a lock in the name of a session; it gives the key and the revision of the grant, and what lets it go again.
type locker func(ctx context.Context, s *concurrency.Session, name string) (key string, granted int64, unlock func(context.Context) error, err error)

func serviceLocker(ctx context.Context, s *concurrency.Session, name string) (string, int64, func(context.Context) error, error) {
	service := lpb.NewLockClient(s.Client().ActiveConnection())
	answer, err := service.Lock(ctx, &lpb.LockRequest{Name: []byte(name), Lease: int64(s.Lease())})
	if err != nil {
		return "", 0, nil, err
	}
	return string(answer.Key), answer.Header.GetRevision(), func(ctx context.Context) error {
		_, err := service.Unlock(ctx, &lpb.UnlockRequest{Key: answer.Key})
		return err
	}, nil
}

func libraryLocker(ctx context.Context, s *concurrency.Session, name string) (string, int64, func(context.Context) error, error) {
	m := concurrency.NewMutex(s, name)
	if err := m.Lock(ctx); err != nil {
		return "", 0, nil, err
	}
	return m.Key(), m.Header().GetRevision(), m.Unlock, nil
}

// recorder is one run being recorded.
type recorder struct {
	*plan
	lock    locker
	client  *clientv3.Client // of whoever needs none of its own
	granted atomic.Int64
	paused  atomic.Int64
	tokens  atomic.Int64

	mutex        sync.Mutex
	acquisitions []acquisition
	unfenced     int
}

// record lets all workers work until there is enough, and gives what they and the server say of it.
func (p *plan) record(ctx context.Context, c *cluster.Cluster, lock locker) (*history, int, error) {
	var endpoints []string
	for _, m := range c.Members {
		endpoints = append(endpoints, m.Client)
	}
	client, err := dial(endpoints)
	if err != nil {
		return nil, 0, err
	}
	defer client.Close()
	r := &recorder{plan: p, lock: lock, client: client}

	told := make(chan []event, 1)
	go func() { told <- watch(ctx, client) }()
	harmed, stop := context.WithCancel(ctx)
	defer stop()
	changes := make(chan int, 1)
	go func() { changes <- p.harm(harmed, c) }()

	var workers sync.WaitGroup
	failures := make(chan error, p.workers)
	for i := range p.workers {
		workers.Go(func() {
			if err := r.work(ctx, endpoints, rand.New(rand.NewPCG(p.seed, uint64(i)))); err != nil {
				failures <- fmt.Errorf("client %d: %w", i, err)
			}
		})
	}
	workers.Wait()
	stop()
	changed := <-changes
	close(failures)
	if err := <-failures; err != nil {
		return nil, changed, err
	}
	if err := c.AwaitReady(ctx, time.Minute); err != nil {
		return nil, changed, err
	}
	// What is not answered may still be on its way; what is behind this key is not.
	if err := r.always(ctx, func(ctx context.Context) error { _, err := client.Put(ctx, lastKey, "1"); return err }); err != nil {
		return nil, changed, err
	}
	h := &history{acquisitions: r.acquisitions, counters: map[string]string{}, unfenced: r.unfenced}
	for i := range p.locks {
		h.counters[queue(i)+"/"] = counter(i)
	}
	select {
	case h.events = <-told:
	case <-ctx.Done():
		return nil, changed, ctx.Err()
	}
	answer, err := client.Get(ctx, unfenced, clientv3.WithPrefix())
	if err != nil {
		return nil, changed, err
	}
	for _, kv := range answer.Kvs {
		n, err := strconv.Atoi(string(kv.Value))
		if err != nil {
			return nil, changed, err
		}
		h.unfencedKept += n
	}
	return h, changed, nil
}

func queue(i int) string   { return fmt.Sprintf("%s%02d", queues, i) }
func counter(i int) string { return fmt.Sprintf("%s%02d", counters, i) }

func dial(endpoints []string) (*clientv3.Client, error) {
	return clientv3.New(clientv3.Config{
		Endpoints:   endpoints,
		DialTimeout: 10 * time.Second,
		DialOptions: []grpc.DialOption{grpc.WithNoProxy()},
		Logger:      zap.NewNop(),
	})
}

// watch collects everything that happens until the last key is written.
func watch(ctx context.Context, client *clientv3.Client) []event {
	var events []event
	for answer := range client.Watch(ctx, root, clientv3.WithPrefix(), clientv3.WithRev(1)) {
		for _, e := range answer.Events {
			if string(e.Kv.Key) == lastKey {
				return events
			}
			events = append(events, event{e.Kv.ModRevision, string(e.Kv.Key), string(e.Kv.Value), e.Type == clientv3.EventTypeDelete, e.Kv.CreateRevision})
		}
	}
	return events
}

// harm changes the leader, by asking it and by killing it in turns, until it is told to stop.
func (p *plan) harm(ctx context.Context, c *cluster.Cluster) int {
	changes := 0
	for len(c.Members) > 1 {
		select {
		case <-ctx.Done():
			return changes
		case <-time.After(p.every):
		}
		leader, _, err := c.Consensus(ctx)
		if err != nil {
			continue
		}
		if changes%3 == 2 {
			if leader.Kill() != nil {
				return changes
			}
			time.Sleep(500 * time.Millisecond)
			if leader.Spawn() != nil {
				return changes
			}
			changes++
			continue
		}
		for _, m := range c.Members {
			if m != leader {
				request, cancel := context.WithTimeout(ctx, requestMax)
				if _, err := leader.Maintenance.MoveLeader(request, &pb.MoveLeaderRequest{TargetID: m.ID}); err == nil {
					changes++
				}
				cancel()
				break
			}
		}
	}
	<-ctx.Done()
	return changes
}

// work is one client's life: a session, locks in turns, now and then a pause, and then a new session.
func (r *recorder) work(ctx context.Context, endpoints []string, random *rand.Rand) error {
	client, err := dial(endpoints)
	if err != nil {
		return err
	}
	defer client.Close()
	for !r.enough() {
		var s *concurrency.Session
		err := r.always(ctx, func(ctx context.Context) error {
			var err error
			s, err = concurrency.NewSession(client, concurrency.WithTTL(int(r.ttl/time.Second)))
			return err
		})
		if err != nil {
			return err
		}
		for alive := true; alive && !r.enough(); {
			alive = r.acquire(ctx, client, s, random)
			if ctx.Err() != nil {
				return ctx.Err()
			}
		}
		s.Orphan()
		// Whatever a request without an answer has left behind goes with the lease.
		request, cancel := context.WithTimeout(ctx, requestMax)
		client.Revoke(request, s.Lease())
		cancel()
	}
	return nil
}

func (r *recorder) enough() bool {
	return int(r.granted.Load()) >= r.plan.acquisitions && int(r.paused.Load()) >= r.pauses
}

// always tries again until there is an answer: for what does no harm twice.
func (r *recorder) always(ctx context.Context, f func(ctx context.Context) error) error {
	for {
		request, cancel := context.WithTimeout(ctx, requestMax)
		err := f(request)
		cancel()
		if err == nil {
			return nil
		}
		select {
		case <-ctx.Done():
			return errors.Join(ctx.Err(), err)
		case <-time.After(50 * time.Millisecond):
		}
	}
}

// acquire is one turn with one lock. It says whether the session can go on.
func (r *recorder) acquire(ctx context.Context, client *clientv3.Client, s *concurrency.Session, random *rand.Rand) bool {
	number := random.IntN(r.locks)
	a := acquisition{lock: queue(number) + "/", key: fmt.Sprintf("%s/%x", queue(number), s.Lease())}
	defer func() {
		r.mutex.Lock()
		r.acquisitions = append(r.acquisitions, a)
		r.mutex.Unlock()
	}()
	wait, cancel := context.WithTimeout(ctx, r.patience)
	defer cancel()
	givesUp := random.IntN(40) == 0
	if givesUp {
		go r.giveUp(wait, client, a.key, cancel, time.Duration(random.IntN(50))*time.Millisecond)
	}
	begin := time.Now()
	_, granted, unlock, err := r.lock(wait, s, queue(number))
	if err != nil {
		a.hung = !givesUp && time.Since(begin) >= r.patience
		a.cancelled = givesUp && wait.Err() != nil
		a.failure = err.Error()
		return a.cancelled
	}
	a.waited = time.Since(begin) > 20*time.Millisecond
	a.granted = granted

	var n int
	var plain int
	err = r.always(ctx, func(ctx context.Context) error {
		answer, err := client.Txn(ctx).Then(clientv3.OpGet(a.key), clientv3.OpGet(counter(number)), clientv3.OpGet(fmt.Sprintf("%s%02d", unfenced, number))).Commit()
		if err != nil {
			return err
		}
		if kvs := answer.Responses[0].GetResponseRange().Kvs; len(kvs) > 0 {
			a.fence = kvs[0].CreateRevision
		}
		if kvs := answer.Responses[1].GetResponseRange().Kvs; len(kvs) > 0 {
			fmt.Sscanf(string(kvs[0].Value), "%d", &n)
		}
		if kvs := answer.Responses[2].GetResponseRange().Kvs; len(kvs) > 0 {
			plain, _ = strconv.Atoi(string(kvs[0].Value))
		}
		return nil
	})
	if err != nil || a.fence == 0 {
		return false
	}
	// Those who pause come all along the run, so that they are among everything else.
	due := int64(r.pauses) * r.granted.Add(1) / int64(r.plan.acquisitions)
	if paused := r.paused.Load(); paused < min(due+1, int64(r.pauses)) && r.paused.CompareAndSwap(paused, paused+1) {
		a.paused = true
		s.Orphan()
		time.Sleep(r.ttl + r.ttl/2 + time.Duration(random.Int64N(int64(3*r.ttl/2))))
	}
	r.write(ctx, client, &a, number, n, plain)
	if a.paused {
		return false
	}
	request, done := context.WithTimeout(ctx, requestMax)
	defer done()
	return unlock(request) == nil
}

// giveUp cancels a wait once its key stands in the queue.
func (r *recorder) giveUp(ctx context.Context, client *clientv3.Client, key string, cancel func(), after time.Duration) {
	for {
		answer, err := client.Get(ctx, key)
		if ctx.Err() != nil {
			return
		}
		if err == nil && answer.Count == 1 {
			time.Sleep(after)
			cancel()
			return
		}
		time.Sleep(5 * time.Millisecond)
	}
}

// write counts, once if the lock is still held, and once whether it is or not.
func (r *recorder) write(ctx context.Context, client *clientv3.Client, a *acquisition, number, n, plain int) {
	a.token = fmt.Sprintf("t%d", r.tokens.Add(1))
	request, cancel := context.WithTimeout(ctx, requestMax)
	defer cancel()
	answer, err := client.Txn(request).If(clientv3.Compare(clientv3.CreateRevision(a.key), "=", a.fence)).
		Then(clientv3.OpPut(counter(number), fmt.Sprintf("%d %s", n+1, a.token))).Commit()
	switch {
	case err != nil:
		a.wrote = unknown
	case answer.Succeeded:
		a.wrote = written
	default:
		a.wrote = refused
	}
	if _, err := client.Put(request, fmt.Sprintf("%s%02d", unfenced, number), strconv.Itoa(plain+1)); err == nil {
		r.mutex.Lock()
		r.unfenced++
		r.mutex.Unlock()
	}
}
