package main

import (
	"context"
	"fmt"
	"io"

	"google.golang.org/grpc/codes"
	testpb "google.golang.org/grpc/interop/grpc_testing"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"
)

// limitChecks: a message may be as large as the limit, and not one byte larger; a refusal ends one call only.
var limitChecks = []check{
	{"unary, a request of exactly the limit", func(ctx context.Context, t *trial) error {
		_, err := t.service.UnaryCall(ctx, unaryOfSize(t.limit))
		return err
	}},
	{"unary, a request one byte over the limit", func(ctx context.Context, t *trial) error {
		_, err := t.service.UnaryCall(ctx, unaryOfSize(t.limit+1))
		return t.tooLarge(err, t.limit+1)
	}},
	{"unary, a request far over the limit", func(ctx context.Context, t *trial) error {
		_, err := t.service.UnaryCall(ctx, unaryOfSize(4*t.limit))
		return t.tooLarge(err, 4*t.limit)
	}},
	{"unary, an answer of the limit", func(ctx context.Context, t *trial) error {
		return t.unary(ctx, 0, t.limit)
	}},
	{"unary, the limit both ways, ten at once", func(ctx context.Context, t *trial) error {
		return atOnce(10, func(int) error { return t.unary(ctx, t.limit-64, t.limit) })
	}},
	{"server streaming, ten messages of the limit", func(ctx context.Context, t *trial) error {
		return t.serverStreaming(ctx, repeated(10, t.limit))
	}},
	{"client streaming, five messages of nearly the limit", func(ctx context.Context, t *trial) error {
		return t.clientStreaming(ctx, repeated(5, t.limit-64))
	}},
	{"client streaming, the third message over the limit", func(ctx context.Context, t *trial) error {
		stream, err := t.service.StreamingInputCall(ctx)
		if err != nil {
			return err
		}
		over := &testpb.StreamingInputCallRequest{Payload: payload(t.limit)}
		for _, m := range []*testpb.StreamingInputCallRequest{{Payload: payload(10)}, {Payload: payload(10)}, over} {
			if err := stream.Send(m); err != nil && err != io.EOF { // io.EOF: the status is in CloseAndRecv
				return fmt.Errorf("send: %w", err)
			}
		}
		_, err = stream.CloseAndRecv()
		return t.tooLarge(err, proto.Size(over))
	}},
	{"bidirectional streaming, messages of nearly the limit both ways", func(ctx context.Context, t *trial) error {
		return t.pingPong(ctx, 5, t.limit-64)
	}},
	{"a request that gzip brings under the limit on the wire only", func(ctx context.Context, t *trial) error {
		_, err := t.service.UnaryCall(ctx, unaryOfSize(8*t.limit), useGzip)
		return hasStatus(err, codes.ResourceExhausted, fmt.Sprintf("grpc: received message after decompression larger than max %d", t.limit))
	}},
}

func (t *trial) tooLarge(err error, size int) error {
	return hasStatus(err, codes.ResourceExhausted, fmt.Sprintf("grpc: received message larger than max (%d vs. %d)", size, t.limit))
}

func hasStatus(err error, code codes.Code, text string) error {
	if got := status.Convert(err); got.Code() != code || got.Message() != text {
		return fmt.Errorf("the status is %v %q, not %v %q", got.Code(), got.Message(), code, text)
	}
	return nil
}

// unaryOfSize makes a request whose encoding has exactly this many bytes.
func unaryOfSize(bytes int) *testpb.SimpleRequest {
	request := &testpb.SimpleRequest{Payload: payload(bytes)}
	for range 5 { // taking bytes away can shorten the lengths in front as well, so once is not enough
		request.Payload = payload(len(request.Payload.Body) + bytes - proto.Size(request))
	}
	if proto.Size(request) != bytes {
		panic(fmt.Sprintf("no request has exactly %d bytes", bytes))
	}
	return request
}

func repeated(n, value int) []int {
	values := make([]int, n)
	for i := range values {
		values[i] = value
	}
	return values
}

// atOnce runs n calls together and returns an error of one of them.
func atOnce(n int, call func(i int) error) error {
	failures := make(chan error, n)
	for i := range n {
		go func() { failures <- call(i) }()
	}
	var failure error
	failed := 0
	for range n {
		if err := <-failures; err != nil {
			failure = err
			failed++
		}
	}
	if failed > 0 {
		return fmt.Errorf("%d of %d failed, one with: %w", failed, n, failure)
	}
	return nil
}
