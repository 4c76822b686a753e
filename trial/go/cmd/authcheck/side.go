package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"go.etcd.io/etcd/api/v3/authpb"
	pb "go.etcd.io/etcd/api/v3/etcdserverpb"
	"google.golang.org/grpc"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	"quoin.dev/trial/internal/cluster"
	"quoin.dev/trial/internal/process"
)

const patience = 5 * time.Second

// alarm is what is raised while questions are asked.
type alarm struct {
	name string
	kind pb.AlarmType
}

var alarms = []alarm{{"no alarm", pb.AlarmType_NONE}, {"NOSPACE", pb.AlarmType_NOSPACE}, {"CORRUPT", pb.AlarmType_CORRUPT}}

// caller is who asks. Its token is the user's, or what is said here.
type caller struct {
	name  string
	user  string
	token string
}

var callers = []caller{
	{name: "nobody"},
	{name: "a token of chance", token: "abcdefghijklmnop.7"},
	{name: "no token at all", token: "nonsense"},
	{name: "whose password was changed", user: "changed"},
	{name: "who was deleted", user: "deleted"},
	{name: "without a role", user: "plain"},
	{name: "reader of a key", user: "exact"},
	{name: "reader of a range", user: "range"},
	{name: "reader from a key on", user: "from"},
	{name: "reader of two ranges that meet", user: "two"},
	{name: "user of a prefix", user: "prefix"},
	{name: "writer of a prefix", user: "writer"},
	{name: "user of other keys", user: "other"},
	{name: "holder of the role root", user: "admin"},
	{name: "root", user: "root"},
}

// permissions are those of the role that is called as its user is.
var permissions = map[string][]*authpb.Permission{
	"exact":  {permission(authpb.Permission_READ, "k/a", "")},
	"range":  {permission(authpb.Permission_READ, "k/a", "k/m")},
	"from":   {permission(authpb.Permission_READ, "k/a", "\x00")},
	"two":    {permission(authpb.Permission_READ, "k/", "k/b"), permission(authpb.Permission_READWRITE, "k/b", "k0")},
	"prefix": {permission(authpb.Permission_READWRITE, "k/", "k0")},
	"writer": {permission(authpb.Permission_WRITE, "k/", "k0")},
	"other":  {permission(authpb.Permission_READWRITE, "o/", "o0")},
}

func permission(kind authpb.Permission_Type, key, end string) *authpb.Permission {
	return &authpb.Permission{PermType: kind, Key: []byte(key), RangeEnd: []byte(end)}
}

// side is one of the systems that are compared, and the member of it that is asked.
type side struct {
	servers []*process.Server
	cluster *cluster.Cluster
	conn    *grpc.ClientConn
	member  uint64
	peer    string
	tokens  map[string]string
}

func start(ctx context.Context, command []string, dir string, members int) (*side, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	s := &side{tokens: map[string]string{}}
	address, peer := "", ""
	if members == 1 {
		server, err := process.New(command, dir)
		if err != nil {
			return nil, err
		}
		if _, err := server.Start(ctx, time.Minute); err != nil {
			return nil, err
		}
		s.servers = append(s.servers, server)
		address, peer = server.Address(), server.Peer
	} else {
		c, err := cluster.New(command, dir, members, cluster.Straight)
		if err != nil {
			return nil, err
		}
		s.cluster = c
		if err := c.Start(ctx, time.Minute); err != nil {
			return nil, err
		}
		for _, member := range c.Members {
			status, err := pb.NewMaintenanceClient(member.Conn).Status(ctx, &pb.StatusRequest{})
			if err != nil {
				return nil, err
			}
			if status.Leader != status.Header.MemberId {
				address, peer = member.Server.Address(), member.Server.Peer
			}
		}
	}
	conn, err := process.Dial(address)
	if err != nil {
		return nil, err
	}
	s.conn, s.peer = conn, peer
	status, err := pb.NewMaintenanceClient(conn).Status(ctx, &pb.StatusRequest{})
	if err != nil {
		return nil, err
	}
	s.member = status.Header.MemberId
	return s, s.users(ctx)
}

func (s *side) close() {
	if s.conn != nil {
		s.conn.Close()
	}
	for _, server := range s.servers {
		server.Kill()
	}
	if s.cluster != nil {
		s.cluster.Kill()
	}
}

