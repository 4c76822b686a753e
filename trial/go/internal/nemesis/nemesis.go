// Package nemesis does harm to a cluster, one thing after the other: it kills, suspends and cuts off members, delays what
// they say, moves the leader and changes who is a member. Each harm is undone, and the cluster whole again, before the next.
package nemesis

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"syscall"
	"time"

	pb "go.etcd.io/etcd/api/v3/etcdserverpb"

	"quoin.dev/trial/internal/cluster"
	"quoin.dev/trial/internal/proxy"
)

// Nemesis is what does the harm. The cluster belongs to it while it runs.
type Nemesis struct {
	Cluster *cluster.Cluster
	Mesh    *proxy.Mesh // stands between the members; nil: the command has no {listen}, and nothing is cut or delayed
	Random  *rand.Rand
	Ready   time.Duration  // bound for the cluster to be whole again
	Least   time.Duration  // shortest pause between two harms
	Most    time.Duration  // longest pause between two harms
	Did     map[string]int // how often each harm was done; to be read when Run has returned
	Say     func(format string, args ...any)
	Hooks   Hooks

	admitted map[*cluster.Member]bool
}

// Hooks tell who works with the members what becomes of them. Each may be nil.
type Hooks struct {
	Admit  func(m *cluster.Member) // clients may ask it from now on
	Ending func(m *cluster.Member) // its process is about to be killed
	Ended  func(m *cluster.Member) // it is dead
	Leave  func(m *cluster.Member) // it is about to be removed from the cluster
	Begins func()                  // a harm begins
	Healed func()                  // the cluster is whole again
}

// harm is a family of faults, by its name on the command line.
var harms = map[string]func(*Nemesis, context.Context) error{
	"kill":    (*Nemesis).kill,
	"fell":    (*Nemesis).fell,
	"stop":    (*Nemesis).stop,
	"freeze":  (*Nemesis).freeze,
	"cut":     (*Nemesis).cut,
	"delay":   (*Nemesis).delay,
	"leader":  (*Nemesis).moveLeader,
	"members": (*Nemesis).changeMembers,
}

// Kinds are the names of all harms.
func Kinds() []string { return slices.Sorted(maps.Keys(harms)) }

// Check says whether each of these is a harm that can be done to a cluster of this size.
func Check(kinds []string, members int) error {
	for _, kind := range kinds {
		if harms[kind] == nil {
			return fmt.Errorf("no harm is called %q: %s", kind, strings.Join(Kinds(), ","))
		}
		if members == 1 && kind != "kill" && kind != "stop" {
			return fmt.Errorf("the harm %q needs more than one member", kind)
		}
	}
	return nil
}

// Run does harm until told to end. Its error means that the cluster did not come back, or did what it may never do.
func (n *Nemesis) Run(ctx context.Context, ending <-chan struct{}, kinds []string) error {
	if len(kinds) == 0 {
		<-ending
		return nil
	}
	for ctx.Err() == nil {
		select {
		case <-ending:
			return nil
		case <-time.After(n.between(n.Least, n.Most)):
		}
		kind := kinds[n.Random.IntN(len(kinds))]
		tell(n.Hooks.Begins)
		if err := harms[kind](n, ctx); err != nil {
			return fmt.Errorf("%s: %w", kind, err)
		}
		if err := n.Cluster.AwaitReady(ctx, n.Ready); err != nil {
			return fmt.Errorf("after %s: %w", kind, err)
		}
		tell(n.Hooks.Healed)
	}
	return nil
}

func (n *Nemesis) note(what string, format string, args ...any) {
	n.Did[what]++
	n.Say("%s: %s", what, fmt.Sprintf(format, args...))
}

func (n *Nemesis) pause(ctx context.Context, least, most time.Duration) {
	select {
	case <-ctx.Done():
	case <-time.After(n.between(least, most)):
	}
}

func (n *Nemesis) between(least, most time.Duration) time.Duration {
	return least + time.Duration(n.Random.Int64N(int64(most-least)))
}

