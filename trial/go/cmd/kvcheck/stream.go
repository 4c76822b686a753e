package main

import (
	"errors"
	"fmt"
	"io"
	"strings"

	pb "go.etcd.io/etcd/api/v3/etcdserverpb"
	"go.etcd.io/etcd/api/v3/v3rpc/rpctypes"
	clientv3 "go.etcd.io/etcd/client/v3"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"
)

// streamChecks are about RangeStream, and about lists that are long.
var streamChecks = []check{
	{"a streamed range, put together, is the range", func(t *trial) {
		for i := range 75 {
			t.put(fmt.Sprintf("%03d", i), strings.Repeat("x", i))
		}
		past := t.revision()
		t.delete("010")
		t.put("011", "changed")
		for what, r := range map[string]*pb.RangeRequest{
			"all":                        {},
			"limit 1":                    {Limit: 1},
			"limit 10":                   {Limit: 10},
			"limit 33":                   {Limit: 33},
			"limit of all":               {Limit: 74},
			"keys_only":                  {KeysOnly: true},
			"in the past":                {Revision: past},
			"in the past, limit 20":      {Revision: past, Limit: 20},
			"serializable":               {Serializable: true},
			"ascending keys":             {SortOrder: pb.RangeRequest_ASCEND},
			"count_only":                 {CountOnly: true},
			"count_only with a limit":    {CountOnly: true, Limit: 3},
			"count_only in the past":     {CountOnly: true, Revision: past},
			"keys_only in the past":      {KeysOnly: true, Revision: past},
			"nothing":                    {Key: []byte(t.key("zz")), RangeEnd: []byte(t.key("zzz"))},
			"one key":                    {Key: []byte(t.key("011")), RangeEnd: []byte{}},
			"one key that is not there":  {Key: []byte(t.key("010")), RangeEnd: []byte{}},
			"one key that was there":     {Key: []byte(t.key("010")), RangeEnd: []byte{}, Revision: past},
			"bounds the wrong way round": {Key: []byte(t.key("5")), RangeEnd: []byte(t.key("4"))},
		} {
			if r.Key == nil {
				r.Key, r.RangeEnd = []byte(t.prefix), []byte(clientv3.GetPrefixRangeEnd(t.prefix))
			}
			want, err := t.kv.Range(t.ctx, r)
			t.that(err == nil, "%s: range: %v", what, err)
			messages, err := t.stream(r)
			t.that(err == nil, "%s: %v", what, err)
			merged := &pb.RangeResponse{}
			for _, m := range messages {
				proto.Merge(merged, m)
			}
			t.that(proto.Equal(merged, want), "%s: got %v, want %v", what, merged, want)
		}
	}},
	{"chunks double from ten keys on, and only the last says header, more and count", func(t *trial) {
		for i := range 100 {
			t.put(fmt.Sprintf("%03d", i), "x")
		}
		messages, err := t.stream(t.whole(&pb.RangeRequest{Limit: 95}))
		t.that(err == nil, "stream: %v", err)
		var sizes []int
		for i, m := range messages {
			sizes = append(sizes, len(m.Kvs))
			last := i == len(messages)-1
			t.equal(fmt.Sprintf("message %d: has a header", i), m.Header != nil, last)
			t.equal(fmt.Sprintf("message %d: more", i), m.More, last)
			t.equal(fmt.Sprintf("message %d: count", i), m.Count != 0, last)
		}
		t.equal("sizes", sizes, []int{10, 20, 40, 25})
		t.equal("count", messages[3].Count, int64(100))
		count, err := t.stream(t.whole(&pb.RangeRequest{CountOnly: true}))
		t.that(err == nil, "count_only: %v", err)
		t.equal("messages of count_only", len(count), 1)
		none, err := t.stream(&pb.RangeRequest{Key: []byte(t.key("none"))})
		t.that(err == nil, "nothing: %v", err)
		t.equal("messages of nothing", len(none), 1)
		t.that(none[0].Header.Revision > 0 && none[0].Header.MemberId != 0 && none[0].Header.RaftTerm > 0, "header %v", none[0].Header)
	}},
	{"what RangeStream refuses, in this order", func(t *trial) {
		t.put("a", "1")
		unimplemented := func(text string) error { return status.Error(codes.Unimplemented, text) }
		sorts := unimplemented("RangeStream does not support custom sort orders")
		filters := unimplemented("RangeStream does not support revision filters")
		everything := &pb.RangeRequest{SortOrder: 3, SortTarget: 5, MinModRevision: 1, Revision: t.revision() + 1}
		key := []byte(t.key("a"))
		for _, row := range []struct {
			what string
			r    *pb.RangeRequest
			want error
		}{
			{"no key", everything, rpctypes.ErrGRPCEmptyKey},
			{"order", &pb.RangeRequest{Key: key, SortOrder: 3, MinModRevision: 1}, rpctypes.ErrGRPCInvalidSortOption},
			{"target", &pb.RangeRequest{Key: key, SortTarget: 5}, rpctypes.ErrGRPCInvalidSortOption},
			{"descending", &pb.RangeRequest{Key: key, SortOrder: pb.RangeRequest_DESCEND, MinModRevision: 1}, sorts},
			{"by version", &pb.RangeRequest{Key: key, SortOrder: pb.RangeRequest_ASCEND, SortTarget: pb.RangeRequest_VERSION}, sorts},
			{"min mod", &pb.RangeRequest{Key: key, MinModRevision: 1, Revision: everything.Revision}, filters},
			{"max mod", &pb.RangeRequest{Key: key, MaxModRevision: 1}, filters},
			{"min create", &pb.RangeRequest{Key: key, MinCreateRevision: 1}, filters},
			{"max create", &pb.RangeRequest{Key: key, MaxCreateRevision: 1}, filters},
			{"future", &pb.RangeRequest{Key: key, Revision: everything.Revision}, rpctypes.ErrGRPCFutureRev},
			{"future count", &pb.RangeRequest{Key: key, Revision: everything.Revision, CountOnly: true}, rpctypes.ErrGRPCFutureRev},
		} {
			messages, err := t.stream(row.r)
			t.that(err != nil && err.Error() == row.want.Error(), "%s: got the error %v, want %v", row.what, err, row.want)
			t.equal(row.what+": messages", len(messages), 0)
		}
	}},
	{"a stream does not show what is written after it has begun", func(t *trial) {
		large(t)
		before := t.revision()
		stream, first := t.begin(t.whole(&pb.RangeRequest{}))
		t.that(len(first.Kvs) > 0 && first.Header == nil, "the first message is the last already")
		t.put("000-later", "x")
		t.put("zzz-later", "x")
		t.delete("150")
		messages, err := rest(stream)
		t.that(err == nil, "stream: %v", err)
		seen := len(first.Kvs)
		for _, m := range messages {
			seen += len(m.Kvs)
		}
		last := messages[len(messages)-1]
		t.equal("keys", seen, largeKeys)
		t.equal("count", last.Count, int64(largeKeys))
		t.equal("the header has the revision of the beginning", last.Header.Revision, before)
	}},
	{"a long list is the same by unary, by pages and by stream", func(t *trial) {
		large(t)
		whole, err := t.kv.Range(t.ctx, t.whole(&pb.RangeRequest{}))
		t.that(err == nil, "unary: %v", err)
		t.equal("keys", len(whole.Kvs), largeKeys)
		t.equal("count", whole.Count, int64(largeKeys))
		for i, kv := range whole.Kvs {
			t.that(string(kv.Key) == t.key(fmt.Sprintf("%03d", i)) && string(kv.Value) == largeValue(i), "key %d is not as it was written", i)
		}
		messages, err := t.stream(t.whole(&pb.RangeRequest{}))
		t.that(err == nil, "stream: %v", err)
		merged := &pb.RangeResponse{}
		for _, m := range messages {
			proto.Merge(merged, m)
		}
		t.that(proto.Equal(merged, whole), "stream and unary differ")
		txn, err := t.kv.Txn(t.ctx, &pb.TxnRequest{Success: []*pb.RequestOp{
			{Request: &pb.RequestOp_RequestRange{RequestRange: t.whole(&pb.RangeRequest{})}},
			{Request: &pb.RequestOp_RequestRange{RequestRange: t.whole(&pb.RangeRequest{Limit: 7, KeysOnly: true})}},
			{Request: &pb.RequestOp_RequestRange{RequestRange: t.whole(&pb.RangeRequest{CountOnly: true})}},
		}})
		t.that(err == nil, "txn: %v", err)
		whole.Header = &pb.ResponseHeader{Revision: whole.Header.Revision}
		t.that(proto.Equal(txn.Responses[0].GetResponseRange(), whole), "txn and unary differ")
		t.equal("keys of the second range", t.names(txn.Responses[1].GetResponseRange().Kvs), "000 001 002 003 004 005 006")
		t.equal("count of the third", txn.Responses[2].GetResponseRange().Count, int64(largeKeys))
		sorted, err := t.kv.Range(t.ctx, t.whole(&pb.RangeRequest{SortOrder: pb.RangeRequest_DESCEND, Limit: 150}))
		t.that(err == nil, "sorted: %v", err)
		t.that(len(sorted.Kvs) == 150 && sorted.More && proto.Equal(sorted.Kvs[0], whole.Kvs[largeKeys-1]), "sorted: another answer")
	}},
}

