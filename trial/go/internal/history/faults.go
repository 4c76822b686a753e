package history

import (
	"errors"
	"fmt"
	"slices"
	"time"
)

// fault is one way of being wrong. It is planted once in a history that would be right: while the store works, or
// afterwards into what was recorded.
type fault struct {
	name   string
	during func(s *simulation, op *simulated, answer *Answer, change *Change) bool // it may change both; true: planted
	after  func(s *simulation, h *History) bool
	named  []Anomaly // one of these must be found

	noUnknownDeletes bool // an unknown delete would explain it

	planted bool
	start   time.Duration
}

// from is when the fault may happen: not always at the first occasion.
func (f *fault) from(s *simulation) time.Duration {
	if f.start == 0 {
		f.start = s.upTo(500 * time.Millisecond)
	}
	return f.start
}

// faults are new each time, as they remember whether they were planted.
func faults() []*fault {
	return []*fault{
		{name: "an acknowledged write is forgotten", named: []Anomaly{RevisionReuse, LostUpdate}, during: forgetWrite},
		{name: "the last writes are lost", named: []Anomaly{LostUpdate, LostDelete}, after: loseTail},
		{name: "an acknowledged delete is lost", named: []Anomaly{LostDelete}, during: ignoreDelete},
		{name: "a read is older than what was known", named: []Anomaly{StaleRead}, during: readStale},
		{name: "a read says a new revision and shows an old state", named: []Anomaly{StaleRead, TornState}, during: readOldUnderNewRevision},
		{name: "a read of a past revision changes", named: []Anomaly{StaleRead, TornState}, during: readPastWrongly},
		{name: "a refused write is read", named: []Anomaly{DirtyRead}, after: readRefused},
		{name: "a refused write happens", named: []Anomaly{DirtyRead}, during: performRefused},
		{name: "a key vanishes by itself", named: []Anomaly{DirtyRead}, during: deleteForNobody, noUnknownDeletes: true},
		{name: "two writes get one revision", named: []Anomaly{RevisionReuse}, during: reuseRevision},
		{name: "a restart loses what was acknowledged, and goes on", named: []Anomaly{RevisionReuse, LostUpdate, LostDelete, Reordered}, during: travelBack},
		{name: "serializable reads go back", named: []Anomaly{NotMonotone}, during: readBackwards},
		{name: "a write is applied twice", named: []Anomaly{AppliedTwice}, during: applyTwice},
		{name: "a read shows what nobody has asked for yet", named: []Anomaly{FutureRead}, after: readFuture},
		{name: "half of a transaction is applied", named: []Anomaly{TornState}, during: applyHalf},
		{name: "half of a transaction is seen", named: []Anomaly{TornState}, during: readHalf},
		{name: "a later write has the lower revision", named: []Anomaly{Reordered}, after: reorder},
		{name: "a previous value is wrong", named: []Anomaly{WrongPrevious}, during: wrongPrevious},
		{name: "a deletion is counted wrongly", named: []Anomaly{WrongPrevious}, during: wrongCount},
		{name: "a version is wrong", named: []Anomaly{WrongVersion}, during: wrongVersion},
		{name: "a create revision is read wrongly", named: []Anomaly{WrongVersion}, during: wrongCreate},
		{name: "a revision is left out", named: []Anomaly{RevisionGap}, during: skipRevision},
		{name: "a guard is ignored", named: []Anomaly{WrongGuard}, during: ignoreGuard},
		{name: "a member has applied something else", named: []Anomaly{Diverged}, after: diverge},
	}
}

