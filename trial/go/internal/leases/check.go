package leases

import (
	"fmt"
	"slices"
	"time"
)

// checker judges one history.
type checker struct {
	h     *History
	ends  map[string]Change // by key, the change that has deleted it
	puts  map[string]Change // by key, the change that has put it
	found []Violation
}

const (
	foundMax = 50
	// A request that was not answered may have been passed on by a follower for so long.
	underWay = 8 * time.Second
)

// Check finds what is wrong with a history.
func Check(h *History) []Violation {
	c := &checker{h: h, ends: map[string]Change{}, puts: map[string]Change{}}
	for _, change := range h.Changes {
		for _, key := range change.Put {
			c.puts[key] = change
		}
		for _, key := range change.Deleted {
			c.ends[key] = change
		}
	}
	for _, l := range h.Leases {
		c.judge(l)
	}
	return c.found
}

func (c *checker) report(a Anomaly, l *Lease, format string, args ...any) {
	if len(c.found) < foundMax {
		c.found = append(c.found, Violation{a, l.ID, fmt.Sprintf(format, args...)})
	}
}

// End is when and at which revision a lease has ended, as its keys tell. It is nil if it has not, or had no key.
func (c *checker) end(l *Lease) *Change {
	for _, key := range l.Keys {
		if change, there := c.ends[key.Name]; there {
			return &change
		}
	}
	return nil
}

func (c *checker) judge(l *Lease) {
	end := c.end(l)
	asked := l.Revoke != nil
	if end != nil {
		c.together(l, *end)
		if due := c.notBefore(l, end.At); end.At < due && !(asked && l.Revoke.Sent < end.At) && !c.deposed(end.At) {
			c.report(Early, l, "of %d s: its keys were gone at %v, and it had to live until %v", l.TTL, end.At, due)
		}
	}
	if asked && l.Revoke.Answered {
		switch {
		case end == nil && c.hasKey(l):
			c.report(Undead, l, "its revocation was acknowledged at revision %d, and its keys are there", l.Revoke.Revision)
		case end != nil && end.Revision > l.Revoke.Revision:
			c.report(Undead, l, "its revocation was acknowledged at revision %d, and its keys were gone at %d", l.Revoke.Revision, end.Revision)
		}
	}
	if c.hasKey(l) && !(asked && l.Revoke.Answered) {
		switch must := c.notAfter(l); {
		case end == nil && must < c.h.End:
			c.report(Forgotten, l, "of %d s: it had to end until %v, and is there at %v", l.TTL, must, c.h.End)
		case end != nil && end.At > must:
			c.report(Forgotten, l, "of %d s: it had to end until %v, and ended at %v", l.TTL, must, end.At)
		}
	}
	c.renewals(l, end)
	for _, q := range l.Queries {
		c.query(l, end, q)
	}
	for _, list := range c.h.Lists {
		c.list(l, end, list)
	}
}

// hasKey says whether a key of this lease was surely put.
func (c *checker) hasKey(l *Lease) bool {
	return slices.ContainsFunc(l.Keys, func(k Key) bool { _, there := c.puts[k.Name]; return there })
}

// together demands that everything that was put under a lease is deleted in the revision of its end, and nothing is put
// under it afterwards.
func (c *checker) together(l *Lease, end Change) {
	for _, key := range l.Keys {
		put, wasPut := c.puts[key.Name]
		gone, isGone := c.ends[key.Name]
		switch {
		case wasPut && put.Revision > end.Revision:
			c.report(Undead, l, "%s was put at revision %d, and the lease had ended at %d", key.Name, put.Revision, end.Revision)
		case wasPut && !isGone:
			c.report(Torn, l, "it ended at revision %d, and %s of revision %d is there", end.Revision, key.Name, put.Revision)
		case isGone && gone.Revision != end.Revision:
			c.report(Torn, l, "a key went at revision %d, and %s at %d", end.Revision, key.Name, gone.Revision)
		case key.Answered && !wasPut:
			c.report(Torn, l, "%s was acknowledged at revision %d, and no witness has seen it", key.Name, key.Revision)
		}
	}
}

