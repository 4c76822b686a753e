package main

import (
	"context"
	"fmt"
	"reflect"
	"strings"
	"time"

	pb "go.etcd.io/etcd/api/v3/etcdserverpb"
	clientv3 "go.etcd.io/etcd/client/v3"
	"go.etcd.io/etcd/client/v3/concurrency"
	epb "go.etcd.io/etcd/server/v3/etcdserver/api/v3election/v3electionpb"
	lpb "go.etcd.io/etcd/server/v3/etcdserver/api/v3lock/v3lockpb"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// check is one claim about the server, in words and in code.
type check struct {
	name string
	run  func(t *trial)
}

// trial is one check being run. Its methods end the check at the first thing that does not hold, as testing.T does,
// by a panic that run turns into an error; so they belong to the goroutine of the check.
type trial struct {
	client   *clientv3.Client
	endpoint string
	kv       pb.KVClient
	watch    pb.WatchClient
	lease    pb.LeaseClient
	lock     lpb.LockClient
	election epb.ElectionClient
	ctx      context.Context
	prefix   string // all keys of this check start so
	ends     []func()
}

// failure is what a trial panics with; any other panic is a mistake of ours and goes through.
type failure struct{ text string }

func (t *trial) run(c check, timeout time.Duration) (err error) {
	ctx, cancel := context.WithTimeout(context.Background(), timeout)
	defer cancel()
	t.ctx = ctx
	defer func() {
		for i := len(t.ends) - 1; i >= 0; i-- {
			t.ends[i]()
		}
		switch r := recover().(type) {
		case nil:
		case failure:
			err = fmt.Errorf("%s", strings.ReplaceAll(r.text, t.prefix, "…/"))
		default:
			panic(r)
		}
	}()
	c.run(t)
	return nil
}

// atEnd runs something when the check is over, however it ends.
func (t *trial) atEnd(f func()) { t.ends = append(t.ends, f) }

func (t *trial) fail(format string, args ...any) { panic(failure{fmt.Sprintf(format, args...)}) }

// that demands a condition.
func (t *trial) that(holds bool, format string, args ...any) {
	if !holds {
		t.fail(format, args...)
	}
}

// ok demands that there is no error.
func (t *trial) ok(what string, err error) {
	if err != nil {
		t.fail("%s: %v", what, err)
	}
}

// equal demands that two values are deeply equal.
func (t *trial) equal(what string, got, want any) {
	if !reflect.DeepEqual(got, want) {
		t.fail("%s: got %v, want %v", what, got, want)
	}
}

// refused demands exactly this error.
func (t *trial) refused(what string, err, want error) {
	if err == nil || err.Error() != want.Error() {
		t.fail("%s: got the error %v, want %v", what, err, want)
	}
}

// status demands a gRPC status with exactly this code and text.
func (t *trial) status(what string, err error, code codes.Code, text string) {
	got := status.Convert(err)
	if err == nil || got.Code() != code || got.Message() != text {
		t.fail("%s: got %v, want %v %q", what, err, code, text)
	}
}

func (t *trial) key(name string) string { return t.prefix + name }

func (t *trial) put(name, value string, opts ...clientv3.OpOption) int64 {
	answer, err := t.client.Put(t.ctx, t.key(name), value, opts...)
	t.ok("put "+name, err)
	return answer.Header.Revision
}

func (t *trial) get(name string, opts ...clientv3.OpOption) *clientv3.GetResponse {
	answer, err := t.client.Get(t.ctx, t.key(name), opts...)
	t.ok("get "+name, err)
	return answer
}

func (t *trial) delete(name string, opts ...clientv3.OpOption) int64 {
	answer, err := t.client.Delete(t.ctx, t.key(name), opts...)
	t.ok("delete "+name, err)
	return answer.Header.Revision
}

// names are the keys there are, without the check's prefix, in order.
func (t *trial) names() string {
	var names []string
	for _, kv := range t.get("", clientv3.WithPrefix()).Kvs {
		names = append(names, strings.TrimPrefix(string(kv.Key), t.prefix))
	}
	return strings.Join(names, " ")
}

func (t *trial) grant(ttl int64) clientv3.LeaseID {
	answer, err := t.client.Grant(t.ctx, ttl)
	t.ok("grant", err)
	return answer.ID
}

func (t *trial) revoke(id clientv3.LeaseID) {
	_, err := t.client.Revoke(t.ctx, id)
	t.ok("revoke", err)
}

// session is a lease that is kept alive until the check ends.
func (t *trial) session(ttl int) *concurrency.Session {
	s, err := concurrency.NewSession(t.client, concurrency.WithTTL(ttl), concurrency.WithContext(t.ctx))
	t.ok("session", err)
	t.atEnd(func() { s.Close() })
	return s
}

// within waits for a result from another goroutine.
func within[T any](t *trial, what string, results <-chan T) T {
	select {
	case result := <-results:
		return result
	case <-t.ctx.Done():
		t.fail("%s: nothing within the time of the check", what)
		panic("not reached")
	}
}

// silent demands that a channel gives nothing for a while: as long as a right server is never silent before it gives something.
func silent[T any](t *trial, what string, results <-chan T, while time.Duration) {
	select {
	case result, open := <-results:
		t.fail("%s: got %v (%v), want nothing", what, result, open)
	case <-time.After(while):
	}
}

// later runs something in the background and gives its error.
func later(f func() error) <-chan error {
	result := make(chan error, 1)
	go func() { result <- f() }()
	return result
}

// eventually demands that a condition comes true before the check's time is over.
func (t *trial) eventually(what string, holds func() bool) {
	for !holds() {
		select {
		case <-t.ctx.Done():
			t.fail("%s: not within the time of the check", what)
		case <-time.After(20 * time.Millisecond):
		}
	}
}
