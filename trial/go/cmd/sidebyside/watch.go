package main

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"
	pb "go.etcd.io/etcd/api/v3/etcdserverpb"
	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"

	"quoin.dev/trial/internal/load"
	"quoin.dev/trial/internal/wire"
)

// Watches: every event must arrive, once and in order, at every watcher.

const (
	watchPath = "/etcdserverpb.Watch/Watch"
	// silenceMax bounds how long nothing may come while something must.
	silenceMax = 30 * time.Second
)

// watchers is a crowd of streams with watches on one prefix.
type watchers struct {
	loop    *wire.Loop
	streams []watchStream
	created int
	events  int64
	lags    *hdrhistogram.Histogram // of stamped events; nil where nobody asks
	err     error
}

// watchStream is a stream with one watch or several. Where there are events, it has one.
type watchStream struct {
	wire.Stream
	next int64 // the revision that must come next
}

// watch opens so many streams on each connection, and so many watches on each, from a revision on, or, with 0, from now on.
// It returns when all are created; `now` is the revision of the store, which stands still meanwhile.
func watch(loop *wire.Loop, conns []*wire.Conn, streamsEach, watchesEach int, from, now int64) (*watchers, error) {
	request, err := proto.Marshal(&pb.WatchRequest{RequestUnion: &pb.WatchRequest_CreateRequest{CreateRequest: &pb.WatchCreateRequest{
		Key: []byte("w"), RangeEnd: []byte("x"), StartRevision: from,
	}}})
	if err != nil {
		return nil, err
	}
	w := &watchers{loop: loop, streams: make([]watchStream, len(conns)*streamsEach)}
	for i := range w.streams {
		s := &w.streams[i]
		s.Handler, s.Slot, s.next = w, i, from
		if from == 0 {
			s.next = now + 1
		}
		if err := conns[i%len(conns)].Open(&s.Stream, watchPath); err != nil {
			return nil, err
		}
		for range watchesEach {
			s.Send(request, false)
		}
	}
	return w, w.await(func() bool { return w.created == len(w.streams)*watchesEach })
}

// await lets things happen until that is so.
func (w *watchers) await(done func() bool) error {
	heard, since := -1, w.loop.Now()
	for !done() {
		if now := w.created + int(w.events); now != heard {
			heard, since = now, w.loop.Now()
		}
		if err := errors.Join(w.loop.Turn(w.loop.Now()+int64(100*time.Millisecond)), w.err); err != nil {
			return err
		}
		if w.loop.Now()-since > int64(silenceMax) {
			return fmt.Errorf("nothing has come for %v; before, %d watches were created and %d events came", silenceMax, w.created, w.events)
		}
	}
	return nil
}

// Message takes what a watch says.
func (w *watchers) Message(s *wire.Stream, message []byte, now int64) {
	var canceled bool
	var reason []byte
	err := walk(message, func(field protowire.Number, number uint64, content []byte) error {
		switch field {
		case 3:
			w.created++
		case 4:
			canceled = true
		case 6:
			reason = content
		case 11:
			return w.event(&w.streams[s.Slot], content, now)
		}
		return nil
	})
	if canceled {
		err = errors.Join(err, fmt.Errorf("a watch was canceled: %s", reason))
	}
	w.failed(err)
}

// failed notes the first error.
func (w *watchers) failed(err error) {
	if w.err == nil {
		w.err = err
	}
}

// event takes an event, which must be the next one. A stamped one tells when it was asked for.
func (w *watchers) event(s *watchStream, event []byte, now int64) error {
	w.events++
	return walk(event, func(field protowire.Number, _ uint64, kv []byte) error {
		if field != 2 {
			return nil
		}
		return walk(kv, func(field protowire.Number, number uint64, content []byte) error {
			switch field {
			case 3: // mod_revision
				if int64(number) != s.next {
					return fmt.Errorf("a watcher is told of revision %d, and should be of %d", number, s.next)
				}
				s.next++
			case 5: // value
				if w.lags != nil {
					return w.lags.RecordValue(max(1, now-int64(binary.LittleEndian.Uint64(content))))
				}
			}
			return nil
		})
	})
}

// End is an error: nobody ends these streams but the loop.
func (w *watchers) End(_ *wire.Stream, err error, _ int64) {
	w.failed(fmt.Errorf("a watch stream has ended: %w", err))
}

// stamped puts values that begin with the time.
type stamped struct {
	*puts
	loop *wire.Loop
}

func (s *stamped) Append(message []byte, slot, n int) []byte {
	from := len(message)
	message = s.puts.Append(message, slot, n)
	at := bytes.Index(message[from:], value()[:8]) + from
	binary.LittleEndian.PutUint64(message[at:], uint64(s.loop.Now()))
	return message
}

