// Difcheck asks two servers the same, in long random sequences, and compares every answer field by field: the message
// but for the ids and the term in its header, and the code and words of an error. It starts both servers itself, kills
// and stops both now and then, and when they differ it looks for the shortest sequence that shows it.
//
//	difcheck --seeds 5 --ops 10000 --left 'etcd …' --right 'dist/target/quoin/bin/etcd …'
//
// A seed is one fresh pair of servers and one sequence, and says everything: the same seed, operations and families
// bring the same sequence back.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"quoin.dev/trial/internal/tally"
)

func main() { os.Exit(run()) }

func run() int {
	left := flag.String("left", "", "command of the server that is right by definition, with {data}, {client} and {peer} to be filled in")
	right := flag.String("right", "", "command of the server under trial, with the same holes")
	seeds := flag.Int("seeds", 1, "how many sequences")
	first := flag.Uint64("first-seed", 1, "seed of the first; the others follow it")
	length := flag.Int("ops", 10_000, "operations of each sequence")
	families := flag.String("families", "auto", "which operations, of "+strings.Join(familyNames(), ",")+"; auto: those the right server serves")
	restarts := flag.Int("restart-every", 10_000, "kill or stop both servers about once in so many operations; 0: never")
	shrinkFor := flag.Duration("shrink", 90*time.Second, "how long to look for a shorter sequence; 0: not at all")
	timeout := flag.Duration("timeout", 60*time.Minute, "bound for the whole run")
	dir := flag.String("dir", os.TempDir(), "where to make the directory for data and logs")
	lie := flag.String("lie", "", "falsify the right server's answers, to see it noticed: "+strings.Join(lieNames(), ", "))
	selfTest := flag.Bool("self-test", false, "demand that every lie is noticed and shown in a few operations")
	flag.Parse()
	if *left == "" || *right == "" || flag.NArg() > 0 {
		flag.Usage()
		return 2
	}

	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	ctx, cancel := context.WithTimeout(ctx, *timeout)
	defer cancel()

	counts := tally.New("difcheck", os.Stdout)
	home, err := os.MkdirTemp(*dir, "difcheck-")
	if err != nil {
		counts.Check("make a directory", err)
		return counts.Close()
	}
	defer os.RemoveAll(home)
	t := &trial{ctx: ctx, home: home, commands: [2][]string{strings.Fields(*left), strings.Fields(*right)},
		length: *length, restartEvery: *restarts, shrinkFor: *shrinkFor, counts: counts, seen: census{}}
	defer t.discardSpare()
	if t.lie, err = lieNamed(*lie); err == nil {
		err = t.chooseFamilies(*families)
	}
	if !counts.Check("families", err) {
		return counts.Close()
	}
	if *selfTest {
		t.selfTest(*first)
		return counts.Close()
	}
	for seed := *first; seed < *first+uint64(*seeds) && ctx.Err() == nil; seed++ {
		if !t.seed(seed) {
			break
		}
	}
	if ctx.Err() != nil {
		counts.Check("in time", context.Cause(ctx))
	}
	t.seen.print(os.Stdout)
	return counts.Close()
}

// trial is one run of the program.
type trial struct {
	ctx          context.Context
	home         string
	commands     [2][]string
	length       int
	restartEvery int
	shrinkFor    time.Duration
	families     families
	lie          lie
	counts       *tally.Tally
	seen         census

	started int             // pairs so far: each has a directory of its own
	spare   chan startedOne // the next pair, being started while this one works
}

// seed runs one sequence on a fresh pair. After a difference the run ends: it is one thing to look at at a time.
func (t *trial) seed(seed uint64) bool {
	sequence := generate(seed, t.length, t.families, t.restartEvery)
	pair, err := t.freshPair()
	if !t.counts.Check(fmt.Sprintf("start for seed %d", seed), err) {
		return false
	}
	begin := time.Now()
	found, err := pair.run(t.ctx, sequence, t.seen)
	took := time.Since(begin)
	pair.discard()
	what := fmt.Sprintf("seed %d: %d operations, revision %d, %d kills and stops, %.0f operations/s",
		seed, len(sequence), pair.now, pair.restarts, float64(len(sequence))/took.Seconds())
	if pair.events > 0 {
		what += fmt.Sprintf(", %d events to watches", pair.events)
	}
	if pair.forgotten.Load() > 0 {
		what += fmt.Sprintf(", %d hashes or previous values not compared", pair.forgotten.Load())
	}
	if err == nil && found != nil {
		err = fmt.Errorf("operation %d: %s", found.index, found)
		if shorter := t.shrink(sequence, found, 0); shorter != nil {
			err = fmt.Errorf("%w\nthe shortest sequence found, on fresh servers:\n%s", err, shorter)
		}
	}
	return t.counts.Check(what, err)
}

// chooseFamilies reads the flag, and says loudly what is left out.
func (t *trial) chooseFamilies(flag string) error {
	if flag != "auto" {
		chosen, err := familiesOf(strings.Split(flag, ","))
		t.families = chosen
		if err == nil {
			fmt.Println("families:", chosen)
		}
		return err
	}
	pair, err := t.freshPair()
	if err != nil {
		return err
	}
	defer pair.discard()
	chosen, unserved, err := pair.sides[1].served(t.ctx)
	if err != nil {
		return err
	}
	for _, line := range unserved {
		fmt.Println("OFF:", line)
	}
	fmt.Println("families:", chosen)
	t.families = chosen
	return nil
}

// selfTest demands that the judge finds each lie, and can show it in a few operations.
func (t *trial) selfTest(seed uint64) {
	for _, lie := range lies {
		if !t.families.has(lie.family) {
			fmt.Printf("OFF: the lie %s: family %s is off\n", lie.name, lie.family)
			continue
		}
		t.lie = lie
		t.discardSpare() // it was started without the lie
		t.counts.Check("noticed: "+lie.name, t.noticed(seed))
	}
}

func (t *trial) noticed(seed uint64) error {
	sequence := generate(seed, t.length, t.families.around(t.lie.family), 0)
	pair, err := t.freshPair()
	if err != nil {
		return err
	}
	found, err := pair.run(t.ctx, sequence, census{})
	pair.discard()
	if err != nil {
		return err
	}
	if found == nil {
		return errors.New("every answer was found to be the same")
	}
	shorter := t.shrink(sequence, found, t.lie.operationsMax)
	if shorter == nil {
		return errors.New("the difference did not come back on fresh servers")
	}
	if len(shorter.operations) > t.lie.operationsMax {
		return fmt.Errorf("%d operations to show it, more than %d:\n%s", len(shorter.operations), t.lie.operationsMax, shorter)
	}
	fmt.Printf("found at operation %d, shown in %d:\n%s\n", found.index, len(shorter.operations), shorter)
	return nil
}
