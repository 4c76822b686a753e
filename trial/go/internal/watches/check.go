package watches

import (
	"fmt"
	"time"
)

// Limit is the length of a message from which on a watch that has asked for fragments gets them: etcd's default for one
// request, and 512 KiB more.
const Limit = 1_572_864 + 512<<10

// Check finds what is wrong with a history.
func Check(h *History) []Violation {
	found, _ := Judge(h)
	return found
}

// Judge finds what is wrong with a history, and counts what was tolerated because it is to be judged as etcd's.
func Judge(h *History) (found []Violation, tolerated map[string]int) {
	c := &checker{h: h, tolerated: map[string]int{}}
	c.testify()
	if len(c.found) > 0 {
		return c.found, nil // without a truth nothing can be laid beside it
	}
	c.replay()
	for _, w := range h.Watches {
		c.judge(w)
	}
	return c.found, c.tolerated
}

// judging is one watch on its way along the truth.
type judging struct {
	*checker
	w        *Watch
	next     int   // the first event that was not sent, and may not be one that is wanted
	from     int64 // no event below this
	began    bool  // it is known where the watch begins
	progress int64
	chain    bool // a fragment came, and its end did not
	created  bool
	ended    bool
	blurred  bool  // the message is the first one, or came after the watch's end was asked for
	at       int64 // the revision of that answer
	asked    int64 // the highest compaction that had been asked for when the message came
	sent     int   // events
	lastSent int64 // the revision of the last one
	seen     int   // messages, the one that is judged among them
}

// trailMax is how many messages are told of a watch that something is wrong with.
const trailMax = 6

// report adds what the watch was sent last, and what it was sent after that.
func (j *judging) report(a Anomaly, where any, format string, args ...any) {
	trail := "; it was sent"
	for n := max(0, j.seen-trailMax); n < min(j.seen+2, len(j.w.Messages)); n++ {
		m := j.w.Messages[n]
		trail += fmt.Sprintf(" %d. %v", n, m)
		if len(m.Events) > 0 {
			trail += fmt.Sprintf("(%d to %d)", m.Events[0].KV.Mod, m.Events[len(m.Events)-1].KV.Mod)
		}
		trail += fmt.Sprintf(" at %v;", m.At.Round(time.Millisecond/10))
	}
	j.checker.report(a, where, format+"%s", append(args, trail)...)
}

func (c *checker) judge(w *Watch) {
	j := &judging{checker: c, w: w, from: w.Start}
	if w.Start > 0 {
		j.begin(w.Start)
	}
	for n, m := range w.Messages {
		j.seen = n + 1
		if !j.follow(n, m) {
			return
		}
	}
	j.finish()
}

func (j *judging) begin(revision int64) {
	j.began, j.from, j.next = true, revision, j.truth.from(revision)
	j.skip()
}

// skip goes on to the next event that is wanted.
func (j *judging) skip() {
	for j.next < len(j.truth.events) && !j.w.wants(j.truth.events[j.next]) {
		j.next++
	}
}

// due is the revision of the next event that is wanted.
func (j *judging) due() int64 {
	if j.next < len(j.truth.events) {
		return j.truth.events[j.next].KV.Mod
	}
	return j.truth.last + 1
}

// follow takes the next message. It returns false where nothing more can be said.
func (j *judging) follow(n int, m Message) bool {
	switch {
	case j.ended:
		j.report(Protocol, j.w, "message %d came after the end: %v", n, m)
		return false
	case !j.created && m.Kind != Created && m.Kind != Canceled, j.created && m.Kind == Created:
		j.report(Protocol, j.w, "message %d is not in its place: %v", n, m)
		return false
	case j.chain && m.Kind != Changes && m.Kind != Canceled:
		j.report(Protocol, j.w, "message %d comes between fragments: %v", n, m)
		return false
	}
	switch m.Kind {
	case Created:
		j.created, j.at = true, m.Revision
		if m.Revision > j.truth.last {
			j.report(Backwards, j.w, "created at %d, and the last revision is %d", m.Revision, j.truth.last)
		}
		// From a start of now on everything after the answer is owed; a few before it may have been sent already.
		if j.w.Start == 0 {
			j.from = m.Revision + 1
		}
		return true
	case Changes:
		return j.changes(n, m)
	case Progress:
		return j.bookmark(m)
	case Canceled:
		return j.end(m)
	}
	panic("a kind that there is not")
}