// fanOutTurn lets every event go to every watcher, at one rate after the other.
func (p *plan) fanOutTurn(ctx context.Context, c *contender, row func(string) note) error {
	const connections, streamsEach = 10, 100
	loop, conns, now, err := p.watchLoop(ctx, c, connections, wire.Options{})
	if err != nil {
		return err
	}
	defer loop.Close()
	w, err := watch(loop, conns, streamsEach, 1, 0, now)
	if err != nil {
		return err
	}
	f := &fanOut{watchers: w, contender: c, from: now}
	if f.writer, err = c.dial(loop, c.asked(""), 1, wire.Options{}); err != nil {
		return err
	}
	if _, err := f.write(ctx, p.eventRates[0], p.warmup/2); err != nil {
		return fmt.Errorf("warm up: %w", err)
	}
	for _, rate := range p.eventRates {
		if err := f.measure(ctx, rate, p.length, row(fmt.Sprintf("%d watchers, %d events/s", len(w.streams), rate))); err != nil {
			return fmt.Errorf("%d events/s: %w", rate, err)
		}
	}
	return nil
}

// fanOut is watchers, and a client that writes what they hear of.
type fanOut struct {
	*watchers
	contender *contender
	writer    []*wire.Conn
	from      int64 // the revision before all events
}

// write writes by a timetable, and returns when every event has reached every watcher. A write that is refused may have
// happened or not: the revision says.
func (f *fanOut) write(ctx context.Context, rate int, length time.Duration) (load.Result, error) {
	run := load.Run{Work: &stamped{newPuts('w', keysCount), f.loop}, Conns: f.writer, Slots: openSlots, Rate: float64(rate), Length: length,
		Refusals: true}
	result, err := run.Perform(f.loop)
	if err != nil {
		return result, err
	}
	last, err := f.lastRevision(ctx)
	if err != nil {
		return result, err
	}
	return result, f.await(func() bool { return f.events >= (last-f.from)*int64(len(f.streams)) })
}

// lastRevision asks for the revision while events are read on. A system that is far behind is asked again.
func (f *fanOut) lastRevision(ctx context.Context) (int64, error) {
	const attempts = 6
	type answer struct {
		revision int64
		err      error
	}
	answers := make(chan answer, 1)
	go func() {
		var a answer
		for range attempts {
			if a.revision, a.err = f.contender.revision(ctx); a.err == nil || ctx.Err() != nil {
				break
			}
		}
		answers <- a
	}()
	err := f.await(func() bool { return len(answers) > 0 })
	if err != nil {
		return 0, err
	}
	a := <-answers
	return a.revision, a.err
}

func (f *fanOut) measure(ctx context.Context, rate int, length time.Duration, to note) error {
	f.lags = load.NewWaits()
	began, ours, before := f.loop.Now(), f.loop.CPU(), f.events
	cpuBefore, err := f.contender.cpu()
	if err != nil {
		return err
	}
	result, err := f.write(ctx, rate, length)
	if err != nil {
		return err
	}
	cpuAfter, err := f.contender.cpu()
	if err != nil {
		return err
	}
	resident, _, err := f.contender.memory()
	events, took := float64(f.events-before), time.Duration(f.loop.Now()-began)
	to.add(perSecondEvents, events/took.Seconds())
	to.waits(f.lags)
	to.add(cpuPerEvent, micros(cpuAfter-cpuBefore)/events)
	to.add(clientPerEvent, micros(f.loop.CPU()-ours)/events)
	to.add(restMB, float64(resident)/1e6)
	to.add(late, float64(result.Late)/1e6)
	to.add(refused, float64(result.Refused))
	return err
}

// watchLoop is a loop with connections, and the revision of the store.
func (p *plan) watchLoop(ctx context.Context, c *contender, connections int, options wire.Options) (*wire.Loop, []*wire.Conn, int64, error) {
	now, err := c.revision(ctx)
	if err != nil {
		return nil, nil, 0, err
	}
	loop, err := wire.NewLoop()
	if err != nil {
		return nil, nil, 0, err
	}
	conns, err := c.dial(loop, c.asked(""), connections, options)
	if err != nil {
		loop.Close()
	}
	return loop, conns, now, err
}

