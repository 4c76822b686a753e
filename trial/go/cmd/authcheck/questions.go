package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"go.etcd.io/etcd/api/v3/authpb"
	pb "go.etcd.io/etcd/api/v3/etcdserverpb"
	epb "go.etcd.io/etcd/server/v3/etcdserver/api/v3election/v3electionpb"
	lpb "go.etcd.io/etcd/server/v3/etcdserver/api/v3lock/v3lockpb"
	"google.golang.org/grpc/codes"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/status"
)

const (
	leaseOfK    = 1001 // k/a is attached to it
	leaseOfO    = 1002 // o/x is
	leaseOfNone = 1003
	noLease     = 1004
)

// question is an RPC with what is asked of it. They are asked in this order: what takes things away comes last.
type question struct {
	name  string
	ask   func(ctx context.Context, s *side, c caller) (string, error)
	known func(left, right string) bool // a difference that is meant to be
}

var questions = build()

func build() []question {
	var all []question
	add := func(name string, ask func(ctx context.Context, s *side, c caller) (string, error)) {
		all = append(all, question{name: name, ask: ask})
	}
	reads(add)
	watches(add)
	puts(add)
	txns(add)
	maintenance(add)
	members(add)
	users(add)
	coordination(add)
	leases(add)
	deletions(add)
	for i := range all {
		all[i].known = knownDifferences[all[i].name]
		if strings.HasPrefix(all[i].name, "Lock, ") || strings.HasPrefix(all[i].name, "Campaign, ") {
			all[i].known = refusedFirst
		}
		if strings.HasPrefix(all[i].name, "RangeStream, ") {
			all[i].known = toldNothing
		}
	}
	return all
}

type adder = func(name string, ask func(ctx context.Context, s *side, c caller) (string, error))

// refusedFirst is what is said, under an alarm, to who may not read a queue: that, and not that nothing can be written.
func refusedFirst(left, right string) bool {
	return (left == "Unknown: etcdserver: mvcc: database space exceeded" || left == "Unknown: etcdserver: corrupt cluster") &&
		(right == "Unknown: etcdserver: permission denied" || right == "Unknown: etcdserver: user name is empty" ||
			right == "Unknown: etcdserver: revision of auth store is old")
}

// toldNothing is what who comes from another time is told of a stream: etcd tells all of it, and ends with the refusal.
func toldNothing(left, right string) bool {
	return strings.HasPrefix(left, "OK ") && right == "InvalidArgument: etcdserver: revision of auth store is old"
}

// knownDifferences are those that are meant to be, each with its reason in docs/compatibility.md.
var knownDifferences = map[string]func(left, right string) bool{
	// etcd ends the stream well and says nothing.
	"Observe": func(left, right string) bool {
		return left == "OK " && (strings.HasPrefix(right, "Unknown: etcdserver: ") || right == "OK ")
	},
	// A password is hashed only for who may have it hashed.
	"UserAdd, a long password": func(left, right string) bool {
		return left == "Unknown: bcrypt: password length exceeds 72 bytes" && !strings.HasPrefix(right, "OK")
	},
	// Who may not is not told what else is wrong.
	"MemberAdd, no URL": func(left, right string) bool {
		return strings.HasPrefix(left, "InvalidArgument: etcdserver: given member URLs") && !strings.HasPrefix(right, "OK")
	},
}

func reads(add adder) {
	for _, r := range []struct{ name, key, end string }{{"a key", "k/a", ""}, {"another key", "k/y", ""}, {"a key that is not there", "k/none", ""},
		{"a range", "k/a", "k/c"}, {"a prefix", "k/", "k0"}, {"from a key on", "k/a", "\x00"}, {"everything", "\x00", "\x00"},
		{"a range backwards", "k/m", "k/a"}, {"others' key", "o/x", ""}, {"no key", "", ""}} {
		for _, serializable := range []bool{false, true} {
			name := fmt.Sprintf("Range, %s, serializable %v", r.name, serializable)
			add(name, func(ctx context.Context, s *side, _ caller) (string, error) {
				response, err := pb.NewKVClient(s.conn).Range(ctx, &pb.RangeRequest{Key: []byte(r.key), RangeEnd: []byte(r.end), Serializable: serializable})
				return fmt.Sprintf("%d of %d", len(response.GetKvs()), response.GetCount()), err
			})
		}
		add("Range, count of "+r.name, func(ctx context.Context, s *side, _ caller) (string, error) {
			response, err := pb.NewKVClient(s.conn).Range(ctx, &pb.RangeRequest{Key: []byte(r.key), RangeEnd: []byte(r.end), CountOnly: true})
			return fmt.Sprint(response.GetCount()), err
		})
		add("RangeStream, "+r.name, func(ctx context.Context, s *side, _ caller) (string, error) {
			stream, err := pb.NewKVClient(s.conn).RangeStream(ctx, &pb.RangeRequest{Key: []byte(r.key), RangeEnd: []byte(r.end)})
			if err != nil {
				return "", err
			}
			// To its end: etcd tells who may not know the keys, for a token of another time, after them.
			kvs := 0
			for {
				response, err := stream.Recv()
				if errors.Is(err, io.EOF) {
					return fmt.Sprint(kvs), nil
				}
				if err != nil {
					return "", err
				}
				kvs += len(response.GetRangeResponse().GetKvs())
			}
		})
	}
}

