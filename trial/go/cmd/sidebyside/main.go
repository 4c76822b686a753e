// Sidebyside measures two systems on this machine, one after the other in turns, each on fresh data and under the same
// load, and prints Markdown tables of what each did and what it cost, as ratios with their spread over the rounds. Only
// ratios within one run mean anything: machines and days differ.
//
//	sidebyside [flags] [table|memory|lists|watch|lease|tls|auth]... --a NAME 'COMMAND' --b NAME 'COMMAND'
//
// A COMMAND is split at blanks; {data}, {client}, {peer}, {name} and {cluster} in it are filled in. The load comes from a
// client of our own, whose cost is measured with every figure; every answer is judged, and acknowledged writes are compared
// with the store's revision. For second opinions table asks h2load (Debian: nghttp2-client) and etcd's benchmark.
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
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"quoin.dev/trial/internal/certificates"
	"quoin.dev/trial/internal/process"
	"quoin.dev/trial/internal/tally"
)

func main() { os.Exit(run()) }

// plan is what the command line asks for, and the run.
type plan struct {
	contenders [2]*contender
	parts      []string
	members    []int
	cells      map[int][]cell // by the number of members
	rounds     int
	length     time.Duration // of one cell in one round
	warmup     time.Duration // of each system in each turn
	settle     time.Duration // before a system is called idle
	ready      time.Duration

	secondOpinions               bool
	benchmark                    string // etcd's
	memoryKeys, memoryValueBytes int
	listKeys, listValueBytes     int
	eventRates                   []int // puts per second that watchers hear of
	gatedCells                   []cell
	keys                         certificates.Keys

	dir, out string
	render   string // a record
	home     string // the directory made in dir, for the systems' data
	record   *record
	counts   *tally.Tally
}

const partNames = "table, memory, lists, watch, lease, tls, auth; of watch alone watch-events, watch-idle, watch-shared, watch-resume, watch-stopped"

// From many in flight to one: who asks for one thing at a time asks a server that has worked for a while.
const (
	cellsOfOne = "put1000,put100,txn1000,txn100,get1000,get100,sget1000,sget100,list100,put1,txn1,get1,sget1,list1," +
		"put4000c,get16000c,put@25,put@50,put@75,txn@25,txn@50,txn@75,get@25,get@50,get@75,sget@50,list@50"
	cellsOfMore = "put1000,put100,txn1000,txn100,get1000,get100,sget1000,list100,put1,put1/leader,put1/follower,txn1,get1,get1/leader," +
		"get1/follower,sget1,list1,put@25,put@50,put@75,txn@50,get@25,get@50,get@75"
	cellsOfGated = "put1,put1000,get1,get1000"
)

