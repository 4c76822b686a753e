package history

import (
	"slices"
	"sort"
)

// model is a store with all its past: what each key was from which revision on.
type model struct {
	last int64
	keys []string // ordered, all that ever were
	past map[string][]Event
}

func newModel() *model { return &model{last: 1, past: map[string][]Event{}} }

// apply makes a change the next revision, whether or not it makes sense.
func (m *model) apply(change Change) {
	m.last = change.Revision
	for _, e := range change.Events {
		if _, known := m.past[e.Key]; !known {
			at, _ := slices.BinarySearch(m.keys, e.Key)
			m.keys = slices.Insert(m.keys, at, e.Key)
		}
		m.past[e.Key] = append(m.past[e.Key], e)
	}
}

// at is a key in the state of a revision.
func (m *model) at(key string, revision int64) (KV, bool) {
	events := m.past[key]
	after := sort.Search(len(events), func(i int) bool { return events[i].Mod > revision })
	if after == 0 || events[after-1].Deleted {
		return KV{}, false
	}
	return events[after-1].KV, true
}

// state is a revision of the model, and on top of it what a transaction has changed so far.
type state struct {
	*model
	revision int64
	changed  []Event // ordered by key
}

func (s *state) get(key string) (KV, bool) {
	if i, found := slices.BinarySearchFunc(s.changed, Event{KV: KV{Key: key}}, byKey); found {
		return s.changed[i].KV, !s.changed[i].Deleted
	}
	return s.at(key, s.revision)
}

// list is what is there of the keys of an action.
func (s *state) list(a Action) []KV {
	if a.End == "" {
		if kv, there := s.get(a.Key); there {
			return []KV{kv}
		}
		return nil
	}
	var found []KV
	for _, key := range s.known() {
		if key < a.Key || key >= a.End {
			continue
		}
		if kv, there := s.get(key); there {
			found = append(found, kv)
		}
	}
	return found
}

// known are all keys, ordered, and with those that are new in this transaction.
func (s *state) known() []string {
	keys := s.keys
	for _, e := range s.changed {
		if at, known := slices.BinarySearch(keys, e.Key); !known {
			keys = slices.Insert(slices.Clone(keys), at, e.Key)
		}
	}
	return keys
}

func (s *state) set(e Event) {
	i, found := slices.BinarySearchFunc(s.changed, e, byKey)
	if found {
		s.changed[i] = e
		return
	}
	s.changed = slices.Insert(s.changed, i, e)
}

func (s *state) holds(g Guard) bool {
	kv, there := s.get(g.Key)
	switch g.Target {
	case ModRevision:
		return kv.Mod == g.Number
	case Version:
		return kv.Version == g.Number
	case Value:
		return there && kv.Value == g.Value
	}
	panic("no such target")
}

// run is what a store in the state of a revision does with a request: its answer, and the change that it becomes.
func (m *model) run(request Request, revision int64) (Answer, Change) {
	s := &state{model: m, revision: revision}
	answer := Answer{Revision: revision, Succeeded: true}
	for _, guard := range request.Guards {
		answer.Succeeded = answer.Succeeded && s.holds(guard)
	}
	branch := request.Then
	if !answer.Succeeded {
		branch = request.Else
	}
	if request.At != 0 {
		s.revision = request.At
	}
	for _, action := range branch {
		answer.Results = append(answer.Results, s.act(action, revision+1))
	}
	if len(s.changed) > 0 {
		answer.Revision++
	}
	return answer, Change{revision + 1, s.changed}
}

func (s *state) act(a Action, revision int64) Result {
	found := s.list(a)
	var result Result
	switch a.Verb {
	case Read:
		return Result{KVs: found, Count: int64(len(found))}
	case Put:
		kv := KV{Key: a.Key, Value: a.Value, Create: revision, Mod: revision, Version: 1}
		if len(found) > 0 {
			kv.Create, kv.Version = found[0].Create, found[0].Version+1
		}
		s.set(Event{KV: kv})
	case Delete:
		for _, kv := range found {
			s.set(Event{KV: KV{Key: kv.Key, Mod: revision}, Deleted: true})
		}
		result.Count = int64(len(found))
	}
	if a.Previous {
		result.KVs = found
	}
	return result
}
