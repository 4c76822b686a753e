package main

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	pb "go.etcd.io/etcd/api/v3/etcdserverpb"
	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"
)

// drill is what one kind of hostile client does.
type drill struct {
	name    string
	limits  []string // of Quoin's that are met
	lingers bool     // what was opened stays open for longer than the drill
	do      func(ctx context.Context, t *target) (string, error)
}

func drills() []drill {
	return []drill{
		{"rapid reset (CVE-2023-44487)", nil, false, flood("opened and reset 100 calls", 2*time.Millisecond, func(h *hostile) error {
			for range 100 {
				id, err := h.call(watch)
				if err == nil {
					err = h.WriteRSTStream(id, http2.ErrCodeCancel)
				}
				if err != nil {
					return err
				}
			}
			return nil
		})},
		{"made you reset (CVE-2025-55163)", []string{"flood"}, false, flood("provoked a reset", 100*time.Microsecond, func(h *hostile) error {
			id, err := h.call(watch)
			if err != nil {
				return err
			}
			return h.WriteWindowUpdate(id, 0)
		})},
		{"continuations without an end (CVE-2024-27316)", []string{"flood"}, false, flood("sent a continuation", 100*time.Microsecond, func(h *hostile) error {
			if h.stream == 1 {
				h.stream = 3
				if err := h.WriteHeaders(http2.HeadersFrameParam{StreamID: 1, BlockFragment: h.head(watch)}); err != nil {
					return err
				}
			}
			return h.WriteContinuation(1, false, nil)
		})},
		{"large continuations without an end", []string{"protocol"}, false, flood("sent 16 KiB of a header", time.Millisecond, func(h *hostile) error {
			if h.stream == 1 {
				h.stream = 3
				block := append(h.head(watch), 0x00, 0x01, 'x', 0x7f, 0xff, 0xff, 0xff, 0x03) // a field "x" of 8 MiB begins
				if err := h.WriteHeaders(http2.HeadersFrameParam{StreamID: 1, BlockFragment: block}); err != nil {
					return err
				}
			}
			return h.WriteContinuation(1, false, bytes.Repeat([]byte{'a'}, 16_384))
		})},
		{"a bomb of headers", []string{"http_head"}, false, bomb},
		{"pings (CVE-2019-9512)", []string{"pings"}, false, flood("sent a ping", 100*time.Microsecond, func(h *hostile) error {
			return h.WritePing(false, [8]byte{1})
		})},
		{"settings (CVE-2019-9515)", []string{"settings"}, false, flood("sent settings", 100*time.Microsecond, func(h *hostile) error {
			return h.WriteSettings()
		})},
		{"empty data (CVE-2019-9518)", []string{"flood"}, false, flood("sent nothing", 100*time.Microsecond, func(h *hostile) error {
			if h.stream == 1 {
				if _, err := h.call(watch); err != nil {
					return err
				}
			}
			return h.WriteData(1, false, nil)
		})},
		{"frames of no known kind, priorities, windows", nil, false, flood("sent three frames that change nothing", 200*time.Microsecond, func(h *hostile) error {
			h.window++
			return errors.Join(h.WriteRawFrame(0xbe, 0, 0, make([]byte, 64)), h.WritePriority(3, http2.PriorityParam{StreamDep: 1, Weight: 9}),
				h.WriteWindowUpdate(0, 1))
		})},
		{"windows of one byte, and large answers", []string{"owed_bytes"}, true, tinyWindows},
		{"messages of 4 GiB, and bombs of gzip", []string{"message_too_large"}, false, tooLarge},
		{"wrong passwords", []string{"passwords"}, false, wrongPasswords},
		{"bodies without measure", []string{"http_body", "gateway_body"}, false, bodies},
		{"heads without measure", []string{"http_head"}, false, heads},
		{"foreign hosts and pages", []string{"host"}, false, foreignHosts},
		// Last: until their time is over, nobody else may connect who has not.
		{"silent connections, half a preface, half a head", []string{"handshakes"}, true, silence},
		{"silent and half handshakes", []string{"handshakes"}, true, halfHandshakes},
	}
}

