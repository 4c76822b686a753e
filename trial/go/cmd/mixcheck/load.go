package main

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"go.etcd.io/etcd/api/v3/mvccpb"
	"go.etcd.io/etcd/api/v3/v3rpc/rpctypes"
	clientv3 "go.etcd.io/etcd/client/v3"
	"go.uber.org/zap"
)

const (
	loadPrefix = "load/"
	loadUser   = "loader"
	leaseTTL   = 5 // seconds
	patience   = 5 * time.Second
)

// load is clients of etcd's Go library that put, count by transactions, keep leases alive and let others end, and watch all of it:
// each with all members to choose from.
type load struct {
	clients  []*clientv3.Client
	root     *clientv3.Client // who may compact
	watchers []*watcher
	began    time.Time
	ending   atomic.Bool
	working  sync.WaitGroup

	mutex     sync.Mutex
	puts      map[string]int64         // keys that are written once, and the revision that was acknowledged
	counted   map[int64]int            // of the counter: what was acknowledged, by revision
	leases    map[string]time.Duration // keys of leases, and since the beginning when they may end
	lapsed    int                      // leases whose keeper had no answer for too long
	expired   int                      // leases that ended as they should
	unclear   int                      // requests without an answer
	renewals  int
	wrong     []error
	unclearOf map[string]int
}

// watcher hears of everything.
type watcher struct {
	name   string
	events []*clientv3.Event
	err    error
	done   chan struct{}
	last   atomic.Int64
}

// work begins, with so many writers and watchers.
func (m *mixed) work(ctx context.Context, shown *tls.Config) (*load, error) {
	l := &load{began: time.Now(), puts: map[string]int64{}, counted: map[int64]int{}, leases: map[string]time.Duration{}, unclearOf: map[string]int{}}
	for _, user := range []string{loadUser, loadUser, loadUser, "root"} {
		config := clientv3.Config{Endpoints: m.endpoints(), DialTimeout: patience, TLS: shown, Logger: zap.NewNop()}
		if m.password != "" {
			config.Username, config.Password = user, secret
		}
		client, err := clientv3.New(config)
		if err != nil {
			return nil, errors.Join(err, l.close())
		}
		if user == "root" {
			l.root = client
		} else {
			l.clients = append(l.clients, client)
		}
	}
	from := int64(0)
	err := m.retry(ctx, "begin the load", func(ctx context.Context) error {
		answer, err := l.clients[0].Put(ctx, loadPrefix+"begin", "")
		if err == nil {
			from = answer.Header.Revision
		}
		return err
	})
	if err != nil {
		return nil, errors.Join(err, l.close())
	}
	for i, client := range l.clients {
		w := &watcher{name: fmt.Sprintf("watcher %d", i), done: make(chan struct{})}
		l.watchers = append(l.watchers, w)
		go l.watch(ctx, client, w, from)
		l.working.Go(func() { l.put(ctx, client, i) })
		l.working.Go(func() { l.count(ctx, client) })
		l.working.Go(func() { l.keep(ctx, client, i) })
		l.working.Go(func() { l.letEnd(ctx, client, i) })
	}
	l.working.Go(func() { l.compact(ctx) })
	m.busy = true
	return l, nil
}

func (m *mixed) endpoints() []string {
	var urls []string
	for _, one := range m.Members {
		urls = append(urls, one.Client)
	}
	return urls
}

// follow tells the clients who belongs to the cluster now.
func (l *load) follow(m *mixed) {
	for _, client := range append(l.clients[:len(l.clients):len(l.clients)], l.root) {
		client.SetEndpoints(m.endpoints()...)
	}
}

func (l *load) now() time.Duration { return time.Since(l.began) }

func (l *load) fault(format string, args ...any) {
	l.mutex.Lock()
	defer l.mutex.Unlock()
	l.wrong = append(l.wrong, fmt.Errorf(format, args...))
}

// failed takes note of a request without an answer, or refused: whether it has happened nobody knows.
func (l *load) failed(err error) {
	l.mutex.Lock()
	defer l.mutex.Unlock()
	l.unclear++
	words, _, _ := strings.Cut(err.Error(), "127.0.0.1")
	l.unclearOf[words]++
}

func (l *load) pause(ctx context.Context, length time.Duration) {
	select {
	case <-ctx.Done():
	case <-time.After(length):
	}
}

// put writes keys, each once.
func (l *load) put(ctx context.Context, client *clientv3.Client, number int) {
	for n := 0; !l.ending.Load() && ctx.Err() == nil; n++ {
		key := fmt.Sprintf("%sput/%d/%d", loadPrefix, number, n)
		request, cancel := context.WithTimeout(ctx, patience)
		answer, err := client.Put(request, key, key)
		cancel()
		if err != nil {
			l.failed(err)
			continue
		}
		l.mutex.Lock()
		l.puts[key] = answer.Header.Revision
		l.mutex.Unlock()
		l.pause(ctx, 15*time.Millisecond)
	}
}

