package main

import (
	"fmt"

	pb "go.etcd.io/etcd/api/v3/etcdserverpb"
)

// txn is a transaction of every shape: few steps or many, nested up to three deep, sometimes more than is allowed.
func (g *generator) txn(place int) *pb.TxnRequest {
	switch {
	case g.oneIn(25):
		return g.bulk(place)
	case g.oneIn(60):
		return g.tooMany()
	}
	return g.nested(3, pick(g, onlyPuts, onlyDeletions, both, both))
}

// writes are the kinds of writing steps in a transaction. Some of them together crash etcd: a put that keeps the value or
// the lease of a key that a step before has deleted; and a deletion from a key on beside a put, which is not refused as
// hitting a key twice: once compacted, reading that key ends etcd.
type writes int

const (
	onlyPuts writes = iota
	onlyDeletions
	both
)

func (g *generator) nested(depth int, w writes) *pb.TxnRequest {
	t := &pb.TxnRequest{}
	for range g.IntN(3) {
		t.Compare = append(t.Compare, g.compare())
	}
	for range g.IntN(5) {
		t.Success = append(t.Success, g.step(depth, w))
	}
	for range g.IntN(4) {
		t.Failure = append(t.Failure, g.step(depth, w))
	}
	return t
}

func (g *generator) step(depth int, w writes) *pb.RequestOp {
	switch n := g.IntN(100); {
	case n < 2:
		return &pb.RequestOp{} // names nothing
	case n < 45 && w != onlyDeletions:
		put := g.put()
		if w == both {
			put.IgnoreValue, put.IgnoreLease = false, false
		}
		return putStep(put)
	case n < 60 && w != onlyPuts:
		deletion := g.deletion()
		if w == both && string(deletion.RangeEnd) == "\x00" {
			deletion.RangeEnd = nil
		}
		return deleteStep(deletion)
	case n < 72 && depth > 1:
		return &pb.RequestOp{Request: &pb.RequestOp_RequestTxn{RequestTxn: g.nested(depth-1, w)}}
	}
	return g.rangeStep()
}

// rangeStep is a read in a transaction. Sorting by a value that is not shown could not be judged there.
func (g *generator) rangeStep() *pb.RequestOp {
	r := g.read()
	if g.IntN(10) < 8 {
		r.Revision = 0 // else most transactions would fail
	}
	if r.SortTarget == pb.RangeRequest_VALUE {
		r.KeysOnly = false
	}
	return &pb.RequestOp{Request: &pb.RequestOp_RequestRange{RequestRange: r}}
}

func (g *generator) readTxn() *pb.TxnRequest {
	t := &pb.TxnRequest{}
	for range g.IntN(4) {
		t.Compare = append(t.Compare, g.compare())
	}
	for range g.IntN(3) {
		t.Success = append(t.Success, g.rangeStep())
		t.Failure = append(t.Failure, g.rangeStep())
	}
	return t
}

// compare is a condition on a key or a range, mostly of matching kinds.
func (g *generator) compare() *pb.Compare {
	c := &pb.Compare{Key: g.key(), Target: pb.Compare_CompareTarget(g.IntN(5)), Result: pb.Compare_CompareResult(g.IntN(4))}
	if g.oneIn(4) {
		c.Key, c.RangeEnd = g.interval()
	}
	if g.oneIn(80) {
		c.Target = pb.Compare_CompareTarget(pick(g, 5, 9, -1))
	}
	if g.oneIn(80) {
		c.Result = pb.Compare_CompareResult(pick(g, 4, 9, -1))
	}
	operand := c.Target
	if g.oneIn(30) {
		operand = pb.Compare_CompareTarget(g.IntN(6))
	}
	switch operand {
	case pb.Compare_VERSION:
		c.TargetUnion = &pb.Compare_Version{Version: pick(g, int64(0), 0, 1, 2, 3, -1)}
	case pb.Compare_CREATE:
		c.TargetUnion = &pb.Compare_CreateRevision{CreateRevision: pick(g, 0, 0, revisionNow-g.Int64N(30))}
	case pb.Compare_MOD:
		c.TargetUnion = &pb.Compare_ModRevision{ModRevision: pick(g, 0, revisionNow, revisionNow-g.Int64N(30))}
	case pb.Compare_VALUE:
		c.TargetUnion = &pb.Compare_Value{Value: g.value()}
	case pb.Compare_LEASE:
		c.TargetUnion = &pb.Compare_Lease{Lease: pick(g, 0, 1, 2, leaseNever)}
	}
	return c
}

// bulk writes so many keys that a list needs several messages; most are deleted again later.
func (g *generator) bulk(place int) *pb.TxnRequest {
	t := &pb.TxnRequest{}
	for n := range bulkKeys {
		t.Success = append(t.Success, putStep(&pb.PutRequest{Key: []byte(bulkKey(n)), Value: fmt.Appendf(nil, "%d", n%7)}))
	}
	g.at(place+50+g.IntN(200), operation{"DeleteRange", &pb.DeleteRangeRequest{Key: []byte(bulkKey(5)), RangeEnd: []byte("n1")}})
	return t
}

// tooMany is about the limit of 128, at the top or summed up over the levels.
func (g *generator) tooMany() *pb.TxnRequest {
	t := &pb.TxnRequest{}
	many := pick(g, 127, 128, 129)
	switch g.IntN(4) {
	case 0:
		for range many {
			t.Compare = append(t.Compare, g.compare())
		}
	case 1:
		for range many {
			t.Success = append(t.Success, g.rangeStep())
		}
	case 2:
		for range many {
			t.Failure = append(t.Failure, deleteStep(&pb.DeleteRangeRequest{Key: []byte("none")}))
		}
	default:
		inner := &pb.TxnRequest{}
		for range many - 10 {
			inner.Failure = append(inner.Failure, g.rangeStep())
		}
		for range 9 {
			t.Success = append(t.Success, g.rangeStep())
		}
		t.Success = append(t.Success, &pb.RequestOp{Request: &pb.RequestOp_RequestTxn{RequestTxn: inner}})
	}
	return t
}

func putStep(p *pb.PutRequest) *pb.RequestOp {
	return &pb.RequestOp{Request: &pb.RequestOp_RequestPut{RequestPut: p}}
}

func deleteStep(d *pb.DeleteRangeRequest) *pb.RequestOp {
	return &pb.RequestOp{Request: &pb.RequestOp_RequestDeleteRange{RequestDeleteRange: d}}
}
