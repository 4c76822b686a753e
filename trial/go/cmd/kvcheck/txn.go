package main

import (
	"errors"
	"fmt"
	"strconv"

	pb "go.etcd.io/etcd/api/v3/etcdserverpb"
	clientv3 "go.etcd.io/etcd/client/v3"
)

// txnChecks are about transactions.
var txnChecks = []check{
	{"compare: every target and result, on a key that is there", func(t *trial) {
		base := t.revision()
		for _, value := range words("a b m") {
			t.put("k", value) // created at +1, changed at +3, version 3
		}
		for _, row := range []struct {
			what                string
			left                clientv3.Cmp
			below, same, beyond any
		}{
			{"version", clientv3.Version(t.key("k")), int64(2), int64(3), int64(4)},
			{"create revision", clientv3.CreateRevision(t.key("k")), base, base + 1, base + 2},
			{"mod revision", clientv3.ModRevision(t.key("k")), base + 2, base + 3, base + 4},
			{"value", clientv3.Value(t.key("k")), "lzz", "m", "m\x00"},
			{"lease", clientv3.LeaseValue(t.key("k")), int64(-1), int64(0), int64(1)},
		} {
			t.compares(row.what+" with a smaller value", row.left, row.below, "> !=")
			t.compares(row.what+" with its own value", row.left, row.same, "=")
			t.compares(row.what+" with a larger value", row.left, row.beyond, "< !=")
		}
	}},
	{"compare: a missing key has zeros, and a value compare with it always fails", func(t *trial) {
		t.put("was", "here")
		t.delete("was")
		for _, name := range words("never was") {
			for _, left := range []clientv3.Cmp{
				clientv3.Version(t.key(name)), clientv3.CreateRevision(t.key(name)),
				clientv3.ModRevision(t.key(name)), clientv3.LeaseValue(t.key(name)),
			} {
				t.compares(name+" with 0", left, int64(0), "=")
				t.compares(name+" with 1", left, int64(1), "< !=")
				t.compares(name+" with -1", left, int64(-1), "> !=")
			}
			t.compares(name+": value with empty", clientv3.Value(t.key(name)), "", "")
			t.compares(name+": value with some", clientv3.Value(t.key(name)), "x", "")
		}
	}},
	{"compare over a range holds when it holds for every key", func(t *trial) {
		t.put("a/1", "same")
		t.put("a/2", "same")
		t.put("a/2", "same")
		prefix := func(left clientv3.Cmp) clientv3.Cmp { return left.WithPrefix() }
		t.compares("equal values", prefix(clientv3.Value(t.key("a/"))), "same", "=")
		t.compares("versions 1 and 2 with 1", prefix(clientv3.Version(t.key("a/"))), int64(1), "")
		t.compares("versions 1 and 2 with 0", prefix(clientv3.Version(t.key("a/"))), int64(0), "> !=")
		t.compares("versions 1 and 2 with 3", prefix(clientv3.Version(t.key("a/"))), int64(3), "< !=")
		t.compares("no key: version", prefix(clientv3.Version(t.key("b/"))), int64(0), "=")
		t.compares("no key: value", prefix(clientv3.Value(t.key("b/"))), "", "")
		t.compares("[a/1, a/2)", clientv3.Version(t.key("a/1")).WithRange(t.key("a/2")), int64(1), "=")
	}},
	{"all compares must hold; without any the first branch runs", func(t *trial) {
		t.put("k", "v")
		yes := clientv3.Compare(clientv3.Value(t.key("k")), "=", "v")
		no := clientv3.Compare(clientv3.Version(t.key("k")), ">", 1)
		t.equal("yes yes", t.txn([]clientv3.Cmp{yes, yes}, nil, nil).Succeeded, true)
		t.equal("yes no", t.txn([]clientv3.Cmp{yes, no}, nil, nil).Succeeded, false)
		t.equal("no yes", t.txn([]clientv3.Cmp{no, yes}, nil, nil).Succeeded, false)
		empty := t.txn(nil, nil, nil)
		t.equal("none", empty.Succeeded, true)
		t.equal("answers", len(empty.Responses), 0)
		t.that(empty.Header.GetRevision() > 0, "an empty txn has no revision in its header")
	}},
	{"a compare-and-set loop of many clients loses no increment", func(t *trial) {
		const clients, each = 8, 15
		failures := make(chan error, clients)
		for range clients {
			go func() {
				var err error
				for i := 0; i < each && err == nil; i++ {
					err = t.increment("counter")
				}
				failures <- err
			}()
		}
		for range clients {
			if err := <-failures; err != nil {
				t.fail("increment: %v", err)
			}
		}
		kv := t.get("counter").Kvs[0]
		t.equal("counter", string(kv.Value), strconv.Itoa(clients*each))
		t.equal("version", kv.Version, int64(clients*each))
	}},
	{"a txn's writes share one revision and its reads see what came before them", func(t *trial) {
		base := t.revision()
		t.put("a", "old")  // +1
		t.put("gone", "x") // +2
		answer := t.txn(nil, []clientv3.Op{
			clientv3.OpGet(t.key("a")),
			clientv3.OpPut(t.key("a"), "new", clientv3.WithPrevKV()),
			clientv3.OpGet(t.key("a")),
			clientv3.OpDelete(t.key("gone"), clientv3.WithPrevKV()),
			clientv3.OpGet(t.key("gone")),
			clientv3.OpPut(t.key("b"), "new"),
			clientv3.OpGet(t.prefix, clientv3.WithPrefix()),
			clientv3.OpDelete(t.key("nothing")),
		}, nil)
		t.equal("revision", answer.Header.Revision-base, int64(3))
		t.equal("answers", len(answer.Responses), 8)
		at := func(i int) *pb.ResponseOp { return answer.Responses[i] }
		a1, a2 := "a=old create+1 mod+1 version 1 lease 0", "a=new create+1 mod+3 version 2 lease 0"
		b := "b=new create+3 mod+3 version 1 lease 0"
		t.equal("get before", t.pairs(at(0).GetResponseRange().Kvs, base), []string{a1})
		t.equal("prev_kv", t.fields(at(1).GetResponsePut().PrevKv, base), a1)
		t.equal("get after", t.pairs(at(2).GetResponseRange().Kvs, base), []string{a2})
		t.equal("deleted", at(3).GetResponseDeleteRange().Deleted, int64(1))
		t.equal("prev_kvs", t.pairs(at(3).GetResponseDeleteRange().PrevKvs, base), []string{"gone=x create+2 mod+2 version 1 lease 0"})
		t.equal("get after delete", len(at(4).GetResponseRange().Kvs), 0)
		t.equal("everything", t.pairs(at(6).GetResponseRange().Kvs, base), []string{a2, b})
		t.equal("count", at(6).GetResponseRange().Count, int64(2))
		t.equal("delete of nothing", at(7).GetResponseDeleteRange().Deleted, int64(0))
		t.equal("afterwards", t.pairs(t.all().Kvs, base), []string{a2, b})
	}},
	{"a delete and a put of other keys in one txn are one revision; a put after it starts anew", func(t *trial) {
		base := t.revision()
		t.put("a", "1")
		t.put("b", "1")
		t.txn(nil, []clientv3.Op{clientv3.OpDelete(t.key("a"), clientv3.WithRange(t.key("c"))), clientv3.OpPut(t.key("c"), "2")}, nil)
		t.equal("afterwards", t.pairs(t.all().Kvs, base), []string{"c=2 create+3 mod+3 version 1 lease 0"})
		t.equal("before", t.names(t.all(clientv3.WithRev(base+2)).Kvs), "a b")
	}},
	{"a txn that changes nothing takes no revision", func(t *trial) {
		t.put("a", "1")
		base := t.revision()
		no := []clientv3.Cmp{clientv3.Compare(clientv3.Version(t.key("a")), "=", 7)}
		read := []clientv3.Op{clientv3.OpGet(t.key("a"))}
		write := []clientv3.Op{clientv3.OpPut(t.key("a"), "2")}
		t.equal("read-only", t.txn(nil, read, nil).Header.Revision-base, int64(0))
		failed := t.txn(no, write, read)
		t.equal("failed compare", failed.Header.Revision-base, int64(0))
		t.equal("its branch", t.names(failed.Responses[0].GetResponseRange().Kvs), "a")
		t.equal("deletes nothing", t.txn(nil, []clientv3.Op{clientv3.OpDelete(t.key("z"))}, nil).Header.Revision-base, int64(0))
		t.equal("nor does the next read see one", t.revision()-base, int64(0))
		t.equal("then a write", t.txn(no, nil, write).Header.Revision-base, int64(1))
	}},
	{"nested txns: the path taken, the answers, one revision", func(t *trial) {
		base := t.revision()
		t.put("a", "1") // +1
		is := func(name, value string) []clientv3.Cmp {
			return []clientv3.Cmp{clientv3.Compare(clientv3.Value(t.key(name)), "=", value)}
		}
		put := func(name string) []clientv3.Op { return []clientv3.Op{clientv3.OpPut(t.key(name), "x")} }
		innermost := clientv3.OpTxn(is("a", "1"), put("deep-then"), put("deep-else"))
		answer := t.txn(is("a", "1"), []clientv3.Op{
			clientv3.OpTxn(is("a", "other"), put("first-then"), append(put("first-else"), innermost)),
			clientv3.OpGet(t.key("first-else")),
			clientv3.OpTxn(is("a", "1"), put("second-then"), put("second-else")),
		}, put("outer-else"))
		t.equal("revision", answer.Header.Revision-base, int64(2))
		first := answer.Responses[0].GetResponseTxn()
		t.equal("outer", answer.Succeeded, true)
		t.equal("first", first.Succeeded, false)
		t.equal("innermost", first.Responses[1].GetResponseTxn().Succeeded, true)
		t.equal("second", answer.Responses[2].GetResponseTxn().Succeeded, true)
		t.equal("a later op sees an inner write", t.names(answer.Responses[1].GetResponseRange().Kvs), "first-else")
		t.equal("written", t.names(t.all(clientv3.WithMinModRev(base+2)).Kvs), "deep-then first-else second-then")
	}},
	{"nested compares look at the state before the whole txn", func(t *trial) {
		missing := []clientv3.Cmp{clientv3.Compare(clientv3.Version(t.key("a")), "=", 0)}
		answer := t.txn(nil, []clientv3.Op{
			clientv3.OpPut(t.key("a"), "x"),
			clientv3.OpTxn(missing, []clientv3.Op{clientv3.OpPut(t.key("then"), "x")}, []clientv3.Op{clientv3.OpPut(t.key("else"), "x")}),
		}, nil)
		t.equal("inner", answer.Responses[1].GetResponseTxn().Succeeded, true)
		t.equal("written", t.names(t.all().Kvs), "a then")
	}},
	{"a range in a txn takes all the options of a range", func(t *trial) {
		base := t.revision()
		t.put("a", "3")
		t.put("b", "2")
		t.put("c", "1")
		whole := func(opts ...clientv3.OpOption) clientv3.Op {
			return clientv3.OpGet(t.prefix, append(opts, clientv3.WithPrefix())...)
		}
		answer := t.txn(nil, []clientv3.Op{
			clientv3.OpPut(t.key("d"), "0"),
			whole(clientv3.WithSort(clientv3.SortByValue, clientv3.SortAscend), clientv3.WithLimit(2)),
			whole(clientv3.WithCountOnly()),
			whole(clientv3.WithKeysOnly(), clientv3.WithLimit(1)),
			whole(clientv3.WithRev(base + 2)),
			whole(clientv3.WithMaxCreateRev(base + 1)),
		}, nil)
		at := func(i int) *pb.RangeResponse { return answer.Responses[i].GetResponseRange() }
		t.equal("sort and limit", t.names(at(1).Kvs), "d c")
		t.equal("more", at(1).More, true)
		t.equal("count_only", at(2).Count, int64(4))
		t.equal("keys_only", t.pairs(at(3).Kvs, base), []string{"a= create+1 mod+1 version 1 lease 0"})
		t.equal("count beside a limit", at(3).Count, int64(4))
		t.equal("at a past revision", t.names(at(4).Kvs), "a b")
		t.equal("filter", t.names(at(5).Kvs), "a")
	}},
	{"ignore_value in a txn", func(t *trial) {
		base := t.revision()
		t.put("a", "kept")
		t.txn(nil, []clientv3.Op{clientv3.OpPut(t.key("a"), "", clientv3.WithIgnoreValue())}, nil)
		t.equal("afterwards", t.fields(t.get("a").Kvs[0], base), "a=kept create+1 mod+2 version 2 lease 0")
	}},
	{"128 operations fit", func(t *trial) {
		var puts []clientv3.Op
		var compares []clientv3.Cmp
		for i := range 128 {
			puts = append(puts, clientv3.OpPut(t.key(fmt.Sprintf("%03d", i)), "x"))
			compares = append(compares, clientv3.Compare(clientv3.Version(t.key(fmt.Sprintf("%03d", i))), "=", 0))
		}
		base := t.revision()
		t.equal("succeeded", t.txn(compares, puts, puts).Succeeded, true)
		t.equal("revision", t.revision()-base, int64(1))
		t.equal("keys", t.all(clientv3.WithCountOnly(), clientv3.WithRev(base+1)).Count, int64(128))
	}},
}

