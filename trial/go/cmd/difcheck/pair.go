package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	pb "go.etcd.io/etcd/api/v3/etcdserverpb"
	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/proto"

	"quoin.dev/trial/internal/process"
)

// pair is both servers, with the same past. One goroutine writes; several read between two writes.
type pair struct {
	home      string
	sides     [2]*side
	now       int64 // the store's revision
	compacted int64 // the last compaction's; -1: none yet
	restarts  int
	hashes    hashState
	forgotten atomic.Int64 // hashes and previous values that differed where etcd itself may differ
	events    int          // to watches, compared
}

// hashState is what is known of the hashes that a compaction leaves in memory, for HashKV to answer with.
type hashState int

const (
	hashesSettled   hashState = iota
	hashesPending             // a compaction goes on behind its answer: ask again
	hashesForgotten           // a restart: whether the last compaction's came back depends on what the disk had
)

// startedOne is a pair on its way.
type startedOne struct {
	pair *pair
	err  error
}

// freshPair is an empty pair of servers, ready; the next one is started behind it.
// How long a compaction of so few keys may take in the background.
const backgroundCompaction = 60 * time.Millisecond

func (t *trial) freshPair() (*pair, error) {
	if t.spare == nil {
		t.prepareSpare()
	}
	one := <-t.spare
	t.spare = nil
	if one.err == nil {
		t.prepareSpare()
	}
	return one.pair, one.err
}

func (t *trial) prepareSpare() {
	t.started++
	home := filepath.Join(t.home, fmt.Sprintf("pair-%d", t.started))
	spare := make(chan startedOne, 1)
	t.spare = spare
	lie, commands := t.lie, t.commands
	go func() {
		p, err := startPair(t.ctx, home, commands)
		if err == nil {
			p.sides[1].lie = lie
		}
		spare <- startedOne{p, err}
	}()
}

func (t *trial) discardSpare() {
	if t.spare == nil {
		return
	}
	if one := <-t.spare; one.err == nil {
		one.pair.discard()
	}
	t.spare = nil
}

func startPair(ctx context.Context, home string, commands [2][]string) (*pair, error) {
	p := &pair{home: home, now: 1, compacted: -1}
	for n, name := range []string{"left", "right"} {
		dir := filepath.Join(home, name)
		if err := os.MkdirAll(dir, 0o700); err != nil {
			return nil, err
		}
		server, err := process.New(commands[n], dir)
		if err != nil {
			return nil, err
		}
		p.sides[n] = &side{name: name, server: server}
	}
	if err := p.start(ctx); err != nil {
		p.discard()
		return nil, err
	}
	return p, nil
}

// both does something to both sides at once.
func (p *pair) both(do func(s *side) error) error {
	var errs [2]error
	var group sync.WaitGroup
	for n, s := range p.sides {
		group.Go(func() { errs[n] = do(s) })
	}
	group.Wait()
	for n, err := range errs {
		if err != nil {
			return fmt.Errorf("the %s server: %w", p.sides[n].name, err)
		}
	}
	return nil
}

func (p *pair) start(ctx context.Context) error {
	return p.both(func(s *side) error {
		if _, err := s.server.Start(ctx, time.Minute); err != nil {
			return err
		}
		return s.connect(ctx)
	})
}

func (p *pair) restart(ctx context.Context, kill bool) error {
	p.restarts++
	p.hangUp()
	err := p.both(func(s *side) error {
		s.conn.Close()
		if kill {
			return s.server.Kill()
		}
		return s.server.Stop()
	})
	if err != nil {
		return err
	}
	p.hashes = hashesForgotten
	return p.start(ctx)
}

// discard ends both and removes what they wrote.
func (p *pair) discard() {
	p.both(func(s *side) error {
		if s == nil {
			return nil
		}
		s.hangUp()
		if s.conn != nil {
			s.conn.Close()
		}
		return s.server.Kill()
	})
	os.RemoveAll(p.home)
}

// difference is where two servers answer differently.
type difference struct {
	index     int
	operation operation
	asked     proto.Message // the request without symbols
	answers   [2]answer
	what      string
	logs      string // the end of what a server said that is gone
}

func (d *difference) String() string {
	asked := d.operation.name
	if d.asked != nil {
		asked = fmt.Sprintf("%s{%s}", d.operation.name, text(d.asked))
	}
	if len(d.answers[0].messages)+len(d.answers[1].messages) == 0 && d.answers[0].code == codes.OK && d.answers[1].code == codes.OK {
		return fmt.Sprintf("%s\n  %s%s", asked, strings.ReplaceAll(d.what, "\n", "\n  "), d.logs)
	}
	return fmt.Sprintf("%s\n  left:  %s\n  right: %s\n  %s%s", asked, d.answers[0], d.answers[1],
		strings.ReplaceAll(d.what, "\n", "\n  "), d.logs)
}

