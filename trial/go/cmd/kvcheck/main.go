// Kvcheck judges the key-value half of a running server through etcd's own Go client: Put, Range, DeleteRange and Txn
// with all their options, errors and headers, RangeStream, Compact, and the calls that describe the server. It uses no
// watch, lease, auth or membership change, and writes only under a prefix of its own; but compaction gives up the
// history of the whole store.
//
//	kvcheck --endpoint http://127.0.0.1:2379
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"time"

	pb "go.etcd.io/etcd/api/v3/etcdserverpb"
	clientv3 "go.etcd.io/etcd/client/v3"
	"go.uber.org/zap"
	"google.golang.org/grpc"

	"quoin.dev/trial/internal/tally"
)

func main() { os.Exit(run()) }

// checks is everything this program judges, in the order it is run.
var checks = concat(serverChecks, writeChecks, rangeChecks, txnChecks, refusalChecks, streamChecks, compactChecks)

func run() int {
	endpoint := flag.String("endpoint", "http://127.0.0.1:2379", "client URL of the server to judge")
	timeout := flag.Duration("timeout", 30*time.Second, "how long one check may take")
	maxRequest := flag.Int("max-request-bytes", 1_572_864, "the server's limit for one request (etcd's default: 1.5 MiB)")
	flag.Parse()

	counts := tally.New("kvcheck", os.Stdout)
	client, err := clientv3.New(clientv3.Config{
		Endpoints:   []string{*endpoint},
		DialTimeout: 10 * time.Second,
		DialOptions: []grpc.DialOption{grpc.WithNoProxy(), grpc.WithDefaultCallOptions(grpc.MaxCallRecvMsgSize(64 << 20))},
		// Refusing what is too large is the server's work here, so the client must send it.
		MaxCallSendMsgSize: 64 << 20,
		Logger:             zap.NewNop(),
	})
	if err == nil {
		defer client.Close()
		err = answers(client)
	}
	if !counts.Check("connect", err) {
		return counts.Close()
	}

	// Keys of an earlier run, or of somebody else, must not disturb: every check has a prefix of its own.
	root := fmt.Sprintf("kvcheck/%x/", time.Now().UnixNano())
	for i, c := range checks {
		t := &trial{
			client:     client,
			kv:         pb.NewKVClient(client.ActiveConnection()),
			prefix:     fmt.Sprintf("%s%02d/", root, i),
			maxRequest: *maxRequest,
		}
		if counts.Check(c.name, t.run(c, *timeout)) {
			continue
		}
		// The client waits for a server that is gone: do not wait once per check.
		if err := answers(client); err != nil {
			counts.Check("the server still answers", err)
			return counts.Close()
		}
	}
	ctx, cancel := context.WithTimeout(context.Background(), *timeout)
	defer cancel()
	_, err = client.Delete(ctx, root, clientv3.WithPrefix())
	counts.Check("remove what the checks have written", err)
	return counts.Close()
}

// answers says why the server does not answer within some seconds.
func answers(client *clientv3.Client) error {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	_, err := client.Status(ctx, client.Endpoints()[0])
	return err
}

func concat(groups ...[]check) []check {
	var all []check
	for _, g := range groups {
		all = append(all, g...)
	}
	return all
}
