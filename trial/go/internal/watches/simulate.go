package watches

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
)

// simulation makes a history that is right. Its clock is the store's revision.
type simulation struct {
	*rand.Rand
	h         *History
	s         *state
	events    [][]Event // by revision
	prevs     map[*KV]*KV
	compacted []int64 // by revision, the highest compaction that had been asked for then
	streams   int
	ends      map[int64]bool // revisions in which a lease has ended
}

var simulatedKeys = strings.Fields("a0 a1 a2 a3 b0 b1 b2 b3")

// simulate makes the history of a seed.
func simulate(seed uint64) *simulation {
	m := &simulation{Rand: rand.New(rand.NewPCG(seed, 0x77)), h: &History{}, prevs: map[*KV]*KV{}, ends: map[int64]bool{},
		s:      &state{live: map[string]*KV{}, leased: map[int64]map[string]bool{}},
		events: [][]Event{nil, nil}, compacted: []int64{0, 0}}
	length := 80 + m.IntN(80)
	for len(m.events) < length {
		m.write()
		asked := m.compacted[len(m.compacted)-1]
		for len(m.compacted) < len(m.events) {
			if now := int64(len(m.compacted)); m.IntN(6) == 0 && now > 20 {
				asked = max(asked, now-int64(m.IntN(20))-1)
			}
			m.compacted = append(m.compacted, asked)
		}
	}
	m.h.Last = int64(len(m.events) - 1)
	for range 2 {
		m.add(&Watch{Witness: true, Key: "\x00", End: "\x00", PrevKV: true, Start: 2}, 1, m.h.Last)
	}
	for range 14 {
		m.watch()
	}
	return m
}

// write does one, and records what a client knows of it.
func (m *simulation) write() {
	w := Write{Answered: m.IntN(8) > 0}
	revision := int64(len(m.events))
	var events []Event
	put := func(key string) {
		lease := int64(0)
		if m.IntN(4) == 0 {
			// A lease that has ended is not named again.
			lease = revision/40*10 + 1 + int64(m.IntN(2))
		}
		a := Action{Verb: Put, Key: key, Value: fmt.Sprintf("v%d-%d", revision, len(events)), Lease: lease}
		w.Actions = append(w.Actions, a)
		kv := &KV{Key: key, Value: a.Value, Create: revision, Mod: revision, Version: 1, Lease: lease}
		if before := m.s.live[key]; before != nil {
			kv.Create, kv.Version = before.Create, before.Version+1
		}
		events = append(events, Event{KV: kv})
	}
	remove := func(key, end string) {
		a := Action{Verb: Delete, Key: key, End: end}
		one := Watch{Key: key, End: end}
		for _, k := range simulatedKeys {
			if m.s.live[k] != nil && one.covers(k) {
				a.Deleted = append(a.Deleted, k)
				events = append(events, Event{KV: &KV{Key: k, Mod: revision}, Deleted: true})
			}
		}
		w.Actions = append(w.Actions, a)
	}
	switch n := m.IntN(20); {
	case n < 9:
		put(simulatedKeys[m.IntN(8)])
	case n < 11:
		remove(simulatedKeys[m.IntN(8)], "")
	case n < 12:
		remove("a1", "b2")
	case n < 17:
		put(simulatedKeys[m.IntN(3)])
		put(simulatedKeys[3+m.IntN(3)])
		remove(simulatedKeys[6+m.IntN(2)], "")
	case n < 18 && revision%40 > 30:
		lease := revision/40*10 + 1
		for _, k := range simulatedKeys {
			if m.s.leased[lease][k] {
				events = append(events, Event{KV: &KV{Key: k, Mod: revision}, Deleted: true})
			}
		}
		m.ends[revision] = len(events) > 0
		if m.IntN(2) == 0 && len(events) > 0 {
			// Its time is over: nobody asked. Else somebody did, and it is not named any more.
			w = Write{Actions: []Action{{Verb: Revoke, Lease: 999}}}
		} else {
			w = Write{Actions: []Action{{Verb: Revoke, Lease: lease}}}
		}
	default:
		// It was never done.
		put(simulatedKeys[m.IntN(8)])
		events, w.Answered = nil, false
	}
	if len(events) == 0 {
		w.Answered = false
	}
	w.Revision = revision
	m.h.Writes = append(m.h.Writes, w)
	if len(events) == 0 {
		return
	}
	for _, e := range events {
		m.prevs[e.KV] = m.s.live[e.KV.Key]
		if e.Deleted {
			m.s.drop(e.KV.Key)
		} else {
			m.s.set(e.KV)
		}
	}
	m.events = append(m.events, events)
}

