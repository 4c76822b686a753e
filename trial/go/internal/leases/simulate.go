package leases

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"time"
)

// simulation makes a history that is right.
type simulation struct {
	*rand.Rand
	h *History
}

func (m *simulation) upTo(d time.Duration) time.Duration { return time.Duration(m.Int64N(int64(d))) }

func simulate(seed uint64) *simulation {
	m := &simulation{rand.New(rand.NewPCG(seed, 0x1ea5e)), &History{End: 60 * time.Second, Election: time.Second, Late: 2 * time.Second}}
	for at := m.upTo(10 * time.Second); at < 50*time.Second; at += 4*time.Second + m.upTo(12*time.Second) {
		m.h.Harms = append(m.h.Harms, Harm{at, at + 100*time.Millisecond + m.upTo(3*time.Second)})
	}
	revision := int64(1)
	type event struct {
		at   time.Duration
		put  string
		gone []string
		key  *Key
		end  *Call
	}
	var events []event
	for n := range 12 {
		l := &Lease{ID: int64(n + 1), TTL: 2 + m.Int64N(4)}
		m.h.Leases = append(m.h.Leases, l)
		now := m.upTo(30 * time.Second)
		l.Grant = m.call(&now)
		processed := l.Grant.Returned - m.upTo(l.Grant.Returned-l.Grant.Sent)
		var names []string
		for i := range 1 + m.IntN(3) {
			l.Keys = append(l.Keys, Key{Name: fmt.Sprintf("l/%d/%d", n, i), Call: m.call(&now)})
			names = append(names, l.Keys[i].Name)
		}
		for i := range l.Keys {
			events = append(events, event{at: l.Keys[i].Returned, put: l.Keys[i].Name, key: &l.Keys[i]})
		}
		expiry := m.extended(l, processed)
		for range m.IntN(4) {
			now += m.upTo(seconds(l.TTL) * 3 / 4)
			if now+100*time.Millisecond > expiry {
				break
			}
			r := m.call(&now)
			r.TTL = l.TTL
			if m.IntN(6) == 0 {
				r.Answered = false
			}
			l.Renewals = append(l.Renewals, r)
			if r.Answered || m.IntN(2) == 0 {
				expiry = m.extended(l, r.Returned-m.upTo(r.Returned-r.Sent))
			}
			m.ask(l, &now, expiry)
		}
		ending := expiry + m.upTo(900*time.Millisecond)
		if m.IntN(4) == 0 && now+200*time.Millisecond < expiry {
			revoke := m.call(&now)
			l.Revoke, ending = &revoke, revoke.Returned-1
			events = append(events, event{at: ending, gone: names, end: l.Revoke})
		} else {
			events = append(events, event{at: ending, gone: names})
		}
		now = max(now, ending+time.Millisecond)
		late := m.call(&now)
		l.Renewals = append(l.Renewals, late)
		l.Queries = append(l.Queries, Query{Call: m.call(&now)})
		l.Queries[len(l.Queries)-1].TTL = -1
	}
	for n := range 3 { // some that live at the end
		now := 50 * time.Second
		m.h.Leases = append(m.h.Leases, &Lease{ID: int64(100 + n), TTL: 60, Grant: m.call(&now)})
	}
	slices.SortFunc(events, func(a, b event) int { return int(a.at - b.at) })
	for _, e := range events {
		revision++
		change := Change{Revision: revision, At: e.at, Deleted: e.gone}
		if e.put != "" {
			change.Put = []string{e.put}
			e.key.Revision = revision
		}
		if e.end != nil {
			e.end.Revision = revision
		}
		m.h.Changes = append(m.h.Changes, change)
	}
	m.h.End += 60 * time.Second
	for n := range 3 {
		now := 62 * time.Second
		list := List{Call: m.call(&now), IDs: map[int64]bool{100: true, 101: true, 102: true}}
		list.Member = fmt.Sprintf("m%d", n+1)
		m.h.Lists = append(m.h.Lists, list)
	}
	return m
}

// call takes some milliseconds.
func (m *simulation) call(now *time.Duration) Call {
	*now += time.Millisecond + m.upTo(10*time.Millisecond)
	sent := *now
	*now += time.Millisecond + m.upTo(40*time.Millisecond)
	return Call{Member: fmt.Sprintf("m%d", 1+m.IntN(3)), Sent: sent, Returned: *now, Answered: true}
}

// extended is when a lease expires: every new leader begins its time anew.
func (m *simulation) extended(l *Lease, processed time.Duration) time.Duration {
	expiry := processed + seconds(l.TTL)
	for _, harm := range m.h.Harms {
		if harm.End > processed && harm.Begin <= expiry {
			expiry = max(expiry, harm.End+m.h.Election+seconds(l.TTL))
		}
	}
	return expiry
}

