package history

import (
	"cmp"
	"fmt"
	"math/rand/v2"
	"slices"
	"time"
)

// simulation is a store that is right by construction, with concurrent clients on three members, lagging serializable
// reads, restarts, and operations that are refused or whose outcome stays unknown. It makes the histories that the
// checker itself is judged with. A fault makes it wrong in one place.
type simulation struct {
	*model
	random   *rand.Rand
	ops      []*simulated
	restarts map[string][]time.Duration
	shown    map[string]int64 // member and session -> the highest revision that this process has shown
	changes  []Change
	fault    *fault
}

// simulated is an operation, and when it happens, if it does.
type simulated struct {
	Op
	at      time.Duration
	happens bool
}

const (
	simulatedClients = 6
	simulatedOps     = 40 // of each client
	simulatedKeys    = 6
)

var simulatedMembers = []string{"m1", "m2", "m3"}

// simulate makes the history of a seed. With a fault it says whether there was an occasion for it.
func simulate(seed uint64, f *fault) (History, bool) {
	s := &simulation{model: newModel(), random: rand.New(rand.NewPCG(seed, 0)), restarts: map[string][]time.Duration{}, shown: map[string]int64{}, fault: f}
	for _, member := range simulatedMembers {
		for range s.random.IntN(3) {
			s.restarts[member] = append(s.restarts[member], s.upTo(time.Second))
		}
	}
	workloads := s.schedule()
	slices.SortFunc(s.ops, func(a, b *simulated) int { return cmp.Compare(a.at, b.at) })
	for _, op := range s.ops {
		op.Request = workloads[op.Client].Next()
		if op.Outcome == Unknown && f != nil && f.noUnknownDeletes && op.onlyDeletes() {
			op.happens, op.Outcome = false, Refused
		}
		if op.happens {
			s.perform(op)
		}
		workloads[op.Client].Learn(&op.Op)
	}
	h := History{}
	for _, op := range s.ops {
		h.Ops = append(h.Ops, op.Op)
	}
	for _, member := range simulatedMembers {
		h.Logs = append(h.Logs, Log{member, slices.Clone(s.changes)})
	}
	if f == nil {
		return h, true
	}
	if f.after != nil {
		f.planted = f.after(s, &h)
	}
	return h, f.planted
}

func (s *simulation) upTo(d time.Duration) time.Duration {
	return 1 + time.Duration(s.random.Int64N(int64(d)))
}

// schedule decides when each client asks, when that happens, and when it is answered.
func (s *simulation) schedule() []*Workload {
	const step = 10 * time.Millisecond
	var workloads []*Workload
	for client := range simulatedClients {
		workloads = append(workloads, NewWorkload(client, rand.New(rand.NewPCG(s.random.Uint64(), 1)), Keys(simulatedKeys)))
		now := time.Duration(0)
		for range simulatedOps {
			op := &simulated{happens: true}
			op.Client, op.Member = client, simulatedMembers[s.random.IntN(len(simulatedMembers))]
			op.Invoke = now + s.upTo(step)
			op.at = op.Invoke + s.upTo(step)
			op.Return = op.at + s.upTo(step)
			now = op.Return
			switch n := s.random.IntN(100); {
			case n < 3:
				op.Outcome, op.happens = Refused, false
			case n < 10:
				op.Outcome, op.happens = Unknown, s.random.IntN(3) > 0
				op.at, op.Return = op.Invoke+s.upTo(20*step), Never
			}
			if session := s.session(op.Member, op.Invoke); session == s.session(op.Member, op.Return) {
				op.Session = session
			}
			s.ops = append(s.ops, op)
		}
	}
	return workloads
}

func (s *simulation) session(member string, at time.Duration) int {
	session := 1
	for _, restart := range s.restarts[member] {
		if restart < at {
			session++
		}
	}
	return session
}

// perform lets an operation happen.
func (s *simulation) perform(op *simulated) {
	revision := s.last
	process := fmt.Sprint(op.Member, s.session(op.Member, op.at))
	if op.Request.Serializable {
		shown := min(max(s.shown[process], 1), s.last)
		revision = shown + s.random.Int64N(s.last-shown+1)
	}
	answer, change := s.run(op.Request, revision)
	if op.Request.At > revision {
		op.Outcome = Refused // a lagging member has never heard of it
		return
	}
	if s.fault != nil && !s.fault.planted && s.fault.during != nil && op.at > s.fault.from(s) {
		if planted := s.fault.during(s, op, &answer, &change); planted {
			s.fault.planted = true
		}
	}
	if len(change.Events) > 0 {
		s.commit(change)
	}
	if op.Outcome == Answered {
		op.Answer = answer
		s.shown[process] = max(s.shown[process], answer.Revision)
	}
}

func (s *simulation) commit(change Change) {
	s.changes = append(s.changes, change)
	s.apply(change)
}
