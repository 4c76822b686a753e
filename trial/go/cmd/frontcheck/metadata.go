package main

import (
	"context"
	"fmt"
	"strings"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	testpb "google.golang.org/grpc/interop/grpc_testing"
	"google.golang.org/grpc/metadata"
)

// The test service answers with what a call brings under these two names.
const (
	echoInitial  = "x-grpc-test-echo-initial"
	echoTrailing = "x-grpc-test-echo-trailing-bin"
)

// metadataChecks: what goes around the messages.
var metadataChecks = []check{
	{"metadata comes back, unary", func(ctx context.Context, t *trial) error {
		for _, trailing := range binaryValues() {
			var header, trailer metadata.MD
			ctx := metadata.AppendToOutgoingContext(ctx, echoInitial, "some value", echoTrailing, trailing)
			if err := t.unary(ctx, 10, 10, grpc.Header(&header), grpc.Trailer(&trailer)); err != nil {
				return err
			}
			if err := echoed(header, trailer, "some value", trailing); err != nil {
				return err
			}
		}
		return nil
	}},
	{"metadata comes back, bidirectional streaming", func(ctx context.Context, t *trial) error {
		for _, trailing := range binaryValues() {
			ctx := metadata.AppendToOutgoingContext(ctx, echoInitial, "some value", echoTrailing, trailing)
			stream, err := t.service.FullDuplexCall(ctx)
			if err != nil {
				return err
			}
			if err := turn(stream, 10); err != nil {
				return err
			}
			header, err := stream.Header()
			if err != nil {
				return err
			}
			if err := finish(stream); err != nil {
				return err
			}
			if err := echoed(header, stream.Trailer(), "some value", trailing); err != nil {
				return err
			}
		}
		return nil
	}},
	{"metadata comes with an error too", func(ctx context.Context, t *trial) error {
		var trailer metadata.MD
		ctx = metadata.AppendToOutgoingContext(ctx, echoTrailing, "\x00\xff")
		request := &testpb.SimpleRequest{ResponseStatus: &testpb.EchoStatus{Code: int32(codes.DataLoss), Message: "told to"}}
		_, err := t.service.UnaryCall(ctx, request, grpc.Trailer(&trailer))
		if err := hasStatus(err, codes.DataLoss, "told to"); err != nil {
			return err
		}
		return oneValue(trailer, echoTrailing, "\x00\xff")
	}},
	{"8 KiB of metadata", func(ctx context.Context, t *trial) error {
		var header metadata.MD
		long := strings.Repeat("v", 8<<10)
		ctx = metadata.AppendToOutgoingContext(ctx, echoInitial, long)
		if err := t.unary(ctx, 10, 10, grpc.Header(&header)); err != nil {
			return err
		}
		return oneValue(header, echoInitial, long)
	}},
	{"metadata that nobody knows does no harm", func(ctx context.Context, t *trial) error {
		ctx = metadata.AppendToOutgoingContext(ctx, "x-one", "1", "x-one", "2", "x-bytes-bin", "\x00\x01", "hasleader", "true", "token", "none")
		return t.unary(ctx, 10, 10)
	}},
	{"every code and any text come through", func(ctx context.Context, t *trial) error {
		for code := codes.Canceled; code <= codes.Unauthenticated; code++ {
			text := fmt.Sprintf("\t%d%% with white space\r\nand Unicode BMP ☺ and non-BMP 😈\t\n", code)
			_, err := t.service.UnaryCall(ctx, &testpb.SimpleRequest{ResponseStatus: &testpb.EchoStatus{Code: int32(code), Message: text}})
			if err := hasStatus(err, code, text); err != nil {
				return err
			}
		}
		return nil
	}},
}

// binaryValues have every byte, and every length that base64 pads in another way.
func binaryValues() []string {
	var every strings.Builder
	for i := range 256 {
		every.WriteByte(byte(i))
	}
	return []string{"\xab", "\xab\xab", "\xab\xab\xab", "\x00\x00\x00\x00", every.String()}
}

func echoed(header, trailer metadata.MD, initial, trailing string) error {
	if err := oneValue(header, echoInitial, initial); err != nil {
		return fmt.Errorf("header: %w", err)
	}
	if err := oneValue(trailer, echoTrailing, trailing); err != nil {
		return fmt.Errorf("trailer: %w", err)
	}
	return nil
}

func oneValue(md metadata.MD, name, want string) error {
	if got := md.Get(name); len(got) != 1 || got[0] != want {
		return fmt.Errorf("%s is %.60q, not one %.60q", name, got, want)
	}
	return nil
}
