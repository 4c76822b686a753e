package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"go.etcd.io/etcd/api/v3/authpb"
	pb "go.etcd.io/etcd/api/v3/etcdserverpb"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	"quoin.dev/trial/internal/cluster"
)

// steady asks everything of every member, while members of either kind lead.
func (t *trial) steady(ctx context.Context) error {
	for _, mix := range t.mixes() {
		m, err := t.start(ctx, names(mix), mix, cluster.Straight, nil, "--bcrypt-cost", "4")
		if err != nil {
			return err
		}
		if err := m.whole(ctx); err != nil {
			return err
		}
		err = nil
		for _, k := range t.kinds() {
			if err == nil {
				err = m.everything(ctx, k)
			}
		}
		if err := m.close(ctx, err); err != nil {
			return err
		}
	}
	return nil
}

// everything is asked for while a member of this kind leads.
func (m *mixed) everything(ctx context.Context, leading *kind) error {
	for _, part := range []struct {
		what string
		ask  func(*mixed, context.Context, *cluster.Member) error
	}{
		{"keys", (*mixed).askKeys}, {"watches", (*mixed).askWatch}, {"leases", (*mixed).askLeases}, {"the end of a lease", (*mixed).askExpiry},
		{"compaction", (*mixed).askCompaction}, {"alarms", (*mixed).askAlarm}, {"maintenance", (*mixed).askMaintenance}, {"users", (*mixed).askUsers},
	} {
		if err := m.lead(ctx, m.of(leading)[0]); err != nil {
			return err
		}
		m.t.out("%s: %s leads: %s", m.name, leading.name, part.what)
		for _, one := range m.Members {
			ctx, cancel := context.WithTimeout(ctx, m.t.ready)
			err := part.ask(m, ctx, one)
			cancel()
			if err != nil {
				return fmt.Errorf("%s leads, %s, asked of %s: %w", leading.name, part.what, m.called(one), err)
			}
		}
		if err := m.agree(ctx); err != nil {
			return fmt.Errorf("%s leads, after %s: %w", leading.name, part.what, err)
		}
	}
	return nil
}

// rest are the members but one.
func (m *mixed) rest(one *cluster.Member) []*cluster.Member {
	return slices.DeleteFunc(slices.Clone(m.Members), func(other *cluster.Member) bool { return other == one })
}

func put(key, value string) *pb.RequestOp {
	return &pb.RequestOp{Request: &pb.RequestOp_RequestPut{RequestPut: &pb.PutRequest{Key: []byte(key), Value: []byte(value), PrevKv: true}}}
}

func read(key, end string, at int64) *pb.RequestOp {
	return &pb.RequestOp{Request: &pb.RequestOp_RequestRange{RequestRange: &pb.RangeRequest{Key: []byte(key), RangeEnd: []byte(end), Revision: at}}}
}

func remove(key, end string) *pb.RequestOp {
	return &pb.RequestOp{Request: &pb.RequestOp_RequestDeleteRange{RequestDeleteRange: &pb.DeleteRangeRequest{Key: []byte(key), RangeEnd: []byte(end), PrevKv: true}}}
}

func inner(r *pb.TxnRequest) *pb.RequestOp {
	return &pb.RequestOp{Request: &pb.RequestOp_RequestTxn{RequestTxn: r}}
}

