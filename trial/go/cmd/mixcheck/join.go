package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"

	pb "go.etcd.io/etcd/api/v3/etcdserverpb"

	"quoin.dev/trial/internal/cluster"
)

// shortLog are flags with which a log is soon too short for a member that was away.
var shortLog = []string{"--snapshot-count", "100", "--snapshot-catchup-entries", "50"}

// sent are words of both kinds of members about a state that has come.
const sent = "received and saved database snapshot"

// join lets a member of each kind join a cluster of one of the other, and then a second one of the first kind, whose promotion has
// to be passed on to the leader.
func (t *trial) join(ctx context.Context) error {
	for _, first := range t.kinds() {
		other := t.other(first)
		m, err := t.start(ctx, other.name+" joins "+first.name, []*kind{first}, cluster.Straight, nil, shortLog...)
		if err != nil {
			return err
		}
		if err := m.whole(ctx); err != nil {
			return err
		}
		if first == t.quoin && t.downgrade != "" {
			err = errors.Join(m.awaitVersion(ctx, "3.7.0"), m.announce(ctx, m.Members[0], t.downgrade))
		}
		if err == nil {
			err = m.grow(ctx, other, first)
		}
		if err := m.close(ctx, err); err != nil {
			return err
		}
	}
	return nil
}

func (m *mixed) grow(ctx context.Context, joining ...*kind) error {
	for i, k := range joining {
		if err := m.fill(ctx, m.Members[0]); err != nil {
			return err
		}
		joined, err := m.admit(ctx, k, shortLog...)
		if err != nil {
			return err
		}
		if log, err := joined.LogFrom(0); err != nil || !strings.Contains(log, sent) {
			return fmt.Errorf("%s was not sent a state: %w", m.called(joined), err)
		}
		if err := m.agree(ctx); err != nil {
			return fmt.Errorf("after %s has joined: %w", m.called(joined), err)
		}
		if i == 0 {
			if err := m.lead(ctx, joined); err != nil {
				return err
			}
		}
	}
	// It goes on without the first one.
	leaver := m.Members[0]
	if err := m.lead(ctx, m.Members[2]); err != nil {
		return err
	}
	return m.dismiss(ctx, leaver)
}

// fill writes more than a short log holds.
func (m *mixed) fill(ctx context.Context, at *cluster.Member) error {
	const writers, each = 20, 25
	errs := make([]error, writers)
	var writing sync.WaitGroup
	for i := range writers {
		writing.Go(func() {
			for n := 0; n < each && errs[i] == nil; n++ {
				_, errs[i] = at.KV.Put(ctx, &pb.PutRequest{Key: fmt.Appendf(nil, "fill/%d/%d", i, n%10), Value: make([]byte, 100)})
			}
		})
	}
	writing.Wait()
	for _, err := range errs {
		if err != nil {
			return fmt.Errorf("fill: %w", err)
		}
	}
	return nil
}