// count counts one further, if nobody has done so meanwhile. The number is always the version of its key.
func (l *load) count(ctx context.Context, client *clientv3.Client) {
	key := loadPrefix + "count"
	for !l.ending.Load() && ctx.Err() == nil {
		request, cancel := context.WithTimeout(ctx, patience)
		err := func() error {
			before, err := client.Get(request, key)
			if err != nil {
				return err
			}
			number, version := 0, int64(0)
			if len(before.Kvs) > 0 {
				if number, err = strconv.Atoi(string(before.Kvs[0].Value)); err != nil {
					return err
				}
				version = before.Kvs[0].Version
			}
			next := strconv.Itoa(number + 1)
			answer, err := client.Txn(request).If(clientv3.Compare(clientv3.Version(key), "=", version)).Then(clientv3.OpPut(key, next)).Commit()
			if err == nil && answer.Succeeded {
				l.mutex.Lock()
				l.counted[answer.Header.Revision] = number + 1
				l.mutex.Unlock()
			}
			return err
		}()
		cancel()
		if err != nil {
			l.failed(err)
		}
		l.pause(ctx, 50*time.Millisecond)
	}
}

// grant makes a lease with a key. It may end its time after it was asked for.
func (l *load) grant(ctx context.Context, client *clientv3.Client, key string, seconds int64) (clientv3.LeaseID, error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	sent := l.now()
	granted, err := client.Grant(ctx, seconds)
	if err != nil {
		return 0, err
	}
	l.mutex.Lock()
	l.leases[key] = sent + time.Duration(granted.TTL)*time.Second
	l.mutex.Unlock()
	_, err = client.Put(ctx, key, "", clientv3.WithLease(granted.ID))
	return granted.ID, err
}

// keep keeps a lease alive.
func (l *load) keep(ctx context.Context, client *clientv3.Client, number int) {
	for life := 0; !l.ending.Load() && ctx.Err() == nil; life++ {
		key := fmt.Sprintf("%skeep/%d/%d", loadPrefix, number, life)
		lease, err := l.grant(ctx, client, key, leaseTTL)
		if err != nil {
			l.failed(err)
			continue
		}
		for !l.ending.Load() && ctx.Err() == nil {
			l.pause(ctx, 700*time.Millisecond)
			request, cancel := context.WithTimeout(ctx, patience)
			sent := l.now()
			renewed, err := client.KeepAliveOnce(request, lease)
			cancel()
			l.mutex.Lock()
			until := l.leases[key]
			if err == nil && renewed.TTL > 0 {
				l.leases[key] = sent + time.Duration(renewed.TTL)*time.Second
				l.renewals++
			}
			l.mutex.Unlock()
			if errors.Is(err, rpctypes.ErrLeaseNotFound) {
				if now := l.now(); now < until {
					l.fault("the lease of %s is not known at %v, and must last until %v", key, now, until)
				}
				l.mutex.Lock()
				l.lapsed++
				l.mutex.Unlock()
				break
			}
			if err != nil {
				l.failed(err)
			}
		}
	}
}

// letEnd lets leases end by themselves.
func (l *load) letEnd(ctx context.Context, client *clientv3.Client, number int) {
	for n := 0; !l.ending.Load() && ctx.Err() == nil; n++ {
		key := fmt.Sprintf("%send/%d/%d", loadPrefix, number, n)
		if _, err := l.grant(ctx, client, key, 2); err != nil {
			l.failed(err)
		}
		l.pause(ctx, time.Second)
	}
}

// compact compacts, now and then, what is some seconds old: watchers have long been told of it.
func (l *load) compact(ctx context.Context) {
	var old []int64
	for !l.ending.Load() && ctx.Err() == nil {
		l.pause(ctx, time.Second)
		old = append(old, l.watchers[0].last.Load())
		if len(old) <= 15 || len(old)%5 != 0 {
			continue
		}
		request, cancel := context.WithTimeout(ctx, patience)
		_, err := l.root.Compact(request, old[len(old)-15])
		cancel()
		if err != nil && !errors.Is(err, rpctypes.ErrCompacted) {
			l.failed(err)
		}
	}
}

// watch hears of everything from a revision on, until the last key is written.
func (l *load) watch(ctx context.Context, client *clientv3.Client, w *watcher, from int64) {
	defer close(w.done)
	for {
		err := l.hear(ctx, client, w, max(from, w.last.Load()+1))
		// A token of etcd's names the entry before its own, so that a member that has applied that one alone does not know it yet.
		if err == nil || !strings.Contains(err.Error(), "invalid auth token") {
			w.err = err
			return
		}
		l.pause(ctx, 100*time.Millisecond)
	}
}

func (l *load) hear(ctx context.Context, client *clientv3.Client, w *watcher, from int64) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	for news := range client.Watch(ctx, loadPrefix, clientv3.WithPrefix(), clientv3.WithRev(from)) {
		if err := news.Err(); err != nil {
			return fmt.Errorf("%s has ended after revision %d: %w", w.name, w.last.Load(), err)
		}
		now := l.now()
		for _, event := range news.Events {
			w.events = append(w.events, event)
			w.last.Store(event.Kv.ModRevision)
			key := string(event.Kv.Key)
			if event.Type == mvccpb.DELETE {
				l.mutex.Lock()
				until, known := l.leases[key]
				l.expired++
				l.mutex.Unlock()
				if !known || now < until {
					l.fault("%s was deleted at %v, and its lease must last until %v", key, now, until)
				}
			}
			if key == loadPrefix+"end" {
				return nil
			}
		}
	}
	return errors.Join(fmt.Errorf("%s has ended after revision %d", w.name, w.last.Load()), ctx.Err())
}