// SelfTest judges the checker: histories that are right must pass, and each with a fault must not. It calls report for
// every sort of history, with an error if the checker was wrong.
func SelfTest(firstSeed uint64, legal, illegal int, report func(what string, err error)) {
	accepted := 0
	var errs []error
	for i := range legal {
		seed := firstSeed + uint64(i)
		h, _ := simulate(seed, nil)
		if found := Check(h); len(found) > 0 {
			errs = append(errs, fmt.Errorf("seed %d: %v", seed, found[0]))
			continue
		}
		accepted++
	}
	report(fmt.Sprintf("%d of %d histories without a fault accepted", accepted, legal), errors.Join(errs...))
	for i := range faults() {
		noticed, errs := 0, []error(nil)
		for seed := firstSeed; noticed < illegal; seed++ {
			if seed == firstSeed+uint64(illegal)*20 {
				errs = append(errs, errors.New("too few occasions"))
				break
			}
			f := faults()[i]
			h, planted := simulate(seed, f)
			if !planted {
				continue
			}
			if err := f.noticedIn(Check(h)); err != nil {
				errs = append(errs, fmt.Errorf("seed %d: %w", seed, err))
				break
			}
			noticed++
		}
		report(fmt.Sprintf("noticed %d times: %s", noticed, faults()[i].name), errors.Join(errs...))
	}
}

func (f *fault) noticedIn(found []Violation) error {
	if len(found) == 0 {
		return errors.New("nothing was noticed")
	}
	for _, v := range found {
		if slices.Contains(f.named, v.Anomaly) {
			return nil
		}
	}
	return fmt.Errorf("not named %v but %v", f.named, found[0])
}

func forgetWrite(s *simulation, op *simulated, answer *Answer, change *Change) bool {
	if op.Outcome != Answered || len(change.Events) == 0 || op.onlyDeletes() {
		return false
	}
	change.Events = nil // and the next write will get this revision
	return true
}

func loseTail(s *simulation, h *History) bool {
	last := len(s.changes) - 1 - s.random.IntN(3)
	if last < 0 || !s.acknowledgedAt(s.changes[last].Revision, h) {
		return false
	}
	for i := range h.Logs {
		h.Logs[i].Changes = h.Logs[i].Changes[:last]
	}
	return true
}

func (s *simulation) acknowledgedAt(revision int64, h *History) bool {
	return slices.ContainsFunc(h.Ops, func(op Op) bool { return op.wrote() && op.Answer.Revision == revision })
}

func ignoreDelete(s *simulation, op *simulated, answer *Answer, change *Change) bool {
	if op.Outcome != Answered || len(change.Events) == 0 || !op.onlyDeletes() {
		return false
	}
	*answer = Answer{Revision: s.last, Succeeded: true, Results: []Result{{}}}
	change.Events = nil
	return true
}

// known is the highest revision that was answered before the operation was sent.
func (s *simulation) known(op *simulated, onlyFrom func(*simulated) bool) int64 {
	known := int64(1)
	for _, other := range s.ops {
		if other.at < op.at && other.Outcome == Answered && other.Return < op.Invoke && onlyFrom(other) {
			known = max(known, other.Answer.Revision)
		}
	}
	return known
}

func anyOp(*simulated) bool { return true }

func (op *simulated) plainRead(serializable bool) bool {
	r := op.Request
	return op.Outcome == Answered && len(r.Guards) == 0 && r.Then[0].Verb == Read && r.At == 0 && r.Serializable == serializable
}

func readStale(s *simulation, op *simulated, answer *Answer, _ *Change) bool {
	known := s.known(op, anyOp)
	if !op.plainRead(false) || known < 2 {
		return false
	}
	*answer, _ = s.run(op.Request, 1+s.random.Int64N(known-1))
	return true
}

func readOldUnderNewRevision(s *simulation, op *simulated, answer *Answer, _ *Change) bool {
	if !op.plainRead(false) {
		return false
	}
	old, _ := s.run(op.Request, 1+s.random.Int64N(s.last))
	return s.replaceResults(answer, old)
}

func readPastWrongly(s *simulation, op *simulated, answer *Answer, _ *Change) bool {
	if op.Outcome != Answered || op.Request.At < 2 {
		return false
	}
	request := op.Request
	request.At--
	other, _ := s.run(request, s.last)
	return s.replaceResults(answer, other)
}

