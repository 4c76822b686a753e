// Gatecheck asks the JSON gateways of two servers the same, over all their paths, and compares what comes back: HTTP status,
// header fields that mean something, and the bytes of the body, but for ids and for what it names in each request. It starts
// both servers itself.
//
//	gatecheck --left 'etcd …' --right 'dist/target/quoin/bin/etcd …'
//
// The left server is right by definition. A path that the right one answers with 501 is not served there: that is said in a
// line, "OFF: path …", and nothing else is asked of it.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"time"

	"quoin.dev/trial/internal/process"
	"quoin.dev/trial/internal/tally"
)

func main() { os.Exit(run()) }

func run() int {
	left := flag.String("left", "", "command of the server that is right by definition, with {data}, {client} and {peer} to be filled in")
	right := flag.String("right", "", "command of the server under trial, with the same holes")
	dir := flag.String("dir", os.TempDir(), "where to make the directory for data and logs")
	timeout := flag.Duration("timeout", 3*time.Minute, "bound for the whole run")
	selfTest := flag.Bool("self-test", false, "falsify the right server's answers afterwards, and demand that it is noticed")
	asEtcd := flag.Bool("as-etcd", false, "tolerate white space, which Go leaves to chance")
	verbose := flag.Bool("v", false, "print every answer")
	flag.Parse()
	if *left == "" || *right == "" || flag.NArg() > 0 {
		flag.Usage()
		return 2
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	ctx, cancel := context.WithTimeout(ctx, *timeout)
	defer cancel()

	counts := tally.New("gatecheck", os.Stdout)
	home, err := os.MkdirTemp(*dir, "gatecheck-")
	if err != nil {
		counts.Check("make a directory", err)
		return counts.Close()
	}
	defer os.RemoveAll(home)
	sides := [2]*side{newSide("left"), newSide("right")}
	err = start(ctx, home, sides, [2][]string{strings.Fields(*left), strings.Fields(*right)})
	defer both(sides, func(s *side) error { return s.stop() })
	if !counts.Check("start", err) {
		return counts.Close()
	}

	t := &trial{ctx: ctx, sides: sides, counts: counts, off: map[string]bool{}, asEtcd: *asEtcd, verbose: *verbose}
	t.findOff()
	for _, s := range everything() {
		if !t.ask(s) {
			break
		}
	}
	fmt.Printf("asked %d times\n", len(t.pairs))
	if *selfTest {
		t.selfTest()
	}
	return counts.Close()
}

func start(ctx context.Context, home string, sides [2]*side, commands [2][]string) error {
	for n, s := range sides {
		dir := filepath.Join(home, s.name)
		if err := os.MkdirAll(dir, 0o700); err != nil {
			return err
		}
		server, err := process.New(commands[n], dir)
		if err != nil {
			return err
		}
		s.server = server
	}
	return both(sides, func(s *side) error {
		_, err := s.server.Start(ctx, time.Minute)
		return err
	})
}

// both does something to both sides at once.
func both(sides [2]*side, do func(s *side) error) error {
	var errs [2]error
	var group sync.WaitGroup
	for n, s := range sides {
		group.Go(func() { errs[n] = do(s) })
	}
	group.Wait()
	for n, err := range errs {
		if err != nil {
			return fmt.Errorf("the %s server: %w", sides[n].name, err)
		}
	}
	return nil
}

// trial is one run of the program.
type trial struct {
	ctx     context.Context
	sides   [2]*side
	counts  *tally.Tally
	off     map[string]bool // paths that the right server does not serve
	pairs   []pair
	asEtcd  bool
	verbose bool
}

// pair is what both servers said to one request.
type pair struct {
	asked   step
	answers [2]answer
}

// findOff asks the right server alone, with a body that reaches no state.
func (t *trial) findOff() {
	for _, path := range paths {
		got := t.sides[1].once(t.ctx, step{path: path, body: "{}", header: map[string]string{"Grpc-Timeout": "1n"}})
		if got.status == 501 {
			t.off[path] = true
			fmt.Printf("OFF: path %s is not served\n", path)
		}
	}
}

// ask asks both sides; false when one of them does not answer any more.
func (t *trial) ask(s step) bool {
	if t.off[s.path] {
		return true
	}
	p := pair{asked: s}
	err := both(t.sides, func(one *side) error {
		n := 0
		if one == t.sides[1] {
			n = 1
		}
		p.answers[n] = one.ask(t.ctx, s)
		return p.answers[n].err
	})
	if t.verbose {
		fmt.Printf("     %s\n     left:  %v\n     right: %v\n", s.name(), p.answers[0], p.answers[1])
	}
	p.answers[1].compact = p.answers[1].compact || t.asEtcd
	if err == nil {
		t.pairs = append(t.pairs, p)
		err = p.difference()
	}
	t.counts.Check(s.name(), err)
	return t.ctx.Err() == nil
}

// difference is how the right answer is not the left one.
func (p pair) difference() error {
	left, right := p.answers[0], p.answers[1]
	switch {
	case left.status != right.status:
		return fmt.Errorf("status %d is told as %d: %s, %s", left.status, right.status, left.body, right.body)
	case left.body != right.body:
		return fmt.Errorf("body\n       %s\n     is told as\n       %s", left.body, right.body)
	case !right.compact:
		return fmt.Errorf("there is white space in %s", right.body)
	}
	for _, name := range heads {
		if l, r := left.head.Get(name), right.head.Get(name); l != r {
			return fmt.Errorf("%s %q is told as %q", name, l, r)
		}
	}
	return nil
}
