package main

import (
	"bytes"
	"strings"
	"testing"

	pb "go.etcd.io/etcd/api/v3/etcdserverpb"
	"go.etcd.io/etcd/api/v3/mvccpb"
	"google.golang.org/protobuf/proto"

	"quoin.dev/trial/internal/load"
)

// What is put together by hand must be what protobuf makes of the same message.
func TestRequestsAreWhatTheyShouldBe(t *testing.T) {
	update := newUpdates([]int64{0, 0, 0, 1 << 40})
	put := &pb.PutRequest{Key: []byte("g0000003"), Value: value()}
	for name, c := range map[string]struct {
		work      load.Work
		slot, n   int
		got, want proto.Message
	}{
		"put":  {newPuts('k', keysCount), 1, keysCount + 17, &pb.PutRequest{}, &pb.PutRequest{Key: []byte("k0000017"), Value: value()}},
		"get":  {newGets(false), 1, 1, &pb.RangeRequest{}, &pb.RangeRequest{Key: []byte("k0007919")}},
		"sget": {newGets(true), 1, 0, &pb.RangeRequest{}, &pb.RangeRequest{Key: []byte("k0000000"), Serializable: true}},
		"list": {newList(), 0, 0, &pb.RangeRequest{}, &pb.RangeRequest{Key: []byte("k0001000"), RangeEnd: []byte("k0002000")}},
		"txn": {update, 3, 9, &pb.TxnRequest{}, &pb.TxnRequest{
			Compare: []*pb.Compare{{Target: pb.Compare_MOD, Key: []byte("g0000003"), TargetUnion: &pb.Compare_ModRevision{ModRevision: 1 << 40}}},
			Success: []*pb.RequestOp{{Request: &pb.RequestOp_RequestPut{RequestPut: put}}},
		}},
	} {
		message := c.work.Append([]byte("before"), c.slot, c.n)
		if err := proto.Unmarshal(message[len("before"):], c.got); err != nil || !proto.Equal(c.got, c.want) {
			t.Errorf("%s: %v, %v", name, c.got, err)
		}
	}
}

// Each of these answers is wrong, in a server that is fast because it does not do what it was asked.
func TestWrongAnswersAreNoticed(t *testing.T) {
	header := func(revision int64) *pb.ResponseHeader {
		return &pb.ResponseHeader{ClusterId: 1, MemberId: 2, Revision: revision, RaftTerm: 3}
	}
	pair := func(n int) *mvccpb.KeyValue {
		return &mvccpb.KeyValue{Key: keyOf('k', n), Value: value(), ModRevision: 5}
	}
	listed := func(n int) (kvs []*mvccpb.KeyValue) {
		for i := range n {
			kvs = append(kvs, pair(i))
		}
		return kvs
	}
	for name, c := range map[string]struct {
		work        load.Work
		right       proto.Message
		wrong       proto.Message
		wrongBefore bool // the wrong one alone is wrong already
	}{
		"put with an old revision": {newPuts('k', 10), &pb.PutResponse{Header: header(7)}, &pb.PutResponse{Header: header(7)}, false},
		"put without a header":     {newPuts('k', 10), &pb.PutResponse{Header: header(7)}, &pb.PutResponse{}, true},
		"guard refused": {newUpdates([]int64{3}), &pb.TxnResponse{Header: header(7), Succeeded: true},
			&pb.TxnResponse{Header: header(8)}, true},
		"guarded update that changes nothing": {newUpdates([]int64{3}), &pb.TxnResponse{Header: header(7), Succeeded: true},
			&pb.TxnResponse{Header: header(7), Succeeded: true}, false},
		"get without a key": {newGets(false), &pb.RangeResponse{Header: header(7), Count: 1, Kvs: listed(1)},
			&pb.RangeResponse{Header: header(7), Count: 0}, true},
		"get without a value": {newGets(false), &pb.RangeResponse{Header: header(7), Count: 1, Kvs: listed(1)},
			&pb.RangeResponse{Header: header(7), Count: 1, Kvs: []*mvccpb.KeyValue{{Key: keyOf('k', 0)}}}, true},
		"linearizable get of the past": {newGets(false), &pb.RangeResponse{Header: header(7), Count: 1, Kvs: listed(1)},
			&pb.RangeResponse{Header: header(6), Count: 1, Kvs: listed(1)}, false},
		"list that is cut short": {newList(), &pb.RangeResponse{Header: header(7), Count: listedKeys, Kvs: listed(listedKeys)},
			&pb.RangeResponse{Header: header(7), Count: listedKeys, Kvs: listed(listedKeys - 1)}, true},
	} {
		check := func(answer proto.Message) error {
			message, err := proto.Marshal(answer)
			if err != nil {
				t.Fatal(err)
			}
			return c.work.Check(0, 0, message)
		}
		if c.wrongBefore && check(c.wrong) == nil {
			t.Errorf("%s: taken for right", name)
		}
		if err := check(c.right); err != nil {
			t.Errorf("%s: the right answer: %v", name, err)
		}
		if check(c.wrong) == nil {
			t.Errorf("%s: taken for right after a right one", name)
		}
	}
}

