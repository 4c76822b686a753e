package main

import (
	"fmt"

	pb "go.etcd.io/etcd/api/v3/etcdserverpb"
	clientv3 "go.etcd.io/etcd/client/v3"
)

// rangeChecks are about reading.
var rangeChecks = []check{
	{"range bounds: single key, [key, end), prefix, from key on, empty", func(t *trial) {
		for _, name := range words("b a ab c d") {
			t.put(name, name)
		}
		t.equal("single", t.names(t.get("a").Kvs), "a")
		t.equal("missing", t.names(t.get("aa").Kvs), "")
		t.equal("range", t.names(t.get("a", clientv3.WithRange(t.key("c"))).Kvs), "a ab b")
		t.equal("missing bounds", t.names(t.get("aa", clientv3.WithRange(t.key("cc"))).Kvs), "ab b c")
		t.equal("end before key", t.names(t.get("c", clientv3.WithRange(t.key("a"))).Kvs), "")
		t.equal("end is key", t.names(t.get("c", clientv3.WithRange(t.key("c"))).Kvs), "")
		t.equal("prefix", t.names(t.get("a", clientv3.WithPrefix()).Kvs), "a ab")
		t.equal("whole", t.names(t.all().Kvs), "a ab b c d")
		t.equal("from key on", t.names(t.get("c", clientv3.WithFromKey(), clientv3.WithLimit(2)).Kvs), "c d")
		everything, err := t.client.Get(t.ctx, "\x00", clientv3.WithFromKey(), clientv3.WithCountOnly())
		t.that(err == nil, "everything: %v", err)
		t.that(everything.Count >= 5, "everything: %d keys", everything.Count)
	}},
	{"a serializable read answers like a linearizable one", func(t *trial) {
		base := t.revision()
		t.put("a", "1")
		t.put("b", "2")
		want := t.pairs(t.all().Kvs, base)
		t.equal("serializable", t.pairs(t.all(clientv3.WithSerializable()).Kvs, base), want)
	}},
	{"limit, more and count", func(t *trial) {
		for _, name := range words("a b c d e") {
			t.put(name, name)
		}
		for _, row := range []struct {
			limit int64
			names string
			more  bool
		}{
			{0, "a b c d e", false}, {1, "a", true}, {3, "a b c", true}, {4, "a b c d", true}, {5, "a b c d e", false}, {9, "a b c d e", false},
		} {
			answer := t.all(clientv3.WithLimit(row.limit))
			what := fmt.Sprintf("limit %d", row.limit)
			t.equal(what, t.names(answer.Kvs), row.names)
			t.equal(what+": more", answer.More, row.more)
			t.equal(what+": count is of all", answer.Count, int64(5))
		}
	}},
	{"paging by limit and range reads every key once", func(t *trial) {
		const keys = 250
		for i := range keys {
			t.put(fmt.Sprintf("%03d", i), "x")
		}
		revision := t.revision()
		next, seen := t.key(""), 0
		for more := true; more; {
			page, err := t.client.Get(t.ctx, next, clientv3.WithRange(clientv3.GetPrefixRangeEnd(t.prefix)),
				clientv3.WithLimit(32), clientv3.WithRev(revision))
			t.that(err == nil, "page: %v", err)
			t.equal("count of the rest", page.Count, int64(keys-seen))
			for _, kv := range page.Kvs {
				t.equal("key", string(kv.Key), t.key(fmt.Sprintf("%03d", seen)))
				seen++
			}
			more = page.More
			next = string(page.Kvs[len(page.Kvs)-1].Key) + "\x00"
			t.put(fmt.Sprintf("%03d-later", seen), "x") // must not show at the revision being read
		}
		t.equal("keys", seen, keys)
	}},
	{"count_only and keys_only", func(t *trial) {
		base := t.revision()
		t.put("a", "value")
		t.put("b", "value")
		t.put("b", "value")
		count := t.all(clientv3.WithCountOnly())
		t.equal("count_only: count", count.Count, int64(2))
		t.equal("count_only: keys", len(count.Kvs), 0)
		t.equal("count_only: more", count.More, false)
		t.equal("count_only with a limit", t.all(clientv3.WithCountOnly(), clientv3.WithLimit(1)).Count, int64(2))
		t.equal("count_only of nothing", t.get("z", clientv3.WithCountOnly()).Count, int64(0))
		want := []string{"a= create+1 mod+1 version 1 lease 0", "b= create+2 mod+3 version 2 lease 0"}
		t.equal("keys_only", t.pairs(t.all(clientv3.WithKeysOnly()).Kvs, base), want)
	}},
	{"sort by every target in every order", func(t *trial) {
		sortable(t)
		ascending := map[pb.RangeRequest_SortTarget]string{
			pb.RangeRequest_KEY: "a b c d", pb.RangeRequest_VERSION: "b d a c", pb.RangeRequest_CREATE: "c a d b",
			pb.RangeRequest_MOD: "b a c d", pb.RangeRequest_VALUE: "d c b a",
		}
		for target, names := range ascending {
			for order := range pb.RangeRequest_SortOrder_name {
				want := names
				if order == int32(pb.RangeRequest_DESCEND) {
					want = reversed(names)
				}
				what := fmt.Sprintf("%v %v", target, pb.RangeRequest_SortOrder(order))
				answer := t.sorted(&pb.RangeRequest{SortTarget: target, SortOrder: pb.RangeRequest_SortOrder(order)})
				t.equal(what, t.names(answer.Kvs), want)
			}
		}
	}},
	{"the limit acts after sorting, and count is of all", func(t *trial) {
		sortable(t)
		last := t.sorted(&pb.RangeRequest{SortTarget: pb.RangeRequest_MOD, SortOrder: pb.RangeRequest_DESCEND, Limit: 1})
		t.equal("last changed", t.names(last.Kvs), "d")
		t.equal("more", last.More, true)
		t.equal("count", last.Count, int64(4))
		first := t.sorted(&pb.RangeRequest{SortTarget: pb.RangeRequest_VALUE, SortOrder: pb.RangeRequest_ASCEND, Limit: 3})
		t.equal("smallest values", t.names(first.Kvs), "d c b")
		keys := t.sorted(&pb.RangeRequest{SortOrder: pb.RangeRequest_DESCEND, Limit: 2})
		t.equal("last keys", t.names(keys.Kvs), "d c")
		t.equal("keys_only still sorts by value",
			t.names(t.sorted(&pb.RangeRequest{SortTarget: pb.RangeRequest_VALUE, SortOrder: pb.RangeRequest_ASCEND, KeysOnly: true}).Kvs), "d c b a")
	}},
	{"with a target but no order, the limit acts on keys and then the page is sorted", func(t *trial) {
		// etcd takes order NONE for the natural order when it applies the limit (one key more, to see whether there are
		// more), and for ascending when it sorts: of a, b, c by value that is c, b.
		sortable(t)
		answer := t.sorted(&pb.RangeRequest{SortTarget: pb.RangeRequest_VALUE, Limit: 2})
		t.equal("keys", t.names(answer.Kvs), "c b")
		t.equal("more", answer.More, true)
	}},
	{"filters by mod and create revision", func(t *trial) {
		base := t.revision()
		for _, name := range words("a b c d") {
			t.put(name, "1") // a to d are created at +1 to +4
		}
		t.put("a", "2") // +5
		t.put("c", "2") // +6
		for _, row := range []struct {
			what  string
			opts  []clientv3.OpOption
			names string
		}{
			{"min mod", []clientv3.OpOption{clientv3.WithMinModRev(base + 4)}, "a c d"},
			{"max mod", []clientv3.OpOption{clientv3.WithMaxModRev(base + 4)}, "b d"},
			{"min and max mod", []clientv3.OpOption{clientv3.WithMinModRev(base + 4), clientv3.WithMaxModRev(base + 5)}, "a d"},
			{"min create", []clientv3.OpOption{clientv3.WithMinCreateRev(base + 3)}, "c d"},
			{"max create", []clientv3.OpOption{clientv3.WithMaxCreateRev(base + 2)}, "a b"},
			{"mod and create", []clientv3.OpOption{clientv3.WithMinModRev(base + 5), clientv3.WithMaxCreateRev(base + 1)}, "a"},
			{"nothing left", []clientv3.OpOption{clientv3.WithMinModRev(base + 7)}, ""},
		} {
			answer := t.all(row.opts...)
			t.equal(row.what, t.names(answer.Kvs), row.names)
			t.equal(row.what+": count is of all", answer.Count, int64(4))
			t.equal(row.what+": more", answer.More, false)
		}
		limited := t.all(clientv3.WithMinModRev(base+4), clientv3.WithLimit(2))
		t.equal("the limit acts after the filter", t.names(limited.Kvs), "a c")
		t.equal("more", limited.More, true)
	}},
	{"reads at every past revision", func(t *trial) {
		base := t.revision()
		t.put("a", "1")    // +1
		t.put("b", "1")    // +2
		t.put("a", "2")    // +3
		t.delete("b")      // +4
		t.put("b", "3")    // +5
		t.delete("a")      // +6
		t.put("none", "x") // +7
		t.delete("none")   // +8
		a1, a2 := "a=1 create+1 mod+1 version 1 lease 0", "a=2 create+1 mod+3 version 2 lease 0"
		b1, b3 := "b=1 create+2 mod+2 version 1 lease 0", "b=3 create+5 mod+5 version 1 lease 0"
		for at, want := range [][]string{1: {a1}, 2: {a1, b1}, 3: {a2, b1}, 4: {a2}, 5: {a2, b3}, 6: {b3}} {
			if at == 0 {
				continue
			}
			answer := t.all(clientv3.WithRev(base + int64(at)))
			what := fmt.Sprintf("at +%d", at)
			t.equal(what, t.pairs(answer.Kvs, base), want)
			t.equal(what+": count", answer.Count, int64(len(want)))
			t.equal(what+": the header has the revision of now", answer.Header.Revision, base+8)
			t.equal(what+": count_only", t.all(clientv3.WithRev(base+int64(at)), clientv3.WithCountOnly()).Count, int64(len(want)))
		}
		t.equal("before the first", len(t.all(clientv3.WithRev(base)).Kvs), 0)
		t.equal("0 is now", t.pairs(t.all(clientv3.WithRev(0)).Kvs, base), []string{b3})
		answer, err := t.kv.Range(t.ctx, &pb.RangeRequest{Key: []byte(t.key("b")), Revision: -5})
		t.that(err == nil, "a negative revision: %v", err)
		t.equal("a negative revision is now", t.pairs(answer.Kvs, base), []string{b3})
	}},
	{"sort and filters work at a past revision too", func(t *trial) {
		base := t.revision()
		t.put("a", "1")
		t.put("b", "2")
		t.put("a", "3")
		answer := t.all(clientv3.WithRev(base+2), clientv3.WithSort(clientv3.SortByValue, clientv3.SortDescend))
		t.equal("sorted", t.pairs(answer.Kvs, base),
			[]string{"b=2 create+2 mod+2 version 1 lease 0", "a=1 create+1 mod+1 version 1 lease 0"})
		t.equal("filtered", t.names(t.all(clientv3.WithRev(base+2), clientv3.WithMaxModRev(base+1)).Kvs), "a")
	}},
}

// sortable writes four keys whose order differs for every target and has no ties.
func sortable(t *trial) {
	for _, step := range words("c:9 a:7 d:5 b:6 a:8 c:4 a:9 c:5 c:3 d:1") {
		name, value := step[:1], step[2:]
		t.put(name, value)
	}
	// Now a=9 has version 3, b=6 version 1, c=3 version 4, d=1 version 2; b was changed first, then a, c, d.
	t.equal("arrangement", t.names(t.all().Kvs), "a b c d")
}

// sorted reads the whole check with the given options, which the Go client would partly rewrite.
func (t *trial) sorted(r *pb.RangeRequest) *pb.RangeResponse {
	r.Key, r.RangeEnd = []byte(t.prefix), []byte(clientv3.GetPrefixRangeEnd(t.prefix))
	answer, err := t.kv.Range(t.ctx, r)
	t.that(err == nil, "range %v: %v", r, err)
	return answer
}

func reversed(names string) string {
	var back string
	for _, name := range words(names) {
		back = " " + name + back
	}
	return back[1:]
}