// idleTurn weighs watchers that hear nothing.
func (p *plan) idleTurn(connections, streamsEach, watchesEach int) turn {
	return func(ctx context.Context, c *contender, row func(string) note) error {
		before, _, err := c.memory()
		if err != nil {
			return err
		}
		loop, conns, now, err := p.watchLoop(ctx, c, connections, wire.Options{})
		if err != nil {
			return err
		}
		defer loop.Close()
		w, err := watch(loop, conns, streamsEach, watchesEach, 0, now)
		if err != nil {
			return err
		}
		until := loop.Now() + int64(2*p.settle)
		if err := w.await(func() bool { return loop.Now() > until }); err != nil {
			return err
		}
		after, _, err := c.memory()
		row(fmt.Sprintf("%d idle watchers, %d to a stream, %d streams to a connection", w.created, watchesEach, streamsEach)).
			add(bytesEach, float64(after-before)/float64(w.created))
		return err
	}
}

// resumeTurn lets watchers begin in the past, all at once.
func (p *plan) resumeTurn(ctx context.Context, c *contender, row func(string) note) error {
	const connections, streamsEach, revisions = 10, 10, 50_000
	from, err := c.revision(ctx)
	if err != nil {
		return err
	}
	run := load.Run{Work: newPuts('w', keysCount), Slots: 100, Total: revisions}
	if _, _, err := c.drive(ctx, run, connections, "", true); err != nil {
		return err
	}
	time.Sleep(p.settle)
	loop, conns, now, err := p.watchLoop(ctx, c, connections, wire.Options{})
	if err != nil {
		return err
	}
	defer loop.Close()
	cpuBefore, err := c.cpu()
	if err != nil {
		return err
	}
	began, ours := loop.Now(), loop.CPU()
	w, err := watch(loop, conns, streamsEach, 1, from+1, now)
	if err == nil {
		err = w.await(func() bool { return w.events == revisions*connections*streamsEach })
	}
	if err != nil {
		return err
	}
	cpuAfter, err := c.cpu()
	if err != nil {
		return err
	}
	events, took := float64(w.events), time.Duration(loop.Now()-began)
	to := row(fmt.Sprintf("%d watchers resume %d revisions back", connections*streamsEach, revisions))
	to.add(tookSeconds, took.Seconds())
	to.add(perSecondEvents, events/took.Seconds())
	to.add(cpuSeconds, (cpuAfter - cpuBefore).Seconds())
	to.add(cpuPerEvent, micros(cpuAfter-cpuBefore)/events)
	to.add(clientPerEvent, micros(loop.CPU()-ours)/events)
	return nil
}

// slowTurn has watchers that stop reading, while large values are written. In the end they read on, and must get it all.
func (p *plan) slowTurn(ctx context.Context, c *contender, row func(string) note) error {
	const readers, values, bytesEach = 50, 40, 1 << 20
	loop, conns, now, err := p.watchLoop(ctx, c, readers, wire.Options{Window: 1<<16 - 1, Held: true})
	if err != nil {
		return err
	}
	defer loop.Close()
	w, err := watch(loop, conns, 1, 1, 0, now)
	if err != nil {
		return err
	}
	if err := c.resetPeak(); err != nil {
		return err
	}
	cpuBefore, err := c.cpu()
	if err != nil {
		return err
	}
	large := bytes.Repeat([]byte{'v'}, bytesEach)
	for n := range values {
		if _, err := c.kv.Put(ctx, &pb.PutRequest{Key: keyOf('w', n), Value: large}); err != nil {
			return fmt.Errorf("put %d: %w", n, err)
		}
	}
	until := loop.Now() + int64(2*p.settle)
	if err := w.await(func() bool { return loop.Now() > until }); err != nil {
		return err
	}
	_, peak, err := c.memory()
	if err != nil {
		return err
	}
	began := loop.Now()
	for _, conn := range conns {
		conn.Release()
	}
	if err := w.await(func() bool { return w.events == values*readers }); err != nil {
		return fmt.Errorf("when they read on: %w", err)
	}
	cpuAfter, err := c.cpu()
	to := row(fmt.Sprintf("%d watchers that stop reading, %d values of 1 MiB, then read on", readers, values))
	to.add(peakMB, float64(peak)/1e6)
	to.add(tookSeconds, time.Duration(loop.Now()-began).Seconds())
	to.add(cpuSeconds, (cpuAfter - cpuBefore).Seconds())
	return err
}

// watchPart is a part of watch: one kind of watchers, on fresh data.
type watchPart struct {
	name, section string
	turn          turn
}

func (p *plan) watchParts() []watchPart {
	return []watchPart{
		{"watch-events", "events to many watchers", p.fanOutTurn},
		{"watch-idle", "idle watchers, a stream each", p.idleTurn(100, 100, 1)},
		{"watch-shared", "idle watchers on few streams", p.idleTurn(10, 10, 100)},
		{"watch-resume", "watchers that resume", p.resumeTurn},
		{"watch-stopped", "watchers that stop reading", p.slowTurn},
	}
}