func (j *judging) changes(n int, m Message) bool {
	j.asked, j.blurred = m.Asked, n == 1 || j.w.CancelAsked && m.At >= j.w.CancelAt
	if j.w.Fragment && m.Bytes >= Limit && len(m.Events) > 1 && !j.tolerate(j.blurred, "first or last messages uncut") {
		j.report(Protocol, j.w, "message %d has %d bytes and %d events, and was not cut", n, m.Bytes, len(m.Events))
	}
	if m.Fragment && !j.w.Fragment {
		j.report(Protocol, j.w, "message %d is a fragment, and none was asked for", n)
	}
	for _, e := range m.Events {
		if !j.began {
			j.begin(min(e.KV.Mod, j.from))
			if e.KV.Mod <= j.w.Known {
				j.report(Early, j.w, "%v, and revision %d had been named before it was asked for", e, j.w.Known)
			}
		}
		if !j.event(e) {
			return false
		}
	}
	if m.Revision < m.Events[len(m.Events)-1].KV.Mod {
		j.report(Backwards, j.w, "the header of %v says %d", m.Events[len(m.Events)-1], m.Revision)
	}
	j.chain = m.Fragment
	if !j.chain && j.due() == j.lastSent {
		j.report(Atomic, j.w, "message %d ends in the midst of revision %d, before %v", n, j.lastSent, j.truth.events[j.next])
		return false
	}
	return true
}

// event takes one that was sent.
func (j *judging) event(e Event) bool {
	at := j.truth.find(e)
	switch {
	case j.w.Start > 0 && j.w.Start < j.w.CompactedTo:
		j.report(Unended, j.w, "%v is sent, and a compaction at %d had been acknowledged before the watch was asked for", e, j.w.CompactedTo)
	case at < 0:
		j.report(Invented, j.w, "%v", e)
	case !j.w.wants(e):
		j.report(Filter, j.w, "%v", e)
	case e.KV.Mod < j.from && e.KV.Mod < j.due():
		j.report(Early, j.w, "%v", e)
	case at < j.next && j.wasSent(at):
		j.report(Unique, j.w, "%v", e)
	case at < j.next:
		j.report(Order, j.w, "%v", e)
	case at > j.next && j.sent == 0 && j.w.Resumes:
		j.report(Resumable, j.w, "the first is %v, and not %v", e, j.truth.events[j.next])
	case at > j.next && j.later():
		j.report(Order, j.w, "%v is sent after %v", j.truth.events[j.next], e)
	case at > j.next:
		j.report(Reliable, j.w, "%v is sent, and %v was not", e, j.truth.events[j.next])
	default:
		j.previous(at, e)
		j.sent, j.lastSent = j.sent+1, e.KV.Mod
		j.next++
		j.skip()
		return true
	}
	return false
}

// later says whether the event that is missing now is sent after all.
func (j *judging) later() bool {
	missing := j.truth.events[j.next]
	for _, m := range j.w.Messages {
		for _, e := range m.Events {
			if same(e, missing) {
				return true
			}
		}
	}
	return false
}

// wasSent says whether an event is among those sent before.
func (j *judging) wasSent(at int) bool {
	left := j.sent
	for _, m := range j.w.Messages {
		for _, e := range m.Events {
			if left == 0 {
				return false
			}
			if same(e, j.truth.events[at]) {
				return true
			}
			left--
		}
	}
	return false
}

// previous compares what the key was before. It may be missing where a compaction may have taken it.
func (j *judging) previous(at int, e Event) {
	want := j.truth.prevs[at]
	if !j.w.PrevKV || !e.Deleted && e.KV.Create == e.KV.Mod {
		want = nil
	}
	switch {
	case e.Prev == nil && want == nil:
	case e.Prev == nil:
		if j.asked <= e.KV.Mod-1 && !j.tolerate(j.blurred, "first or last events without previous values") {
			j.report(PrevKV, j.w, "%v has none, and it was %v; the highest compaction asked for was at %d", e, *want, j.asked)
		}
	case want == nil:
		j.report(PrevKV, j.w, "%v has %v, and must have none", e, *e.Prev)
	case *want != *e.Prev:
		j.report(PrevKV, j.w, "%v has %v, and it was %v", e, *e.Prev, *want)
	}
}

// tolerate says whether something wrong is to be passed over, as etcd does it too.
func (j *judging) tolerate(where bool, what string) bool {
	if where && j.h.AsEtcd {
		j.tolerated[what]++
		return true
	}
	return false
}

