package main

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// event is one change of a key, as the server's history has it.
type event struct {
	revision int64
	key      string
	value    string
	deleted  bool
	created  int64 // the key's create revision; 0 for a deletion
}

// result is what a client knows of a guarded write.
type result int

const (
	notTried result = iota
	written
	refused
	unknown // not answered: it may have happened
)

// acquisition is one client's try to hold a lock, from its own point of view.
type acquisition struct {
	lock      string // all keys of its queue start so
	key       string
	fence     int64 // the create revision of its key; 0 if the key was gone before it could be read
	granted   int64 // the revision at which the server says it is granted; 0 if it is not
	waited    bool  // somebody held the lock when it was asked for
	cancelled bool
	paused    bool
	token     string // of the guarded write
	wrote     result
	hung      bool   // nothing was heard within all patience
	failure   string // why it was not granted
}

// failures are the reasons for which locks were not granted, each with how often, the most frequent first.
func (h *history) failures() string {
	counts := map[string]int{}
	for _, a := range h.acquisitions {
		if a.failure != "" && !a.cancelled {
			counts[a.failure]++
		}
	}
	reasons := slices.SortedFunc(maps.Keys(counts), func(a, b string) int { return counts[b] - counts[a] })
	var lines []string
	for _, reason := range reasons {
		lines = append(lines, fmt.Sprintf("     %d times: %s\n", counts[reason], reason))
	}
	return strings.Join(lines, "")
}

// history is everything that is known of one run.
type history struct {
	events       []event // in the order of their revisions
	acquisitions []acquisition
	counters     map[string]string // of a lock, the key of its guarded counter
	unfenced     int               // updates of counters without a guard that were acknowledged
	unfencedKept int               // what those counters say
}

// life is a key from its creation to its deletion.
type life struct {
	created, deleted int64
}

const forEver = int64(1) << 62

func (l life) isAt(revision int64) bool { return l.created <= revision && revision < l.deleted }

// judge names what should not be.
func (h *history) judge() []string {
	var violations []string
	complain := func(format string, args ...any) { violations = append(violations, fmt.Sprintf(format, args...)) }

	lives := h.lives()
	for _, a := range h.acquisitions {
		switch {
		case a.hung:
			complain("%s: nothing was heard of a wait", a.key)
		case a.granted > 0 && a.fence > 0:
			h.judgeGrant(a, lives, complain)
		}
	}
	h.judgeCounters(lives, complain)
	return violations
}

// lives are those of all keys of queues, by lock, in the order of creation.
func (h *history) lives() map[string]map[string][]life {
	lives := map[string]map[string][]life{}
	for _, e := range h.events {
		lock := h.lockOf(e.key)
		if lock == "" {
			continue
		}
		if lives[lock] == nil {
			lives[lock] = map[string][]life{}
		}
		of := lives[lock][e.key]
		switch {
		case e.deleted && len(of) > 0:
			of[len(of)-1].deleted = e.revision
		case !e.deleted && e.created == e.revision:
			lives[lock][e.key] = append(of, life{e.revision, forEver})
		}
	}
	return lives
}

func (h *history) lockOf(key string) string {
	for lock := range h.counters {
		if strings.HasPrefix(key, lock) {
			return lock
		}
	}
	return ""
}

// judgeGrant: at the revision at which the server says that a lock is granted, the key is there, it is the same, and none
// that is older is there.
func (h *history) judgeGrant(a acquisition, lives map[string]map[string][]life, complain func(string, ...any)) {
	own := slices.ContainsFunc(lives[a.lock][a.key], func(l life) bool { return l.created == a.fence && l.isAt(a.granted) })
	if !own {
		complain("%s, created at %d, is granted at %d, where it is not there", a.key, a.fence, a.granted)
	}
	for key, of := range lives[a.lock] {
		for _, l := range of {
			if l.created < a.fence && l.isAt(a.granted) {
				complain("%s, created at %d, is granted at %d before %s, which was created at %d", a.key, a.fence, a.granted, key, l.created)
			}
		}
	}
}

// judgeCounters: a guarded counter counts each write once, none is lost, and each is that of who held the lock then.
func (h *history) judgeCounters(lives map[string]map[string][]life, complain func(string, ...any)) {
	writers := map[string]*acquisition{}
	for i := range h.acquisitions {
		if a := &h.acquisitions[i]; a.token != "" {
			writers[a.token] = a
		}
	}
	counts := map[string]int{}
	seen := map[string]bool{}
	locks := map[string]string{}
	for lock, counter := range h.counters {
		locks[counter] = lock
	}
	for _, e := range h.events {
		lock, is := locks[e.key]
		if !is {
			continue
		}
		var n int
		var token string
		if _, err := fmt.Sscanf(e.value, "%d %s", &n, &token); err != nil {
			complain("%s is %q", e.key, e.value)
			continue
		}
		counts[e.key]++
		if n != counts[e.key] {
			complain("%s counts %d at revision %d, where it should be %d: an update is lost", e.key, n, e.revision, counts[e.key])
			counts[e.key] = n
		}
		writer := writers[token]
		if writer == nil || writer.wrote == refused || writer.wrote == notTried || seen[token] {
			complain("%s was written at %d by %s, which was refused, or has not asked, or has written before", e.key, e.revision, token)
			continue
		}
		seen[token] = true
		held := slices.ContainsFunc(lives[lock][writer.key], func(l life) bool { return l.created == writer.fence && l.isAt(e.revision) })
		if !held {
			complain("%s was written at %d by %s, which did not hold the lock any more", e.key, e.revision, writer.key)
		}
	}
	for token, writer := range writers {
		if writer.wrote == written && !seen[token] {
			complain("the acknowledged write of %s is not there", writer.key)
		}
	}
}

// sums is what happened, in numbers.
type sums struct {
	granted, waited, failed, cancelled, paused, refused, unfenced, unfencedLost int
}

func (h *history) sums() sums {
	s := sums{unfenced: h.unfenced, unfencedLost: h.unfenced - h.unfencedKept}
	for _, a := range h.acquisitions {
		switch {
		case a.cancelled:
			s.cancelled++
		case a.granted == 0 || a.fence == 0:
			s.failed++
		default:
			s.granted++
			if a.waited {
				s.waited++
			}
			if a.paused {
				s.paused++
				if a.wrote == refused {
					s.refused++
				}
			}
		}
	}
	return s
}