func (m *mixed) askKeys(ctx context.Context, one *cluster.Member) error {
	key := "keys/" + one.Name
	if _, err := one.KV.DeleteRange(ctx, &pb.DeleteRangeRequest{Key: []byte(key), RangeEnd: []byte(key + "0")}); err != nil {
		return err
	}
	for n := range 10 {
		if _, err := one.KV.Put(ctx, &pb.PutRequest{Key: fmt.Appendf(nil, "%s/%d", key, n), Value: []byte(strings.Repeat("v", n*100)), PrevKv: n%2 == 0}); err != nil {
			return err
		}
	}
	txn, err := one.KV.Txn(ctx, &pb.TxnRequest{
		Compare: []*pb.Compare{{Key: []byte(key), RangeEnd: []byte(key + "0"), Result: pb.Compare_GREATER, Target: pb.Compare_CREATE, TargetUnion: &pb.Compare_CreateRevision{CreateRevision: 0}}},
		Success: []*pb.RequestOp{read(key, key+"0", 0), put(key+"/1", "again"), remove(key+"/5", key+"/8"), inner(&pb.TxnRequest{
			Compare: []*pb.Compare{{Key: []byte(key + "/1"), Result: pb.Compare_EQUAL, Target: pb.Compare_VALUE, TargetUnion: &pb.Compare_Value{Value: []byte("no")}}},
			Success: []*pb.RequestOp{put(key+"/inner", "yes")}, Failure: []*pb.RequestOp{put(key+"/inner", "no"), remove(key+"/9", "")}})},
	})
	if err != nil || !txn.Succeeded {
		return errors.Join(err, fmt.Errorf("the transaction answers %v", txn))
	}
	if _, err := one.KV.DeleteRange(ctx, &pb.DeleteRangeRequest{Key: []byte(key + "/2"), PrevKv: true}); err != nil {
		return err
	}
	if _, err := one.KV.Put(ctx, &pb.PutRequest{Key: []byte(key + "/3"), IgnoreValue: true}); err != nil {
		return err
	}
	if err := m.askPast(ctx, one, key, 1<<40); err != nil {
		return err
	}
	for _, other := range m.Members { // each has it, and says the same at that revision
		for _, serializable := range []bool{false, true} {
			answer, err := other.KV.Range(ctx, &pb.RangeRequest{Key: []byte(key), RangeEnd: []byte(key + "0"), Serializable: serializable})
			if err != nil {
				return fmt.Errorf("read of %s: %w", m.called(other), err)
			}
			if answer.Count != 6 {
				return fmt.Errorf("%s has %d of 6 keys", m.called(other), answer.Count)
			}
		}
		if answer, err := other.KV.Range(ctx, &pb.RangeRequest{Key: []byte(key), RangeEnd: []byte(key + "0"), Revision: txn.Header.Revision - 1}); err != nil || answer.Count != 10 {
			return errors.Join(err, fmt.Errorf("%s had %d of 10 keys", m.called(other), answer.GetCount()))
		}
	}
	return nil
}

// askPast asks a Quoin for a transaction that writes, and reads at a revision that is not there yet or not any more. Nobody may write.
// What it is told depends on the version of the cluster, which rises some seconds after the start.
func (m *mixed) askPast(ctx context.Context, one *cluster.Member, key string, at int64) error {
	if m.kinds[one] != m.t.quoin {
		return nil
	}
	written := false
	err := m.retry(ctx, "a transaction that reads the past", func(ctx context.Context) error {
		now, err := one.Maintenance.Status(ctx, &pb.StatusRequest{})
		if err != nil {
			return err
		}
		want := codes.OutOfRange
		if now.StorageVersion == "3.6.0" {
			want = codes.FailedPrecondition
		}
		_, err = one.KV.Txn(ctx, &pb.TxnRequest{Success: []*pb.RequestOp{put(key+"/never", ""), read(key, "", at)}})
		written = written || err == nil
		if status.Code(err) != want {
			return fmt.Errorf("a transaction that reads at revision %d, which is not there: %v", at, err)
		}
		return nil
	})
	if written {
		return fmt.Errorf("a transaction that reads at revision %d, which is not there, is granted", at)
	}
	return err
}

// askWatch watches at one member what the others write.
func (m *mixed) askWatch(ctx context.Context, one *cluster.Member) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	stream, err := pb.NewWatchClient(one.Conn).Watch(ctx)
	if err != nil {
		return err
	}
	key := "watch/" + one.Name
	if err := stream.Send(&pb.WatchRequest{RequestUnion: &pb.WatchRequest_CreateRequest{CreateRequest: &pb.WatchCreateRequest{Key: []byte(key)}}}); err != nil {
		return err
	}
	if created, err := stream.Recv(); err != nil || !created.Created {
		return errors.Join(err, fmt.Errorf("a watch is answered by %v", created))
	}
	var want []int64
	for range 5 {
		for _, other := range m.Members {
			answer, err := other.KV.Put(ctx, &pb.PutRequest{Key: []byte(key)})
			if err != nil {
				return err
			}
			want = append(want, answer.Header.Revision)
		}
	}
	var heard []int64
	for len(heard) < len(want) {
		news, err := stream.Recv()
		if err != nil {
			return err
		}
		for _, event := range news.Events {
			heard = append(heard, event.Kv.ModRevision)
		}
	}
	if !slices.Equal(heard, want) {
		return fmt.Errorf("heard of revisions %v, written were %v", heard, want)
	}
	return nil
}

