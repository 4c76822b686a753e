package main

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	gocmp "github.com/google/go-cmp/cmp"
	pb "go.etcd.io/etcd/api/v3/etcdserverpb"
	"go.etcd.io/etcd/api/v3/mvccpb"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/testing/protocmp"
)

// Two streams of each server are watched on. On the near one no watch begins in the future: so a request for progress is
// answered when everything up to now was sent, and it is known when to compare. On the one ahead a watch may begin in
// the future, and none in the past: so everything is sent at once, and whether progress is told is not left to chance.
//
// Compared are the answers to requests, each with the revision of its header; and of each watch the events, in order,
// each with the revision of the header that it came under. Not compared is how events lie in messages.
const (
	near  = "near"
	ahead = "ahead"
)

// listener reads one stream of one server.
type listener struct {
	stream pb.Watch_WatchClient
	cancel context.CancelFunc
	forge  func(e *mvccpb.Event) bool // of the self-test

	mutex   sync.Mutex
	changed *sync.Cond
	answers []*pb.WatchResponse // to creations and cancellations, and the ends by compaction
	marks   []*pb.WatchResponse // progress, since the beginning
	asked   int                 // how often it was asked for
	lives   map[int64]string    // by id, the name of the watch that has it now
	made    int                 // watches so far
	told    map[string][]told   // by name of the watch
	err     error
}

// told is an event, and the revision of the header that it came under.
type told struct {
	event    *mvccpb.Event
	revision int64
}

// listen opens a stream.
func (s *side) listen(which string) (*listener, error) {
	if s.listeners == nil {
		s.listeners = map[string]*listener{}
	}
	if l := s.listeners[which]; l != nil {
		return l, nil
	}
	ctx, cancel := context.WithCancel(context.Background())
	stream, err := pb.NewWatchClient(s.conn).Watch(ctx)
	if err != nil {
		cancel()
		return nil, err
	}
	l := &listener{stream: stream, cancel: cancel, forge: s.lie.event, lives: map[int64]string{}, told: map[string][]told{}}
	l.changed = sync.NewCond(&l.mutex)
	s.listeners[which] = l
	go l.read()
	return l, nil
}

// hangUp ends the streams.
func (s *side) hangUp() {
	for _, l := range s.listeners {
		l.cancel()
	}
	s.listeners = nil
}

func (l *listener) read() {
	for {
		r, err := l.stream.Recv()
		l.mutex.Lock()
		if err != nil {
			l.err = err
		} else {
			l.take(r)
		}
		l.changed.Broadcast()
		l.mutex.Unlock()
		if err != nil {
			return
		}
	}
}

// take keeps a message. The mutex is held.
func (l *listener) take(r *pb.WatchResponse) {
	clearHeader(r)
	switch {
	case len(r.Events) > 0:
		name, there := l.lives[r.WatchId]
		if !there {
			name = fmt.Sprintf("nobody, id %d", r.WatchId)
		}
		for _, e := range r.Events {
			if l.forge == nil || l.forge(e) {
				l.told[name] = append(l.told[name], told{e, r.Header.GetRevision()})
			}
		}
	case r.Created || r.Canceled:
		l.answers = append(l.answers, r)
		if r.Created && !r.Canceled {
			l.made++
			l.lives[r.WatchId] = fmt.Sprintf("watch %d, number %d", r.WatchId, l.made)
		}
		if r.Canceled && !r.Created && r.CompactRevision == 0 {
			delete(l.lives, r.WatchId)
		}
	default:
		l.marks = append(l.marks, r)
	}
}

// await waits until something holds, or the stream has ended, or for too long.
func (l *listener) await(ctx context.Context, patience time.Duration, holds func() bool) error {
	deadline := time.Now().Add(patience)
	wake := time.AfterFunc(patience, l.changed.Broadcast)
	defer wake.Stop()
	l.mutex.Lock()
	defer l.mutex.Unlock()
	for !holds() {
		switch {
		case l.err != nil:
			return l.err
		case ctx.Err() != nil:
			return context.Cause(ctx)
		case !time.Now().Before(deadline):
			return context.DeadlineExceeded
		}
		l.changed.Wait()
	}
	return nil
}

func (l *listener) send(union *pb.WatchRequest) error { return l.stream.Send(union) }

func (l *listener) askCreate(r *pb.WatchCreateRequest) error {
	return l.send(&pb.WatchRequest{RequestUnion: &pb.WatchRequest_CreateRequest{CreateRequest: r}})
}

func (l *listener) askCancel(id int64) error {
	return l.send(&pb.WatchRequest{RequestUnion: &pb.WatchRequest_CancelRequest{CancelRequest: &pb.WatchCancelRequest{WatchId: id}}})
}

func (l *listener) askProgress() error {
	return l.send(&pb.WatchRequest{RequestUnion: &pb.WatchRequest_ProgressRequest{ProgressRequest: &pb.WatchProgressRequest{}}})
}