func watches(add adder) {
	put := []pb.WatchCreateRequest_FilterType{pb.WatchCreateRequest_NOPUT}
	for _, w := range []struct {
		name, key, end string
		start          int64
		prev           bool
		filters        []pb.WatchCreateRequest_FilterType
	}{{name: "a key", key: "k/a"}, {name: "another key", key: "k/y"}, {name: "a range", key: "k/a", end: "k/c"},
		{name: "a prefix", key: "k/", end: "k0"}, {name: "from a key on", key: "k/a", end: "\x00"}, {name: "everything", end: "\x00"},
		{name: "a range backwards", key: "k/m", end: "k/a"}, {name: "others' key", key: "o/x"}, {name: "a key and others'", key: "k/a", end: "o/y"},
		{name: "before all time", key: "k/a", start: -1}, {name: "from the future on", key: "k/a", start: 1 << 40},
		{name: "a key, with what was before", key: "k/a", prev: true}, {name: "a prefix, with what was before", key: "k/", end: "k0", prev: true},
		{name: "deletions of a key", key: "k/a", filters: put}, {name: "deletions from a key on", key: "k/a", end: "\x00", filters: put}} {
		add("Watch, "+w.name, func(ctx context.Context, s *side, _ caller) (string, error) {
			ctx, cancel := context.WithCancel(ctx)
			defer cancel()
			stream, err := pb.NewWatchClient(s.conn).Watch(ctx)
			if err != nil {
				return "", err
			}
			request := &pb.WatchRequest{RequestUnion: &pb.WatchRequest_CreateRequest{CreateRequest: &pb.WatchCreateRequest{
				Key: []byte(w.key), RangeEnd: []byte(w.end), StartRevision: w.start, PrevKv: w.prev, Filters: w.filters}}}
			if err := stream.Send(request); err != nil {
				return "", err
			}
			response, err := stream.Recv()
			return fmt.Sprintf("id %d created %v canceled %v: %s", response.GetWatchId(), response.GetCreated(),
				response.GetCanceled(), response.GetCancelReason()), err
		})
	}
}

func puts(add adder) {
	for name, put := range ordered(map[string]*pb.PutRequest{
		"a key":                                      {Key: []byte("k/a"), Lease: leaseOfK},
		"a key away from its lease":                  {Key: []byte("k/b"), Lease: 0},
		"another key":                                {Key: []byte("k/y")},
		"others' key":                                {Key: []byte("o/x"), Lease: leaseOfO},
		"with what was before":                       {Key: []byte("k/b"), PrevKv: true},
		"attached to its lease":                      {Key: []byte("k/b"), Lease: leaseOfK},
		"attached to others' lease":                  {Key: []byte("k/b"), Lease: leaseOfO},
		"attached to a lease of none":                {Key: []byte("k/y"), Lease: leaseOfNone},
		"attached to no lease":                       {Key: []byte("k/b"), Lease: noLease},
		"the value that it has":                      {Key: []byte("k/b"), IgnoreValue: true},
		"under the lease that it has":                {Key: []byte("k/b"), IgnoreLease: true},
		"that keeps value and lease, and tells":      {Key: []byte("k/a"), IgnoreValue: true, IgnoreLease: true, PrevKv: true},
		"that keeps its value, under others' lease":  {Key: []byte("k/b"), IgnoreValue: true, Lease: leaseOfO},
		"that keeps its lease, and has one":          {Key: []byte("k/b"), IgnoreLease: true, Lease: leaseOfK},
		"that keeps its value, and has one":          {Key: []byte("k/b"), IgnoreValue: true, Value: []byte("x")},
		"that keeps the value of a key that is not":  {Key: []byte("k/none"), IgnoreValue: true},
		"of others that tells":                       {Key: []byte("o/x"), Lease: leaseOfO, PrevKv: true},
		"of others that keeps value and lease":       {Key: []byte("o/x"), IgnoreValue: true, IgnoreLease: true},
		"with what was before, attached to others'":  {Key: []byte("k/b"), PrevKv: true, Lease: leaseOfO},
		"with what was before, attached to its own":  {Key: []byte("k/b"), PrevKv: true, Lease: leaseOfK},
		"with what was before, of a key that is not": {Key: []byte("k/y/"), PrevKv: true},
		"no key": {},
	}) {
		add("Put, "+name, func(ctx context.Context, s *side, _ caller) (string, error) {
			response, err := pb.NewKVClient(s.conn).Put(ctx, put)
			return fmt.Sprintf("before %q", response.GetPrevKv().GetValue()), err
		})
	}
	add("Compact, the future", func(ctx context.Context, s *side, _ caller) (string, error) {
		_, err := pb.NewKVClient(s.conn).Compact(ctx, &pb.CompactionRequest{Revision: 1 << 40})
		return "", err
	})
}

