package history

import (
	"fmt"
	"slices"
	"time"
)

// The number of violations that are told: one defect makes many.
const violationsMax = 20

// checker is one judgement.
type checker struct {
	*model
	ops     []Op
	changes []Change

	claimed map[int64]int  // revision -> the operation that was acknowledged with it
	byValue map[string]int // value -> the operation that puts it
	owner   []int          // by revision-2: the operation that made it; -1: not known
	ownedBy map[int]int64  // operation -> its revision
	orphans []int64        // revisions with nothing but deletes that nobody was acknowledged
	seenBy  []time.Duration
	found   []Violation
}

// Check returns what is wrong with a history: nothing if it is strictly serializable.
func Check(h History) []Violation {
	c := &checker{model: newModel(), ops: h.Ops, claimed: map[int64]int{}, byValue: map[string]int{}, ownedBy: map[int]int64{}}
	if len(h.Logs) > 0 {
		c.changes = h.Logs[0].Changes
		c.compareLogs(h.Logs)
	}
	c.index()
	if !c.replay() {
		return c.found // there is no saying what the rest should be
	}
	c.adopt()
	c.acknowledged()
	c.answers()
	c.realTime()
	c.notBeforeAsked()
	c.monotone()
	return c.found
}

func (c *checker) violate(anomaly Anomaly, format string, args ...any) {
	if len(c.found) < violationsMax {
		c.found = append(c.found, Violation{anomaly, fmt.Sprintf(format, args...)})
	}
}

// compareLogs demands that all members tell the same.
func (c *checker) compareLogs(logs []Log) {
	for _, other := range logs[1:] {
		if len(other.Changes) != len(c.changes) {
			c.violate(Diverged, "%s has %d revisions, %s %d", logs[0].Member, len(c.changes), other.Member, len(other.Changes))
		}
		for i := range min(len(c.changes), len(other.Changes)) {
			if !sameChange(c.changes[i], other.Changes[i]) {
				c.violate(Diverged, "%s says %+v, %s %+v", logs[0].Member, c.changes[i], other.Member, other.Changes[i])
				break
			}
		}
	}
}

func sameChange(a, b Change) bool {
	return a.Revision == b.Revision && slices.Equal(a.Events, b.Events)
}

// index notes who was acknowledged which revision, and who puts which value.
func (c *checker) index() {
	for i := range c.ops {
		op := &c.ops[i]
		for _, action := range slices.Concat(op.Request.Then, op.Request.Else) {
			if action.Verb != Put {
				continue
			}
			if other, twice := c.byValue[action.Value]; twice {
				panic(fmt.Sprintf("the history cannot be judged: %v and %v put the same value", c.ops[other], op))
			}
			c.byValue[action.Value] = i
		}
		if !op.wrote() {
			continue
		}
		if other, taken := c.claimed[op.Answer.Revision]; taken {
			c.violate(RevisionReuse, "revision %d was acknowledged to %v and to %v", op.Answer.Revision, c.ops[other], op)
			continue
		}
		c.claimed[op.Answer.Revision] = i
	}
}

// replay follows the log, finds who made each revision, and compares what happened with what was asked. It says whether
// the log could be followed to its end.
func (c *checker) replay() bool {
	for _, change := range c.changes {
		if change.Revision != c.last+1 {
			c.violate(RevisionGap, "revision %d follows %d in the log", change.Revision, c.last)
			return false
		}
		owner := c.ownerOf(change)
		if owner >= 0 {
			c.compare(&c.ops[owner], change)
			c.ownedBy[owner] = change.Revision
		}
		c.owner = append(c.owner, owner)
		c.apply(change)
	}
	return true
}

// ownerOf finds the operation that made a revision: -1 if that is not known, or not yet.
func (c *checker) ownerOf(change Change) int {
	if op, acknowledged := c.claimed[change.Revision]; acknowledged {
		return op
	}
	value := slices.IndexFunc(change.Events, func(e Event) bool { return !e.Deleted })
	if value < 0 {
		c.orphans = append(c.orphans, change.Revision)
		return -1
	}
	op, asked := c.byValue[change.Events[value].Value]
	if !asked {
		c.violate(DirtyRead, "at revision %d there is a value that nobody wrote: %+v", change.Revision, change)
		return -1
	}
	o := &c.ops[op]
	if earlier, twice := c.ownedBy[op]; twice {
		c.violate(AppliedTwice, "at revision %d and again at %d: %v", earlier, change.Revision, o)
		return -1
	}
	switch o.Outcome {
	case Unknown:
		return op
	case Refused:
		c.violate(DirtyRead, "at revision %d there is the value of an operation that was refused: %v", change.Revision, o)
	case Answered:
		if o.wrote() {
			c.violate(AppliedTwice, "at revision %d there is what was acknowledged with another revision: %v", change.Revision, o)
		} else {
			c.violate(DirtyRead, "at revision %d there is what the answer says was not written: %v", change.Revision, o)
		}
	}
	return -1
}

