package main

import (
	"context"
	"encoding/binary"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// Second opinions: the same closed loops by clients that others have written. h2load sees no grpc-status, and etcd's own
// benchmark costs more than the servers; but neither can share a mistake of ours.

const opinionSlots = 1_000

// opinions asks both about puts and gets.
func (p *plan) opinions(ctx context.Context, c *contender, row func(string) note) error {
	if !p.secondOpinions || len(c.members) > 1 || c.shown != nil || c.control {
		return nil
	}
	for _, name := range []string{"put", "get"} {
		for _, client := range []struct {
			name  string
			drive func(context.Context, *contender, kind, time.Duration) (opinion, error)
		}{{"h2load", p.byH2load}, {"etcd's benchmark", p.byBenchmark}} {
			if err := p.opinion(ctx, c, kinds[name], client.drive, row(fmt.Sprintf("%s, %d in flight, by %s", name, opinionSlots, client.name))); err != nil {
				return fmt.Errorf("%s by %s: %w", name, client.name, err)
			}
		}
	}
	return nil
}

// opinion is what another client counted.
type opinion struct {
	rate          float64
	started, done int64 // the difference was under way at the end, and may have happened or not
	client        time.Duration
}

func (p *plan) opinion(ctx context.Context, c *contender, k kind, drive func(context.Context, *contender, kind, time.Duration) (opinion, error), to note) error {
	before, err := c.revision(ctx)
	if err != nil {
		return err
	}
	cpuBefore, err := c.cpu()
	if err != nil {
		return err
	}
	told, err := drive(ctx, c, k, p.length)
	if err != nil {
		return err
	}
	cpuAfter, err := c.cpu()
	if err != nil {
		return err
	}
	time.Sleep(100 * time.Millisecond) // what was under way when the client left
	after, err := c.revision(ctx)
	if err != nil {
		return err
	}
	least, most := int64(0), int64(0)
	if k.writes {
		least, most = told.done, told.started
	}
	if moved := after - before; moved < least || moved > most {
		return fmt.Errorf("%d requests were done and %d started, but the revision moved by %d", told.done, told.started, moved)
	}
	to.add(perSecond, told.rate)
	to.add(serverCPU, micros(cpuAfter-cpuBefore)/float64(told.done))
	to.add(clientCPU, micros(told.client)/float64(told.done))
	return nil
}

var (
	finished = regexp.MustCompile(`finished in .*, ([0-9.]+) req/s`)
	requests = regexp.MustCompile(`requests: \d+ total, (\d+) started, (\d+) done, (\d+) succeeded, (\d+) failed, (\d+) errored, (\d+) timeout`)
)

// byH2load drives h2load: one request over and over, on 10 connections.
func (p *plan) byH2load(ctx context.Context, c *contender, k kind, length time.Duration) (opinion, error) {
	message := k.work().Append(nil, 0, 0)
	file := filepath.Join(c.dir, k.name+".request")
	if err := os.WriteFile(file, append(binary.BigEndian.AppendUint32([]byte{0}, uint32(len(message))), message...), 0o600); err != nil {
		return opinion{}, err
	}
	const connections = 10
	output, used, err := runClient(ctx, length, "h2load", "-t1", fmt.Sprintf("-c%d", connections), fmt.Sprintf("-m%d", opinionSlots/connections),
		"-D", fmt.Sprintf("%dms", length.Milliseconds()), "-d", file, "-H", "content-type: application/grpc", "-H", "te: trailers",
		c.members[0].Client+k.method)
	if err != nil {
		return opinion{}, err
	}
	f, r := finished.FindStringSubmatch(output), requests.FindStringSubmatch(output)
	if f == nil || r == nil {
		return opinion{}, fmt.Errorf("a line is missing in its output:\n%s", output)
	}
	var n [6]int64
	for i := range n {
		if n[i], err = strconv.ParseInt(r[i+1], 10, 64); err != nil {
			return opinion{}, err
		}
	}
	rate, err := strconv.ParseFloat(f[1], 64)
	if err != nil {
		return opinion{}, err
	}
	if started, done, succeeded := n[0], n[1], n[2]; done == 0 || succeeded != done || n[3]+n[4]+n[5] > 0 || started < done {
		return opinion{}, fmt.Errorf("failed requests:\n%s", output)
	}
	return opinion{rate, n[0], n[1], used}, nil
}

var perSecondLine = regexp.MustCompile(`Requests/sec:\s+([0-9.]+)`)

// byBenchmark drives etcd's benchmark. It counts requests, not seconds: as many as it may do in about that time.
func (p *plan) byBenchmark(ctx context.Context, c *contender, k kind, length time.Duration) (opinion, error) {
	total := int64(length.Seconds() * 15_000)
	args := []string{"--endpoints", c.members[0].Address(), "--conns", "10", "--clients", fmt.Sprint(opinionSlots)}
	if k.writes {
		args = append(args, "put", "--key-size", fmt.Sprint(keyBytes), "--val-size", fmt.Sprint(valueBytes), "--key-space-size", fmt.Sprint(keysCount))
	} else {
		args = append(args, "range", string(keyOf('k', 1)), "--consistency", "l")
	}
	output, used, err := runClient(ctx, 60*time.Second, p.benchmark, append(args, "--total", fmt.Sprint(total))...)
	if err != nil {
		return opinion{}, err
	}
	line := perSecondLine.FindStringSubmatch(output)
	if line == nil || strings.Contains(output, "Error distribution") {
		return opinion{}, fmt.Errorf("errors, or no rate, in its output:\n%s", output)
	}
	rate, err := strconv.ParseFloat(line[1], 64)
	return opinion{rate, total, total, used}, err
}

// runClient runs a client, and returns what it printed, and its processor time.
func runClient(ctx context.Context, length time.Duration, name string, args ...string) (string, time.Duration, error) {
	ctx, cancel := context.WithTimeout(ctx, length+30*time.Second)
	defer cancel()
	client := exec.CommandContext(ctx, name, args...)
	output, err := client.CombinedOutput()
	if err != nil {
		return "", 0, fmt.Errorf("%w\n%s", err, output)
	}
	return string(output), client.ProcessState.UserTime() + client.ProcessState.SystemTime(), nil
}
