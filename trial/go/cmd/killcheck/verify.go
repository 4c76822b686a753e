package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"time"

	pb "go.etcd.io/etcd/api/v3/etcdserverpb"
	"go.etcd.io/etcd/api/v3/mvccpb"
	clientv3 "go.etcd.io/etcd/client/v3"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"quoin.dev/trial/internal/process"
)

// view is a part of the store at one revision, read linearizably.
type view struct {
	revision int64
	kvs      map[string]*mvccpb.KeyValue
}

// past is what all settled rounds left behind, as verified after each.
type past struct {
	revision int64
	counters [counterCount]counter
	receipts [counterCount][]bump // the bump to value n is at n-1
	books    []*book
}

// settle verifies a round against the restarted server and makes it part of the past. Of the rounds before, it looks
// at one, chosen by chance; all of them are looked at once more at the end.
func (p *past) settle(ctx context.Context, address string, r *round, random *rand.Rand) error {
	v, err := fetch(ctx, address, r.spans()...)
	if err != nil {
		return err
	}
	settled, err := r.settle(v)
	if err != nil {
		return err
	}
	p.revision = v.revision
	for _, b := range settled.bumps {
		p.receipts[b.counter] = append(p.receipts[b.counter], b)
		p.counters[b.counter] = counter{b.value, b.revision}
	}
	if len(p.books) > 0 {
		old := p.books[random.IntN(len(p.books))]
		v, err := fetch(ctx, address, under(old.prefix))
		if err != nil {
			return err
		}
		if err := old.holds(v); err != nil {
			return fmt.Errorf("an earlier round has changed: %w", err)
		}
	}
	p.books = append(p.books, settled.books...)
	return nil
}

// unchanged demands that the store is where the last round left it.
func (p *past) unchanged(ctx context.Context, address string) error {
	v, err := fetch(ctx, address, under("c/"))
	if err != nil {
		return err
	}
	if v.revision != p.revision {
		return fmt.Errorf("the store is at revision %d, not %d", v.revision, p.revision)
	}
	for c, want := range p.counters {
		if err := want.matches(c, v); err != nil {
			return err
		}
	}
	return nil
}

// recheck verifies every key and receipt of all rounds, and what a sample of past revisions showed.
func (p *past) recheck(ctx context.Context, address string, random *rand.Rand) (string, error) {
	const what = "everything acknowledged in all rounds is there"
	if err := p.unchanged(ctx, address); err != nil {
		return what, err
	}
	keys, receipts := 0, 0
	for _, b := range p.books { // one client's keys of one round at a time: bounded memory
		v, err := fetch(ctx, address, under(b.prefix))
		if err != nil {
			return what, err
		}
		if err := b.holds(v); err != nil {
			return what, err
		}
		keys += len(b.keys)
	}
	for c, list := range p.receipts {
		v, err := fetch(ctx, address, under(receiptPrefix(c)))
		if err != nil {
			return what, err
		}
		if len(v.kvs) != len(list) {
			return what, fmt.Errorf("counter %d has %d receipts, not %d", c, len(v.kvs), len(list))
		}
		for _, b := range list {
			if err := b.matches(v); err != nil {
				return what, err
			}
		}
		receipts += len(list)
	}
	sampled, err := p.sampleHistory(ctx, address, random)
	return fmt.Sprintf("all %d keys, %d receipts, and %d sampled past revisions are as acknowledged", keys, receipts, sampled), err
}

// sampleHistory reads counters at the revisions of some of their bumps.
func (p *past) sampleHistory(ctx context.Context, address string, random *rand.Rand) (int, error) {
	conn, err := process.Dial(address)
	if err != nil {
		return 0, err
	}
	defer conn.Close()
	kv := pb.NewKVClient(conn)
	sampled := 0
	for c, list := range p.receipts {
		for range min(50, len(list)) {
			b := list[random.IntN(len(list))]
			answer, err := kv.Range(ctx, &pb.RangeRequest{Key: []byte(counterKey(c)), Revision: b.revision})
			if status.Code(err) == codes.OutOfRange {
				continue // compacted
			}
			if err != nil {
				return sampled, err
			}
			if got := string(first(answer.Kvs).GetValue()); got != strconv.FormatInt(b.value, 10) {
				return sampled, fmt.Errorf("counter %d was acknowledged as %d at revision %d, and now was %q then", c, b.value, b.revision, got)
			}
			sampled++
		}
	}
	return sampled, nil
}

