package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"time"

	pb "go.etcd.io/etcd/api/v3/etcdserverpb"
	"go.etcd.io/etcd/api/v3/mvccpb"
	"google.golang.org/protobuf/proto"

	"quoin.dev/trial/internal/watches"
)

// wish is what somebody wants to watch, over however many streams it takes.
type wish struct {
	watches.Watch // key, end and options; Start is where it goes on

	live *watches.Watch // on the stream that is open now; nil: not
	told bool           // something was sent to it since it began
}

// watcher opens a stream, watches some wishes on it, and begins again on another member: for ever, until the end.
type watcher struct {
	*world
	*rand.Rand
	home   *target // the only one it asks; nil: any
	wishes []*wish
	slow   bool // reads slowly, now and then not at all

	arrived bool // everything up to the last revision has come

	mutex   sync.Mutex
	waiting []*wish         // asked for, and not created yet, in order
	byID    map[int64]*wish // created
	gone    map[int64]bool  // cancelled by us
	known   int64           // the highest revision that this stream has named
	number  int64           // of the stream
	named   int64           // the last id that we chose
}

// run works until it has everything that there is.
func (w *watcher) run(ctx context.Context) {
	deadline := time.Time{}
	for ctx.Err() == nil {
		if w.isEnding() && deadline.IsZero() {
			deadline = time.Now().Add(w.plan.ready)
		}
		if !deadline.IsZero() && time.Now().After(deadline) {
			w.world.mutex.Lock()
			w.unended = append(w.unended, fmt.Sprintf("stream %d: %d watches did not come to revision %d within %v", w.number, len(w.wishes), w.last.Load(), w.plan.ready))
			w.world.mutex.Unlock()
			w.owe()
			return
		}
		t := w.home
		if t == nil {
			t = w.any(w.Rand)
		}
		done, err := w.stream(ctx, t)
		if done {
			return
		}
		if err != nil {
			w.fail(fmt.Errorf("watch: %w", err))
			time.Sleep(20 * time.Millisecond)
		}
	}
}

// owe says that all that is watched now was there at the end.
func (w *watcher) owe() {
	w.mutex.Lock()
	defer w.mutex.Unlock()
	for _, one := range w.wishes {
		if one.live != nil {
			one.live.Owed = w.last.Load()
		}
	}
}

// stream is one stream from its beginning to its end. It is done when the last revision has come.
func (w *watcher) stream(ctx context.Context, t *target) (done bool, err error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	session, _ := t.now()
	stream, err := t.watch.Watch(ctx)
	if err != nil {
		return false, err
	}
	w.open()
	received := make(chan error, 1)
	go func() { received <- w.receive(ctx, stream) }()
	defer func() {
		cancel()
		if ended := <-received; err == nil && !done && ctx.Err() == nil {
			err = ended
		}
		w.close()
	}()
	for _, one := range w.wishes {
		if err := w.create(stream, t, session, one); err != nil {
			return false, nil // the receiver knows why
		}
	}
	lifetime := 300*time.Millisecond + time.Duration(w.Int64N(int64(w.plan.lifetime)))
	if w.home != nil || w.IntN(8) == 0 {
		lifetime = time.Hour
	}
	end := time.Now().Add(lifetime)
	for {
		if !w.isEnding() && time.Now().After(end) {
			return false, nil
		}
		pause := time.Duration(20+w.IntN(200)) * time.Millisecond
		if w.isEnding() {
			pause = 50 * time.Millisecond
		}
		select {
		case err := <-received:
			received <- nil
			return false, err
		case <-time.After(pause):
		}
		if w.isEnding() {
			done, err = w.drain(stream, t, session)
		} else {
			err = w.meddle(stream, t, session)
		}
		if done || err != nil {
			return done, nil
		}
	}
}

func (w *watcher) open() {
	w.mutex.Lock()
	defer w.mutex.Unlock()
	w.waiting, w.byID, w.gone, w.known = nil, map[int64]*wish{}, map[int64]bool{}, 0
	w.number, w.named, w.arrived = w.streams.Add(1), 0, false
}