func opPut(put *pb.PutRequest) *pb.RequestOp {
	return &pb.RequestOp{Request: &pb.RequestOp_RequestPut{RequestPut: put}}
}

func opRange(key, end string) *pb.RequestOp {
	return &pb.RequestOp{Request: &pb.RequestOp_RequestRange{RequestRange: &pb.RangeRequest{Key: []byte(key), RangeEnd: []byte(end)}}}
}

func opDelete(key, end string, prev bool) *pb.RequestOp {
	return &pb.RequestOp{Request: &pb.RequestOp_RequestDeleteRange{RequestDeleteRange: &pb.DeleteRangeRequest{Key: []byte(key), RangeEnd: []byte(end), PrevKv: prev}}}
}

func opTxn(txn *pb.TxnRequest) *pb.RequestOp {
	return &pb.RequestOp{Request: &pb.RequestOp_RequestTxn{RequestTxn: txn}}
}

func compare(key, end string) *pb.Compare {
	return &pb.Compare{Key: []byte(key), RangeEnd: []byte(end), Target: pb.Compare_CREATE, Result: pb.Compare_GREATER,
		TargetUnion: &pb.Compare_CreateRevision{CreateRevision: 0}}
}

// txns are transactions with one step that may be forbidden, at each depth and in each branch.
func txns(add adder) {
	steps := map[string]func() *pb.RequestOp{
		"range of a key":           func() *pb.RequestOp { return opRange("k/a", "") },
		"range of a prefix":        func() *pb.RequestOp { return opRange("k/", "k0") },
		"range from a key on":      func() *pb.RequestOp { return opRange("k/a", "\x00") },
		"range of others":          func() *pb.RequestOp { return opRange("o/x", "") },
		"put":                      func() *pb.RequestOp { return opPut(&pb.PutRequest{Key: []byte("k/b")}) },
		"put with what was before": func() *pb.RequestOp { return opPut(&pb.PutRequest{Key: []byte("k/b"), PrevKv: true}) },
		"put attached to others":   func() *pb.RequestOp { return opPut(&pb.PutRequest{Key: []byte("k/b"), Lease: leaseOfO}) },
		"put attached to its own":  func() *pb.RequestOp { return opPut(&pb.PutRequest{Key: []byte("k/b"), Lease: leaseOfK}) },
		"put of others":            func() *pb.RequestOp { return opPut(&pb.PutRequest{Key: []byte("o/y")}) },
		"put that keeps the value": func() *pb.RequestOp { return opPut(&pb.PutRequest{Key: []byte("k/b"), IgnoreValue: true}) },
		"put that keeps the lease": func() *pb.RequestOp { return opPut(&pb.PutRequest{Key: []byte("k/b"), IgnoreLease: true}) },
		"put of others that keeps all": func() *pb.RequestOp {
			return opPut(&pb.PutRequest{Key: []byte("o/x"), IgnoreValue: true, IgnoreLease: true})
		},
		"put of others that tells": func() *pb.RequestOp {
			return opPut(&pb.PutRequest{Key: []byte("o/x"), IgnoreValue: true, IgnoreLease: true, PrevKv: true})
		},
		"put attached to none":       func() *pb.RequestOp { return opPut(&pb.PutRequest{Key: []byte("k/b"), Lease: leaseOfNone}) },
		"range backwards":            func() *pb.RequestOp { return opRange("k/m", "k/a") },
		"range of no key":            func() *pb.RequestOp { return opRange("", "") },
		"deletion of a prefix, told": func() *pb.RequestOp { return opDelete("k/none", "k/nonf", true) },
		"two steps, one of others": func() *pb.RequestOp {
			return opTxn(&pb.TxnRequest{Success: []*pb.RequestOp{opRange("k/a", ""), opRange("o/x", "")}})
		},
		"condition from a key on":      func() *pb.RequestOp { return opTxn(&pb.TxnRequest{Compare: []*pb.Compare{compare("k/a", "\x00")}}) },
		"nothing at all":               func() *pb.RequestOp { return &pb.RequestOp{} },
		"deletion of nothing":          func() *pb.RequestOp { return opDelete("k/none", "", false) },
		"deletion that tells":          func() *pb.RequestOp { return opDelete("k/none", "", true) },
		"deletion of others":           func() *pb.RequestOp { return opDelete("o/none", "", false) },
		"deletion from nothing on":     func() *pb.RequestOp { return opDelete("zz", "\x00", false) },
		"empty transaction":            func() *pb.RequestOp { return opTxn(&pb.TxnRequest{}) },
		"transaction on others' state": func() *pb.RequestOp { return opTxn(&pb.TxnRequest{Compare: []*pb.Compare{compare("o/x", "")}}) },
	}
	for name, step := range ordered(steps) {
		for depth := range 4 {
			for _, taken := range []bool{true, false} {
				add(fmt.Sprintf("Txn, %s, depth %d, taken %v", name, depth, taken), func(ctx context.Context, s *side, _ caller) (string, error) {
					return txn(ctx, s, nested(step(), depth, taken))
				})
			}
		}
	}
	for name, c := range ordered(map[string]*pb.Compare{"a key": compare("k/a", ""), "a prefix": compare("k/", "k0"),
		"from a key on": compare("k/a", "\x00"), "others": compare("o/x", "")}) {
		add("Txn, if "+name, func(ctx context.Context, s *side, _ caller) (string, error) {
			return txn(ctx, s, &pb.TxnRequest{Compare: []*pb.Compare{c}})
		})
		add("Txn, if "+name+", then a put", func(ctx context.Context, s *side, _ caller) (string, error) {
			return txn(ctx, s, &pb.TxnRequest{Compare: []*pb.Compare{c}, Success: []*pb.RequestOp{opPut(&pb.PutRequest{Key: []byte("k/b")})}})
		})
	}
	add("Txn, nothing", func(ctx context.Context, s *side, _ caller) (string, error) { return txn(ctx, s, &pb.TxnRequest{}) })
}

