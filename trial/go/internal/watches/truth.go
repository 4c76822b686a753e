package watches

import (
	"fmt"
	"slices"
	"strings"
)

// truth is every change there was, in order.
type truth struct {
	events []Event       // by revision, and in the order inside each
	prevs  []*KV         // of each event, what the key was before; nil: it was not there
	begins map[int64]int // of a revision, its first event
	last   int64
}

// from is the index of the first event at or after a revision.
func (t *truth) from(revision int64) int {
	if revision > t.last {
		return len(t.events)
	}
	return t.begins[max(revision, 2)]
}

// find is the index of an event like this one, or -1.
func (t *truth) find(e Event) int {
	begin, there := t.begins[e.KV.Mod]
	for i := begin; there && i < len(t.events) && t.events[i].KV.Mod == e.KV.Mod; i++ {
		if same(t.events[i], e) {
			return i
		}
	}
	return -1
}

// checker gathers what is wrong.
type checker struct {
	h     *History
	truth *truth
	found []Violation

	reported  map[Anomaly]int
	tolerated map[string]int // as the history is etcd's
}

const foundMax = 20 // of each sort

func (c *checker) report(a Anomaly, where any, format string, args ...any) {
	if c.reported == nil {
		c.reported = map[Anomaly]int{}
	}
	if c.reported[a]++; c.reported[a] <= foundMax {
		c.found = append(c.found, Violation{a, fmt.Sprint(where), fmt.Sprintf(format, args...)})
	}
}

// testify makes the truth from the witnesses. It fails where they differ, or none has seen a revision.
func (c *checker) testify() {
	seen := map[int64][]Event{}
	by := map[int64]*Watch{}
	for _, w := range c.h.Watches {
		if !w.Witness {
			continue
		}
		for revision, events := range byRevision(w) {
			if before, there := seen[revision]; !there {
				seen[revision], by[revision] = events, w
			} else if !slices.EqualFunc(before, events, same) {
				c.report(Disagree, w, "at revision %d it was sent %v, and %v was sent %v", revision, events, by[revision], before)
			}
		}
	}
	t := &truth{begins: map[int64]int{}, last: c.h.Last}
	for revision := int64(2); revision <= c.h.Last; revision++ {
		t.begins[revision] = len(t.events)
		if len(seen[revision]) == 0 {
			c.report(Gap, fmt.Sprintf("revision %d of %d", revision, c.h.Last), "no witness has seen it")
			continue
		}
		t.events = append(t.events, seen[revision]...)
	}
	for revision := range seen {
		if revision > c.h.Last {
			c.report(Unasked, by[revision], "revision %d came after the last one, %d", revision, c.h.Last)
		}
	}
	c.truth = t
}

// byRevision are the whole revisions that a watch was sent: the last one may not have come to its end.
func byRevision(w *Watch) map[int64][]Event {
	seen := map[int64][]Event{}
	cut := int64(0)
	for _, m := range w.Messages {
		for _, e := range m.Events {
			seen[e.KV.Mod] = append(seen[e.KV.Mod], e)
		}
		if n := len(m.Events); n > 0 {
			cut = 0
			if m.Fragment {
				cut = m.Events[n-1].KV.Mod
			}
		}
	}
	delete(seen, cut)
	return seen
}

// state is what the store holds while the truth is replayed.
type state struct {
	live   map[string]*KV
	leased map[int64]map[string]bool
}

func (s *state) set(kv *KV) {
	s.drop(kv.Key)
	s.live[kv.Key] = kv
	if kv.Lease != 0 {
		if s.leased[kv.Lease] == nil {
			s.leased[kv.Lease] = map[string]bool{}
		}
		s.leased[kv.Lease][kv.Key] = true
	}
}

func (s *state) drop(key string) {
	if before := s.live[key]; before != nil && before.Lease != 0 {
		delete(s.leased[before.Lease], key)
	}
	delete(s.live, key)
}

// replay checks the truth by itself, and beside what was asked for.
func (c *checker) replay() {
	t := c.truth
	answered := map[int64]*Write{}
	revoked := map[int64]int64{} // by lease, the revision of the answer
	unknown := map[string]bool{} // what a write of unknown outcome may have put, by its values
	deletions := []*Write{}
	for i := range c.h.Writes {
		write := &c.h.Writes[i]
		switch {
		case len(write.Actions) == 1 && write.Actions[0].Verb == Revoke:
			if write.Answered {
				revoked[write.Actions[0].Lease] = write.Revision
			}
		case write.Answered:
			if other := answered[write.Revision]; other != nil {
				c.report(Lost, fmt.Sprintf("revision %d", write.Revision), "two acknowledged writes name it: %v and %v", *other, *write)
			}
			answered[write.Revision] = write
		default:
			if puts := signature(putsOf(write)); puts != "" {
				unknown[puts] = true
			} else {
				deletions = append(deletions, write)
			}
		}
	}
	s := &state{live: map[string]*KV{}, leased: map[int64]map[string]bool{}}
	t.prevs = make([]*KV, len(t.events))
	for revision := int64(2); revision <= t.last; revision++ {
		begin, end := t.from(revision), t.from(revision+1)
		events := t.events[begin:end]
		if len(events) == 0 {
			continue // told already
		}
		c.attribute(revision, events, answered[revision], unknown, deletions, s)
		delete(answered, revision)
		for i, e := range events {
			t.prevs[begin+i] = s.live[e.KV.Key]
			c.apply(s, e)
		}
	}
	for lease, at := range revoked {
		for _, e := range t.events[t.from(at+1):] {
			if e.KV.Lease == lease {
				c.report(LeaseTorn, fmt.Sprintf("lease %d", lease), "it was revoked at revision %d, and %v", at, e)
				break
			}
		}
		if keys := s.leased[lease]; len(keys) > 0 {
			c.report(LeaseTorn, fmt.Sprintf("lease %d", lease), "it was revoked at revision %d, and has keys at the end: %v", at, keys)
		}
	}
	for revision, write := range answered {
		c.report(Lost, fmt.Sprintf("revision %d", revision), "of %d; acknowledged was %v", t.last, *write)
	}
}