func run() int {
	p, err := parse(os.Args[1:])
	if err != nil {
		if !errors.Is(err, flag.ErrHelp) {
			fmt.Fprintln(os.Stderr, "sidebyside:", err)
		}
		return 2
	}
	p.counts = tally.New("sidebyside", os.Stdout)
	if p.render != "" {
		p.counts.Check("make the page and the tables of "+p.render+" again", rerender(p.render))
		return p.counts.Close()
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	if !p.counts.Check("make a directory", p.makeHome()) {
		return p.counts.Close()
	}
	defer os.RemoveAll(p.home)
	for _, part := range p.parts {
		p.counts.Check(part, p.perform(ctx, part))
	}
	if len(p.record.Samples) > 0 {
		fmt.Printf("\n%s\n", p.record.markdown())
		p.counts.Check("write "+p.out+".json, .html and .md", p.record.publish(p.out))
	}
	return p.counts.Close()
}

// perform measures one part.
func (p *plan) perform(ctx context.Context, part string) error {
	switch part {
	case "table":
		if err := p.ownCost(); err != nil {
			return err
		}
		for _, members := range p.members {
			if err := p.alternate(ctx, membersText(members), members, p.cellsTurn(p.cells[members])); err != nil {
				return err
			}
		}
		return nil
	case "memory":
		return p.alternate(ctx, "a store with many keys", 1, p.memoryTurn)
	case "lists":
		return p.alternate(ctx, "long lists", 1, p.listsTurn)
	case "lease":
		return p.alternate(ctx, "leases kept alive", 1, p.leaseTurn)
	case "tls":
		return p.overTLS(ctx)
	case "auth":
		return errors.Join(p.asUser(ctx, "simple", nil), p.asUser(ctx, "signed (JWT, HS256)", []byte("as good as any other secret")))
	}
	for _, watch := range p.watchParts() {
		if watch.name == part {
			return p.alternate(ctx, watch.section, 1, watch.turn)
		}
	}
	return fmt.Errorf("no part is called so: %s", partNames)
}

func membersText(members int) string {
	if members == 1 {
		return "1 member"
	}
	return fmt.Sprintf("%d members", members)
}

func (p *plan) makeHome() (err error) {
	if p.home, err = os.MkdirTemp(p.dir, "sidebyside-"); err != nil {
		return err
	}
	p.record.Machine = thisMachine(p.home)
	p.home, err = filepath.Abs(p.home)
	return err
}

// publish writes the record, the page and the tables.
func (r *record) publish(out string) error {
	return errors.Join(r.write(out+".json"), os.WriteFile(out+".html", []byte(r.page()), 0o644), os.WriteFile(out+".md", []byte(r.markdown()), 0o644))
}

// parse reads the command line.
func parse(args []string) (*plan, error) {
	systems, rest, err := process.TakeSystems(args)
	if err != nil {
		return nil, err
	}
	p := &plan{record: &record{Made: time.Now(), Command: rest}, cells: map[int][]cell{}}
	flags := flag.NewFlagSet("sidebyside", flag.ContinueOnError)
	flags.Usage = func() {
		fmt.Fprintf(flags.Output(), "usage: sidebyside [flags] [PART...] --a NAME 'COMMAND' --b NAME 'COMMAND'\n"+
			"(ours, and the one to beat). Parts: %s. Without any: table and memory.\n", partNames)
		flags.PrintDefaults()
	}
	members := flags.String("members", "1,3", "of the table: members of each system; the load is spread over them")
	cells := flags.String("cells", "", "of the table, tls and auth, in place of all: a cell is "+cellForms)
	keys := flags.String("certificates", "ecdsa", "of tls: keys of the certificates, ecdsa (P-256) or rsa (2,048 bits)")
	connections := flags.Int("connections", 10, "over how many connections the calls of a cell are spread")
	flags.IntVar(&p.rounds, "rounds", 3, "rounds; the tables show medians over them")
	seconds := flags.Float64("seconds", 2.5, "seconds of one cell in one round; twice as long where each call has a connection of its own")
	warmup := flags.Float64("warmup", 24, "seconds of uncounted load in each turn, spread over the kinds of requests; twice as long with several members")
	settle := flags.Float64("settle", 2, "seconds before a system is called idle")
	flags.DurationVar(&p.ready, "ready", 60*time.Second, "bound for one start")
	flags.BoolVar(&p.secondOpinions, "opinions", true, "of the table: ask h2load and etcd's benchmark, too")
	flags.StringVar(&p.benchmark, "benchmark", beside("benchmark"), "etcd's benchmark")
	flags.IntVar(&p.memoryKeys, "memory-keys", 1_000_000, "of memory: how many keys")
	flags.IntVar(&p.memoryValueBytes, "memory-value", 1_000, "of memory: bytes of each value")
	flags.IntVar(&p.listKeys, "keys", 100_000, "of lists: how many keys")
	flags.IntVar(&p.listValueBytes, "value", 1_000, "of lists: bytes of each value")
	events := flags.String("events", "100,500", "of watch: puts per second that a thousand watchers hear of")
	flags.StringVar(&p.dir, "dir", ".", "where to make the directory for the systems' data: what disk is it on?")
	flags.StringVar(&p.out, "out", "sidebyside", "where to write the record, the page and the tables: this with .json, .html and .md")
	render := flags.String("render", "", "measure nothing: make the page and the tables of this record (.json) again")
	if err := flags.Parse(rest); err != nil {
		return nil, err
	}
	if *render != "" {
		p.render = *render
		return p, nil
	}
	p.length, p.warmup, p.settle = duration(*seconds), duration(*warmup), duration(*settle)
	if p.parts = flags.Args(); len(p.parts) == 0 {
		p.parts = []string{"table", "memory"}
	}
	if len(systems) != 2 {
		flags.Usage()
		return nil, flag.ErrHelp
	}
	for i, system := range systems {
		p.contenders[i] = &contender{name: system.Name, command: system.Command}
		p.record.Systems[i] = system.Name
	}
	p.record.Rounds = p.rounds
	return p, errors.Join(p.check(*members, *cells, *connections), p.takeEvents(*events), p.takeKeys(*keys))
}

// check refuses what cannot be measured, and reads the cells.
func (p *plan) check(members, cells string, connections int) error {
	p.spellOut()
	if p.rounds < 1 || p.length < 100*time.Millisecond || connections < 1 || p.warmup < 100*time.Millisecond {
		return errors.New("--rounds and --connections must be at least 1, --seconds and --warmup at least 0.1")
	}
	if min(p.memoryKeys, p.memoryValueBytes, p.listKeys, p.listValueBytes) < 1 {
		return errors.New("numbers of keys and bytes must be at least 1")
	}
	sizes, err := numbers(members, 7)
	if err != nil {
		return fmt.Errorf("--members: %w", err)
	}
	for _, n := range sizes {
		p.members = append(p.members, n)
		names := cellsOfOne
		if n > 1 {
			names = cellsOfMore
		}
		if p.cells[n], err = parseCells(cmp.Or(cells, names), connections); err != nil {
			return err
		}
	}
	if p.gatedCells, err = parseCells(cmp.Or(cells, cellsOfGated), connections); err != nil {
		return err
	}
	if !slices.Contains(p.parts, "table") || !p.secondOpinions {
		return nil
	}
	if _, err := exec.LookPath("h2load"); err != nil {
		return fmt.Errorf("%w (Debian: apt-get install nghttp2-client; or --opinions=false)", err)
	}
	_, err = exec.LookPath(p.benchmark)
	return err
}

// spellOut puts the parts of watch in its place.
func (p *plan) spellOut() {
	if at := slices.Index(p.parts, "watch"); at >= 0 {
		var names []string
		for _, watch := range p.watchParts() {
			names = append(names, watch.name)
		}
		p.parts = slices.Replace(slices.Clone(p.parts), at, at+1, names...)
	}
}

func (p *plan) takeKeys(kind string) error {
	known := map[string]certificates.Keys{"ecdsa": certificates.ECDSA, "rsa": certificates.RSA}
	if p.keys = known[kind]; p.keys == nil {
		return fmt.Errorf("--certificates: %q is neither ecdsa nor rsa", kind)
	}
	return nil
}

func (p *plan) takeEvents(events string) (err error) {
	if p.eventRates, err = numbers(events, 100_000); err != nil {
		return fmt.Errorf("--events: %w", err)
	}
	return nil
}

// numbers reads numbers with commas between them.
func numbers(list string, most int) ([]int, error) {
	var all []int
	for text := range strings.SplitSeq(list, ",") {
		n, err := strconv.Atoi(text)
		if err != nil || n < 1 || n > most {
			return nil, fmt.Errorf("%q is no number from 1 to %d", text, most)
		}
		all = append(all, n)
	}
	return all, nil
}

// rerender makes the page and the tables of a record anew.
func rerender(file string) error {
	r, err := readRecord(file)
	if err != nil {
		return err
	}
	return r.publish(strings.TrimSuffix(file, ".json"))
}

func duration(seconds float64) time.Duration { return time.Duration(seconds * float64(time.Second)) }

// beside is a program in the directory of this one.
func beside(name string) string {
	self, err := os.Executable()
	if err != nil {
		return name
	}
	return filepath.Join(filepath.Dir(self), name)
}