func nested(op *pb.RequestOp, depth int, taken bool) *pb.TxnRequest {
	txn := &pb.TxnRequest{}
	if taken {
		txn.Success = []*pb.RequestOp{op}
	} else {
		txn.Failure = []*pb.RequestOp{op}
	}
	if depth == 0 {
		return txn
	}
	return nested(opTxn(txn), depth-1, taken)
}

func txn(ctx context.Context, s *side, request *pb.TxnRequest) (string, error) {
	response, err := pb.NewKVClient(s.conn).Txn(ctx, request)
	return fmt.Sprintf("%v, %d answers", response.GetSucceeded(), len(response.GetResponses())), err
}

func maintenance(add adder) {
	add("Status", func(ctx context.Context, s *side, _ caller) (string, error) {
		_, err := pb.NewMaintenanceClient(s.conn).Status(ctx, &pb.StatusRequest{})
		return "", err
	})
	for name, request := range ordered(map[string]*pb.AlarmRequest{
		"list":         {Action: pb.AlarmRequest_GET},
		"raise none":   {Action: pb.AlarmRequest_ACTIVATE},
		"clear others": {Action: pb.AlarmRequest_DEACTIVATE, MemberID: 5, Alarm: pb.AlarmType_NOSPACE},
	}) {
		add("Alarm, "+name, func(ctx context.Context, s *side, _ caller) (string, error) {
			response, err := pb.NewMaintenanceClient(s.conn).Alarm(ctx, request)
			return fmt.Sprint(len(response.GetAlarms())), err
		})
	}
	add("Defragment", func(ctx context.Context, s *side, _ caller) (string, error) {
		_, err := pb.NewMaintenanceClient(s.conn).Defragment(ctx, &pb.DefragmentRequest{})
		return "", err
	})
	add("Hash", func(ctx context.Context, s *side, _ caller) (string, error) {
		_, err := pb.NewMaintenanceClient(s.conn).Hash(ctx, &pb.HashRequest{})
		return "", err
	})
	add("HashKV", func(ctx context.Context, s *side, _ caller) (string, error) {
		_, err := pb.NewMaintenanceClient(s.conn).HashKV(ctx, &pb.HashKVRequest{})
		return "", err
	})
	add("Snapshot", func(ctx context.Context, s *side, _ caller) (string, error) {
		ctx, cancel := context.WithCancel(ctx)
		defer cancel()
		stream, err := pb.NewMaintenanceClient(s.conn).Snapshot(ctx, &pb.SnapshotRequest{})
		if err != nil {
			return "", err
		}
		_, err = stream.Recv()
		return "", err
	})
	add("MoveLeader", func(ctx context.Context, s *side, _ caller) (string, error) {
		_, err := pb.NewMaintenanceClient(s.conn).MoveLeader(ctx, &pb.MoveLeaderRequest{TargetID: 1})
		return "", err
	})
	add("Downgrade", func(ctx context.Context, s *side, _ caller) (string, error) {
		_, err := pb.NewMaintenanceClient(s.conn).Downgrade(ctx, &pb.DowngradeRequest{Action: pb.DowngradeRequest_VALIDATE, Version: "nonsense"})
		return "", err
	})
	add("Health", func(ctx context.Context, s *side, _ caller) (string, error) {
		response, err := healthpb.NewHealthClient(s.conn).Check(ctx, &healthpb.HealthCheckRequest{})
		return response.GetStatus().String(), err
	})
}

