package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	pb "go.etcd.io/etcd/api/v3/etcdserverpb"
	"go.etcd.io/etcd/api/v3/mvccpb"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"quoin.dev/trial/internal/cluster"
	"quoin.dev/trial/internal/leases"
)

// prefix is of all keys; a key says by itself to which lease it belongs, and is put once.
const prefix = "lease/"

// target is a member as clients see it.
type target struct {
	name  string
	kv    pb.KVClient
	lease pb.LeaseClient
	watch pb.WatchClient
}

// world is what everybody shares.
type world struct {
	plan    *plan
	began   time.Time
	targets []*target
	ending  chan struct{} // closed: nobody begins with another lease
	granted atomic.Int64
	changed atomic.Int64 // leaders

	mutex   sync.Mutex
	leases  []*leases.Lease
	changes map[int64]*leases.Change
	gone    map[string]bool // keys that a witness has seen deleted
	harms   []leases.Harm
	errors  map[string]int
	watched map[string]int64 // by member, the revision that its witness has reached
}

func (w *world) now() time.Duration { return time.Since(w.began) }

func (w *world) any(random *rand.Rand) *target { return w.targets[random.IntN(len(w.targets))] }

func (w *world) add(m *cluster.Member) {
	w.targets = append(w.targets, &target{m.Name, m.KV, pb.NewLeaseClient(m.Conn), pb.NewWatchClient(m.Conn)})
}

func (w *world) isEnding() bool {
	select {
	case <-w.ending:
		return true
	default:
		return false
	}
}

func (w *world) fail(what string, err error) {
	words, _, _ := strings.Cut(err.Error(), "127.0.0.1")
	w.mutex.Lock()
	defer w.mutex.Unlock()
	w.errors[what+": "+words]++
}

// harmed notes that a harm begins, or that the cluster is whole again.
func (w *world) harmed(begins bool) {
	w.mutex.Lock()
	defer w.mutex.Unlock()
	if begins {
		w.harms = append(w.harms, leases.Harm{Begin: w.now(), End: 24 * time.Hour})
	} else if n := len(w.harms); n > 0 {
		w.harms[n-1].End = w.now()
	}
}

// witness watches all keys on one member, from the first revision on, over however many streams it takes. Where no watch
// is served, it reads every revision.
func (w *world) witness(ctx context.Context, t *target) {
	next, before, testify := int64(1), map[string]bool{}, w.testify
	for ctx.Err() == nil {
		err := testify(ctx, t, &next)
		if status.Code(err) == codes.Unimplemented {
			testify = func(ctx context.Context, t *target, next *int64) error { return w.readEach(ctx, t, next, before) }
			continue
		}
		if err != nil && ctx.Err() == nil {
			w.fail("watch", err)
			time.Sleep(20 * time.Millisecond)
		}
	}
}

func (w *world) testify(ctx context.Context, t *target, next *int64) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	stream, err := t.watch.Watch(ctx)
	if err != nil {
		return err
	}
	request := &pb.WatchCreateRequest{Key: []byte(prefix), RangeEnd: []byte("lease0"), StartRevision: *next}
	if err := stream.Send(&pb.WatchRequest{RequestUnion: &pb.WatchRequest_CreateRequest{CreateRequest: request}}); err != nil {
		return err
	}
	for {
		r, err := stream.Recv()
		switch {
		case err != nil:
			return err
		case r.Canceled:
			return errors.New("the watch was ended: " + r.CancelReason)
		case len(r.Events) > 0:
			w.saw(t, r.Events)
			*next = r.Events[len(r.Events)-1].Kv.ModRevision + 1
		}
	}
}

// readEach reads every revision that has come since: what differs from the one before is what it has changed.
func (w *world) readEach(ctx context.Context, t *target, next *int64, before map[string]bool) error {
	for ctx.Err() == nil {
		read := &pb.RangeRequest{Key: []byte(prefix), RangeEnd: []byte("lease0"), KeysOnly: true, Serializable: true}
		newest, err := t.kv.Range(ctx, read)
		if err != nil {
			return err
		}
		for ; *next <= newest.Header.Revision; *next++ {
			at := newest
			if *next < newest.Header.Revision {
				read.Revision = *next
				if at, err = t.kv.Range(ctx, read); err != nil {
					return err
				}
			}
			w.saw(t, difference(before, at.Kvs, *next))
		}
		time.Sleep(5 * time.Millisecond)
	}
	return nil
}

