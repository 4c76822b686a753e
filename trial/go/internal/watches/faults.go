package watches

import (
	"errors"
	"fmt"
	"slices"
)

// fault is one way of being wrong, planted once into a history that was right.
type fault struct {
	name  string
	plant func(m *simulation) bool // false: there is no place for it
	named []Anomaly                // one of these must be found
}

// spot is a place in what one watch was sent.
type spot struct {
	w *Watch
	n int // of the message
}

// spots are the messages of all watches but the witnesses for which a condition holds, in an order by chance.
func (m *simulation) spots(holds func(w *Watch, n int) bool) []spot {
	var all []spot
	for _, w := range m.h.Watches {
		for n := range w.Messages {
			if !w.Witness && holds(w, n) {
				all = append(all, spot{w, n})
			}
		}
	}
	m.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
	return all
}

// at plants at the first of these spots.
func at(holds func(w *Watch, n int) bool, change func(m *simulation, w *Watch, n int)) func(m *simulation) bool {
	return func(m *simulation) bool {
		all := m.spots(holds)
		if len(all) > 0 {
			change(m, all[0].w, all[0].n)
		}
		return len(all) > 0
	}
}

func has(events int) func(w *Watch, n int) bool {
	return func(w *Watch, n int) bool { return len(w.Messages[n].Events) >= events }
}

// goesOn says that something is sent after message n, which is not a fragment and no part of a chain.
func goesOn(w *Watch, n int) bool {
	return len(w.Messages[n].Events) > 0 && n > 1 && whole(w, n) && slices.ContainsFunc(w.Messages[n+1:], func(m Message) bool { return len(m.Events) > 0 })
}

func whole(w *Watch, n int) bool { return !w.Messages[n].Fragment && !w.Messages[n-1].Fragment }

func insert(w *Watch, n int, m Message) { w.Messages = slices.Insert(w.Messages, n, m) }

func drop(w *Watch, n int) { w.Messages = slices.Delete(w.Messages, n, n+1) }

// changeKV gives an event another content, in this place only.
func changeKV(w *Watch, n, event int, change func(kv *KV)) {
	kv := *w.Messages[n].Events[event].KV
	change(&kv)
	w.Messages[n].Events[event].KV = &kv
}

// everywhere changes what all were sent at one revision, witnesses too.
func (m *simulation) everywhere(revision int64, change func(events []Event) []Event) {
	for _, w := range m.h.Watches {
		for n := range w.Messages {
			message := &w.Messages[n]
			begin := slices.IndexFunc(message.Events, func(e Event) bool { return e.KV.Mod == revision })
			if begin < 0 {
				continue
			}
			end := begin
			for end < len(message.Events) && message.Events[end].KV.Mod == revision {
				end++
			}
			message.Events = slices.Concat(message.Events[:begin:begin], change(slices.Clone(message.Events[begin:end])), message.Events[end:])
		}
	}
}

// revisionWhere is one whose changes fulfil a condition, or 0.
func (m *simulation) revisionWhere(holds func(events []Event) bool) int64 {
	for _, revision := range m.Perm(len(m.events)) {
		if len(m.events[revision]) > 0 && holds(m.events[revision]) {
			return int64(revision)
		}
	}
	return 0
}

func (m *simulation) answered(revision int64) *Write {
	for i := range m.h.Writes {
		if w := &m.h.Writes[i]; w.Answered && w.Revision == revision && w.Actions[0].Verb != Revoke {
			return w
		}
	}
	return nil
}

