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

	"quoin.dev/trial/internal/process"
)

// operationTimeout is long: an answer that takes longer, from a server that has not been killed, is a failure.
const operationTimeout = 10 * time.Second

// load is the clients of one round at work.
type load struct {
	clients []*client
	done    sync.WaitGroup
	killed  atomic.Bool   // from here on an error is what we wanted
	failed  chan struct{} // closed at the first error before the kill
	failure error
	once    sync.Once

	round *round
}

// client writes to its own book and, with the others, to the counters. It speaks the KV service without any retry.
type client struct {
	load     *load
	kv       pb.KVClient
	random   *rand.Rand
	book     *book
	bumps    []bump
	counters [counterCount]counter // as last seen
	who      string
	attempts int
	seen     int64 // highest revision in an answer
}

func startLoad(ctx context.Context, address string, number int, seed uint64, clients int, counters [counterCount]counter, compacts bool) *load {
	l := &load{failed: make(chan struct{}), round: &round{number: number, counters: counters}}
	if compacts {
		l.done.Go(func() { l.compact(ctx, address) })
	}
	for i := range clients {
		c := &client{
			load:     l,
			random:   rand.New(rand.NewPCG(seed, uint64(number)<<16|uint64(i))),
			book:     &book{prefix: fmt.Sprintf("%s%03d/", roundPrefix(number), i)},
			counters: counters,
			who:      fmt.Sprintf("round %d client %d", number, i),
		}
		l.clients = append(l.clients, c)
		l.done.Go(func() { c.run(ctx, address) })
	}
	return l
}

// compact gives up history, a few times a second and up to half a second ago, until the server is killed. What that
// leaves must be as if it had never happened.
func (l *load) compact(ctx context.Context, address string) {
	conn, err := process.Dial(address)
	if err != nil {
		return
	}
	defer conn.Close()
	kv := pb.NewKVClient(conn)
	for ctx.Err() == nil && !l.killed.Load() {
		now, err := kv.Range(ctx, &pb.RangeRequest{Key: []byte("c"), CountOnly: true})
		if err != nil {
			return
		}
		time.Sleep(200 * time.Millisecond)
		// Refused where nothing was written meanwhile, which is as good.
		kv.Compact(ctx, &pb.CompactionRequest{Revision: now.Header.Revision})
	}
}

// stop has the server killed and gathers what the clients know. It returns the first error of the time before.
func (l *load) stop(before int64, kill func() error) (*round, error) {
	l.killed.Store(true)
	killErr := kill()
	l.done.Wait()
	r := l.round
	r.before = before
	r.seen = before
	for _, c := range l.clients {
		r.books = append(r.books, c.book)
		r.bumps = append(r.bumps, c.bumps...)
		r.seen = max(r.seen, c.seen)
	}
	return r, errors.Join(l.failure, killErr)
}

func (c *client) run(ctx context.Context, address string) {
	conn, err := process.Dial(address)
	if err != nil {
		c.fail(err)
		return
	}
	defer conn.Close()
	c.kv = pb.NewKVClient(conn)
	for ctx.Err() == nil {
		if err := c.step(ctx); err != nil {
			if !c.load.killed.Load() {
				c.fail(err)
			}
			return
		}
	}
}

func (c *client) fail(err error) {
	c.load.once.Do(func() {
		c.load.failure = fmt.Errorf("%s: %w", c.who, err)
		close(c.load.failed)
	})
}

// violation is an answer that is wrong in itself; it counts whether or not the server has been killed meanwhile.
func (c *client) violation(format string, args ...any) error {
	err := fmt.Errorf(format, args...)
	c.fail(err)
	return err
}

// step does one operation. An error other than a violation means that its outcome is unknown.
func (c *client) step(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, operationTimeout)
	defer cancel()
	switch n := c.random.IntN(100); {
	case n < 45 || len(c.book.keys) == 0:
		c.book.keys = append(c.book.keys, keyState{})
		return c.put(ctx, len(c.book.keys)-1)
	case n < 55:
		return c.put(ctx, c.recent())
	case n < 65:
		return c.erase(ctx)
	case n < 85:
		return c.bump(ctx)
	default:
		return c.read(ctx)
	}
}

// recent picks one of the newest keys, so that keys live through several changes before the kill.
func (c *client) recent() int {
	return max(0, len(c.book.keys)-1-c.random.IntN(40))
}

// advance demands that the revision of an acknowledged write is newer than anything this client saw before it.
func (c *client) advance(what string, revision int64) error {
	if revision <= c.seen {
		return c.violation("%s was acknowledged with revision %d, after revision %d had been seen", what, revision, c.seen)
	}
	c.seen = revision
	return nil
}

