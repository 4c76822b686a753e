// Package load puts servers under load and measures what they do with it, in two ways.
//
// A closed loop keeps so many requests in flight: the next one starts when the last one is answered. It finds what a server
// can do. It does not tell how long somebody waits who comes at a time of their own: a server that stops for a second is
// asked nothing meanwhile, and the second counts as one slow answer.
//
// An open loop sends by a timetable that was made before, whatever the server does, and each wait counts from the time
// that stood in the timetable. So a server that stops for a second has made a second's worth of requests wait.
package load

import (
	"errors"
	"fmt"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"

	"quoin.dev/trial/internal/wire"
)

// Work is a kind of request. A slot has one request in flight at most; n counts the requests of a run.
type Work interface {
	Path() string
	// Append appends the message of a request.
	Append(message []byte, slot, n int) []byte
	// Check judges the answer to it.
	Check(slot, n int, answer []byte) error
}

// Run is one run of one load. Length, or Total for a closed loop, bounds it.
type Run struct {
	Work  Work
	Conns []*wire.Conn // requests are spread over them in turns
	Slots int          // requests in flight: always, or, in an open loop, at most
	Rate  float64      // requests per second of an open loop; 0 is a closed loop
	Warm  time.Duration
	// Length is how long is measured, after Warm.
	Length time.Duration
	Total  int // requests of a closed loop that ends when they are done, without Warm and Length
	// Refusals are counted, not failures of the run. What was refused is not measured.
	Refusals bool
	// Edge is called when measuring begins, and when it ends: to read what the servers have used.
	Edge func() error
}

// Result is what a run did.
type Result struct {
	Measured int64         // requests done while it was measured; in an open loop: that were due then
	Done     int64         // all that were done
	Refused  int64         // all that ended with another status than OK
	Took     time.Duration // how long was measured
	CPU      time.Duration // of ours meanwhile
	// Waits are nanoseconds from the start of a request, or from when it was due, to the end of its answer.
	Waits *hdrhistogram.Histogram
	// Late is how far the sending fell behind the timetable at most.
	Late time.Duration
}

// PerSecond is the rate of requests done.
func (r Result) PerSecond() float64 { return float64(r.Measured) / r.Took.Seconds() }

// CPUPerRequest is what a request cost us.
func (r Result) CPUPerRequest() time.Duration { return r.CPU / time.Duration(max(r.Measured, 1)) }

// Bounds of what is waited for.
const (
	waitLongest  = 60 * time.Second // of what a histogram can tell
	silenceMax   = 20 * time.Second // without any answer
	lookInterval = 10 * time.Millisecond
)

// NewWaits is a histogram for nanoseconds, precise to a thousandth.
func NewWaits() *hdrhistogram.Histogram {
	return hdrhistogram.New(1, int64(waitLongest), 3)
}

// Perform runs it on the loop that its connections belong to, and returns when the last answer has come. It fails when any
// answer was not the one that is right.
func (r *Run) Perform(loop *wire.Loop) (Result, error) {
	d := &driver{Run: r, loop: loop, result: Result{Waits: NewWaits()}}
	d.begin()
	for !d.over() {
		if err := loop.Turn(d.attend()); err != nil {
			return d.result, err
		}
		if d.err != nil {
			return d.result, d.err
		}
		if now := loop.Now(); d.flying > 0 && now-max(d.lastHeard, d.lastSent) > int64(silenceMax) {
			return d.result, fmt.Errorf("no answer for %v, with %d requests under way", silenceMax, d.flying)
		}
	}
	d.failed(d.edge(stageMeasuring, d.until))
	return d.result, d.err
}

// stage is how far a run has come.
type stage int

const (
	stageWarming stage = iota
	stageMeasuring
	stageEnding
)

// driver is a run under way.
type driver struct {
	*Run
	loop   *wire.Loop
	result Result
	err    error // the first

	stage       stage
	start       int64 // of the timetable
	from, until int64 // what is measured
	cpu         time.Duration

	slots     []call
	idle      []int // slots, in an open loop
	message   []byte
	sent      int // requests
	flying    int
	nextConn  int
	lastHeard int64
	lastSent  int64
}

// call is a slot with its request.
type call struct {
	wire.Stream
	n        int
	answered bool
}

// failed notes an error, if it is one. Others that follow from the first would only bury it.
func (d *driver) failed(err error) {
	if d.err == nil {
		d.err = err
	}
}

func (d *driver) begin() {
	now := d.loop.Now()
	d.start, d.from, d.until = now, now+int64(d.Warm), now+int64(d.Warm+d.Length)
	if d.Total > 0 {
		d.from, d.until = now, 1<<62
	}
	if d.Warm == 0 {
		d.failed(d.edge(stageWarming, d.from))
	}
	d.slots = make([]call, d.Slots)
	for slot := range d.slots {
		d.slots[slot].Handler, d.slots[slot].Slot = d, slot
		if d.Rate > 0 {
			d.idle = append(d.idle, slot)
		} else if d.Total == 0 || slot < d.Total {
			d.send(slot, d.connOf(slot), d.loop.Now())
		}
	}
}