// notBefore is the earliest time at which the lease may have ended, as far as was known at a moment.
func (c *checker) notBefore(l *Lease, known time.Duration) time.Duration {
	from := l.Grant.Sent
	for _, r := range l.Renewals {
		if r.Answered && r.TTL > 0 && r.Returned <= known {
			from = max(from, r.Sent)
		}
	}
	return from + seconds(l.TTL)
}

// notAfter is the latest time at which the lease may end: each harm before it makes it later.
func (c *checker) notAfter(l *Lease) time.Duration {
	from := l.Grant.Returned
	for _, r := range l.Renewals {
		if r.Answered {
			from = max(from, r.Returned)
		} else {
			from = max(from, r.Returned, r.Sent+underWay)
		}
	}
	life := seconds(l.TTL) + c.h.Election + c.h.Late
	for _, harm := range c.h.Harms {
		if harm.Begin <= from+life {
			from = max(from, harm.End)
		}
	}
	return from + life
}

// calm says whether a call lies wholly in a time when the cluster was whole. Else a member may speak that does not know
// yet that it leads no more.
func (c *checker) calm(call Call) bool {
	return !slices.ContainsFunc(c.h.Harms, func(h Harm) bool { return call.Sent <= h.End && call.Returned >= h.Begin })
}

// ended says whether it was known before a call that the lease had ended.
func ended(l *Lease, end *Change, call Call) bool {
	return end != nil && end.At < call.Sent || l.Revoke != nil && l.Revoke.Answered && l.Revoke.Returned < call.Sent
}

// lives says whether the lease must have been there during a call.
func (c *checker) lives(l *Lease, call Call) bool {
	return l.Grant.Returned < call.Sent && call.Returned < c.notBefore(l, call.Sent) && (l.Revoke == nil || call.Returned < l.Revoke.Sent)
}

const (
	appliedWithin = time.Second
	deposedWithin = 12 * time.Second
)

// deposed says whether a leader that is none any more may still end leases.
func (c *checker) deposed(at time.Duration) bool {
	return c.h.AsEtcd && slices.ContainsFunc(c.h.Harms, func(h Harm) bool { return h.Begin <= at && at < h.End+deposedWithin })
}

// tolerates says whether a renewal after the end is passed over, as a leader that applies late gives it.
func (c *checker) tolerates(end *Change, r Call) bool {
	return c.h.AsEtcd && r.TTL > 0 && end != nil && r.Sent > end.At && r.Sent < end.At+appliedWithin && r.Revision < end.Revision
}

func (c *checker) renewals(l *Lease, end *Change) {
	dead := time.Duration(-1)
	for _, r := range l.Renewals {
		switch {
		case !r.Answered:
		case c.tolerates(end, r):
		case r.TTL > 0 && ended(l, end, r) && c.calm(r):
			c.report(Undead, l, "it was renewed for %d s at %v by %s, after its end", r.TTL, r.Sent, r.Member)
		case r.TTL > 0 && dead >= 0 && dead < r.Sent && c.calm(r):
			c.report(Undead, l, "it was renewed for %d s at %v by %s, and at %v there was none", r.TTL, r.Sent, r.Member, dead)
		case r.TTL > 0 && r.TTL != l.TTL:
			c.report(WrongTTL, l, "of %d s is renewed for %d", l.TTL, r.TTL)
		case r.TTL <= 0 && c.lives(l, r) && !c.deposed(r.Sent):
			c.report(Early, l, "of %d s: %s says at %v that there is none, and it had to live until %v", l.TTL, r.Member, r.Returned, c.notBefore(l, r.Sent))
		case r.TTL <= 0 && dead < 0:
			dead = r.Returned
		}
	}
}

