package main

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"quoin.dev/trial/internal/cluster"
	"quoin.dev/trial/internal/process"
)

// A contender may be a cluster. Then the load is spread over its members as evenly as its connections allow, and what it
// costs is the sum of what they cost.

// launch starts the contender in a directory, and returns the time until it was ready.
func (c *contender) launch(ctx context.Context, p *plan, dir string) (time.Duration, error) {
	if p.members == 1 {
		server, err := process.New(c.command, dir)
		if err != nil {
			return 0, err
		}
		c.server, c.members = server, []*process.Server{server}
		return server.Start(ctx, p.ready)
	}
	whole, err := cluster.New(c.command, dir, p.members, cluster.Straight)
	if err != nil {
		return 0, err
	}
	c.members = nil
	for _, m := range whole.Members {
		c.members = append(c.members, m.Server)
	}
	c.server = c.members[0]
	began := time.Now()
	err = whole.Start(ctx, p.ready)
	return time.Since(began), err
}

// stop kills what runs.
func (c *contender) stop() {
	for _, m := range c.members {
		m.Kill()
	}
}

// ended says which member has ended by itself.
func (c *contender) ended() error {
	for _, m := range c.members {
		if m.Exited() {
			return fmt.Errorf("%s does not; its log ends:\n%s", m.Name, m.LogTail())
		}
	}
	return nil
}

func (c *contender) cpu() (time.Duration, error) {
	var sum time.Duration
	for _, m := range c.members {
		used, err := m.CPU()
		if err != nil {
			return 0, err
		}
		sum += used
	}
	return sum, nil
}

func (c *contender) memory() (now, peak int64, err error) {
	for _, m := range c.members {
		nowOne, peakOne, errOne := m.Memory()
		now, peak, err = now+nowOne, peak+peakOne, errors.Join(err, errOne)
	}
	return now, peak, err
}

// drive lets h2load loose on every member at once, each with its share of the connections. Where there are fewer
// connections than members, another member is the first each time.
func (c *contender) drive(ctx context.Context, cell cell, length time.Duration, logFile string) (loadResult, error) {
	if len(c.members) == 1 {
		return drive(ctx, c.server.Client, c.bodies[cell.kindName], cell, length, logFile)
	}
	c.first++
	results, errs := make([]loadResult, len(c.members)), make([]error, len(c.members))
	var driving sync.WaitGroup
	for i := range c.members {
		share := cell
		share.connections = cell.connections / len(c.members)
		if i < cell.connections%len(c.members) {
			share.connections++
		}
		if share.connections == 0 {
			continue
		}
		m := c.members[(c.first+i)%len(c.members)]
		driving.Go(func() {
			log := logFile
			if log != "" {
				log += "." + m.Name
			}
			results[i], errs[i] = drive(ctx, m.Client, c.bodies[cell.kindName], share, length, log)
		})
	}
	driving.Wait()
	var sum loadResult
	for _, r := range results {
		sum.rate += r.rate
		sum.started += r.started
		sum.done += r.done
		sum.succeeded += r.succeeded
		sum.answer += r.answer
	}
	return sum, errors.Join(errs...)
}
