// Sidebyside runs two servers on this machine, drives both with the same load in alternating rounds, and prints a
// Markdown table of what each did and what it cost. Only ratios within one run mean anything: machines and days differ.
//
//	sidebyside --rounds 3 --seconds 4 --cells put1,put1000,get1000 --a quoin 'COMMAND' --b etcd 'COMMAND'
//
// A COMMAND is split at blanks; {data}, {client} and {peer} in it are filled in, and with --members 3, which makes a cluster
// of each, {name} and {cluster}. The load comes from h2load (Debian
// package nghttp2-client). It does not see a gRPC status: what was really written and read is checked afterwards.
// With --lists it measures long lists instead, by a client of its own.
package main

import (
	"cmp"
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"quoin.dev/trial/internal/process"
	"quoin.dev/trial/internal/tally"
)

func main() { os.Exit(run()) }

// plan is what the command line asks for.
type plan struct {
	contenders  [2]*contender
	cells       []cell
	rounds      int
	length      time.Duration // of one cell in one round
	warmup      time.Duration // of each server, spread over the cells
	members     int           // of each contender
	starts      int
	ready       time.Duration
	dir         string
	home        string // the directory made in dir, for everything this run writes
	markdown    string
	latencyPass bool

	lists          bool // measure lists instead of cells
	listKeys       int
	listValueBytes int
}

func run() int {
	p, err := parse(os.Args[1:])
	if err != nil {
		if !errors.Is(err, flag.ErrHelp) {
			fmt.Fprintln(os.Stderr, "sidebyside:", err)
		}
		return 2
	}
	counts := tally.New("sidebyside", os.Stdout)
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	if p.home, err = os.MkdirTemp(p.dir, "sidebyside-"); err != nil {
		counts.Check("make a directory", err)
		return counts.Close()
	}
	defer os.RemoveAll(p.home)
	if p.home, err = filepath.Abs(p.home); err != nil {
		counts.Check("make a directory", err)
		return counts.Close()
	}

	table := ""
	if p.lists {
		table = p.performLists(ctx, counts)
	} else if p.perform(ctx, counts) {
		table = p.report()
	}
	if table != "" {
		fmt.Printf("\n%s\n", table)
		if p.markdown != "" {
			counts.Check("write "+p.markdown, os.WriteFile(p.markdown, []byte(table), 0o644))
		}
	}
	return counts.Close()
}

// perform starts both servers and fills in what was measured. It says whether there is something to report; both
// servers are dead when it returns.
func (p *plan) perform(ctx context.Context, counts *tally.Tally) bool {
	for _, c := range p.contenders {
		defer c.stop()
		if !counts.Check("start "+c.name, c.start(ctx, p)) {
			return false
		}
	}
	time.Sleep(2 * time.Second) // let both settle before they are called idle
	for _, c := range p.contenders {
		if !counts.Check("prepare "+c.name, c.prepare(ctx, p)) {
			return false
		}
	}
	for _, c := range p.contenders {
		if p.warmup > 0 && !counts.Check(fmt.Sprintf("warm up %s, %v", c.name, p.warmup), c.warmUp(ctx, p)) {
			return false
		}
	}
	for round := range p.rounds {
		for _, cell := range p.cells {
			for turn := range p.contenders {
				c := p.contenders[(turn+round)%2] // who goes first changes with the round
				m, err := c.measure(ctx, cell, p.length, "")
				counts.Check(fmt.Sprintf("round %d, %s, %s: %s", round+1, cell.name, c.name, m), err)
				if over := cmp.Or(ctx.Err(), c.ended()); over != nil {
					counts.Check(c.name+" still runs", over)
					return false
				}
				if err == nil {
					c.measured[cell.name] = append(c.measured[cell.name], m)
				}
			}
		}
	}
	for _, c := range p.contenders {
		counts.Check("memory of "+c.name, c.weigh())
	}
	if p.latencyPass {
		for _, cell := range p.cells {
			for _, c := range p.contenders {
				counts.Check(fmt.Sprintf("latencies, %s, %s", cell.name, c.name), c.measureLatency(ctx, cell, p))
			}
		}
	}
	return ctx.Err() == nil
}

// parse reads the command line.
func parse(args []string) (*plan, error) {
	systems, rest, err := process.TakeSystems(args)
	if err != nil {
		return nil, err
	}
	p := &plan{}
	flags := flag.NewFlagSet("sidebyside", flag.ContinueOnError)
	flags.Usage = func() {
		fmt.Fprint(flags.Output(), "usage: sidebyside [flags] --a NAME 'COMMAND' --b NAME 'COMMAND' (ours and the one to beat)\n")
		flags.PrintDefaults()
	}
	cells := flags.String("cells", "put1,put100,put1000,txn1000,get1,get1000,sget1000",
		"what to measure: put, txn (guarded update), get, or sget (serializable), and how many are in flight")
	connections := flags.Int("connections", 10, "over how many connections the calls in flight are spread, where there are enough")
	flags.IntVar(&p.rounds, "rounds", 3, "rounds; the table shows medians over them")
	seconds := flags.Float64("seconds", 4, "seconds of one cell in one round")
	warmup := flags.Float64("warmup", 8, "seconds of uncounted load on each server first, spread over the cells")
	flags.IntVar(&p.members, "members", 1, "members of each server: with more than one, both are clusters, and the load is spread over all members")
	flags.IntVar(&p.starts, "starts", 3, "how often to start each server on an empty directory, to time it")
	flags.DurationVar(&p.ready, "ready", 30*time.Second, "bound for one start")
	flags.BoolVar(&p.latencyPass, "latency", true, "one more pass over the cells for p50 and p99, with h2load logging each request")
	flags.BoolVar(&p.lists, "lists", false, "measure long lists instead: whole, in pages, streamed")
	flags.IntVar(&p.listKeys, "keys", 100_000, "with --lists: how many keys")
	flags.IntVar(&p.listValueBytes, "value", 1_000, "with --lists: bytes of each value")
	flags.StringVar(&p.dir, "dir", ".", "where to make the directory for both servers' data: what disk is it on?")
	flags.StringVar(&p.markdown, "markdown", "", "also write the table to this file")
	if err := flags.Parse(rest); err != nil {
		return nil, err
	}
	p.length = time.Duration(*seconds * float64(time.Second))
	p.warmup = time.Duration(*warmup * float64(time.Second))
	switch {
	case flags.NArg() > 0:
		return nil, fmt.Errorf("unexpected: %q", flags.Args())
	case len(systems) != 2:
		flags.Usage()
		return nil, flag.ErrHelp
	case p.members < 1 || p.members > 7 || p.lists && p.members > 1:
		return nil, errors.New("--members must be from 1 to 7, and lists are read from one")
	case p.rounds < 1 || p.starts < 1 || p.length < 100*time.Millisecond || *connections < 1:
		return nil, errors.New("--rounds, --starts and --connections must be at least 1, --seconds at least 0.1")
	}
	for i, system := range systems {
		p.contenders[i] = newContender(system.Name, system.Command)
	}
	if p.lists {
		p.starts = 1
		if p.listKeys < 1 || p.listValueBytes < 1 {
			return nil, errors.New("--keys and --value must be at least 1")
		}
		return p, nil
	}
	if _, err := exec.LookPath("h2load"); err != nil {
		return nil, fmt.Errorf("%w (Debian: apt-get install nghttp2-client)", err)
	}
	for name := range strings.SplitSeq(*cells, ",") {
		c, err := parseCell(strings.TrimSpace(name), *connections)
		if err != nil {
			return nil, err
		}
		p.cells = append(p.cells, c)
	}
	return p, nil
}