// answered waits for so many answers more than there were, and returns these.
func (l *listener) answered(ctx context.Context, before, more int) ([]*pb.WatchResponse, error) {
	err := l.await(ctx, patience, func() bool { return len(l.answers) >= before+more })
	l.mutex.Lock()
	defer l.mutex.Unlock()
	return slices.Clone(l.answers[before:]), err
}

func (l *listener) count() int {
	l.mutex.Lock()
	defer l.mutex.Unlock()
	return len(l.answers)
}

// barrier is a request that is refused at once: when its answer has come, every request before it has been done.
func (l *listener) barrier(ctx context.Context) ([]*pb.WatchResponse, error) {
	before := l.count()
	if err := l.askCreate(&pb.WatchCreateRequest{Key: []byte("b"), RangeEnd: []byte("a")}); err != nil {
		return nil, err
	}
	err := l.await(ctx, patience, func() bool {
		return slices.ContainsFunc(l.answers[before:], func(r *pb.WatchResponse) bool { return r.Created && r.Canceled })
	})
	l.mutex.Lock()
	defer l.mutex.Unlock()
	return slices.Clone(l.answers[before:]), err
}

// watchOn does one operation of the watch family.
func (s *side) watchOn(ctx context.Context, name string, request proto.Message) answer {
	which := near
	if rest, cut := strings.CutSuffix(name, "Ahead"); cut {
		name, which = rest, ahead
	}
	l, err := s.listen(which)
	if err != nil {
		return refused(err)
	}
	var answers []*pb.WatchResponse
	switch name {
	case "WatchCreate":
		answers, err = l.create(ctx, request.(*pb.WatchCreateRequest))
	case "WatchCancel":
		id, more := request.(*pb.WatchCancelRequest).WatchId, 0
		l.mutex.Lock()
		before := len(l.answers)
		if _, there := l.lives[id]; there {
			more = 1
		}
		l.mutex.Unlock()
		if err = l.askCancel(id); err == nil {
			if _, err = l.answered(ctx, before, more); err == nil {
				_, err = l.barrier(ctx)
			}
		}
		l.mutex.Lock()
		answers = slices.Clone(l.answers[before:])
		l.mutex.Unlock()
	case "WatchProgress": // what it answers is compared later
		l.mutex.Lock()
		l.asked++
		l.mutex.Unlock()
		if err = l.askProgress(); err == nil {
			answers, err = l.barrier(ctx)
		}
	}
	if err != nil {
		return refused(err)
	}
	a := answer{}
	for _, m := range answers {
		a.messages = append(a.messages, m)
	}
	return a
}

// create asks for a watch. One that begins in the past is waited for until it has been sent everything. One that a
// compaction ends is cancelled after that, as etcd's client does it: in etcd it keeps its id until then, and keeps the
// stream from being told progress. Whether that is answered is not compared.
func (l *listener) create(ctx context.Context, r *pb.WatchCreateRequest) ([]*pb.WatchResponse, error) {
	before := l.count()
	if err := l.askCreate(r); err != nil {
		return nil, err
	}
	answers, err := l.answered(ctx, before, 1)
	if err != nil || answers[0].Canceled || r.StartRevision == 0 || r.StartRevision > answers[0].Header.GetRevision() {
		return answers, err
	}
	id := answers[0].WatchId
	compacted := func() bool { return len(l.answers) > before+1 }
	if err := l.settle(ctx, answers[0].Header.GetRevision(), compacted); err != nil {
		return answers, err
	}
	l.mutex.Lock()
	ended := compacted()
	l.mutex.Unlock()
	if !ended {
		return answers, nil
	}
	if err := l.askCancel(id); err != nil {
		return answers, err
	}
	if _, err := l.barrier(ctx); err != nil {
		return answers, err
	}
	// The answer may come after that of the barrier only if a server does not work in order.
	l.mutex.Lock()
	defer l.mutex.Unlock()
	delete(l.lives, id)
	l.answers = slices.DeleteFunc(l.answers, func(r *pb.WatchResponse) bool {
		return r.WatchId == id && r.Canceled && !r.Created && r.CompactRevision == 0
	})
	return slices.Clone(l.answers[before:]), nil
}

// settle asks for progress until everything up to a revision was sent, or something else holds.
func (l *listener) settle(ctx context.Context, now int64, or func() bool) error {
	for begin := time.Now(); ; {
		l.mutex.Lock()
		l.marks = nil
		l.mutex.Unlock()
		if err := l.askProgress(); err != nil {
			return err
		}
		err := l.await(ctx, 50*time.Millisecond, func() bool {
			return or() || slices.ContainsFunc(l.marks, func(m *pb.WatchResponse) bool { return m.WatchId == -1 && m.Header.GetRevision() >= now })
		})
		if err != context.DeadlineExceeded || time.Since(begin) > patience {
			return err
		}
	}
}