// ask adds what a member says about a lease that lives.
func (m *simulation) ask(l *Lease, now *time.Duration, expiry time.Duration) {
	q := Query{Call: m.call(now), Granted: l.TTL, AllKeys: true}
	q.TTL = int64(min(expiry-q.Returned, seconds(l.TTL)+m.h.Election) / time.Second)
	for _, key := range l.Keys {
		q.Keys = append(q.Keys, key.Name)
	}
	l.Queries = append(l.Queries, q)
}

// fault is one way of being wrong, planted once into a history that was right.
type fault struct {
	name  string
	named Anomaly
	plant func(m *simulation, l *Lease, end *Change) bool // false: there is no place for it
}

var faults = []fault{
	{"a lease ends a second after its last renewal", Early, func(m *simulation, l *Lease, end *Change) bool {
		if end == nil || l.Revoke != nil || len(l.Renewals) < 2 || !l.Renewals[len(l.Renewals)-2].Answered {
			return false
		}
		end.At = l.Renewals[len(l.Renewals)-2].Returned + time.Second
		return true
	}},
	{"a lease ends just before its time", Early, func(m *simulation, l *Lease, end *Change) bool {
		if end == nil || l.Revoke != nil || len(l.Renewals) > 1 {
			return false
		}
		end.At = l.Grant.Sent + seconds(l.TTL) - time.Millisecond
		return true
	}},
	{"a lease that lives is said not to", Early, func(m *simulation, l *Lease, end *Change) bool {
		if len(l.Renewals) < 2 || l.Renewals[0].Sent < l.Grant.Returned || l.Renewals[0].Returned >= l.Grant.Sent+seconds(l.TTL) {
			return false
		}
		l.Renewals[0].TTL = 0
		return l.Renewals[0].Answered
	}},
	{"a member does not know a lease that lives", Early, func(m *simulation, l *Lease, end *Change) bool {
		q := m.living(l, end)
		if q == nil || q.Returned >= l.Grant.Sent+seconds(l.TTL) {
			return false
		}
		q.TTL, q.Granted = -1, 0
		return true
	}},
	{"a lease never ends", Forgotten, func(m *simulation, l *Lease, end *Change) bool {
		if end == nil || l.Revoke != nil {
			return false
		}
		end.Deleted = nil
		return true
	}},
	{"a lease ends far too late", Forgotten, func(m *simulation, l *Lease, end *Change) bool {
		if end == nil || l.Revoke != nil {
			return false
		}
		end.At += 30 * time.Second
		return true
	}},
	{"a key outlives its lease", Torn, func(m *simulation, l *Lease, end *Change) bool {
		if end == nil || len(end.Deleted) < 2 {
			return false
		}
		end.Deleted = end.Deleted[1:]
		return true
	}},
	{"the keys of a lease end in two revisions", Torn, func(m *simulation, l *Lease, end *Change) bool {
		if end == nil || len(end.Deleted) < 2 {
			return false
		}
		rest := Change{Revision: 1_000_000, At: end.At, Deleted: end.Deleted[1:]}
		end.Deleted = end.Deleted[:1:1]
		m.h.Changes = append(m.h.Changes, rest)
		return true
	}},
	{"an acknowledged key was never there", Torn, func(m *simulation, l *Lease, end *Change) bool {
		if end == nil || len(end.Deleted) < 2 {
			return false
		}
		for i := range m.h.Changes {
			if slices.Contains(m.h.Changes[i].Put, end.Deleted[1]) {
				m.h.Changes[i].Put, end.Deleted = nil, end.Deleted[:1:1]
				return true
			}
		}
		return false
	}},
	{"a key is put under a lease that has ended", Undead, func(m *simulation, l *Lease, end *Change) bool {
		if end == nil {
			return false
		}
		l.Keys = append(l.Keys, Key{Name: "late", Call: Call{Answered: true, Revision: 1_000_000}})
		m.h.Changes = append(m.h.Changes, Change{Revision: 1_000_000, At: end.At, Put: []string{"late"}})
		return true
	}},
	{"a lease that has ended is renewed", Undead, func(m *simulation, l *Lease, end *Change) bool {
		last := &l.Renewals[max(len(l.Renewals)-1, 0)]
		if end == nil || !m.calm(*last) {
			return false
		}
		last.TTL = l.TTL
		return true
	}},
	{"a member still knows a lease that has ended", Undead, func(m *simulation, l *Lease, end *Change) bool {
		if end == nil || len(l.Queries) == 0 || !m.calm(l.Queries[len(l.Queries)-1].Call) {
			return false
		}
		last := &l.Queries[len(l.Queries)-1]
		last.TTL, last.Granted = 1, l.TTL
		return true
	}},
	{"an acknowledged revocation does nothing", Undead, func(m *simulation, l *Lease, end *Change) bool {
		if end == nil || l.Revoke == nil {
			return false
		}
		end.Deleted = nil
		return true
	}},
	{"a renewal is for another time", WrongTTL, func(m *simulation, l *Lease, end *Change) bool {
		if len(l.Renewals) < 2 || !l.Renewals[0].Answered {
			return false
		}
		l.Renewals[0].TTL++
		return true
	}},
	{"a member says too long a time", WrongTTL, func(m *simulation, l *Lease, end *Change) bool {
		q := m.living(l, end)
		if q == nil {
			return false
		}
		q.TTL = l.TTL + 3
		return true
	}},
	{"a member that is not promoted says the largest time", WrongTTL, func(m *simulation, l *Lease, end *Change) bool {
		q := m.living(l, end)
		if q == nil {
			return false
		}
		q.TTL = 9_223_372_036
		return true
	}},
	{"a member says too short a time", WrongTTL, func(m *simulation, l *Lease, end *Change) bool {
		q := m.living(l, end)
		if q == nil || q.Returned+2*time.Second >= l.Grant.Sent+seconds(l.TTL) {
			return false
		}
		q.TTL = 0
		return true
	}},
	{"a member says another time that was granted", WrongTTL, func(m *simulation, l *Lease, end *Change) bool {
		q := m.living(l, end)
		if q == nil {
			return false
		}
		q.Granted--
		return true
	}},
	{"a member does not know a key", WrongKeys, func(m *simulation, l *Lease, end *Change) bool {
		q := m.living(l, end)
		if q == nil {
			return false
		}
		q.Keys = q.Keys[1:]
		return true
	}},
	{"a member says a key of another lease", WrongKeys, func(m *simulation, l *Lease, end *Change) bool {
		q := m.living(l, end)
		if q == nil {
			return false
		}
		q.Keys = append(q.Keys, "l/other/0")
		return true
	}},
	{"a member does not list a lease that lives", WrongList, func(m *simulation, l *Lease, end *Change) bool {
		delete(m.h.Lists[1].IDs, 101)
		return true
	}},
	{"a member lists a lease that has ended", WrongList, func(m *simulation, l *Lease, end *Change) bool {
		if end == nil || end.At >= m.h.Lists[1].Sent {
			return false
		}
		m.h.Lists[1].IDs[l.ID] = true
		return true
	}},
}