// kept are connections that are left open, to be found closed at the end.
var kept struct {
	sync.Mutex
	conns []net.Conn
}

func keep(conn net.Conn) {
	kept.Lock()
	defer kept.Unlock()
	kept.conns = append(kept.conns, conn)
}

// stillSilent fails if a connection that said nothing is still open when its time must be over.
func stillSilent() error {
	var open atomic.Int64
	var group sync.WaitGroup
	for _, conn := range kept.conns {
		group.Go(func() {
			defer conn.Close()
			conn.SetReadDeadline(time.Now().Add(15 * time.Second))
			if _, err := io.Copy(io.Discard, conn); err != nil {
				if timeout, is := errors.AsType[net.Error](err); is && timeout.Timeout() {
					open.Add(1)
				}
			}
		})
	}
	group.Wait()
	if open.Load() > 0 {
		return fmt.Errorf("%d of %d are open", open.Load(), len(kept.conns))
	}
	return nil
}

// leave opens connections from one address, more than one may have, says something on each, and leaves them.
func leave(ctx context.Context, t *target, to string, count int, parts ...[]byte) (string, error) {
	from := t.address()
	opened := 0
	for n := range count {
		if ctx.Err() != nil {
			break
		}
		conn, err := t.dial(ctx, from, to)
		if err != nil {
			if ctx.Err() == nil {
				return "", err
			}
			break
		}
		opened++
		keep(conn)
		if part := parts[n%len(parts)]; part != nil {
			conn.Write(part)
		}
	}
	<-ctx.Done()
	return fmt.Sprintf("%d connections", opened), nil
}

func silence(ctx context.Context, t *target) (string, error) {
	return leave(ctx, t, t.Address, 1_200, nil, []byte(http2.ClientPreface[:10]), []byte("GET / HTTP/1.1\r\nHos"))
}

func halfHandshakes(ctx context.Context, t *target) (string, error) {
	hello := append([]byte{0x16, 0x03, 0x01, 0x02, 0x00, 0x01, 0x00, 0x01, 0xfc, 0x03, 0x03}, make([]byte, 40)...)
	return leave(ctx, t, t.Encrypted, 1_200, nil, []byte{0x16}, hello)
}

// bomb sends a few bytes that stand for a header list of megabytes: one field of the table, over and over.
func bomb(ctx context.Context, t *target) (string, error) {
	cookie := hpack.HeaderField{Name: "x-cookie", Value: strings.Repeat("c", 3_900)}
	return flood("sent 15 KiB for 60 MiB of headers", 2*time.Millisecond, func(h *hostile) error {
		id := h.stream
		h.stream += 2
		block := append(h.head(watch, cookie), bytes.Repeat([]byte{0x80 | 62}, 15_000)...) // 62: what came last into the table
		return h.WriteHeaders(http2.HeadersFrameParam{StreamID: id, BlockFragment: block[:min(len(block), 16_000)], EndHeaders: true, EndStream: true})
	})(ctx, t)
}

// framed is a message of gRPC.
func framed(message proto.Message) []byte {
	body, err := proto.Marshal(message)
	if err != nil {
		panic(err) // a value of our own that cannot fail
	}
	return append(binary.BigEndian.AppendUint32([]byte{0}, uint32(len(body))), body...)
}

// tinyWindows asks for half a megabyte a hundred times on each of some connections, and takes one byte of each answer.
func tinyWindows(ctx context.Context, t *target) (string, error) {
	from := t.address()
	asked := 0
	for range 20 {
		h, err := t.open(ctx, from, http2.Setting{ID: http2.SettingInitialWindowSize, Val: 1})
		if err != nil {
			if ctx.Err() != nil {
				break
			}
			return "", err
		}
		defer h.Close()
		for n := 0; n < 100 && ctx.Err() == nil; n++ {
			id, err := h.call(get, hpack.HeaderField{Name: "token", Value: t.Token})
			if err == nil {
				err = h.WriteData(id, true, framed(&pb.RangeRequest{Key: fmt.Appendf(nil, "large/%d", n%largeKeys)}))
			}
			if err != nil {
				return "", err
			}
			asked++
		}
	}
	<-ctx.Done()
	return fmt.Sprintf("%d answers of 512 KiB not taken", asked), nil
}

