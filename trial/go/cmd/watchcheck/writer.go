package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"time"

	pb "go.etcd.io/etcd/api/v3/etcdserverpb"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"quoin.dev/trial/internal/cluster"
	"quoin.dev/trial/internal/watches"
)

const (
	directories = 4
	keysOfEach  = 8
	largeBytes  = 250_000
)

func keyAt(n int) string { return fmt.Sprintf("%c/%02d", 'a'+n/keysOfEach%directories, n%keysOfEach) }

// writer does one write after the other, on whatever member, and records what it knows of each.
type writer struct {
	*world
	*rand.Rand
	number int
	count  int
	lease  int64 // 0: none now
	leases []int64
	target *target
}

func (w *writer) run(ctx context.Context) {
	w.target = w.any(w.Rand)
	for ctx.Err() == nil && !w.isEnding() {
		begin := time.Now()
		if err := w.step(ctx); err != nil {
			w.fail(err)
			w.target = w.any(w.Rand)
			w.pause(ctx, 20*time.Millisecond)
		} else if w.IntN(20) == 0 {
			w.target = w.any(w.Rand)
		}
		w.pause(ctx, time.Until(begin.Add(w.plan.pace)))
	}
}

func (w *writer) step(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, w.plan.request)
	defer cancel()
	if w.plan.leases && w.lease == 0 && w.IntN(10) == 0 {
		answer, err := w.target.lease.LeaseGrant(ctx, &pb.LeaseGrantRequest{TTL: 2 + w.Int64N(3)})
		if err != nil {
			return err
		}
		w.lease, w.leases = answer.ID, append(w.leases, answer.ID)
	}
	switch n := w.IntN(1000); {
	case n < 550:
		return w.do(ctx, nil, w.put(w.key()))
	case n < 700:
		return w.do(ctx, nil, watches.Action{Verb: watches.Delete, Key: w.key()})
	case n < 720:
		from := w.IntN(directories * keysOfEach)
		return w.do(ctx, nil, watches.Action{Verb: watches.Delete, Key: keyAt(from), End: keyAt(from) + "\xff"})
	case n < 740:
		directory := keyAt(w.IntN(directories * keysOfEach))[:2]
		return w.do(ctx, nil, watches.Action{Verb: watches.Delete, Key: directory + "05", End: directory + "\xff"})
	case n < 742:
		return w.do(ctx, nil, w.large()...)
	case n < 765 && w.lease != 0:
		lease := w.lease
		w.lease = 0
		return w.revoke(ctx, lease)
	}
	return w.transaction(ctx)
}

func (w *writer) key() string { return keyAt(w.IntN(directories * keysOfEach)) }

func (w *writer) put(key string) watches.Action {
	w.count++
	a := watches.Action{Verb: watches.Put, Key: key, Value: fmt.Sprintf("w%d-%d", w.number, w.count)}
	if w.lease != 0 && w.IntN(3) == 0 {
		a.Lease = w.lease
	}
	return a
}

// large is a transaction of nearly the largest size: two of them are too much for one message.
func (w *writer) large() []watches.Action {
	var actions []watches.Action
	for _, n := range w.Perm(keysOfEach)[:5] {
		a := w.put(keyAt(n))
		a.Value += strings.Repeat("L", largeBytes)
		actions = append(actions, a)
	}
	return actions
}

// transaction puts and deletes several keys, each at most once; some have a guard that may not hold.
func (w *writer) transaction(ctx context.Context) error {
	keys := w.Perm(directories * keysOfEach)[:2+w.IntN(4)]
	var actions []watches.Action
	for i, n := range keys {
		if i == 0 || w.IntN(3) > 0 {
			actions = append(actions, w.put(keyAt(n)))
		} else {
			actions = append(actions, watches.Action{Verb: watches.Delete, Key: keyAt(n)})
		}
	}
	w.Shuffle(len(actions), func(i, j int) { actions[i], actions[j] = actions[j], actions[i] })
	var guards []*pb.Compare
	if w.IntN(3) == 0 {
		guards = append(guards, &pb.Compare{Key: []byte(w.key()), Target: pb.Compare_VERSION, Result: pb.Compare_GREATER,
			TargetUnion: &pb.Compare_Version{Version: w.Int64N(3)}})
	}
	return w.do(ctx, guards, actions...)
}

