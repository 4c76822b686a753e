package main

import (
	"fmt"
	"strings"

	pb "go.etcd.io/etcd/api/v3/etcdserverpb"
	clientv3 "go.etcd.io/etcd/client/v3"
)

// writeChecks are about Put and DeleteRange, and what they leave behind.
var writeChecks = []check{
	{"each write that changes something takes exactly one revision", func(t *trial) {
		base := t.revision()
		t.equal("put", t.put("a", "1").Header.Revision-base, int64(1))
		t.equal("put of the same value", t.put("a", "1").Header.Revision-base, int64(2))
		t.equal("get", t.get("a").Header.Revision-base, int64(2))
		t.equal("delete", t.delete("a").Header.Revision-base, int64(3))
		t.equal("delete of nothing", t.delete("a").Header.Revision-base, int64(3))
		t.equal("put", t.put("a", "1").Header.Revision-base, int64(4))
	}},
	{"a key's revisions and version over its lives", func(t *trial) {
		base := t.revision()
		t.put("a", "1")
		t.equal("born", t.fields(t.get("a").Kvs[0], base), "a=1 create+1 mod+1 version 1 lease 0")
		t.put("a", "2")
		t.equal("changed", t.fields(t.get("a").Kvs[0], base), "a=2 create+1 mod+2 version 2 lease 0")
		t.delete("a")
		t.equal("deleted", len(t.get("a").Kvs), 0)
		t.put("a", "3")
		t.equal("born again", t.fields(t.get("a").Kvs[0], base), "a=3 create+4 mod+4 version 1 lease 0")
	}},
	{"keys and values are bytes: empty, binary, large", func(t *trial) {
		var every strings.Builder
		for i := range 256 {
			every.WriteByte(byte(i))
		}
		large := strings.Repeat("0123456789abcdef", 64<<10) // 1 MiB
		for name, value := range map[string]string{
			"empty": "", "binary": every.String(), "large": large,
			"\x00": "zero", "\xff\xff": "high", every.String(): "all", strings.Repeat("k", 4096): "long",
		} {
			t.put(name, value)
			answer := t.get(name)
			t.equal(fmt.Sprintf("keys of %.20q", name), len(answer.Kvs), 1)
			t.that(string(answer.Kvs[0].Key) == t.key(name), "%.20q: another key came back", name)
			t.that(string(answer.Kvs[0].Value) == value, "%.20q: another value came back", name)
		}
	}},
	{"put with prev_kv", func(t *trial) {
		base := t.revision()
		t.equal("of a new key", t.fields(t.put("a", "1", clientv3.WithPrevKV()).PrevKv, base), "nothing")
		t.equal("of a key", t.fields(t.put("a", "2", clientv3.WithPrevKV()).PrevKv, base), "a=1 create+1 mod+1 version 1 lease 0")
		t.equal("not asked for", t.fields(t.put("a", "3").PrevKv, base), "nothing")
		t.delete("a")
		t.equal("of a deleted key", t.fields(t.put("a", "4", clientv3.WithPrevKV()).PrevKv, base), "nothing")
	}},
	{"put with ignore_value keeps the value and moves the revision", func(t *trial) {
		base := t.revision()
		t.put("a", "kept")
		t.put("a", "", clientv3.WithIgnoreValue())
		t.equal("ignore_value", t.fields(t.get("a").Kvs[0], base), "a=kept create+1 mod+2 version 2 lease 0")
		t.put("a", "new", clientv3.WithIgnoreLease())
		t.equal("ignore_lease", t.fields(t.get("a").Kvs[0], base), "a=new create+1 mod+3 version 3 lease 0")
		prev := t.put("a", "", clientv3.WithIgnoreValue(), clientv3.WithIgnoreLease(), clientv3.WithPrevKV()).PrevKv
		t.equal("both, prev_kv", t.fields(prev, base), "a=new create+1 mod+3 version 3 lease 0")
		t.equal("both", t.fields(t.get("a").Kvs[0], base), "a=new create+1 mod+4 version 4 lease 0")
	}},
	{"delete: single key, range, prefix, from key on", func(t *trial) {
		fill := func(names string) {
			for _, name := range words(names) {
				t.put(name, name)
			}
		}
		fill("a aa b c d")
		t.equal("single", t.delete("a").Deleted, int64(1))
		t.equal("left", t.names(t.all().Kvs), "aa b c d")
		t.equal("range, end excluded", t.delete("aa", clientv3.WithRange(t.key("c"))).Deleted, int64(2))
		t.equal("left", t.names(t.all().Kvs), "c d")
		t.equal("empty range", t.delete("d", clientv3.WithRange(t.key("c"))).Deleted, int64(0))
		fill("p p1 p2 q")
		t.equal("prefix", t.delete("p", clientv3.WithPrefix()).Deleted, int64(3))
		t.equal("left", t.names(t.all().Kvs), "c d q")
		t.equal("all of it", t.delete("", clientv3.WithPrefix()).Deleted, int64(3))
		t.equal("left", t.names(t.all().Kvs), "")
	}},
	{"one range delete is one revision, and prev_kvs come in key order", func(t *trial) {
		base := t.revision()
		for _, name := range words("c a b") {
			t.put(name, "of "+name)
		}
		answer := t.delete("", clientv3.WithPrefix(), clientv3.WithPrevKV())
		t.equal("revision", answer.Header.Revision-base, int64(4))
		t.equal("prev_kvs", t.pairs(answer.PrevKvs, base), []string{
			"a=of a create+2 mod+2 version 1 lease 0",
			"b=of b create+3 mod+3 version 1 lease 0",
			"c=of c create+1 mod+1 version 1 lease 0",
		})
		t.equal("prev_kvs of nothing", len(t.delete("", clientv3.WithPrefix(), clientv3.WithPrevKV()).PrevKvs), 0)
		t.put("a", "again")
		t.equal("prev_kvs not asked for", len(t.delete("a").PrevKvs), 0)
	}},
	{"concurrent writers get distinct, gapless revisions", func(t *trial) {
		const writers, each = 20, 25
		base := t.revision()
		revisions := make(chan int64, writers*each)
		failures := make(chan error, writers)
		for w := range writers {
			go func() {
				for i := range each {
					answer, err := t.kv.Put(t.ctx, &pb.PutRequest{Key: fmt.Appendf(nil, "%s%d/%d", t.prefix, w, i)})
					if err != nil {
						failures <- err
						return
					}
					revisions <- answer.Header.Revision
				}
			}()
		}
		seen := map[int64]bool{}
		for range writers * each {
			select {
			case r := <-revisions:
				t.that(!seen[r] && r > base && r <= base+writers*each, "revision %d (from %d) given twice or out of range", r, base)
				seen[r] = true
			case err := <-failures:
				t.fail("put: %v", err)
			}
		}
		t.equal("keys", t.all(clientv3.WithCountOnly()).Count, int64(writers*each))
	}},
}
