package main

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"

	"go.etcd.io/etcd/api/v3/authpb"
	pb "go.etcd.io/etcd/api/v3/etcdserverpb"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	"quoin.dev/trial/internal/certificates"
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

// caller is who asks. Its token is the user's, or what is said here; where certificates count, one with the user's name takes the
// place of the user's token, and who has a token of its own has root's certificate besides.
type caller struct {
	name   string
	user   string
	token  string
	isRoot bool // may end the control of access, and is not let
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
	{name: "holder of the role root", user: "admin", isRoot: true},
	{name: "root", user: "root", isRoot: true},
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

// how the questions are asked.
type how struct {
	members   int
	byGateway bool
	authority *certificates.Authority // callers show certificates instead of tokens; nil: plain connections, and tokens
}

// side is one of the systems that are compared, and the member of it that is asked.
type side struct {
	how
	servers []*process.Server
	cluster *cluster.Cluster
	admin   *grpc.ClientConn // for what belongs to no question
	member  uint64
	client  string
	peer    string
	tokens  map[string]string

	conn  grpc.ClientConnInterface // of whoever asks now
	conns map[string]grpc.ClientConnInterface
	asked map[string]bool // methods
}

func start(ctx context.Context, command []string, dir string, how how) (*side, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	s := &side{how: how, tokens: map[string]string{}, conns: map[string]grpc.ClientConnInterface{}, asked: map[string]bool{}}
	address, peer := "", ""
	dialling, err := s.dialling("root")
	if err != nil {
		return nil, err
	}
	if how.members == 1 {
		server, err := s.server(command, dir)
		if err != nil {
			return nil, err
		}
		server.Dialling = dialling
		if _, err := server.Start(ctx, time.Minute); err != nil {
			return nil, err
		}
		s.servers = append(s.servers, server)
		address, peer, s.client = server.Address(), server.Peer, server.Client
	} else {
		c, err := cluster.New(command, dir, how.members, cluster.Straight)
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
				address, peer, s.client = member.Server.Address(), member.Server.Peer, member.Server.Client
			}
		}
	}
	if s.admin, err = process.Dial(address, dialling...); err != nil {
		return nil, err
	}
	s.peer = peer
	status, err := pb.NewMaintenanceClient(s.admin).Status(ctx, &pb.StatusRequest{})
	if err != nil {
		return nil, err
	}
	s.member = status.Header.MemberId
	return s, s.users(ctx)
}

// server prepares a member that is alone, behind TLS if certificates count.
func (s *side) server(command []string, dir string) (*process.Server, error) {
	if s.authority == nil {
		return process.New(command, dir)
	}
	return process.NewEncrypted(append(slices.Clone(command), s.authority.FlagsAsking()...), dir)
}

// certificate is what somebody shows; nil where nobody is asked for one.
func (s *side) certificate(commonName string) (*tls.Config, error) {
	if s.authority == nil {
		return nil, nil
	}
	return s.authority.Client(commonName)
}

func (s *side) dialling(commonName string) ([]grpc.DialOption, error) {
	shown, err := s.certificate(commonName)
	if err != nil || shown == nil {
		return nil, err
	}
	return []grpc.DialOption{grpc.WithTransportCredentials(credentials.NewTLS(shown))}, nil
}

// connection is the caller's own.
func (s *side) connection(caller caller) (grpc.ClientConnInterface, error) {
	name := caller.user
	switch {
	case s.authority == nil:
		name = ""
	case caller.token != "":
		name = "root"
	case name == "":
		name = "stranger"
	}
	if conn, has := s.conns[name]; has {
		return conn, nil
	}
	conn, err := s.open(name)
	if err == nil {
		s.conns[name] = recorder{conn, s.asked}
	}
	return s.conns[name], err
}

func (s *side) open(commonName string) (grpc.ClientConnInterface, error) {
	if s.byGateway {
		shown, err := s.certificate(commonName)
		return newGateway(s.client, shown), err
	}
	dialling, err := s.dialling(commonName)
	if err != nil {
		return nil, err
	}
	return process.Dial(strings.SplitN(s.client, "://", 2)[1], dialling...)
}

func (s *side) close() {
	if s.admin != nil {
		s.admin.Close()
	}
	for _, conn := range s.conns {
		if open, is := conn.(recorder).ClientConnInterface.(*grpc.ClientConn); is {
			open.Close()
		}
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
	auth := pb.NewAuthClient(s.admin)
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
		response, err := pb.NewAuthClient(s.admin).Authenticate(ctx, &pb.AuthenticateRequest{Name: caller.user, Password: "pass of " + caller.user})
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
	kv, leases := pb.NewKVClient(s.admin), pb.NewLeaseClient(s.admin)
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
	_, err := pb.NewMaintenanceClient(s.admin).Alarm(s.root(ctx), &pb.AlarmRequest{Action: action, MemberID: s.member, Alarm: alarm.kind})
	return err
}

// dump is all keys and leases, as root sees them. Numbers of leases that the server chose are not compared.
func (s *side) dump(ctx context.Context) string {
	response, err := pb.NewKVClient(s.admin).Range(s.root(ctx), &pb.RangeRequest{Key: []byte{0}, RangeEnd: []byte{0}})
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
	conn, err := s.connection(caller)
	if err != nil {
		return err.Error()
	}
	s.conn = conn
	token := caller.token
	if s.authority == nil {
		token += s.tokens[caller.user]
	}
	if token != "" {
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
