package main

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"
	"go.etcd.io/etcd/client/v3/concurrency"
)

// shortly is long enough for a wrong server to grant what it must not.
const shortly = 300 * time.Millisecond

// contend lets one session hold a lock, another wait for it, does something meanwhile, and lets go. It gives what came of
// the second's wait.
func (t *trial) contend(one, other *concurrency.Session, meanwhile func()) <-chan error {
	first := concurrency.NewMutex(one, t.key("lock"))
	t.ok("the first", first.Lock(t.ctx))
	second := concurrency.NewMutex(other, t.key("lock"))
	done := later(func() error { return second.Lock(t.ctx) })
	t.eventually("the second stands in the queue", func() bool { return t.get("lock/", clientv3.WithPrefix()).Count == 2 })
	silent(t, "the second, while the first holds the lock", done, shortly)
	meanwhile()
	t.ok("unlock", first.Unlock(t.ctx))
	return done
}

var mutexChecks = []check{
	{"the second waits for the first", func(t *trial) {
		one, other := t.session(30), t.session(30)
		t.ok("the second", within(t, "the second", t.contend(one, other, func() {})))
	}},
	{"the same session holds it already", func(t *trial) {
		s := t.session(30)
		m := concurrency.NewMutex(s, t.key("lock"))
		t.ok("lock", m.Lock(t.ctx))
		t.ok("lock again", concurrency.NewMutex(s, t.key("lock")).Lock(t.ctx))
		t.equal("key", m.Key(), fmt.Sprintf("%s/%x", t.key("lock"), s.Lease()))
		t.ok("unlock", m.Unlock(t.ctx))
		t.refused("unlock again", m.Unlock(t.ctx), concurrency.ErrLockReleased)
	}},
	{"to try is to be refused at once, and leaves nothing behind", func(t *trial) {
		one, other := t.session(30), t.session(30)
		first := concurrency.NewMutex(one, t.key("lock"))
		t.ok("lock", first.TryLock(t.ctx))
		second := concurrency.NewMutex(other, t.key("lock"))
		t.refused("try", second.TryLock(t.ctx), concurrency.ErrLocked)
		t.equal("who waits", t.get("lock/", clientv3.WithPrefix()).Count, int64(1))
		t.ok("unlock", first.Unlock(t.ctx))
		t.ok("try again", second.TryLock(t.ctx))
	}},
	{"who gives up leaves the queue", func(t *trial) {
		one, other := t.session(30), t.session(30)
		first := concurrency.NewMutex(one, t.key("lock"))
		t.ok("lock", first.Lock(t.ctx))
		ctx, cancel := context.WithTimeout(t.ctx, shortly)
		defer cancel()
		err := concurrency.NewMutex(other, t.key("lock")).Lock(ctx)
		t.that(errors.Is(err, context.DeadlineExceeded), "got %v", err)
		t.equal("who waits", t.get("lock/", clientv3.WithPrefix()).Count, int64(1))
	}},
	{"a holder whose session ends makes room for the next", func(t *trial) {
		one, other := t.session(30), t.session(30)
		t.ok("lock", concurrency.NewMutex(one, t.key("lock")).Lock(t.ctx))
		done := later(func() error { return concurrency.NewMutex(other, t.key("lock")).Lock(t.ctx) })
		silent(t, "the second", done, shortly)
		t.ok("close", one.Close())
		t.ok("the second", within(t, "the second", done))
	}},
	{"a holder that is not heard of any more makes room for the next", func(t *trial) {
		one, other := t.session(2), t.session(30)
		t.ok("lock", concurrency.NewMutex(one, t.key("lock")).Lock(t.ctx))
		one.Orphan()
		t.ok("the second", concurrency.NewMutex(other, t.key("lock")).Lock(t.ctx))
	}},
	{"a waiter whose session has ended is not granted", func(t *trial) {
		one, other := t.session(30), t.session(30)
		done := t.contend(one, other, func() {
			_, err := t.client.Revoke(t.ctx, other.Lease())
			t.ok("revoke", err)
		})
		t.refused("the second", within(t, "the second", done), concurrency.ErrSessionExpired)
	}},
	{"being the owner can be a condition", func(t *trial) {
		s := t.session(30)
		m := concurrency.NewMutex(s, t.key("lock"))
		t.ok("lock", m.Lock(t.ctx))
		guarded := func() bool {
			answer, err := t.client.Txn(t.ctx).If(m.IsOwner()).Then(clientv3.OpPut(t.key("guarded"), "1")).Commit()
			t.ok("txn", err)
			return answer.Succeeded
		}
		t.that(guarded(), "the owner is refused")
		t.delete("lock/", clientv3.WithPrefix())
		t.that(!guarded(), "who has lost it is not refused")
	}},
	{"twelve sessions, each five times: never two at once, and in the order of the queue", func(t *trial) {
		var inside, order sync.Mutex
		var granted []int64
		var workers []<-chan error
		for range 12 {
			s := t.session(60)
			workers = append(workers, later(func() error {
				m := concurrency.NewMutex(s, t.key("lock"))
				for range 5 {
					if err := m.Lock(t.ctx); err != nil {
						return err
					}
					if !inside.TryLock() {
						return errors.New("two hold the lock")
					}
					answer, err := t.client.Get(t.ctx, m.Key())
					if err != nil || len(answer.Kvs) != 1 {
						return fmt.Errorf("the key of the holder: %v, %v", answer, err)
					}
					order.Lock()
					granted = append(granted, answer.Kvs[0].CreateRevision)
					order.Unlock()
					inside.Unlock()
					if err := m.Unlock(t.ctx); err != nil {
						return err
					}
				}
				return nil
			}))
		}
		for _, worker := range workers {
			t.ok("a worker", within(t, "a worker", worker))
		}
		t.equal("grants", len(granted), 60)
		for i := 1; i < len(granted); i++ {
			t.that(granted[i] > granted[i-1], "%d is granted after %d", granted[i], granted[i-1])
		}
	}},
	{"as a locker of Go's own kind", func(t *trial) {
		locker := concurrency.NewLocker(t.session(30), t.key("lock"))
		locker.Lock()
		t.equal("held", t.get("lock/", clientv3.WithPrefix()).Count, int64(1))
		locker.Unlock()
		t.equal("free", t.get("lock/", clientv3.WithPrefix()).Count, int64(0))
	}},
}