func TestCells(t *testing.T) {
	for name, want := range map[string]cell{
		"put1":            {connections: 1, slots: 1},
		"get1000":         {connections: 10, slots: 1000},
		"get16000c":       {connections: 16000, slots: 16000},
		"txn@75":          {connections: 10, slots: openSlots, percent: 75},
		"sget100/leader":  {connections: 10, slots: 100, at: "leader"},
		"get@50/follower": {connections: 10, slots: openSlots, percent: 50, at: "follower"},
	} {
		c, err := parseCell(name, 10)
		if err != nil || c.connections != want.connections || c.slots != want.slots || c.percent != want.percent || c.at != want.at ||
			!strings.HasPrefix(name, c.kind.name) {
			t.Errorf("%s: %+v, %v", name, c, err)
		}
	}
	for _, name := range []string{"", "put", "put0", "put99999", "push1", "put1/", "put@0", "put@", "put1c1", "put1/all"} {
		if c, err := parseCell(name, 10); err == nil {
			t.Errorf("%q is taken for %+v", name, c)
		}
	}
}

// The median is of the ratios of single rounds, not the ratio of medians: each round had a machine of its own.
func TestRoundsAreComparedOneByOne(t *testing.T) {
	r := &record{Systems: [2]string{"a", "b"}, Rounds: 3}
	for round, values := range [][2]float64{{100, 50}, {10, 10}, {90, 30}} {
		r.at("s", "row", "a", round).add(perSecond, values[0])
		r.at("s", "row", "b", round).add(perSecond, values[1])
	}
	got := r.compare("s", "row", perSecond)
	if want := (compared{ours: 90, theirs: 30, least: 1, mid: 2, most: 3}); got != want {
		t.Errorf("%+v", got)
	}
	r.at("s", "another", "a", 1).add(p99, 7)
	r.at("s", "another", "b", 2).add(p99, 8) // another round: nothing to compare
	if got := r.compare("s", "another", p99); got.mid != 0 || got.ours != 7 || got.theirs != 8 {
		t.Errorf("%+v", got)
	}
	if text := r.markdown(); !strings.Contains(text, "| 90 : 30 = **2.00** (1.00–3.00) |") {
		t.Errorf("the table is\n%s", text)
	}
}

// The page stands for itself: it fetches nothing.
func TestThePageNeedsNothingFromElsewhere(t *testing.T) {
	r := &record{Systems: [2]string{"<a>", "b"}, Rounds: 1, Notes: []string{"1 < 2"}}
	waits := load.NewWaits()
	for i := range 5000 {
		waits.RecordValue(int64(i+1) * 1000)
	}
	for _, system := range r.Systems {
		n := r.at("s", "row & row", system, 0)
		n.add(perSecond, 1000)
		n.waits(waits)
	}
	page := []byte(r.page())
	for _, bad := range []string{"http:", "https:", "<script", "<link", "@import", "url(", "<a>", "row & row", "NaN", "Inf", "%!"} {
		if bytes.Contains(page, []byte(bad)) {
			t.Errorf("the page has %q in it", bad)
		}
	}
	if bytes.Count(page, []byte("<polyline")) != 2 || bytes.Count(page, []byte("<circle")) != 2 {
		t.Errorf("%d curves and %d marks", bytes.Count(page, []byte("<polyline")), bytes.Count(page, []byte("<circle")))
	}
}
