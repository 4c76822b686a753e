package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"
	pb "go.etcd.io/etcd/api/v3/etcdserverpb"
	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"

	"quoin.dev/trial/internal/load"
	"quoin.dev/trial/internal/wire"
)

// keepers keep leases alive: each stream asks anew as soon as it is answered.
type keepers struct {
	streams []keeper
	from    int64 // what is measured
	until   int64
	done    int64
	waits   *hdrhistogram.Histogram
	open    int
	err     error
}

type keeper struct {
	wire.Stream
	lease   int64
	request []byte
}

// Message takes an answer, and asks again.
func (k *keepers) Message(s *wire.Stream, message []byte, now int64) {
	keeper := &k.streams[s.Slot]
	var id, ttl int64
	err := walk(message, func(field protowire.Number, number uint64, _ []byte) error {
		switch field {
		case 2:
			id = int64(number)
		case 3:
			ttl = int64(number)
		}
		return nil
	})
	if err == nil && (id != keeper.lease || ttl <= 0) {
		err = fmt.Errorf("the answer to a keep-alive of lease %x is lease %x with %d s", keeper.lease, id, ttl)
	}
	if now >= k.from && now < k.until {
		k.done++
		err = errors.Join(err, k.waits.RecordValue(max(1, now-s.Due)))
	}
	k.failed(err)
	if now < k.until {
		s.Due = now
		s.Send(keeper.request, false)
		return
	}
	k.open--
}

// End comes only when something is wrong: the streams end with their connections.
func (k *keepers) End(_ *wire.Stream, err error, _ int64) {
	k.failed(fmt.Errorf("a keep-alive stream has ended: %w", err))
}

// failed notes the first error.
func (k *keepers) failed(err error) {
	if k.err == nil {
		k.err = err
	}
}

// leaseTurn has a hundred streams that keep a lease alive each.
func (p *plan) leaseTurn(ctx context.Context, c *contender, row func(string) note) error {
	const connections, streams = 10, 100
	k := &keepers{streams: make([]keeper, streams), waits: load.NewWaits(), open: streams}
	for i := range k.streams {
		granted, err := pb.NewLeaseClient(c.conn).LeaseGrant(ctx, &pb.LeaseGrantRequest{TTL: 600})
		if err != nil {
			return fmt.Errorf("grant: %w", err)
		}
		s := &k.streams[i]
		s.Handler, s.Slot, s.lease = k, i, granted.ID
		if s.request, err = proto.Marshal(&pb.LeaseKeepAliveRequest{ID: granted.ID}); err != nil {
			return err
		}
	}
	loop, err := wire.NewLoop()
	if err != nil {
		return err
	}
	defer loop.Close()
	conns, err := c.dial(loop, c.asked(""), connections, wire.Options{})
	if err != nil {
		return err
	}
	k.from = loop.Now() + int64(p.warmup/2)
	k.until = k.from + int64(p.length)
	for i := range k.streams {
		s := &k.streams[i]
		s.Due = loop.Now()
		if err := conns[i%connections].Open(&s.Stream, "/etcdserverpb.Lease/LeaseKeepAlive"); err != nil {
			return err
		}
		s.Send(s.request, false)
	}
	cpu, err := p.driveKeepers(loop, c, k)
	if err != nil {
		return err
	}
	to := row(fmt.Sprintf("%d streams, each keeps a lease alive, one request after the other", streams))
	to.add(perSecond, float64(k.done)/p.length.Seconds())
	to.waits(k.waits)
	to.add(serverCPU, micros(cpu.servers)/float64(k.done))
	to.add(clientCPU, micros(cpu.ours)/float64(k.done))
	to.add(clientBusy, cpu.ours.Seconds()/p.length.Seconds())
	return nil
}

// used is processor time.
type used struct{ servers, ours time.Duration }

// driveKeepers lets them ask until their time is over, and returns what was used while it was measured.
func (p *plan) driveKeepers(loop *wire.Loop, c *contender, k *keepers) (used, error) {
	var sum used
	edge := func(at int64, sign time.Duration) error {
		for loop.Now() < at || sign > 0 && k.open > 0 {
			until := at
			if over := loop.Now() - at; over > int64(silenceMax) {
				return fmt.Errorf("%d keep-alives have no answer after %v", k.open, silenceMax)
			} else if over >= 0 {
				until = loop.Now() + int64(100*time.Millisecond)
			}
			if err := errors.Join(loop.Turn(until), k.err); err != nil {
				return err
			}
		}
		servers, err := c.cpu()
		sum.servers += sign * servers
		sum.ours += sign * loop.CPU()
		return err
	}
	err := errors.Join(edge(k.from, -1), edge(k.until, 1))
	if err == nil && k.done == 0 {
		err = errors.New("no keep-alive was answered")
	}
	return sum, err
}
