package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	pb "go.etcd.io/etcd/api/v3/etcdserverpb"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"quoin.dev/trial/internal/cluster"
	"quoin.dev/trial/internal/proxy"
)

// kill ends leaders of both kinds under load.
func (t *trial) kill(ctx context.Context) error {
	return t.underLoad(ctx, nil, func(m *mixed, leading *kind) error {
		leader, err := m.leads(ctx, leading)
		if err != nil {
			return err
		}
		if err := leader.Kill(); err != nil {
			return err
		}
		m.t.out("%s: %s, the leader, is killed", m.name, m.called(leader))
		time.Sleep(t.length)
		return m.spawn(leader)
	})
}

// leads is the leader, which is of this kind: made so again if another one has been elected meanwhile.
func (m *mixed) leads(ctx context.Context, k *kind) (*cluster.Member, error) {
	leader, _, err := m.leader(ctx)
	if err == nil && m.kinds[leader] == k {
		return leader, nil
	}
	heir := m.of(k)[0]
	return heir, m.lead(ctx, heir)
}

// cut lets nothing pass between members of different kinds.
func (t *trial) cut(ctx context.Context) error {
	return t.underLoad(ctx, nil, func(m *mixed, leading *kind) error {
		var links []proxy.Link
		for _, one := range m.of(t.etcd) {
			for _, other := range m.of(t.quoin) {
				links = append(links, proxy.Link{From: one.Name, To: other.Name}, proxy.Link{From: other.Name, To: one.Name})
			}
		}
		for _, reset := range []bool{false, true} {
			m.t.out("%s: led by %s, the kinds are cut off from each other", m.name, leading.name)
			m.mesh.Cut(links...)
			err := m.divided(ctx)
			time.Sleep(t.length)
			m.mesh.Heal(reset)
			if err != nil {
				return err
			}
			if err := m.settle(ctx); err != nil {
				return err
			}
		}
		return nil
	})
}

// divided waits until the kind that is the majority has a leader of its own, and asks one of the other for a read, in vain: else nothing
// was cut.
func (m *mixed) divided(ctx context.Context) error {
	many, alone := m.of(m.t.etcd), m.of(m.t.quoin)
	if len(many) < len(alone) {
		many, alone = alone, many
	}
	err := m.retry(ctx, "a leader of the majority", func(ctx context.Context) error {
		view, err := many[0].Ask(ctx)
		if err != nil {
			return err
		}
		if !slices.ContainsFunc(many, func(one *cluster.Member) bool { return one.ID == view.Leader }) {
			return fmt.Errorf("%s takes %x for the leader", m.called(many[0]), view.Leader)
		}
		return nil
	})
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, time.Second)
	defer cancel()
	if _, err := alone[0].KV.Range(ctx, &pb.RangeRequest{Key: []byte("x")}); err == nil {
		return fmt.Errorf("%s answers a read though it is cut off", m.called(alone[0]))
	}
	return nil
}

// underLoad does harm to each mix of members, led by each kind.
func (t *trial) underLoad(ctx context.Context, flags []string, harm func(m *mixed, leading *kind) error) error {
	for _, mix := range t.mixes() {
		mesh := proxy.New()
		defer mesh.Close()
		m, err := t.start(ctx, names(mix), mix, mesh.Listen, nil, flags...)
		if err != nil {
			return err
		}
		m.mesh = mesh
		for _, one := range m.Members {
			if err := m.spawn(one); err != nil {
				return errors.Join(err, m.Kill())
			}
		}
		if err := m.AwaitReady(ctx, t.ready); err != nil {
			return errors.Join(err, m.Kill())
		}
		if err := m.close(ctx, m.loaded(ctx, func() error {
			for _, leading := range t.kinds() {
				if err := m.lead(ctx, m.of(leading)[0]); err != nil {
					return err
				}
				time.Sleep(t.length)
				if err := harm(m, leading); err != nil {
					return err
				}
				if err := m.settle(ctx); err != nil {
					return err
				}
				time.Sleep(t.length)
			}
			return nil
		})); err != nil {
			return err
		}
	}
	return nil
}

