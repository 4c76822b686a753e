package history

import (
	"fmt"
	"math/rand/v2"
)

// Workload makes the requests of one client: on few keys, so that clients meet, and guarded by what the client believes
// to be there, so that guards hold and fail.
type Workload struct {
	client   int
	random   *rand.Rand
	keys     []string
	values   int // so many made: each is another one
	seen     map[string]KV
	revision int64
}

// NewWorkload makes a workload; its requests depend on the random numbers and on what it learns.
func NewWorkload(client int, random *rand.Rand, keys []string) *Workload {
	return &Workload{client: client, random: random, keys: keys, seen: map[string]KV{}, revision: 1}
}

// Keys are so many keys, in order.
func Keys(n int) []string {
	keys := make([]string, n)
	for i := range keys {
		keys[i] = fmt.Sprintf("k%02d", i)
	}
	return keys
}

// KeysEnd is behind all Keys.
const KeysEnd = "l"

// Next is the client's next request.
func (w *Workload) Next() Request {
	switch n := w.random.IntN(100); {
	case n < 30:
		return Request{Then: []Action{w.put(w.key())}}
	case n < 38:
		return Request{Then: []Action{{Verb: Delete, Key: w.key(), Previous: w.coin()}}}
	case n < 41:
		return Request{Then: []Action{w.span(Delete, 3)}}
	case n < 63:
		return w.transaction()
	case n < 75:
		return Request{Then: []Action{{Verb: Read, Key: w.key()}}}
	case n < 83:
		return Request{Then: []Action{w.span(Read, len(w.keys))}}
	case n < 89:
		return Request{Then: []Action{{Verb: Read, Key: w.key()}}, Serializable: true}
	case n < 95:
		return Request{Then: []Action{w.span(Read, len(w.keys))}, Serializable: true}
	default:
		return Request{Then: []Action{w.span(Read, len(w.keys))}, At: 1 + w.random.Int64N(w.revision), Serializable: w.coin()}
	}
}

func (w *Workload) coin() bool { return w.random.IntN(2) == 0 }

func (w *Workload) key() string { return w.keys[w.random.IntN(len(w.keys))] }

func (w *Workload) put(key string) Action {
	w.values++
	return Action{Verb: Put, Key: key, Value: fmt.Sprintf("%d.%d", w.client, w.values), Previous: w.coin()}
}

// span is an action on at most so many neighbours, or on everything there is.
func (w *Workload) span(verb Verb, most int) Action {
	from := w.random.IntN(len(w.keys))
	end := KeysEnd
	if to := from + 1 + w.random.IntN(most); to < len(w.keys) {
		end = w.keys[to]
	}
	return Action{Verb: verb, Key: w.keys[from], End: end, Previous: verb == Delete && w.coin()}
}

// transaction is guarded by one or two keys. If they are as believed, it writes several keys and reads some; else it
// reads, or writes another key. A branch that deletes puts something as well, so that its doer can be told.
func (w *Workload) transaction() Request {
	order := w.random.Perm(len(w.keys))
	guarded, written := order[:1+w.random.IntN(2)], order[2:]
	var request Request
	for _, i := range guarded {
		request.Guards = append(request.Guards, w.guard(w.keys[i]))
	}
	if w.coin() {
		request.Then = append(request.Then, w.span(Read, len(w.keys)))
	}
	for _, i := range guarded {
		request.Then = append(request.Then, w.put(w.keys[i]))
	}
	for _, i := range written[:min(len(written), w.random.IntN(3))] {
		if w.random.IntN(3) == 0 {
			request.Then = append(request.Then, Action{Verb: Delete, Key: w.keys[i], Previous: w.coin()})
		} else {
			request.Then = append(request.Then, w.put(w.keys[i]))
		}
	}
	if w.coin() {
		request.Then = append(request.Then, w.span(Read, len(w.keys)))
	}
	if w.random.IntN(4) == 0 {
		request.Else = append(request.Else, w.put(w.key()))
	}
	request.Else = append(request.Else, w.span(Read, len(w.keys)))
	return request
}

func (w *Workload) guard(key string) Guard {
	believed, there := w.seen[key]
	switch w.random.IntN(3) {
	case 0:
		return Guard{Key: key, Target: ModRevision, Number: believed.Mod}
	case 1:
		return Guard{Key: key, Target: Version, Number: believed.Version}
	default:
		if !there {
			return Guard{Key: key, Target: Version}
		}
		return Guard{Key: key, Target: Value, Value: believed.Value}
	}
}

// Learn takes what an answer says into what the client believes.
func (w *Workload) Learn(op *Op) {
	if op.Outcome != Answered {
		return
	}
	w.revision = max(w.revision, op.Answer.Revision)
	for i, action := range op.taken() {
		if action.Verb == Read && i < len(op.Answer.Results) && op.Request.At == 0 {
			w.forget(action)
			for _, kv := range op.Answer.Results[i].KVs {
				w.seen[kv.Key] = kv
			}
		}
	}
}

func (w *Workload) forget(read Action) {
	for _, key := range w.keys {
		if key == read.Key || key > read.Key && key < read.End {
			delete(w.seen, key)
		}
	}
}