// finish ends the load, and says what was wrong with what clients were told.
func (l *load) finish(ctx context.Context, m *mixed) error {
	l.ending.Store(true)
	l.working.Wait()
	m.busy = false
	defer l.close()
	err := m.retry(ctx, "the last put", func(ctx context.Context) error {
		_, err := l.clients[0].Put(ctx, loadPrefix+"end", "")
		return err
	})
	for _, w := range l.watchers {
		select {
		case <-w.done:
			err = errors.Join(err, w.err)
		case <-time.After(m.t.ready):
			err = errors.Join(err, fmt.Errorf("%s was not told of the last put; the last that it heard of was revision %d", w.name, w.last.Load()))
		}
	}
	if err != nil {
		return errors.Join(append(l.wrong, err)...)
	}
	held, err := l.held(ctx, m)
	l.mutex.Lock()
	defer l.mutex.Unlock()
	for _, w := range l.watchers {
		err = errors.Join(err, l.heard(w, held))
	}
	m.t.out("%s: load: %d puts, counted %d times, %d renewals, %d leases ended, %d lapsed, %d events to each of %d watchers, %d requests without an answer %v",
		m.name, len(l.puts), len(l.counted), l.renewals, l.expired/len(l.watchers), l.lapsed, len(l.watchers[0].events), len(l.watchers), l.unclear, l.unclearOf)
	if len(l.puts) < 50 || len(l.counted) < 5 || l.renewals == 0 {
		err = errors.Join(err, errors.New("that is no load"))
	}
	return errors.Join(append(l.wrong, err)...)
}

// held are the keys that are there at the last revision that watchers have heard of.
func (l *load) held(ctx context.Context, m *mixed) (map[string]bool, error) {
	held := map[string]bool{}
	err := m.retry(ctx, "the keys at the end", func(ctx context.Context) error {
		answer, err := l.clients[0].Get(ctx, loadPrefix, clientv3.WithPrefix(), clientv3.WithKeysOnly(), clientv3.WithRev(l.watchers[0].last.Load()))
		if err != nil {
			return err
		}
		for _, kv := range answer.Kvs {
			held[string(kv.Key)] = true
		}
		return nil
	})
	return held, err
}

// heard judges what a watcher was told: each change of a key once, in order and after the one before, all that was acknowledged, and the
// end of what is not there any more.
func (l *load) heard(w *watcher, held map[string]bool) error {
	versions := map[string]int64{}
	at := map[string]int64{}
	counted := map[int64]int{}
	revision := int64(0)
	for i, event := range w.events {
		key := string(event.Kv.Key)
		if event.Kv.ModRevision < revision || event.Kv.ModRevision == revision && at[key] == revision {
			return fmt.Errorf("%s: %v of %s at revision %d came after revision %d", w.name, event.Type, key, event.Kv.ModRevision, revision)
		}
		revision = event.Kv.ModRevision
		at[key] = revision
		if first := l.watchers[0].events; i >= len(first) || string(first[i].Kv.Key) != key || first[i].Kv.ModRevision != revision || first[i].Type != event.Type {
			return fmt.Errorf("%s was told of %v of %s at revision %d, and %s was not, as the %d-th event", w.name, event.Type, key, revision, l.watchers[0].name, i)
		}
		if event.Type == mvccpb.DELETE {
			versions[key] = 0
			continue
		}
		if versions[key]++; event.Kv.Version != versions[key] {
			return fmt.Errorf("%s was told of version %d of %s, and of none between it and %d", w.name, event.Kv.Version, key, versions[key]-1)
		}
		if key == loadPrefix+"count" {
			if string(event.Kv.Value) != strconv.FormatInt(event.Kv.Version, 10) {
				return fmt.Errorf("%s was told that version %d of %s is %s: something was done twice", w.name, event.Kv.Version, key, event.Kv.Value)
			}
			counted[revision] = int(event.Kv.Version)
		}
	}
	for key, version := range versions {
		if version > 0 && !held[key] {
			return fmt.Errorf("%s is gone, and %s was not told", key, w.name)
		}
	}
	for key, revision := range l.puts {
		if at[key] != revision {
			return fmt.Errorf("%s: %s was acknowledged at revision %d, and %s was told of revision %d", "a put is lost", key, revision, w.name, at[key])
		}
	}
	for revision, number := range l.counted {
		if counted[revision] != number {
			return fmt.Errorf("a transaction is lost: it counted %d at revision %d, and %s was told of %d", number, revision, w.name, counted[revision])
		}
	}
	return nil
}

func (l *load) close() error {
	var errs []error
	for _, client := range append(l.clients[:len(l.clients):len(l.clients)], l.root) {
		if client != nil {
			errs = append(errs, client.Close())
		}
	}
	return errors.Join(errs...)
}