// compare lets members of both kinds compare what they hold, in etcd's three ways, while they lead and when they start.
func (t *trial) compare(ctx context.Context) error {
	flags := []string{"--corrupt-check-time", "1s", "--compact-hash-check-time", "1s", "--feature-gates", "InitialCorruptCheck=true,CompactHashCheck=true"}
	return t.underLoad(ctx, flags, func(m *mixed, leading *kind) error {
		leader := m.of(leading)[0]
		from := leader.LogSize()
		err := m.retry(ctx, "all kinds of comparisons by "+m.called(leader), func(ctx context.Context) error {
			now, err := leader.KV.Put(ctx, &pb.PutRequest{Key: []byte("x")})
			if err != nil {
				return err
			}
			if _, err := leader.KV.Compact(ctx, &pb.CompactionRequest{Revision: now.Header.Revision - 1}); err != nil {
				return err
			}
			time.Sleep(2 * time.Second)
			return told(leader, from, "finished peer corruption check", "successfully checked hash on whole cluster")
		})
		if err != nil {
			return err
		}
		follower := m.of(t.other(leading))[0]
		from = follower.LogSize()
		if err := errors.Join(follower.Kill(), m.spawn(follower), m.settle(ctx)); err != nil {
			return err
		}
		m.t.out("%s: led by %s, compared what is there and what compactions have left, and what %s had when it started", m.name, leading.name, m.called(follower))
		return told(follower, from, "initial corruption checking passed; no corruption")
	})
}

// told says whether a member's log has all these words since then.
func told(one *cluster.Member, from int64, words ...string) error {
	log, err := one.LogFrom(from)
	for _, what := range words {
		if err == nil && !strings.Contains(log, what) {
			err = fmt.Errorf("the log of %s does not say: %s", one.Name, what)
		}
	}
	return err
}

// spawn starts a member whose socket the proxies will know.
func (m *mixed) spawn(one *cluster.Member) error {
	if err := one.Spawn(); err != nil {
		return err
	}
	if m.mesh != nil {
		m.mesh.Know(one.PID(), one.Name)
	}
	return nil
}

// loaded does something while clients work, who must notice nothing but that some requests are not answered.
func (m *mixed) loaded(ctx context.Context, what func() error) error {
	l, err := m.work(ctx, nil)
	if err != nil {
		return err
	}
	return errors.Join(what(), l.finish(ctx, m))
}

// space lets the store of one member become full, of each kind.
func (t *trial) space(ctx context.Context) error {
	for _, k := range t.kinds() {
		// One member alone has a quota that is soon used up.
		small := &kind{k.name, slices.Concat(k.command, []string{"--quota-backend-bytes", "4000000"})}
		mix := []*kind{small, t.other(k), t.other(k)}
		m, err := t.start(ctx, names(mix), mix, cluster.Straight, nil)
		if err != nil {
			return err
		}
		if err := m.whole(ctx); err != nil {
			return err
		}
		if err := m.close(ctx, m.fillUp(ctx, m.Members[0])); err != nil {
			return err
		}
	}
	return nil
}

func (m *mixed) fillUp(ctx context.Context, full *cluster.Member) error {
	writer := m.Members[1]
	var err error
	for n := 0; n < 200 && err == nil; n++ {
		_, err = writer.KV.Put(ctx, &pb.PutRequest{Key: fmt.Appendf(nil, "fill/%d", n), Value: make([]byte, 100_000)})
	}
	if status.Code(err) != codes.ResourceExhausted {
		return fmt.Errorf("writes at %s never were too much for %s: %v", m.called(writer), m.called(full), err)
	}
	m.t.out("%s: %s is full: %v", m.name, m.called(full), err)
	for _, one := range m.Members {
		alarms, err := one.Maintenance.Alarm(ctx, &pb.AlarmRequest{})
		if err != nil || len(alarms.Alarms) != 1 || alarms.Alarms[0].MemberID != full.ID || alarms.Alarms[0].Alarm != pb.AlarmType_NOSPACE {
			return errors.Join(err, fmt.Errorf("%s knows the alarms %v", m.called(one), alarms.GetAlarms()))
		}
		if _, err := one.KV.Put(ctx, &pb.PutRequest{Key: []byte("x")}); status.Code(err) != codes.ResourceExhausted {
			return fmt.Errorf("a put at %s: %v", m.called(one), err)
		}
	}
	deleted, err := writer.KV.DeleteRange(ctx, &pb.DeleteRangeRequest{Key: []byte("fill/"), RangeEnd: []byte("fill0")})
	if err != nil {
		return err
	}
	if _, err := writer.KV.Compact(ctx, &pb.CompactionRequest{Revision: deleted.Header.Revision, Physical: true}); err != nil {
		return err
	}
	for _, one := range m.Members {
		if _, err := one.Maintenance.Defragment(ctx, &pb.DefragmentRequest{}); err != nil {
			return err
		}
	}
	off := &pb.AlarmRequest{Action: pb.AlarmRequest_DEACTIVATE, MemberID: full.ID, Alarm: pb.AlarmType_NOSPACE}
	if _, err := m.Members[2].Maintenance.Alarm(ctx, off); err != nil {
		return err
	}
	for _, one := range m.Members {
		if _, err := one.KV.Put(ctx, &pb.PutRequest{Key: []byte("x")}); err != nil {
			return fmt.Errorf("a put at %s after the alarm: %w", m.called(one), err)
		}
	}
	return nil
}

