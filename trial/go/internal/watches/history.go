// Package watches judges what watchers were sent while a store was written to: filter, ordered, unique, atomic, reliable,
// resumable, bookmarkable, previous values, creations, starts in the past and in the future, and ends by compaction.
//
// The truth is the order of all changes. It comes from witnesses, one on each member, which watch everything, and is
// checked by itself: it has every revision, the witnesses agree, what was acknowledged is in it at the revision that the
// answer has named, what nobody asked for is not, versions and creations follow from what was before, and all keys of a
// lease end in one revision. Then every other watch is laid beside it.
package watches

import (
	"fmt"
	"time"
)

// History is everything that one run has recorded.
type History struct {
	Watches []*Watch
	Writes  []Write
	Last    int64 // the revision of the last write, which was acknowledged when all else had ended

	// AsEtcd tolerates two races that etcd 3.7.1 loses by itself, as a stream has two queues there, one for answers to
	// requests and one for events, and as it knows a watch's options only from after the watch begins until before it ends:
	//   - progress of a whole stream, computed before a watch was created, is sent after the answer that it was created
	//   - the first message of a watch, and what is sent after its end was asked for, has no previous values, or is uncut
	AsEtcd bool
}

// KV is one key at one revision. A deletion has the key and Mod alone.
type KV struct {
	Key, Value           string
	Create, Mod, Version int64
	Lease                int64
}

// Event is one change as a watcher was told it.
type Event struct {
	KV      *KV
	Deleted bool
	Prev    *KV // nil: none was sent
}

// Kind is what a message is about.
type Kind uint8

const (
	Created  Kind = iota // the first message of a watch
	Changes              // events
	Progress             // no events: all up to the revision of the header have been sent
	Canceled             // the last message
)

// Message is one message to one watch. One to all watches of a stream is recorded with each that had been created.
type Message struct {
	At       time.Duration // when it was received, since the beginning
	Revision int64         // of the header
	Events   []Event
	Asked    int64 // the highest revision whose compaction had been asked for when this was received
	Compact  int64 // compact_revision
	Reason   string
	Bytes    int32 // its length
	Kind     Kind
	Fragment bool // the next message goes on with these events
	Whole    bool // it is to all watches of the stream
}

// Watch is one watch on one stream.
type Watch struct {
	Member  string
	Stream  int
	ID      int64
	Witness bool // watches everything, with previous values

	Key, End                string // End as in requests: empty for one key, one zero byte for all from Key on
	NoPut, NoDelete         bool
	PrevKV, Fragment, Ticks bool // Ticks: progress_notify
	Start                   int64
	Resumes                 bool // Start follows what an earlier stream had been told

	Known       int64 // the highest revision that this stream had named when the watch was asked for
	CompactedTo int64 // the highest revision that this stream's process had acknowledged a compaction of, at that time
	Messages    []Message
	Owed        int64 // it was there at the end: everything up to here must have been sent; 0: it was not
	CancelAsked bool
	CancelAt    time.Duration // when it was asked for
}

// Verb is what a write does to a key.
type Verb int

const (
	Put    Verb = iota
	Delete      // Key, or from Key to End
	Revoke      // Lease, with all its keys
)

// Action is one part of a write.
type Action struct {
	Verb            Verb
	Key, End, Value string
	Lease           int64
	Deleted         []string // the keys that an acknowledged deletion has named as gone, in order
}

// Write is a put, a deletion, a transaction of both, or the end of a lease that was asked for.
type Write struct {
	Answered bool  // else it may have happened, or not
	Revision int64 // of the answer's header
	Actions  []Action
}

// Anomaly is one way of being wrong.
type Anomaly string

// The truth.
const (
	Disagree   Anomaly = "witnesses disagree"
	Gap        Anomaly = "a revision is missing"
	Unasked    Anomaly = "a change that nobody asked for"
	Lost       Anomaly = "an acknowledged write is not there"
	WrongEvent Anomaly = "a change is not what was asked for"
	WrongCount Anomaly = "create revision or version do not follow from what was before"
	LeaseTorn  Anomaly = "the keys of a lease do not end in one revision"
)

// A watch beside the truth.
const (
	Filter     Anomaly = "filter: an event that was not asked for"
	Invented   Anomaly = "an event that has not happened so"
	Order      Anomaly = "ordered: an event after a later one"
	Unique     Anomaly = "unique: an event twice"
	Atomic     Anomaly = "atomic: a revision in two messages"
	Reliable   Anomaly = "reliable: an event is missing"
	Resumable  Anomaly = "resumable: the first event is not the next one"
	Early      Anomaly = "an event from before the start"
	Bookmark   Anomaly = "bookmarkable: progress before an event was sent"
	Ahead      Anomaly = "progress is told before the start is reached"
	Backwards  Anomaly = "bookmarkable: progress goes back, or is ahead of the store"
	PrevKV     Anomaly = "the previous value is not that"
	Compacted  Anomaly = "the watch was ended by no compaction"
	Unended    Anomaly = "a watch from before a compaction was not ended"
	Protocol   Anomaly = "messages that do not follow from each other"
	Unfinished Anomaly = "what is owed was not sent to the end"
)

// Violation is one place where a history is wrong.
type Violation struct {
	Anomaly Anomaly
	Where   string
	What    string
}

func (v Violation) String() string { return fmt.Sprintf("%s: %s: %s", v.Anomaly, v.Where, v.What) }

func (w *Watch) String() string {
	words := fmt.Sprintf("watch %d of stream %d on %s [%q, %q) from %d", w.ID, w.Stream, w.Member, w.Key, w.End, w.Start)
	for _, option := range []struct {
		set  bool
		name string
	}{{w.Witness, "witness"}, {w.NoPut, "noput"}, {w.NoDelete, "nodelete"}, {w.PrevKV, "prev_kv"}, {w.Fragment, "fragment"}, {w.Resumes, "resumes"}} {
		if option.set {
			words += " " + option.name
		}
	}
	return words
}

// covers says whether a key is watched.
func (w *Watch) covers(key string) bool {
	switch {
	case w.End == "":
		return key == w.Key
	case w.End == "\x00":
		return key >= w.Key
	default:
		return key >= w.Key && key < w.End
	}
}

func (w *Watch) wants(e Event) bool {
	return w.covers(e.KV.Key) && !(e.Deleted && w.NoDelete) && !(!e.Deleted && w.NoPut)
}

func same(a, b Event) bool { return a.Deleted == b.Deleted && *a.KV == *b.KV }

func (e Event) String() string {
	kv := e.KV
	if e.Deleted {
		return fmt.Sprintf("DELETE %q at %d", kv.Key, kv.Mod)
	}
	return fmt.Sprintf("PUT %q=%.20q at %d (created %d, version %d, lease %d)", kv.Key, kv.Value, kv.Mod, kv.Create, kv.Version, kv.Lease)
}