// tooLarge announces messages of 4 GiB, and packs 64 MiB into some KiB.
func tooLarge(ctx context.Context, t *target) (string, error) {
	var packed bytes.Buffer
	w := gzip.NewWriter(&packed)
	w.Write(make([]byte, 64<<20))
	w.Close()
	bomb := append(binary.BigEndian.AppendUint32([]byte{1}, uint32(packed.Len())), packed.Bytes()...)
	return flood("announced 4 GiB, and sent 64 MiB in "+fmt.Sprint(packed.Len()>>10)+" KiB", 20*time.Millisecond, func(h *hostile) error {
		id, err := h.call(get)
		if err == nil {
			err = h.WriteData(id, true, []byte{0, 0xff, 0xff, 0xff, 0xff})
		}
		if err != nil {
			return err
		}
		if id, err = h.call(get, hpack.HeaderField{Name: "grpc-encoding", Value: "gzip"}); err != nil {
			return err
		}
		for part := bomb; ; part = part[16_384:] {
			if len(part) <= 16_384 {
				return h.WriteData(id, true, part)
			}
			if err := h.WriteData(id, false, part[:16_384]); err != nil {
				return err
			}
		}
	})(ctx, t)
}

// wrongPasswords logs in with wrong ones, and with users that nobody knows, 200 at once.
func wrongPasswords(ctx context.Context, t *target) (string, error) {
	var wrong, busy atomic.Int64
	var mutex sync.Mutex
	var failed error
	var group sync.WaitGroup
	auth := pb.NewAuthClient(t.conn)
	for worker := range 200 {
		group.Go(func() {
			for n := 0; ctx.Err() == nil; n++ {
				request := &pb.AuthenticateRequest{Name: "root", Password: fmt.Sprint("guess ", worker, n)}
				if worker%20 == 0 {
					request.Name = strings.Repeat("x", 64<<10)
				}
				_, err := auth.Authenticate(ctx, request)
				switch {
				case ctx.Err() != nil:
					return
				case err == nil:
					err = errors.New("a guess was right")
				case strings.Contains(err.Error(), "too many requests"):
					busy.Add(1)
					err = nil
				case status.Code(err) == codes.InvalidArgument || status.Code(err) == codes.Unavailable:
					wrong.Add(1)
					err = nil
				}
				if err != nil {
					mutex.Lock()
					failed = err
					mutex.Unlock()
					return
				}
				time.Sleep(5 * time.Millisecond)
			}
		})
	}
	group.Wait()
	return fmt.Sprintf("%d wrong, %d turned away", wrong.Load(), busy.Load()), failed
}

// endless is a body that has no end; who sends it sees how much was taken.
type endless struct{ taken *atomic.Int64 }

func (e endless) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = 'a'
	}
	e.taken.Add(int64(len(p)))
	return len(p), nil
}

// bodiesTo are all kinds of paths that HTTP has.
var bodiesTo = []string{"/v3/kv/put", "/v3/kv/txn", "/v3/auth/authenticate", "/v3/none", "/health", "/livez", "/readyz", "/metrics", "/version",
	"/debug/vars", "/none", "/v3/lease/keepalive", "/v3/watch"}