// admit adds a member as a learner, starts it, and promotes it, by whomever it is asked of.
func (m *mixed) admit(ctx context.Context, k *kind, flags ...string) (*cluster.Member, error) {
	var id uint64
	joined, err := m.JoinAs(slices.Concat(k.command, flags), func(peerURL string) (all []*pb.Member, err error) {
		err = m.retry(ctx, "add a learner", func(ctx context.Context) error {
			answer, err := pb.NewClusterClient(m.any().Conn).MemberAdd(m.asRoot(ctx), &pb.MemberAddRequest{PeerURLs: []string{peerURL}, IsLearner: true})
			if err == nil {
				id, all = answer.Member.ID, answer.Members
				return nil
			}
			if there := m.find(ctx, func(one *pb.Member) bool { return slices.Contains(one.PeerURLs, peerURL) }); there != nil {
				id, all = there.one.ID, there.all // an attempt before has done it after all
				return nil
			}
			return err
		})
		return all, err
	})
	if err != nil {
		return nil, err
	}
	m.kinds[joined] = k
	if err := m.endDowngrade(ctx); err != nil {
		return nil, err
	}
	if err := joined.Spawn(); err != nil {
		return nil, err
	}
	settled := m.Members[:len(m.Members)-1]
	err = m.retry(ctx, "promote "+m.called(joined), func(ctx context.Context) error {
		if joined.Exited() {
			return fmt.Errorf("it has ended; its log ends:\n%s", joined.LogTail())
		}
		// Not the leader, where there is a choice: the promotion has to be passed on.
		asked := settled[0]
		if leader, _, err := m.leader(ctx); err == nil && leader == asked && len(settled) > 1 {
			asked = settled[1]
		}
		_, err := pb.NewClusterClient(asked.Conn).MemberPromote(m.asRoot(ctx), &pb.MemberPromoteRequest{ID: id})
		if err != nil && strings.Contains(err.Error(), "can only promote a learner member") && !strings.Contains(err.Error(), "in sync") {
			return nil // an attempt before has done it after all
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	m.t.out("%s: %s has joined and is promoted", m.name, m.called(joined))
	return joined, m.settle(ctx)
}

// leader is whom any of the members that answer takes for it.
func (m *mixed) leader(ctx context.Context) (*cluster.Member, uint64, error) {
	var last error
	ctx = m.asRoot(ctx)
	for _, one := range m.Members {
		view, err := one.Ask(ctx)
		if err != nil {
			last = err
			continue
		}
		one.ID = view.ID
		for _, other := range m.Members {
			if other.ID == view.Leader {
				return other, view.Term, nil
			}
		}
	}
	return nil, 0, fmt.Errorf("nobody knows a leader: %w", last)
}

func (m *mixed) any() *cluster.Member {
	m.turn++
	return m.Members[m.turn%len(m.Members)]
}

// listed is a member in a list of all.
type listed struct {
	one *pb.Member
	all []*pb.Member
}

func (m *mixed) find(ctx context.Context, which func(*pb.Member) bool) *listed {
	answer, err := pb.NewClusterClient(m.any().Conn).MemberList(m.asRoot(ctx), &pb.MemberListRequest{Linearizable: true})
	if err != nil {
		return nil
	}
	if at := slices.IndexFunc(answer.Members, which); at >= 0 {
		return &listed{answer.Members[at], answer.Members}
	}
	return nil
}

// dismiss removes a member from the cluster, asked of another one, and ends its process.
func (m *mixed) dismiss(ctx context.Context, leaver *cluster.Member) error {
	rest := m.rest(leaver)
	err := m.retry(ctx, "remove "+m.called(leaver), func(ctx context.Context) error {
		m.turn++
		_, err := pb.NewClusterClient(rest[m.turn%len(rest)].Conn).MemberRemove(m.asRoot(ctx), &pb.MemberRemoveRequest{ID: leaver.ID})
		if err != nil && strings.Contains(err.Error(), "member not found") {
			return nil // an attempt before has done it after all
		}
		return err
	})
	if err != nil {
		return err
	}
	// It is told so, and ends by itself: with 0, and not by a panic. Who was not told, being cut off from the others by then, goes on.
	end, err := leaver.AwaitExit(m.t.ready)
	if err != nil {
		m.t.out("%s: %s was removed, and has not been told: %v", m.name, m.called(leaver), err)
	} else if end != nil {
		return fmt.Errorf("%s was removed, and has ended so: %w; its log ends:\n%s", m.called(leaver), end, leaver.LogTail())
	}
	m.gone = append(m.gone, leaver)
	if err := m.Forget(leaver); err != nil {
		return err
	}
	m.t.out("%s: %s is removed", m.name, m.called(leaver))
	return m.settle(ctx)
}

// lag lets a follower of each kind be away for longer than the log reaches, while a member of the other kind leads.
func (t *trial) lag(ctx context.Context) error {
	for _, mix := range t.mixes() {
		m, err := t.start(ctx, names(mix), mix, cluster.Straight, nil, shortLog...)
		if err != nil {
			return err
		}
		if err := m.whole(ctx); err != nil {
			return err
		}
		err = nil
		for _, leading := range t.kinds() {
			if err == nil {
				err = m.letLag(ctx, m.of(leading)[0], m.of(t.other(leading))[0])
			}
		}
		if err := m.close(ctx, err); err != nil {
			return err
		}
	}
	return nil
}

func (m *mixed) letLag(ctx context.Context, leader, away *cluster.Member) error {
	if err := m.lead(ctx, leader); err != nil {
		return err
	}
	from := away.LogSize()
	if err := away.Kill(); err != nil {
		return err
	}
	if err := m.fill(ctx, leader); err != nil {
		return err
	}
	if m.kinds[leader] == m.t.quoin {
		// A Quoin keeps 64 MiB for members that lag, however many entries that is.
		for range 70 {
			if _, err := leader.KV.Put(ctx, &pb.PutRequest{Key: []byte("large"), Value: make([]byte, 1<<20)}); err != nil {
				return err
			}
		}
	}
	if err := away.Spawn(); err != nil {
		return err
	}
	if err := m.settle(ctx); err != nil {
		return err
	}
	if log, err := away.LogFrom(from); err != nil || !strings.Contains(log, sent) {
		return fmt.Errorf("%s, led by %s, was not sent a state (%v); its log ends:\n%s", m.called(away), m.called(leader), err, away.LogTail())
	}
	m.t.out("%s: %s was sent a state by %s", m.name, m.called(away), m.called(leader))
	return m.agree(ctx)
}