func (j *judging) bookmark(m Message) bool {
	// It may be older than the watch, and says nothing then. Of which revision the answer says that the watch was created at is
	// looked up still earlier, so that progress may lie between the two; twice in some hundred runs it lay above a first event.
	if j.h.AsEtcd && m.Whole && (m.Revision <= j.at || m.Revision < j.w.Start || j.sent == 0) {
		j.tolerate(m.Revision < j.w.Start || j.began && j.due() <= m.Revision, "progress from before a watch was created")
		return true
	}
	if !j.began {
		j.begin(j.from)
	}
	switch {
	case m.Revision < j.w.Start:
		j.report(Ahead, j.w, "progress %d", m.Revision)
		return true // it says nothing about this watch
	case m.Revision < j.progress || m.Revision < j.lastSent || m.Revision > j.truth.last:
		j.report(Backwards, j.w, "progress %d, and before it was %d, the last event %d, the store ends at %d", m.Revision, j.progress, j.lastSent, j.truth.last)
	case j.due() <= m.Revision:
		j.report(Bookmark, j.w, "progress %d, and %v was not sent", m.Revision, j.truth.events[j.next])
	default:
		j.progress = m.Revision
		return true
	}
	return false
}

// end takes the last message.
func (j *judging) end(m Message) bool {
	j.ended = true
	reached := max(j.w.Start, j.lastSent+1, j.progress+1)
	switch {
	case m.Compact == 0 && !j.w.CancelAsked:
		j.report(Protocol, j.w, "ended without having been asked to: %v", m)
	case m.Compact == 0:
	case !j.created:
		j.report(Protocol, j.w, "ended by a compaction before it was created")
	case m.Compact > m.Asked:
		j.report(Compacted, j.w, "by one at %d, and none above %d had been asked for", m.Compact, m.Asked)
	case m.Compact <= reached:
		j.report(Compacted, j.w, "by one at %d, and it had been sent everything before %d", m.Compact, reached)
	default:
		return true
	}
	return m.Compact == 0
}

// finish looks at what did not come.
func (j *judging) finish() {
	switch {
	case j.w.Owed == 0 || j.ended:
		return
	case !j.created:
		j.report(Unfinished, j.w, "it was never created")
		return
	case !j.began:
		j.begin(j.from)
	}
	if j.w.Start > 0 && j.w.Start < j.w.CompactedTo {
		j.report(Unended, j.w, "a compaction at %d had been acknowledged before", j.w.CompactedTo)
		return
	}
	if j.next < len(j.truth.events) && j.due() <= j.w.Owed {
		j.report(Unfinished, j.w, "%v was not sent; owed is everything up to %d", j.truth.events[j.next], j.w.Owed)
	}
	if j.chain {
		j.report(Unfinished, j.w, "the last fragment says that another one comes")
	}
}

// Counts says what a history holds: what is not among these, a run says nothing about.
func Counts(h *History) map[string]int {
	counts := map[string]int{}
	for _, w := range h.Watches {
		kind := "watches"
		if w.Witness {
			kind = "witnesses"
		}
		counts[kind]++
		events, progressed := 0, false
		for _, m := range w.Messages {
			events += len(m.Events)
			switch {
			case m.Kind == Progress:
				progressed = true
				counts["progress messages"]++
			case m.Kind == Canceled && m.Compact != 0:
				counts["ended by a compaction"]++
			case m.Kind == Canceled:
				counts["cancelled"]++
			case m.Fragment:
				counts["fragments"]++
			}
			for _, e := range m.Events {
				switch {
				case e.Prev != nil:
					counts["previous values"]++
				case w.PrevKV && (e.Deleted || e.KV.Version > 1):
					counts["previous values that a compaction took"]++
				}
			}
		}
		counts["events"] += events
		if w.Resumes && (events > 0 || progressed) {
			counts["resumptions"]++
		}
		if w.Start > 0 && len(w.Messages) > 0 && w.Messages[0].Kind == Created {
			switch at := w.Messages[0].Revision; {
			case w.Start > at+1:
				counts["started in the future"]++
			case w.Start <= at:
				counts["started in the past"]++
			}
		}
	}
	return counts
}

func (m Message) String() string {
	name := map[Kind]string{Created: "created", Changes: "changes", Progress: "progress", Canceled: "canceled"}[m.Kind]
	whole := ""
	if m.Whole {
		whole = " of the whole stream"
	}
	return fmt.Sprintf("%s%s, revision %d, %d events, compact %d %s", name, whole, m.Revision, len(m.Events), m.Compact, m.Reason)
}