// compare demands that a revision is what its operation does, and that the operation was answered accordingly.
func (c *checker) compare(op *Op, change Change) {
	answer, want := c.run(op.Request, c.last)
	if op.Outcome == Answered {
		c.compareAnswers(op, answer)
		if answer.Succeeded != op.Answer.Succeeded {
			return
		}
	}
	want.Revision = change.Revision
	if sameChange(want, change) {
		return
	}
	c.violate(c.differenceOf(op, want, change), "revision %d is %+v, and should be %+v, by %v", change.Revision, change.Events, want.Events, op)
}

// differenceOf names what is wrong with a change.
func (c *checker) differenceOf(op *Op, want, got Change) Anomaly {
	key := func(events []Event) map[string]string {
		keys := map[string]string{}
		for _, e := range events {
			keys[e.Key] = fmt.Sprint(e.Deleted, e.Value)
		}
		return keys
	}
	wanted, there := key(want.Events), key(got.Events)
	common := 0
	for k, v := range wanted {
		if there[k] == v {
			common++
		}
	}
	switch {
	case common == len(wanted) && common == len(there):
		return WrongVersion
	case common > 0:
		return TornState
	case op.onlyDeletes():
		return LostDelete
	default:
		return LostUpdate
	}
}

// compareAnswers demands that an answer is the one that is right.
func (c *checker) compareAnswers(op *Op, want Answer) {
	if want.Succeeded != op.Answer.Succeeded {
		c.violate(WrongGuard, "succeeded should be %t: %v", want.Succeeded, op)
		return
	}
	for i, action := range op.taken() {
		if i >= len(op.Answer.Results) {
			c.violate(TornState, "an answer is missing: %v", op)
			return
		}
		got, right := op.Answer.Results[i], want.Results[i]
		if got.Count == right.Count && slices.Equal(got.KVs, right.KVs) {
			continue
		}
		anomaly := WrongPrevious
		if action.Verb == Read {
			anomaly = c.misreading(got.KVs, right.KVs, op.Answer.Revision)
		}
		c.violate(anomaly, "result %d should be %+v: %v", i, right, op)
	}
}

// misreading names what is wrong with a read: where do the values come from that it found?
func (c *checker) misreading(got, want []KV, revision int64) Anomaly {
	from, until := int64(0), c.last
	values := 0
	for _, kv := range got {
		events := c.past[kv.Key]
		i := slices.IndexFunc(events, func(e Event) bool { return !e.Deleted && e.Value == kv.Value })
		switch {
		case i < 0:
			return DirtyRead
		case events[i].KV != kv:
			return WrongVersion
		case events[i].Mod > revision:
			return FutureRead
		}
		from = max(from, events[i].Mod)
		if i+1 < len(events) {
			until = min(until, events[i+1].Mod-1)
		}
		if slices.Contains(want, kv) {
			values++
		}
	}
	if from > until || values > 0 {
		return TornState // a state that never was, or one with something left out or left over
	}
	return StaleRead
}

// adopt finds, for each revision that is nothing but deletes and was acknowledged to nobody, a delete with an unknown
// outcome: each may have made one revision at most. This is a matching of two sets; both are small.
func (c *checker) adopt() {
	c.seenBy = c.firstSeen()
	var deletes []int
	for i := range c.ops {
		if c.ops[i].Outcome == Unknown && c.ops[i].onlyDeletes() {
			deletes = append(deletes, i)
		}
	}
	suits := make([][]int, len(c.orphans))
	for i, revision := range c.orphans {
		for _, op := range deletes {
			_, change := c.run(c.ops[op].Request, revision-1)
			if c.ops[op].Invoke < c.seen(revision) && sameChange(change, c.changes[revision-2]) {
				suits[i] = append(suits[i], op)
			}
		}
	}
	taken := map[int]int{} // operation -> orphan
	for i, revision := range c.orphans {
		if !augment(i, suits, taken, map[int]bool{}) {
			c.violate(DirtyRead, "at revision %d something was deleted, and nobody had asked for it", revision)
		}
	}
	for op, orphan := range taken {
		c.owner[c.orphans[orphan]-2] = op
		c.ownedBy[op] = c.orphans[orphan]
	}
}