// settle compares what the clients know with what the restarted server shows. It is a pure function. The round it
// returns has no unknown outcomes any more: what was pending has happened or has not.
func (r *round) settle(v view) (*round, error) {
	if v.revision < r.seen {
		return nil, fmt.Errorf("the store is at revision %d, but revision %d had been seen before the kill", v.revision, r.seen)
	}
	settled := r.clone()
	known := map[string]bool{} // keys that a client owns up to
	for _, b := range settled.books {
		if err := b.settle(v); err != nil {
			return nil, err
		}
		for i := range b.keys {
			known[b.key(i)] = true
		}
	}
	for key := range v.kvs {
		if strings.HasPrefix(key, roundPrefix(r.number)) && !known[key] {
			return nil, fmt.Errorf("%s is there, but nobody wrote it", key)
		}
	}
	var err error
	if settled.bumps, err = r.settleBumps(v); err != nil {
		return nil, err
	}
	return settled, settled.accountFor(v.revision)
}

// settle verifies one client's keys and decides about the pending operation. The operation has happened, or has not;
// for an erasure that means all of its keys.
func (b *book) settle(v view) error {
	op := b.pending
	if op == nil {
		return b.holds(v)
	}
	without := b.holds(v)
	if without == nil {
		b.pending = nil
		return nil
	}
	if !op.erase {
		key := b.key(op.first)
		kv := v.kvs[key]
		state := &b.keys[op.first]
		if kv == nil || kv.ModRevision <= state.mod || kv.ModRevision > v.revision {
			return without
		}
		if state.version == 0 {
			state.create = kv.ModRevision
		}
		state.mod, state.version, state.edition = kv.ModRevision, state.version+1, op.edition
		b.revisions = append(b.revisions, kv.ModRevision)
	} else {
		for i := op.first; i <= op.last; i++ {
			b.keys[i].version = 0
		}
		b.unseen++
	}
	b.pending = nil
	if err := b.holds(v); err != nil {
		return fmt.Errorf("%s has neither happened nor not: without it, %w; with it, %w", op.describe(b), without, err)
	}
	return nil
}

func (op *operation) describe(b *book) string {
	if op.erase {
		return fmt.Sprintf("the unanswered erasure of %s to %s", b.key(op.first), b.key(op.last))
	}
	return "the unanswered put of " + b.key(op.first)
}

// holds demands that every key is exactly as acknowledged.
func (b *book) holds(v view) error {
	for i, state := range b.keys {
		if err := state.matches(b.key(i), v.kvs[b.key(i)]); err != nil {
			return err
		}
	}
	return nil
}

func (s keyState) matches(key string, kv *mvccpb.KeyValue) error {
	switch {
	case s.version == 0 && kv == nil:
		return nil
	case s.version == 0:
		return fmt.Errorf("%s is there at revision %d, but should not be", key, kv.ModRevision)
	case kv == nil:
		return fmt.Errorf("%s, acknowledged at revision %d, is not there", key, s.mod)
	case kv.ModRevision != s.mod || kv.CreateRevision != s.create || kv.Version != s.version:
		return fmt.Errorf("%s has mod %d, create %d, version %d; acknowledged were %d, %d, %d",
			key, kv.ModRevision, kv.CreateRevision, kv.Version, s.mod, s.create, s.version)
	case !bytes.Equal(kv.Value, valueOf(key, s.edition)):
		return fmt.Errorf("%s has another value than the acknowledged one", key)
	}
	return nil
}

// settleBumps follows the receipts of each counter from where the round began to its value now. Every step must be an
// acknowledged bump, or one whose outcome was unknown; every acknowledged bump must be a step.
func (r *round) settleBumps(v view) ([]bump, error) {
	attempts := map[string]bump{}
	acked := map[string]bool{}
	for _, b := range r.bumps {
		attempts[b.who] = b
		if b.revision == 0 {
			continue
		}
		at := receiptKey(b.counter, b.value)
		if acked[at] {
			return nil, fmt.Errorf("two bumps of counter %d to %d were acknowledged", b.counter, b.value)
		}
		acked[at] = true
		if err := b.matches(v); err != nil {
			return nil, err
		}
	}
	var steps []bump
	for c, now := range r.counters {
		for value := now.value + 1; ; value++ {
			receipt := v.kvs[receiptKey(c, value)]
			if receipt == nil {
				break
			}
			step, tried := attempts[string(receipt.Value)]
			if !tried || step.counter != c || step.value != value {
				return nil, fmt.Errorf("counter %d has the receipt %q for %d, which nobody wrote", c, receipt.Value, value)
			}
			step.revision = receipt.ModRevision // the same, if it was acknowledged: see above
			if step.revision <= now.mod {
				return nil, fmt.Errorf("the receipt of counter %d for %d is older than the one before", c, value)
			}
			now = counter{value, step.revision}
			steps = append(steps, step)
			delete(acked, receiptKey(c, value))
		}
		if err := now.matches(c, v); err != nil {
			return nil, err
		}
	}
	for at := range acked {
		return nil, fmt.Errorf("the acknowledged bump with the receipt %s lies behind a gap", at)
	}
	return steps, nil
}