// compares demands that, of the four results, exactly those named make the compare hold.
func (t *trial) compares(what string, left clientv3.Cmp, right any, holding string) {
	for _, result := range []string{"=", "!=", ">", "<"} {
		want := false
		for _, h := range words(holding) {
			want = want || h == result
		}
		answer := t.txn([]clientv3.Cmp{clientv3.Compare(left, result, right)}, nil, nil)
		t.equal(fmt.Sprintf("%s: %q", what, result), answer.Succeeded, want)
	}
}

// increment adds one to a counter, by compare and set, as often as it takes. It runs on goroutines of its own, where
// a trial's methods, which panic, must not be used.
func (t *trial) increment(name string) error {
	key := t.key(name)
	for range 10_000 {
		answer, err := t.client.Get(t.ctx, key)
		if err != nil {
			return err
		}
		var revision int64
		var value int
		if len(answer.Kvs) > 0 {
			revision = answer.Kvs[0].ModRevision
			if value, err = strconv.Atoi(string(answer.Kvs[0].Value)); err != nil {
				return err
			}
		}
		set, err := t.client.Txn(t.ctx).
			If(clientv3.Compare(clientv3.ModRevision(key), "=", revision)).
			Then(clientv3.OpPut(key, strconv.Itoa(value+1))).
			Commit()
		if err != nil {
			return err
		}
		if set.Succeeded {
			return nil
		}
	}
	return errors.New("the compare failed 10,000 times")
}
