package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"syscall"
	"time"

	pb "go.etcd.io/etcd/api/v3/etcdserverpb"

	"quoin.dev/trial/internal/cluster"
	"quoin.dev/trial/internal/proxy"
)

// nemesis does harm, one thing after the other, and undoes each before the next. The cluster belongs to it.
type nemesis struct {
	cluster *cluster.Cluster
	mesh    *proxy.Mesh
	clients *directory
	targets map[*cluster.Member]*target
	random  *rand.Rand
	ready   time.Duration
	size    int
	did     map[string]int
	say     func(format string, args ...any)
}

// harm is a family of faults, by its name on the command line.
var harms = map[string]func(*nemesis, context.Context) error{
	"kill":    (*nemesis).kill,
	"stop":    (*nemesis).stop,
	"cut":     (*nemesis).cut,
	"delay":   (*nemesis).delay,
	"leader":  (*nemesis).moveLeader,
	"members": (*nemesis).changeMembers,
}

// run does harm until told to end. Its error means that the cluster did not come back, or did what it may never do.
func (n *nemesis) run(ctx context.Context, ending <-chan struct{}, kinds []string) error {
	if len(kinds) == 0 {
		<-ending
		return nil
	}
	for ctx.Err() == nil {
		select {
		case <-ending:
			return nil
		case <-time.After(n.between(200*time.Millisecond, time.Second)):
		}
		kind := kinds[n.random.IntN(len(kinds))]
		if err := harms[kind](n, ctx); err != nil {
			return fmt.Errorf("%s: %w", kind, err)
		}
		if err := n.cluster.AwaitReady(ctx, n.ready); err != nil {
			return fmt.Errorf("after %s: %w", kind, err)
		}
	}
	return nil
}

func (n *nemesis) note(what string, format string, args ...any) {
	n.did[what]++
	n.say("%s: %s", what, fmt.Sprintf(format, args...))
}

func (n *nemesis) pause(ctx context.Context, least, most time.Duration) {
	select {
	case <-ctx.Done():
	case <-time.After(n.between(least, most)):
	}
}

func (n *nemesis) between(least, most time.Duration) time.Duration {
	return least + time.Duration(n.random.Int64N(int64(most-least)))
}

// admit lets clients ask a member.
func (n *nemesis) admit(m *cluster.Member) {
	t := &target{name: m.Name, kv: m.KV}
	t.session.Store(1)
	n.targets[m] = t
	n.clients.add(t)
}

func (n *nemesis) spawn(m *cluster.Member) error {
	if err := m.Spawn(); err != nil {
		return err
	}
	n.mesh.Know(m.PID(), m.Name)
	return nil
}

// end kills a member; what it answers from now on, and what its next process does, counts as another session.
func (n *nemesis) end(m *cluster.Member) error {
	n.targets[m].session.Add(1)
	defer n.targets[m].session.Add(1)
	return m.Kill()
}

// some are so many members, the leader more often than others.
func (n *nemesis) some(ctx context.Context, count int) []*cluster.Member {
	members := slices.Clone(n.cluster.Members)
	n.random.Shuffle(len(members), func(i, j int) { members[i], members[j] = members[j], members[i] })
	if leader, _, err := n.cluster.Consensus(ctx); err == nil && n.random.IntN(2) == 0 {
		slices.SortStableFunc(members, func(a, b *cluster.Member) int {
			switch {
			case a == leader:
				return -1
			case b == leader:
				return 1
			}
			return 0
		})
	}
	return members[:count]
}

func names(members []*cluster.Member) string {
	var all []string
	for _, m := range members {
		all = append(all, m.Name)
	}
	return strings.Join(all, " ")
}

// kill ends one member, some or all, and starts them again.
func (n *nemesis) kill(ctx context.Context) error {
	count := 1
	if n.random.IntN(3) == 0 {
		count = 1 + n.random.IntN(len(n.cluster.Members))
	}
	victims := n.some(ctx, count)
	down := n.between(50*time.Millisecond, 2*time.Second)
	n.note(fmt.Sprintf("kill %d of %d", count, len(n.cluster.Members)), "%s, for %v", names(victims), down.Round(time.Millisecond))
	for _, m := range victims {
		if err := n.end(m); err != nil {
			return err
		}
	}
	n.pause(ctx, down, down+1)
	for _, m := range victims {
		if err := n.spawn(m); err != nil {
			return err
		}
	}
	return nil
}

