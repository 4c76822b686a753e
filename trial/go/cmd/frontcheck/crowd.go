package main

import (
	"context"
	"fmt"
	"io"
	"sync"
	"time"

	"google.golang.org/grpc"
	testpb "google.golang.org/grpc/interop/grpc_testing"
)

// crowdChecks: many calls share one connection, and none of them can stop the others.
var crowdChecks = []check{
	{"1,000 unary calls in flight, five times", func(ctx context.Context, t *trial) error {
		for range 5 {
			if err := atOnce(1000, func(i int) error { return t.unary(ctx, i, 1000-i) }); err != nil {
				return err
			}
		}
		return nil
	}},
	{"1,000 calls that the server holds for 300 ms are served side by side", func(ctx context.Context, t *trial) error {
		begin := time.Now()
		err := atOnce(1000, func(int) error {
			stream, err := t.service.StreamingOutputCall(ctx, outputRequest([]int{10}, 300_000))
			if err != nil {
				return err
			}
			return receiveAll(stream, []int{10})
		})
		// One after another that would be five minutes; a server may tell a small limit of streams, though.
		if took := time.Since(begin); err == nil && took > 10*time.Second {
			return fmt.Errorf("it took %v", took)
		}
		return err
	}},
	{"100 bidirectional streams open at once, ten turns each", func(ctx context.Context, t *trial) error {
		const streams, turns = 100, 10
		var open sync.WaitGroup // nobody starts talking before all are open
		open.Add(streams)
		return atOnce(streams, func(i int) error {
			stream, err := t.service.FullDuplexCall(ctx)
			if err == nil {
				err = turn(stream, 1) // the server knows of it
			}
			open.Done()
			open.Wait()
			if err != nil {
				return err
			}
			for range turns {
				if err := turn(stream, 100*i); err != nil {
					return err
				}
			}
			return finish(stream)
		})
	}},
	{"readers that stop reading 16 MB each do not hold up others, and lose nothing", func(ctx context.Context, t *trial) error {
		const readers = 4
		sizes := repeated(64, 256<<10)
		var streams []grpc.ServerStreamingClient[testpb.StreamingOutputCallResponse]
		for range readers {
			stream, err := t.service.StreamingOutputCall(ctx, outputRequest(sizes, 0))
			if err != nil {
				return err
			}
			if _, err := stream.Recv(); err != nil {
				return err
			}
			streams = append(streams, stream)
		}
		paused := time.Now()
		for time.Since(paused) < 2*time.Second {
			begin := time.Now()
			if err := t.unary(ctx, 10_000, 10_000); err != nil {
				return fmt.Errorf("a call beside them: %w", err)
			}
			if took := time.Since(begin); took > time.Second {
				return fmt.Errorf("a call beside them took %v", took)
			}
		}
		return atOnce(readers, func(i int) error { return receiveAll(streams[i], sizes[1:]) })
	}},
	{"a slow reader gets everything", func(ctx context.Context, t *trial) error {
		stream, err := t.service.StreamingOutputCall(ctx, outputRequest(repeated(40, 100_000), 0))
		if err != nil {
			return err
		}
		for range 40 {
			time.Sleep(25 * time.Millisecond)
			answer, err := stream.Recv()
			if err != nil {
				return err
			}
			if err := sameSize(answer.Payload, 100_000); err != nil {
				return err
			}
		}
		if _, err := stream.Recv(); err != io.EOF {
			return fmt.Errorf("after the last message: %v", err)
		}
		return nil
	}},
}