// askLeases grants a lease at one member, and asks all members about it.
func (m *mixed) askLeases(ctx context.Context, one *cluster.Member) error {
	granted, err := pb.NewLeaseClient(one.Conn).LeaseGrant(ctx, &pb.LeaseGrantRequest{TTL: 60})
	if err != nil {
		return err
	}
	key := "lease/" + one.Name
	for _, other := range m.Members {
		if _, err := other.KV.Put(ctx, &pb.PutRequest{Key: []byte(key + "/" + other.Name), Lease: granted.ID}); err != nil {
			return fmt.Errorf("put at %s: %w", m.called(other), err)
		}
	}
	for _, other := range m.Members {
		client := pb.NewLeaseClient(other.Conn)
		stream, err := client.LeaseKeepAlive(ctx)
		if err != nil {
			return err
		}
		if err := stream.Send(&pb.LeaseKeepAliveRequest{ID: granted.ID}); err != nil {
			return err
		}
		if renewed, err := stream.Recv(); err != nil || renewed.TTL != 60 {
			return errors.Join(err, fmt.Errorf("renewed at %s: %v", m.called(other), renewed))
		}
		about, err := client.LeaseTimeToLive(ctx, &pb.LeaseTimeToLiveRequest{ID: granted.ID, Keys: true})
		if err != nil || about.TTL < 50 || about.TTL > 60 || len(about.Keys) != len(m.Members) {
			return errors.Join(err, fmt.Errorf("time to live at %s: %v", m.called(other), about))
		}
		unknown, err := client.LeaseTimeToLive(ctx, &pb.LeaseTimeToLiveRequest{ID: 4711})
		if err != nil || unknown.TTL != -1 {
			return errors.Join(err, fmt.Errorf("time to live of none at %s: %v", m.called(other), unknown))
		}
		if err := stream.Send(&pb.LeaseKeepAliveRequest{ID: 4711}); err != nil {
			return err
		}
		if renewed, err := stream.Recv(); err != nil || renewed.TTL != 0 {
			return errors.Join(err, fmt.Errorf("renewal of none at %s: %v", m.called(other), renewed))
		}
	}
	other := m.rest(one)[0]
	if _, err := pb.NewLeaseClient(other.Conn).LeaseRevoke(ctx, &pb.LeaseRevokeRequest{ID: granted.ID}); err != nil {
		return err
	}
	for _, other := range m.Members {
		answer, err := other.KV.Range(ctx, &pb.RangeRequest{Key: []byte(key), RangeEnd: []byte(key + "0")})
		if err != nil || answer.Count != 0 {
			return errors.Join(err, fmt.Errorf("%s still has %d keys of a lease that was revoked", m.called(other), answer.GetCount()))
		}
	}
	return nil
}

// askExpiry lets leases end by themselves, one of each member at the same time.
func (m *mixed) askExpiry(ctx context.Context, one *cluster.Member) error {
	if one != m.Members[0] {
		return nil
	}
	began := time.Now()
	for _, at := range m.Members {
		granted, err := pb.NewLeaseClient(at.Conn).LeaseGrant(ctx, &pb.LeaseGrantRequest{TTL: 2})
		if err != nil {
			return err
		}
		if _, err := at.KV.Put(ctx, &pb.PutRequest{Key: []byte("expiry/" + at.Name), Lease: granted.ID}); err != nil {
			return err
		}
	}
	var early error
	err := m.retry(ctx, "the end of a lease", func(ctx context.Context) error {
		for _, at := range m.Members {
			answer, err := at.KV.Range(ctx, &pb.RangeRequest{Key: []byte("expiry/"), RangeEnd: []byte("expiry0")})
			if err != nil {
				return err
			}
			if took := time.Since(began); answer.Count < int64(len(m.Members)) && took < 2*time.Second {
				early = fmt.Errorf("one has ended after %v", took)
				return nil
			}
			if answer.Count > 0 {
				return fmt.Errorf("%s still has %d keys", m.called(at), answer.Count)
			}
		}
		return nil
	})
	return errors.Join(early, err)
}

func (m *mixed) askCompaction(ctx context.Context, one *cluster.Member) error {
	now, err := one.KV.Range(ctx, &pb.RangeRequest{Key: []byte("x")})
	if err != nil {
		return err
	}
	at := now.Header.Revision - 3
	if _, err := one.KV.Compact(ctx, &pb.CompactionRequest{Revision: at, Physical: true}); err != nil {
		return err
	}
	for _, other := range m.Members {
		if _, err := other.KV.Range(ctx, &pb.RangeRequest{Key: []byte("x")}); err != nil {
			return err
		}
		if _, err := other.KV.Range(ctx, &pb.RangeRequest{Key: []byte("x"), Revision: at - 1}); status.Code(err) != codes.OutOfRange {
			return fmt.Errorf("a read at %s of what is compacted: %v", m.called(other), err)
		}
	}
	if err := m.askPast(ctx, one, "x", at-1); err != nil {
		return err
	}
	_, err = one.KV.Put(ctx, &pb.PutRequest{Key: []byte("x")})
	return err
}