// replaceResults puts other results under the same revision, if they differ.
func (s *simulation) replaceResults(answer *Answer, other Answer) bool {
	if slices.Equal(answer.Results[0].KVs, other.Results[0].KVs) {
		return false
	}
	answer.Results = other.Results
	return true
}

func readRefused(s *simulation, h *History) bool {
	value := ""
	for i := range h.Ops {
		op := &h.Ops[i]
		if op.Outcome == Refused && len(op.Request.Guards) == 0 && op.Request.Then[0].Verb == Put {
			value = op.Request.Then[0].Value
		}
		if value != "" && op.Outcome == Answered && op.Request.Then[0].Verb == Read && len(op.Answer.Results[0].KVs) > 0 && op.Answer.Succeeded {
			results := slices.Clone(op.Answer.Results)
			results[0].KVs = slices.Clone(results[0].KVs)
			results[0].KVs[0].Value = value
			op.Answer.Results = results
			return true
		}
	}
	return false
}

func performRefused(s *simulation, op *simulated, _ *Answer, change *Change) bool {
	if len(change.Events) == 0 || op.onlyDeletes() {
		return false
	}
	op.Outcome = Refused
	return true
}

func deleteForNobody(s *simulation, _ *simulated, _ *Answer, change *Change) bool {
	for _, key := range s.keys {
		if _, there := s.at(key, s.last); there && len(change.Events) == 0 {
			s.commit(Change{s.last + 1, []Event{{KV{Key: key, Mod: s.last + 1}, true}}})
			return true
		}
	}
	return false
}

func reuseRevision(s *simulation, op *simulated, answer *Answer, change *Change) bool {
	before := s.known(op, (*simulated).wrote)
	if op.Outcome != Answered || len(change.Events) == 0 || before < 2 {
		return false
	}
	answer.Revision = before
	return true
}

func (op *simulated) acknowledged(revision int64) bool {
	return op.wrote() && op.Answer.Revision == revision
}

func travelBack(s *simulation, op *simulated, answer *Answer, change *Change) bool {
	lost := s.last
	if len(change.Events) == 0 || op.Outcome != Answered || lost < 3 ||
		!slices.ContainsFunc(s.ops, func(o *simulated) bool { return o.at < op.at && o.acknowledged(lost) }) {
		return false
	}
	s.changes = s.changes[:len(s.changes)-1]
	before := newModel()
	for _, change := range s.changes {
		before.apply(change)
	}
	s.model = before
	*answer, *change = s.run(op.Request, s.last)
	if len(change.Events) == 0 {
		// It happens to do nothing now: the log is short of what was acknowledged, until somebody takes the revision.
		return true
	}
	return true
}

func readBackwards(s *simulation, op *simulated, answer *Answer, _ *Change) bool {
	known := s.known(op, func(o *simulated) bool { return o.Member == op.Member && o.Session == op.Session })
	if !op.plainRead(true) || op.Session == 0 || known < 2 {
		return false
	}
	*answer, _ = s.run(op.Request, 1+s.random.Int64N(known-1))
	return true
}

func applyTwice(s *simulation, op *simulated, _ *Answer, change *Change) bool {
	if len(op.Request.Guards) > 0 || op.Request.Then[0].Verb != Put {
		return false
	}
	s.commit(*change)
	_, *change = s.run(op.Request, s.last)
	return true
}

func readFuture(s *simulation, h *History) bool {
	for i := range h.Ops {
		read := &h.Ops[i]
		if read.Outcome != Answered || read.wrote() || read.Answer.Revision < 3 {
			continue
		}
		for _, write := range h.Ops {
			if write.wrote() && write.Answer.Revision == read.Answer.Revision && write.Invoke > 2 {
				read.Invoke, read.Return = write.Invoke-2, write.Invoke-1
				return true
			}
		}
	}
	return false
}

func applyHalf(s *simulation, op *simulated, answer *Answer, change *Change) bool {
	if len(change.Events) < 2 || op.onlyDeletes() {
		return false
	}
	put := slices.IndexFunc(change.Events, func(e Event) bool { return !e.Deleted })
	change.Events = []Event{change.Events[put]}
	return true
}