// do sends a write, with the RPC of its only action or as a transaction, and records it.
func (w *writer) do(ctx context.Context, guards []*pb.Compare, actions ...watches.Action) error {
	write := watches.Write{Actions: actions}
	held, err := true, error(nil)
	switch first := &write.Actions[0]; {
	case len(actions) > 1 || len(guards) > 0:
		var answer *pb.TxnResponse
		answer, err = w.target.kv.Txn(ctx, &pb.TxnRequest{Compare: guards, Success: steps(actions)})
		if err == nil {
			held, write.Revision = answer.Succeeded, answer.Header.Revision
			for i, response := range answer.Responses {
				if deletion := response.GetResponseDeleteRange(); deletion != nil {
					write.Actions[i].Deleted = deletedIn(deletion)
				}
			}
		}
	case first.Verb == watches.Put:
		var answer *pb.PutResponse
		answer, err = w.target.kv.Put(ctx, putRequest(*first))
		write.Revision = answer.GetHeader().GetRevision()
	default:
		var answer *pb.DeleteRangeResponse
		answer, err = w.target.kv.DeleteRange(ctx, deleteRequest(*first))
		write.Revision = answer.GetHeader().GetRevision()
		first.Deleted = deletedIn(answer)
	}
	for i := range write.Actions {
		write.Actions[i].Value = digest([]byte(write.Actions[i].Value))
	}
	switch {
	case err != nil && cluster.Refused(err):
		if status.Code(err) == codes.NotFound { // the lease
			w.lease = 0
			return nil
		}
		return err
	case err != nil:
		w.wrote(write)
		return err
	case held && changesAny(write.Actions):
		write.Answered = true
		w.wrote(write)
	}
	return nil
}

func (w *writer) revoke(ctx context.Context, lease int64) error {
	write := watches.Write{Actions: []watches.Action{{Verb: watches.Revoke, Lease: lease}}}
	answer, err := w.target.lease.LeaseRevoke(ctx, &pb.LeaseRevokeRequest{ID: lease})
	switch {
	case err == nil:
		write.Answered, write.Revision = true, answer.Header.Revision
	case status.Code(err) == codes.NotFound:
		return nil
	case cluster.Refused(err):
		return err
	}
	w.wrote(write)
	return err
}

// changesAny says whether an acknowledged write has changed something: a deletion of nothing does not.
func changesAny(actions []watches.Action) bool {
	return slices.ContainsFunc(actions, func(a watches.Action) bool { return a.Verb == watches.Put || len(a.Deleted) > 0 })
}

func steps(actions []watches.Action) []*pb.RequestOp {
	var all []*pb.RequestOp
	for _, a := range actions {
		if a.Verb == watches.Put {
			all = append(all, &pb.RequestOp{Request: &pb.RequestOp_RequestPut{RequestPut: putRequest(a)}})
		} else {
			all = append(all, &pb.RequestOp{Request: &pb.RequestOp_RequestDeleteRange{RequestDeleteRange: deleteRequest(a)}})
		}
	}
	return all
}

func putRequest(a watches.Action) *pb.PutRequest {
	return &pb.PutRequest{Key: []byte(a.Key), Value: []byte(a.Value), Lease: a.Lease}
}

func deleteRequest(a watches.Action) *pb.DeleteRangeRequest {
	return &pb.DeleteRangeRequest{Key: []byte(a.Key), RangeEnd: []byte(a.End), PrevKv: true}
}

func deletedIn(answer *pb.DeleteRangeResponse) []string {
	var keys []string
	for _, kv := range answer.GetPrevKvs() {
		keys = append(keys, string(kv.Key))
	}
	return keys
}
