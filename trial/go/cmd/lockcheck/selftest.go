package main

import (
	"fmt"
	"math/rand/v2"
	"slices"

	"quoin.dev/trial/internal/tally"
)

// fault is a lie that is planted into a right history. It says whether it found a place.
type fault struct {
	name  string
	plant func(h *history, random *rand.Rand) bool
}

// pick picks one of the acquisitions that fit.
func pick(h *history, random *rand.Rand, fits func(a *acquisition) bool) *acquisition {
	var all []*acquisition
	for i := range h.acquisitions {
		if fits(&h.acquisitions[i]) {
			all = append(all, &h.acquisitions[i])
		}
	}
	if len(all) == 0 {
		return nil
	}
	return all[random.IntN(len(all))]
}

func indexOf(h *history, fits func(e event) bool) int { return slices.IndexFunc(h.events, fits) }

var faults = []fault{
	{"a lock is granted while an older waiter is there", func(h *history, random *rand.Rand) bool {
		a := pick(h, random, func(a *acquisition) bool { return a.granted > a.fence && a.wrote == written })
		if a == nil {
			return false
		}
		a.granted = a.fence
		return true
	}},
	{"a lock is granted one revision too early", func(h *history, random *rand.Rand) bool {
		a := pick(h, random, func(a *acquisition) bool { return a.granted > a.fence && a.wrote == written })
		if a == nil {
			return false
		}
		a.granted--
		return true
	}},
	{"a lock is granted to a key that is gone", func(h *history, random *rand.Rand) bool {
		a := pick(h, random, func(a *acquisition) bool { return a.wrote == refused })
		if a == nil {
			return false
		}
		i := indexOf(h, func(e event) bool { return e.deleted && e.key == a.key })
		a.granted = h.events[i].revision
		return true
	}},
	{"a lock is granted to a key that was created anew", func(h *history, random *rand.Rand) bool {
		a := pick(h, random, func(a *acquisition) bool { return a.granted > a.fence })
		if a == nil {
			return false
		}
		a.fence++
		return true
	}},
	{"an update is lost", func(h *history, random *rand.Rand) bool {
		var at []int
		for i, e := range h.events {
			if e.value != "" && !e.deleted && e.created != e.revision {
				at = append(at, i)
			}
		}
		if len(at) == 0 {
			return false
		}
		e := &h.events[at[random.IntN(len(at))]]
		var n int
		var token string
		fmt.Sscanf(e.value, "%d %s", &n, &token)
		e.value = fmt.Sprintf("%d %s", n-1, token)
		return true
	}},
	{"an acknowledged write is not there", func(h *history, random *rand.Rand) bool {
		a := pick(h, random, func(a *acquisition) bool { return a.wrote == refused })
		if a == nil {
			return false
		}
		a.wrote = written
		return true
	}},
	{"a refused write is there", func(h *history, random *rand.Rand) bool {
		a := pick(h, random, func(a *acquisition) bool { return a.wrote == written })
		if a == nil {
			return false
		}
		a.wrote = refused
		return true
	}},
	{"a write happens after its lock is lost", func(h *history, random *rand.Rand) bool {
		a := pick(h, random, func(a *acquisition) bool { return a.wrote == written })
		if a == nil {
			return false
		}
		wrote := indexOf(h, func(e event) bool { return !e.deleted && hasToken(e.value, a.token) })
		gone := indexOf(h, func(e event) bool { return e.deleted && e.key == a.key && e.revision > a.fence })
		if gone < 0 {
			return false
		}
		h.events[gone].revision = h.events[wrote].revision
		return true
	}},
	{"a write happens twice", func(h *history, random *rand.Rand) bool {
		a := pick(h, random, func(a *acquisition) bool { return a.wrote == written })
		if a == nil {
			return false
		}
		i := indexOf(h, func(e event) bool { return !e.deleted && hasToken(e.value, a.token) })
		h.events = slices.Insert(h.events, i+1, h.events[i])
		return true
	}},
	{"nothing is heard of a waiter", func(h *history, random *rand.Rand) bool {
		a := pick(h, random, func(a *acquisition) bool { return a.granted > 0 })
		a.hung = true
		return true
	}},
}

func hasToken(value, token string) bool {
	var n int
	var found string
	_, err := fmt.Sscanf(value, "%d %s", &n, &found)
	return err == nil && found == token
}

// selfTest judges right histories, which must pass, and each fault in each of them, which must not.
func selfTest(counts *tally.Tally, seed uint64) {
	const histories = 50
	for s := seed; s < seed+histories; s++ {
		if v := simulate(s).judge(); len(v) > 0 {
			counts.Check(fmt.Sprintf("a right history (seed %d) is right", s), fmt.Errorf("%v", v))
			return
		}
	}
	counts.Check(fmt.Sprintf("%d right histories are right", histories), nil)
	for _, f := range faults {
		planted, missed := 0, 0
		for s := seed; s < seed+histories; s++ {
			h := simulate(s)
			if f.plant(h, rand.New(rand.NewPCG(s, 99))) {
				planted++
				if len(h.judge()) == 0 {
					missed++
				}
			}
		}
		var err error
		if planted < histories/2 || missed > 0 {
			err = fmt.Errorf("planted %d times, not seen %d times", planted, missed)
		}
		counts.Check("it sees that "+f.name, err)
	}
}

// simulate makes a right history: locks in queues, holders that lose their leases, waiters that give up.
func simulate(seed uint64) *history {
	random := rand.New(rand.NewPCG(seed, 7))
	h := &history{counters: map[string]string{}}
	const locks = 3
	queues := make([][]*acquisition, locks)
	values := make([]int, locks)
	revision := int64(1)
	var all []*acquisition
	for i := range locks {
		h.counters[queue(i)+"/"] = counter(i)
	}
	remove := func(i, at int) {
		a := queues[i][at]
		revision++
		h.events = append(h.events, event{revision: revision, key: a.key, deleted: true})
		queues[i] = slices.Delete(queues[i], at, at+1)
		if at == 0 && len(queues[i]) > 0 {
			queues[i][0].granted = revision
		}
	}
	for step := range 400 {
		i := random.IntN(locks)
		switch dice := random.IntN(10); {
		case dice < 4:
			revision++
			a := &acquisition{lock: queue(i) + "/", key: fmt.Sprintf("%s/%x", queue(i), 1000+step), fence: revision}
			h.events = append(h.events, event{revision: revision, key: a.key, created: revision})
			all = append(all, a)
			queues[i] = append(queues[i], a)
			if len(queues[i]) == 1 {
				a.granted = revision
			}
		case len(queues[i]) == 0:
		case dice < 5 && len(queues[i]) > 1:
			at := 1 + random.IntN(len(queues[i])-1)
			queues[i][at].cancelled = true
			remove(i, at)
		case dice < 6:
			a := queues[i][0]
			a.paused, a.token, a.wrote = true, fmt.Sprintf("t%d", step), refused
			remove(i, 0)
		default:
			a := queues[i][0]
			values[i]++
			revision++
			a.token, a.wrote = fmt.Sprintf("t%d", step), written
			created := revision
			if values[i] > 1 {
				created = 1
			}
			h.events = append(h.events, event{revision: revision, key: counter(i), value: fmt.Sprintf("%d %s", values[i], a.token), created: created})
			remove(i, 0)
		}
	}
	for _, a := range all {
		h.acquisitions = append(h.acquisitions, *a)
	}
	return h
}
