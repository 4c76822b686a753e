// Coordcheck judges what programs coordinate themselves with, through etcd's own Go client: watches, leases, and all that
// its library makes of them (sessions, locks, elections, transactional memory, queues, barriers, caches, mirrors, names),
// and the Lock and Election services. It writes only under prefixes of its own, but compacts the history of the whole store.
//
//	coordcheck --endpoint http://127.0.0.1:2379
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"regexp"
	"time"

	pb "go.etcd.io/etcd/api/v3/etcdserverpb"
	clientv3 "go.etcd.io/etcd/client/v3"
	epb "go.etcd.io/etcd/server/v3/etcdserver/api/v3election/v3electionpb"
	lpb "go.etcd.io/etcd/server/v3/etcdserver/api/v3lock/v3lockpb"
	"go.uber.org/zap"
	"google.golang.org/grpc"

	"quoin.dev/trial/internal/tally"
)

func main() { os.Exit(run()) }

// groups are everything this program judges, in the order it is run.
var groups = []group{
	{"watch", watchChecks},
	{"stream", streamChecks},
	{"lease", leaseChecks},
	{"mutex", mutexChecks},
	{"election", electionChecks},
	{"stm", stmChecks},
	{"recipes", recipeChecks},
	{"lock service", lockChecks},
	{"election service", campaignChecks},
	{"compaction", compactionChecks},
}

type group struct {
	name   string
	checks []check
}

func run() int {
	endpoint := flag.String("endpoint", "http://127.0.0.1:2379", "client URL of the server to judge")
	timeout := flag.Duration("timeout", 30*time.Second, "how long one check may take")
	only := flag.String("only", "", "run the checks whose group and name match this regular expression")
	flag.Parse()
	wanted, err := regexp.Compile(*only)
	if err != nil {
		fmt.Fprintln(os.Stderr, "coordcheck:", err)
		return 2
	}

	counts := tally.New("coordcheck", os.Stdout)
	client, err := dial(*endpoint)
	if err == nil {
		defer client.Close()
		err = answers(client)
	}
	if !counts.Check("connect", err) {
		return counts.Close()
	}

	// Keys of an earlier run, or of somebody else, must not disturb: every check has a prefix of its own.
	root := fmt.Sprintf("coordcheck/%x/", time.Now().UnixNano())
	number := 0
	for _, g := range groups {
		for _, c := range g.checks {
			number++
			if !wanted.MatchString(g.name + ": " + c.name) {
				continue
			}
			t := &trial{
				client:   client,
				endpoint: *endpoint,
				kv:       pb.NewKVClient(client.ActiveConnection()),
				watch:    pb.NewWatchClient(client.ActiveConnection()),
				lease:    pb.NewLeaseClient(client.ActiveConnection()),
				lock:     lpb.NewLockClient(client.ActiveConnection()),
				election: epb.NewElectionClient(client.ActiveConnection()),
				prefix:   fmt.Sprintf("%s%03d/", root, number),
			}
			if counts.Check(g.name+": "+c.name, t.run(c, *timeout)) {
				continue
			}
			// The client waits for a server that is gone: do not wait once per check.
			if err := answers(client); err != nil {
				counts.Check("the server still answers", err)
				return counts.Close()
			}
		}
	}
	ctx, cancel := context.WithTimeout(context.Background(), *timeout)
	defer cancel()
	_, err = client.Delete(ctx, root, clientv3.WithPrefix())
	counts.Check("remove what the checks have written", err)
	return counts.Close()
}

func dial(endpoint string) (*clientv3.Client, error) {
	return clientv3.New(clientv3.Config{
		Endpoints:   []string{endpoint},
		DialTimeout: 10 * time.Second,
		DialOptions: []grpc.DialOption{grpc.WithNoProxy(), grpc.WithDefaultCallOptions(grpc.MaxCallRecvMsgSize(64 << 20))},
		Logger:      zap.NewNop(),
	})
}

// answers says why the server does not answer within some seconds.
func answers(client *clientv3.Client) error {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	_, err := client.Status(ctx, client.Endpoints()[0])
	return err
}
