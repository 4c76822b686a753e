package main

import (
	"context"
	"fmt"
	"strings"
	"time"

	"go.etcd.io/etcd/api/v3/v3rpc/rpctypes"
	clientv3 "go.etcd.io/etcd/client/v3"
	"go.etcd.io/etcd/client/v3/namespace"
)

// watching is a watch of this check, which ends with it.
func (t *trial) watching(name string, opts ...clientv3.OpOption) (clientv3.WatchChan, context.CancelFunc) {
	ctx, cancel := context.WithCancel(t.ctx)
	t.atEnd(cancel)
	watch := t.client.Watch(ctx, t.key(name), append([]clientv3.OpOption{clientv3.WithCreatedNotify()}, opts...)...)
	created, open := <-watch
	t.that(open && created.Created && created.Err() == nil, "created: %+v (%v)", created, open)
	t.that(created.Header.GetRevision() > 0, "created without a revision: %v", created.Header)
	return watch, cancel
}

// events collects n events of a watch as short lines, one for each, and demands that the answers are whole.
func (t *trial) events(watch clientv3.WatchChan, n int) []string {
	lines := []string{}
	var last int64
	for len(lines) < n {
		answer := within(t, fmt.Sprintf("event %d of %d", len(lines)+1, n), watch)
		t.ok("watch", answer.Err())
		t.that(!answer.Canceled, "canceled: %+v", answer)
		for _, event := range answer.Events {
			t.that(event.Kv.ModRevision >= last, "revision %d after %d", event.Kv.ModRevision, last)
			t.that(answer.Header.Revision >= event.Kv.ModRevision, "header %d, event %d", answer.Header.Revision, event.Kv.ModRevision)
			last = event.Kv.ModRevision
			lines = append(lines, t.line(event))
		}
	}
	t.equal("events", len(lines), n)
	return lines
}

// line is an event in short: what happened, key, value, version, and what was there before.
func (t *trial) line(event *clientv3.Event) string {
	name := strings.TrimPrefix(string(event.Kv.Key), t.prefix)
	before := ""
	if event.PrevKv != nil {
		before = fmt.Sprintf(" was %s@%d", event.PrevKv.Value, event.PrevKv.Version)
	}
	if event.Type == clientv3.EventTypeDelete {
		t.that(event.Kv.CreateRevision == 0 && event.Kv.Version == 0 && len(event.Kv.Value) == 0 && event.Kv.Lease == 0, "a deletion says too much: %v", event)
		return "del " + name + before
	}
	t.equal("is create", event.IsCreate(), event.Kv.CreateRevision == event.Kv.ModRevision)
	return fmt.Sprintf("put %s=%s@%d%s", name, event.Kv.Value, event.Kv.Version, before)
}

