package main

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	pb "go.etcd.io/etcd/api/v3/etcdserverpb"
	"google.golang.org/grpc/status"

	"quoin.dev/trial/internal/cluster"
)

// never is the time of what has not happened.
const never = time.Duration(-1)

// put is one write: begun and answered so long after the load began.
type put struct {
	key      string
	member   int // its place among the members
	begun    time.Duration
	answered time.Duration
	revision int64  // 0 if it was refused
	refusal  string // the error's text
}

// load is the requests on all members around one kill. Every request is sent once, at its time, whatever became of those
// before it.
type load struct {
	ctx     context.Context
	began   time.Time
	plan    *plan
	members []*cluster.Member
	victim  int
	running sync.WaitGroup // everything that was begun
	ending  chan struct{}  // closed: begin nothing any more

	killed atomic.Int64 // when the leader was killed: nanoseconds since the beginning; 0 before

	mutex   sync.Mutex
	puts    []put
	read    [][]time.Duration // for each member, when a serializable read was answered
	refused []string          // serializable reads that were refused by those that live
	next    time.Duration     // answer to the first write begun after the kill
	written chan struct{}     // closed with it
}

func startLoad(ctx context.Context, p *plan, s *system, leader *cluster.Member, number int) *load {
	l := &load{ctx: ctx, began: time.Now(), plan: p, members: s.cluster.Members, victim: slices.Index(s.cluster.Members, leader),
		ending: make(chan struct{}), written: make(chan struct{}), next: never, read: make([][]time.Duration, len(s.cluster.Members))}
	for i := range l.members {
		l.running.Go(func() {
			l.atTimes(i, func(n int) { l.put(i, fmt.Sprintf("kill/%04d/%d/%06d", number, i, n)) })
		})
		l.running.Go(func() {
			l.atTimes(i, func(int) { l.get(i) })
		})
	}
	return l
}

func (l *load) now() int64 { return int64(time.Since(l.began)) }

// atTimes begins a request every so often; a late tick is not made up for. The victim is left alone once it is killed.
func (l *load) atTimes(member int, request func(n int)) {
	ticks := time.NewTicker(l.plan.every)
	defer ticks.Stop()
	for n := 0; ; n++ {
		select {
		case <-l.ending:
			return
		case <-ticks.C:
		}
		if member == l.victim && l.killed.Load() != 0 {
			return
		}
		l.running.Go(func() { request(n) })
	}
}

func (l *load) put(member int, key string) {
	ctx, cancel := context.WithTimeout(l.ctx, l.plan.deadline)
	defer cancel()
	p := put{key: key, member: member, begun: time.Duration(l.now())}
	answer, err := l.members[member].KV.Put(ctx, &pb.PutRequest{Key: []byte(key), Value: []byte(key)})
	p.answered = time.Duration(l.now())
	if err == nil {
		p.revision = answer.Header.Revision
	} else {
		p.refusal = status.Convert(err).Message()
	}
	killed := time.Duration(l.killed.Load())
	l.mutex.Lock()
	defer l.mutex.Unlock()
	l.puts = append(l.puts, p)
	if err == nil && killed != 0 && p.begun > killed && l.next == never {
		l.next = p.answered - killed
		close(l.written)
	}
}

func (l *load) get(member int) {
	ctx, cancel := context.WithTimeout(l.ctx, l.plan.deadline)
	defer cancel()
	_, err := l.members[member].KV.Range(ctx, &pb.RangeRequest{Key: []byte("kill/"), Serializable: true})
	l.mutex.Lock()
	defer l.mutex.Unlock()
	switch {
	case err == nil:
		l.read[member] = append(l.read[member], time.Duration(l.now()))
	case member != l.victim:
		l.refused = append(l.refused, status.Convert(err).Message())
	}
}

func (l *load) sleep(d time.Duration) {
	select {
	case <-time.After(d):
	case <-l.ctx.Done():
	}
}

// awaitWrite waits until a write that began after the kill is acknowledged.
func (l *load) awaitWrite(within time.Duration) bool {
	select {
	case <-l.written:
		return true
	case <-time.After(within):
	case <-l.ctx.Done():
	}
	return false
}

// stop begins nothing more, and waits for all answers; each has its deadline.
func (l *load) stop() {
	close(l.ending)
	l.running.Wait()
}

// outcome is what one kill did.
type outcome struct {
	number   int
	victim   string
	next     time.Duration // from the kill to the answer of a write begun after it
	gap      time.Duration // the longest time without an answered serializable read on a member that lives
	gapAt    string        // that member
	refused  []string      // serializable reads that were refused there
	inFlight []answer      // writes through the others, begun before the kill and not answered then
	between  []answer      // writes through the others, begun between the kill and the next write's answer
	onVictim []answer      // writes to the killed one that were under way
}

// answer is what became of a write: when, counted from the kill or from its beginning if that was later, and in which words.
type answer struct {
	after time.Duration
	text  string
}

const acknowledged = "acknowledged"

func (l *load) outcome(number int, victim string) outcome {
	killed := time.Duration(l.killed.Load())
	o := outcome{number: number, victim: victim, next: l.next, refused: l.refused}
	for _, p := range l.puts {
		if p.answered < killed {
			continue
		}
		a := answer{p.answered - max(killed, p.begun), p.refusal}
		if p.revision != 0 {
			a.text = acknowledged
		}
		switch {
		case p.member == l.victim:
			o.onVictim = append(o.onVictim, a)
		case p.begun <= killed:
			o.inFlight = append(o.inFlight, a)
		case p.begun <= killed+l.next:
			o.between = append(o.between, a)
		}
	}
	for i, answered := range l.read {
		if i == l.victim {
			continue
		}
		slices.Sort(answered)
		last := killed
		for _, at := range answered {
			if at > killed {
				if at-last > o.gap {
					o.gap, o.gapAt = at-last, l.members[i].Name
				}
				last = at
			}
		}
	}
	return o
}

func (o outcome) String() string {
	return fmt.Sprintf("%s; next write after %s, reads stall %s; in flight %s; begun meanwhile %s", o.victim, seconds(o.next), seconds(o.gap),
		summary(o.inFlight), summary(o.between))
}

// summary counts answers by their words.
func summary(answers []answer) string {
	if len(answers) == 0 {
		return "none"
	}
	counts, latest := map[string]int{}, time.Duration(0)
	for _, a := range answers {
		counts[a.text]++
		latest = max(latest, a.after)
	}
	var parts []string
	for text, n := range counts {
		parts = append(parts, fmt.Sprintf("%d %s", n, text))
	}
	slices.Sort(parts)
	return fmt.Sprintf("%s, the last after %s", strings.Join(parts, ", "), seconds(latest))
}

func seconds(d time.Duration) string { return fmt.Sprintf("%.3fs", d.Seconds()) }