func (m *simulation) calm(call Call) bool { return (&checker{h: m.h}).calm(call) }

// living is something that was said about a lease before its end, while the cluster was whole.
func (m *simulation) living(l *Lease, end *Change) *Query {
	for i := range l.Queries {
		if q := &l.Queries[i]; q.Granted > 0 && m.calm(q.Call) && (end == nil || q.Returned < end.At) {
			return q
		}
	}
	return nil
}

// SelfTest judges the checker: histories that are right must pass, and each with a fault must not. It calls report for
// every sort of history, with an error if the checker was wrong.
func SelfTest(firstSeed uint64, legal, illegal int, report func(what string, err error)) {
	accepted := 0
	var errs []error
	for seed := firstSeed; seed < firstSeed+uint64(legal); seed++ {
		if found := Check(simulate(seed).h); len(found) > 0 {
			errs = append(errs, fmt.Errorf("seed %d: %v", seed, found[0]))
			continue
		}
		accepted++
	}
	report(fmt.Sprintf("%d of %d histories without a fault accepted", accepted, legal), errors.Join(errs...))
	for _, f := range faults {
		noticed, err := 0, error(nil)
		for seed := firstSeed; noticed < illegal && err == nil; seed++ {
			if seed == firstSeed+uint64(illegal)*100 {
				err = errors.New("there was no place for it")
				break
			}
			m := simulate(seed)
			if !m.planted(f) {
				continue
			}
			if found := Check(m.h); !slices.ContainsFunc(found, func(v Violation) bool { return v.Anomaly == f.named }) {
				err = fmt.Errorf("seed %d: found %v, and not %q", seed, found, f.named)
				break
			}
			noticed++
		}
		report(fmt.Sprintf("noticed %d times: %s", noticed, f.name), err)
	}
}

// planted plants a fault at one lease by chance.
func (m *simulation) planted(f fault) bool {
	for _, n := range m.Perm(12) {
		l := m.h.Leases[n]
		var end *Change
		for i := range m.h.Changes {
			if slices.Contains(m.h.Changes[i].Deleted, l.Keys[0].Name) {
				end = &m.h.Changes[i]
			}
		}
		if f.plant(m, l, end) {
			return true
		}
	}
	return false
}
