package main

import (
	"context"
	"fmt"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"
	epb "go.etcd.io/etcd/server/v3/etcdserver/api/v3election/v3electionpb"
	lpb "go.etcd.io/etcd/server/v3/etcdserver/api/v3lock/v3lockpb"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// granted is what came of a call to Lock.
type granted struct {
	answer *lpb.LockResponse
	err    error
}

// locking calls Lock in the background, and returns once its place in the queue can be seen.
func (t *trial) locking(ctx context.Context, name string, lease clientv3.LeaseID) <-chan granted {
	result := make(chan granted, 1)
	go func() {
		answer, err := t.lock.Lock(ctx, &lpb.LockRequest{Name: []byte(t.key(name)), Lease: int64(lease)})
		result <- granted{answer, err}
	}()
	t.eventually("the place in the queue", func() bool { return t.get(fmt.Sprintf("%s/%x", name, lease)).Count == 1 })
	return result
}

func (t *trial) locked(name string, lease clientv3.LeaseID) *lpb.LockResponse {
	answer, err := t.lock.Lock(t.ctx, &lpb.LockRequest{Name: []byte(t.key(name)), Lease: int64(lease)})
	t.ok("lock", err)
	return answer
}

func (t *trial) unlock(key []byte) {
	answer, err := t.lock.Unlock(t.ctx, &lpb.UnlockRequest{Key: key})
	t.ok("unlock", err)
	t.that(answer.Header.GetRevision() > 0 && answer.Header.GetMemberId() != 0, "header %v", answer.Header)
}

var lockChecks = []check{
	{"the key is the name and the lease, and lives as long as the lock", func(t *trial) {
		id := t.grant(60)
		answer := t.locked("l", id)
		t.equal("key", string(answer.Key), fmt.Sprintf("%s/%x", t.key("l"), id))
		stored := t.get(fmt.Sprintf("l/%x", id))
		t.equal("count", stored.Count, int64(1))
		t.equal("lease", stored.Kvs[0].Lease, int64(id))
		t.equal("value", string(stored.Kvs[0].Value), "")
		t.equal("revision", answer.Header.GetRevision(), stored.Kvs[0].CreateRevision)
		t.that(answer.Header.GetMemberId() != 0 && answer.Header.GetClusterId() != 0 && answer.Header.GetRaftTerm() != 0, "header %v", answer.Header)
		t.unlock(answer.Key)
		t.equal("keys", t.names(), "")
		t.unlock(answer.Key)
	}},
	{"the second waits for the first", func(t *trial) {
		one, other := t.grant(60), t.grant(60)
		first := t.locked("l", one)
		second := t.locking(t.ctx, "l", other)
		silent(t, "the second", second, shortly)
		t.unlock(first.Key)
		result := within(t, "the second", second)
		t.ok("the second", result.err)
		t.that(result.answer.Header.GetRevision() > first.Header.GetRevision(), "revision %v after %v", result.answer.Header, first.Header)
	}},
	{"the same lease is the same holder", func(t *trial) {
		id := t.grant(60)
		first := t.locked("l", id)
		again := t.locked("l", id)
		t.equal("key", string(again.Key), string(first.Key))
		t.equal("versions", t.get(fmt.Sprintf("l/%x", id)).Kvs[0].Version, int64(1))
	}},
	{"without a lease the server grants one of a minute", func(t *trial) {
		answer := t.locked("l", 0)
		kv := t.get("l/", clientv3.WithPrefix()).Kvs[0]
		t.equal("key", string(answer.Key), fmt.Sprintf("%s/%x", t.key("l"), kv.Lease))
		lease, err := t.client.TimeToLive(t.ctx, clientv3.LeaseID(kv.Lease))
		t.ok("time to live", err)
		t.equal("granted", lease.GrantedTTL, int64(60))
		t.revoke(clientv3.LeaseID(kv.Lease))
	}},
	{"a lease that is not there", func(t *trial) {
		_, err := t.lock.Lock(t.ctx, &lpb.LockRequest{Name: []byte(t.key("l")), Lease: 0x7eadbeef})
		t.status("lock", err, codes.Unknown, "etcdserver: requested lease not found")
		t.equal("keys", t.names(), "")
	}},
	{"an unlock without a key", func(t *trial) {
		_, err := t.lock.Unlock(t.ctx, &lpb.UnlockRequest{})
		t.status("unlock", err, codes.Unknown, "etcdserver: key is not provided")
	}},
	{"who gives up leaves the queue, and those behind move on", func(t *trial) {
		one, two, three := t.grant(60), t.grant(60), t.grant(60)
		first := t.locked("l", one)
		ctx, cancel := context.WithCancel(t.ctx)
		second := t.locking(ctx, "l", two)
		third := t.locking(t.ctx, "l", three)
		cancel()
		t.equal("code", status.Code(within(t, "the second", second).err), codes.Canceled)
		t.eventually("the second has left", func() bool { return t.get("l/", clientv3.WithPrefix()).Count == 2 })
		silent(t, "the third", third, shortly)
		t.unlock(first.Key)
		t.ok("the third", within(t, "the third", third).err)
	}},
	{"a deadline ends the wait and the place in the queue", func(t *trial) {
		one, other := t.grant(60), t.grant(60)
		t.locked("l", one)
		ctx, cancel := context.WithTimeout(t.ctx, shortly)
		defer cancel()
		result := within(t, "the second", t.locking(ctx, "l", other))
		t.equal("code", status.Code(result.err), codes.DeadlineExceeded)
		t.eventually("the second has left", func() bool { return t.get("l/", clientv3.WithPrefix()).Count == 1 })
	}},
	{"a waiter whose lease ends is not granted", func(t *trial) {
		one, other := t.grant(60), t.grant(60)
		first := t.locked("l", one)
		second := t.locking(t.ctx, "l", other)
		t.revoke(other)
		time.Sleep(shortly)
		t.unlock(first.Key)
		t.status("the second", within(t, "the second", second).err, codes.Unknown, "mutex: session is expired")
	}},
	{"a holder whose lease ends makes room", func(t *trial) {
		one, other := t.grant(60), t.grant(60)
		t.locked("l", one)
		second := t.locking(t.ctx, "l", other)
		t.revoke(one)
		t.ok("the second", within(t, "the second", second).err)
	}},
	{"a holder whose lease runs out makes room", func(t *trial) {
		one, other := t.grant(2), t.grant(60)
		t.locked("l", one)
		t.ok("the second", within(t, "the second", t.locking(t.ctx, "l", other)).err)
	}},
	{"thirty waiters are served in the order of their keys", func(t *trial) {
		first := t.locked("l", t.grant(60))
		var waiting []<-chan granted
		for range 30 {
			waiting = append(waiting, t.locking(t.ctx, "l", t.grant(60)))
		}
		key := first.Key
		for i, w := range waiting {
			for _, behind := range waiting[i:] {
				select {
				case result := <-behind:
					t.fail("granted before its turn: %v", result)
				default:
				}
			}
			t.unlock(key)
			result := within(t, "the next", w)
			t.ok("the next", result.err)
			key = result.answer.Key
		}
	}},
	{"a lock of the service and one of the library are the same lock", func(t *trial) {
		s := t.session(60)
		first := t.locked("l", t.grant(60))
		done := later(func() error {
			_, err := t.lock.Lock(t.ctx, &lpb.LockRequest{Name: []byte(t.key("l")), Lease: int64(s.Lease())})
			return err
		})
		silent(t, "the second", done, shortly)
		t.unlock(first.Key)
		t.ok("the second", within(t, "the second", done))
	}},
	{"names that begin alike are different locks", func(t *trial) {
		t.locked("l", t.grant(60))
		t.locked("l2", t.grant(60))
		t.locked("", t.grant(60))
	}},
	{"a lock guards a write: who has lost it is refused", func(t *trial) {
		one, other := t.grant(60), t.grant(60)
		first := t.locked("l", one)
		created := t.get(fmt.Sprintf("l/%x", one)).Kvs[0].CreateRevision
		guarded := func() bool {
			answer, err := t.client.Txn(t.ctx).If(clientv3.Compare(clientv3.CreateRevision(string(first.Key)), "=", created)).
				Then(clientv3.OpPut(t.key("guarded"), "1")).Commit()
			t.ok("txn", err)
			return answer.Succeeded
		}
		t.that(guarded(), "the holder is refused")
		t.revoke(one)
		t.locked("l", other)
		t.that(!guarded(), "who has lost it is not refused")
	}},
}

// won is what came of a campaign.
type won struct {
	answer *epb.CampaignResponse
	err    error
}

func (t *trial) campaigning(ctx context.Context, name string, lease clientv3.LeaseID, value string) <-chan won {
	result := make(chan won, 1)
	go func() {
		answer, err := t.election.Campaign(ctx, &epb.CampaignRequest{Name: []byte(t.key(name)), Lease: int64(lease), Value: []byte(value)})
		result <- won{answer, err}
	}()
	t.eventually("the candidate stands", func() bool { return t.get(fmt.Sprintf("%s/%x", name, lease)).Count == 1 })
	return result
}

func (t *trial) elected(name string, lease clientv3.LeaseID, value string) *epb.LeaderKey {
	answer, err := t.election.Campaign(t.ctx, &epb.CampaignRequest{Name: []byte(t.key(name)), Lease: int64(lease), Value: []byte(value)})
	t.ok("campaign", err)
	return answer.Leader
}

func (t *trial) leader(name string) string {
	answer, err := t.election.Leader(t.ctx, &epb.LeaderRequest{Name: []byte(t.key(name))})
	t.ok("leader", err)
	return string(answer.Kv.Value)
}

// observing gives what an observer is told.
func (t *trial) observing(name string) <-chan *epb.LeaderResponse {
	ctx, cancel := context.WithCancel(t.ctx)
	t.atEnd(cancel)
	wire, err := t.election.Observe(ctx, &epb.LeaderRequest{Name: []byte(t.key(name))})
	t.ok("observe", err)
	told := make(chan *epb.LeaderResponse, 16)
	go func() {
		for {
			answer, err := wire.Recv()
			if err != nil {
				close(told)
				return
			}
			select {
			case told <- answer:
			case <-ctx.Done():
				return
			}
		}
	}()
	return told
}

var campaignChecks = []check{
	{"a leader's key says all there is to know", func(t *trial) {
		id := t.grant(60)
		answer, err := t.election.Campaign(t.ctx, &epb.CampaignRequest{Name: []byte(t.key("e")), Lease: int64(id), Value: []byte("a")})
		t.ok("campaign", err)
		kv := t.get(fmt.Sprintf("e/%x", id)).Kvs[0]
		t.equal("name", string(answer.Leader.Name), t.key("e"))
		t.equal("key", string(answer.Leader.Key), string(kv.Key))
		t.equal("revision", answer.Leader.Rev, kv.CreateRevision)
		t.equal("lease", answer.Leader.Lease, int64(id))
		t.equal("header", answer.Header.GetRevision(), kv.CreateRevision)
		t.equal("value", t.leader("e"), "a")
	}},
	{"without a lease the server grants one of a minute", func(t *trial) {
		leader := t.elected("e", 0, "a")
		t.that(leader.Lease != 0, "no lease: %v", leader)
		t.equal("key", string(leader.Key), fmt.Sprintf("%s/%x", t.key("e"), leader.Lease))
		lease, err := t.client.TimeToLive(t.ctx, clientv3.LeaseID(leader.Lease))
		t.ok("time to live", err)
		t.equal("granted", lease.GrantedTTL, int64(60))
		t.revoke(clientv3.LeaseID(leader.Lease))
	}},
	{"nobody leads", func(t *trial) {
		_, err := t.election.Leader(t.ctx, &epb.LeaderRequest{Name: []byte(t.key("e"))})
		t.status("leader", err, codes.Unknown, "election: no leader")
	}},
	{"a leader has to be given", func(t *trial) {
		_, err := t.election.Proclaim(t.ctx, &epb.ProclaimRequest{Value: []byte("x")})
		t.status("proclaim", err, codes.Unknown, `"leader" field must be provided`)
		_, err = t.election.Resign(t.ctx, &epb.ResignRequest{})
		t.status("resign", err, codes.Unknown, `"leader" field must be provided`)
	}},
	{"a lease that is not there", func(t *trial) {
		_, err := t.election.Campaign(t.ctx, &epb.CampaignRequest{Name: []byte(t.key("e")), Lease: 0x7eadbeef})
		t.status("campaign", err, codes.Unknown, "etcdserver: requested lease not found")
	}},
	{"to campaign again with another value proclaims it", func(t *trial) {
		id := t.grant(60)
		first := t.elected("e", id, "a")
		again := t.elected("e", id, "b")
		t.equal("revision", again.Rev, first.Rev)
		t.equal("value", t.leader("e"), "b")
		same := t.elected("e", id, "b")
		t.equal("revision", same.Rev, first.Rev)
		t.equal("version", t.get(fmt.Sprintf("e/%x", id)).Kvs[0].Version, int64(2))
	}},
	{"the leader proclaims, who does not lead is refused", func(t *trial) {
		id := t.grant(60)
		leader := t.elected("e", id, "a")
		answer, err := t.election.Proclaim(t.ctx, &epb.ProclaimRequest{Leader: leader, Value: []byte("b")})
		t.ok("proclaim", err)
		t.equal("revision", answer.Header.GetRevision(), t.get(fmt.Sprintf("e/%x", id)).Kvs[0].ModRevision)
		t.equal("value", t.leader("e"), "b")
		wrong := &epb.LeaderKey{Name: leader.Name, Key: leader.Key, Rev: leader.Rev - 1, Lease: leader.Lease}
		_, err = t.election.Proclaim(t.ctx, &epb.ProclaimRequest{Leader: wrong, Value: []byte("c")})
		t.status("with another revision", err, codes.Unknown, "election: not leader")
		t.revoke(id)
		_, err = t.election.Proclaim(t.ctx, &epb.ProclaimRequest{Leader: leader, Value: []byte("c")})
		t.status("after the lease", err, codes.Unknown, "election: not leader")
	}},
	{"the next leads when the leader resigns, and a second resignation does no harm", func(t *trial) {
		one, other := t.grant(60), t.grant(60)
		leader := t.elected("e", one, "one")
		next := t.campaigning(t.ctx, "e", other, "other")
		silent(t, "the next", next, shortly)
		_, err := t.election.Resign(t.ctx, &epb.ResignRequest{Leader: leader})
		t.ok("resign", err)
		result := within(t, "the next", next)
		t.ok("the next", result.err)
		again, err := t.election.Resign(t.ctx, &epb.ResignRequest{Leader: leader})
		t.ok("resign again", err)
		t.that(again.Header.GetRevision() > 0, "header %v", again.Header)
		t.equal("value", t.leader("e"), "other")
		wrong := &epb.LeaderKey{Name: leader.Name, Key: result.answer.Leader.Key, Rev: leader.Rev, Lease: leader.Lease}
		_, err = t.election.Resign(t.ctx, &epb.ResignRequest{Leader: wrong})
		t.ok("resign for another", err)
		t.equal("value", t.leader("e"), "other")
	}},
	{"who gives up its candidacy leaves the queue", func(t *trial) {
		t.elected("e", t.grant(60), "one")
		ctx, cancel := context.WithCancel(t.ctx)
		next := t.campaigning(ctx, "e", t.grant(60), "other")
		cancel()
		t.equal("code", status.Code(within(t, "the next", next).err), codes.Canceled)
		t.eventually("it has left", func() bool { return t.get("e/", clientv3.WithPrefix()).Count == 1 })
	}},
	{"observers are told who leads, once there is one, and what is proclaimed", func(t *trial) {
		told := t.observing("e")
		silent(t, "before there is a leader", told, shortly)
		one, other := t.grant(60), t.grant(60)
		leader := t.elected("e", one, "a")
		first := within(t, "the leader", told)
		t.equal("the leader", string(first.Kv.Value), "a")
		t.equal("its key", string(first.Kv.Key), string(leader.Key))
		t.that(first.Header.GetRevision() >= first.Kv.ModRevision, "header %v of %v", first.Header, first.Kv)
		for _, value := range []string{"b", "c"} {
			_, err := t.election.Proclaim(t.ctx, &epb.ProclaimRequest{Leader: leader, Value: []byte(value)})
			t.ok("proclaim", err)
			t.equal("proclaimed", string(within(t, value, told).Kv.Value), value)
		}
		late := t.observing("e")
		t.equal("a late observer", string(within(t, "a late observer", late).Kv.Value), "c")
		next := t.campaigning(t.ctx, "e", other, "next")
		silent(t, "a candidate", told, shortly)
		t.revoke(one)
		t.ok("the next", within(t, "the next", next).err)
		t.equal("the next", string(within(t, "the next", told).Kv.Value), "next")
	}},
	{"an observer that stops is let go", func(t *trial) {
		ctx, cancel := context.WithCancel(t.ctx)
		wire, err := t.election.Observe(ctx, &epb.LeaderRequest{Name: []byte(t.key("e"))})
		t.ok("observe", err)
		cancel()
		_, err = wire.Recv()
		t.equal("code", status.Code(err), codes.Canceled)
	}},
}
