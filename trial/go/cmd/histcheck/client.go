package main

import (
	"context"
	"math/rand/v2"
	"regexp"
	"sync"
	"sync/atomic"
	"time"

	pb "go.etcd.io/etcd/api/v3/etcdserverpb"
	"go.etcd.io/etcd/api/v3/mvccpb"
	"google.golang.org/grpc/status"

	"quoin.dev/trial/internal/cluster"
	"quoin.dev/trial/internal/history"
)

// target is a member as clients see it.
type target struct {
	name string
	kv   pb.KVClient

	// The number of what answers now. It is raised before the process is killed, and again when it is dead: so an answer
	// whose operation has the same number at its beginning and its end was given by one process.
	session atomic.Int64
}

// directory is the members that clients may ask.
type directory struct {
	mutex   sync.RWMutex
	targets []*target
}

// admit lets clients ask a member.
func (d *directory) admit(m *cluster.Member) {
	t := &target{name: m.Name, kv: m.KV}
	t.session.Store(1)
	d.mutex.Lock()
	defer d.mutex.Unlock()
	d.targets = append(d.targets, t)
}

func (d *directory) nextSession(m *cluster.Member) {
	d.mutex.RLock()
	defer d.mutex.RUnlock()
	for _, t := range d.targets {
		if t.name == m.Name {
			t.session.Add(1)
		}
	}
}

func (d *directory) remove(m *cluster.Member) {
	d.mutex.Lock()
	defer d.mutex.Unlock()
	for i, t := range d.targets {
		if t.name == m.Name {
			// Whoever asks it still may get an answer of its last process, but no longer know that.
			t.session.Add(1)
			d.targets = append(d.targets[:i:i], d.targets[i+1:]...)
			return
		}
	}
}

func (d *directory) any(random *rand.Rand) *target {
	d.mutex.RLock()
	defer d.mutex.RUnlock()
	return d.targets[random.IntN(len(d.targets))]
}

// client does one operation after the other, and records what is known of each.
type client struct {
	number   int
	began    time.Time
	timeout  time.Duration
	random   *rand.Rand
	members  *directory
	workload *history.Workload
	ops      []history.Op
	errors   map[string]int
}

// run works until told to end, or until `left`, which all clients share, is used up.
func (c *client) run(ctx context.Context, ending <-chan struct{}, left *atomic.Int64) {
	member := c.members.any(c.random)
	for ctx.Err() == nil {
		select {
		case <-ending:
			return
		default:
		}
		if left.Add(-1) < 0 {
			return
		}
		if err := c.step(ctx, member); err != nil {
			c.errors[endpoints.ReplaceAllString(status.Convert(err).Message(), "…")]++
			if cluster.Refused(err) {
				left.Add(1)                       // it does not count
				time.Sleep(20 * time.Millisecond) // one that is dead refuses at once
			}
			member = c.members.any(c.random)
		} else if c.random.IntN(20) == 0 {
			member = c.members.any(c.random)
		}
	}
}

func (c *client) step(ctx context.Context, member *target) error {
	ctx, cancel := context.WithTimeout(ctx, c.timeout)
	defer cancel()
	op := history.Op{Client: c.number, Member: member.name, Request: c.workload.Next()}
	session := member.session.Load()
	op.Invoke = time.Since(c.began)
	answer, err := ask(ctx, member.kv, op.Request)
	op.Return = time.Since(c.began)
	if member.session.Load() == session {
		op.Session = int(session)
	}
	switch {
	case err == nil:
		op.Answer = answer
	case cluster.Refused(err):
		op.Outcome = history.Refused
	default:
		op.Outcome, op.Return = history.Unknown, history.Never
	}
	c.workload.Learn(&op)
	if op.Outcome == history.Answered || writes(op.Request) {
		c.ops = append(c.ops, op)
	}
	return err
}

var endpoints = regexp.MustCompile(`127\.0\.0\.1:\d+`)

func writes(r history.Request) bool {
	for _, branch := range [][]history.Action{r.Then, r.Else} {
		for _, action := range branch {
			if action.Verb != history.Read {
				return true
			}
		}
	}
	return false
}

