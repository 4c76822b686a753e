package main

import (
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	pb "go.etcd.io/etcd/api/v3/etcdserverpb"
	"google.golang.org/grpc/metadata"

	"quoin.dev/trial/internal/cluster"
	"quoin.dev/trial/internal/entries"
	"quoin.dev/trial/internal/proxy"
)

// mixed is a cluster of both kinds.
type mixed struct {
	*cluster.Cluster
	t     *trial
	name  string
	kinds map[*cluster.Member]*kind
	gone  []*cluster.Member // removed from the cluster; what they have written is still there

	mesh      *proxy.Mesh // between the members; nil: none
	busy      bool        // clients work: leases come and go, and are not compared
	turn      int         // whom to ask next
	goingDown bool        // a downgrade is announced
	password  string      // of root, once access is controlled
}

// start makes a cluster of these kinds, each with more flags, and waits until it is whole.
func (t *trial) start(ctx context.Context, name string, kinds []*kind, proxy cluster.Proxy, shown *tls.Config, flags ...string) (*mixed, error) {
	var commands [][]string
	for _, k := range kinds {
		commands = append(commands, slices.Concat(k.command, flags))
	}
	dir := filepath.Join(t.home, name)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	c, err := cluster.NewMixed(commands, dir, len(kinds), proxy, shown)
	if err != nil {
		return nil, err
	}
	m := &mixed{Cluster: c, t: t, name: name, kinds: map[*cluster.Member]*kind{}}
	for i, member := range c.Members {
		m.kinds[member] = kinds[i]
	}
	t.out("%s: start", name)
	return m, nil
}

// whole starts all members, and waits until they serve.
func (m *mixed) whole(ctx context.Context) error {
	if err := m.Start(ctx, m.t.ready); err != nil {
		return fmt.Errorf("%s: %w", m.name, errors.Join(err, m.Kill()))
	}
	return nil
}

// of are the members of a kind.
func (m *mixed) of(k *kind) []*cluster.Member {
	return slices.DeleteFunc(slices.Clone(m.Members), func(one *cluster.Member) bool { return m.kinds[one] != k })
}

// called is a member's name and kind.
func (m *mixed) called(one *cluster.Member) string { return one.Name + ", " + m.kinds[one].name }

// retry tries until it works, or for too long.
func (m *mixed) retry(ctx context.Context, what string, try func(ctx context.Context) error) error {
	deadline := time.Now().Add(m.t.ready)
	for {
		attempt, cancel := context.WithTimeout(ctx, 10*time.Second)
		err := try(attempt)
		cancel()
		if err == nil {
			return nil
		}
		if ctx.Err() != nil || time.Now().After(deadline) {
			return fmt.Errorf("%s: still not after %v: %w", what, m.t.ready, err)
		}
		time.Sleep(300 * time.Millisecond)
	}
}

// lead makes a member the leader.
func (m *mixed) lead(ctx context.Context, heir *cluster.Member) error {
	return m.retry(ctx, "move the leader to "+m.called(heir), func(ctx context.Context) error {
		ctx = m.asRoot(ctx)
		leader, _, err := m.Consensus(ctx)
		if err != nil || leader == heir {
			return err
		}
		if _, err := leader.Maintenance.MoveLeader(ctx, &pb.MoveLeaderRequest{TargetID: heir.ID}); err != nil {
			return err
		}
		if leader, _, err = m.Consensus(ctx); err == nil && leader != heir {
			err = fmt.Errorf("%s leads", m.called(leader))
		}
		return err
	})
}

// asRoot is a context for who may everything. A token is got anew of any member, and shown to all: each must know it.
func (m *mixed) asRoot(ctx context.Context) context.Context {
	if m.password == "" {
		return ctx
	}
	for _, one := range m.Members {
		known, err := pb.NewAuthClient(one.Conn).Authenticate(ctx, &pb.AuthenticateRequest{Name: "root", Password: m.password})
		if err == nil {
			return metadata.AppendToOutgoingContext(ctx, "token", known.Token)
		}
	}
	return ctx
}

