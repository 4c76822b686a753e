// Mixcheck judges clusters of two kinds of members, Quoin's and etcd's: that they serve as one, hold the same at every moment,
// replace each other while clients work, and that nothing is written into the log that an etcd does not know.
//
//	mixcheck --etcd 'etcd …' --quoin 'etcd …' [SCENARIO]...
//
// A COMMAND starts one member, with {name}, {data}, {client}, {peer}, {listen}, {cluster} and {state} to be filled in. At the end of
// each scenario all members must hold the same, nobody may have ended by itself, no log may tell of a panic, and all write-ahead
// logs are read with etcd's own types.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"

	"quoin.dev/trial/internal/cluster"
	"quoin.dev/trial/internal/recording"
	"quoin.dev/trial/internal/tally"
)

func main() { os.Exit(run()) }

// trial is what the command line asks for.
type trial struct {
	etcd, quoin *kind
	home        string
	ready       time.Duration // bound for a cluster to be whole, for a change of members to be granted, and the like
	rounds      int
	length      time.Duration // of load between two harms
	downgrade   string        // what an etcd of the older version asks for before it joins; empty: nothing
	entries     map[string]int
	out         func(format string, args ...any)
}

// kind is a kind of members.
type kind struct {
	name    string
	command []string
}

// scenario is what a cluster goes through. It returns what it has seen, for its line.
type scenario struct {
	name string
	what string
	run  func(t *trial, ctx context.Context) error
}

var scenarios = []scenario{
	{"steady", "two and one, and one and two; both lead in turns; everything a client can ask for, of every member", (*trial).steady},
	{"join", "a member of each kind joins a cluster of the other as a learner, is sent a state, is promoted, and leads", (*trial).join},
	{"lag", "a member that was away for longer than the log reaches is sent a state, in both directions", (*trial).lag},
	{"kill", "the leader is killed under load, of each kind", (*trial).kill},
	{"cut", "members of one kind are cut off from those of the other, under load", (*trial).cut},
	{"compare", "members compare what they hold, in etcd's three ways, and find no difference", (*trial).compare},
	{"space", "a member whose store is full raises the alarm, for all; it is taken back", (*trial).space},
	{"version", "the version of the cluster goes down and up again", (*trial).version},
	{"roll", "all members are replaced by those of the other kind, and back, under load, with TLS and users", (*trial).roll},
}

func run() int {
	t := &trial{entries: map[string]int{}}
	etcd := flag.String("etcd", "", "COMMAND of an etcd")
	quoin := flag.String("quoin", "", "COMMAND of a Quoin")
	flag.DurationVar(&t.ready, "ready", time.Minute, "bound for a cluster to be whole again")
	flag.DurationVar(&t.length, "length", 2*time.Second, "how long there is load before and after each harm and each replacement")
	flag.IntVar(&t.rounds, "rounds", 1, "how often all members are replaced and come back, in roll")
	flag.StringVar(&t.downgrade, "downgrade", "", "the version that must be announced as the target of a downgrade before an etcd can join a cluster of Quoin alone")
	atOnce := flag.Int("at-once", 1, "how many scenarios go on at the same time")
	quiet := flag.Bool("quiet", false, "do not tell what is done")
	timeout := flag.Duration("timeout", 3*time.Hour, "bound for the whole run")
	dir := flag.String("dir", os.TempDir(), "where to make the directory for data and logs")
	keep := flag.Bool("keep", false, "keep that directory when something failed")
	flag.Usage = func() {
		fmt.Fprintln(flag.CommandLine.Output(), "usage: mixcheck [flags] --etcd 'COMMAND' --quoin 'COMMAND' [SCENARIO]... with", cluster.Flags, "and SCENARIO, all if none is named, of")
		for _, s := range scenarios {
			fmt.Fprintf(flag.CommandLine.Output(), "  %-8s %s\n", s.name, s.what)
		}
		flag.PrintDefaults()
	}
	flag.Parse()
	t.etcd, t.quoin = &kind{"etcd", strings.Fields(*etcd)}, &kind{"quoin", strings.Fields(*quoin)}
	chosen := scenarios
	if flag.NArg() > 0 {
		chosen = nil
		for _, name := range flag.Args() {
			at := slices.IndexFunc(scenarios, func(s scenario) bool { return s.name == name })
			if at < 0 {
				flag.Usage()
				return 2
			}
			chosen = append(chosen, scenarios[at])
		}
	}
	if len(t.etcd.command) == 0 || len(t.quoin.command) == 0 {
		flag.Usage()
		return 2
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	ctx, cancel := context.WithTimeout(ctx, *timeout)
	defer cancel()
	counts := tally.New("mixcheck", os.Stdout)
	home, err := os.MkdirTemp(*dir, "mixcheck-")
	if !counts.Check("make a directory", err) {
		return counts.Close()
	}
	began := time.Now()
	failed := false
	turns := make(chan bool, max(1, *atOnce))
	var going sync.WaitGroup
	var mutex sync.Mutex // of what they share: counts, the sum of the entries, and the output
	// In this order: the longest first is the soonest done.
	for _, s := range chosen {
		turns <- true
		going.Go(func() {
			defer func() { <-turns }()
			own := *t
			own.home, own.entries = filepath.Join(home, s.name), map[string]int{}
			own.out = func(format string, args ...any) {
				if !*quiet {
					fmt.Printf("%8.2fs %s: %s\n", time.Since(began).Seconds(), s.name, fmt.Sprintf(format, args...))
				}
			}
			start := time.Now()
			err := s.run(&own, ctx)
			mutex.Lock()
			defer mutex.Unlock()
			held := counts.Check(fmt.Sprintf("%s: %s (%.0f s)", s.name, s.what, time.Since(start).Seconds()), err)
			failed = failed || !held
			if held {
				os.RemoveAll(own.home)
			}
			for kind, n := range own.entries {
				t.entries[kind] += n
			}
		})
	}
	going.Wait()
	fmt.Println("entries of the logs:", recording.Counts(t.entries))
	if failed && *keep {
		fmt.Fprintln(os.Stderr, "kept:", home)
	} else {
		os.RemoveAll(home)
	}
	return counts.Close()
}

// mixes are the two ways in which three members can be of two kinds.
func (t *trial) mixes() [][]*kind {
	return [][]*kind{{t.etcd, t.quoin, t.etcd}, {t.quoin, t.etcd, t.quoin}}
}

func (t *trial) kinds() []*kind { return []*kind{t.etcd, t.quoin} }

func (t *trial) other(k *kind) *kind {
	if k == t.etcd {
		return t.quoin
	}
	return t.etcd
}

func names(kinds []*kind) string {
	var all []string
	for _, k := range kinds {
		all = append(all, k.name)
	}
	return strings.Join(all, "+")
}