// query judges what a member says of a lease while the cluster is whole.
func (c *checker) query(l *Lease, end *Change, q Query) {
	if !q.Answered || !c.calm(q.Call) {
		return
	}
	none := q.TTL == -1 && q.Granted == 0
	switch {
	case ended(l, end, q.Call):
		if !none {
			c.report(Undead, l, "%s says %d s of %d at %v, after its end", q.Member, q.TTL, q.Granted, q.Sent)
		}
		return
	case none:
		if c.lives(l, q.Call) && !c.deposed(q.Sent) {
			c.report(Early, l, "of %d s: %s says at %v that there is none, and it had to live until %v", l.TTL, q.Member, q.Returned, c.notBefore(l, q.Sent))
		}
		return
	case q.Granted != l.TTL:
		c.report(WrongTTL, l, "of %d s, and %s says that it was granted for %d", l.TTL, q.Member, q.Granted)
	case seconds(q.TTL) > seconds(l.TTL)+c.h.Election+time.Second:
		c.report(WrongTTL, l, "of %d s, and %s says that it has %d", l.TTL, q.Member, q.TTL)
	case c.lives(l, q.Call) && seconds(q.TTL+1) < c.notBefore(l, q.Sent)-q.Returned:
		c.report(WrongTTL, l, "of %d s, and %s says at %v that it has %d; it must live until %v", l.TTL, q.Member, q.Returned, q.TTL, c.notBefore(l, q.Sent))
	}
	if q.AllKeys {
		c.keys(l, q)
	}
}

func (c *checker) keys(l *Lease, q Query) {
	for _, key := range l.Keys {
		if key.Answered && key.Returned < q.Sent && !slices.Contains(q.Keys, key.Name) {
			c.report(WrongKeys, l, "%s says %v at %v, without %s", q.Member, q.Keys, q.Sent, key.Name)
		}
	}
	for _, name := range q.Keys {
		if !slices.ContainsFunc(l.Keys, func(k Key) bool { return k.Name == name && k.Sent < q.Returned }) {
			c.report(WrongKeys, l, "%s says %q at %v, which nobody had put", q.Member, name, q.Sent)
		}
	}
}

func (c *checker) list(l *Lease, end *Change, list List) {
	switch {
	case ended(l, end, list.Call) && list.IDs[l.ID]:
		c.report(WrongList, l, "%s lists it, after its end", list.Member)
	case c.lives(l, list.Call) && !list.IDs[l.ID]:
		c.report(WrongList, l, "%s does not list it, and it must live until %v", list.Member, c.notBefore(l, list.Sent))
	}
}

func seconds(n int64) time.Duration {
	const most = 1 << 31 // years: more would not fit
	return time.Duration(min(n, most)) * time.Second
}

// Counts says what a history holds: what is not among these, a run says nothing about.
func Counts(h *History) map[string]int {
	c := &checker{h: h, ends: map[string]Change{}}
	for _, change := range h.Changes {
		for _, key := range change.Deleted {
			c.ends[key] = change
		}
	}
	counts := map[string]int{"leases": len(h.Leases), "harms": len(h.Harms)}
	for _, l := range h.Leases {
		end := c.end(l)
		switch {
		case end == nil:
		case l.Revoke == nil && end.At < c.notBefore(l, end.At):
			counts["ended before their time"]++
		case l.Revoke != nil:
			counts["revoked"]++
		default:
			counts["expired"]++
		}
		for _, r := range l.Renewals {
			switch {
			case !r.Answered:
				counts["renewals without an answer"]++
			case r.TTL > 0 && ended(l, end, r) && c.calm(r):
				counts["renewals of an ended lease, confirmed"]++
			case r.TTL > 0 && ended(l, end, r):
				counts["renewals of an ended lease, confirmed while the cluster was not whole"]++
			case r.TTL > 0:
				counts["renewals"]++
			case ended(l, end, r) && c.calm(r):
				counts["renewals of an ended lease, refused"]++
			default:
				counts["renewals refused"]++
			}
		}
		for _, q := range l.Queries {
			if q.Answered && c.calm(q.Call) {
				counts["queries judged"]++
			}
		}
	}
	return counts
}
