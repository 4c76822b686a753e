package main

import (
	pb "go.etcd.io/etcd/api/v3/etcdserverpb"
	"go.etcd.io/etcd/api/v3/v3rpc/rpctypes"
	clientv3 "go.etcd.io/etcd/client/v3"
)

// compactChecks are about giving up history. They come last: what they give up is that of the whole store.
var compactChecks = []check{
	{"history before the compacted revision cannot be read, the revision itself can", func(t *trial) {
		base := t.revision()
		t.put("a", "1")      // +1
		t.put("b", "1")      // +2
		t.put("a", "2")      // +3
		t.delete("b")        // +4
		t.put("c", "1")      // +5
		t.put("a", "3")      // +6
		at := base + 5       // a=2, b is deleted, c=1
		t.compact(at, false) // the header has the revision of now
		want := []string{"a=2 create+1 mod+3 version 2 lease 0", "c=1 create+5 mod+5 version 1 lease 0"}
		t.equal("at the compacted revision", t.pairs(t.all(clientv3.WithRev(at)).Kvs, base), want)
		t.equal("count there", t.all(clientv3.WithRev(at), clientv3.WithCountOnly()).Count, int64(2))
		t.equal("keys_only there", t.names(t.all(clientv3.WithRev(at), clientv3.WithKeysOnly()).Kvs), "a c")
		t.equal("now", t.pairs(t.all().Kvs, base), []string{"a=3 create+1 mod+6 version 3 lease 0", want[1]})
		for what, opts := range map[string][]clientv3.OpOption{
			"a key":          {},
			"a list":         {clientv3.WithPrefix()},
			"a limited list": {clientv3.WithPrefix(), clientv3.WithLimit(1)},
			"a sorted list":  {clientv3.WithPrefix(), clientv3.WithSort(clientv3.SortByValue, clientv3.SortDescend)},
			"serializable":   {clientv3.WithPrefix(), clientv3.WithSerializable()},
			"a count":        {clientv3.WithPrefix(), clientv3.WithCountOnly()},
			"keys alone":     {clientv3.WithPrefix(), clientv3.WithKeysOnly()},
		} {
			for _, before := range []int64{at - 1, base + 1} {
				_, err := t.client.Get(t.ctx, t.key(""), append(opts, clientv3.WithRev(before))...)
				t.refused(what, err, rpctypes.ErrCompacted)
			}
		}
		old := clientv3.OpGet(t.key("a"), clientv3.WithRev(at-1))
		oldList := clientv3.OpGet(t.key(""), clientv3.WithPrefix(), clientv3.WithRev(at-1))
		t.refusedTxn("txn", rpctypes.ErrCompacted, nil, []clientv3.Op{old}, nil)
		t.refusedTxn("txn with a list", rpctypes.ErrCompacted, nil, []clientv3.Op{oldList}, nil)
		t.refusedTxn("txn that writes first", rpctypes.ErrCompacted, nil, []clientv3.Op{clientv3.OpPut(t.key("a"), "4"), oldList}, nil)
		t.equal("in the branch not taken", t.txn(nil, nil, []clientv3.Op{oldList}).Succeeded, true)
		messages, err := t.stream(t.whole(&pb.RangeRequest{Revision: at - 1}))
		t.refused("stream", rpctypes.Error(err), rpctypes.ErrCompacted)
		t.equal("messages", len(messages), 0)
	}},
	{"what cannot be compacted", func(t *trial) {
		t.put("a", "1")
		now := t.revision()
		_, err := t.client.Compact(t.ctx, now+1)
		t.refused("a future revision", err, rpctypes.ErrFutureRev)
		t.compact(now-1, false)
		for _, revision := range []int64{now - 1, now - 2, 1, 0, -1} {
			_, err = t.client.Compact(t.ctx, revision)
			t.refused("what is compacted already", err, rpctypes.ErrCompacted)
		}
		t.compact(now, true)
		_, err = t.client.Compact(t.ctx, now, clientv3.WithCompactPhysical())
		t.refused("physically once more", err, rpctypes.ErrCompacted)
		t.equal("compaction takes no revision", t.revision(), now)
	}},
	{"keys live on through a compaction of all history, deleted ones are gone", func(t *trial) {
		base := t.revision()
		t.put("a", "1")
		t.put("a", "2") // +2
		t.put("b", "1") // +3
		t.delete("b")   // +4
		t.put("c", "1") // +5
		t.compact(base+5, true)
		want := []string{"a=2 create+1 mod+2 version 2 lease 0", "c=1 create+5 mod+5 version 1 lease 0"}
		t.equal("keys", t.pairs(t.all().Kvs, base), want)
		t.put("b", "2") // +6
		t.equal("born again", t.fields(t.get("b").Kvs[0], base), "b=2 create+6 mod+6 version 1 lease 0")
		t.put("a", "3") // +7
		t.equal("changed on", t.fields(t.get("a").Kvs[0], base), "a=3 create+1 mod+7 version 3 lease 0")
		t.equal("at the compacted revision", t.pairs(t.all(clientv3.WithRev(base+5)).Kvs, base), want)
	}},
	{"a stream whose revision is compacted while it runs ends with that", func(t *trial) {
		large(t)
		stream, first := t.begin(t.whole(&pb.RangeRequest{}))
		t.that(len(first.Kvs) > 0 && first.Header == nil, "the first message is the last already")
		t.put("a", "x")
		t.compact(t.revision(), false)
		messages, err := rest(stream)
		t.refused("stream", rpctypes.Error(err), rpctypes.ErrCompacted)
		for _, m := range messages {
			t.that(m.Header == nil, "a last message came before the error")
		}
	}},
}

// compact demands that a compaction works, and that its header has the revision of the store.
func (t *trial) compact(revision int64, physical bool) {
	var opts []clientv3.CompactOption
	if physical {
		opts = append(opts, clientv3.WithCompactPhysical())
	}
	answer, err := t.client.Compact(t.ctx, revision, opts...)
	t.that(err == nil, "compact %d: %v", revision, err)
	t.equal("revision in the header", answer.Header.Revision, t.revision())
	t.that(answer.Header.MemberId != 0 && answer.Header.RaftTerm > 0, "header %v", answer.Header)
}