// ask sends a request: with the RPC of its only action, or as a transaction.
func ask(ctx context.Context, kv pb.KVClient, r history.Request) (history.Answer, error) {
	if len(r.Guards) > 0 || len(r.Then) != 1 {
		return askTxn(ctx, kv, r)
	}
	var header *pb.ResponseHeader
	var result history.Result
	switch action := r.Then[0]; action.Verb {
	case history.Put:
		answer, err := kv.Put(ctx, putRequest(action))
		if err != nil {
			return history.Answer{}, err
		}
		header, result = answer.Header, putResult(answer)
	case history.Delete:
		answer, err := kv.DeleteRange(ctx, deleteRequest(action))
		if err != nil {
			return history.Answer{}, err
		}
		header, result = answer.Header, deleteResult(answer)
	case history.Read:
		request := rangeRequest(action)
		request.Serializable, request.Revision = r.Serializable, r.At
		answer, err := kv.Range(ctx, request)
		if err != nil {
			return history.Answer{}, err
		}
		header, result = answer.Header, rangeResult(answer)
	}
	return history.Answer{Revision: header.GetRevision(), Succeeded: true, Results: []history.Result{result}}, nil
}

func askTxn(ctx context.Context, kv pb.KVClient, r history.Request) (history.Answer, error) {
	request := &pb.TxnRequest{Success: requestOps(r.Then), Failure: requestOps(r.Else)}
	for _, guard := range r.Guards {
		request.Compare = append(request.Compare, compare(guard))
	}
	txn, err := kv.Txn(ctx, request)
	if err != nil {
		return history.Answer{}, err
	}
	answer := history.Answer{Revision: txn.Header.GetRevision(), Succeeded: txn.Succeeded}
	for _, response := range txn.Responses {
		switch part := response.Response.(type) {
		case *pb.ResponseOp_ResponsePut:
			answer.Results = append(answer.Results, putResult(part.ResponsePut))
		case *pb.ResponseOp_ResponseDeleteRange:
			answer.Results = append(answer.Results, deleteResult(part.ResponseDeleteRange))
		case *pb.ResponseOp_ResponseRange:
			answer.Results = append(answer.Results, rangeResult(part.ResponseRange))
		}
	}
	return answer, nil
}

func compare(g history.Guard) *pb.Compare {
	c := &pb.Compare{Key: []byte(g.Key), Result: pb.Compare_EQUAL}
	switch g.Target {
	case history.ModRevision:
		c.Target, c.TargetUnion = pb.Compare_MOD, &pb.Compare_ModRevision{ModRevision: g.Number}
	case history.Version:
		c.Target, c.TargetUnion = pb.Compare_VERSION, &pb.Compare_Version{Version: g.Number}
	case history.Value:
		c.Target, c.TargetUnion = pb.Compare_VALUE, &pb.Compare_Value{Value: []byte(g.Value)}
	}
	return c
}

func requestOps(actions []history.Action) []*pb.RequestOp {
	var ops []*pb.RequestOp
	for _, action := range actions {
		op := &pb.RequestOp{}
		switch action.Verb {
		case history.Put:
			op.Request = &pb.RequestOp_RequestPut{RequestPut: putRequest(action)}
		case history.Delete:
			op.Request = &pb.RequestOp_RequestDeleteRange{RequestDeleteRange: deleteRequest(action)}
		case history.Read:
			op.Request = &pb.RequestOp_RequestRange{RequestRange: rangeRequest(action)}
		}
		ops = append(ops, op)
	}
	return ops
}

func putRequest(a history.Action) *pb.PutRequest {
	return &pb.PutRequest{Key: []byte(a.Key), Value: []byte(a.Value), PrevKv: a.Previous}
}

func deleteRequest(a history.Action) *pb.DeleteRangeRequest {
	return &pb.DeleteRangeRequest{Key: []byte(a.Key), RangeEnd: []byte(a.End), PrevKv: a.Previous}
}

func rangeRequest(a history.Action) *pb.RangeRequest {
	return &pb.RangeRequest{Key: []byte(a.Key), RangeEnd: []byte(a.End)}
}

func putResult(r *pb.PutResponse) history.Result {
	if r.PrevKv == nil {
		return history.Result{}
	}
	return history.Result{KVs: []history.KV{keyValue(r.PrevKv)}}
}

func deleteResult(r *pb.DeleteRangeResponse) history.Result {
	return history.Result{KVs: keyValues(r.PrevKvs), Count: r.Deleted}
}

func rangeResult(r *pb.RangeResponse) history.Result {
	return history.Result{KVs: keyValues(r.Kvs), Count: r.Count}
}

func keyValues(kvs []*mvccpb.KeyValue) []history.KV {
	if len(kvs) == 0 {
		return nil
	}
	all := make([]history.KV, len(kvs))
	for i, kv := range kvs {
		all[i] = keyValue(kv)
	}
	return all
}

func keyValue(kv *mvccpb.KeyValue) history.KV {
	return history.KV{Key: string(kv.Key), Value: string(kv.Value), Create: kv.CreateRevision, Mod: kv.ModRevision, Version: kv.Version}
}