func (c *client) put(ctx context.Context, i int) error {
	state := &c.book.keys[i]
	key := c.book.key(i)
	c.book.pending = &operation{first: i, last: i, edition: state.edition + 1}
	answer, err := c.kv.Put(ctx, &pb.PutRequest{Key: []byte(key), Value: valueOf(key, state.edition+1)})
	if err != nil {
		return err
	}
	c.book.pending = nil
	revision := answer.Header.Revision
	if state.version == 0 {
		state.create = revision
	}
	state.mod, state.version, state.edition = revision, state.version+1, state.edition+1
	c.book.revisions = append(c.book.revisions, revision)
	return c.advance("a put of "+key, revision)
}

// erase deletes one to five neighbours, some of which may be gone already.
func (c *client) erase(ctx context.Context) error {
	first := c.recent()
	last := min(first+c.random.IntN(5), len(c.book.keys)-1)
	var there int64
	for _, state := range c.book.keys[first : last+1] {
		if state.version > 0 {
			there++
		}
	}
	if there == 0 {
		return nil
	}
	c.book.pending = &operation{erase: true, first: first, last: last}
	answer, err := c.kv.DeleteRange(ctx, &pb.DeleteRangeRequest{
		Key: []byte(c.book.key(first)), RangeEnd: []byte(c.book.key(last + 1)),
	})
	if err != nil {
		return err
	}
	c.book.pending = nil
	if answer.Deleted != there {
		return c.violation("deleting %s to %s took %d keys, not %d", c.book.key(first), c.book.key(last), answer.Deleted, there)
	}
	for i := first; i <= last; i++ {
		c.book.keys[i].version = 0
	}
	c.book.revisions = append(c.book.revisions, answer.Header.Revision)
	return c.advance("an erasure", answer.Header.Revision)
}

// bump adds one to a counter if it still is as this client saw it last; if not, it looks.
func (c *client) bump(ctx context.Context) error {
	i := c.random.IntN(counterCount)
	known := c.counters[i]
	c.attempts++
	attempt := bump{counter: i, value: known.value + 1, who: fmt.Sprintf("%s attempt %d", c.who, c.attempts)}
	key := []byte(counterKey(i))
	c.bumps = append(c.bumps, attempt) // with an unknown outcome, until there is an answer
	answer, err := c.kv.Txn(ctx, &pb.TxnRequest{
		Compare: []*pb.Compare{{
			Key: key, Target: pb.Compare_MOD, Result: pb.Compare_EQUAL,
			TargetUnion: &pb.Compare_ModRevision{ModRevision: known.mod},
		}},
		Success: []*pb.RequestOp{
			putOp(string(key), strconv.FormatInt(attempt.value, 10)),
			putOp(receiptKey(i, attempt.value), attempt.who),
		},
		Failure: []*pb.RequestOp{{Request: &pb.RequestOp_RequestRange{RequestRange: &pb.RangeRequest{Key: key}}}},
	})
	if err != nil {
		return err
	}
	latest := &c.bumps[len(c.bumps)-1]
	if answer.Succeeded {
		latest.revision = answer.Header.Revision
		c.counters[i] = counter{attempt.value, latest.revision}
		return c.advance("a bump", latest.revision)
	}
	c.bumps = c.bumps[:len(c.bumps)-1]
	kvs := answer.Responses[0].GetResponseRange().GetKvs()
	if len(kvs) != 1 || kvs[0].ModRevision <= known.mod {
		return c.violation("the compare with revision %d of counter %d failed, but it is %v", known.mod, i, kvs)
	}
	value, err := strconv.ParseInt(string(kvs[0].Value), 10, 64)
	if err != nil {
		return c.violation("counter %d is %q", i, kvs[0].Value)
	}
	c.counters[i] = counter{value, kvs[0].ModRevision}
	return nil
}

// read demands that a linearizable read shows exactly what this client wrote last.
func (c *client) read(ctx context.Context) error {
	i := c.recent()
	answer, err := c.kv.Range(ctx, &pb.RangeRequest{Key: []byte(c.book.key(i))})
	if err != nil {
		return err
	}
	if answer.Header.Revision < c.seen {
		return c.violation("a read at revision %d, after revision %d had been seen", answer.Header.Revision, c.seen)
	}
	c.seen = answer.Header.Revision
	if err := c.book.keys[i].matches(c.book.key(i), first(answer.Kvs)); err != nil {
		return c.violation("a read after the acknowledgement: %w", err)
	}
	return nil
}

func putOp(key, value string) *pb.RequestOp {
	return &pb.RequestOp{Request: &pb.RequestOp_RequestPut{RequestPut: &pb.PutRequest{Key: []byte(key), Value: []byte(value)}}}
}
