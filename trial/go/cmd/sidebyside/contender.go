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
	"google.golang.org/grpc/metadata"

	"quoin.dev/trial/internal/cluster"
	"quoin.dev/trial/internal/load"
	"quoin.dev/trial/internal/process"
	"quoin.dev/trial/internal/wire"
)

// admitMax bounds how long a server may take to answer the first words of a hundred connections.
const admitMax = 20 * time.Second

// contender is one of the two systems. It runs while it has its turn, on fresh data.
type contender struct {
	name    string
	command []string
	gate

	dir     string
	members []*process.Server // the first one leads
	conn    *grpc.ClientConn  // to the first
	kv      pb.KVClient
	tokens  []string
	made    []int64 // revisions of the keys of guarded updates
}

// start starts as many members on a fresh directory, and returns the time until they were ready.
func (c *contender) start(ctx context.Context, p *plan, members int) (time.Duration, error) {
	var err error
	if c.dir, err = os.MkdirTemp(p.home, filepath.Base(c.name)+"-"); err != nil {
		return 0, err
	}
	took, err := c.launch(ctx, p, members)
	if err != nil {
		return took, err
	}
	if c.conn, err = process.Dial(c.members[0].Address(), c.members[0].Dialling...); err != nil {
		return took, err
	}
	c.kv = pb.NewKVClient(c.conn)
	if c.control {
		err = c.enroll(ctx)
	}
	return took, err
}

func (c *contender) launch(ctx context.Context, p *plan, members int) (time.Duration, error) {
	if members == 1 {
		server, err := c.alone()
		if err != nil {
			return 0, err
		}
		c.members = []*process.Server{server}
		return server.Start(ctx, p.ready)
	}
	whole, err := cluster.New(c.command, c.dir, members, cluster.Straight)
	if err != nil {
		return 0, err
	}
	for _, m := range whole.Members {
		c.members = append(c.members, m.Server)
		defer m.Conn.Close()
	}
	began := time.Now()
	if err := whole.Start(ctx, p.ready); err != nil {
		return 0, err
	}
	took := time.Since(began)
	leader, _, err := whole.Consensus(ctx)
	if err != nil {
		return took, err
	}
	for i, m := range c.members {
		if m == leader.Server {
			c.members[0], c.members[i] = c.members[i], c.members[0]
		}
	}
	return took, nil
}

// stop ends what runs, and removes its data.
func (c *contender) stop() error {
	var errs []error
	if c.conn != nil {
		errs = append(errs, c.conn.Close())
	}
	for _, m := range c.members {
		errs = append(errs, m.Kill())
	}
	errs = append(errs, os.RemoveAll(c.dir))
	c.members, c.conn, c.tokens = nil, nil, nil
	return errors.Join(errs...)
}

// ended says which member has ended by itself.
func (c *contender) ended() error {
	for _, m := range c.members {
		if m.Exited() {
			return fmt.Errorf("%s of %s has ended by itself; its log ends:\n%s", m.Name, c.name, m.LogTail())
		}
	}
	return nil
}

// cpu is the processor time of all members.
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

// memory is the resident set of all members in bytes, now and at its highest.
func (c *contender) memory() (now, peak int64, err error) {
	for _, m := range c.members {
		nowOne, peakOne, errOne := m.Memory()
		now, peak, err = now+nowOne, peak+peakOne, errors.Join(err, errOne)
	}
	return now, peak, err
}

func (c *contender) resetPeak() error {
	var errs []error
	for _, m := range c.members {
		errs = append(errs, m.ResetPeak())
	}
	return errors.Join(errs...)
}

// asked are the members that a cell asks.
func (c *contender) asked(at string) []*process.Server {
	switch {
	case at == "leader" || len(c.members) == 1:
		return c.members[:1]
	case at == "follower":
		return c.members[1:2]
	default:
		return c.members
	}
}

// dial opens connections, to the members in turns.
func (c *contender) dial(loop *wire.Loop, members []*process.Server, connections int, options wire.Options) ([]*wire.Conn, error) {
	var conns []*wire.Conn
	options.TLS = c.shown
	for i := range connections {
		if len(c.tokens) > 0 {
			options.Token = c.tokens[i%len(c.tokens)]
		}
		conn, err := loop.Dial(members[i%len(members)].Address(), options)
		if err != nil {
			return nil, err
		}
		conns = append(conns, conn)
		// Not all at once: a server may bound how many connections of one client have not yet said anything.
		if i%100 == 99 {
			if err := loop.Await(conns[i-99:], admitMax); err != nil {
				return nil, err
			}
		}
	}
	return conns, loop.Await(conns, admitMax)
}

// revision is the revision of the store, by a linearizable read.
func (c *contender) revision(ctx context.Context) (int64, error) {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	if len(c.tokens) > 0 {
		ctx = metadata.AppendToOutgoingContext(ctx, "token", c.tokens[0])
	}
	answer, err := c.kv.Range(ctx, &pb.RangeRequest{Key: []byte("revision"), CountOnly: true})
	if err != nil {
		return 0, fmt.Errorf("read the revision: %w", err)
	}
	return answer.Header.Revision, nil
}

// drive puts the members under one load, and checks every answer, and that what was acknowledged has happened: each write
// moved the revision by one, and nothing else did. The result comes with the members' processor time.
func (c *contender) drive(ctx context.Context, run load.Run, connections int, at string, writes bool) (load.Result, time.Duration, error) {
	loop, err := wire.NewLoop()
	if err != nil {
		return load.Result{}, 0, err
	}
	defer loop.Close()
	members := c.asked(at)
	// Where there are fewer connections than members, each member is asked in turns.
	if run.Conns, err = c.dial(loop, members, max(connections, len(members)), wire.Options{}); err != nil {
		return load.Result{}, 0, err
	}
	before, err := c.revision(ctx)
	if err != nil {
		return load.Result{}, 0, err
	}
	var cpu []time.Duration
	run.Edge = func() error {
		used, err := c.cpu()
		cpu = append(cpu, used)
		return err
	}
	result, err := run.Perform(loop)
	if err != nil {
		return result, 0, err
	}
	after, err := c.revision(ctx)
	if err != nil {
		return result, 0, err
	}
	if moved := after - before; writes && moved != result.Done || !writes && moved != 0 {
		return result, 0, fmt.Errorf("%d requests were acknowledged, but the revision moved by %d", result.Done, moved)
	}
	return result, cpu[1] - cpu[0], nil
}

// fill writes the keys that are read, and those that guarded updates begin with.
func (c *contender) fill(ctx context.Context) error {
	c.made = make([]int64, openSlots)
	for _, work := range []struct {
		load.Work
		keys int
	}{
		{newPuts('k', keysCount), keysCount},
		{&guards{newPuts('g', openSlots), c.made}, openSlots},
	} {
		run := load.Run{Work: work.Work, Slots: 100, Total: work.keys}
		if _, _, err := c.drive(ctx, run, 10, "", true); err != nil {
			return err
		}
	}
	return nil
}

// workOf makes the requests of a cell.
func (c *contender) workOf(k kind) load.Work {
	if k.work == nil {
		return newUpdates(c.made)
	}
	return k.work()
}