// askAlarm raises an alarm in the name of a member, at that member, and takes it back at another one.
func (m *mixed) askAlarm(ctx context.Context, one *cluster.Member) error {
	alarm := &pb.AlarmRequest{Action: pb.AlarmRequest_ACTIVATE, MemberID: one.ID, Alarm: pb.AlarmType_NOSPACE}
	if _, err := one.Maintenance.Alarm(ctx, alarm); err != nil {
		return err
	}
	for _, other := range m.Members {
		if _, err := other.KV.Range(ctx, &pb.RangeRequest{Key: []byte("x")}); err != nil {
			return fmt.Errorf("a read at %s under the alarm: %w", m.called(other), err)
		}
		if _, err := other.KV.Put(ctx, &pb.PutRequest{Key: []byte("x")}); status.Code(err) != codes.ResourceExhausted {
			return fmt.Errorf("a write at %s under the alarm: %v", m.called(other), err)
		}
		if _, err := pb.NewLeaseClient(other.Conn).LeaseGrant(ctx, &pb.LeaseGrantRequest{TTL: 60}); status.Code(err) != codes.ResourceExhausted {
			return fmt.Errorf("a lease at %s under the alarm: %v", m.called(other), err)
		}
		if _, err := other.KV.DeleteRange(ctx, &pb.DeleteRangeRequest{Key: []byte("x")}); err != nil {
			return fmt.Errorf("a deletion at %s under the alarm: %w", m.called(other), err)
		}
	}
	off := &pb.AlarmRequest{Action: pb.AlarmRequest_DEACTIVATE, MemberID: one.ID, Alarm: pb.AlarmType_NOSPACE}
	if _, err := m.rest(one)[0].Maintenance.Alarm(ctx, off); err != nil {
		return err
	}
	for _, other := range m.Members {
		if _, err := other.KV.Put(ctx, &pb.PutRequest{Key: []byte("x")}); err != nil {
			return fmt.Errorf("a write at %s after the alarm: %w", m.called(other), err)
		}
	}
	return nil
}

func (m *mixed) askMaintenance(ctx context.Context, one *cluster.Member) error {
	if _, err := one.Maintenance.Defragment(ctx, &pb.DefragmentRequest{}); err != nil {
		return fmt.Errorf("defragment: %w", err)
	}
	stream, err := one.Maintenance.Snapshot(ctx, &pb.SnapshotRequest{})
	if err != nil {
		return err
	}
	for {
		_, err := stream.Recv()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return fmt.Errorf("snapshot: %w", err)
		}
	}
	if err := validates(ctx, one); err != nil {
		return err
	}
	return m.lead(ctx, one)
}

// validates asks whether the cluster could go down to versions. Of a cluster of version 3.6 both would be other ones.
func validates(ctx context.Context, one *cluster.Member) error {
	now, err := one.Maintenance.Status(ctx, &pb.StatusRequest{})
	if err != nil || now.StorageVersion != "3.7.0" {
		return err
	}
	for _, v := range []struct {
		version string
		code    codes.Code
	}{{"3.6.0", codes.OK}, {"3.5.0", codes.InvalidArgument}} {
		_, err := one.Maintenance.Downgrade(ctx, &pb.DowngradeRequest{Action: pb.DowngradeRequest_VALIDATE, Version: v.version})
		if status.Code(err) != v.code {
			return fmt.Errorf("validation of a downgrade to %s: %v", v.version, err)
		}
	}
	return nil
}

const secret = "a password"