// difference is what a revision has put and deleted; before becomes what there is after it.
func difference(before map[string]bool, kvs []*mvccpb.KeyValue, revision int64) []*mvccpb.Event {
	var events []*mvccpb.Event
	there := map[string]bool{}
	for _, kv := range kvs {
		there[string(kv.Key)] = true
		if kv.ModRevision == revision {
			before[string(kv.Key)] = true
			events = append(events, &mvccpb.Event{Kv: &mvccpb.KeyValue{Key: kv.Key, ModRevision: revision}})
		}
	}
	for key := range before {
		if !there[key] {
			delete(before, key)
			events = append(events, &mvccpb.Event{Type: mvccpb.Event_DELETE, Kv: &mvccpb.KeyValue{Key: []byte(key), ModRevision: revision}})
		}
	}
	return events
}

// saw notes what a witness was told: the first one to be told it says when.
func (w *world) saw(t *target, events []*mvccpb.Event) {
	at := w.now()
	w.mutex.Lock()
	defer w.mutex.Unlock()
	var fresh *leases.Change
	for _, e := range events {
		revision := e.Kv.ModRevision
		w.watched[t.name] = revision
		change := w.changes[revision]
		switch {
		case change == nil:
			fresh = &leases.Change{Revision: revision, At: at}
			w.changes[revision] = fresh
		case change != fresh:
			continue // another witness was told before
		}
		if key := string(e.Kv.Key); e.Type == mvccpb.Event_DELETE {
			fresh.Deleted = append(fresh.Deleted, key)
			w.gone[key] = true
		} else {
			fresh.Put = append(fresh.Put, key)
		}
	}
}

// worker grants one lease after the other, and lives through each.
type worker struct {
	*world
	*rand.Rand
	number, count int
}

func (w *worker) run(ctx context.Context) {
	for ctx.Err() == nil && !w.isEnding() {
		if w.granted.Load() >= w.plan.leases {
			return
		}
		if err := w.live(ctx); err != nil {
			w.fail("grant", err)
			time.Sleep(50 * time.Millisecond)
		}
	}
}

// call does one request and says when.
func (w *worker) call(ctx context.Context, t *target, do func(ctx context.Context, c *leases.Call) error) (leases.Call, error) {
	ctx, cancel := context.WithTimeout(ctx, w.plan.request)
	defer cancel()
	c := leases.Call{Member: t.name, Sent: w.now()}
	err := do(ctx, &c)
	c.Returned, c.Answered = w.now(), err == nil
	return c, err
}

// live grants a lease, puts keys, renews it for a while, and sees it end.
func (w *worker) live(ctx context.Context) error {
	l := &leases.Lease{}
	var err error
	t := w.any(w.Rand)
	l.Grant, err = w.call(ctx, t, func(ctx context.Context, c *leases.Call) error {
		answer, err := t.lease.LeaseGrant(ctx, &pb.LeaseGrantRequest{TTL: 2 + w.Int64N(w.plan.ttl)})
		l.ID, l.TTL = answer.GetID(), answer.GetTTL()
		return err
	})
	if err != nil {
		return err
	}
	w.granted.Add(1)
	w.count++
	defer func() {
		w.mutex.Lock()
		defer w.mutex.Unlock()
		w.world.leases = append(w.world.leases, l)
	}()
	for n := range 1 + w.IntN(3) {
		w.put(ctx, l, n)
	}
	alive := true
	for turns := w.IntN(4); turns > 0 && alive && ctx.Err() == nil; turns-- {
		w.sleep(ctx, time.Duration(l.TTL)*time.Second*time.Duration(20+w.IntN(60))/100)
		alive = w.renew(ctx, l)
		if w.IntN(2) == 0 {
			w.query(ctx, l)
		}
	}
	if w.IntN(5) == 0 && alive {
		w.revoke(ctx, l)
	}
	w.await(ctx, l)
	if w.IntN(2) == 0 {
		w.renew(ctx, l)
		w.query(ctx, l)
	}
	return nil
}