func readHalf(s *simulation, op *simulated, answer *Answer, _ *Change) bool {
	if !op.plainRead(false) || len(s.changes) == 0 {
		return false
	}
	// The last of the keys that a transaction has changed is shown as it was before, the first as it is.
	for i := len(s.changes) - 1; i >= 0; i-- {
		events := s.changes[i].Events
		first, last := events[0], events[len(events)-1]
		kvs := answer.Results[0].KVs
		at := slices.Index(kvs, last.KV)
		if len(events) < 2 || first.Deleted || at < 0 || !slices.Contains(kvs, first.KV) {
			continue
		}
		kvs = slices.Clone(kvs)
		if before, there := s.at(last.Key, s.changes[i].Revision-1); there {
			kvs[at] = before
		} else {
			kvs = slices.Delete(kvs, at, at+1)
		}
		answer.Results = []Result{{KVs: kvs, Count: int64(len(kvs))}}
		return true
	}
	return false
}

func reorder(s *simulation, h *History) bool {
	for i := range h.Ops {
		for j := range h.Ops {
			early, late := &h.Ops[i], &h.Ops[j]
			if early.wrote() && late.wrote() && early.Answer.Revision+1 == late.Answer.Revision && s.random.IntN(20) == 0 {
				early.Invoke, early.Return = late.Return+1, late.Return+2
				return true
			}
		}
	}
	return false
}

func wrongPrevious(s *simulation, op *simulated, answer *Answer, _ *Change) bool {
	return s.falsifyWrite(op, answer, func(r *Result) bool {
		if len(r.KVs) == 0 {
			return false
		}
		r.KVs = slices.Clone(r.KVs)
		r.KVs[0].Value += "?"
		return true
	})
}

func wrongCount(s *simulation, op *simulated, answer *Answer, _ *Change) bool {
	return s.falsifyWrite(op, answer, func(r *Result) bool {
		if r.Count == 0 {
			return false
		}
		r.Count++
		return true
	})
}

func (s *simulation) falsifyWrite(op *simulated, answer *Answer, falsify func(*Result) bool) bool {
	branch := op.Request.Then
	if !answer.Succeeded {
		branch = op.Request.Else
	}
	for i, action := range branch {
		if op.Outcome == Answered && action.Verb != Read && falsify(&answer.Results[i]) {
			return true
		}
	}
	return false
}

func wrongVersion(s *simulation, op *simulated, _ *Answer, change *Change) bool {
	if len(change.Events) == 0 || change.Events[0].Deleted {
		return false
	}
	change.Events[0].Version++
	return true
}

func wrongCreate(s *simulation, op *simulated, answer *Answer, _ *Change) bool {
	if !op.plainRead(false) || len(answer.Results[0].KVs) == 0 {
		return false
	}
	kvs := slices.Clone(answer.Results[0].KVs)
	kvs[0].Create--
	answer.Results = []Result{{KVs: kvs, Count: int64(len(kvs))}}
	return true
}

func skipRevision(s *simulation, op *simulated, answer *Answer, change *Change) bool {
	if len(change.Events) == 0 || len(s.changes) == 0 {
		return false
	}
	s.last++
	*answer, *change = s.run(op.Request, s.last)
	return true
}

func ignoreGuard(s *simulation, op *simulated, answer *Answer, change *Change) bool {
	if op.Outcome != Answered || len(op.Request.Guards) == 0 {
		return false
	}
	wrong := op.Request
	wrong.Guards = nil
	if answer.Succeeded {
		wrong.Then = wrong.Else
	}
	succeeded := !answer.Succeeded
	*answer, *change = s.run(wrong, s.last)
	answer.Succeeded = succeeded
	return true
}

func diverge(s *simulation, h *History) bool {
	log := &h.Logs[1+s.random.IntN(len(h.Logs)-1)]
	at := s.random.IntN(len(log.Changes))
	events := slices.Clone(log.Changes[at].Events)
	events[0].Version++
	log.Changes[at].Events = events
	return true
}