// connOf spreads the slots over the connections.
func (d *driver) connOf(slot int) *wire.Conn { return d.Conns[slot%len(d.Conns)] }

// attend does what the time asks for, and returns when it has to be asked again.
func (d *driver) attend() int64 {
	now := d.loop.Now()
	d.failed(d.edge(stageWarming, d.from))
	d.failed(d.edge(stageMeasuring, d.until))
	next := now + int64(lookInterval)
	if d.stage == stageWarming {
		next = min(next, d.from)
	} else if d.stage == stageMeasuring {
		next = min(next, d.until)
	}
	if d.Rate > 0 {
		next = min(next, d.sendDue(now))
	}
	return next
}

// edge ends a stage when its time has come.
func (d *driver) edge(ending stage, at int64) error {
	if d.stage != ending || d.loop.Now() < at && !d.over() {
		return nil
	}
	d.stage++
	now, cpu := d.loop.Now(), d.loop.CPU()
	if ending == stageWarming {
		d.from, d.cpu = now, cpu
	} else {
		d.until, d.result.Took, d.result.CPU = now, time.Duration(now-d.from), cpu-d.cpu
	}
	if d.Edge == nil {
		return nil
	}
	return d.Edge()
}

// over says whether all that was to be sent is sent and answered.
func (d *driver) over() bool {
	switch {
	case d.flying > 0:
		return false
	case d.Total > 0:
		return d.sent >= d.Total
	case d.Rate > 0:
		return d.stage == stageEnding && d.due(d.sent) >= d.until
	default:
		return d.stage == stageEnding
	}
}

// due is when a request stands in the timetable.
func (d *driver) due(n int) int64 {
	return d.start + int64(float64(n)*float64(time.Second)/d.Rate)
}

// sendDue sends what is due, while there are slots, and returns when the next one is.
func (d *driver) sendDue(now int64) int64 {
	for {
		due := d.due(d.sent)
		if due >= d.until && d.stage == stageEnding || due > now {
			return due
		}
		d.result.Late = max(d.result.Late, time.Duration(now-due))
		if len(d.idle) == 0 {
			return now + int64(lookInterval)
		}
		slot := d.idle[len(d.idle)-1]
		d.idle = d.idle[:len(d.idle)-1]
		d.send(slot, d.Conns[d.sent%len(d.Conns)], due)
	}
}

func (d *driver) send(slot int, conn *wire.Conn, due int64) {
	c := &d.slots[slot]
	c.Due, c.n, c.answered = due, d.sent, false
	d.sent++
	d.flying++
	d.lastSent = due
	if err := conn.Open(&c.Stream, d.Work.Path()); err != nil {
		d.failed(err)
		return
	}
	d.message = d.Work.Append(d.message[:0], slot, c.n)
	c.Send(d.message, true)
}

// Message takes an answer.
func (d *driver) Message(s *wire.Stream, message []byte, _ int64) {
	c := &d.slots[s.Slot]
	if c.answered {
		d.failed(errors.New("a request has two answers"))
	}
	c.answered = true
	if err := d.Work.Check(s.Slot, c.n, message); err != nil {
		d.failed(fmt.Errorf("request %d: %w", c.n, err))
	}
}

// End takes the last word on a request, and makes the next one.
func (d *driver) End(s *wire.Stream, err error, now int64) {
	c := &d.slots[s.Slot]
	if err == nil && !c.answered {
		err = errors.New("OK without an answer")
	}
	if err != nil && !d.Refusals {
		d.failed(fmt.Errorf("request %d: %w", c.n, err))
		return
	}
	d.flying--
	d.lastHeard = now
	if err != nil {
		d.result.Refused++
	} else {
		d.result.Done++
		d.record(c.Due, now)
	}
	switch {
	case d.Rate > 0:
		d.idle = append(d.idle, s.Slot)
	case d.Total > 0 && d.sent < d.Total, d.Total == 0 && d.stage != stageEnding && now < d.until:
		d.send(s.Slot, d.following(s.Conn(), s.Slot), now)
	}
}

// following is the connection of a slot's next request. Fewer slots than connections visit them in turns: so a lone client
// of a cluster asks every member as often.
func (d *driver) following(last *wire.Conn, slot int) *wire.Conn {
	if len(d.slots) >= len(d.Conns) {
		return last
	}
	d.nextConn++
	return d.Conns[(slot+d.nextConn)%len(d.Conns)]
}

func (d *driver) record(due, now int64) {
	at := now
	if d.Rate > 0 {
		at = due
	}
	if at < d.from || at >= d.until || d.stage == stageWarming {
		return
	}
	d.result.Measured++
	d.failed(d.result.Waits.RecordValue(max(1, now-due)))
}