// matches demands the receipt of an acknowledged bump.
func (b bump) matches(v view) error {
	key := receiptKey(b.counter, b.value)
	kv := v.kvs[key]
	if kv == nil {
		return fmt.Errorf("the receipt %s of an acknowledged bump is not there", key)
	}
	if string(kv.Value) != b.who || kv.ModRevision != b.revision || kv.CreateRevision != b.revision || kv.Version != 1 {
		return fmt.Errorf("the receipt %s is %v; acknowledged was %q at revision %d", key, kv, b.who, b.revision)
	}
	return nil
}

// matches demands that counter c stands here, and was changed together with its last receipt.
func (want counter) matches(c int, v view) error {
	kv := v.kvs[counterKey(c)]
	if want.value == 0 && kv == nil {
		return nil
	}
	if kv == nil || string(kv.Value) != strconv.FormatInt(want.value, 10) || kv.ModRevision != want.mod || kv.Version != want.value {
		return fmt.Errorf("counter %d is %v, but its receipts say %d at revision %d", c, kv, want.value, want.mod)
	}
	return nil
}

// accountFor demands that the writes of the round took every revision from before it to now, each exactly once.
func (r *round) accountFor(now int64) error {
	var revisions []int64
	unseen := int64(0)
	for _, b := range r.books {
		revisions = append(revisions, b.revisions...)
		unseen += int64(b.unseen)
	}
	for _, b := range r.bumps {
		revisions = append(revisions, b.revision)
	}
	slices.Sort(revisions)
	last := r.before
	for _, revision := range revisions {
		switch {
		case revision == last:
			return fmt.Errorf("two writes were acknowledged with revision %d, or one with a revision from before the round", revision)
		case revision < last || revision > now:
			return fmt.Errorf("a write has revision %d, outside of this round's (%d, %d]", revision, r.before, now)
		}
		last = revision
	}
	if took := now - r.before; took != int64(len(revisions))+unseen {
		return fmt.Errorf("the store moved by %d revisions, but %d writes happened", took, int64(len(revisions))+unseen)
	}
	return nil
}

// span is a part of the key space: what is under the prefix, from a key on.
type span struct{ prefix, from string }

func under(prefix string) span { return span{prefix, prefix} }

// spans are all that the round may have touched: its own keys, the counters, and the receipts that are new.
func (r *round) spans() []span {
	spans := []span{under(roundPrefix(r.number)), under("c/")}
	for c, before := range r.counters {
		spans = append(spans, span{receiptPrefix(c), receiptKey(c, before.value+1)})
	}
	return spans
}

// fetch reads the spans, page by page. Nobody writes meanwhile, so all pages are of one revision.
func fetch(ctx context.Context, address string, spans ...span) (view, error) {
	conn, err := process.Dial(address)
	if err != nil {
		return view{}, err
	}
	defer conn.Close()
	v := view{kvs: map[string]*mvccpb.KeyValue{}}
	for _, s := range spans {
		if err := v.add(ctx, pb.NewKVClient(conn), s); err != nil {
			return view{}, fmt.Errorf("read %q: %w", s.from, err)
		}
	}
	return v, nil
}

func (v *view) add(ctx context.Context, kv pb.KVClient, s span) error {
	next, end := []byte(s.from), []byte(clientv3.GetPrefixRangeEnd(s.prefix))
	for {
		ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
		page, err := kv.Range(ctx, &pb.RangeRequest{Key: next, RangeEnd: end, Limit: 1000})
		cancel()
		if err != nil {
			return err
		}
		if v.revision == 0 {
			v.revision = page.Header.Revision
		}
		if page.Header.Revision != v.revision {
			return fmt.Errorf("the revision moved from %d to %d while nobody wrote", v.revision, page.Header.Revision)
		}
		for _, kv := range page.Kvs {
			if _, twice := v.kvs[string(kv.Key)]; twice {
				return fmt.Errorf("%q came twice", kv.Key)
			}
			v.kvs[string(kv.Key)] = kv
			next = append(slices.Clone(kv.Key), 0)
		}
		if !page.More {
			return nil
		}
		if len(page.Kvs) == 0 {
			return errors.New("an empty page says that there is more")
		}
	}
}

func first(kvs []*mvccpb.KeyValue) *mvccpb.KeyValue {
	if len(kvs) == 0 {
		return nil
	}
	return kvs[0]
}