// close ends the scenario: all members hold the same, all still live, and nothing that they have told or written is wrong.
func (m *mixed) close(ctx context.Context, failed error) error {
	if failed == nil {
		failed = m.agree(ctx)
	}
	for _, one := range m.Members {
		if one.Running() && one.Exited() {
			failed = errors.Join(failed, fmt.Errorf("%s has ended by itself; its log ends:\n%s", m.called(one), one.LogTail()))
		}
	}
	failed = errors.Join(failed, m.Kill())
	for _, one := range slices.Concat(m.Members, m.gone) {
		failed = errors.Join(failed, m.calm(one))
		if one.LogSize() == 0 {
			continue // it was never started, and has written nothing
		}
		kinds, err := entries.Scan(one.Data)
		if err == nil && len(kinds) == 0 {
			err = errors.New("no entry was found in it")
		}
		if err != nil {
			failed = errors.Join(failed, fmt.Errorf("the log of %s: %w", m.called(one), err))
		}
		for kind, n := range kinds {
			m.t.entries[kind] += n
		}
	}
	if failed != nil {
		return fmt.Errorf("%s: %w", m.name, failed)
	}
	m.t.out("%s: all is well", m.name)
	return nil
}

// dying are words of a process that cannot go on.
var dying = []string{`"level":"panic"`, `"level":"fatal"`, `"level":"dpanic"`, "panic: ", "goroutine 1 [", "fatal error: ", "Exception in thread"}

func (m *mixed) calm(one *cluster.Member) error {
	log, err := one.LogFrom(0)
	if errors.Is(err, os.ErrNotExist) {
		return nil // it was never started
	}
	if err != nil {
		return err
	}
	for line := range strings.Lines(log) {
		if slices.ContainsFunc(dying, func(words string) bool { return strings.Contains(line, words) }) {
			return fmt.Errorf("the log of %s says: %s", m.called(one), line)
		}
	}
	return nil
}

// agree waits until all members hold the same: keys and their history, members, leases, alarms of which there are none, users, roles.
func (m *mixed) agree(ctx context.Context) error {
	var err error
	for end := time.Now().Add(15 * time.Second); time.Now().Before(end) && ctx.Err() == nil; time.Sleep(100 * time.Millisecond) {
		if err = m.same(ctx); err == nil {
			return nil
		}
	}
	return fmt.Errorf("the members do not hold the same: %w", errors.Join(err, ctx.Err()))
}

func (m *mixed) same(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, 20*time.Second)
	defer cancel()
	ctx = m.asRoot(ctx)
	now, err := m.Members[0].KV.Range(ctx, &pb.RangeRequest{Key: []byte{0}, RangeEnd: []byte{0}, CountOnly: true})
	if err != nil {
		return fmt.Errorf("%s: %w", m.called(m.Members[0]), err)
	}
	// All at once: what is compacted meanwhile makes another hash.
	held, errs := make([]string, len(m.Members)), make([]error, len(m.Members))
	var asking sync.WaitGroup
	for i, one := range m.Members {
		asking.Go(func() {
			if held[i], errs[i] = m.hold(ctx, one, now.Header.Revision); errs[i] != nil {
				errs[i] = fmt.Errorf("%s: %w", m.called(one), errs[i])
			}
		})
	}
	asking.Wait()
	for i, one := range m.Members {
		if held[i] != held[0] {
			errs = append(errs, fmt.Errorf("%s has\n%s\n%s has\n%s", m.called(m.Members[0]), held[0], m.called(one), held[i]))
			break
		}
	}
	return errors.Join(errs...)
}

// hold is all that a member holds: of keys and their history, everything up to a revision.
func (m *mixed) hold(ctx context.Context, one *cluster.Member, at int64) (string, error) {
	held := &strings.Builder{}
	// Linearizable: whatever another member has applied so far, this one has, too.
	count, err := one.KV.Range(ctx, &pb.RangeRequest{Key: []byte{0}, RangeEnd: []byte{0}, CountOnly: true, Revision: at})
	if err != nil {
		return "", err
	}
	hash, err := one.Maintenance.HashKV(ctx, &pb.HashKVRequest{Revision: at})
	if err != nil {
		return "", err
	}
	fmt.Fprintf(held, "revision %d: %d keys, hash %x, compacted %d\n", at, count.Count, hash.Hash, hash.CompactRevision)
	status, err := one.Maintenance.Status(ctx, &pb.StatusRequest{})
	if err != nil {
		return "", err
	}
	fmt.Fprintf(held, "storage version %s, errors %v, downgrade %v\n", status.StorageVersion, status.Errors, status.DowngradeInfo.GetEnabled())
	parts := []func(context.Context, *cluster.Member, *strings.Builder) error{members, access}
	if !m.busy {
		parts = append(parts, leases)
	}
	for _, part := range parts {
		if err := part(ctx, one, held); err != nil {
			return "", err
		}
	}
	return held.String(), nil
}