// watch adds one with options by chance, and what resumes it.
func (m *simulation) watch() {
	w := &Watch{PrevKV: m.IntN(2) == 0, Fragment: m.IntN(3) == 0, NoPut: m.IntN(8) == 0, NoDelete: m.IntN(8) == 0}
	switch m.IntN(4) {
	case 0:
		w.Key = simulatedKeys[m.IntN(8)]
	case 1:
		w.Key, w.End = "a", "b"
	case 2:
		w.Key, w.End = "b1", "\x00"
	default:
		w.Key, w.End = "\x00", "\x00"
	}
	last := m.h.Last
	at := 1 + m.Int64N(last)
	switch m.IntN(4) {
	case 0:
	case 1:
		w.Start = at + 1 + m.Int64N(20)
	default:
		w.Start = 1 + m.Int64N(at)
	}
	till := last
	if m.IntN(2) == 0 {
		till = min(last, at+m.Int64N(60))
	}
	again := *w
	reached := m.add(w, at, till)
	if till < last && reached > 0 {
		again.Start, again.Resumes = reached+1, true
		m.add(&again, min(till+m.Int64N(10), last), last)
	}
}

// add lets a watch be created when the store is at one revision, and end when it is at another. It returns up to where
// everything was sent, or 0.
func (m *simulation) add(w *Watch, at, till int64) int64 {
	m.h.Watches = append(m.h.Watches, w)
	m.streams++
	w.Member, w.Stream, w.ID = fmt.Sprintf("m%d", m.streams%3+1), m.streams, int64(m.IntN(3))
	w.CompactedTo, w.Known = m.compacted[at], max(at-m.Int64N(5), 0)
	if till == m.h.Last {
		w.Owed = till
	}
	m.tell(w, Message{Kind: Created, Revision: at}, at)
	if w.Start > 0 && w.Start < w.CompactedTo && !w.Witness {
		m.tell(w, Message{Kind: Canceled, Compact: w.CompactedTo}, at)
		return 0
	}
	reached := int64(0)
	next := at + 1
	if w.Start > at {
		next = w.Start
	} else if w.Start > 0 {
		for begin := w.Start; begin <= at; {
			end := min(begin+m.Int64N(15), at)
			m.send(w, begin, end, at, at)
			begin = end + 1
		}
		reached = at
	}
	for now := next; now <= till; now++ {
		m.send(w, now, now, now, now)
		reached = now
		if m.IntN(8) == 0 {
			m.tell(w, Message{Kind: Progress, Revision: now}, now)
		}
	}
	if w.Owed == 0 && m.IntN(2) == 0 {
		w.CancelAsked = true
		m.tell(w, Message{Kind: Canceled, Revision: till}, till)
	}
	return reached
}

func (m *simulation) tell(w *Watch, message Message, now int64) {
	message.Asked = m.compacted[now]
	w.Messages = append(w.Messages, message)
}

// send sends what was changed in these revisions, cut into fragments by chance.
func (m *simulation) send(w *Watch, begin, end, revision, now int64) {
	var events []Event
	for _, changed := range m.events[begin : end+1] {
		for _, e := range changed {
			if !w.wants(e) {
				continue
			}
			if before := m.prevs[e.KV]; w.PrevKV && before != nil && (m.compacted[now] <= e.KV.Mod-1 || m.IntN(2) == 0) {
				e.Prev = before
			}
			events = append(events, e)
		}
	}
	for len(events) > 0 {
		n := len(events)
		if w.Fragment && m.IntN(2) == 0 {
			n = 1 + m.IntN(n)
		}
		m.tell(w, Message{Kind: Changes, Revision: revision, Events: slices.Clone(events[:n]), Fragment: n < len(events)}, now)
		events = events[n:]
	}
}
