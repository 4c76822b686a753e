package main

import (
	"slices"
	"strings"

	pb "go.etcd.io/etcd/api/v3/etcdserverpb"
	clientv3 "go.etcd.io/etcd/client/v3"
)

// serverChecks are about what the server says of itself.
var serverChecks = []check{
	{"status names the member, its leader and its progress", func(t *trial) {
		status, err := t.client.Status(t.ctx, t.client.Endpoints()[0])
		t.that(err == nil, "status: %v", err)
		t.that(status.Header.MemberId != 0 && status.Header.ClusterId != 0, "ids are zero: %v", status.Header)
		t.that(status.Version != "", "no version")
		t.that(status.Leader != 0, "no leader")
		t.that(status.RaftTerm > 0 && status.RaftIndex > 0, "term %d, index %d", status.RaftTerm, status.RaftIndex)
		t.that(status.RaftAppliedIndex > 0 && status.RaftAppliedIndex <= status.RaftIndex,
			"applied index %d of %d", status.RaftAppliedIndex, status.RaftIndex)
		t.that(status.DbSize > 0 && status.DbSizeInUse > 0 && status.DbSizeInUse <= status.DbSize,
			"size %d, in use %d", status.DbSize, status.DbSizeInUse)
		t.that(!status.IsLearner, "it claims to be a learner")
		t.equal("errors", len(status.Errors), 0)
	}},
	{"applied index grows with writes", func(t *trial) {
		before, err := t.client.Status(t.ctx, t.client.Endpoints()[0])
		t.that(err == nil, "status: %v", err)
		for range 3 {
			t.put("a", "x")
		}
		after, err := t.client.Status(t.ctx, t.client.Endpoints()[0])
		t.that(err == nil, "status: %v", err)
		t.that(after.RaftAppliedIndex >= before.RaftAppliedIndex+3,
			"%d after three puts, %d before", after.RaftAppliedIndex, before.RaftAppliedIndex)
	}},
	{"member list holds the answering member", func(t *trial) {
		list, err := t.client.MemberList(t.ctx)
		t.that(err == nil, "member list: %v", err)
		i := slices.IndexFunc(list.Members, func(m *pb.Member) bool { return m.ID == list.Header.MemberId })
		t.that(i >= 0, "member %x of the header is not in %v", list.Header.MemberId, list.Members)
		m := list.Members[i]
		t.that(m.Name != "" && !m.IsLearner, "member %v", m)
		for _, url := range slices.Concat(m.PeerURLs, m.ClientURLs) {
			t.that(strings.Contains(url, "://"), "not a URL: %q", url)
		}
		t.that(len(m.PeerURLs) > 0 && len(m.ClientURLs) > 0, "no URLs: %v", m)
	}},
	{"no alarm is raised", func(t *trial) {
		list, err := t.client.AlarmList(t.ctx)
		t.that(err == nil, "alarm list: %v", err)
		t.equal("alarms", len(list.Alarms), 0)
		t.that(list.Header.GetClusterId() != 0, "no header: %v", list.Header)
	}},
	{"every answer has the same ids, a term, and a revision that never falls", func(t *trial) {
		status, err := t.client.Status(t.ctx, t.client.Endpoints()[0])
		t.that(err == nil, "status: %v", err)
		var last int64
		see := func(what string, h *pb.ResponseHeader) {
			t.that(h != nil, "%s: no header", what)
			t.equal(what+": member id", h.MemberId, status.Header.MemberId)
			t.equal(what+": cluster id", h.ClusterId, status.Header.ClusterId)
			t.that(h.RaftTerm >= status.Header.RaftTerm, "%s: term %d", what, h.RaftTerm)
			t.that(h.Revision >= last, "%s: revision %d after %d", what, h.Revision, last)
			last = h.Revision
		}
		see("status", status.Header)
		see("put", t.put("a", "1").Header)
		see("get", t.get("a").Header)
		see("serializable get", t.get("a", clientv3.WithSerializable()).Header)
		see("put", t.put("a", "2").Header)
		see("get at an old revision", t.get("a", clientv3.WithRev(last-1)).Header)
		see("txn", t.txn(nil, []clientv3.Op{clientv3.OpPut(t.key("b"), "1")}, nil).Header)
		see("delete", t.delete("a").Header)
		see("delete of nothing", t.delete("a").Header)
		see("read-only txn", t.txn(nil, []clientv3.Op{clientv3.OpGet(t.key("b"))}, nil).Header)
	}},
}
