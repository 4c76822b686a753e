package main

import (
	"context"
	"fmt"
	"time"

	"google.golang.org/grpc/codes"
	testpb "google.golang.org/grpc/interop/grpc_testing"
	"google.golang.org/grpc/status"
)

// timeChecks: calls that end early, by the clock or by the caller's will.
var timeChecks = []check{
	{"a deadline ends a streaming call in time", func(ctx context.Context, t *trial) error {
		ctx, cancel := context.WithTimeout(ctx, 200*time.Millisecond)
		defer cancel()
		begin := time.Now()
		stream, err := t.service.StreamingOutputCall(ctx, outputRequest([]int{1}, 3_000_000))
		if err == nil {
			_, err = stream.Recv()
		}
		if status.Code(err) != codes.DeadlineExceeded {
			return fmt.Errorf("it ended with %v", err)
		}
		if took := time.Since(begin); took > 2*time.Second {
			return fmt.Errorf("it took %v", took)
		}
		return nil
	}},
	{"a deadline between two messages leaves the first one", func(ctx context.Context, t *trial) error {
		ctx, cancel := context.WithTimeout(ctx, 600*time.Millisecond)
		defer cancel()
		request := outputRequest([]int{1, 1}, 0)
		request.ResponseParameters[1].IntervalUs = 3_000_000
		stream, err := t.service.StreamingOutputCall(ctx, request)
		if err != nil {
			return err
		}
		if _, err := stream.Recv(); err != nil {
			return fmt.Errorf("first message: %w", err)
		}
		if _, err := stream.Recv(); status.Code(err) != codes.DeadlineExceeded {
			return fmt.Errorf("it ended with %v", err)
		}
		return nil
	}},
	{"a deadline that is far away disturbs nothing", func(ctx context.Context, t *trial) error {
		ctx, cancel := context.WithTimeout(ctx, 24*time.Hour)
		defer cancel()
		return t.unary(ctx, 10, 10)
	}},
	{"1,000 deadlines at once", func(ctx context.Context, t *trial) error {
		return atOnce(1000, func(int) error {
			ctx, cancel := context.WithTimeout(ctx, 300*time.Millisecond)
			defer cancel()
			stream, err := t.service.FullDuplexCall(ctx)
			if err == nil {
				_, err = stream.Recv()
			}
			if status.Code(err) != codes.DeadlineExceeded {
				return fmt.Errorf("it ended with %v", err)
			}
			return nil
		})
	}},
	{"cancel before the first message, and after one", func(ctx context.Context, t *trial) error {
		for turns := range 2 {
			ctx, cancel := context.WithCancel(ctx)
			defer cancel()
			stream, err := t.service.FullDuplexCall(ctx)
			if err != nil {
				return err
			}
			for range turns {
				if err := turn(stream, 100); err != nil {
					return err
				}
			}
			cancel()
			if _, err := stream.Recv(); status.Code(err) != codes.Canceled {
				return fmt.Errorf("it ended with %v", err)
			}
		}
		return nil
	}},
	{"cancelled streams give their places back", func(ctx context.Context, t *trial) error {
		// Not more than a client might cancel in good faith: a server may defend itself against floods of resets.
		for range 3 {
			err := atOnce(50, func(int) error {
				ctx, cancel := context.WithCancel(ctx)
				defer cancel()
				stream, err := t.service.StreamingOutputCall(ctx, outputRequest(repeated(100, 100_000), 10_000))
				if err == nil {
					_, err = stream.Recv()
				}
				return err
			})
			if err != nil {
				return err
			}
			if err := atOnce(100, func(int) error { return t.unary(ctx, 100, 100) }); err != nil {
				return fmt.Errorf("calls afterwards: %w", err)
			}
		}
		return nil
	}},
	{"a status after some messages", func(ctx context.Context, t *trial) error {
		stream, err := t.service.FullDuplexCall(ctx)
		if err != nil {
			return err
		}
		if err := turn(stream, 100); err != nil {
			return err
		}
		want := &testpb.EchoStatus{Code: int32(codes.Aborted), Message: "told to"}
		if err := stream.Send(&testpb.StreamingOutputCallRequest{ResponseStatus: want}); err != nil {
			return err
		}
		_, err = stream.Recv()
		return hasStatus(err, codes.Aborted, want.Message)
	}},
}
