// Calmcheck demands of a cluster what it should not do, and what it should: no election while it has much work, while a
// member pauses for less than an election timeout, or while a disk is slow to read; and service as long as a majority
// lives, refusals in etcd's words when none does, and service again by itself.
//
//	calmcheck --modes calm,quorum -- etcd --name {name} --data-dir {data} --listen-client-urls {client}
//	    --advertise-client-urls {client} --listen-peer-urls {peer} --initial-advertise-peer-urls {peer}
//	    --initial-cluster {cluster}
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"quoin.dev/trial/internal/cluster"
	"quoin.dev/trial/internal/tally"
)

func main() { os.Exit(run()) }

// trial is one run of the program.
type trial struct {
	ctx     context.Context
	counts  *tally.Tally
	command []string
	home    string
	ready   time.Duration

	keys        int
	ranges      int
	rangeKeys   int
	writeRanges int
	stops       int
	stop        time.Duration
	stall       time.Duration
}

func run() int {
	t := &trial{}
	modes := flag.String("modes", "calm,quorum", "calm: no election; quorum: service with a minority dead, refusals without a majority")
	flag.IntVar(&t.keys, "keys", 1_000_000, "calm: keys that are written, listed and deleted at once")
	flag.IntVar(&t.ranges, "ranges", 128, "calm: ranges of the transaction that lists them")
	flag.IntVar(&t.rangeKeys, "range-keys", 100_000, "calm: keys of each range")
	flag.IntVar(&t.writeRanges, "write-ranges", 8, "calm: ranges of a transaction that writes, too, so that every member lists them")
	flag.IntVar(&t.stops, "stops", 200, "calm: how often a member is suspended, each in turn")
	flag.DurationVar(&t.stop, "stop", 500*time.Millisecond, "calm: for how long: half an election timeout")
	flag.DurationVar(&t.stall, "stall", 5*time.Second, "calm: how long a disk stalls, by strace; 0: not at all")
	sizes := flag.String("sizes", "5,7", "quorum: members of each cluster")
	flag.DurationVar(&t.ready, "ready", time.Minute, "bound for a cluster to be whole")
	timeout := flag.Duration("timeout", time.Hour, "bound for the whole run")
	dir := flag.String("dir", os.TempDir(), "where to make the directory for data and logs")
	flag.Usage = func() {
		fmt.Fprintln(flag.CommandLine.Output(), "usage: calmcheck [flags] -- COMMAND ARGS... with", cluster.Flags)
		flag.PrintDefaults()
	}
	flag.Parse()
	t.command = flag.Args()
	bySize, err := parseSizes(*sizes)
	if len(t.command) == 0 || err != nil {
		flag.Usage()
		return 2
	}

	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	ctx, cancel := context.WithTimeout(ctx, *timeout)
	defer cancel()
	t.ctx, t.counts = ctx, tally.New("calmcheck", os.Stdout)
	t.home, err = os.MkdirTemp(*dir, "calmcheck-")
	if err != nil {
		t.counts.Check("make a directory", err)
		return t.counts.Close()
	}
	defer os.RemoveAll(t.home)
	for mode := range strings.SplitSeq(*modes, ",") {
		switch mode {
		case "calm":
			t.with(3, t.calm)
		case "quorum":
			for _, size := range bySize {
				t.with(size, t.quorum)
			}
		default:
			t.counts.Check("modes", fmt.Errorf("no mode is called %q", mode))
		}
	}
	return t.counts.Close()
}

func parseSizes(text string) ([]int, error) {
	var sizes []int
	for word := range strings.SplitSeq(text, ",") {
		n, err := strconv.Atoi(word)
		if err != nil || !slices.Contains([]int{3, 5, 7}, n) {
			return nil, fmt.Errorf("a cluster of %q", word)
		}
		sizes = append(sizes, n)
	}
	return sizes, nil
}

// with runs a part on a new cluster.
func (t *trial) with(size int, part func(*cluster.Cluster)) {
	c, err := cluster.New(t.command, filepath.Join(t.home, strconv.Itoa(size)), size, cluster.Straight)
	if err == nil {
		defer c.Kill()
		err = c.Start(t.ctx, t.ready)
	}
	if t.counts.Check(fmt.Sprintf("%d members: start", size), err) {
		part(c)
	}
}