func members(ctx context.Context, one *cluster.Member, held *strings.Builder) error {
	all, err := pb.NewClusterClient(one.Conn).MemberList(ctx, &pb.MemberListRequest{Linearizable: true})
	if err != nil {
		return err
	}
	slices.SortFunc(all.Members, func(a, b *pb.Member) int { return strings.Compare(a.Name, b.Name) })
	for _, m := range all.Members {
		fmt.Fprintf(held, "member %x %s %v %v learner %v\n", m.ID, m.Name, m.PeerURLs, m.ClientURLs, m.IsLearner)
	}
	alarms, err := one.Maintenance.Alarm(ctx, &pb.AlarmRequest{})
	if err != nil {
		return err
	}
	fmt.Fprintf(held, "alarms %v\n", alarms.Alarms)
	if len(alarms.Alarms) > 0 {
		return fmt.Errorf("there are alarms: %v", alarms.Alarms)
	}
	return nil
}

// leases are told with the keys that are attached, and not how long they last: only the leader knows.
func leases(ctx context.Context, one *cluster.Member, held *strings.Builder) error {
	client := pb.NewLeaseClient(one.Conn)
	all, err := client.LeaseLeases(ctx, &pb.LeaseLeasesRequest{})
	if err != nil {
		return err
	}
	for _, lease := range slices.SortedFunc(slices.Values(all.Leases), func(a, b *pb.LeaseStatus) int { return cmp.Compare(a.ID, b.ID) }) {
		about, err := client.LeaseTimeToLive(ctx, &pb.LeaseTimeToLiveRequest{ID: lease.ID, Keys: true})
		if err != nil {
			return err
		}
		var keys []string
		for _, key := range about.Keys {
			keys = append(keys, string(key))
		}
		slices.Sort(keys)
		fmt.Fprintf(held, "lease %x of %d s: %q\n", lease.ID, about.GrantedTTL, keys)
	}
	return nil
}

func access(ctx context.Context, one *cluster.Member, held *strings.Builder) error {
	client := pb.NewAuthClient(one.Conn)
	status, err := client.AuthStatus(ctx, &pb.AuthStatusRequest{})
	if err != nil {
		return err
	}
	fmt.Fprintf(held, "access controlled %v, at revision %d\n", status.Enabled, status.AuthRevision)
	users, err := client.UserList(ctx, &pb.AuthUserListRequest{})
	if err != nil {
		return err
	}
	for _, name := range slices.Sorted(slices.Values(users.Users)) {
		user, err := client.UserGet(ctx, &pb.AuthUserGetRequest{Name: name})
		if err != nil {
			return err
		}
		fmt.Fprintf(held, "user %s: %v\n", name, user.Roles)
	}
	roles, err := client.RoleList(ctx, &pb.AuthRoleListRequest{})
	if err != nil {
		return err
	}
	for _, name := range slices.Sorted(slices.Values(roles.Roles)) {
		role, err := client.RoleGet(ctx, &pb.AuthRoleGetRequest{Role: name})
		if err != nil {
			return err
		}
		fmt.Fprintf(held, "role %s:", name)
		for _, p := range role.Perm {
			fmt.Fprintf(held, " %v %q %q", p.PermType, p.Key, p.RangeEnd)
		}
		fmt.Fprintln(held)
	}
	return nil
}

// settle waits until all members that run serve, and name one leader.
func (m *mixed) settle(ctx context.Context) error {
	return m.retry(ctx, "wait for the cluster", func(ctx context.Context) error { return m.AwaitReady(m.asRoot(ctx), 5*time.Second) })
}
