// Frontcheck judges how a server speaks gRPC, where the interop client does not look: compression, message limits,
// many calls at once, deadlines, cancelling, flow control and binary metadata. The server must serve
// grpc.testing.TestService. What is demanded is what a server built with grpc-go does, which etcd is; --self-test
// judges such a server.
//
//	frontcheck --addr 127.0.0.1:10000
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"net"
	"os"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/interop"
	testpb "google.golang.org/grpc/interop/grpc_testing"

	"quoin.dev/trial/internal/tally"
)

func main() { os.Exit(run()) }

// check is one claim about the server, in words and in code.
type check struct {
	name string
	run  func(ctx context.Context, t *trial) error
}

// trial is what the checks share: one channel, which must live through all of them, and what was seen on it.
type trial struct {
	addr     string
	limit    int // the server's limit for a request message
	service  testpb.TestServiceClient
	observed *observer
}

func run() int {
	addr := flag.String("addr", "", "HOST:PORT of the server to judge, plain text")
	limit := flag.Int("max-request-bytes", 2_097_152, "largest request message that the server takes")
	timeout := flag.Duration("timeout", 30*time.Second, "how long one check may take")
	selfTest := flag.Bool("self-test", false, "judge a grpc-go server inside this process instead")
	flag.Parse()
	if (*addr == "") != *selfTest {
		flag.Usage()
		return 2
	}
	counts := tally.New("frontcheck", os.Stdout)
	if *selfTest {
		reference, err := serveReference(*limit)
		if err != nil {
			counts.Check("start the reference server", err)
			return counts.Close()
		}
		defer reference.server.Stop()
		*addr = reference.addr
	}

	t := &trial{addr: *addr, limit: *limit, observed: &observer{}}
	conn, err := t.dial(t.observed)
	if !counts.Check("dial", err) {
		return counts.Close()
	}
	defer conn.Close()
	t.service = testpb.NewTestServiceClient(conn)
	for _, group := range [][]check{compressionChecks, limitChecks, rawChecks, crowdChecks, timeChecks, metadataChecks} {
		for _, c := range group {
			counts.Check(c.name, t.judge(c, *timeout))
		}
	}
	counts.Check("one connection carried it all", t.observed.connectionKept())
	return counts.Close()
}

// judge runs a check, and then asks whether the channel still works: a refusal must not take others with it.
func (t *trial) judge(c check, timeout time.Duration) error {
	ctx, cancel := context.WithTimeout(context.Background(), timeout)
	defer cancel()
	if err := c.run(ctx, t); err != nil {
		return err
	}
	if _, err := t.service.EmptyCall(ctx, &testpb.Empty{}); err != nil {
		return fmt.Errorf("the next call on the connection: %w", err)
	}
	return nil
}

func (t *trial) dial(seen *observer) (*grpc.ClientConn, error) {
	return grpc.NewClient("passthrough:///"+t.addr,
		grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithNoProxy(),
		grpc.WithDisableRetry(),
		grpc.WithStatsHandler(seen),
		grpc.WithDefaultCallOptions(grpc.MaxCallRecvMsgSize(64<<20)))
}

// reference is the server whose behaviour is the measure.
type reference struct {
	server *grpc.Server
	addr   string
}

func serveReference(limit int) (*reference, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	server := grpc.NewServer(grpc.MaxRecvMsgSize(limit))
	testpb.RegisterTestServiceServer(server, interop.NewTestServer())
	go server.Serve(listener)
	return &reference{server, listener.Addr().String()}, nil
}

var errTooFew = errors.New("the stream ended before all messages had come")