// close lets each wish go on from where it is, or begin anew.
func (w *watcher) close() {
	w.mutex.Lock()
	defer w.mutex.Unlock()
	for _, one := range w.wishes {
		w.part(one)
		if !one.Witness && w.IntN(8) == 0 && !w.isEnding() {
			w.choose(one)
		}
	}
}

// part ends what one wish has on this stream. The mutex is held.
func (w *watcher) part(one *wish) {
	live := one.live
	one.live = nil
	if live == nil || len(live.Messages) == 0 {
		return
	}
	next := reached(live) + 1
	if next > 1 && next >= live.Start {
		one.Start, one.Resumes = next, true
		if one.Witness {
			one.Resumes = next > 2
		}
	}
	if end := live.Messages[len(live.Messages)-1]; end.Kind == watches.Canceled && end.Compact != 0 {
		one.Start, one.Resumes = end.Compact, false
	}
}

// reached is up to where a watch has surely been sent everything.
func reached(w *watches.Watch) int64 {
	revision := w.Start - 1
	cut := false
	for _, m := range w.Messages {
		switch m.Kind {
		case watches.Created:
			if w.Start == 0 {
				revision = m.Revision
			}
		case watches.Changes:
			if cut = m.Fragment; cut {
				continue // the rest of this revision may be missing; so the whole of the message is taken again
			}
			revision = max(revision, m.Events[len(m.Events)-1].KV.Mod)
		case watches.Progress:
			revision = max(revision, m.Revision)
		case watches.Canceled:
		}
	}
	return revision
}

// choose makes a new wish of one.
func (w *watcher) choose(one *wish) {
	now := w.line.reached()
	*one = wish{Watch: watches.Watch{PrevKV: w.IntN(2) == 0, Fragment: w.IntN(2) == 0, Ticks: w.IntN(3) == 0,
		NoPut: w.IntN(12) == 0, NoDelete: w.IntN(12) == 0}}
	key := keyAt(w.IntN(directories * keysOfEach))
	switch n := w.IntN(100); {
	case n < 35:
		one.Key = key
	case n < 60:
		one.Key, one.End = key[:2], key[:1]+"0"
	case n < 75:
		one.Key, one.End = key, "d"
		if one.Key >= one.End {
			one.Key = "b/03"
		}
	case n < 85:
		one.Key, one.End = key, "\x00"
	default:
		one.Key, one.End = "\x00", "\x00"
	}
	switch n := w.IntN(100); {
	case n < 40:
	case n < 70:
		one.Start = max(1, now-w.Int64N(200))
	case n < 85:
		one.Start = now + 1 + w.Int64N(100)
	case n < 92:
		one.Start = max(1, w.asked.Load()+w.Int64N(5)-2)
	default:
		one.Start = 1
	}
}

// create asks for a watch. The wish waits before the request is sent, as the answer may be quick.
func (w *watcher) create(stream pb.Watch_WatchClient, t *target, session int64, one *wish) error {
	w.mutex.Lock()
	if last := w.last.Load(); last > 0 {
		one.Start = min(one.Start, last) // what begins later than that would never be sent anything
	}
	now, compacted := t.now()
	if now != session {
		compacted = 0
	}
	live := one.Watch
	live.Member, live.Stream, live.Known, live.CompactedTo = t.name, int(w.number), w.known, compacted
	request := &pb.WatchCreateRequest{Key: []byte(one.Key), RangeEnd: []byte(one.End), StartRevision: one.Start,
		PrevKv: one.PrevKV, Fragment: one.Fragment, ProgressNotify: one.Ticks}
	if one.NoPut {
		request.Filters = append(request.Filters, pb.WatchCreateRequest_NOPUT)
	}
	if one.NoDelete {
		request.Filters = append(request.Filters, pb.WatchCreateRequest_NODELETE)
	}
	if w.IntN(2) == 0 { // else the server chooses
		w.named++
		request.WatchId = 1_000_000 + w.named
		live.ID = request.WatchId
	}
	one.live, one.told = &live, false
	w.waiting = append(w.waiting, one)
	w.record(&live)
	w.mutex.Unlock()
	return stream.Send(&pb.WatchRequest{RequestUnion: &pb.WatchRequest_CreateRequest{CreateRequest: request}})
}

