package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"quoin.dev/trial/internal/load"
	"quoin.dev/trial/internal/wire"
)

// turn is what is done with one system in one round, on fresh data. What it measures it notes by rows.
type turn func(ctx context.Context, c *contender, row func(string) note) error

// alternate gives both systems their turns, one after the other, never both at once. Who goes first changes with the
// round; in the first it is the one to beat, since timetables are made from what it can do.
func (p *plan) alternate(ctx context.Context, section string, members int, do turn) error {
	for round := range p.rounds {
		for i := range p.contenders {
			c := p.contenders[(i+round+1)%2]
			row := func(name string) note { return p.record.at(section, name, c.name, round) }
			title := fmt.Sprintf("%s, round %d, %s", section, round+1, c.name)
			if !p.counts.Check(title, p.turn(ctx, c, members, row, do)) {
				return errors.New("a turn has failed")
			}
		}
	}
	return nil
}

// turn starts a system, weighs it, and ends it whatever happens.
func (p *plan) turn(ctx context.Context, c *contender, members int, row func(string) note, do turn) (err error) {
	defer func() { err = errors.Join(err, c.stop()) }()
	ready, err := c.start(ctx, p, members)
	if err != nil {
		return err
	}
	time.Sleep(p.settle)
	idle, _, err := c.memory()
	if err != nil {
		return err
	}
	start := row("start, and at rest")
	start.add(readySeconds, ready.Seconds())
	start.add(restMB, float64(idle)/1e6)
	if err := do(ctx, c, row); err != nil {
		return errors.Join(err, c.ended(), ctx.Err())
	}
	now, peak, err := c.memory()
	end := row("at the end")
	end.add(restMB, float64(now)/1e6)
	end.add(peakMB, float64(peak)/1e6)
	return errors.Join(err, c.ended(), ctx.Err())
}

// cells is the turn of the table: the keys are written, everything is warmed up, and then comes cell after cell.
func (p *plan) cellsTurn(cells []cell) turn {
	capacity := map[string]float64{} // of the one to beat, by kind: the best of its closed loops in the first round
	return func(ctx context.Context, c *contender, row func(string) note) error {
		if err := c.fill(ctx); err != nil {
			return fmt.Errorf("write the keys: %w", err)
		}
		if err := p.warmUp(ctx, c, cells); err != nil {
			return fmt.Errorf("warm up: %w", err)
		}
		for _, cell := range cells {
			rate := 0.0
			if cell.percent > 0 {
				if rate = capacity[cell.kind.name] * float64(cell.percent) / 100; rate == 0 {
					return fmt.Errorf("cell %s has no closed loop of its kind before it", cell.name)
				}
			}
			result, err := p.cell(ctx, c, cell, rate, row(cell.describe()))
			if err != nil {
				return fmt.Errorf("%s: %w", cell.name, err)
			}
			n := row("")
			if cell.percent == 0 && n.round == 0 && c == p.contenders[1] {
				capacity[cell.kind.name] = max(capacity[cell.kind.name], result.PerSecond())
			}
		}
		return p.opinions(ctx, c, row)
	}
}

// warmUp gives each kind of request its share of the time, with 100 in flight. A virtual machine needs it before it shows
// what it can do; the other system gets the same.
func (p *plan) warmUp(ctx context.Context, c *contender, cells []cell) error {
	var warmed []string
	for _, cell := range cells {
		if !slices.Contains(warmed, cell.kind.name) {
			warmed = append(warmed, cell.kind.name)
		}
	}
	whole := p.warmup
	if len(c.members) > 1 {
		whole *= 2 // each of them has to warm up
	}
	share := whole / time.Duration(len(warmed))
	for _, name := range warmed {
		run := load.Run{Work: c.workOf(kinds[name]), Slots: 100, Length: share}
		if _, _, err := c.drive(ctx, run, 10, "", kinds[name].writes); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
	}
	return nil
}