var faults = []fault{
	{"an event is left out", at(goesOn, func(m *simulation, w *Watch, n int) { drop(w, n) }), []Anomaly{Reliable, Bookmark}},
	{"an event inside a message is left out", at(func(w *Watch, n int) bool {
		return len(w.Messages[n].Events) > 2 && w.Messages[n].Events[1].KV.Mod != w.Messages[n].Events[2].KV.Mod
	},
		func(m *simulation, w *Watch, n int) { w.Messages[n].Events = slices.Delete(w.Messages[n].Events, 1, 2) }), []Anomaly{Reliable}},
	{"the last event is left out", at(func(w *Watch, n int) bool {
		return w.Owed > 0 && len(w.Messages[n].Events) == 1 && n == len(w.Messages)-1 && !w.Messages[n-1].Fragment
	}, func(m *simulation, w *Watch, n int) { drop(w, n) }), []Anomaly{Unfinished}},
	{"the end of a revision is left out", at(func(w *Watch, n int) bool {
		events := w.Messages[n].Events
		return len(events) > 1 && !w.Messages[n].Fragment && events[len(events)-1].KV.Mod == events[len(events)-2].KV.Mod
	}, func(m *simulation, w *Watch, n int) {
		w.Messages[n].Events = w.Messages[n].Events[:len(w.Messages[n].Events)-1]
	}), []Anomaly{Atomic}},
	{"a revision comes in two messages", at(func(w *Watch, n int) bool {
		events := w.Messages[n].Events
		return len(events) > 1 && events[0].KV.Mod == events[1].KV.Mod && whole(w, n)
	}, func(m *simulation, w *Watch, n int) {
		rest := w.Messages[n]
		rest.Events, w.Messages[n].Events = rest.Events[1:], rest.Events[:1:1]
		insert(w, n+1, rest)
	}), []Anomaly{Atomic}},
	{"an event comes twice", at(func(w *Watch, n int) bool { return len(w.Messages[n].Events) > 0 && whole(w, n) },
		func(m *simulation, w *Watch, n int) { insert(w, n+1, w.Messages[n]) }), []Anomaly{Unique}},
	{"what was sent long ago comes again", at(func(w *Watch, n int) bool {
		return n > 4 && goesOn(w, n) && len(w.Messages[1].Events) > 0 && whole(w, 1)
	},
		func(m *simulation, w *Watch, n int) { insert(w, n+1, w.Messages[1]) }), []Anomaly{Unique}},
	{"two messages change their places", at(func(w *Watch, n int) bool {
		return goesOn(w, n) && len(w.Messages[n+1].Events) > 0 && whole(w, n+1)
	}, func(m *simulation, w *Watch, n int) {
		w.Messages[n], w.Messages[n+1] = w.Messages[n+1], w.Messages[n]
	}), []Anomaly{Order}},
	{"two events of a revision change their places", at(func(w *Watch, n int) bool {
		events := w.Messages[n].Events
		return len(events) > 1 && events[0].KV.Mod == events[1].KV.Mod
	}, func(m *simulation, w *Watch, n int) {
		events := w.Messages[n].Events
		events[0], events[1] = events[1], events[0]
	}), []Anomaly{Order}},
	{"another key's event is sent", func(m *simulation) bool {
		for _, s := range m.spots(has(1)) {
			revision := s.w.Messages[s.n].Events[0].KV.Mod
			for _, e := range m.events[revision] {
				if !s.w.covers(e.KV.Key) {
					s.w.Messages[s.n].Events = slices.Insert(s.w.Messages[s.n].Events, 0, e)
					return true
				}
			}
		}
		return false
	}, []Anomaly{Filter}},
	{"a filtered event is sent", func(m *simulation) bool {
		for _, s := range m.spots(func(w *Watch, n int) bool { return (w.NoPut || w.NoDelete) && len(w.Messages[n].Events) > 0 }) {
			for _, e := range m.events[s.w.Messages[s.n].Events[0].KV.Mod] {
				if s.w.covers(e.KV.Key) && !s.w.wants(e) {
					s.w.Messages[s.n].Events = slices.Insert(s.w.Messages[s.n].Events, 0, e)
					return true
				}
			}
		}
		return false
	}, []Anomaly{Filter}},
	{"a value is another", at(has(1), func(m *simulation, w *Watch, n int) { changeKV(w, n, 0, func(kv *KV) { kv.Value += "?" }) }), []Anomaly{Invented}},
	{"a new key is sent as an old one", at(func(w *Watch, n int) bool {
		return slices.ContainsFunc(w.Messages[n].Events, func(e Event) bool { return e.KV.Version == 1 })
	}, func(m *simulation, w *Watch, n int) {
		i := slices.IndexFunc(w.Messages[n].Events, func(e Event) bool { return e.KV.Version == 1 })
		changeKV(w, n, i, func(kv *KV) { kv.Create--; kv.Version++ })
	}), []Anomaly{Invented}},
	{"an old key is sent as a new one", at(func(w *Watch, n int) bool {
		return len(w.Messages[n].Events) > 0 && w.Messages[n].Events[0].KV.Version > 1
	},
		func(m *simulation, w *Watch, n int) {
			changeKV(w, n, 0, func(kv *KV) { kv.Create, kv.Version = kv.Mod, 1 })
		}), []Anomaly{Invented}},
	{"a put is sent as a deletion", at(func(w *Watch, n int) bool { return len(w.Messages[n].Events) > 0 && !w.Messages[n].Events[0].Deleted },
		func(m *simulation, w *Watch, n int) { w.Messages[n].Events[0].Deleted = true }), []Anomaly{Invented}},
	{"progress is ahead of the events", at(goesOn, func(m *simulation, w *Watch, n int) {
		revision := w.Messages[n].Events[0].KV.Mod
		insert(w, n, Message{Kind: Progress, Revision: revision, Whole: m.IntN(2) == 0})
	}), []Anomaly{Bookmark}},
	{"progress goes back", at(func(w *Watch, n int) bool {
		return w.Messages[n].Kind == Progress && w.Messages[n].Revision > w.Start+1
	},
		func(m *simulation, w *Watch, n int) {
			again := w.Messages[n]
			again.Revision--
			insert(w, n+1, again)
		}), []Anomaly{Backwards}},
	{"progress is told before the start is reached", at(func(w *Watch, n int) bool { return n == 0 && w.Start > w.Messages[0].Revision+1 },
		func(m *simulation, w *Watch, n int) {
			insert(w, 1, Message{Kind: Progress, Revision: w.Messages[0].Revision})
		}), []Anomaly{Ahead}},
	{"progress is ahead of the store", at(func(w *Watch, n int) bool {
		return w.Owed > 0 && n == len(w.Messages)-1 && n > 0 && !w.Messages[n].Fragment && w.Messages[n].Kind != Canceled
	},
		func(m *simulation, w *Watch, n int) {
			insert(w, n+1, Message{Kind: Progress, Revision: m.h.Last + 1})
		}), []Anomaly{Backwards}},
	{"an event from before the start", func(m *simulation) bool {
		for _, s := range m.spots(func(w *Watch, n int) bool { return n == 1 && w.Start > 2 && len(w.Messages[n].Events) > 0 }) {
			for revision := s.w.Start - 1; revision > 1; revision-- {
				for _, e := range m.events[revision] {
					if s.w.wants(e) {
						s.w.Messages[1].Events = slices.Insert(s.w.Messages[1].Events, 0, e)
						return true
					}
				}
			}
		}
		return false
	}, []Anomaly{Early}},
	{"a watch from now on is sent the past", func(m *simulation) bool {
		for _, s := range m.spots(func(w *Watch, n int) bool {
			return n == 1 && w.Start == 0 && len(w.Messages[n].Events) > 0 && w.Known > 1
		}) {
			for revision := s.w.Known; revision > 1; revision-- {
				for _, e := range m.events[revision] {
					if s.w.wants(e) {
						s.w.Messages[1].Events = slices.Insert(s.w.Messages[1].Events, 0, e)
						return true
					}
				}
			}
		}
		return false
	}, []Anomaly{Early}},
	{"a resumed watch misses the first events", func(m *simulation) bool {
		for _, s := range m.spots(func(w *Watch, n int) bool {
			return n == 1 && w.Resumes && len(w.Messages[n].Events) > 0 && goesOnFrom(w, n)
		}) {
			events := s.w.Messages[1].Events
			if rest := slices.DeleteFunc(slices.Clone(events), func(e Event) bool { return e.KV.Mod == events[0].KV.Mod }); len(rest) > 0 {
				s.w.Messages[1].Events = rest
			} else {
				drop(s.w, 1)
			}
			return true
		}
		return false
	}, []Anomaly{Resumable, Bookmark}},
	{"a previous value is missing", at(prevWhere(func(w *Watch, n int, e Event) bool { return w.Messages[n].Asked <= e.KV.Mod-1 }),
		func(m *simulation, w *Watch, n int) { w.Messages[n].Events[0].Prev = nil }), []Anomaly{PrevKV}},
	{"a previous value is an older one", at(prevWhere(func(w *Watch, n int, e Event) bool { return true }),
		func(m *simulation, w *Watch, n int) {
			older := *w.Messages[n].Events[0].Prev
			older.Mod, older.Version = older.Mod-1, older.Version-1
			w.Messages[n].Events[0].Prev = &older
		}), []Anomaly{PrevKV}},
	{"a previous value is sent unasked", at(func(w *Watch, n int) bool { return !w.PrevKV && len(w.Messages[n].Events) > 0 },
		func(m *simulation, w *Watch, n int) { w.Messages[n].Events[0].Prev = w.Messages[n].Events[0].KV }), []Anomaly{PrevKV}},
	{"a new key has a previous value", at(func(w *Watch, n int) bool {
		return w.PrevKV && len(w.Messages[n].Events) > 0 && w.Messages[n].Events[0].KV.Version == 1
	}, func(m *simulation, w *Watch, n int) { w.Messages[n].Events[0].Prev = w.Messages[n].Events[0].KV }), []Anomaly{PrevKV}},
	{"a watch is ended by no compaction", at(func(w *Watch, n int) bool {
		return n > 0 && n == len(w.Messages)-1 && !w.Messages[n].Fragment && w.Messages[n].Kind != Canceled
	},
		func(m *simulation, w *Watch, n int) {
			insert(w, n+1, Message{Kind: Canceled, Compact: max(m.h.Last, w.Start+1), Asked: w.Messages[n].Asked})
		}), []Anomaly{Compacted}},
	{"a compaction ends a watch that was further", at(func(w *Watch, n int) bool {
		return n > 1 && n == len(w.Messages)-1 && !w.Messages[n].Fragment && len(w.Messages[n].Events) > 0 && w.Messages[n].Asked > 0
	}, func(m *simulation, w *Watch, n int) {
		insert(w, n+1, Message{Kind: Canceled, Compact: w.Messages[n].Asked, Asked: w.Messages[n].Asked})
	}), []Anomaly{Compacted}},
	{"a watch from before a compaction gets the rest", at(func(w *Watch, n int) bool { return w.Messages[n].Kind == Canceled && w.Messages[n].Compact != 0 },
		func(m *simulation, w *Watch, n int) {
			drop(w, n)
			for revision := w.Messages[0].Revision; revision <= m.h.Last; revision++ {
				m.send(w, revision, revision, revision, revision)
			}
		}), []Anomaly{Unended}},
	{"a watch ends without a word", at(func(w *Watch, n int) bool {
		return w.Owed > 0 && n > 0 && n == len(w.Messages)-1 && w.Messages[n].Kind != Canceled && !w.Messages[n].Fragment
	},
		func(m *simulation, w *Watch, n int) { insert(w, n+1, Message{Kind: Canceled}) }), []Anomaly{Protocol}},
	{"an event after the end", at(func(w *Watch, n int) bool {
		return n > 1 && w.Messages[n].Kind == Canceled && len(w.Messages[n-1].Events) > 0 && !w.Messages[n-1].Fragment
	},
		func(m *simulation, w *Watch, n int) { insert(w, n+1, w.Messages[n-1]) }), []Anomaly{Protocol}},
	{"an event before the watch is created", at(func(w *Watch, n int) bool { return n == 1 && len(w.Messages[n].Events) > 0 && !w.Messages[1].Fragment },
		func(m *simulation, w *Watch, n int) {
			w.Messages[0], w.Messages[1] = w.Messages[1], w.Messages[0]
		}), []Anomaly{Protocol}},
	{"fragments nobody asked for", at(func(w *Watch, n int) bool { return !w.Fragment && len(w.Messages[n].Events) > 0 },
		func(m *simulation, w *Watch, n int) { w.Messages[n].Fragment = true }), []Anomaly{Protocol}},
	{"the last fragment does not say so", at(func(w *Watch, n int) bool {
		return w.Fragment && w.Owed > 0 && n == len(w.Messages)-1 && len(w.Messages[n].Events) > 0
	},
		func(m *simulation, w *Watch, n int) { w.Messages[n].Fragment = true }), []Anomaly{Unfinished}},
	{"a long message is not cut", at(func(w *Watch, n int) bool { return w.Fragment && n > 1 && len(w.Messages[n].Events) > 1 },
		func(m *simulation, w *Watch, n int) { w.Messages[n].Bytes = Limit }), []Anomaly{Protocol}},
	{"members differ", func(m *simulation) bool {
		w := m.h.Watches[m.IntN(2)]
		n := 1 + m.IntN(len(w.Messages)-1)
		if len(w.Messages[n].Events) == 0 {
			return false
		}
		changeKV(w, n, 0, func(kv *KV) { kv.Value += "?" })
		return true
	}, []Anomaly{Disagree}},
	{"an acknowledged write is not there", func(m *simulation) bool {
		revision := m.revisionWhere(func(events []Event) bool { return m.answered(events[0].KV.Mod) != nil })
		if revision == 0 {
			return false
		}
		m.everywhere(revision, func(events []Event) []Event { return nil })
		m.emptyMessages()
		return true
	}, []Anomaly{Gap}},
	{"the last write is forgotten", func(m *simulation) bool {
		for revision := m.h.Last; revision > m.h.Last-3; revision-- {
			if m.answered(revision) != nil {
				for ; m.h.Last >= revision; m.h.Last-- {
					m.everywhere(m.h.Last, func(events []Event) []Event { return nil })
				}
				m.emptyMessages()
				return true
			}
		}
		return false
	}, []Anomaly{Lost}},
	{"half of a transaction is there", func(m *simulation) bool {
		revision := m.revisionWhere(func(events []Event) bool { return len(events) > 1 && m.answered(events[0].KV.Mod) != nil })
		if revision == 0 {
			return false
		}
		first := m.events[revision][0]
		m.everywhere(revision, func(events []Event) []Event {
			return slices.DeleteFunc(events, func(e Event) bool { return e.KV == first.KV })
		})
		m.emptyMessages()
		return true
	}, []Anomaly{WrongEvent}},
	{"something is written that nobody asked for", func(m *simulation) bool {
		revision := m.revisionWhere(func(events []Event) bool { return !events[0].Deleted })
		if revision == 0 {
			return false
		}
		m.h.Writes = slices.DeleteFunc(m.h.Writes, func(w Write) bool { return w.Revision == revision })
		return true
	}, []Anomaly{Unasked}},
	{"a version does not follow", func(m *simulation) bool {
		revision := m.revisionWhere(func(events []Event) bool { return events[0].KV.Version > 1 })
		if revision == 0 {
			return false
		}
		m.events[revision][0].KV.Version++ // all that were sent it share it
		return true
	}, []Anomaly{WrongCount}},
	{"a lease leaves a key behind", func(m *simulation) bool {
		revision := m.revisionWhere(func(events []Event) bool { return len(events) > 1 && m.ends[events[0].KV.Mod] })
		if revision == 0 {
			return false
		}
		first := m.events[revision][0]
		m.everywhere(revision, func(events []Event) []Event {
			return slices.DeleteFunc(events, func(e Event) bool { return e.KV == first.KV })
		})
		m.emptyMessages()
		return true
	}, []Anomaly{LeaseTorn, WrongCount}}, // an unknown deletion of the others may explain it, until the key is there again
}

