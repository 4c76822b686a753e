package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	pb "go.etcd.io/etcd/api/v3/etcdserverpb"
	"go.etcd.io/etcd/api/v3/v3rpc/rpctypes"
	clientv3 "go.etcd.io/etcd/client/v3"
	"google.golang.org/grpc/codes"
)

var leaseChecks = []check{
	{"a grant gives an id and a time, and no revision", func(t *trial) {
		before := t.get("none").Header.Revision
		answer, err := t.client.Grant(t.ctx, 100)
		t.ok("grant", err)
		t.that(answer.ID > 0, "id %d", answer.ID)
		t.equal("TTL", answer.TTL, int64(100))
		t.equal("revision", answer.Revision, before)
		t.revoke(answer.ID)
		t.equal("revision after a revocation without keys", t.get("none").Header.Revision, before)
	}},
	{"an id that is taken, a TTL too small, and one too large", func(t *trial) {
		id := int64(time.Now().UnixNano())
		_, err := t.lease.LeaseGrant(t.ctx, &pb.LeaseGrantRequest{ID: id, TTL: 60})
		t.ok("an id of one's own", err)
		_, err = t.lease.LeaseGrant(t.ctx, &pb.LeaseGrantRequest{ID: id, TTL: 60})
		t.status("the same", err, codes.FailedPrecondition, "etcdserver: lease already exists")
		t.revoke(clientv3.LeaseID(id))
		for _, ttl := range []int64{0, 1, -5} {
			small, err := t.lease.LeaseGrant(t.ctx, &pb.LeaseGrantRequest{TTL: ttl})
			t.ok("a small TTL", err)
			t.that(small.TTL >= 2, "TTL %d for %d", small.TTL, ttl)
			t.revoke(clientv3.LeaseID(small.ID))
		}
		_, err = t.lease.LeaseGrant(t.ctx, &pb.LeaseGrantRequest{TTL: 9_000_000_001})
		t.status("a huge TTL", err, codes.OutOfRange, "etcdserver: too large lease TTL")
	}},
	{"revoking deletes all keys at one revision, in order", func(t *trial) {
		id := t.grant(60)
		watch, _ := t.watching("", clientv3.WithPrefix())
		t.put("b", "1", clientv3.WithLease(id))
		t.put("a", "1", clientv3.WithLease(id))
		t.put("c", "1")
		t.events(watch, 3)
		t.revoke(id)
		answer := within(t, "the deletions", watch)
		var lines []string
		for _, event := range answer.Events {
			lines = append(lines, t.line(event))
			t.equal("revision", event.Kv.ModRevision, answer.Header.Revision)
		}
		t.equal("events", lines, []string{"del a", "del b"})
		t.equal("keys", t.names(), "c")
		_, err := t.client.Revoke(t.ctx, id)
		t.refused("again", err, rpctypes.ErrLeaseNotFound)
	}},
	{"a key has one lease, the last one it was put with", func(t *trial) {
		one, other := t.grant(60), t.grant(60)
		t.put("moved", "1", clientv3.WithLease(one))
		t.put("moved", "2", clientv3.WithLease(other))
		t.put("freed", "1", clientv3.WithLease(one))
		t.put("freed", "2")
		t.put("kept", "1", clientv3.WithLease(one))
		t.put("kept", "2", clientv3.WithIgnoreLease())
		t.equal("lease", t.get("moved").Kvs[0].Lease, int64(other))
		t.revoke(one)
		t.equal("keys", t.names(), "freed moved")
		t.revoke(other)
		t.equal("keys", t.names(), "freed")
	}},
	{"time to live, with keys, and of a lease that is not there", func(t *trial) {
		id := t.grant(100)
		t.put("a", "1", clientv3.WithLease(id))
		t.put("b", "1", clientv3.WithLease(id))
		answer, err := t.client.TimeToLive(t.ctx, id, clientv3.WithAttachedKeys())
		t.ok("time to live", err)
		t.equal("granted", answer.GrantedTTL, int64(100))
		t.that(answer.TTL > 90 && answer.TTL <= 100, "TTL %d", answer.TTL)
		var keys []string
		for _, key := range answer.Keys {
			keys = append(keys, string(key))
		}
		slices.Sort(keys)
		t.equal("keys", keys, []string{t.key("a"), t.key("b")})
		without, err := t.client.TimeToLive(t.ctx, id)
		t.ok("time to live", err)
		t.equal("keys that were not asked for", len(without.Keys), 0)
		t.revoke(id)
		gone, err := t.client.TimeToLive(t.ctx, id)
		t.ok("time to live of nothing", err)
		t.equal("TTL", gone.TTL, int64(-1))
		t.equal("granted", gone.GrantedTTL, int64(0))
	}},
	{"all leases are listed", func(t *trial) {
		ids := []clientv3.LeaseID{t.grant(60), t.grant(70), t.grant(80)}
		answer, err := t.client.Leases(t.ctx)
		t.ok("leases", err)
		for _, id := range ids {
			found := slices.ContainsFunc(answer.Leases, func(l clientv3.LeaseStatus) bool { return l.ID == id })
			t.that(found, "%x is not among %d leases", id, len(answer.Leases))
			t.revoke(id)
		}
	}},
	{"a put with a lease that is not there", func(t *trial) {
		_, err := t.client.Put(t.ctx, t.key("a"), "1", clientv3.WithLease(0x7eadbeef))
		t.refused("put", err, rpctypes.ErrLeaseNotFound)
		_, err = t.client.Txn(t.ctx).Then(clientv3.OpPut(t.key("b"), "1"), clientv3.OpPut(t.key("a"), "1", clientv3.WithLease(0x7eadbeef))).Commit()
		t.refused("txn", err, rpctypes.ErrLeaseNotFound)
		t.equal("keys", t.names(), "")
	}},
	{"keep-alive answers on the stream, also for what is not there", func(t *trial) {
		id := t.grant(60)
		wire, err := t.lease.LeaseKeepAlive(t.ctx)
		t.ok("open", err)
		for _, asked := range []int64{int64(id), 0x7eadbeef, int64(id)} {
			t.ok("send", wire.Send(&pb.LeaseKeepAliveRequest{ID: asked}))
			answer, err := wire.Recv()
			t.ok("answer", err)
			t.equal("id", answer.ID, asked)
			want := int64(60)
			if asked != int64(id) {
				want = 0
			}
			t.equal("TTL", answer.TTL, want)
			t.that(answer.Header.GetRevision() > 0 && answer.Header.GetRaftTerm() > 0, "header %v", answer.Header)
		}
		_, err = t.client.KeepAliveOnce(t.ctx, 0x7eadbeef)
		t.refused("the client", err, rpctypes.ErrLeaseNotFound)
		t.revoke(id)
	}},
	{"a thousand keep-alives on one stream, sent ahead", func(t *trial) {
		id := t.grant(60)
		wire, err := t.lease.LeaseKeepAlive(t.ctx)
		t.ok("open", err)
		sent := later(func() error {
			for range 1000 {
				if err := wire.Send(&pb.LeaseKeepAliveRequest{ID: int64(id)}); err != nil {
					return err
				}
			}
			return wire.CloseSend()
		})
		for range 1000 {
			answer, err := wire.Recv()
			t.ok("answer", err)
			t.equal("TTL", answer.TTL, int64(60))
		}
		t.ok("send", within(t, "sent", sent))
		t.revoke(id)
	}},
	{"a lease that is kept alive outlives its time, one that is not does not, and its keys with it", func(t *trial) {
		kept, left := t.grant(2), t.grant(2)
		t.put("kept", "1", clientv3.WithLease(kept))
		t.put("left", "1", clientv3.WithLease(left))
		watch, _ := t.watching("", clientv3.WithPrefix(), clientv3.WithFilterPut(), clientv3.WithPrevKV())
		ctx, cancel := context.WithCancel(t.ctx)
		defer cancel()
		alive, err := t.client.KeepAlive(ctx, kept)
		t.ok("keep alive", err)
		go func() {
			for range alive {
			}
		}()
		begin := time.Now()
		t.equal("what ended", t.events(watch, 1), []string{"del left was 1@1"})
		t.that(time.Since(begin) > time.Second, "after %v", time.Since(begin))
		silent(t, "the lease that is kept alive", watch, 4*time.Second)
		t.equal("keys", t.names(), "kept")
		_, err = t.client.KeepAliveOnce(t.ctx, left)
		t.refused("keep-alive of what has ended", err, rpctypes.ErrLeaseNotFound)
		t.revoke(kept)
	}},
	{"the client's channel closes when a lease is revoked", func(t *trial) {
		id := t.grant(3)
		alive, err := t.client.KeepAlive(t.ctx, id)
		t.ok("keep alive", err)
		t.equal("id", within(t, "the first answer", alive).ID, id)
		t.revoke(id)
		for {
			select {
			case _, open := <-alive:
				if !open {
					return
				}
			case <-t.ctx.Done():
				t.fail("it stays open")
			}
		}
	}},
	{"two hundred leases end together, each once", func(t *trial) {
		watch, _ := t.watching("", clientv3.WithPrefix(), clientv3.WithFilterPut())
		for i := range 200 {
			t.put(fmt.Sprintf("%03d", i), "1", clientv3.WithLease(t.grant(2)))
		}
		seen := map[string]bool{}
		for _, line := range t.events(watch, 200) {
			seen[line] = true
		}
		t.equal("different deletions", len(seen), 200)
	}},
	{"a lease ends while a transaction waits on its key", func(t *trial) {
		id := t.grant(2)
		first := t.put("owner", "me", clientv3.WithLease(id))
		watch, _ := t.watching("owner")
		t.equal("the end", t.events(watch, 1), []string{"del owner"})
		answer, err := t.client.Txn(t.ctx).If(clientv3.Compare(clientv3.CreateRevision(t.key("owner")), "=", first)).
			Then(clientv3.OpPut(t.key("guarded"), "1")).Commit()
		t.ok("txn", err)
		t.that(!answer.Succeeded, "it holds for a key that is gone")
	}},
	{"a session ends with its lease", func(t *trial) {
		s := t.session(30)
		t.put("a", "1", clientv3.WithLease(s.Lease()))
		t.ok("close", s.Close())
		t.equal("keys", t.names(), "")
		select {
		case <-s.Done():
		default:
			t.fail("it is not done")
		}
		if err := t.ctx.Err(); err != nil {
			t.fail("%v", errors.Join(err))
		}
	}},
}