func members(add adder) {
	for _, linearizable := range []bool{false, true} {
		add(fmt.Sprintf("MemberList, linearizable %v", linearizable), func(ctx context.Context, s *side, _ caller) (string, error) {
			response, err := pb.NewClusterClient(s.conn).MemberList(ctx, &pb.MemberListRequest{Linearizable: linearizable})
			return fmt.Sprint(len(response.GetMembers())), err
		})
	}
	add("MemberAdd, no URL", func(ctx context.Context, s *side, _ caller) (string, error) {
		_, err := pb.NewClusterClient(s.conn).MemberAdd(ctx, &pb.MemberAddRequest{})
		return "", err
	})
	add("MemberAdd, one that is there", func(ctx context.Context, s *side, _ caller) (string, error) {
		_, err := pb.NewClusterClient(s.conn).MemberAdd(ctx, &pb.MemberAddRequest{PeerURLs: []string{s.peer}, IsLearner: true})
		return "", err
	})
	add("MemberRemove, one that is not there", func(ctx context.Context, s *side, _ caller) (string, error) {
		_, err := pb.NewClusterClient(s.conn).MemberRemove(ctx, &pb.MemberRemoveRequest{ID: 1})
		return "", err
	})
	add("MemberUpdate, one that is not there", func(ctx context.Context, s *side, _ caller) (string, error) {
		_, err := pb.NewClusterClient(s.conn).MemberUpdate(ctx, &pb.MemberUpdateRequest{ID: 1, PeerURLs: []string{"http://127.0.0.1:1"}})
		return "", err
	})
	add("MemberPromote, one that is not there", func(ctx context.Context, s *side, _ caller) (string, error) {
		_, err := pb.NewClusterClient(s.conn).MemberPromote(ctx, &pb.MemberPromoteRequest{ID: 1})
		return "", err
	})
}

