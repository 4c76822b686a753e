package main

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"

	"quoin.dev/trial/internal/load"
	"quoin.dev/trial/internal/wire"
)

// comers is how many clients come at a time, each to connect, to ask for one key, and to go.
const comers = 8

// comer is one of them. It has a thread and a loop of its own, since it waits in its handshakes.
type comer struct {
	wire.Stream
	work  *gets
	waits *hdrhistogram.Histogram // of those that counted
	over  bool
	err   error
}

// Message takes the answer.
func (m *comer) Message(s *wire.Stream, message []byte, _ int64) {
	m.err = errors.Join(m.err, m.work.Check(s.Slot, 0, message))
}

// End is the last word on the request.
func (m *comer) End(_ *wire.Stream, err error, _ int64) {
	m.over, m.err = true, errors.Join(m.err, err)
}

// handshakes has clients come and go for a while that does not count, and one that does. Nothing is remembered of one
// connection by the next: each handshake is a whole one.
func (p *plan) handshakes(ctx context.Context, c *contender, to note) error {
	var count, stop atomic.Bool
	var group sync.WaitGroup
	all := make([]comer, comers)
	for i := range all {
		m := &all[i]
		m.Handler, m.work, m.waits = m, newGets(false), load.NewWaits()
		group.Go(func() { m.come(c, &count, &stop) })
	}
	time.Sleep(p.warmup / 2)
	before, err := p.usedBy(c)
	began := time.Now()
	count.Store(true)
	select {
	case <-time.After(2 * p.length):
	case <-ctx.Done():
	}
	count.Store(false)
	took := time.Since(began)
	after, errAfter := p.usedBy(c)
	stop.Store(true)
	group.Wait()
	waits := load.NewWaits()
	for i := range all {
		err = errors.Join(err, all[i].err)
		waits.Merge(all[i].waits)
	}
	done := float64(waits.TotalCount())
	if err = errors.Join(err, errAfter, ctx.Err()); err != nil || done == 0 {
		return fmt.Errorf("%.0f handshakes: %w", done, err)
	}
	to.add(perSecondHandshakes, done/took.Seconds())
	to.waits(waits)
	to.add(cpuPerHandshake, micros(after.servers-before.servers)/done)
	to.add(clientPerHandshake, micros(after.ours-before.ours)/done)
	p.counts.Check(fmt.Sprintf("%s, %s: %.0f/s, p99 %.2f ms, CPU %.0f µs, ours %.0f µs", to.row, c.name, done/took.Seconds(),
		float64(waits.ValueAtQuantile(99))/1e6, micros(after.servers-before.servers)/done, micros(after.ours-before.ours)/done), nil)
	return nil
}

// come comes again and again.
func (m *comer) come(c *contender, count, stop *atomic.Bool) {
	loop, err := wire.NewLoop()
	if err != nil {
		m.err = err
		return
	}
	defer loop.Close()
	for m.err == nil && !stop.Load() {
		began := loop.Now()
		counts := count.Load()
		if err := m.once(c, loop); err != nil {
			m.err = err
		} else if counts && count.Load() {
			m.err = m.waits.RecordValue(loop.Now() - began)
		}
	}
}

func (m *comer) once(c *contender, loop *wire.Loop) error {
	conns, err := c.dial(loop, c.asked(""), 1, wire.Options{})
	if err != nil {
		return err
	}
	defer conns[0].Close()
	m.over = false
	if err := conns[0].Open(&m.Stream, m.work.Path()); err != nil {
		return err
	}
	m.Send(m.work.Append(nil, m.Slot, 0), true)
	for until := loop.Now() + int64(silenceMax); !m.over && m.err == nil; {
		if loop.Now() >= until {
			return fmt.Errorf("no answer for %v", silenceMax)
		}
		if err := loop.Turn(until); err != nil {
			return err
		}
	}
	return m.err
}

// usedBy is the processor time of the servers, and of this process.
func (p *plan) usedBy(c *contender) (used, error) {
	var own syscall.Rusage
	servers, err := c.cpu()
	err = errors.Join(err, syscall.Getrusage(syscall.RUSAGE_SELF, &own))
	return used{servers, time.Duration(own.Utime.Nano() + own.Stime.Nano())}, err
}