func (w *worker) sleep(ctx context.Context, length time.Duration) {
	select {
	case <-ctx.Done():
	case <-time.After(length):
	}
}

func (w *worker) put(ctx context.Context, l *leases.Lease, n int) {
	t := w.any(w.Rand)
	key := leases.Key{Name: fmt.Sprintf("%s%d/%d/%d", prefix, w.number, w.count, n)}
	var err error
	key.Call, err = w.call(ctx, t, func(ctx context.Context, c *leases.Call) error {
		answer, err := t.kv.Put(ctx, &pb.PutRequest{Key: []byte(key.Name), Lease: l.ID})
		c.Revision = answer.GetHeader().GetRevision()
		return err
	})
	l.Keys = append(l.Keys, key)
	if err != nil {
		w.fail("put", err)
	}
}

// renew says whether the lease may still be there.
func (w *worker) renew(ctx context.Context, l *leases.Lease) bool {
	t := w.any(w.Rand)
	c, err := w.call(ctx, t, func(ctx context.Context, c *leases.Call) error {
		stream, err := t.lease.LeaseKeepAlive(ctx)
		if err != nil {
			return err
		}
		if err := stream.Send(&pb.LeaseKeepAliveRequest{ID: l.ID}); err != nil {
			return err
		}
		answer, err := stream.Recv()
		if err == nil && answer.ID != l.ID {
			return fmt.Errorf("the answer is for lease %d, and not for %d", answer.ID, l.ID)
		}
		c.TTL, c.Revision = answer.GetTTL(), answer.GetHeader().GetRevision()
		return err
	})
	l.Renewals = append(l.Renewals, c)
	if err != nil {
		w.fail("renew", err)
	}
	return err != nil || c.TTL > 0
}

func (w *worker) query(ctx context.Context, l *leases.Lease) {
	t := w.any(w.Rand)
	q := leases.Query{AllKeys: w.IntN(2) == 0}
	var err error
	q.Call, err = w.call(ctx, t, func(ctx context.Context, c *leases.Call) error {
		answer, err := t.lease.LeaseTimeToLive(ctx, &pb.LeaseTimeToLiveRequest{ID: l.ID, Keys: q.AllKeys})
		c.TTL, q.Granted = answer.GetTTL(), answer.GetGrantedTTL()
		for _, key := range answer.GetKeys() {
			q.Keys = append(q.Keys, string(key))
		}
		return err
	})
	l.Queries = append(l.Queries, q)
	if err != nil {
		w.fail("time to live", err)
	}
}

func (w *worker) revoke(ctx context.Context, l *leases.Lease) {
	t := w.any(w.Rand)
	c, err := w.call(ctx, t, func(ctx context.Context, c *leases.Call) error {
		answer, err := t.lease.LeaseRevoke(ctx, &pb.LeaseRevokeRequest{ID: l.ID})
		c.Revision = answer.GetHeader().GetRevision()
		return err
	})
	l.Revoke = &c
	if err != nil {
		w.fail("revoke", err)
	}
}

// await waits until a witness has seen a key go. Whoever waits for much longer than any lease lives goes on: the judge
// knows better.
func (w *worker) await(ctx context.Context, l *leases.Lease) {
	if !slices.ContainsFunc(l.Keys, func(k leases.Key) bool { return k.Answered }) {
		return // there may be nothing to be seen
	}
	for begin := w.now(); ctx.Err() == nil && w.now()-begin < w.plan.patience; {
		w.mutex.Lock()
		gone := false
		for _, key := range l.Keys {
			gone = gone || w.gone[key.Name]
		}
		w.mutex.Unlock()
		if gone {
			return
		}
		w.sleep(ctx, 20*time.Millisecond)
	}
}
