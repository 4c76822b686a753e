package main

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"

	"google.golang.org/grpc/stats"
)

// observer sees what gRPC hides from a caller: how messages lay on the wire, and when connections come and go.
type observer struct {
	opened, closed atomic.Int64
}

// wire is what one call had on the wire. It is filled while the call runs and must be read after it.
type wire struct {
	mu       sync.Mutex
	encoding string // the grpc-encoding of the answer
	received []size
}

// size is a message as the caller sees it and as it travelled.
type size struct{ plain, travelled int }

type wireKey struct{}

// watched returns a context for one call whose messages w is to hold.
func watched(ctx context.Context) (context.Context, *wire) {
	w := &wire{}
	return context.WithValue(ctx, wireKey{}, w), w
}

func (o *observer) TagRPC(ctx context.Context, _ *stats.RPCTagInfo) context.Context { return ctx }

func (o *observer) HandleRPC(ctx context.Context, event stats.RPCStats) {
	w, ok := ctx.Value(wireKey{}).(*wire)
	if !ok {
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	switch event := event.(type) {
	case *stats.InHeader:
		w.encoding = event.Compression
	case *stats.InPayload:
		w.received = append(w.received, size{event.Length, event.CompressedLength})
	}
}

func (o *observer) TagConn(ctx context.Context, _ *stats.ConnTagInfo) context.Context { return ctx }

func (o *observer) HandleConn(_ context.Context, event stats.ConnStats) {
	switch event.(type) {
	case *stats.ConnBegin:
		o.opened.Add(1)
	case *stats.ConnEnd:
		o.closed.Add(1)
	}
}

func (o *observer) connectionKept() error {
	if opened, closed := o.opened.Load(), o.closed.Load(); opened != 1 || closed != 0 {
		return fmt.Errorf("%d connections were opened and %d closed", opened, closed)
	}
	return nil
}

// compressed demands that n messages came, each of them gzip. The bodies of the test service are zeros, so a message
// of any size that did not shrink was not compressed.
func (w *wire) compressed(n int) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.encoding != "gzip" {
		return fmt.Errorf("the answer's grpc-encoding is %q, not gzip", w.encoding)
	}
	if len(w.received) != n {
		return fmt.Errorf("%d messages came, not %d", len(w.received), n)
	}
	for i, s := range w.received {
		if s.travelled >= s.plain {
			return fmt.Errorf("message %d of %d bytes travelled as %d bytes: not compressed", i, s.plain, s.travelled)
		}
	}
	return nil
}

// plain demands that nothing was compressed.
func (w *wire) plain() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.encoding != "" && w.encoding != "identity" {
		return fmt.Errorf("the answer's grpc-encoding is %q, though the request's was none", w.encoding)
	}
	for i, s := range w.received {
		if s.travelled != s.plain {
			return fmt.Errorf("message %d of %d bytes travelled as %d bytes", i, s.plain, s.travelled)
		}
	}
	return nil
}
