// Writes what etcd's own code makes of a few messages, one line each: a name, a space, bytes as hex. Besides each message
// by itself (raftpb) that is what rafthttp's stream handlers send, up to their first link heartbeat. Run from trial/go:
//
//	go run ../../server/src/test/resources/peer/peerbytes.go >../../server/src/test/resources/peer/peerbytes.txt
package main

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"time"

	"go.etcd.io/etcd/client/pkg/v3/types"
	"go.etcd.io/etcd/server/v3/etcdserver/api/rafthttp"
	stats "go.etcd.io/etcd/server/v3/etcdserver/api/v2stats"
	"go.etcd.io/raft/v3"
	pb "go.etcd.io/raft/v3/raftpb"
	"go.uber.org/zap"
	"google.golang.org/protobuf/proto"
)

const (
	self    = 0xfedcba9876543210
	other   = 0x0123456789abcdef
	cluster = 0xc
)

type nobody struct{}

func (nobody) Process(context.Context, *pb.Message) error { return nil }
func (nobody) IsIDRemoved(uint64) bool                    { return false }
func (nobody) ReportUnreachable(uint64)                   {}
func (nobody) ReportSnapshot(uint64, raft.SnapshotStatus) {}
func must(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func message(kind pb.MessageType, fill func(*pb.Message)) *pb.Message {
	m := &pb.Message{Type: kind.Enum(), From: new(uint64(self)), To: new(uint64(other)), Term: new(uint64(7))}
	fill(m)
	return m
}

func app(term, prev, prevTerm, commit uint64, data ...string) *pb.Message {
	return message(pb.MsgApp, func(m *pb.Message) {
		m.Term, m.Index, m.LogTerm, m.Commit = new(term), new(prev), new(prevTerm), new(commit)
		for i, d := range data {
			m.Entries = append(m.Entries,
				&pb.Entry{Term: new(term), Index: new(prev + 1 + uint64(i)), Data: []byte(d)})
		}
	})
}

func main() {
	print := func(name string, b []byte) { fmt.Printf("%s %x\n", name, b) }
	alone := []struct {
		name string
		m    *pb.Message
	}{
		{"app", app(7, 41, 6, 40, "one", "")},
		{"appresp", message(pb.MsgAppResp, func(m *pb.Message) { m.Index = new(uint64(43)) })},
		{"appreject", message(pb.MsgAppResp, func(m *pb.Message) {
			m.Index, m.Reject, m.RejectHint, m.LogTerm = new(uint64(43)), new(true), new(uint64(12)), new(uint64(3))
		})},
		{"heartbeat", message(pb.MsgHeartbeat, func(m *pb.Message) {
			m.Commit, m.Context = new(uint64(0)), []byte{1, 0, 0, 0, 0, 0, 0, 0}
		})},
		{"vote", message(pb.MsgVote, func(m *pb.Message) {
			m.Index, m.LogTerm, m.Context = new(uint64(43)), new(uint64(6)), []byte("CampaignTransfer")
		})},
		{"prevoteresp", message(pb.MsgPreVoteResp, func(m *pb.Message) { m.Reject = new(true) })},
		{"snap", message(pb.MsgSnap, func(m *pb.Message) {
			m.Snapshot = &pb.Snapshot{Data: []byte("{}"), Metadata: &pb.SnapshotMetadata{
				ConfState: &pb.ConfState{Voters: []uint64{self, other}, Learners: []uint64{3}, AutoLeave: new(false)},
				Index:     new(uint64(99)), Term: new(uint64(6))}}
		})},
		{"prop", message(pb.MsgProp, func(m *pb.Message) {
			m.Term = nil
			m.Entries = []*pb.Entry{{Data: []byte("x")}, {Type: pb.EntryConfChange.Enum(), Data: []byte("y")}}
		})},
		{"readindexresp", message(pb.MsgReadIndexResp, func(m *pb.Message) {
			m.Index, m.Entries = new(uint64(44)), []*pb.Entry{{Data: []byte("12345678")}}
		})},
	}
	for _, a := range alone {
		b, err := proto.Marshal(a.m)
		must(err)
		print(a.name, b)
	}
	appends := []*pb.Message{app(7, 41, 6, 40, "a", "b"), app(7, 43, 7, 42, "c"), app(7, 44, 7, 44), app(8, 44, 7, 44, "d")}
	votes := []*pb.Message{alone[3].m, alone[4].m}
	print("stream-msgapp", stream("msgapp", appends))
	print("stream-message", stream("message", votes))
}

// stream sends messages through a transport and returns what its handler wrote within a second.
func stream(kind string, messages []*pb.Message) []byte {
	server := httptest.NewUnstartedServer(nil)
	urls := types.MustNewURLs([]string{"http://" + server.Listener.Addr().String()})
	transport := &rafthttp.Transport{Logger: zap.NewNop(), ID: self, URLs: urls, ClusterID: cluster, Raft: nobody{},
		ServerStats: stats.NewServerStats("", ""), LeaderStats: stats.NewLeaderStats(zap.NewNop(), ""),
		ErrorC: make(chan error, 1)}
	must(transport.Start())
	server.Config.Handler = transport.Handler()
	server.Start()
	transport.AddPeer(other, []string{"http://127.0.0.1:1"})
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet,
		fmt.Sprintf("%s/raft/stream/%s/%x", server.URL, kind, uint64(other)), nil)
	must(err)
	request.Header.Set("X-Server-From", fmt.Sprintf("%x", uint64(other)))
	request.Header.Set("X-Server-Version", "3.7.1")
	request.Header.Set("X-Min-Cluster-Version", "3.0.0")
	request.Header.Set("X-Etcd-Cluster-ID", fmt.Sprintf("%x", uint64(cluster)))
	request.Header.Set("X-Raft-To", fmt.Sprintf("%x", uint64(self)))
	response, err := http.DefaultClient.Do(request)
	must(err)
	if response.StatusCode != http.StatusOK {
		must(fmt.Errorf("status %d", response.StatusCode))
	}
	time.Sleep(200 * time.Millisecond)
	transport.Send(messages)
	body, _ := io.ReadAll(response.Body)
	return body
}