var watchChecks = []check{
	{"a key: what happens to it and to nothing else, in order", func(t *trial) {
		watch, _ := t.watching("a")
		t.put("a", "1")
		t.put("aa", "no")
		t.put("b", "no")
		t.put("a", "2")
		t.delete("a")
		t.put("a", "3")
		t.equal("events", t.events(watch, 4), []string{"put a=1@1", "put a=2@2", "del a", "put a=3@1"})
	}},
	{"a prefix, with what was there before", func(t *trial) {
		t.put("p/0", "old")
		watch, _ := t.watching("p/", clientv3.WithPrefix(), clientv3.WithPrevKV())
		t.put("p/0", "new")
		t.put("p", "no")
		t.put("p0", "no")
		t.put("p/1", "1")
		t.delete("p/0")
		t.delete("p/none")
		t.delete("p/1")
		t.equal("events", t.events(watch, 4), []string{"put p/0=new@2 was old@1", "put p/1=1@1", "del p/0 was new@2", "del p/1 was 1@1"})
	}},
	{"from a key on, and a range", func(t *trial) {
		from, _ := t.watching("m", clientv3.WithRange(t.key("n")))
		t.put("lz", "no")
		t.put("m", "1")
		t.put("mz", "2")
		t.put("n", "no")
		t.put("m", "3")
		t.equal("events", t.events(from, 3), []string{"put m=1@1", "put mz=2@1", "put m=3@2"})
	}},
	{"puts alone, deletions alone", func(t *trial) {
		puts, _ := t.watching("", clientv3.WithPrefix(), clientv3.WithFilterDelete())
		dels, _ := t.watching("", clientv3.WithPrefix(), clientv3.WithFilterPut(), clientv3.WithPrevKV())
		t.put("a", "1")
		t.delete("a")
		t.put("a", "2")
		t.put("b", "1")
		t.delete("b")
		t.equal("puts", t.events(puts, 3), []string{"put a=1@1", "put a=2@1", "put b=1@1"})
		t.equal("deletions", t.events(dels, 2), []string{"del a was 1@1", "del b was 1@1"})
	}},
	{"from a revision in the past: everything since, then what comes", func(t *trial) {
		first := t.put("a", "1")
		t.put("b", "1")
		t.put("a", "2")
		t.delete("b")
		watch, _ := t.watching("", clientv3.WithPrefix(), clientv3.WithRev(first+1), clientv3.WithPrevKV())
		t.put("a", "3")
		t.equal("events", t.events(watch, 4), []string{"put b=1@1", "put a=2@2 was 1@1", "del b was 1@1", "put a=3@3 was 2@2"})
	}},
	{"from a revision that is yet to come", func(t *trial) {
		now := t.put("a", "1")
		watch, _ := t.watching("a", clientv3.WithRev(now+3))
		t.put("a", "2")
		t.put("a", "3")
		t.put("a", "4")
		t.put("a", "5")
		t.equal("events", t.events(watch, 2), []string{"put a=4@4", "put a=5@5"})
	}},
	{"a transaction is one message, its events in the order of its operations", func(t *trial) {
		watch, _ := t.watching("", clientv3.WithPrefix())
		t.put("z", "old")
		t.equal("events", t.events(watch, 1), []string{"put z=old@1"})
		_, err := t.client.Txn(t.ctx).Then(clientv3.OpPut(t.key("b"), "1"), clientv3.OpPut(t.key("a"), "1"), clientv3.OpDelete(t.key("z"))).Commit()
		t.ok("txn", err)
		answer := within(t, "the transaction", watch)
		var lines []string
		for _, event := range answer.Events {
			lines = append(lines, t.line(event))
			t.equal("revision", event.Kv.ModRevision, answer.Header.Revision)
		}
		t.equal("events", lines, []string{"put b=1@1", "put a=1@1", "del z"})
	}},
	{"cancelling one watch ends it, and no other of the same client", func(t *trial) {
		one, cancel := t.watching("a")
		other, _ := t.watching("a")
		cancel()
		for range one {
		}
		t.put("a", "1")
		t.equal("events", t.events(other, 1), []string{"put a=1@1"})
	}},
	{"three hundred watches on one stream", func(t *trial) {
		var watches []clientv3.WatchChan
		for i := range 300 {
			watch, _ := t.watching(fmt.Sprintf("%03d", i))
			watches = append(watches, watch)
		}
		for i := range 300 {
			t.put(fmt.Sprintf("%03d", i), "x")
		}
		for i, watch := range watches {
			t.equal("events", t.events(watch, 1), []string{fmt.Sprintf("put %03d=x@1", i)})
		}
	}},
	{"progress is told when asked for, and says what has been told before", func(t *trial) {
		watch, _ := t.watching("a")
		t.put("a", "1")
		t.equal("events", t.events(watch, 1), []string{"put a=1@1"})
		now := t.put("elsewhere", "1")
		// It is told only if all watches of the stream are up to date, so it may have to be asked for again.
		for {
			t.ok("request", t.client.RequestProgress(t.ctx))
			select {
			case answer := <-watch:
				t.that(answer.IsProgressNotify(), "not a progress notification: %+v", answer)
				if answer.Header.Revision >= now {
					return
				}
			case <-time.After(200 * time.Millisecond):
			case <-t.ctx.Done():
				t.fail("no progress up to revision %d", now)
			}
		}
	}},
	{"a value of a megabyte, and many events at once, in fragments or whole", func(t *trial) {
		whole, _ := t.watching("", clientv3.WithPrefix())
		fragments, _ := t.watching("", clientv3.WithPrefix(), clientv3.WithFragment())
		value := strings.Repeat("v", 1_000_000)
		for i := range 4 {
			t.put(fmt.Sprint(i), value)
		}
		for _, watch := range []clientv3.WatchChan{whole, fragments} {
			for i, line := range t.events(watch, 4) {
				t.that(line == fmt.Sprintf("put %d=%s@1", i, value), "event %d is wrong: %.40s…", i, line)
			}
		}
	}},
	{"within a namespace", func(t *trial) {
		watcher := namespace.NewWatcher(t.client.Watcher, t.prefix)
		kv := namespace.NewKV(t.client.KV, t.prefix)
		ctx, cancel := context.WithCancel(t.ctx)
		defer cancel()
		watch := watcher.Watch(ctx, "a", clientv3.WithCreatedNotify())
		within(t, "created", watch)
		_, err := kv.Put(t.ctx, "a", "1")
		t.ok("put", err)
		answer := within(t, "event", watch)
		t.equal("key", string(answer.Events[0].Kv.Key), "a")
	}},
	{"with a leader required", func(t *trial) {
		ctx, cancel := context.WithCancel(clientv3.WithRequireLeader(t.ctx))
		defer cancel()
		watch := t.client.Watch(ctx, t.key("a"), clientv3.WithCreatedNotify())
		t.that(within(t, "created", watch).Created, "not created")
		t.put("a", "1")
		t.equal("events", t.events(watch, 1), []string{"put a=1@1"})
	}},
}

var compactionChecks = []check{
	{"a watch from what is compacted is told so, and from which revision it may go on", func(t *trial) {
		first := t.put("a", "1")
		t.put("a", "2")
		third := t.put("a", "3")
		t.put("a", "4")
		_, err := t.client.Compact(t.ctx, third)
		t.ok("compact", err)
		ctx, cancel := context.WithCancel(t.ctx)
		defer cancel()
		watch := t.client.Watch(ctx, t.key("a"), clientv3.WithRev(first))
		answer := within(t, "the end", watch)
		t.refused("the end", answer.Err(), rpctypes.ErrCompacted)
		t.equal("compact revision", answer.CompactRevision, third)
		_, open := <-watch
		t.that(!open, "it goes on")
		again, _ := t.watching("a", clientv3.WithRev(answer.CompactRevision), clientv3.WithPrevKV())
		t.equal("events", t.events(again, 2), []string{"put a=3@3", "put a=4@4 was 3@3"})
	}},
	{"a running watch outlives compaction", func(t *trial) {
		watch, _ := t.watching("a")
		for i := range 20 {
			revision := t.put("a", fmt.Sprint(i))
			_, err := t.client.Compact(t.ctx, revision)
			t.ok("compact", err)
		}
		t.equal("last", t.events(watch, 20)[19], "put a=19@20")
	}},
	{"a mutex and an election outlive compaction", func(t *trial) {
		one, other := t.session(30), t.session(30)
		done := t.contend(one, other, func() {
			for i := range 5 {
				_, err := t.client.Compact(t.ctx, t.put("noise", fmt.Sprint(i)))
				t.ok("compact", err)
			}
		})
		t.ok("the second", within(t, "the second", done))
	}},
}
