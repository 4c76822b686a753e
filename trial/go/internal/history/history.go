// Package history decides whether what clients of a key-value store saw is strictly serializable.
//
// Deciding this by search is expensive, but etcd's answers carry revisions: the order of all writes is known, and what is
// left is to check, in time linear in the number of operations and with whole transactions over many keys, that
//
//   - what the store says it did, revision by revision, is what was asked, each at most once, everything acknowledged,
//     and all of each transaction or nothing of it (the log);
//   - every answer is the one that a store in the state of its revision gives, previous values, counts and versions
//     included;
//   - real time is respected: an answer's revision is not below one that was known before the request was sent, and not
//     above one that somebody had asked for before the answer came;
//   - a serializable read, which need not be recent, shows some state of the past, and one process of a member never goes
//     back to an older one.
//
// An operation whose outcome its client does not know may have happened, at any time after its request, or not. As
// every put carries a value of its own, the log tells; a plain delete is found by what it deleted.
package history

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"time"
)

// Never is the return of what was not answered.
const Never = time.Duration(math.MaxInt64)

// KV is a key as the store shows it.
type KV struct {
	Key, Value           string
	Create, Mod, Version int64
}

// Target is what a guard looks at.
type Target int

const (
	ModRevision Target = iota
	Version
	Value
)

// Guard demands that a key's target is equal to something. Of a key that is not there, numbers are 0, and no value is
// equal to its value.
type Guard struct {
	Key    string
	Target Target
	Number int64
	Value  string
}

// Verb is what an action does.
type Verb int

const (
	Put Verb = iota
	Delete
	Read
)

// Action is a part of a request, on one key, or on those from Key to before End if there is an End. Nobody puts the same
// value twice in a history.
type Action struct {
	Verb     Verb
	Key, End string
	Value    string
	Previous bool // of a put or delete: answer what was there before
}

// Request is a transaction; a plain put, delete or read is one without guards and with one action.
type Request struct {
	Guards       []Guard
	Then, Else   []Action
	Serializable bool  // a plain read that may be old
	At           int64 // a plain read of this past revision, if not 0
}

// Result is the answer to one action.
type Result struct {
	KVs   []KV // what a read found, or what was there before
	Count int64
}

// Answer is the answer to a request.
type Answer struct {
	Revision  int64
	Succeeded bool
	Results   []Result // of the branch that was taken
}

// Outcome is what a client knows about its operation.
type Outcome int

const (
	Answered Outcome = iota
	Unknown          // it may have happened, or may still happen
	Refused          // it has not happened and will not
)

// Op is one operation.
type Op struct {
	Client         int
	Member         string
	Session        int // number of the member's process; 0 if the operation may have met two of them
	Invoke, Return time.Duration
	Request        Request
	Outcome        Outcome
	Answer         Answer
}

// Event is a change of one key. Of a deletion only key and Mod are set.
type Event struct {
	KV
	Deleted bool
}

// Change is what happened at one revision, ordered by key.
type Change struct {
	Revision int64
	Events   []Event
}

// Log is everything that a member says has happened, from revision 2 on: 1 is the empty store.
type Log struct {
	Member  string
	Changes []Change
}

// History is what is judged. The first log is followed, the others must be equal to it.
type History struct {
	Ops  []Op
	Logs []Log
}

// Anomaly is a sort of violation.
type Anomaly string

const (
	LostUpdate    Anomaly = "lost update"
	LostDelete    Anomaly = "lost delete"
	StaleRead     Anomaly = "stale read"
	DirtyRead     Anomaly = "dirty read"
	FutureRead    Anomaly = "read from the future"
	TornState     Anomaly = "half of a transaction"
	RevisionReuse Anomaly = "revision used twice"
	RevisionGap   Anomaly = "gap of revisions"
	Reordered     Anomaly = "real time not respected"
	AppliedTwice  Anomaly = "write applied twice"
	NotMonotone   Anomaly = "serializable reads went back"
	WrongPrevious Anomaly = "wrong previous value or count"
	WrongVersion  Anomaly = "wrong version or create revision"
	WrongGuard    Anomaly = "guard decided wrongly"
	Diverged      Anomaly = "members differ"
)

// Violation is one thing that cannot be.
type Violation struct {
	Anomaly Anomaly
	Text    string
}

func (v Violation) String() string { return string(v.Anomaly) + ": " + v.Text }

func (o Op) String() string {
	at := func(t time.Duration) string {
		if t == Never {
			return "never"
		}
		return fmt.Sprintf("%.6fs", t.Seconds())
	}
	outcome := fmt.Sprintf("revision %d, succeeded %t, %+v", o.Answer.Revision, o.Answer.Succeeded, o.Answer.Results)
	switch o.Outcome {
	case Answered:
	case Unknown:
		outcome = "outcome unknown"
	case Refused:
		outcome = "refused"
	}
	return fmt.Sprintf("[client %d on %s (start %d), %s to %s: %+v -> %s]", o.Client, o.Member, o.Session, at(o.Invoke), at(o.Return), o.Request, outcome)
}

// taken is the branch that the answer says was taken.
func (o *Op) taken() []Action {
	if o.Answer.Succeeded {
		return o.Request.Then
	}
	return o.Request.Else
}

// wrote says whether the operation was answered and changed something, by its answer.
func (o *Op) wrote() bool {
	if o.Outcome != Answered {
		return false
	}
	for i, action := range o.taken() {
		if action.Verb == Put || action.Verb == Delete && i < len(o.Answer.Results) && o.Answer.Results[i].Count > 0 {
			return true
		}
	}
	return false
}

// onlyDeletes says whether the operation may change something and puts nothing.
func (o *Op) onlyDeletes() bool {
	deletes := false
	for _, action := range slices.Concat(o.Request.Then, o.Request.Else) {
		switch action.Verb {
		case Put:
			return false
		case Delete:
			deletes = true
		case Read:
		}
	}
	return deletes
}

func byKey(a, b Event) int { return cmp.Compare(a.Key, b.Key) }