// users makes all users and roles, lets access be controlled, and lets everybody log in.
func (s *side) users(ctx context.Context) error {
	auth := pb.NewAuthClient(s.conn)
	var failed error
	did := func(_ any, err error) {
		if failed == nil {
			failed = err
		}
	}
	for _, caller := range callers {
		if caller.user == "" {
			continue
		}
		did(auth.UserAdd(ctx, &pb.AuthUserAddRequest{Name: caller.user, Password: "pass of " + caller.user, Options: &authpb.UserAddOptions{}}))
		for _, permission := range permissions[caller.user] {
			auth.RoleAdd(ctx, &pb.AuthRoleAddRequest{Name: caller.user})
			did(auth.RoleGrantPermission(ctx, &pb.AuthRoleGrantPermissionRequest{Name: caller.user, Perm: permission}))
		}
		if permissions[caller.user] != nil {
			did(auth.UserGrantRole(ctx, &pb.AuthUserGrantRoleRequest{User: caller.user, Role: caller.user}))
		}
	}
	did(auth.UserAdd(ctx, &pb.AuthUserAddRequest{Name: "silent", Options: &authpb.UserAddOptions{NoPassword: true}}))
	for _, user := range []string{"root", "admin"} {
		did(auth.UserGrantRole(ctx, &pb.AuthUserGrantRoleRequest{User: user, Role: "root"}))
	}
	did(auth.AuthEnable(ctx, &pb.AuthEnableRequest{}))
	if failed != nil {
		return failed
	}
	if err := s.login(ctx, func(string) bool { return true }); err != nil {
		return err
	}
	did(auth.UserDelete(s.root(ctx), &pb.AuthUserDeleteRequest{Name: "deleted"}))
	did(auth.UserChangePassword(s.root(ctx), &pb.AuthUserChangePasswordRequest{Name: "changed", Password: "another"}))
	if failed != nil {
		return failed
	}
	// Signed tokens are too old by now: all but those that are meant to be.
	return s.login(ctx, func(user string) bool { return user != "deleted" && user != "changed" })
}

func (s *side) login(ctx context.Context, who func(user string) bool) error {
	for _, caller := range callers {
		if caller.user == "" || !who(caller.user) {
			continue
		}
		response, err := pb.NewAuthClient(s.conn).Authenticate(ctx, &pb.AuthenticateRequest{Name: caller.user, Password: "pass of " + caller.user})
		if err != nil {
			return fmt.Errorf("log %s in: %w", caller.user, err)
		}
		s.tokens[caller.user] = response.Token
	}
	return nil
}

func (s *side) root(ctx context.Context) context.Context {
	return metadata.AppendToOutgoingContext(ctx, "token", s.tokens["root"])
}

// prepare makes the same keys and leases again, and raises the alarm.
func (s *side) prepare(ctx context.Context, alarm alarm) error {
	root := s.root(ctx)
	kv, leases := pb.NewKVClient(s.conn), pb.NewLeaseClient(s.conn)
	list, err := leases.LeaseLeases(root, &pb.LeaseLeasesRequest{})
	if err != nil {
		return err
	}
	for _, lease := range list.Leases {
		if _, err := leases.LeaseRevoke(root, &pb.LeaseRevokeRequest{ID: lease.ID}); err != nil {
			return err
		}
	}
	if _, err := kv.DeleteRange(root, &pb.DeleteRangeRequest{Key: []byte{0}, RangeEnd: []byte{0}}); err != nil {
		return err
	}
	for _, id := range []int64{leaseOfK, leaseOfO, leaseOfNone} {
		if _, err := leases.LeaseGrant(root, &pb.LeaseGrantRequest{ID: id, TTL: 3600}); err != nil {
			return err
		}
	}
	for _, put := range []*pb.PutRequest{{Key: []byte("k/a"), Lease: leaseOfK}, {Key: []byte("k/b")}, {Key: []byte("k/y")},
		{Key: []byte("o/x"), Lease: leaseOfO}, {Key: []byte("z")}} {
		put.Value = []byte("value")
		if _, err := kv.Put(root, put); err != nil {
			return err
		}
	}
	return s.alarm(ctx, alarm, pb.AlarmRequest_ACTIVATE)
}

func (s *side) unraise(ctx context.Context, alarm alarm) error {
	return s.alarm(ctx, alarm, pb.AlarmRequest_DEACTIVATE)
}

func (s *side) alarm(ctx context.Context, alarm alarm, action pb.AlarmRequest_AlarmAction) error {
	if alarm.kind == pb.AlarmType_NONE {
		return nil
	}
	_, err := pb.NewMaintenanceClient(s.conn).Alarm(s.root(ctx), &pb.AlarmRequest{Action: action, MemberID: s.member, Alarm: alarm.kind})
	return err
}

// dump is all keys and leases, as root sees them. Numbers of leases that the server chose are not compared.
func (s *side) dump(ctx context.Context) string {
	response, err := pb.NewKVClient(s.conn).Range(s.root(ctx), &pb.RangeRequest{Key: []byte{0}, RangeEnd: []byte{0}})
	if err != nil {
		return err.Error()
	}
	var text strings.Builder
	for _, kv := range response.Kvs {
		fmt.Fprintf(&text, "%q=%q version %d lease %d; ", kv.Key, kv.Value, kv.Version, kv.Lease)
	}
	fmt.Fprintf(&text, "revision %d", response.Header.Revision)
	return text.String()
}

// ask puts a question in a caller's name. The answer is a code with its words, or what the question makes of the answer.
func (s *side) ask(ctx context.Context, caller caller, question question) string {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	if token := caller.token + s.tokens[caller.user]; token != "" {
		ctx = metadata.AppendToOutgoingContext(ctx, "token", token)
	}
	answer, err := question.ask(ctx, s, caller)
	return said(answer, err)
}

func said(answer string, err error) string {
	if err == nil {
		return "OK " + answer
	}
	if s, is := status.FromError(err); is {
		return s.Code().String() + ": " + s.Message()
	}
	if errors.Is(err, context.DeadlineExceeded) {
		return "nothing in time"
	}
	return err.Error()
}