// meddle asks for progress, or for the end of a watch and another one, or for nothing.
func (w *watcher) meddle(stream pb.Watch_WatchClient, t *target, session int64) error {
	if err := w.renew(stream, t, session); err != nil {
		return err
	}
	switch n := w.IntN(10); {
	case n < 4:
		return progress(stream)
	case n < 6 && w.home == nil:
		one := w.wishes[w.IntN(len(w.wishes))]
		return w.cancel(stream, one)
	}
	return nil
}

func progress(stream pb.Watch_WatchClient) error {
	return stream.Send(&pb.WatchRequest{RequestUnion: &pb.WatchRequest_ProgressRequest{ProgressRequest: &pb.WatchProgressRequest{}}})
}

// cancel asks for the end of a watch that is there.
func (w *watcher) cancel(stream pb.Watch_WatchClient, one *wish) error {
	w.mutex.Lock()
	live := one.live
	if live == nil || len(live.Messages) == 0 || live.CancelAsked {
		w.mutex.Unlock()
		return nil
	}
	live.CancelAsked, live.CancelAt = true, time.Since(w.began)
	w.mutex.Unlock()
	return stream.Send(&pb.WatchRequest{RequestUnion: &pb.WatchRequest_CancelRequest{CancelRequest: &pb.WatchCancelRequest{WatchId: live.ID}}})
}

// renew asks again for what has ended on this stream: from where it was, or for another wish. A watch that a compaction
// has ended is cancelled as etcd's client does it: until then etcd keeps its id, and tells the stream no progress.
func (w *watcher) renew(stream pb.Watch_WatchClient, t *target, session int64) error {
	for _, one := range w.wishes {
		w.mutex.Lock()
		live, ended, compacted := one.live, false, false
		if live != nil && len(live.Messages) > 0 {
			last := live.Messages[len(live.Messages)-1]
			ended, compacted = last.Kind == watches.Canceled, last.Compact != 0
		}
		if ended {
			w.gone[live.ID] = true
			delete(w.byID, live.ID)
			w.part(one)
			if !one.Witness && w.IntN(3) > 0 && !w.isEnding() {
				w.choose(one)
			}
		}
		w.mutex.Unlock()
		if !ended {
			continue
		}
		if compacted {
			request := &pb.WatchCancelRequest{WatchId: live.ID}
			if err := stream.Send(&pb.WatchRequest{RequestUnion: &pb.WatchRequest_CancelRequest{CancelRequest: request}}); err != nil {
				return err
			}
		}
		if err := w.create(stream, t, session, one); err != nil {
			return err
		}
	}
	return nil
}

// drain asks for progress until the whole stream has the last revision. What begins later than that is taken away first.
func (w *watcher) drain(stream pb.Watch_WatchClient, t *target, session int64) (done bool, err error) {
	last := w.last.Load()
	if last == 0 {
		return false, w.renew(stream, t, session)
	}
	for _, one := range w.wishes {
		if one.live != nil && one.live.Start > last {
			if err := w.cancel(stream, one); err != nil {
				return false, err
			}
		}
	}
	if err := w.renew(stream, t, session); err != nil {
		return false, err
	}
	w.mutex.Lock()
	done = len(w.waiting) == 0
	for _, one := range w.wishes {
		done = done && one.live != nil && !one.live.CancelAsked && reached(one.live) >= last
	}
	w.mutex.Unlock()
	// Twice: what etcd says first may be older than a watch.
	if again := w.arrived; done && again {
		w.owe()
		return true, nil
	}
	w.arrived = done
	return false, progress(stream)
}