// stop suspends one member or two.
func (n *nemesis) stop(ctx context.Context) error {
	victims := n.some(ctx, 1+n.random.IntN(2))
	length := n.between(100*time.Millisecond, 5*time.Second)
	n.note("stop", "%s, for %v", names(victims), length.Round(time.Millisecond))
	for _, m := range victims {
		if err := m.Signal(syscall.SIGSTOP); err != nil {
			return err
		}
	}
	n.pause(ctx, length, length+1)
	var errs []error
	for _, m := range victims {
		errs = append(errs, m.Signal(syscall.SIGCONT))
	}
	return errors.Join(errs...)
}

// cut holds back what members send each other. What was held back arrives late, or is lost with its connection.
func (n *nemesis) cut(ctx context.Context) error {
	all := n.some(ctx, len(n.cluster.Members))
	victim, others := all[0], all[1:]
	to, from := links(victim, others)
	var what string
	var cut []proxy.Link
	switch n.random.IntN(5) {
	case 0:
		what, cut = "send-only", from
	case 1:
		what, cut = "receive-only", to
	case 2:
		out, in := links(victim, others[:1])
		what, cut = "one pair", append(out, in...)
	default:
		what, cut = "isolated", append(to, from...)
	}
	length, reset, flaps := n.between(200*time.Millisecond, 5*time.Second), n.random.IntN(2) == 0, 1
	if n.random.IntN(4) == 0 {
		what, flaps, length = what+", flapping", 4, length/4
	}
	n.note("cut, "+what, "%s, %d times for %v, reset %t", names(all), flaps, length.Round(time.Millisecond), reset)
	for range flaps {
		n.mesh.Cut(cut...)
		n.pause(ctx, length, length+1)
		n.mesh.Heal(reset)
		n.pause(ctx, 20*time.Millisecond, 200*time.Millisecond)
	}
	return nil
}

// links are those from a member to others, and those from them to it.
func links(m *cluster.Member, others []*cluster.Member) (to, from []proxy.Link) {
	for _, other := range others {
		to = append(to, proxy.Link{From: m.Name, To: other.Name})
		from = append(from, proxy.Link{From: other.Name, To: m.Name})
	}
	return to, from
}

// delay makes everything between members late; each direction has its own lateness.
func (n *nemesis) delay(ctx context.Context) error {
	most := n.between(2*time.Millisecond, 300*time.Millisecond)
	for _, m := range n.cluster.Members {
		to, _ := links(m, n.cluster.Members)
		for _, link := range to {
			n.mesh.Delay(n.between(time.Millisecond, most), link)
		}
	}
	length := n.between(500*time.Millisecond, 4*time.Second)
	n.note("delay", "up to %v, for %v", most.Round(time.Millisecond), length.Round(time.Millisecond))
	n.pause(ctx, length, length+1)
	n.mesh.Heal(false)
	return nil
}

// moveLeader asks the leader to leave its office to another one. It may fail to.
func (n *nemesis) moveLeader(ctx context.Context) error {
	leader, _, err := n.cluster.Consensus(ctx)
	if err != nil {
		return nil
	}
	heir := n.some(ctx, len(n.cluster.Members))[n.random.IntN(len(n.cluster.Members))]
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	_, err = leader.Maintenance.MoveLeader(ctx, &pb.MoveLeaderRequest{TargetID: heir.ID})
	n.note("move of the leader", "%s to %s: %v", leader.Name, heir.Name, err)
	return nil
}

