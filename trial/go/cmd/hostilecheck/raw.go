package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"sync/atomic"
	"time"

	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"
)

// hostile is a connection of HTTP/2 on which anything may be sent.
type hostile struct {
	net.Conn
	*http2.Framer
	block   bytes.Buffer
	encoder *hpack.Encoder
	gone    atomic.Bool
	stream  uint32
	window  uint32
}

// open connects and says what HTTP/2 begins with. What comes back is read and forgotten, but for its end.
func (t *target) open(ctx context.Context, from net.IP, settings ...http2.Setting) (*hostile, error) {
	conn, err := t.dial(ctx, from, t.Address)
	if err != nil {
		return nil, err
	}
	conn.SetWriteDeadline(time.Now().Add(patience + t.Length))
	h := &hostile{Conn: conn, Framer: http2.NewFramer(conn, nil), stream: 1}
	h.encoder = hpack.NewEncoder(&h.block)
	h.AllowIllegalWrites = true
	if _, err := conn.Write([]byte(http2.ClientPreface)); err != nil {
		conn.Close()
		return nil, err
	}
	if err := h.WriteSettings(settings...); err != nil {
		conn.Close()
		return nil, err
	}
	go func() {
		drain(conn)
		h.gone.Store(true)
	}()
	return h, nil
}

// head is an encoded header list of a call, with more fields.
func (h *hostile) head(path string, more ...hpack.HeaderField) []byte {
	h.block.Reset()
	for _, field := range append([]hpack.HeaderField{{Name: ":method", Value: "POST"}, {Name: ":scheme", Value: "http"}, {Name: ":path", Value: path},
		{Name: ":authority", Value: "127.0.0.1"}, {Name: "content-type", Value: "application/grpc"}, {Name: "te", Value: "trailers"}}, more...) {
		h.encoder.WriteField(field) // a buffer takes everything
	}
	return h.block.Bytes()
}

// call begins a call on the next stream.
func (h *hostile) call(path string, more ...hpack.HeaderField) (uint32, error) {
	id := h.stream
	h.stream += 2
	return id, h.WriteHeaders(http2.HeadersFrameParam{StreamID: id, BlockFragment: h.head(path, more...), EndHeaders: true})
}

const (
	watch = "/etcdserverpb.Watch/Watch"
	get   = "/etcdserverpb.KV/Range"
)

// flood repeats something on connections of its own until the drill is over: when the server ends one, the next is opened. A
// pause behind each leaves processors to others.
func flood(what string, pause time.Duration, do func(h *hostile) error, settings ...http2.Setting) func(context.Context, *target) (string, error) {
	return func(ctx context.Context, t *target) (string, error) {
		from := t.address()
		done, ended := 0, 0
		for ctx.Err() == nil {
			h, err := t.open(ctx, from, settings...)
			if err != nil && ctx.Err() == nil {
				return "", err
			}
			if err != nil {
				break
			}
			for err == nil && ctx.Err() == nil && !h.gone.Load() {
				if err = do(h); err == nil {
					done++
				}
				time.Sleep(pause)
			}
			if h.gone.Load() || (err != nil && !errors.Is(err, context.Canceled)) {
				ended++
			}
			h.Close()
		}
		if done == 0 {
			return "", errors.New("nothing could be done")
		}
		return fmt.Sprintf("%d times %s, %d connections ended by the server", done, what, ended), nil
	}
}