// receive takes what comes, until the stream ends.
func (w *watcher) receive(ctx context.Context, stream pb.Watch_WatchClient) error {
	slow := rand.New(rand.NewPCG(uint64(w.number), 3))
	for {
		response, err := stream.Recv()
		if err != nil {
			return err
		}
		if err := w.take(response); err != nil {
			return err
		}
		if w.slow && !w.isEnding() {
			if slow.IntN(400) == 0 {
				w.pause(ctx, time.Duration(slow.IntN(4000))*time.Millisecond)
			} else {
				w.pause(ctx, time.Duration(slow.IntN(4))*time.Millisecond)
			}
		}
	}
}

// take records a message with the watch that it is for.
func (w *watcher) take(r *pb.WatchResponse) error {
	m := watches.Message{At: time.Since(w.began), Revision: r.Header.GetRevision(), Asked: w.asked.Load(), Compact: r.CompactRevision,
		Reason: r.CancelReason, Bytes: int32(proto.Size(r)), Fragment: r.Fragment}
	for _, e := range r.Events {
		m.Events = append(m.Events, watches.Event{KV: w.kvs.keep(e.Kv), Deleted: e.Type == mvccpb.Event_DELETE, Prev: w.kvs.keep(e.PrevKv)})
	}
	switch {
	case r.Created:
		m.Kind = watches.Created
	case r.Canceled:
		m.Kind = watches.Canceled
	case len(r.Events) == 0:
		m.Kind = watches.Progress
	default:
		m.Kind = watches.Changes
	}
	w.events.Add(int64(len(r.Events)))
	w.mutex.Lock()
	defer w.mutex.Unlock()
	w.known = max(w.known, m.Revision)
	if r.Created {
		return w.created(r, m)
	}
	if r.WatchId == -1 {
		if m.Kind != watches.Progress {
			return w.stray(r.WatchId, m)
		}
		m.Whole = true
		for _, one := range w.byID {
			if one.live != nil && len(one.live.Messages) > 0 && one.live.Messages[len(one.live.Messages)-1].Kind != watches.Canceled {
				one.live.Messages = append(one.live.Messages, m)
			}
		}
		return nil
	}
	one := w.byID[r.WatchId]
	if one == nil {
		if w.gone[r.WatchId] && m.Kind == watches.Canceled && m.Compact == 0 {
			return nil // the answer to a watch that a compaction has ended, and that was cancelled then
		}
		return w.stray(r.WatchId, m)
	}
	if ended := one.live.Messages[len(one.live.Messages)-1]; ended.Compact != 0 && one.live.CancelAsked && m.Kind == watches.Canceled && m.Compact == 0 {
		return nil // it was cancelled while a compaction ended it
	}
	one.live.Messages = append(one.live.Messages, m)
	if len(m.Events) > 0 && !one.told {
		one.told = true
		if one.Resumes {
			w.resumed.Add(1)
		}
	}
	if one.Witness && len(m.Events) > 0 && !m.Fragment {
		for _, e := range m.Events {
			w.line.saw(e.KV.Mod)
		}
	}
	return nil
}

// created is the answer to the request that waits for the longest time. The mutex is held.
func (w *watcher) created(r *pb.WatchResponse, m watches.Message) error {
	if len(w.waiting) == 0 {
		return w.stray(r.WatchId, m)
	}
	one := w.waiting[0]
	w.waiting = w.waiting[1:]
	if r.Canceled || one.live.ID != 0 && one.live.ID != r.WatchId || w.byID[r.WatchId] != nil {
		return w.stray(r.WatchId, m)
	}
	one.live.ID = r.WatchId
	one.live.Messages = append(one.live.Messages, m)
	w.byID[r.WatchId] = one
	return nil
}

var errStray = errors.New("a message that belongs to no watch")

// stray records a message that cannot be right, as the only one of a watch that there was not.
func (w *watcher) stray(id int64, m watches.Message) error {
	m.Kind = watches.Progress // before any creation: the judge names it
	w.record(&watches.Watch{Stream: int(w.number), ID: id, Key: "stray", Messages: []watches.Message{m}})
	return errStray
}
