package main

import (
	"fmt"
	"hash/fnv"
	"math/rand/v2"
	"slices"
)

// A round is what the clients know when the server has been killed: what was acknowledged, and what was under way.
type round struct {
	number   int
	before   int64 // revision of the store before the load
	seen     int64 // highest revision in any answer
	books    []*book
	counters [counterCount]counter // before the load
	bumps    []bump
}

// A book is what one client knows of the keys that only it writes, in this round only. A client stops at the first
// operation without an answer, so at most one is pending.
type book struct {
	prefix    string
	keys      []keyState // by number
	revisions []int64    // of acknowledged writes
	unseen    int        // writes that happened without leaving their revision anywhere: erasures found after the fact
	pending   *operation
}

// keyState is one key as the last acknowledged write left it.
type keyState struct {
	create, mod int64
	version     int64 // 0: the key is not there
	edition     int32 // which value it has; every attempt to write takes a new one
}

// operation is a write to keys first to last: a put of one key, or an erasure of all of them.
type operation struct {
	erase       bool
	first, last int
	edition     int32
}

// Counters are shared by all clients and rounds. A bump adds one in a guarded transaction that also writes a receipt
// under the new value, so the receipts are the history, and show whether a transaction was applied in halves.
const counterCount = 4

type counter struct{ value, mod int64 }

type bump struct {
	counter  int
	value    int64  // after it
	who      string // content of the receipt, different for each attempt
	revision int64  // 0: outcome unknown
}

func counterKey(c int) string              { return fmt.Sprintf("c/%d", c) }
func receiptPrefix(c int) string           { return fmt.Sprintf("l/%d/", c) }
func receiptKey(c int, value int64) string { return fmt.Sprintf("%s%010d", receiptPrefix(c), value) }

func roundPrefix(number int) string { return fmt.Sprintf("k/%05d/", number) }

func (b *book) key(i int) string { return fmt.Sprintf("%s%07d", b.prefix, i) }

// valueOf is the value of a key in one of its editions: a function of both, so that no value needs to be kept.
// Most are short, some span disk pages, and some are empty.
func valueOf(key string, edition int32) []byte {
	hash := fnv.New64a()
	hash.Write([]byte(key))
	random := rand.New(rand.NewPCG(hash.Sum64(), uint64(edition)))
	size := random.IntN(512)
	if random.IntN(64) == 0 {
		size = 8<<10 + random.IntN(24<<10)
	}
	value := make([]byte, size)
	for i := range value {
		value[i] = 'a' + byte(random.Uint32()%26)
	}
	return value
}

// size counts the acknowledged writes and those with an unknown outcome.
func (r *round) size() (acked, unknown int) {
	for _, b := range r.books {
		acked += len(b.revisions)
		if b.pending != nil {
			unknown++
		}
	}
	for _, b := range r.bumps {
		if b.revision == 0 {
			unknown++
		} else {
			acked++
		}
	}
	return acked, unknown
}

// clone copies everything that settling or a planted error may change.
func (r *round) clone() *round {
	c := *r
	c.bumps = slices.Clone(r.bumps)
	c.books = nil
	for _, b := range r.books {
		d := *b
		d.keys = slices.Clone(b.keys)
		d.revisions = slices.Clone(b.revisions)
		c.books = append(c.books, &d)
	}
	return &c
}
