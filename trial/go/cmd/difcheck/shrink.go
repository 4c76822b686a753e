package main

import (
	"fmt"
	"slices"
	"strings"
	"time"

	pb "go.etcd.io/etcd/api/v3/etcdserverpb"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
)

// shown is a sequence that shows a difference on fresh servers.
type shown struct {
	operations []operation
	found      *difference
}

func (s *shown) String() string {
	var lines strings.Builder
	for n, o := range s.operations {
		fmt.Fprintf(&lines, "  %d  %s\n", n+1, o)
	}
	fmt.Fprintf(&lines, "  the last one: %s", s.found)
	return lines.String()
}

// shrinker leaves out what is not needed: whole operations first (delta debugging), then steps and fields of those that
// stay. Each try runs a sequence; one that showed nothing leaves the pair as it was, after a clearing.
type shrinker struct {
	t        *trial
	pair     *pair
	best     *shown
	deadline time.Time
	enough   int // operations that need not become fewer
}

// shrink returns nil if the difference does not come back at all. It stops early at so few operations.
func (t *trial) shrink(sequence []operation, found *difference, enough int) *shown {
	if t.shrinkFor == 0 {
		return nil
	}
	s := &shrinker{t: t, deadline: time.Now().Add(t.shrinkFor), enough: enough}
	defer s.drop()
	whole := slices.Clone(sequence[:found.index+1])
	last := whole[found.index]
	s.lastOnes(whole)
	if s.best == nil && !s.try(append(slices.DeleteFunc(slices.Clone(whole[:found.index]), operation.reads), last)) && !s.try(whole) {
		return nil
	}
	most := len(s.best.operations) - 1
	s.try(append(slices.DeleteFunc(slices.Clone(s.best.operations[:most]), operation.reads), s.best.operations[most]))
	for before := 0; before != s.size() && s.goesOn(); {
		before = s.size()
		s.leaveOutOperations()
		s.leaveOutParts()
	}
	return s.best
}

// lastOnes tries the end of the sequence alone: most differences need little of what was before.
func (s *shrinker) lastOnes(whole []operation) {
	for n := 1; n < len(whole) && n <= 1024; n *= 4 {
		if s.try(whole[len(whole)-n:]) {
			return
		}
	}
}

func (s *shrinker) goesOn() bool {
	return time.Now().Before(s.deadline) && s.t.ctx.Err() == nil && (s.best == nil || len(s.best.operations) > s.enough)
}

// size is what shrinking makes smaller.
func (s *shrinker) size() int {
	bytes := 0
	for _, o := range s.best.operations {
		bytes += 1 + len(o.name)
		if o.request != nil {
			bytes += proto.Size(o.request)
		}
	}
	return bytes
}

// try says whether a sequence shows a difference, on servers that are fresh; then it is the best so far.
func (s *shrinker) try(sequence []operation) bool {
	if s.best != nil && !s.goesOn() {
		return false
	}
	reused := s.pair != nil
	found := s.attempt(sequence)
	if found != nil && reused {
		found = s.attempt(sequence)
	}
	if found == nil {
		return false
	}
	s.best = &shown{slices.Clone(sequence[:found.index+1]), found}
	return true
}

func (s *shrinker) attempt(sequence []operation) *difference {
	if s.pair == nil {
		fresh, err := s.t.freshPair()
		if err != nil {
			return nil
		}
		s.pair = fresh
	}
	found, err := s.pair.run(s.t.ctx, sequence, census{})
	// What has compacted is never again as it was.
	if found != nil || err != nil || s.pair.compacted > 0 || !s.clear() {
		s.drop()
	}
	return found
}

func (s *shrinker) drop() {
	if s.pair != nil {
		s.pair.discard()
		s.pair = nil
	}
}

// clear leaves no key, lease or alarm behind.
func (s *shrinker) clear() bool {
	cleared := []operation{}
	if s.t.families.has("alarm") {
		for _, member := range []uint64{memberSelf, 0, 5} {
			for _, alarm := range []pb.AlarmType{1, 2, 9} {
				cleared = append(cleared, operation{"Alarm", &pb.AlarmRequest{Action: pb.AlarmRequest_DEACTIVATE, MemberID: member, Alarm: alarm}})
			}
		}
	}
	if s.t.families.has("lease") {
		for _, id := range leases {
			cleared = append(cleared, operation{"LeaseRevoke", &pb.LeaseRevokeRequest{ID: id}})
		}
	}
	cleared = append(cleared, operation{"DeleteRange", &pb.DeleteRangeRequest{Key: []byte{0}, RangeEnd: []byte{0}}})
	found, err := s.pair.run(s.t.ctx, cleared, census{})
	return found == nil && err == nil
}

func (s *shrinker) leaveOutOperations() {
	for chunk := max(len(s.best.operations)/2, 1); chunk >= 1; chunk /= 2 {
		for begin := 0; begin+chunk < len(s.best.operations) && s.goesOn(); {
			if !s.try(slices.Delete(slices.Clone(s.best.operations), begin, begin+chunk)) {
				begin += chunk
			}
		}
	}
}

// leaveOutParts tries every operation with one field or one step of it gone.
func (s *shrinker) leaveOutParts() {
	for n := 0; n < len(s.best.operations) && s.goesOn(); n++ {
		for part := 0; n < len(s.best.operations) && s.goesOn(); {
			o := s.best.operations[n]
			if o.request == nil {
				break
			}
			smaller := proto.Clone(o.request)
			if !removePart(smaller.ProtoReflect(), &part) {
				break
			}
			with := slices.Clone(s.best.operations)
			with[n] = operation{o.name, smaller}
			if tried := part; s.try(with) {
				part = tried
			} else {
				part++
			}
		}
	}
}

// removePart clears the part with this number, in the order of the fields, and says whether there was one. The count
// goes down on the way, and is put back.
func removePart(m protoreflect.Message, part *int) bool {
	wanted := *part
	left := wanted
	removed := removeIn(m, &left)
	*part = wanted
	return removed
}

func removeIn(m protoreflect.Message, left *int) bool {
	fields := m.Descriptor().Fields()
	for n := range fields.Len() {
		field := fields.Get(n)
		if !m.Has(field) {
			continue
		}
		if field.IsList() && field.Message() != nil {
			if removeInList(m.Mutable(field).List(), left) {
				return true
			}
			continue
		}
		if *left == 0 {
			m.Clear(field)
			return true
		}
		*left--
		if field.Message() != nil && !field.IsList() && removeIn(m.Mutable(field).Message(), left) {
			return true
		}
	}
	if len(m.GetUnknown()) > 0 {
		if *left == 0 {
			m.SetUnknown(nil)
			return true
		}
		*left--
	}
	return false
}

// removeInList counts the halves of a long list as parts, then each element.
func removeInList(list protoreflect.List, left *int) bool {
	const long = 4
	if half := list.Len() / 2; list.Len() >= long {
		for _, begin := range []int{0, half} {
			if *left == 0 {
				cut(list, begin, begin+half)
				return true
			}
			*left--
		}
	}
	for n := range list.Len() {
		if *left == 0 {
			cut(list, n, n+1)
			return true
		}
		*left--
		if removeIn(list.Get(n).Message(), left) {
			return true
		}
	}
	return false
}

func cut(list protoreflect.List, begin, end int) {
	for n := end; n < list.Len(); n++ {
		list.Set(begin+n-end, list.Get(n))
	}
	list.Truncate(list.Len() - (end - begin))
}