// Admit lets clients ask a member.
func (n *Nemesis) Admit(m *cluster.Member) {
	if n.admitted == nil {
		n.admitted = map[*cluster.Member]bool{}
	}
	n.admitted[m] = true
	tellOf(n.Hooks.Admit, m)
}

// Spawn starts the process of a member.
func (n *Nemesis) Spawn(m *cluster.Member) error {
	if err := m.Spawn(); err != nil {
		return err
	}
	if n.Mesh != nil {
		n.Mesh.Know(m.PID(), m.Name)
	}
	return nil
}

func (n *Nemesis) end(m *cluster.Member) error {
	tellOf(n.Hooks.Ending, m)
	defer tellOf(n.Hooks.Ended, m)
	return m.Kill()
}

func tell(hook func()) {
	if hook != nil {
		hook()
	}
}

func tellOf(hook func(*cluster.Member), m *cluster.Member) {
	if hook != nil {
		hook(m)
	}
}

// some are so many members, the leader more often than others.
func (n *Nemesis) some(ctx context.Context, count int) []*cluster.Member {
	members := slices.Clone(n.Cluster.Members)
	n.Random.Shuffle(len(members), func(i, j int) { members[i], members[j] = members[j], members[i] })
	if leader, _, err := n.Cluster.Consensus(ctx); err == nil && n.Random.IntN(2) == 0 {
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
func (n *Nemesis) kill(ctx context.Context) error {
	count := 1
	if n.Random.IntN(3) == 0 {
		count = 1 + n.Random.IntN(len(n.Cluster.Members))
	}
	victims := n.some(ctx, count)
	down := n.between(50*time.Millisecond, 2*time.Second)
	n.note(fmt.Sprintf("kill %d of %d", count, len(n.Cluster.Members)), "%s, for %v", names(victims), down.Round(time.Millisecond))
	for _, m := range victims {
		if err := n.end(m); err != nil {
			return err
		}
	}
	n.pause(ctx, down, down+1)
	for _, m := range victims {
		if err := n.Spawn(m); err != nil {
			return err
		}
	}
	return nil
}

// fell ends the leader, and starts it again.
func (n *Nemesis) fell(ctx context.Context) error {
	leader, _, err := n.Cluster.Consensus(ctx)
	if err != nil {
		return nil
	}
	down := n.between(50*time.Millisecond, 2*time.Second)
	n.note("fell", "%s, the leader, for %v", leader.Name, down.Round(time.Millisecond))
	if err := n.end(leader); err != nil {
		return err
	}
	n.pause(ctx, down, down+1)
	return n.Spawn(leader)
}

// stop suspends one member or two.
func (n *Nemesis) stop(ctx context.Context) error {
	return n.suspend(ctx, "stop", n.some(ctx, min(1+n.Random.IntN(2), len(n.Cluster.Members))), 100*time.Millisecond, 5*time.Second)
}

// freeze suspends the leader for longer than an election takes: it wakes up in a term that it knows nothing of.
func (n *Nemesis) freeze(ctx context.Context) error {
	leader, _, err := n.Cluster.Consensus(ctx)
	if err != nil {
		return nil
	}
	return n.suspend(ctx, "freeze", []*cluster.Member{leader}, 2500*time.Millisecond, 6*time.Second)
}

func (n *Nemesis) suspend(ctx context.Context, what string, victims []*cluster.Member, least, most time.Duration) error {
	length := n.between(least, most)
	n.note(what, "%s, for %v", names(victims), length.Round(time.Millisecond))
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
func (n *Nemesis) cut(ctx context.Context) error {
	all := n.some(ctx, len(n.Cluster.Members))
	victim, others := all[0], all[1:]
	to, from := links(victim, others)
	var what string
	var cut []proxy.Link
	switch n.Random.IntN(5) {
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
	length, reset, flaps := n.between(200*time.Millisecond, 5*time.Second), n.Random.IntN(2) == 0, 1
	if n.Random.IntN(4) == 0 {
		what, flaps, length = what+", flapping", 4, length/4
	}
	n.note("cut, "+what, "%s, %d times for %v, reset %t", names(all), flaps, length.Round(time.Millisecond), reset)
	for range flaps {
		n.Mesh.Cut(cut...)
		n.pause(ctx, length, length+1)
		n.Mesh.Heal(reset)
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
func (n *Nemesis) delay(ctx context.Context) error {
	most := n.between(2*time.Millisecond, 300*time.Millisecond)
	for _, m := range n.Cluster.Members {
		to, _ := links(m, n.Cluster.Members)
		for _, link := range to {
			n.Mesh.Delay(n.between(time.Millisecond, most), link)
		}
	}
	length := n.between(500*time.Millisecond, 4*time.Second)
	n.note("delay", "up to %v, for %v", most.Round(time.Millisecond), length.Round(time.Millisecond))
	n.pause(ctx, length, length+1)
	n.Mesh.Heal(false)
	return nil
}

// moveLeader asks the leader to leave its office to another one. It may fail to.
func (n *Nemesis) moveLeader(ctx context.Context) error {
	leader, _, err := n.Cluster.Consensus(ctx)
	if err != nil {
		return nil
	}
	heir := n.some(ctx, len(n.Cluster.Members))[n.Random.IntN(len(n.Cluster.Members))]
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	_, err = leader.Maintenance.MoveLeader(ctx, &pb.MoveLeaderRequest{TargetID: heir.ID})
	n.note("move of the leader", "%s to %s: %v", leader.Name, heir.Name, err)
	return nil
}

// changeMembers adds a member, as a learner or at once as a voter, and removes an old one.
func (n *Nemesis) changeMembers(ctx context.Context) error {
	learner := n.Random.IntN(2) == 0
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
	n.Admit(joined)
	if err := n.Cluster.AwaitReady(ctx, n.Ready); err != nil {
		return fmt.Errorf("after %s has joined: %w", joined.Name, err)
	}
	n.pause(ctx, 100*time.Millisecond, time.Second)
	leaver := n.some(ctx, 1)[0]
	n.note(map[bool]string{true: "learner added, promoted, member removed", false: "member added, member removed"}[learner], "%s comes, %s goes", joined.Name, leaver.Name)
	return n.remove(ctx, leaver)
}

func (n *Nemesis) add(ctx context.Context, learner bool) (*cluster.Member, uint64, error) {
	var id uint64
	joined, err := n.Cluster.Join(func(peerURL string) (members []*pb.Member, err error) {
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
	if err := n.Spawn(joined); err != nil {
		return nil, 0, err
	}
	if err := joined.Await(ctx, n.Ready); err != nil {
		return nil, 0, fmt.Errorf("%s has joined: %w", joined.Name, err)
	}
	return joined, id, nil
}

func (n *Nemesis) find(ctx context.Context, cluster pb.ClusterClient, which func(*pb.Member) bool, all *[]*pb.Member) *pb.Member {
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

func (n *Nemesis) remove(ctx context.Context, leaver *cluster.Member) error {
	tellOf(n.Hooks.Leave, leaver)
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
	delete(n.admitted, leaver)
	tellOf(n.Hooks.Ending, leaver)
	return n.Cluster.Forget(leaver)
}

// insist tries until it works: members refuse a change while they think that others are not well, or not up to date.
func (n *Nemesis) insist(ctx context.Context, change func(context.Context, pb.ClusterClient) error, not ...*cluster.Member) error {
	deadline := time.Now().Add(n.Ready)
	for {
		m := n.some(ctx, len(n.Cluster.Members))[0]
		if slices.Contains(not, m) || !n.admitted[m] {
			continue
		}
		attempt, cancel := context.WithTimeout(ctx, 5*time.Second)
		err := change(attempt, pb.NewClusterClient(m.Conn))
		cancel()
		if err == nil {
			return nil
		}
		if ctx.Err() != nil || time.Now().After(deadline) {
			return fmt.Errorf("still refused after %v: %w", n.Ready, err)
		}
		n.pause(ctx, 200*time.Millisecond, 400*time.Millisecond)
	}
}
