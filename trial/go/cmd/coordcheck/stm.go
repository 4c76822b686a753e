package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strconv"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"
	"go.etcd.io/etcd/client/v3/concurrency"
	recipe "go.etcd.io/etcd/client/v3/experimental/recipes"
	"go.etcd.io/etcd/client/v3/leasing"
	"go.etcd.io/etcd/client/v3/mirror"
	"go.etcd.io/etcd/client/v3/naming/endpoints"
	"go.etcd.io/etcd/client/v3/ordering"
)

// transfers moves money between accounts from many goroutines; the sum must stay.
func transfers(t *trial, level concurrency.Isolation) {
	const accounts, workers, each = 5, 8, 10
	account := func(i int) string { return t.key(fmt.Sprintf("account/%d", i)) }
	for i := range accounts {
		t.put(fmt.Sprintf("account/%d", i), "100")
	}
	var done []<-chan error
	for range workers {
		done = append(done, later(func() error {
			for range each {
				from, to := rand.IntN(accounts), rand.IntN(accounts)
				_, err := concurrency.NewSTM(t.client, func(stm concurrency.STM) error {
					has, err := strconv.Atoi(stm.Get(account(from)))
					if err != nil || from == to {
						return err
					}
					gets, err := strconv.Atoi(stm.Get(account(to)))
					if err != nil {
						return err
					}
					moved := rand.IntN(has + 1)
					stm.Put(account(from), strconv.Itoa(has-moved))
					stm.Put(account(to), strconv.Itoa(gets+moved))
					return nil
				}, concurrency.WithIsolation(level), concurrency.WithAbortContext(t.ctx))
				if err != nil {
					return err
				}
			}
			return nil
		}))
	}
	for _, d := range done {
		t.ok("a worker", within(t, "a worker", d))
	}
	sum := 0
	for _, kv := range t.get("account/", clientv3.WithPrefix()).Kvs {
		has, err := strconv.Atoi(string(kv.Value))
		t.ok("an account", err)
		sum += has
	}
	t.equal("sum", sum, accounts*100)
}

var stmChecks = []check{
	{"transfers keep the sum, serializable with snapshots", func(t *trial) { transfers(t, concurrency.SerializableSnapshot) }},
	{"transfers keep the sum, serializable", func(t *trial) { transfers(t, concurrency.Serializable) }},
	{"transfers keep the sum, with repeatable reads", func(t *trial) { transfers(t, concurrency.RepeatableReads) }},
	{"what is aborted changes nothing", func(t *trial) {
		t.put("a", "1")
		wanted := errors.New("no")
		_, err := concurrency.NewSTM(t.client, func(stm concurrency.STM) error {
			stm.Put(t.key("a"), "2")
			stm.Del(t.key("a"))
			return wanted
		})
		t.refused("the abort", err, wanted)
		t.equal("value", string(t.get("a").Kvs[0].Value), "1")
	}},
}