// changeMembers adds a member, as a learner or at once as a voter, and removes an old one.
func (n *nemesis) changeMembers(ctx context.Context) error {
	learner := n.random.IntN(2) == 0
	joined, id, err := n.add(ctx, learner)
	if err != nil {
		return err
	}
	if learner {
		err := n.insist(ctx, func(ctx context.Context, cluster pb.ClusterClient) error {
			_, err := cluster.MemberPromote(ctx, &pb.MemberPromoteRequest{ID: id})
			return err
		})
		if err != nil {
			return fmt.Errorf("promote %s: %w", joined.Name, err)
		}
	}
	n.admit(joined)
	if err := n.cluster.AwaitReady(ctx, n.ready); err != nil {
		return fmt.Errorf("after %s has joined: %w", joined.Name, err)
	}
	n.pause(ctx, 100*time.Millisecond, time.Second)
	leaver := n.some(ctx, 1)[0]
	n.note(map[bool]string{true: "learner added, promoted, member removed", false: "member added, member removed"}[learner], "%s comes, %s goes", joined.Name, leaver.Name)
	return n.remove(ctx, leaver)
}

func (n *nemesis) add(ctx context.Context, learner bool) (*cluster.Member, uint64, error) {
	var id uint64
	joined, err := n.cluster.Join(func(peerURL string) (members []*pb.Member, err error) {
		err = n.insist(ctx, func(ctx context.Context, cluster pb.ClusterClient) error {
			answer, err := cluster.MemberAdd(ctx, &pb.MemberAddRequest{PeerURLs: []string{peerURL}, IsLearner: learner})
			if err == nil {
				id, members = answer.Member.ID, answer.Members
				return nil
			}
			if there := n.find(ctx, cluster, func(m *pb.Member) bool { return slices.Contains(m.PeerURLs, peerURL) }, &members); there != nil {
				id = there.ID // an attempt before has done it after all
				return nil
			}
			return err
		})
		return members, err
	})
	if err != nil {
		return nil, 0, fmt.Errorf("add a member: %w", err)
	}
	if err := n.spawn(joined); err != nil {
		return nil, 0, err
	}
	if err := joined.Await(ctx, n.ready); err != nil {
		return nil, 0, fmt.Errorf("%s has joined: %w", joined.Name, err)
	}
	return joined, id, nil
}

func (n *nemesis) find(ctx context.Context, cluster pb.ClusterClient, which func(*pb.Member) bool, all *[]*pb.Member) *pb.Member {
	answer, err := cluster.MemberList(ctx, &pb.MemberListRequest{Linearizable: true})
	if err != nil {
		return nil
	}
	if at := slices.IndexFunc(answer.Members, which); at >= 0 {
		*all = answer.Members
		return answer.Members[at]
	}
	return nil
}

func (n *nemesis) remove(ctx context.Context, leaver *cluster.Member) error {
	n.clients.remove(leaver.Name)
	err := n.insist(ctx, func(ctx context.Context, cluster pb.ClusterClient) error {
		_, err := cluster.MemberRemove(ctx, &pb.MemberRemoveRequest{ID: leaver.ID})
		if err != nil && strings.Contains(err.Error(), "member not found") {
			return nil // an attempt before has done it after all
		}
		return err
	}, leaver)
	if err != nil {
		return fmt.Errorf("remove %s: %w", leaver.Name, err)
	}
	n.targets[leaver].session.Add(1)
	return n.cluster.Forget(leaver)
}

// insist tries until it works: members refuse a change while they think that others are not well, or not up to date.
func (n *nemesis) insist(ctx context.Context, change func(context.Context, pb.ClusterClient) error, not ...*cluster.Member) error {
	deadline := time.Now().Add(n.ready)
	for {
		m := n.some(ctx, len(n.cluster.Members))[0]
		if slices.Contains(not, m) || n.targets[m] == nil {
			continue
		}
		attempt, cancel := context.WithTimeout(ctx, 5*time.Second)
		err := change(attempt, pb.NewClusterClient(m.Conn))
		cancel()
		if err == nil {
			return nil
		}
		if ctx.Err() != nil || time.Now().After(deadline) {
			return fmt.Errorf("still refused after %v: %w", n.ready, err)
		}
		n.pause(ctx, 200*time.Millisecond, 400*time.Millisecond)
	}
}