// cell measures one cell, after some time under the same load that does not count.
func (p *plan) cell(ctx context.Context, c *contender, cell cell, rate float64, to note) (load.Result, error) {
	run := load.Run{Work: c.workOf(cell.kind), Slots: cell.slots, Rate: rate, Warm: p.length / 6, Length: p.length}
	if cell.connections > cell.slots/2 && cell.slots > 1 {
		run.Warm, run.Length = p.length/2, 2*p.length // many connections take their time
	}
	if err := c.resetPeak(); err != nil {
		return load.Result{}, err
	}
	result, cpu, err := c.drive(ctx, run, cell.connections, cell.at, cell.writes)
	if err != nil {
		return result, err
	}
	to.add(perSecond, result.PerSecond())
	if result.Measured == 0 { // the answers came after the time was over, and were right
		p.counts.Check(fmt.Sprintf("%s, %s: no answer within %v", to.row, c.name, run.Length), nil)
		return result, nil
	}
	to.waits(result.Waits)
	to.add(serverCPU, micros(cpu)/float64(result.Measured))
	now, peak, err := c.memory()
	if err != nil {
		return result, err
	}
	to.add(restMB, float64(now)/1e6)
	to.add(peakMB, float64(peak)/1e6)
	to.add(clientCPU, micros(result.CPUPerRequest()))
	to.add(clientBusy, result.CPU.Seconds()/result.Took.Seconds())
	if rate > 0 {
		to.add(late, float64(result.Late)/1e6)
	}
	p.counts.Check(fmt.Sprintf("%s, %s: %.0f/s, p50 %.2f ms, p99 %.2f ms, CPU %.1f µs, ours %.1f µs", to.row, c.name, result.PerSecond(),
		float64(result.Waits.ValueAtQuantile(50))/1e6, float64(result.Waits.ValueAtQuantile(99))/1e6, micros(cpu)/float64(result.Measured),
		micros(result.CPUPerRequest())), nil)
	return result, nil
}

func micros(d time.Duration) float64 { return float64(d) / float64(time.Microsecond) }

// memoryTurn fills a store with keys, and weighs it at rest.
func (p *plan) memoryTurn(ctx context.Context, c *contender, row func(string) note) error {
	to := row(fmt.Sprintf("%d keys of %d bytes", p.memoryKeys, p.memoryValueBytes))
	before, err := c.cpu()
	if err != nil {
		return err
	}
	began := time.Now()
	if err := c.fillList(ctx, p.memoryKeys, p.memoryValueBytes); err != nil {
		return err
	}
	to.add(tookSeconds, time.Since(began).Seconds())
	after, err := c.cpu()
	if err != nil {
		return err
	}
	to.add(cpuSeconds, (after - before).Seconds())
	time.Sleep(5 * p.settle) // what is written behind is written, and what is collected at leisure is collected
	now, peak, err := c.memory()
	to.add(restMB, float64(now)/1e6)
	to.add(peakMB, float64(peak)/1e6)
	return err
}

// ownCost loads a server with nothing behind it: so much of every figure is ours, and the kernel's.
func (p *plan) ownCost() error {
	server := &load.Trivial{Answer: make([]byte, 64)}
	address, err := server.Listen()
	if err != nil {
		return err
	}
	defer server.Close()
	loop, err := wire.NewLoop()
	if err != nil {
		return err
	}
	defer loop.Close()
	for _, slots := range []int{1, 100, 1000} {
		run := load.Run{Work: unjudged{newGets(true)}, Slots: slots, Warm: p.length / 6, Length: p.length / 2}
		for range min(slots, 10) {
			conn, err := loop.Dial(address, wire.Options{})
			if err != nil {
				return err
			}
			run.Conns = append(run.Conns, conn)
		}
		result, err := run.Perform(loop)
		if err != nil {
			return err
		}
		p.record.Notes = append(p.record.Notes, fmt.Sprintf("the client and a server with nothing behind it, %d in flight: %.0f requests/s, client CPU "+
			"%.1f µs/request", slots, result.PerSecond(), micros(result.CPUPerRequest())))
	}
	return nil
}

// unjudged is work whose answers are those of the trivial server.
type unjudged struct{ load.Work }

func (unjudged) Check(_, _ int, _ []byte) error { return nil }