func users(add adder) {
	auth := func(name string, ask func(ctx context.Context, auth pb.AuthClient, c caller) (string, error)) {
		add(name, func(ctx context.Context, s *side, c caller) (string, error) {
			return ask(ctx, pb.NewAuthClient(s.conn), c)
		})
	}
	auth("AuthStatus", func(ctx context.Context, auth pb.AuthClient, _ caller) (string, error) {
		response, err := auth.AuthStatus(ctx, &pb.AuthStatusRequest{})
		return fmt.Sprint(response.GetEnabled(), response.GetAuthRevision()), err
	})
	auth("AuthEnable", func(ctx context.Context, auth pb.AuthClient, _ caller) (string, error) {
		_, err := auth.AuthEnable(ctx, &pb.AuthEnableRequest{})
		return "", err
	})
	auth("AuthDisable", func(ctx context.Context, auth pb.AuthClient, c caller) (string, error) {
		if c.isRoot {
			return "not asked", nil // all tokens would be gone
		}
		_, err := auth.AuthDisable(ctx, &pb.AuthDisableRequest{})
		return "", err
	})
	for _, login := range [][2]string{{"plain", "pass of plain"}, {"plain", "pass"}, {"plain", ""}, {"nobody", "x"}, {"", ""},
		{"silent", "x"}, {"silent", ""}, {"changed", "pass of changed"}, {"plain", strings.Repeat("x", 100)}} {
		auth(fmt.Sprintf("Authenticate, %q %.20q", login[0], login[1]), func(ctx context.Context, auth pb.AuthClient, _ caller) (string, error) {
			response, err := auth.Authenticate(ctx, &pb.AuthenticateRequest{Name: login[0], Password: login[1]})
			return fmt.Sprint(len(response.GetToken()) > 16), err
		})
	}
	for _, name := range []string{"plain", "prefix", "root", "nobody", ""} {
		auth(fmt.Sprintf("UserGet, %q", name), func(ctx context.Context, auth pb.AuthClient, _ caller) (string, error) {
			response, err := auth.UserGet(ctx, &pb.AuthUserGetRequest{Name: name})
			return strings.Join(response.GetRoles(), ","), err
		})
		auth(fmt.Sprintf("RoleGet, %q", name), func(ctx context.Context, auth pb.AuthClient, _ caller) (string, error) {
			response, err := auth.RoleGet(ctx, &pb.AuthRoleGetRequest{Role: name})
			return fmt.Sprint(len(response.GetPerm())), err
		})
	}
	auth("UserGet, oneself", func(ctx context.Context, auth pb.AuthClient, c caller) (string, error) {
		response, err := auth.UserGet(ctx, &pb.AuthUserGetRequest{Name: c.user})
		return strings.Join(response.GetRoles(), ","), err
	})
	auth("RoleGet, one's own", func(ctx context.Context, auth pb.AuthClient, c caller) (string, error) {
		response, err := auth.RoleGet(ctx, &pb.AuthRoleGetRequest{Role: c.user})
		return fmt.Sprint(len(response.GetPerm())), err
	})
	auth("UserList", func(ctx context.Context, auth pb.AuthClient, _ caller) (string, error) {
		response, err := auth.UserList(ctx, &pb.AuthUserListRequest{})
		return strings.Join(response.GetUsers(), ","), err
	})
	auth("RoleList", func(ctx context.Context, auth pb.AuthClient, _ caller) (string, error) {
		response, err := auth.RoleList(ctx, &pb.AuthRoleListRequest{})
		return strings.Join(response.GetRoles(), ","), err
	})
	refusals(auth)
}