// bodies sends 64 MiB to every path, with a length and without: as one text that does not end, and as a length that is told.
func bodies(ctx context.Context, t *target) (string, error) {
	const bodyBytes = 64 << 20
	var taken atomic.Int64
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	var answered atomic.Int64
	var mutex sync.Mutex
	var failed error
	var group sync.WaitGroup
	for _, path := range bodiesTo {
		for _, length := range []int64{-1, bodyBytes} {
			group.Go(func() {
				for once := true; once || ctx.Err() == nil; once = false {
					body := io.MultiReader(strings.NewReader(`{"key":"`), io.LimitReader(endless{&taken}, bodyBytes-8))
					n, err := sendBody(context.WithoutCancel(ctx), client, t.Client+path, body, length)
					answered.Add(int64(n))
					if err != nil {
						mutex.Lock()
						failed = err
						mutex.Unlock()
						return
					}
				}
			})
		}
	}
	group.Wait()
	asked := answered.Load()
	if failed != nil || asked == 0 {
		return "", errors.Join(failed, errors.New("some were not answered"))
	}
	return fmt.Sprintf("%d answered, %d MiB of them taken", asked, taken.Load()>>20), nil
}

// sendBody sends it, for a second at most, and says how many answers came: one, or none if it was cut off before its end.
func sendBody(ctx context.Context, client *http.Client, url string, body io.Reader, length int64) (int, error) {
	ctx, cancel := context.WithTimeout(ctx, time.Second)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, url, body)
	if err != nil {
		return 0, err
	}
	request.ContentLength = length
	response, err := client.Do(request)
	if err != nil {
		return 0, nil
	}
	defer response.Body.Close()
	io.Copy(io.Discard, io.LimitReader(response.Body, 1<<20))
	if response.StatusCode == http.StatusInternalServerError {
		return 0, fmt.Errorf("%s: status %d", url, response.StatusCode)
	}
	return 1, nil
}

// heads sends lines and fields that are too long.
func heads(ctx context.Context, t *target) (string, error) {
	from := t.address()
	sent := 0
	for ctx.Err() == nil {
		for _, head := range []string{"GET /" + strings.Repeat("a", 1<<20) + " HTTP/1.1\r\nHost: a\r\n\r\n",
			"GET / HTTP/1.1\r\nHost: a\r\nX: " + strings.Repeat("a", 1<<20) + "\r\n\r\n",
			"GET / HTTP/1.1\r\nHost: a\r\n" + strings.Repeat("X: a\r\n", 100_000) + "\r\n"} {
			conn, err := t.dial(ctx, from, t.Address)
			if err != nil {
				break
			}
			conn.SetDeadline(time.Now().Add(patience))
			conn.Write([]byte(head))
			conn.Close()
			sent++
		}
		time.Sleep(5 * time.Millisecond)
	}
	return fmt.Sprintf("%d heads", sent), nil
}

// foreignHosts asks as a page in a browser would that has a name of its own for the server, and as one of another origin.
func foreignHosts(ctx context.Context, t *target) (string, error) {
	asked := 0
	for ctx.Err() == nil {
		for _, path := range bodiesTo {
			if path == "/v3/watch" {
				continue // who asks it for nothing is not answered
			}
			request, err := http.NewRequestWithContext(ctx, http.MethodPost, t.Client+path, strings.NewReader("{}"))
			if err != nil {
				return "", err
			}
			request.Host = "evil.example"
			status, _, err := sent(request)
			if err == nil && status != http.StatusMisdirectedRequest {
				return "", fmt.Errorf("%s for another host: status %d", path, status)
			}
			request = request.Clone(ctx)
			request.Host, request.Body = "", io.NopCloser(strings.NewReader("{}"))
			request.Header.Set("Origin", "http://evil.example")
			_, header, err := sent(request)
			if err == nil && header.Get("Access-Control-Allow-Origin") != "" {
				return "", fmt.Errorf("%s for a page of another origin: it may read", path)
			}
			asked += 2
		}
		time.Sleep(5 * time.Millisecond)
	}
	return fmt.Sprintf("%d requests", asked), nil
}

func sent(request *http.Request) (int, http.Header, error) {
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return 0, nil, err
	}
	defer response.Body.Close()
	return response.StatusCode, response.Header, nil
}