var recipeChecks = []check{
	{"readers share, a writer excludes", func(t *trial) {
		reader, other, writer := t.session(30), t.session(30), t.session(30)
		one, two, alone := recipe.NewRWMutex(reader, t.key("rw")), recipe.NewRWMutex(other, t.key("rw")), recipe.NewRWMutex(writer, t.key("rw"))
		t.ok("a reader", one.RLock())
		t.ok("another reader", two.RLock())
		wrote := later(alone.Lock)
		silent(t, "the writer", wrote, shortly)
		t.ok("done", one.RUnlock())
		silent(t, "the writer", wrote, shortly)
		t.ok("done", two.RUnlock())
		t.ok("the writer", within(t, "the writer", wrote))
		read := later(one.RLock)
		silent(t, "a reader", read, shortly)
		t.ok("done", alone.Unlock())
		t.ok("a reader", within(t, "a reader", read))
	}},
	{"a queue gives in order, each once, and waits when it is empty", func(t *trial) {
		queue := recipe.NewQueue(t.client, t.key("queue"))
		taken := make(chan string, 20)
		for range 3 {
			go func() {
				for {
					value, err := recipe.NewQueue(t.client, t.key("queue")).Dequeue()
					if err != nil || value == "end" {
						return
					}
					taken <- value
				}
			}()
		}
		for i := range 20 {
			t.ok("enqueue", queue.Enqueue(fmt.Sprint(i)))
		}
		seen := map[string]bool{}
		for range 20 {
			seen[within(t, "an element", taken)] = true
		}
		t.equal("different elements", len(seen), 20)
		for range 3 {
			t.ok("enqueue", queue.Enqueue("end"))
		}
		t.eventually("the workers end", func() bool { return t.get("queue", clientv3.WithPrefix()).Count == 0 })
	}},
	{"a queue with priorities", func(t *trial) {
		queue := recipe.NewPriorityQueue(t.client, t.key("queue"))
		for _, priority := range []uint16{5, 1, 3} {
			t.ok("enqueue", queue.Enqueue(fmt.Sprint(priority), priority))
		}
		for _, want := range []string{"1", "3", "5"} {
			got, err := queue.Dequeue()
			t.ok("dequeue", err)
			t.equal("next", got, want)
		}
	}},
	{"a barrier holds all until it is lifted", func(t *trial) {
		barrier := recipe.NewBarrier(t.client, t.key("barrier"))
		t.ok("hold", barrier.Hold())
		var waiting []<-chan error
		for range 5 {
			waiting = append(waiting, later(recipe.NewBarrier(t.client, t.key("barrier")).Wait))
		}
		for _, w := range waiting {
			silent(t, "who waits", w, 50*time.Millisecond)
		}
		t.ok("release", barrier.Release())
		for _, w := range waiting {
			t.ok("who waits", within(t, "who waits", w))
		}
	}},
	{"a double barrier lets all in together, and out together", func(t *trial) {
		const all = 4
		var entered, left []<-chan error
		var barriers []*recipe.DoubleBarrier
		for i := range all {
			b := recipe.NewDoubleBarrier(t.session(30), t.key("double"), all)
			barriers = append(barriers, b)
			entered = append(entered, later(b.Enter))
			if i < all-1 {
				silent(t, "who enters early", entered[i], 50*time.Millisecond)
			}
		}
		for _, e := range entered {
			t.ok("enter", within(t, "enter", e))
		}
		for i, b := range barriers {
			left = append(left, later(b.Leave))
			if i < all-1 {
				silent(t, "who leaves early", left[i], 50*time.Millisecond)
			}
		}
		for _, l := range left {
			t.ok("leave", within(t, "leave", l))
		}
	}},
	{"a cache that owns its keys, by leases and watches", func(t *trial) {
		one, closeOne, err := leasing.NewKV(t.client, t.key("leasing/"))
		t.ok("the first cache", err)
		defer closeOne()
		other, closeOther, err := leasing.NewKV(t.client, t.key("leasing/"))
		t.ok("the second cache", err)
		defer closeOther()
		t.put("a", "0")
		for i := range 10 {
			got, err := one.Get(t.ctx, t.key("a"))
			t.ok("get", err)
			t.equal("value", string(got.Kvs[0].Value), fmt.Sprint(i))
			_, err = other.Put(t.ctx, t.key("a"), fmt.Sprint(i+1))
			t.ok("put", err)
		}
	}},
	{"a mirror has what is there, then what happens", func(t *trial) {
		for i := range 25 {
			t.put(fmt.Sprintf("%02d", i), "x")
		}
		syncer := mirror.NewSyncer(t.client, t.prefix, 0)
		ctx, cancel := context.WithCancel(t.ctx)
		defer cancel()
		answers, errs := syncer.SyncBase(ctx)
		count := 0
		for answer := range answers {
			count += len(answer.Kvs)
		}
		t.ok("base", <-errs)
		t.equal("keys", count, 25)
		updates := syncer.SyncUpdates(ctx)
		t.put("new", "1")
		t.delete("00")
		t.equal("updates", t.events(updates, 2), []string{"put new=1@1", "del 00"})
	}},
	{"names of endpoints come and go with their leases", func(t *trial) {
		manager, err := endpoints.NewManager(t.client, t.key("service"))
		t.ok("manager", err)
		ctx, cancel := context.WithCancel(t.ctx)
		defer cancel()
		changes, err := manager.NewWatchChannel(ctx)
		t.ok("watch", err)
		id := t.grant(30)
		t.ok("add", manager.AddEndpoint(t.ctx, t.key("service/one"), endpoints.Endpoint{Addr: "127.0.0.1:1"}, clientv3.WithLease(id)))
		added := within(t, "the addition", changes)
		t.that(len(added) == 1 && added[0].Op == endpoints.Add && added[0].Endpoint.Addr == "127.0.0.1:1", "%+v", added)
		t.revoke(id)
		gone := within(t, "the removal", changes)
		t.that(len(gone) == 1 && gone[0].Op == endpoints.Delete, "%+v", gone)
	}},
	{"answers that are never older than the last", func(t *trial) {
		kv := ordering.NewKV(t.client.KV, func(clientv3.Op, clientv3.OpResponse, int64) error { return errors.New("an older answer") })
		for i := range 50 {
			t.put("a", fmt.Sprint(i))
			_, err := kv.Get(t.ctx, t.key("a"), clientv3.WithSerializable())
			t.ok("get", err)
		}
	}},
}
