package main

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/tls"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"time"

	"golang.org/x/net/http2"
	testpb "google.golang.org/grpc/interop/grpc_testing"
	"google.golang.org/protobuf/proto"
)

// rawChecks send what a gRPC library never would, over HTTP/2 directly.
var rawChecks = []check{
	{"raw: grpc-encoding gzip is answered with gzip even when the message is sent plain", func(ctx context.Context, t *trial) error {
		answer, err := t.post(ctx, unaryMethod, http.Header{"Grpc-Encoding": {"gzip"}}, frame(0, someRequest()))
		if err != nil {
			return err
		}
		if err := answer.hasStatus("0", ""); err != nil {
			return err
		}
		if answer.encoding != "gzip" || len(answer.body) == 0 || answer.body[0] != 1 {
			return fmt.Errorf("grpc-encoding %q, body % .8x…: not gzip with the flag set", answer.encoding, answer.body)
		}
		return nil
	}},
	{"raw: grpc-accept-encoding alone changes nothing", func(ctx context.Context, t *trial) error {
		answer, err := t.post(ctx, unaryMethod, http.Header{"Grpc-Accept-Encoding": {"gzip"}}, frame(0, someRequest()))
		if err != nil {
			return err
		}
		if err := answer.hasStatus("0", ""); err != nil {
			return err
		}
		if answer.encoding != "" || len(answer.body) == 0 || answer.body[0] != 0 {
			return fmt.Errorf("grpc-encoding %q, body % .8x…: not plain", answer.encoding, answer.body)
		}
		return nil
	}},
	refusal("raw: compressed flag without an encoding", nil, frame(1, someRequest()),
		"13", "grpc: compressed flag set with identity or empty encoding"),
	refusal("raw: compressed flag with identity", http.Header{"Grpc-Encoding": {"identity"}}, frame(1, someRequest()),
		"13", "grpc: compressed flag set with identity or empty encoding"),
	refusal("raw: an unknown flag", nil, frame(2, someRequest()),
		"13", "grpc: received unexpected payload format 2"),
	refusal("raw: an unknown encoding", http.Header{"Grpc-Encoding": {"deflate"}}, frame(1, someRequest()),
		"12", `grpc: Decompressor is not installed for grpc-encoding "deflate"`),
	refusal("raw: gzip that is none", http.Header{"Grpc-Encoding": {"gzip"}}, frame(1, []byte("not gzip at all")),
		"13", "grpc: failed to decompress the message: …"),
	refusal("raw: gzip that is cut short", http.Header{"Grpc-Encoding": {"gzip"}}, frame(1, cutGzip()),
		"13", "grpc: failed to read decompressed data: …"),
	refusal("raw: a message that is not what it should be", nil, frame(0, []byte("\xff\xff\xff")),
		"13", "grpc: error unmarshalling request: …"),
	refusal("raw: the body ends inside the message", nil, frame(0, someRequest())[:9],
		"2", "unexpected EOF"),
	refusal("raw: the body ends inside the prefix", nil, []byte{0, 0, 0},
		"2", "EOF"),
	{"raw: a length of 4 GiB is refused by the prefix alone", func(ctx context.Context, t *trial) error {
		answer, err := t.post(ctx, unaryMethod, nil, []byte{0, 0xff, 0xff, 0xff, 0xff})
		if err != nil {
			return err
		}
		return answer.hasStatus("8", fmt.Sprintf("grpc: received message larger than max (4294967295 vs. %d)", t.limit))
	}},
	{"raw: a deadline that is over already", func(ctx context.Context, t *trial) error {
		answer, err := t.post(ctx, unaryMethod, http.Header{"Grpc-Timeout": {"1n"}}, frame(0, someRequest()))
		if err != nil {
			return err
		}
		return answer.hasStatus("4", "context deadline exceeded")
	}},
	{"raw: the server itself ends a call at its deadline", func(ctx context.Context, t *trial) error {
		request, err := proto.Marshal(outputRequest([]int{1}, 3_000_000))
		if err != nil {
			return err
		}
		begin := time.Now()
		answer, err := t.post(ctx, "/grpc.testing.TestService/StreamingOutputCall", http.Header{"Grpc-Timeout": {"200m"}}, frame(0, request))
		took := time.Since(begin)
		if took > 2*time.Second {
			return fmt.Errorf("it took %v to end a call with a deadline of 200 ms", took)
		}
		// Trailers and the reset of the stream race in grpc-go: either may be seen.
		if stream, reset := errors.AsType[http2.StreamError](err); reset && stream.Code == http2.ErrCodeCancel {
			return nil
		}
		if err != nil {
			return err
		}
		return answer.hasStatus("4", "context deadline exceeded")
	}},
}

const unaryMethod = "/grpc.testing.TestService/UnaryCall"

// refusal is a check that a request is answered with this status. A text that ends in … is a beginning.
func refusal(name string, headers http.Header, body []byte, code, text string) check {
	return check{name, func(ctx context.Context, t *trial) error {
		answer, err := t.post(ctx, unaryMethod, headers, body)
		if err != nil {
			return err
		}
		return answer.hasStatus(code, text)
	}}
}

// rawAnswer is an answer with nothing interpreted.
type rawAnswer struct {
	encoding, status, message string
	body                      []byte
}

func (a rawAnswer) hasStatus(code, text string) error {
	matches := a.message == text
	if beginning, cut := strings.CutSuffix(text, "…"); cut {
		matches = strings.HasPrefix(a.message, beginning)
	}
	if a.status != code || !matches {
		return fmt.Errorf("the status is %s %q, not %s %q", a.status, a.message, code, text)
	}
	return nil
}

// post makes one call on a connection of its own.
func (t *trial) post(ctx context.Context, method string, headers http.Header, body []byte) (rawAnswer, error) {
	transport := &http2.Transport{AllowHTTP: true, DisableCompression: true,
		DialTLSContext: func(ctx context.Context, network, addr string, _ *tls.Config) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, network, addr)
		}}
	defer transport.CloseIdleConnections()
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://"+t.addr+method, bytes.NewReader(body))
	if err != nil {
		return rawAnswer{}, err
	}
	for name, values := range headers {
		request.Header[name] = values
	}
	request.Header.Set("Content-Type", "application/grpc")
	request.Header.Set("Te", "trailers")
	response, err := transport.RoundTrip(request)
	if err != nil {
		return rawAnswer{}, err
	}
	defer response.Body.Close()
	a := rawAnswer{encoding: response.Header.Get("Grpc-Encoding")}
	if a.body, err = io.ReadAll(response.Body); err != nil {
		return rawAnswer{}, err
	}
	trailers := response.Trailer
	if len(a.body) == 0 && trailers.Get("Grpc-Status") == "" {
		trailers = response.Header // trailers only
	}
	a.status, a.message = trailers.Get("Grpc-Status"), trailers.Get("Grpc-Message")
	return a, nil
}

// frame puts the five bytes of gRPC in front of a message.
func frame(flag byte, message []byte) []byte {
	framed := binary.BigEndian.AppendUint32([]byte{flag}, uint32(len(message)))
	return append(framed, message...)
}

func someRequest() []byte {
	message, err := proto.Marshal(&testpb.SimpleRequest{ResponseSize: 1000, Payload: payload(100)})
	if err != nil {
		panic(err) // a value of our own that cannot fail
	}
	return message
}

func cutGzip() []byte {
	var packed bytes.Buffer
	w := gzip.NewWriter(&packed)
	w.Write(someRequest())
	w.Close()
	return packed.Bytes()[:packed.Len()-12] // the checksum, the length, and some of the data
}