// refusals are changes of users and roles that root is refused, too.
func refusals(auth func(name string, ask func(ctx context.Context, auth pb.AuthClient, c caller) (string, error))) {
	auth("UserAdd, one that is there", func(ctx context.Context, auth pb.AuthClient, _ caller) (string, error) {
		_, err := auth.UserAdd(ctx, &pb.AuthUserAddRequest{Name: "root", Password: "x", Options: &authpb.UserAddOptions{}})
		return "", err
	})
	auth("UserAdd, no name", func(ctx context.Context, auth pb.AuthClient, _ caller) (string, error) {
		_, err := auth.UserAdd(ctx, &pb.AuthUserAddRequest{Options: &authpb.UserAddOptions{NoPassword: true}})
		return "", err
	})
	auth("UserAdd, a long password", func(ctx context.Context, auth pb.AuthClient, _ caller) (string, error) {
		_, err := auth.UserAdd(ctx, &pb.AuthUserAddRequest{Name: "root", Password: strings.Repeat("x", 73), Options: &authpb.UserAddOptions{}})
		return "", err
	})
	auth("UserDelete, none", func(ctx context.Context, auth pb.AuthClient, _ caller) (string, error) {
		_, err := auth.UserDelete(ctx, &pb.AuthUserDeleteRequest{Name: "nobody"})
		return "", err
	})
	auth("UserDelete, root", func(ctx context.Context, auth pb.AuthClient, _ caller) (string, error) {
		_, err := auth.UserDelete(ctx, &pb.AuthUserDeleteRequest{Name: "root"})
		return "", err
	})
	auth("UserChangePassword, nobody's", func(ctx context.Context, auth pb.AuthClient, _ caller) (string, error) {
		_, err := auth.UserChangePassword(ctx, &pb.AuthUserChangePasswordRequest{Name: "nobody", Password: "x"})
		return "", err
	})
	auth("UserGrantRole, one that is not there", func(ctx context.Context, auth pb.AuthClient, _ caller) (string, error) {
		_, err := auth.UserGrantRole(ctx, &pb.AuthUserGrantRoleRequest{User: "plain", Role: "none"})
		return "", err
	})
	auth("UserGrantRole, to nobody", func(ctx context.Context, auth pb.AuthClient, _ caller) (string, error) {
		_, err := auth.UserGrantRole(ctx, &pb.AuthUserGrantRoleRequest{User: "nobody", Role: "root"})
		return "", err
	})
	auth("UserRevokeRole, root's", func(ctx context.Context, auth pb.AuthClient, _ caller) (string, error) {
		_, err := auth.UserRevokeRole(ctx, &pb.AuthUserRevokeRoleRequest{Name: "root", Role: "root"})
		return "", err
	})
	auth("UserRevokeRole, one not held", func(ctx context.Context, auth pb.AuthClient, _ caller) (string, error) {
		_, err := auth.UserRevokeRole(ctx, &pb.AuthUserRevokeRoleRequest{Name: "plain", Role: "exact"})
		return "", err
	})
	auth("RoleAdd, one that is there", func(ctx context.Context, auth pb.AuthClient, _ caller) (string, error) {
		_, err := auth.RoleAdd(ctx, &pb.AuthRoleAddRequest{Name: "exact"})
		return "", err
	})
	auth("RoleDelete, none", func(ctx context.Context, auth pb.AuthClient, _ caller) (string, error) {
		_, err := auth.RoleDelete(ctx, &pb.AuthRoleDeleteRequest{Role: "none"})
		return "", err
	})
	auth("RoleDelete, root", func(ctx context.Context, auth pb.AuthClient, _ caller) (string, error) {
		_, err := auth.RoleDelete(ctx, &pb.AuthRoleDeleteRequest{Role: "root"})
		return "", err
	})
	for name, permission := range ordered(map[string]*authpb.Permission{"none": nil, "without a key": permission(authpb.Permission_READ, "", ""),
		"backwards": permission(authpb.Permission_READ, "b", "a"), "to nobody": permission(authpb.Permission_READ, "a", "")}) {
		auth("RoleGrantPermission, "+name, func(ctx context.Context, auth pb.AuthClient, _ caller) (string, error) {
			_, err := auth.RoleGrantPermission(ctx, &pb.AuthRoleGrantPermissionRequest{Name: "none", Perm: permission})
			return "", err
		})
	}
	auth("RoleRevokePermission, one not held", func(ctx context.Context, auth pb.AuthClient, _ caller) (string, error) {
		_, err := auth.RoleRevokePermission(ctx, &pb.AuthRoleRevokePermissionRequest{Role: "exact", Key: []byte("x")})
		return "", err
	})
}

func coordination(add adder) {
	for _, name := range []string{"k/lock", "o/lock", "z"} {
		add(fmt.Sprintf("Lock, %q", name), func(ctx context.Context, s *side, _ caller) (string, error) {
			response, err := lpb.NewLockClient(s.conn).Lock(ctx, &lpb.LockRequest{Name: []byte(name), Lease: leaseOfNone})
			return string(response.GetKey()), err
		})
		add(fmt.Sprintf("Unlock, %q", name), func(ctx context.Context, s *side, _ caller) (string, error) {
			_, err := lpb.NewLockClient(s.conn).Unlock(ctx, &lpb.UnlockRequest{Key: []byte(name + "/3eb")})
			return "", err
		})
		leader := &epb.LeaderKey{Name: []byte(name), Key: []byte(name + "/3eb"), Rev: 1, Lease: leaseOfNone}
		add(fmt.Sprintf("Leader, %q", name), func(ctx context.Context, s *side, _ caller) (string, error) {
			_, err := epb.NewElectionClient(s.conn).Leader(ctx, &epb.LeaderRequest{Name: []byte(name)})
			return "", err
		})
		add(fmt.Sprintf("Proclaim, %q", name), func(ctx context.Context, s *side, _ caller) (string, error) {
			_, err := epb.NewElectionClient(s.conn).Proclaim(ctx, &epb.ProclaimRequest{Leader: leader})
			return "", err
		})
		add(fmt.Sprintf("Resign, %q", name), func(ctx context.Context, s *side, _ caller) (string, error) {
			_, err := epb.NewElectionClient(s.conn).Resign(ctx, &epb.ResignRequest{Leader: leader})
			return "", err
		})
	}
	add("Lock, \"k/others\", under others' lease", func(ctx context.Context, s *side, _ caller) (string, error) {
		response, err := lpb.NewLockClient(s.conn).Lock(ctx, &lpb.LockRequest{Name: []byte("k/others"), Lease: leaseOfO})
		return string(response.GetKey()), err
	})
	for _, name := range []string{"k/vote", "o/vote"} {
		add(fmt.Sprintf("Campaign, %q", name), func(ctx context.Context, s *side, _ caller) (string, error) {
			response, err := epb.NewElectionClient(s.conn).Campaign(ctx, &epb.CampaignRequest{Name: []byte(name), Lease: leaseOfNone, Value: []byte("me")})
			return string(response.GetLeader().GetKey()), err
		})
	}
	add("Observe", func(ctx context.Context, s *side, _ caller) (string, error) {
		ctx, cancel := context.WithTimeout(ctx, 300*time.Millisecond)
		defer cancel()
		stream, err := epb.NewElectionClient(s.conn).Observe(ctx, &epb.LeaderRequest{Name: []byte("k/")})
		if err != nil {
			return "", err
		}
		_, err = stream.Recv()
		if err != nil && (err.Error() == "EOF" || ctx.Err() != nil || status.Code(err) == codes.DeadlineExceeded) {
			return "", nil
		}
		return "", err
	})
}

