package load

import (
	"bufio"
	"bytes"
	"cmp"
	"crypto/tls"
	"encoding/binary"
	"io"
	"net"
	"slices"
	"time"

	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"
)

// Trivial is a server that knows one answer to everything. What a load costs with nothing behind it is measured with it,
// and tests let it misbehave.
type Trivial struct {
	Answer     []byte
	FrameBytes int // of the answer, in a frame at most; 0 is all that HTTP/2 allows
	// WindowBytes is how much of requests may be ahead of the server on a connection; 0 is as good as without limit.
	WindowBytes int
	// Faulty says of the n-th call of a connection, from 1, what grpc-status it ends with, and how long nothing is answered
	// on that connection before. Nil is OK, at once.
	Faulty func(n int) (status string, stall time.Duration)
	// TLS, if there is to be any.
	TLS *tls.Config

	listener net.Listener
}

// Listen starts it on a free loopback port, and returns its address.
func (t *Trivial) Listen() (string, error) {
	listener, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	t.listener = listener
	if t.TLS != nil {
		t.listener = tls.NewListener(listener, t.TLS)
	}
	go func() {
		for {
			socket, err := t.listener.Accept()
			if err != nil {
				return
			}
			go t.serve(socket)
		}
	}()
	return listener.Addr().String(), nil
}

// Close lets nobody in any more.
func (t *Trivial) Close() { t.listener.Close() }

// serve answers what has arrived in one write, like the servers under trial.
func (t *Trivial) serve(socket net.Conn) {
	defer socket.Close()
	in := bufio.NewReaderSize(socket, 64<<10)
	if _, err := io.ReadFull(in, make([]byte, len(http2.ClientPreface))); err != nil {
		return
	}
	out := bufio.NewWriterSize(socket, 256<<10)
	framer := http2.NewFramer(out, in)
	framer.SetReuseFrames()
	answer := append(binary.BigEndian.AppendUint32([]byte{0}, uint32(len(t.Answer))), t.Answer...)
	head, trailers := fields(":status", "200", "content-type", "application/grpc"), fields("grpc-status", "0")
	grantAt := uint32(1)
	framer.WriteSettings(http2.Setting{ID: http2.SettingInitialWindowSize, Val: cmp.Or(uint32(t.WindowBytes), 1<<30)})
	if t.WindowBytes == 0 {
		framer.WriteWindowUpdate(0, 1<<30)
		grantAt = 1 << 29
	}
	out.Flush()
	frameBytes := cmp.Or(t.FrameBytes, 16<<10)
	calls, taken := 0, uint32(0)
	for {
		frame, err := framer.ReadFrame()
		if err != nil {
			return
		}
		if frame.Header().Type == http2.FrameData {
			taken += frame.Header().Length
		}
		if data, is := frame.(*http2.DataFrame); is && data.StreamEnded() {
			calls++
			last := trailers
			if t.Faulty != nil {
				status, stall := t.Faulty(calls)
				time.Sleep(stall)
				last = fields("grpc-status", status)
			}
			framer.WriteHeaders(http2.HeadersFrameParam{StreamID: data.StreamID, BlockFragment: head, EndHeaders: true})
			for part := range slices.Chunk(answer, frameBytes) {
				framer.WriteData(data.StreamID, false, part)
			}
			framer.WriteHeaders(http2.HeadersFrameParam{StreamID: data.StreamID, BlockFragment: last, EndHeaders: true, EndStream: true})
		}
		if settings, is := frame.(*http2.SettingsFrame); is && !settings.IsAck() {
			framer.WriteSettingsAck()
		}
		if taken >= grantAt {
			framer.WriteWindowUpdate(0, taken)
			taken = 0
		}
		if in.Buffered() == 0 && out.Flush() != nil {
			return
		}
	}
}

// fields encodes names and values so that no table is needed.
func fields(pairs ...string) []byte {
	var block bytes.Buffer
	encoder := hpack.NewEncoder(&block)
	encoder.SetMaxDynamicTableSize(0)
	for i := 0; i < len(pairs); i += 2 {
		encoder.WriteField(hpack.HeaderField{Name: pairs[i], Value: pairs[i+1], Sensitive: true})
	}
	return block.Bytes()
}
