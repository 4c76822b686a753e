package main

import (
	"context"
	"fmt"
	"io"

	"google.golang.org/grpc"
	"google.golang.org/grpc/encoding/gzip"
	testpb "google.golang.org/grpc/interop/grpc_testing"
)

var useGzip = grpc.UseCompressor(gzip.Name)

// compressionChecks: a request with grpc-encoding gzip is answered with gzip, message by message; one without is not,
// although this client accepts gzip in every call.
var compressionChecks = []check{
	{"unary, gzip both ways", func(ctx context.Context, t *trial) error {
		for _, n := range []int{1000, 100_000, t.limit / 2} {
			ctx, w := watched(ctx)
			if err := t.unary(ctx, n, n, useGzip); err != nil {
				return fmt.Errorf("%d bytes: %w", n, err)
			}
			if err := w.compressed(1); err != nil {
				return fmt.Errorf("%d bytes: %w", n, err)
			}
		}
		return nil
	}},
	{"unary, no compression asked for", func(ctx context.Context, t *trial) error {
		ctx, w := watched(ctx)
		if err := t.unary(ctx, 1000, 1000); err != nil {
			return err
		}
		return w.plain()
	}},
	{"server streaming, gzip", func(ctx context.Context, t *trial) error {
		ctx, w := watched(ctx)
		sizes := []int{1000, 31_415, 1_000_000, 2653}
		if err := t.serverStreaming(ctx, sizes, useGzip); err != nil {
			return err
		}
		return w.compressed(len(sizes))
	}},
	{"client streaming, gzip", func(ctx context.Context, t *trial) error {
		ctx, w := watched(ctx)
		if err := t.clientStreaming(ctx, []int{27_182, 8, t.limit / 2, 0, 45_904}, useGzip); err != nil {
			return err
		}
		if w.encoding != "gzip" {
			return fmt.Errorf("the answer's grpc-encoding is %q, not gzip", w.encoding)
		}
		return nil
	}},
	{"bidirectional streaming, gzip", func(ctx context.Context, t *trial) error {
		ctx, w := watched(ctx)
		const turns = 10
		if err := t.pingPong(ctx, turns, 5000, useGzip); err != nil {
			return err
		}
		return w.compressed(turns)
	}},
	{"bidirectional streaming, no compression asked for", func(ctx context.Context, t *trial) error {
		ctx, w := watched(ctx)
		if err := t.pingPong(ctx, 3, 5000); err != nil {
			return err
		}
		return w.plain()
	}},
}

// The calls below are the vocabulary of all checks: each sends zeros, and demands as many zeros back as it asked for.

func payload(bytes int) *testpb.Payload { return &testpb.Payload{Body: make([]byte, bytes)} }

func sameSize(got *testpb.Payload, want int) error {
	if len(got.GetBody()) != want {
		return fmt.Errorf("a body of %d bytes came, not of %d", len(got.GetBody()), want)
	}
	return nil
}

func (t *trial) unary(ctx context.Context, send, receive int, opts ...grpc.CallOption) error {
	answer, err := t.service.UnaryCall(ctx, &testpb.SimpleRequest{ResponseSize: int32(receive), Payload: payload(send)}, opts...)
	if err != nil {
		return err
	}
	return sameSize(answer.Payload, receive)
}

func (t *trial) serverStreaming(ctx context.Context, sizes []int, opts ...grpc.CallOption) error {
	stream, err := t.service.StreamingOutputCall(ctx, outputRequest(sizes, 0), opts...)
	if err != nil {
		return err
	}
	return receiveAll(stream, sizes)
}

// outputRequest asks for messages of these sizes, each after a pause.
func outputRequest(sizes []int, pauseMicros int32) *testpb.StreamingOutputCallRequest {
	r := &testpb.StreamingOutputCallRequest{}
	for _, n := range sizes {
		r.ResponseParameters = append(r.ResponseParameters, &testpb.ResponseParameters{Size: int32(n), IntervalUs: pauseMicros})
	}
	return r
}

// receiveAll demands messages of exactly these sizes, and then the end.
func receiveAll(stream grpc.ServerStreamingClient[testpb.StreamingOutputCallResponse], sizes []int) error {
	for i, n := range sizes {
		answer, err := stream.Recv()
		if err == io.EOF {
			return errTooFew
		}
		if err != nil {
			return err
		}
		if err := sameSize(answer.Payload, n); err != nil {
			return fmt.Errorf("message %d: %w", i, err)
		}
	}
	if _, err := stream.Recv(); err != io.EOF {
		return fmt.Errorf("after the last message: %v", err)
	}
	return nil
}

func (t *trial) clientStreaming(ctx context.Context, sizes []int, opts ...grpc.CallOption) error {
	stream, err := t.service.StreamingInputCall(ctx, opts...)
	if err != nil {
		return err
	}
	sum := 0
	for _, n := range sizes {
		if err := stream.Send(&testpb.StreamingInputCallRequest{Payload: payload(n)}); err != nil {
			break // the status is in CloseAndRecv
		}
		sum += n
	}
	answer, err := stream.CloseAndRecv()
	if err != nil {
		return err
	}
	if int(answer.AggregatedPayloadSize) != sum {
		return fmt.Errorf("the server counted %d bytes, not %d", answer.AggregatedPayloadSize, sum)
	}
	return nil
}

func (t *trial) pingPong(ctx context.Context, turns, bytes int, opts ...grpc.CallOption) error {
	stream, err := t.service.FullDuplexCall(ctx, opts...)
	if err != nil {
		return err
	}
	for i := range turns {
		if err := turn(stream, bytes); err != nil {
			return fmt.Errorf("turn %d: %w", i, err)
		}
	}
	return finish(stream)
}

type duplex = grpc.BidiStreamingClient[testpb.StreamingOutputCallRequest, testpb.StreamingOutputCallResponse]

// turn sends one message and waits for one.
func turn(stream duplex, bytes int) error {
	request := outputRequest([]int{bytes}, 0)
	request.Payload = payload(bytes)
	if err := stream.Send(request); err != nil {
		return fmt.Errorf("send: %w", err)
	}
	answer, err := stream.Recv()
	if err != nil {
		return err
	}
	return sameSize(answer.Payload, bytes)
}

// finish closes our side and demands that the server then ends the call well.
func finish(stream duplex) error {
	if err := stream.CloseSend(); err != nil {
		return err
	}
	if _, err := stream.Recv(); err != io.EOF {
		return fmt.Errorf("after the half-close: %v", err)
	}
	return nil
}