// settleWatches waits until both sides have been sent everything, and compares it.
func (p *pair) settleWatches(ctx context.Context, index int, o operation) *difference {
	for _, which := range []string{near, ahead} {
		left, right := p.sides[0].listeners[which], p.sides[1].listeners[which]
		if left == nil || right == nil {
			continue
		}
		if which == near {
			err := p.both(func(s *side) error {
				l := s.listeners[near]
				l.mutex.Lock()
				none := len(l.lives) == 0
				l.mutex.Unlock()
				if none {
					return nil
				}
				return l.settle(ctx, p.now, func() bool { return false })
			})
			if err != nil && ctx.Err() == nil {
				return &difference{index: index, operation: o, what: fmt.Sprintf("no progress up to revision %d: %v", p.now, err)}
			}
		}
		const unequalMax = 10 * time.Second
		what := ""
		for begin := time.Now(); ; time.Sleep(time.Millisecond) {
			var final bool
			what, final = p.compareWatches(which, left, right)
			if what == "" || final || time.Since(begin) > unequalMax || ctx.Err() != nil {
				break
			}
		}
		if what != "" {
			return &difference{index: index, operation: o, what: fmt.Sprintf("the stream %s: %s", which, what)}
		}
	}
	return nil
}

// compareWatches says how what came differs. It is final if waiting cannot mend it. What is equal is forgotten.
func (p *pair) compareWatches(which string, left, right *listener) (what string, final bool) {
	left.mutex.Lock()
	defer left.mutex.Unlock()
	right.mutex.Lock()
	defer right.mutex.Unlock()
	if left.err != nil || right.err != nil {
		return fmt.Sprintf("it has ended: left %v, right %v", left.err, right.err), true
	}
	if what, final := unlike("answers", left.answers, right.answers); what != "" {
		return what, final
	}
	if which == ahead {
		if what := unlikeMarks(left, right); what != "" {
			return what, false
		}
	}
	names := map[string]bool{}
	for name := range left.told {
		names[name] = true
	}
	for name := range right.told {
		names[name] = true
	}
	for name := range names {
		a, b := left.told[name], right.told[name]
		for n := range min(len(a), len(b)) {
			if d := p.unlikeEvent(a[n], b[n]); d != "" {
				return fmt.Sprintf("%s, event %d: %s", name, n+1, d), true
			}
		}
		if len(a) != len(b) {
			return fmt.Sprintf("%s: %d events on the left, %d on the right; the next is %v", name, len(a), len(b), nextOf(a, b)), false
		}
	}
	for _, events := range left.told {
		p.events += len(events)
	}
	clear(left.told)
	clear(right.told)
	left.answers, right.answers = nil, nil
	return "", false
}

// unlikeMarks says how progress differs. Etcd drops a request that it cannot answer at once; another server may answer it
// later. So everything that the left server has told the right one tells too, in order, and the right one tells nothing
// that was not asked for.
func unlikeMarks(left, right *listener) string {
	n := 0
	for _, mark := range right.marks {
		if n < len(left.marks) && proto.Equal(left.marks[n], mark) {
			n++
		}
	}
	if n < len(left.marks) || len(right.marks) > right.asked {
		return fmt.Sprintf("progress, asked for %d times: left %v, right %v", right.asked, left.marks, right.marks)
	}
	return ""
}

func nextOf(a, b []told) *mvccpb.Event {
	if len(a) > len(b) {
		return a[len(b)].event
	}
	return b[len(a)].event
}

func unlike(name string, a, b []*pb.WatchResponse) (string, bool) {
	for n := range min(len(a), len(b)) {
		if !proto.Equal(a[n], b[n]) {
			return fmt.Sprintf("%s %d: -left +right\n%s", name, n+1, gocmp.Diff(a[n], b[n], protocmp.Transform())), true
		}
	}
	if len(a) != len(b) {
		return fmt.Sprintf("%s: %d on the left, %d on the right: %v, %v", name, len(a), len(b), a, b), false
	}
	return "", false
}

// unlikeEvent says how two events differ. Etcd sends each revision by itself, under its own revision; where several have
// come together, they are under that of the last one. Etcd knows that a watch wants previous values only a moment after the watch has
// begun, and may leave them out until then.
func (p *pair) unlikeEvent(a, b told) string {
	left := a.event
	if left.PrevKv == nil && b.event.PrevKv != nil && a.revision > left.Kv.ModRevision {
		p.forgotten.Add(1)
		left = proto.Clone(left).(*mvccpb.Event)
		left.PrevKv = b.event.PrevKv
	}
	live := a.revision == left.Kv.ModRevision
	if a.revision != b.revision && !(live && b.revision > a.revision && b.revision <= p.now) || !proto.Equal(left, b.event) {
		diff := blanks.ReplaceAllString(gocmp.Diff(left, b.event, protocmp.Transform()), " ")
		return fmt.Sprintf("under revision %d on the left, %d on the right; -left +right\n%s", a.revision, b.revision, diff[:min(len(diff), lineMax)])
	}
	return ""
}

// hangUp ends the streams of both.
func (p *pair) hangUp() {
	for _, s := range p.sides {
		s.hangUp()
	}
}

// settles says whether everything must be compared before an operation: as it may end a watch, which would leave to
// chance what was sent before.
func (o operation) settles() bool {
	return o.name == "WatchSettle" || o.name == "WatchHangUp" || o.name == "Compact" || o.restarts() || strings.HasPrefix(o.name, "WatchCancel")
}