// version lets the version of the cluster go down and up again, asked of each member, led by each kind. Where there is an etcd 3.6 it
// is 3.6, and stays so.
func (t *trial) version(ctx context.Context) error {
	for _, mix := range t.mixes() {
		m, err := t.start(ctx, names(mix), mix, cluster.Straight, nil)
		if err != nil {
			return err
		}
		if err := m.whole(ctx); err != nil {
			return err
		}
		if err := m.close(ctx, m.goDown(ctx)); err != nil {
			return err
		}
	}
	return nil
}

func (m *mixed) goDown(ctx context.Context) error {
	old := t36(m.t.downgrade)
	for _, leading := range m.t.kinds() {
		if err := m.lead(ctx, m.of(leading)[0]); err != nil {
			return err
		}
		if old {
			if err := m.awaitVersion(ctx, "3.6.0"); err != nil {
				return err
			}
			continue
		}
		if err := m.awaitVersion(ctx, "3.7.0"); err != nil {
			return err
		}
		for _, asked := range []*cluster.Member{m.of(leading)[0], m.of(m.t.other(leading))[0]} {
			if err := m.announce(ctx, asked, "3.6.0"); err != nil {
				return err
			}
			if err := m.endDowngrade(ctx); err != nil {
				return err
			}
			if err := m.awaitVersion(ctx, "3.7.0"); err != nil {
				return err
			}
		}
	}
	return nil
}

func t36(downgrade string) bool { return strings.HasPrefix(downgrade, "3.6") }

// announce announces a downgrade, and waits until all members have come to it.
func (m *mixed) announce(ctx context.Context, asked *cluster.Member, target string) error {
	err := m.retry(ctx, "announce a downgrade at "+m.called(asked), func(ctx context.Context) error {
		_, err := asked.Maintenance.Downgrade(m.asRoot(ctx), &pb.DowngradeRequest{Action: pb.DowngradeRequest_ENABLE, Version: target})
		if err != nil && strings.Contains(err.Error(), "already has a downgrade job") {
			return nil
		}
		return err
	})
	if err != nil {
		return err
	}
	m.goingDown = true
	return m.awaitVersion(ctx, target)
}

// endDowngrade takes the announcement back, if there is one and its version is reached: while it stands no etcd of that version joins,
// since what it expects then is a cluster that has not gone down yet. The version does not rise again as long as a member does not
// say its own, or is of that version: so one is to be added first.
func (m *mixed) endDowngrade(ctx context.Context) error {
	if !m.goingDown {
		return nil
	}
	m.goingDown = false
	return m.retry(ctx, "take the downgrade back", func(ctx context.Context) error {
		_, err := m.any().Maintenance.Downgrade(m.asRoot(ctx), &pb.DowngradeRequest{Action: pb.DowngradeRequest_CANCEL})
		if err != nil && strings.Contains(err.Error(), "no inflight downgrade") {
			return nil // an attempt before has done it after all
		}
		return err
	})
}

func (m *mixed) awaitVersion(ctx context.Context, version string) error {
	return m.retry(ctx, "version "+version, func(ctx context.Context) error {
		var all []string
		for _, one := range m.Members {
			now, err := one.Maintenance.Status(m.asRoot(ctx), &pb.StatusRequest{})
			if err != nil {
				return err
			}
			all = append(all, now.StorageVersion)
		}
		if slices.ContainsFunc(all, func(v string) bool { return v != version }) {
			return fmt.Errorf("the members are at %v", all)
		}
		return nil
	})
}