// emptyMessages takes out those that nothing is left of.
func (m *simulation) emptyMessages() {
	for _, w := range m.h.Watches {
		w.Messages = slices.DeleteFunc(w.Messages, func(m Message) bool { return m.Kind == Changes && len(m.Events) == 0 })
	}
}

func goesOnFrom(w *Watch, n int) bool {
	return whole(w, n) && slices.ContainsFunc(w.Messages[n+1:], func(m Message) bool { return len(m.Events) > 0 })
}

func prevWhere(holds func(w *Watch, n int, e Event) bool) func(w *Watch, n int) bool {
	return func(w *Watch, n int) bool {
		return len(w.Messages[n].Events) > 0 && w.Messages[n].Events[0].Prev != nil && holds(w, n, w.Messages[n].Events[0])
	}
}

// SelfTest judges the checker: histories that are right must pass, and each with a fault must not. It calls report for
// every sort of history, with an error if the checker was wrong.
func SelfTest(firstSeed uint64, legal, illegal int, report func(what string, err error)) {
	accepted := 0
	var errs []error
	for seed := firstSeed; seed < firstSeed+uint64(legal); seed++ {
		if found := Check(simulate(seed).h); len(found) > 0 {
			errs = append(errs, fmt.Errorf("seed %d: %v", seed, found[0]))
			continue
		}
		accepted++
	}
	report(fmt.Sprintf("%d of %d histories without a fault accepted", accepted, legal), errors.Join(errs...))
	for _, f := range faults {
		noticed, err := 0, error(nil)
		for seed := firstSeed; noticed < illegal && err == nil; seed++ {
			if seed == firstSeed+uint64(illegal)*100 {
				err = errors.New("there was no place for it")
				break
			}
			m := simulate(seed)
			if !f.plant(m) {
				continue
			}
			found := Check(m.h)
			if !slices.ContainsFunc(found, func(v Violation) bool { return slices.Contains(f.named, v.Anomaly) }) {
				err = fmt.Errorf("seed %d: found %v, and not %q", seed, found, f.named)
				break
			}
			noticed++
		}
		report(fmt.Sprintf("noticed %d times: %s", noticed, f.name), err)
	}
}
