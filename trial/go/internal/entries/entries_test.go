package entries

import (
	"strings"
	"testing"

	pb "go.etcd.io/etcd/api/v3/etcdserverpb"
	"go.etcd.io/raft/v3/raftpb"
	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"
)

func bytesOf(t *testing.T, m proto.Message) []byte {
	t.Helper()
	encoded, err := proto.Marshal(m)
	if err != nil {
		t.Fatal(err)
	}
	return encoded
}

// A transaction within a transaction has a put with one field too many.
func deepWithUnknownField(t *testing.T) []byte {
	put := protowire.AppendVarint(protowire.AppendTag(bytesOf(t, &pb.PutRequest{Key: []byte("k")}), 77, protowire.VarintType), 1)
	strange := &pb.PutRequest{}
	if err := proto.Unmarshal(put, strange); err != nil {
		t.Fatal(err)
	}
	inner := &pb.TxnRequest{Success: []*pb.RequestOp{{Request: &pb.RequestOp_RequestPut{RequestPut: strange}}}}
	outer := &pb.TxnRequest{Failure: []*pb.RequestOp{{Request: &pb.RequestOp_RequestTxn{RequestTxn: inner}}}}
	return bytesOf(t, &pb.InternalRaftRequest{Header: &pb.RequestHeader{ID: 1}, Txn: outer})
}

func TestKind(t *testing.T) {
	header := &pb.RequestHeader{ID: 1}
	put := &pb.PutRequest{Key: []byte("k")}
	for _, c := range []struct {
		name  string
		kind  raftpb.EntryType
		data  []byte
		want  string
		fails string
	}{
		{"a leader's first entry", raftpb.EntryNormal, nil, "empty", ""},
		{"a put", raftpb.EntryNormal, bytesOf(t, &pb.InternalRaftRequest{Header: header, Put: put}), "put", ""},
		{"without an id", raftpb.EntryNormal, bytesOf(t, &pb.InternalRaftRequest{Put: put}), "", "no id"},
		{"without a request", raftpb.EntryNormal, bytesOf(t, &pb.InternalRaftRequest{Header: header}), "", "requests"},
		{"two requests", raftpb.EntryNormal, bytesOf(t, &pb.InternalRaftRequest{Header: header, Put: put, AuthEnable: &pb.AuthEnableRequest{}}), "", "requests"},
		{"a field too many, deep inside", raftpb.EntryNormal, deepWithUnknownField(t), "", "PutRequest"},
		{"a number that no alarm has", raftpb.EntryNormal, bytesOf(t, &pb.InternalRaftRequest{Header: header, Alarm: &pb.AlarmRequest{Alarm: 9}}), "", "alarm"},
		{"a change that etcd's apply dies of", raftpb.EntryConfChangeV2, bytesOf(t, &raftpb.ConfChangeV2{Context: []byte("x")}), "", "does not know"},
		{"a removal", raftpb.EntryConfChange, bytesOf(t, &raftpb.ConfChange{Type: raftpb.ConfChangeRemoveNode.Enum(), NodeId: proto.Uint64(7)}), "ConfChangeRemoveNode", ""},
		{"a member that is another one", raftpb.EntryConfChange, bytesOf(t, &raftpb.ConfChange{NodeId: proto.Uint64(7), Context: []byte(`{"id":8,"peerURLs":[]}`)}), "", "is about"},
		{"a member with a key too many", raftpb.EntryConfChange, bytesOf(t, &raftpb.ConfChange{NodeId: proto.Uint64(7), Context: []byte(`{"id":7,"colour":1}`)}), "", "colour"},
	} {
		kind, err := Kind(&raftpb.Entry{Type: c.kind.Enum(), Index: proto.Uint64(1), Data: c.data})
		switch {
		case c.fails == "" && (err != nil || kind != c.want):
			t.Errorf("%s: %q, %v", c.name, kind, err)
		case c.fails != "" && (err == nil || !strings.Contains(err.Error(), c.fails)):
			t.Errorf("%s: %q, %v; it should fail for %q", c.name, kind, err, c.fails)
		}
	}
}