const (
	batchMax = 64 // reads between two writes that are asked together
	askers   = 16
)

// run plays a sequence. An error is a failure of the trial; a difference is a finding.
func (p *pair) run(ctx context.Context, sequence []operation, seen census) (*difference, error) {
	p.hangUp()
	defer p.hangUp()
	for begin := 0; begin < len(sequence); {
		end := begin
		for end < len(sequence) && end-begin < batchMax && sequence[end].reads() {
			end++
		}
		var found *difference
		if end == begin && sequence[begin].settles() {
			found = p.settleWatches(ctx, begin, sequence[begin])
		}
		switch {
		case found != nil:
		case end > begin:
			found = p.reads(ctx, begin, sequence[begin:end], seen)
		case sequence[begin].restarts():
			end = begin + 1
			if err := p.restart(ctx, sequence[begin].name == "Kill"); err != nil {
				found = &difference{index: begin, operation: sequence[begin], what: err.Error()}
			}
			seen.count(sequence[begin], answer{})
		default:
			end = begin + 1
			found = p.write(ctx, begin, sequence[begin], seen)
		}
		if ctx.Err() != nil {
			return nil, context.Cause(ctx)
		}
		if found != nil {
			return found, nil
		}
		begin = end
	}
	return nil, nil
}

// reads asks for all of a batch, several at a time, and finds the first difference.
func (p *pair) reads(ctx context.Context, begin int, batch []operation, seen census) *difference {
	found := make([]*difference, len(batch))
	answers := make([]answer, len(batch))
	next := make(chan int, len(batch))
	for n := range batch {
		next <- n
	}
	close(next)
	var group sync.WaitGroup
	for range min(askers, len(batch)) {
		group.Go(func() {
			for n := range next {
				answers[n], found[n] = p.compare(ctx, begin+n, batch[n])
			}
		})
	}
	group.Wait()
	for n, d := range found {
		if d != nil {
			return d
		}
		seen.count(batch[n], answers[n])
	}
	return nil
}

// write asks for one operation that may change something, and follows what it changed.
func (p *pair) write(ctx context.Context, index int, o operation, seen census) *difference {
	left, found := p.compare(ctx, index, o)
	if found != nil {
		return found
	}
	seen.count(o, left)
	if o.name == "WatchHangUp" {
		p.hangUp()
	}
	if left.code != codes.OK || strings.HasPrefix(o.name, "Watch") {
		return nil
	}
	for _, message := range left.messages {
		if with, ok := message.(interface{ GetHeader() *pb.ResponseHeader }); ok && with.GetHeader() != nil {
			p.now = with.GetHeader().Revision
		}
	}
	if compaction, ok := o.request.(*pb.CompactionRequest); ok {
		p.compacted = resolve(compaction, p.now, p.compacted).(*pb.CompactionRequest).Revision
		if !compaction.Physical {
			// Whether the next compaction keeps its hash depends on whether this one is done by then.
			time.Sleep(backgroundCompaction)
		}
		p.hashes = hashesSettled
		if !compaction.Physical {
			p.hashes = hashesPending
		}
	}
	return nil
}

// compare asks both at once.
func (p *pair) compare(ctx context.Context, index int, o operation) (answer, *difference) {
	request := resolve(o.request, p.now, p.compacted)
	if create, ok := request.(*pb.WatchCreateRequest); ok && o.name == "WatchCreate" {
		create.StartRevision = min(create.StartRevision, p.now)
	}
	answers := p.askBoth(ctx, o.name, request)
	what := p.judge(ctx, request, answers)
	// etcd's compaction goes on in the background, and its hash is there when it is done.
	for again := 0; what != "" && o.name == "HashKV" && p.hashes == hashesPending && again < 60; again++ {
		time.Sleep(50 * time.Millisecond)
		answers = p.askBoth(ctx, o.name, request)
		what = p.judge(ctx, request, answers)
	}
	if hash, ok := request.(*pb.HashKVRequest); ok && what != "" && p.hashes == hashesForgotten &&
		hash.Revision > 0 && hash.Revision <= p.compacted {
		p.forgotten.Add(1)
		what = ""
	}
	if what == "" {
		return answers[0], nil
	}
	d := &difference{index: index, operation: o, asked: request, answers: answers, what: what}
	if gone(answers[0]) || gone(answers[1]) {
		time.Sleep(200 * time.Millisecond) // a server that dies may still be about to
	}
	for _, s := range p.sides {
		if s.server.Exited() {
			d.logs += fmt.Sprintf("\nthe %s server has ended; its log ends:\n%s", s.name, s.server.LogTail())
		}
	}
	return answers[0], d
}

func (p *pair) askBoth(ctx context.Context, name string, request proto.Message) [2]answer {
	var answers [2]answer
	var group sync.WaitGroup
	for n, s := range p.sides {
		group.Go(func() { answers[n] = s.ask(ctx, name, request) })
	}
	group.Wait()
	return answers
}
