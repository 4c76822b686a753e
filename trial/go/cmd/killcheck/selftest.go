package main

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"go.etcd.io/etcd/api/v3/mvccpb"
)

// plant is a false expectation, and words of the complaint that verification must make about it.
type plant struct {
	name  string
	lie   func(r *round, v *view) error // an error: the round has nothing to lie about in this way
	words string
}

var plants = []plant{
	{"a put that was never acknowledged", func(r *round, v *view) error {
		b := r.books[0]
		b.keys = append(b.keys, keyState{create: v.revision, mod: v.revision, version: 1, edition: 1})
		return nil
	}, "is not there"},
	{"a put acknowledged with another revision", func(r *round, _ *view) error {
		s, err := r.some(func(s *keyState) bool { return s.version > 0 })
		if err == nil {
			s.mod--
		}
		return err
	}, "acknowledged were"},
	{"a put acknowledged with another value", func(r *round, _ *view) error {
		s, err := r.some(func(s *keyState) bool { return s.version > 0 })
		if err == nil {
			s.edition += 1000
		}
		return err
	}, "another value"},
	{"an erasure that was never acknowledged", func(r *round, _ *view) error {
		s, err := r.some(func(s *keyState) bool { return s.version > 0 })
		if err == nil {
			s.version = 0
		}
		return err
	}, "should not be"},
	{"an erased key that should be there", func(r *round, _ *view) error {
		s, err := r.some(func(s *keyState) bool { return s.version == 0 && s.mod > 0 })
		if err == nil {
			s.version = 1
		}
		return err
	}, "is not there"},
	{"half of an unanswered erasure", func(r *round, _ *view) error {
		for _, b := range r.books {
			for i := range len(b.keys) - 1 {
				if b.keys[i].version == 0 && b.keys[i].mod > 0 && b.keys[i+1].version > 0 {
					b.keys[i].version = 1
					b.pending = &operation{erase: true, first: i, last: i + 1}
					return nil
				}
			}
		}
		return errNothing
	}, "neither happened nor not"},
	{"an unanswered put that left another value", func(r *round, _ *view) error {
		for _, b := range r.books {
			for i := range b.keys {
				if s := &b.keys[i]; s.version > 1 {
					s.version, s.mod = s.version-1, s.mod-1
					b.pending = &operation{first: i, last: i, edition: s.edition + 1000}
					return nil
				}
			}
		}
		return errNothing
	}, "neither happened nor not"},
	{"two writes acknowledged with one revision", func(r *round, _ *view) error {
		for _, b := range r.books {
			if len(b.revisions) > 1 {
				b.revisions[1] = b.revisions[0]
				return nil
			}
		}
		return errNothing
	}, "two writes"},
	{"a lost increment", func(r *round, v *view) error {
		last, err := r.lastBump()
		if err == nil {
			r.bumps = append(r.bumps, bump{counter: last.counter, value: last.value + 1, who: "nobody", revision: v.revision + 1})
		}
		return err
	}, "the receipt"},
	{"two increments to one value", func(r *round, _ *view) error {
		last, err := r.lastBump()
		if err == nil {
			twice := *last
			twice.who = "somebody else"
			r.bumps = append(r.bumps, twice)
		}
		return err
	}, "two bumps"},
	{"half of a transaction", func(r *round, v *view) error {
		last, err := r.lastBump()
		if err != nil {
			return err
		}
		// As if the last one had been unanswered, and only the counter's half were there.
		kvs := map[string]bool{receiptKey(last.counter, last.value): true}
		last.revision = 0
		*v = v.without(kvs)
		return nil
	}, "its receipts say"},
	{"a write that nobody claims", func(r *round, _ *view) error {
		for _, b := range r.books {
			if n := len(b.keys) - 1; n >= 0 && b.keys[n].version > 0 {
				b.keys = b.keys[:n]
				return nil
			}
		}
		return errNothing
	}, "nobody wrote it"},
	{"an overwritten write that nobody claims", func(r *round, _ *view) error {
		for _, b := range r.books {
			if n := len(b.revisions); n > 0 {
				b.revisions = b.revisions[:n-1]
				return nil
			}
		}
		return errNothing
	}, "revisions, but"},
	{"a revision seen that is in the future", func(r *round, v *view) error {
		r.seen = v.revision + 1
		return nil
	}, "had been seen"},
}

var errNothing = errors.New("the round has no such operation: run again with more load")

// selfTest has one real round, which must hold, and then demands that verification sees through each lie about it.
func (t *trial) selfTest() {
	if _, err := t.server.Start(t.ctx, t.ready); !t.counts.Check("start", err) {
		return
	}
	before, err := fetch(t.ctx, t.server.Address(), under("none"))
	if !t.counts.Check("read", err) {
		return
	}
	load := startLoad(t.ctx, t.server.Address(), 1, t.seed, t.clients, t.past.counters, false)
	time.Sleep(2 * time.Second)
	loaded, err := load.stop(before.revision, t.server.Kill)
	if !t.counts.Check("load and kill", err) {
		return
	}
	if _, err := t.server.Start(t.ctx, t.ready); !t.counts.Check("restart", err) {
		return
	}
	v, err := fetch(t.ctx, t.server.Address(), loaded.spans()...)
	if !t.counts.Check("read", err) {
		return
	}
	settled, err := loaded.settle(v)
	if !t.counts.Check("the truth holds", err) {
		return
	}
	_, err = settled.settle(v)
	t.counts.Check("the truth, once settled, still holds", err)
	for _, p := range plants {
		t.counts.Check("noticed: "+p.name, p.noticed(settled.clone(), v))
	}
}

func (p plant) noticed(r *round, v view) error {
	if err := p.lie(r, &v); err != nil {
		return err
	}
	_, err := r.settle(v)
	if err == nil {
		return errors.New("verification found nothing wrong")
	}
	if !strings.Contains(err.Error(), p.words) {
		return fmt.Errorf("verification complains about something else: %w", err)
	}
	return nil
}

// some finds a key in a certain state.
func (r *round) some(wanted func(s *keyState) bool) (*keyState, error) {
	for _, b := range r.books {
		for i := range b.keys {
			if wanted(&b.keys[i]) {
				return &b.keys[i], nil
			}
		}
	}
	return nil, errNothing
}

// lastBump is the newest step of some counter.
func (r *round) lastBump() (*bump, error) {
	if len(r.bumps) == 0 {
		return nil, errNothing
	}
	return &r.bumps[len(r.bumps)-1], nil
}

func (v view) without(keys map[string]bool) view {
	rest := view{revision: v.revision, kvs: map[string]*mvccpb.KeyValue{}}
	for key, kv := range v.kvs {
		if !keys[key] {
			rest.kvs[key] = kv
		}
	}
	return rest
}
