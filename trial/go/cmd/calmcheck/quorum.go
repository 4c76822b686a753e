package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	pb "go.etcd.io/etcd/api/v3/etcdserverpb"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"quoin.dev/trial/internal/cluster"
)

const (
	quorumKey = "quorum"
	recovery  = 10 * time.Second // an election, and some patience of the machine
	// The server's own patience is 5 s and two election timeouts; a client must wait longer to read its words.
	refusalPatience = 15 * time.Second
)

// lostQuorum is what etcd answers to a write for which there is no majority, always with Unavailable.
var lostQuorum = []string{
	"etcdserver: request timed out",
	"etcdserver: request timed out, possibly due to previous leader failure",
	"etcdserver: request timed out, possibly due to connection lost",
}

// quorum kills members up to the most that a cluster survives, one more, and brings that one back.
func (t *trial) quorum(c *cluster.Cluster) {
	size := len(c.Members)
	survivable := (size - 1) / 2
	leader, _, err := c.Consensus(t.ctx)
	if !t.counts.Check(fmt.Sprintf("%d members: there is a leader", size), err) {
		return
	}
	order := slices.Clone(c.Members) // the leader dies first
	slices.SortStableFunc(order, func(a, b *cluster.Member) int {
		switch {
		case a == leader:
			return -1
		case b == leader:
			return 1
		}
		return 0
	})
	dead, last, living := order[:survivable], order[survivable], order[survivable+1:]
	if err := t.write(leader, "whole"); !t.counts.Check(fmt.Sprintf("%d members: write", size), err) {
		return
	}
	for _, m := range dead {
		t.counts.Check(fmt.Sprintf("%d members: kill %s", size, m.Name), m.Kill())
	}
	for _, m := range append(slices.Clone(living), last) {
		what := fmt.Sprintf("%d members, %d dead: %s serves writes and reads", size, len(dead), m.Name)
		t.counts.Check(what, t.serves(m, fmt.Sprint("minority dead, by ", m.Name)))
	}
	const before = "before the majority was lost"
	t.counts.Check(fmt.Sprintf("%d members, %d dead: write", size, len(dead)), t.write(last, before))
	for _, m := range living {
		t.counts.Check(fmt.Sprintf("%d members: %s has it", size, m.Name), t.reads(m, before, false))
	}
	t.counts.Check(fmt.Sprintf("%d members: kill %s", size, last.Name), last.Kill())
	t.withoutMajority(living, size, before)
	back := dead[0]
	took, err := back.Start(t.ctx, t.ready) // the process has to start, too, which is not what is judged here
	if !t.counts.Check(fmt.Sprintf("%d members: %s returns, and after %.1fs knows a leader", size, back.Name, took.Seconds()), err) {
		return
	}
	for _, m := range append(slices.Clone(living), back) {
		what := fmt.Sprintf("%d members, a majority again: %s serves by itself", size, m.Name)
		t.counts.Check(what, t.serves(m, fmt.Sprint("majority again, by ", m.Name)))
	}
}

// withoutMajority demands that writes and linearizable reads are refused in etcd's words, and serializable reads answered.
func (t *trial) withoutMajority(living []*cluster.Member, size int, value string) {
	refusals := make([]error, 2*len(living))
	var asking sync.WaitGroup
	for i, m := range living {
		asking.Go(func() {
			ctx, cancel := context.WithTimeout(t.ctx, refusalPatience)
			defer cancel()
			_, refusals[2*i] = m.KV.Put(ctx, &pb.PutRequest{Key: []byte(quorumKey), Value: []byte("never acknowledged")})
		})
		asking.Go(func() {
			ctx, cancel := context.WithTimeout(t.ctx, refusalPatience)
			defer cancel()
			_, refusals[2*i+1] = m.KV.Range(ctx, &pb.RangeRequest{Key: []byte(quorumKey)})
		})
	}
	for _, m := range living {
		t.counts.Check(fmt.Sprintf("%d members, no majority: %s answers serializable reads", size, m.Name), t.reads(m, value, true))
	}
	asking.Wait()
	for i, err := range refusals {
		m, what := living[i/2], [2]string{"a write", "a linearizable read"}[i%2]
		s := status.Convert(err)
		check := fmt.Sprintf("%d members, no majority: %s refuses %s: %v %q", size, m.Name, what, s.Code(), s.Message())
		switch {
		case err == nil:
			t.counts.Check(check, errors.New("it was answered"))
		case s.Code() != codes.Unavailable || !slices.Contains(lostQuorum, s.Message()):
			t.counts.Check(check, fmt.Errorf("etcd says Unavailable and one of %q", lostQuorum))
		default:
			t.counts.Check(check, nil)
		}
	}
}

func (t *trial) write(m *cluster.Member, value string) error {
	ctx, cancel := context.WithTimeout(t.ctx, recovery)
	defer cancel()
	_, err := m.KV.Put(ctx, &pb.PutRequest{Key: []byte(quorumKey), Value: []byte(value)})
	return err
}

// serves demands that a member takes a write and reads it back, soon.
func (t *trial) serves(m *cluster.Member, value string) error {
	deadline := time.Now().Add(recovery)
	for {
		ctx, cancel := context.WithTimeout(t.ctx, 2*time.Second)
		_, err := m.KV.Put(ctx, &pb.PutRequest{Key: []byte(quorumKey), Value: []byte(value)})
		cancel()
		if err == nil {
			return t.reads(m, value, false)
		}
		if time.Now().After(deadline) || t.ctx.Err() != nil {
			return fmt.Errorf("not within %v: %w", recovery, err)
		}
		time.Sleep(50 * time.Millisecond)
	}
}

// reads demands a value, within a second.
func (t *trial) reads(m *cluster.Member, value string, serializable bool) error {
	ctx, cancel := context.WithTimeout(t.ctx, time.Second)
	defer cancel()
	answer, err := m.KV.Range(ctx, &pb.RangeRequest{Key: []byte(quorumKey), Serializable: serializable})
	if err != nil {
		return err
	}
	if len(answer.Kvs) != 1 || string(answer.Kvs[0].Value) != value {
		return fmt.Errorf("it answered %v, not %q", answer.Kvs, value)
	}
	return nil
}