// askUsers lets access be controlled by one member, and asks all who may what; then ends it at another one.
func (m *mixed) askUsers(ctx context.Context, one *cluster.Member) error {
	auth := pb.NewAuthClient(one.Conn)
	user, role := "user-of-"+one.Name, "role-of-"+one.Name
	_, err := auth.UserAdd(ctx, &pb.AuthUserAddRequest{Name: "root", Password: secret})
	if err != nil && !strings.Contains(err.Error(), "already exists") {
		return err
	}
	if _, err := auth.UserGrantRole(ctx, &pb.AuthUserGrantRoleRequest{User: "root", Role: "root"}); err != nil {
		return err
	}
	if _, err := auth.UserAdd(ctx, &pb.AuthUserAddRequest{Name: user, Password: secret, Options: &authpb.UserAddOptions{}}); err != nil && !strings.Contains(err.Error(), "already exists") {
		return err
	}
	if _, err := auth.RoleAdd(ctx, &pb.AuthRoleAddRequest{Name: role}); err != nil && !strings.Contains(err.Error(), "already exists") {
		return err
	}
	for _, granted := range []*authpb.Permission{{PermType: authpb.READWRITE, Key: []byte("auth/"), RangeEnd: []byte("auth0")}, {PermType: authpb.READ, Key: []byte("see")}} {
		if _, err := auth.RoleGrantPermission(ctx, &pb.AuthRoleGrantPermissionRequest{Name: role, Perm: granted}); err != nil {
			return err
		}
	}
	if _, err := auth.UserGrantRole(ctx, &pb.AuthUserGrantRoleRequest{User: user, Role: role}); err != nil {
		return err
	}
	if _, err := auth.UserChangePassword(ctx, &pb.AuthUserChangePasswordRequest{Name: user, Password: secret + "!"}); err != nil {
		return err
	}
	if _, err := auth.AuthEnable(ctx, &pb.AuthEnableRequest{}); err != nil {
		return err
	}
	m.password = secret
	defer func() { m.password = "" }()
	// Who has not applied that yet takes the word of nobody, which all refuse: so it is with etcd, too.
	if err := m.agree(ctx); err != nil {
		return err
	}
	for _, giver := range m.Members {
		known, err := pb.NewAuthClient(giver.Conn).Authenticate(ctx, &pb.AuthenticateRequest{Name: user, Password: secret + "!"})
		if err != nil {
			return fmt.Errorf("a token of %s: %w", m.called(giver), err)
		}
		ctx := metadata.AppendToOutgoingContext(ctx, "token", known.Token)
		for _, other := range m.Members {
			err := asUser(ctx, other)
			// A token of etcd's names the entry before its own: an etcd that has applied that one alone refuses it.
			for end := time.Now().Add(2 * time.Second); err != nil && strings.Contains(err.Error(), "invalid auth token") && time.Now().Before(end); err = asUser(ctx, other) {
				time.Sleep(50 * time.Millisecond)
			}
			if err != nil {
				return fmt.Errorf("with a token of %s, at %s: %w", m.called(giver), m.called(other), err)
			}
		}
	}
	// Root takes part of it back, and what was known before must be known no more.
	other := pb.NewAuthClient(m.rest(one)[0].Conn)
	err = m.retry(ctx, "take a permission back", func(ctx context.Context) error {
		_, err := other.RoleRevokePermission(m.asRoot(ctx), &pb.AuthRoleRevokePermissionRequest{Role: role, Key: []byte("see")})
		return err
	})
	if err != nil {
		return err
	}
	if err := m.agree(ctx); err != nil {
		return err
	}
	return m.retry(ctx, "end the control of access", func(ctx context.Context) error {
		_, err := other.AuthDisable(m.asRoot(ctx), &pb.AuthDisableRequest{})
		return err
	})
}

func asUser(ctx context.Context, at *cluster.Member) error {
	if _, err := at.KV.Put(ctx, &pb.PutRequest{Key: []byte("auth/x")}); err != nil {
		return fmt.Errorf("put: %w", err)
	}
	if _, err := at.KV.Range(ctx, &pb.RangeRequest{Key: []byte("see")}); err != nil {
		return fmt.Errorf("get: %w", err)
	}
	if _, err := at.KV.Put(ctx, &pb.PutRequest{Key: []byte("see")}); status.Code(err) != codes.PermissionDenied {
		return fmt.Errorf("put of what may only be seen: %v", err)
	}
	txn := &pb.TxnRequest{Success: []*pb.RequestOp{put("auth/y", ""), inner(&pb.TxnRequest{Success: []*pb.RequestOp{put("other", "")}})}}
	if _, err := at.KV.Txn(ctx, txn); status.Code(err) != codes.PermissionDenied {
		return fmt.Errorf("a transaction that touches what it may not: %v", err)
	}
	granted, err := pb.NewLeaseClient(at.Conn).LeaseGrant(ctx, &pb.LeaseGrantRequest{TTL: 60})
	if err != nil {
		return err
	}
	if _, err := at.KV.Put(ctx, &pb.PutRequest{Key: []byte("auth/leased"), Lease: granted.ID}); err != nil {
		return err
	}
	_, err = pb.NewLeaseClient(at.Conn).LeaseRevoke(ctx, &pb.LeaseRevokeRequest{ID: granted.ID})
	return err
}