const largeKeys = 200

// large writes 20 MB, more than a client takes ahead of being read.
func large(t *trial) {
	for i := range largeKeys {
		t.put(fmt.Sprintf("%03d", i), largeValue(i))
	}
}

func largeValue(i int) string { return strings.Repeat(fmt.Sprintf("%09d,", i), 10_000+i) }

// whole asks for every key of the check.
func (t *trial) whole(r *pb.RangeRequest) *pb.RangeRequest {
	r.Key, r.RangeEnd = []byte(t.prefix), []byte(clientv3.GetPrefixRangeEnd(t.prefix))
	return r
}

// stream reads a whole RangeStream.
func (t *trial) stream(r *pb.RangeRequest) ([]*pb.RangeResponse, error) {
	stream, err := t.kv.RangeStream(t.ctx, r)
	t.that(err == nil, "open: %v", err)
	return rest(stream)
}

// begin reads the first message of a RangeStream.
func (t *trial) begin(r *pb.RangeRequest) (pb.KV_RangeStreamClient, *pb.RangeResponse) {
	stream, err := t.kv.RangeStream(t.ctx, r)
	t.that(err == nil, "open: %v", err)
	first, err := stream.Recv()
	t.that(err == nil, "first message: %v", err)
	return stream, first.RangeResponse
}

func rest(stream pb.KV_RangeStreamClient) ([]*pb.RangeResponse, error) {
	var messages []*pb.RangeResponse
	for {
		m, err := stream.Recv()
		if errors.Is(err, io.EOF) {
			return messages, nil
		}
		if err != nil {
			return messages, err
		}
		messages = append(messages, m.RangeResponse)
	}
}