func leases(add adder) {
	add("LeaseGrant", func(ctx context.Context, s *side, _ caller) (string, error) {
		response, err := pb.NewLeaseClient(s.conn).LeaseGrant(ctx, &pb.LeaseGrantRequest{TTL: 600})
		return fmt.Sprint(response.GetTTL()), err
	})
	add("LeaseGrant, one that is there", func(ctx context.Context, s *side, _ caller) (string, error) {
		_, err := pb.NewLeaseClient(s.conn).LeaseGrant(ctx, &pb.LeaseGrantRequest{ID: leaseOfK, TTL: 600})
		return "", err
	})
	add("LeaseLeases", func(ctx context.Context, s *side, _ caller) (string, error) {
		response, err := pb.NewLeaseClient(s.conn).LeaseLeases(ctx, &pb.LeaseLeasesRequest{})
		return fmt.Sprint(len(response.GetLeases())), err
	})
	for _, id := range []int64{leaseOfK, leaseOfO, leaseOfNone, noLease} {
		for _, keys := range []bool{false, true} {
			add(fmt.Sprintf("LeaseTimeToLive, %d, keys %v", id, keys), func(ctx context.Context, s *side, _ caller) (string, error) {
				response, err := pb.NewLeaseClient(s.conn).LeaseTimeToLive(ctx, &pb.LeaseTimeToLiveRequest{ID: id, Keys: keys})
				return fmt.Sprintf("%d: %d keys", response.GetGrantedTTL(), len(response.GetKeys())), err
			})
		}
		add(fmt.Sprintf("LeaseKeepAlive, %d", id), func(ctx context.Context, s *side, _ caller) (string, error) {
			ctx, cancel := context.WithCancel(ctx)
			defer cancel()
			stream, err := pb.NewLeaseClient(s.conn).LeaseKeepAlive(ctx)
			if err != nil {
				return "", err
			}
			if err := stream.Send(&pb.LeaseKeepAliveRequest{ID: id}); err != nil {
				return "", err
			}
			response, err := stream.Recv()
			return fmt.Sprint(response.GetTTL()), err
		})
	}
	for _, id := range []int64{noLease, leaseOfO, leaseOfK} {
		add(fmt.Sprintf("LeaseRevoke, %d", id), func(ctx context.Context, s *side, _ caller) (string, error) {
			_, err := pb.NewLeaseClient(s.conn).LeaseRevoke(ctx, &pb.LeaseRevokeRequest{ID: id})
			return "", err
		})
	}
}

func deletions(add adder) {
	for _, d := range []struct{ name, key, end string }{{"a key", "k/a", ""}, {"a range", "k/a", "k/c"}, {"a prefix", "k/", "k0"},
		{"others' key", "o/x", ""}, {"from a key on", "k/a", "\x00"}, {"everything", "\x00", "\x00"}, {"no key", "", ""}} {
		for _, prev := range []bool{false, true} {
			add(fmt.Sprintf("DeleteRange, %s, with what was before %v", d.name, prev), func(ctx context.Context, s *side, _ caller) (string, error) {
				response, err := pb.NewKVClient(s.conn).DeleteRange(ctx, &pb.DeleteRangeRequest{Key: []byte(d.key), RangeEnd: []byte(d.end), PrevKv: prev})
				return fmt.Sprintf("%d, told %d", response.GetDeleted(), len(response.GetPrevKvs())), err
			})
		}
	}
}