// observed takes the next leader's value.
func (t *trial) observed(what string, leaders <-chan *clientv3.GetResponse) string {
	answer := within(t, what, leaders)
	t.that(answer != nil, "%s: the observation is over", what)
	return string(answer.Kvs[0].Value)
}

var electionChecks = []check{
	{"one leads, the other when it resigns", func(t *trial) {
		one := concurrency.NewElection(t.session(30), t.key("seat"))
		other := concurrency.NewElection(t.session(30), t.key("seat"))
		t.ok("campaign", one.Campaign(t.ctx, "one"))
		t.equal("key", one.Key(), string(t.get("seat/", clientv3.WithPrefix()).Kvs[0].Key))
		t.that(one.Rev() == t.get("seat/", clientv3.WithPrefix()).Kvs[0].CreateRevision && one.Header() != nil, "revision %d", one.Rev())
		won := later(func() error { return other.Campaign(t.ctx, "other") })
		silent(t, "the other", won, shortly)
		leader, err := one.Leader(t.ctx)
		t.ok("leader", err)
		t.equal("leader", string(leader.Kvs[0].Value), "one")
		t.ok("resign", one.Resign(t.ctx))
		t.ok("the other", within(t, "the other", won))
		leader, err = other.Leader(t.ctx)
		t.ok("leader", err)
		t.equal("leader", string(leader.Kvs[0].Value), "other")
		t.refused("who does not lead cannot proclaim", one.Proclaim(t.ctx, "x"), concurrency.ErrElectionNotLeader)
		t.ok("resign", other.Resign(t.ctx))
		_, err = other.Leader(t.ctx)
		t.refused("nobody leads", err, concurrency.ErrElectionNoLeader)
	}},
	{"observers see who leads and what is proclaimed, and nothing before", func(t *trial) {
		e := concurrency.NewElection(t.session(30), t.key("seat"))
		ctx, cancel := context.WithCancel(t.ctx)
		defer cancel()
		leaders := e.Observe(ctx)
		silent(t, "before there is a leader", leaders, shortly)
		t.ok("campaign", e.Campaign(t.ctx, "a"))
		t.equal("the first", t.observed("the first", leaders), "a")
		for _, value := range []string{"b", "c", "d"} {
			t.ok("proclaim", e.Proclaim(t.ctx, value))
			t.equal("proclaimed", t.observed(value, leaders), value)
		}
		t.ok("resign", e.Resign(t.ctx))
		next := concurrency.NewElection(t.session(30), t.key("seat"))
		t.ok("campaign", next.Campaign(t.ctx, "next"))
		t.equal("the next", t.observed("the next", leaders), "next")
	}},
	{"a leader can be resumed by its key, and only while it leads", func(t *trial) {
		s := t.session(30)
		e := concurrency.NewElection(s, t.key("seat"))
		t.ok("campaign", e.Campaign(t.ctx, "a"))
		again := concurrency.ResumeElection(s, t.key("seat"), e.Key(), e.Rev())
		t.ok("proclaim", again.Proclaim(t.ctx, "b"))
		impostor := concurrency.ResumeElection(s, t.key("seat"), e.Key(), e.Rev()-1)
		t.refused("with another revision", impostor.Proclaim(t.ctx, "c"), concurrency.ErrElectionNotLeader)
		leader, err := e.Leader(t.ctx)
		t.ok("leader", err)
		t.equal("leader", string(leader.Kvs[0].Value), "b")
	}},
	{"to campaign again proclaims", func(t *trial) {
		s := t.session(30)
		t.ok("campaign", concurrency.NewElection(s, t.key("seat")).Campaign(t.ctx, "a"))
		e := concurrency.NewElection(s, t.key("seat"))
		t.ok("campaign again", e.Campaign(t.ctx, "b"))
		leader, err := e.Leader(t.ctx)
		t.ok("leader", err)
		t.equal("leader", string(leader.Kvs[0].Value), "b")
		t.equal("version", leader.Kvs[0].Version, int64(2))
	}},
	{"a leader whose session ends is followed by the next, in order", func(t *trial) {
		var sessions []*concurrency.Session
		won := make(chan int, 4)
		for i := range 4 {
			s := t.session(30)
			sessions = append(sessions, s)
			e := concurrency.NewElection(s, t.key("seat"))
			go func() {
				if e.Campaign(t.ctx, fmt.Sprint(i)) == nil {
					won <- i
				}
			}()
			t.eventually("the candidate stands", func() bool { return t.get("seat/", clientv3.WithPrefix()).Count == int64(i+1) })
		}
		for i := range 4 {
			t.equal("leader", within(t, "a leader", won), i)
			silent(t, "two leaders", won, 50*time.Millisecond)
			t.ok("close", sessions[i].Close())
		}
	}},
	{"who gives up its candidacy leaves the queue", func(t *trial) {
		t.ok("campaign", concurrency.NewElection(t.session(30), t.key("seat")).Campaign(t.ctx, "a"))
		ctx, cancel := context.WithTimeout(t.ctx, shortly)
		defer cancel()
		err := concurrency.NewElection(t.session(30), t.key("seat")).Campaign(ctx, "b")
		t.that(errors.Is(err, context.DeadlineExceeded), "got %v", err)
		t.equal("candidates", t.get("seat/", clientv3.WithPrefix()).Count, int64(1))
	}},
}
