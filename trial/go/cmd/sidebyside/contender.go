package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	pb "go.etcd.io/etcd/api/v3/etcdserverpb"
	"google.golang.org/grpc"

	"quoin.dev/trial/internal/process"
)

// contender is one of the two servers, and everything measured about it.
type contender struct {
	name    string
	command []string

	server  *process.Server   // the only member, or the first
	members []*process.Server // all
	first   int               // of members: whose turn it is to be the first
	conn    *grpc.ClientConn
	kv      pb.KVClient
	bodies  map[string]string // kind -> file with the request

	ready            []time.Duration
	idle, after      int64 // resident bytes before any load, and after all of it
	peak             int64
	measured         map[string][]measure // cell -> one for each round that held
	median50, tail99 map[string]time.Duration
}

// measure is one cell in one round.
type measure struct {
	rate float64
	cpu  time.Duration // of the server, for each request done
}

func (m measure) String() string {
	return fmt.Sprintf("%.0f req/s, %.1f µs CPU", m.rate, float64(m.cpu)/float64(time.Microsecond))
}

func newContender(name string, command []string) *contender {
	return &contender{name: name, command: command, bodies: map[string]string{}, measured: map[string][]measure{},
		median50: map[string]time.Duration{}, tail99: map[string]time.Duration{}}
}

// start times some starts on empty directories; the last one keeps running.
func (c *contender) start(ctx context.Context, p *plan) error {
	for i := range p.starts {
		c.stop()
		dir := filepath.Join(p.home, fmt.Sprintf("%s-%d", filepath.Base(c.name), i))
		if err := os.Mkdir(dir, 0o700); err != nil {
			return err
		}
		took, err := c.launch(ctx, p, dir)
		if err != nil {
			return err
		}
		c.ready = append(c.ready, took)
	}
	var err error
	if c.conn, err = process.Dial(c.server.Address()); err != nil {
		return err
	}
	c.kv = pb.NewKVClient(c.conn)
	return nil
}

// prepare weighs the idle server, and writes the request files and the keys that are read or guarded.
func (c *contender) prepare(ctx context.Context, p *plan) error {
	var err error
	if c.idle, _, err = c.memory(); err != nil {
		return err
	}
	for name, k := range kinds {
		body, err := k.body()
		if err != nil {
			return err
		}
		c.bodies[name] = filepath.Join(p.home, fmt.Sprintf("%s-%s.request", filepath.Base(c.name), name))
		if err := os.WriteFile(c.bodies[name], body, 0o600); err != nil {
			return err
		}
		if _, err := c.kv.Put(ctx, &pb.PutRequest{Key: []byte(k.key), Value: value()}); err != nil {
			return err
		}
	}
	return nil
}

// warmUp gives every cell its share of the time. A virtual machine needs this before it shows what it can do; the
// other server gets the same.
func (c *contender) warmUp(ctx context.Context, p *plan) error {
	share := max(p.warmup/time.Duration(len(p.cells)), 200*time.Millisecond)
	for _, cell := range p.cells {
		if _, err := c.measure(ctx, cell, share, ""); err != nil {
			return fmt.Errorf("%s: %w", cell.name, err)
		}
	}
	return nil
}

// measure drives one cell, and checks that what h2load took for successes were successes.
func (c *contender) measure(ctx context.Context, cell cell, length time.Duration, logFile string) (measure, error) {
	before, err := c.revision(ctx, cell)
	if err != nil {
		return measure{}, err
	}
	cpuBefore, err := c.cpu()
	if err != nil {
		return measure{}, err
	}
	load, err := c.drive(ctx, cell, length, logFile)
	if err != nil {
		return measure{}, err
	}
	cpuAfter, err := c.cpu()
	if err != nil {
		return measure{}, err
	}
	m := measure{rate: load.rate, cpu: (cpuAfter - cpuBefore) / time.Duration(load.done)}
	after, err := c.revision(ctx, cell)
	if err != nil {
		return m, err
	}
	return m, load.genuine(cell, after-before)
}

// genuine says what h2load cannot see. Each done write must have moved the revision by one, and what was in flight at
// the end may have. Each done read must have brought the key and its value.
func (r loadResult) genuine(c cell, moved int64) error {
	least, most := int64(0), int64(0)
	if c.writes {
		least, most = r.done, r.started
	}
	if moved < least || moved > most {
		return fmt.Errorf("%d requests were done and %d started, but the revision moved by %d", r.done, r.started, moved)
	}
	if each := r.answer / r.done; !c.writes && each < valueBytes+int64(len(c.key)) {
		return fmt.Errorf("an answer has %d bytes on average: too few to hold the value", each)
	}
	return nil
}

// revision is the revision of the store once it stands still: what h2load left in flight may still be on its way.
func (c *contender) revision(ctx context.Context, cell cell) (int64, error) {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	before, err := c.revisionNow(ctx, cell)
	for err == nil {
		time.Sleep(50 * time.Millisecond)
		var now int64
		now, err = c.revisionNow(ctx, cell)
		if now == before {
			return now, err
		}
		before = now
	}
	return 0, err
}

// revisionNow is the revision of the store now, by a linearizable read of the cell's key, which must be whole.
func (c *contender) revisionNow(ctx context.Context, cell cell) (int64, error) {
	answer, err := c.kv.Range(ctx, &pb.RangeRequest{Key: []byte(cell.key)})
	if err != nil {
		return 0, fmt.Errorf("read the revision: %w", err)
	}
	if len(answer.Kvs) != 1 || len(answer.Kvs[0].Value) != valueBytes {
		return 0, fmt.Errorf("the key of %s is not as it was written", cell.name)
	}
	return answer.Header.Revision, nil
}

// weigh notes the memory after all rounds.
func (c *contender) weigh() (err error) {
	c.after, c.peak, err = c.memory()
	if err == nil && c.after == 0 {
		err = errors.New("the kernel tells no size")
	}
	return err
}

// measureLatency drives a cell once more for its percentiles.
func (c *contender) measureLatency(ctx context.Context, cell cell, p *plan) error {
	logFile := filepath.Join(p.home, "requests.log")
	_, err := c.measure(ctx, cell, p.length, logFile)
	logs, _ := filepath.Glob(logFile + "*") // one for each member that was asked
	if err == nil {
		c.median50[cell.name], c.tail99[cell.name], err = latencies(logs)
	}
	for _, log := range logs {
		os.Remove(log)
	}
	return err
}