// augment finds an operation for an orphan, and where that one is taken, another one for whom it was taken.
func augment(orphan int, suits [][]int, taken map[int]int, tried map[int]bool) bool {
	for _, op := range suits[orphan] {
		if tried[op] {
			continue
		}
		tried[op] = true
		other, isTaken := taken[op]
		if !isTaken || augment(other, suits, taken, tried) {
			taken[op] = orphan
			return true
		}
	}
	return false
}

// firstSeen is, by revision-2, when an answer first proved that the revision was there.
func (c *checker) firstSeen() []time.Duration {
	seen := make([]time.Duration, max(c.last-1, 0))
	for i := range seen {
		seen[i] = Never
	}
	for i := range c.ops {
		if at := c.ops[i].Answer.Revision - 2; c.ops[i].Outcome == Answered && at >= 0 && at < int64(len(seen)) {
			seen[at] = min(seen[at], c.ops[i].Return)
		}
	}
	for i := len(seen) - 2; i >= 0; i-- {
		seen[i] = min(seen[i], seen[i+1])
	}
	return seen
}

func (c *checker) seen(revision int64) time.Duration { return c.seenBy[revision-2] }

// acknowledged demands that the log reaches to every revision that was acknowledged.
func (c *checker) acknowledged() {
	for revision, op := range c.claimed {
		if revision > c.last {
			anomaly := LostUpdate
			if c.ops[op].onlyDeletes() {
				anomaly = LostDelete
			}
			c.violate(anomaly, "the log ends at revision %d, without %v", c.last, c.ops[op])
		}
	}
}

// answers demands that operations that changed nothing were answered from the state of their revision.
func (c *checker) answers() {
	for i := range c.ops {
		op := &c.ops[i]
		if op.Outcome != Answered || op.wrote() {
			continue
		}
		if op.Answer.Revision > c.last {
			c.violate(FutureRead, "the log ends at revision %d: %v", c.last, op)
			continue
		}
		want, change := c.run(op.Request, op.Answer.Revision)
		if len(change.Events) > 0 && want.Succeeded == op.Answer.Succeeded {
			c.violate(LostDelete, "it should have changed something: %v", op)
			continue
		}
		c.compareAnswers(op, want)
	}
}

// sweep goes through the answered operations in real time: `visit` is told the highest revision that was answered before
// the operation's request was sent.
func sweep(ops []*Op, visit func(op *Op, floor int64, by *Op)) {
	byInvoke, byReturn := slices.Clone(ops), slices.Clone(ops)
	slices.SortFunc(byInvoke, func(a, b *Op) int { return int(a.Invoke - b.Invoke) })
	slices.SortFunc(byReturn, func(a, b *Op) int { return int(a.Return - b.Return) })
	floor, returned := int64(0), 0
	var by *Op
	for _, op := range byInvoke {
		for ; byReturn[returned].Return < op.Invoke; returned++ {
			if byReturn[returned].Answer.Revision > floor {
				floor, by = byReturn[returned].Answer.Revision, byReturn[returned]
			}
		}
		visit(op, floor, by)
	}
}

// realTime demands that nothing is ordered before what had been answered when it was asked for.
func (c *checker) realTime() {
	var answered []*Op
	for i := range c.ops {
		if c.ops[i].Outcome == Answered {
			answered = append(answered, &c.ops[i])
		}
	}
	sweep(answered, func(op *Op, floor int64, by *Op) {
		switch {
		case op.Request.Serializable:
		case op.wrote() && op.Answer.Revision <= floor:
			c.violate(Reordered, "%v was sent after the answer to %v", op, by)
		case op.Answer.Revision < floor:
			c.violate(StaleRead, "%v was sent after the answer to %v", op, by)
		}
	})
}

// notBeforeAsked demands that no answer shows a revision whose write had not been sent by then.
func (c *checker) notBeforeAsked() {
	for i, owner := range c.owner {
		if revision := int64(i) + 2; owner >= 0 && c.ops[owner].Invoke > c.seen(revision) {
			c.violate(FutureRead, "revision %d or a later one was seen at %v, and only then was sent: %v", revision, c.seen(revision), c.ops[owner])
		}
	}
}

// monotone demands that a process which has shown a revision never answers from an older one.
func (c *checker) monotone() {
	type process struct {
		member  string
		session int
	}
	processes := map[process][]*Op{}
	for i := range c.ops {
		if op := &c.ops[i]; op.Outcome == Answered && op.Session != 0 {
			p := process{op.Member, op.Session}
			processes[p] = append(processes[p], op)
		}
	}
	for _, ops := range processes {
		sweep(ops, func(op *Op, floor int64, by *Op) {
			if op.Request.Serializable && op.Answer.Revision < floor {
				c.violate(NotMonotone, "%v was sent after the answer to %v", op, by)
			}
		})
	}
}
