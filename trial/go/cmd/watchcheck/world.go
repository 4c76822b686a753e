package main

import (
	"context"
	"fmt"
	"hash/fnv"
	"math/rand/v2"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	pb "go.etcd.io/etcd/api/v3/etcdserverpb"
	"go.etcd.io/etcd/api/v3/mvccpb"

	"quoin.dev/trial/internal/cluster"
	"quoin.dev/trial/internal/watches"
)

// target is a member as clients see it.
type target struct {
	name  string
	kv    pb.KVClient
	watch pb.WatchClient
	lease pb.LeaseClient

	// What runs now has a number. Of it is known which compaction it has acknowledged.
	mutex     sync.Mutex
	session   int64
	compacted int64
}

func (t *target) now() (session, compacted int64) {
	t.mutex.Lock()
	defer t.mutex.Unlock()
	return t.session, t.compacted
}

func (t *target) nextSession() {
	t.mutex.Lock()
	defer t.mutex.Unlock()
	t.session, t.compacted = t.session+1, 0
}

// acknowledged remembers a compaction, if one process has heard of it and answered.
func (t *target) acknowledged(session, revision int64) {
	t.mutex.Lock()
	defer t.mutex.Unlock()
	if t.session == session {
		t.compacted = max(t.compacted, revision)
	}
}

// world is what writers, watchers and the compactor share.
type world struct {
	plan    *plan
	began   time.Time
	targets []*target
	asked   atomic.Int64 // the highest revision whose compaction was asked for
	events  atomic.Int64 // delivered
	resumed atomic.Int64 // watches that went on where an earlier stream had ended, and were sent something
	streams atomic.Int64
	ending  chan struct{} // closed: writers, the compactor and harm end, watchers keep the streams that they have
	last    atomic.Int64  // the revision of the last write, once it is done; watchers end when they have it
	kvs     interner
	line    frontier

	mutex   sync.Mutex
	watches []*watches.Watch
	writes  []watches.Write
	errors  map[string]int
	unended []string // streams that never had all
}

func (w *world) add(m *cluster.Member) {
	w.targets = append(w.targets, &target{name: m.Name, kv: m.KV, session: 1,
		watch: pb.NewWatchClient(m.Conn), lease: pb.NewLeaseClient(m.Conn)})
}

func (w *world) nextSession(m *cluster.Member) {
	for _, t := range w.targets {
		if t.name == m.Name {
			t.nextSession()
		}
	}
}

func (w *world) any(random *rand.Rand) *target { return w.targets[random.IntN(len(w.targets))] }

func (w *world) isEnding() bool {
	select {
	case <-w.ending:
		return true
	default:
		return false
	}
}

// pause waits, but not into the end.
func (w *world) pause(ctx context.Context, length time.Duration) {
	select {
	case <-ctx.Done():
	case <-w.ending:
	case <-time.After(length):
	}
}

func (w *world) fail(err error) {
	words, _, _ := strings.Cut(err.Error(), "127.0.0.1")
	w.mutex.Lock()
	defer w.mutex.Unlock()
	w.errors[words]++
}

func (w *world) record(watch *watches.Watch) {
	w.mutex.Lock()
	defer w.mutex.Unlock()
	w.watches = append(w.watches, watch)
}

func (w *world) wrote(write watches.Write) {
	w.mutex.Lock()
	defer w.mutex.Unlock()
	w.writes = append(w.writes, write)
}

// compact compacts every so often, mostly close behind what the witnesses have seen, now and then all of it. What no
// witness has seen is never compacted: else nobody could say what has happened there.
func (w *world) compact(ctx context.Context, random *rand.Rand) {
	for !w.isEnding() && ctx.Err() == nil {
		w.pause(ctx, w.plan.compactEvery)
		behind := 100 + random.Int64N(500)
		if random.IntN(4) == 0 {
			behind = random.Int64N(20)
		}
		revision := w.line.reached() - behind
		if revision <= w.asked.Load() {
			continue
		}
		w.asked.Store(revision)
		t := w.any(random)
		session, _ := t.now()
		ctx, cancel := context.WithTimeout(ctx, w.plan.request)
		_, err := t.kv.Compact(ctx, &pb.CompactionRequest{Revision: revision, Physical: random.IntN(3) == 0})
		cancel()
		if err == nil {
			t.acknowledged(session, revision)
		} else {
			w.fail(fmt.Errorf("compact: %w", err))
		}
	}
}

// frontier is up to where some witness has seen every revision.
type frontier struct {
	mutex sync.Mutex
	upTo  int64
	ahead map[int64]bool
}

func (f *frontier) saw(revision int64) {
	f.mutex.Lock()
	defer f.mutex.Unlock()
	if revision <= f.upTo {
		return
	}
	f.ahead[revision] = true
	for f.ahead[f.upTo+1] {
		f.upTo++
		delete(f.ahead, f.upTo)
	}
}

func (f *frontier) reached() int64 {
	f.mutex.Lock()
	defer f.mutex.Unlock()
	return f.upTo
}

// interner keeps each content once: the same is sent many times.
type interner struct {
	mutex sync.Mutex
	all   map[watches.KV]*watches.KV
}

func (n *interner) keep(kv *mvccpb.KeyValue) *watches.KV {
	if kv == nil {
		return nil
	}
	one := watches.KV{Key: string(kv.Key), Value: digest(kv.Value), Create: kv.CreateRevision, Mod: kv.ModRevision, Version: kv.Version, Lease: kv.Lease}
	n.mutex.Lock()
	defer n.mutex.Unlock()
	if there := n.all[one]; there != nil {
		return there
	}
	n.all[one] = &one
	return &one
}

// digest stands for a long value.
func digest(value []byte) string {
	const short = 48
	if len(value) <= short {
		return string(value)
	}
	hash := fnv.New64a()
	hash.Write(value)
	return fmt.Sprintf("%s…%d bytes, %x", value[:short/2], len(value), hash.Sum64())
}