// apply checks that a change follows from what was before.
func (c *checker) apply(s *state, e Event) {
	before := s.live[e.KV.Key]
	if e.Deleted {
		if before == nil {
			c.report(WrongCount, e, "the key was not there")
		}
		if *e.KV != (KV{Key: e.KV.Key, Mod: e.KV.Mod}) {
			c.report(WrongEvent, e, "a deletion has more than a key and its revision: %v", *e.KV)
		}
		s.drop(e.KV.Key)
		return
	}
	create, version := e.KV.Mod, int64(1)
	if before != nil {
		create, version = before.Create, before.Version+1
	}
	if e.KV.Create != create || e.KV.Version != version {
		c.report(WrongCount, e, "it must be created %d, version %d", create, version)
	}
	s.set(e.KV)
}

// attribute finds who has asked for a revision.
func (c *checker) attribute(revision int64, events []Event, write *Write, unknown map[string]bool, deletions []*Write, s *state) {
	where := fmt.Sprintf("revision %d", revision)
	if write != nil {
		if want := effects(write); !slices.Equal(want, changes(events)) {
			c.report(WrongEvent, where, "acknowledged was %v, and there is %v", want, events)
		}
		return
	}
	if puts := signature(putsIn(events)); puts != "" {
		if !unknown[puts] {
			c.report(Unasked, where, "%v", events)
		}
		delete(unknown, puts)
		return
	}
	if s.endsLease(events) || slices.ContainsFunc(deletions, func(w *Write) bool { return s.couldDelete(w, events) }) {
		return
	}
	// The keys of a lease, but not all, or not together, is what this looks like where they had one.
	if before := s.live[events[0].KV.Key]; before != nil && before.Lease != 0 {
		c.report(LeaseTorn, where, "%v, and the lease %d has %d keys", events, before.Lease, len(s.leased[before.Lease]))
		return
	}
	c.report(Unasked, where, "%v", events)
}

// endsLease says whether these are the keys of one lease, all of them, and in order.
func (s *state) endsLease(events []Event) bool {
	before := s.live[events[0].KV.Key]
	if before == nil || before.Lease == 0 || len(s.leased[before.Lease]) != len(events) {
		return false
	}
	for i, e := range events {
		if !s.leased[before.Lease][e.KV.Key] || i > 0 && e.KV.Key <= events[i-1].KV.Key {
			return false
		}
	}
	return true
}

// couldDelete says whether a write of deletions alone would do just this now.
func (s *state) couldDelete(w *Write, events []Event) bool {
	var want []string
	for _, a := range w.Actions {
		if a.Verb != Delete {
			return false
		}
		for key := range s.live {
			one := Watch{Key: a.Key, End: a.End}
			if one.covers(key) {
				want = append(want, key)
			}
		}
	}
	if len(want) != len(events) {
		return false
	}
	for _, e := range events {
		if !slices.Contains(want, e.KV.Key) {
			return false
		}
	}
	return true
}

// effects are what an acknowledged write has changed, in order, as words that can be compared.
func effects(w *Write) []string {
	var all []string
	for _, a := range w.Actions {
		switch a.Verb {
		case Put:
			all = append(all, putWords(a.Key, a.Value, a.Lease))
		case Delete:
			for _, key := range a.Deleted {
				all = append(all, "DELETE "+key)
			}
		case Revoke:
		}
	}
	return all
}

func changes(events []Event) []string {
	var all []string
	for _, e := range events {
		if e.Deleted {
			all = append(all, "DELETE "+e.KV.Key)
		} else {
			all = append(all, putWords(e.KV.Key, e.KV.Value, e.KV.Lease))
		}
	}
	return all
}

func putWords(key, value string, lease int64) string {
	return fmt.Sprintf("PUT %s=%s lease %d", key, value, lease)
}

func putsOf(w *Write) []string {
	var puts []string
	for _, a := range w.Actions {
		if a.Verb == Put {
			puts = append(puts, putWords(a.Key, a.Value, a.Lease))
		}
	}
	return puts
}

func putsIn(events []Event) []string {
	var puts []string
	for _, e := range events {
		if !e.Deleted {
			puts = append(puts, putWords(e.KV.Key, e.KV.Value, e.KV.Lease))
		}
	}
	return puts
}

func signature(puts []string) string { return strings.Join(puts, "; ") }
