package main

import (
	"fmt"

	pb "go.etcd.io/etcd/api/v3/etcdserverpb"
	"go.etcd.io/etcd/api/v3/mvccpb"
	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/proto"
)

// A lie falsifies what the right server is asked or answers, always under the same condition: so it shows in a shorter
// sequence too. The zero value is the truth.
type lie struct {
	name          string
	family        string
	operationsMax int                         // how many it takes to show it, with some to spare
	ask           func(request proto.Message) // changes a copy of the request
	tell          func(a *answer)
	event         func(e *mvccpb.Event) bool // may change an event to a watch; false leaves it out
}

var lies = []lie{
	{name: "a deletion of several keys counts one too few", family: "kv", operationsMax: 4, tell: falsified(func(a *pb.DeleteRangeResponse) {
		if a.Deleted >= 2 {
			a.Deleted--
		}
	})},
	{name: "the fourth version of a key is told as the third", family: "kv", operationsMax: 7, tell: falsified(func(a *pb.RangeResponse) {
		for _, kv := range a.Kvs {
			if kv.Version == 4 {
				kv.Version = 3
			}
		}
	})},
	{name: "more is forgotten", family: "kv", operationsMax: 4, tell: falsified(func(a *pb.RangeResponse) { a.More = false })},
	{name: "a failed transaction is told as succeeded", family: "kv", operationsMax: 2, tell: falsified(func(a *pb.TxnResponse) { a.Succeeded = true })},
	{name: "an error has another word", family: "kv", operationsMax: 2, tell: func(a *answer) {
		if a.words == "etcdserver: key is not provided" {
			a.words = "etcdserver: key was not provided"
		}
	}},
	{name: "an error has another code", family: "kv", operationsMax: 2, tell: func(a *answer) {
		if a.code == codes.OutOfRange {
			a.code = codes.InvalidArgument
		}
	}},
	{name: "a header has no member", family: "kv", operationsMax: 2, tell: falsified(func(a *pb.PutResponse) { a.Header.MemberId = 1 })},
	{name: "a value is stored as another", family: "kv", operationsMax: 3, ask: func(request proto.Message) {
		if put, ok := request.(*pb.PutRequest); ok && string(put.Value) == "2" {
			put.Value = []byte("3")
		}
	}},
	{name: "a range is deleted from its key on", family: "kv", operationsMax: 4, ask: func(request proto.Message) {
		if deletion, ok := request.(*pb.DeleteRangeRequest); ok && len(deletion.RangeEnd) > 1 {
			deletion.RangeEnd = []byte{0}
		}
	}},
	{name: "the hash is wrong after a compaction", family: "hash", operationsMax: 8, tell: falsified(func(a *pb.HashKVResponse) {
		if a.CompactRevision > 0 {
			a.Hash ^= 1
		}
	})},
	{name: "a lease is granted for a second less", family: "lease", operationsMax: 2, tell: falsified(func(a *pb.LeaseGrantResponse) { a.TTL-- })},
	{name: "a renewal on a stream of many is for a second less", family: "expiry", operationsMax: 3, tell: func(a *answer) {
		for n := range a.messages {
			if renewed, ok := a.messages[n].(*pb.LeaseKeepAliveResponse); ok && n > 0 && renewed.TTL > 0 {
				renewed.TTL--
			}
		}
	}},
	{name: "a watch is created at another revision", family: "watch", operationsMax: 2, tell: falsified(func(a *pb.WatchResponse) {
		if a.Created {
			a.Header.Revision++
		}
	})},
	{name: "a refused watch has no reason", family: "watch", operationsMax: 2, tell: falsified(func(a *pb.WatchResponse) { a.CancelReason = "" })},
	{name: "a watch is not told of a deletion", family: "watch", operationsMax: 5, event: func(e *mvccpb.Event) bool { return e.Type != mvccpb.Event_DELETE }},
	{name: "a watch is told the previous value without its lease", family: "watch", operationsMax: 7, event: func(e *mvccpb.Event) bool {
		if e.PrevKv != nil {
			e.PrevKv.Lease = 0
		}
		return true
	}},
	{name: "a watch is told a create revision that is none", family: "watch", operationsMax: 4, event: func(e *mvccpb.Event) bool {
		if e.Kv.Version > 1 {
			e.Kv.CreateRevision = e.Kv.ModRevision
		}
		return true
	}},
	{name: "an alarm is not listed", family: "alarm", operationsMax: 3, tell: falsified(func(a *pb.AlarmResponse) { a.Alarms = nil })},
}

// falsified changes the messages of one type.
func falsified[T proto.Message](change func(T)) func(a *answer) {
	return func(a *answer) {
		for _, m := range a.messages {
			if m, ok := m.(T); ok {
				change(m)
			}
		}
	}
}

func lieNames() []string {
	var names []string
	for n, l := range lies {
		names = append(names, fmt.Sprintf("%d: %s", n+1, l.name))
	}
	return names
}

func lieNamed(flag string) (lie, error) {
	if flag == "" {
		return lie{}, nil
	}
	var n int
	if _, err := fmt.Sscan(flag, &n); err != nil || n < 1 || n > len(lies) {
		return lie{}, fmt.Errorf("no lie has the number %q", flag)
	}
	return lies[n-1], nil
}
