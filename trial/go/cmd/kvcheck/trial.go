package main

import (
	"context"
	"fmt"
	"reflect"
	"strings"
	"time"

	pb "go.etcd.io/etcd/api/v3/etcdserverpb"
	"go.etcd.io/etcd/api/v3/mvccpb"
	clientv3 "go.etcd.io/etcd/client/v3"
)

// check is one claim about the server, in words and in code.
type check struct {
	name string
	run  func(t *trial)
}

// trial is one check being run. Its methods end the check at the first thing that does not hold, as testing.T does,
// by a panic that run turns into an error.
type trial struct {
	client     *clientv3.Client
	kv         pb.KVClient // for requests that the Go client would not send as they are
	ctx        context.Context
	prefix     string // all keys of this check start so
	maxRequest int
}

// failure is what a trial panics with; any other panic is a mistake of ours and goes through.
type failure struct{ text string }

func (t *trial) run(c check, timeout time.Duration) (err error) {
	ctx, cancel := context.WithTimeout(context.Background(), timeout)
	defer cancel()
	t.ctx = ctx
	defer func() {
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

func (t *trial) fail(format string, args ...any) { panic(failure{fmt.Sprintf(format, args...)}) }

// that demands a condition.
func (t *trial) that(holds bool, format string, args ...any) {
	if !holds {
		t.fail(format, args...)
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

func (t *trial) key(name string) string { return t.prefix + name }

func (t *trial) put(name, value string, opts ...clientv3.OpOption) *clientv3.PutResponse {
	answer, err := t.client.Put(t.ctx, t.key(name), value, opts...)
	t.that(err == nil, "put %s: %v", name, err)
	return answer
}

func (t *trial) get(name string, opts ...clientv3.OpOption) *clientv3.GetResponse {
	answer, err := t.client.Get(t.ctx, t.key(name), opts...)
	t.that(err == nil, "get %s: %v", name, err)
	return answer
}

// all reads every key of the check.
func (t *trial) all(opts ...clientv3.OpOption) *clientv3.GetResponse {
	return t.get("", append(opts, clientv3.WithPrefix())...)
}

func (t *trial) delete(name string, opts ...clientv3.OpOption) *clientv3.DeleteResponse {
	answer, err := t.client.Delete(t.ctx, t.key(name), opts...)
	t.that(err == nil, "delete %s: %v", name, err)
	return answer
}

func (t *trial) txn(compares []clientv3.Cmp, then, otherwise []clientv3.Op) *clientv3.TxnResponse {
	answer, err := t.client.Txn(t.ctx).If(compares...).Then(then...).Else(otherwise...).Commit()
	t.that(err == nil, "txn: %v", err)
	return answer
}

// revision is the revision of the store now.
func (t *trial) revision() int64 { return t.get("none").Header.Revision }

// names are the keys of an answer without the check's prefix, in the answer's order.
func (t *trial) names(kvs []*mvccpb.KeyValue) string {
	var names []string
	for _, kv := range kvs {
		names = append(names, strings.TrimPrefix(string(kv.Key), t.prefix))
	}
	return strings.Join(names, " ")
}

// fields is a key-value pair as one line, revisions relative to base.
func (t *trial) fields(kv *mvccpb.KeyValue, base int64) string {
	if kv == nil {
		return "nothing"
	}
	return fmt.Sprintf("%s=%s create+%d mod+%d version %d lease %d", strings.TrimPrefix(string(kv.Key), t.prefix),
		kv.Value, kv.CreateRevision-base, kv.ModRevision-base, kv.Version, kv.Lease)
}

// pairs is a whole answer in the form of fields.
func (t *trial) pairs(kvs []*mvccpb.KeyValue, base int64) []string {
	lines := []string{}
	for _, kv := range kvs {
		lines = append(lines, t.fields(kv, base))
	}
	return lines
}

// words splits the short form in which the checks write lists of keys.
func words(text string) []string { return strings.Fields(text) }
