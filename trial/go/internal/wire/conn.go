package wire

import (
	"crypto/tls"
	"encoding/binary"
	"errors"
	"fmt"
	"os"

	"golang.org/x/net/http2"
	"golang.org/x/sys/unix"
)

const (
	frameHeadBytes   = 9
	frameBytesMax    = 16 << 10 // what every peer takes, and what we announce
	messageHeadBytes = 5        // gRPC's: compressed or not, and the length
	messageBytesMax  = 1 << 30
	defaultWindow    = 65_535 // HTTP/2's, before anybody has said anything else
	windowMax        = 1<<31 - 1
)

// Options of a connection.
type Options struct {
	// Window is how much the server may send ahead on the connection, and on each of its streams. 0 is 1 GiB: as good as
	// without limit. It is given anew when half is used up, unless the connection is held.
	Window int
	// Held connections give no window anew: the server meets a reader that has stopped. Release lets it read on.
	Held bool
	// TLS, if there is to be any: whom to trust, and what to show.
	TLS *tls.Config
	// Token says, with each call, who asks.
	Token string
}

// Handler hears what comes back on a stream.
type Handler interface {
	// Message brings a whole message. It is valid until the handler returns.
	Message(s *Stream, message []byte, now int64)
	// End is the last word: nil for gRPC's OK, or what else it was.
	End(s *Stream, err error, now int64)
}

// Stream is one call. Whoever opens it may set its fields, and use it again after its end.
type Stream struct {
	Handler Handler
	Slot    int   // whatever it is to its opener
	Due     int64 // when it should have been sent, to its opener

	conn     *Conn
	id       uint32
	window   int64  // what the server lets us send
	taken    int64  // what it sent since we gave a window anew
	gathered []byte // of a message that has come in parts
	answered bool   // its head has come
}

// Conn is the connection of the call, or of the last.
func (s *Stream) Conn() *Conn { return s.conn }

// Conn is one connection to a server.
type Conn struct {
	loop    *Loop
	fd      int
	secured *secured // nil: in plain
	address string
	options Options

	output   []byte // to be written
	written  int    // of it
	touched  bool
	blocked  bool // the kernel takes no more for now
	leftover []byte

	heads   headEncoder
	answers headReader
	streams map[uint32]*Stream
	nextID  uint32

	window       int64 // what the server lets us send on the whole connection
	streamWindow int64 // and on a new stream
	streamsMax   uint32
	settled      bool      // the server's settings have come
	waiting      []waiting // for a window, in their order
	taken        int64     // what it sent since we gave a window anew
}

// waiting is a message that no window has room for yet.
type waiting struct {
	stream  *Stream
	message []byte
	last    bool
}

func newConn(l *Loop, fd int, secured *secured, address string, options Options) *Conn {
	if options.Window == 0 {
		options.Window = 1 << 30
	}
	c := &Conn{loop: l, fd: fd, secured: secured, address: address, options: options, streams: map[uint32]*Stream{}, nextID: 1,
		window: defaultWindow, streamWindow: defaultWindow, streamsMax: windowMax}
	c.heads.init(address, options)
	c.answers.init()
	c.output = append(c.output, http2.ClientPreface...)
	c.frame(http2.FrameSettings, 0, 0, 12)
	c.setting(http2.SettingEnablePush, 0)
	c.setting(http2.SettingInitialWindowSize, uint32(options.Window))
	if more := options.Window - defaultWindow; more > 0 {
		c.grant(0, int64(more))
	}
	return c
}

// Close ends the connection at once. Streams that are under way hear nothing more.
func (c *Conn) Close() {
	if c.fd < 0 {
		return
	}
	unix.Close(c.fd)
	delete(c.loop.conns, int32(c.fd))
	c.fd = -1
}

func (c *Conn) fail(err error) {
	if err == nil || c.fd < 0 {
		return
	}
	if c.loop.broken == nil {
		c.loop.broken = fmt.Errorf("connection to %s: %w", c.address, err)
	}
	c.Close()
}

// Open begins a call on this connection, with nothing but its head. It fails if the server allows no further one.
func (c *Conn) Open(s *Stream, path string) error {
	if uint32(len(c.streams)) >= c.streamsMax {
		return fmt.Errorf("the server allows %d streams on a connection", c.streamsMax)
	}
	s.conn, s.id, s.window, s.taken, s.answered = c, c.nextID, c.streamWindow, 0, false
	s.gathered = s.gathered[:0]
	c.nextID += 2
	c.streams[s.id] = s
	head := c.heads.encode(path)
	c.frame(http2.FrameHeaders, http2.FlagHeadersEndHeaders, s.id, len(head))
	c.output = append(c.output, head...)
	c.loop.touch(c)
	return nil
}

// Send sends a message on a stream, as soon as the server's windows have room for it; the last one closes our side.
func (s *Stream) Send(message []byte, last bool) {
	c := s.conn
	if len(c.waiting) > 0 || !c.room(s, len(message)) {
		c.waiting = append(c.waiting, waiting{s, append([]byte(nil), message...), last})
		return
	}
	c.send(s, message, last)
}

func (c *Conn) room(s *Stream, messageBytes int) bool {
	return int64(messageBytes+messageHeadBytes) <= min(c.window, s.window)
}

func (c *Conn) send(s *Stream, message []byte, last bool) {
	whole := len(message) + messageHeadBytes
	c.window -= int64(whole)
	s.window -= int64(whole)
	flags := func(rest int) http2.Flags {
		if last && rest == 0 {
			return http2.FlagDataEndStream
		}
		return 0
	}
	first := min(whole, frameBytesMax)
	c.frame(http2.FrameData, flags(whole-first), s.id, first)
	c.output = append(c.output, 0)
	c.output = binary.BigEndian.AppendUint32(c.output, uint32(len(message)))
	c.output = append(c.output, message[:first-messageHeadBytes]...)
	for message = message[first-messageHeadBytes:]; len(message) > 0; {
		part := min(len(message), frameBytesMax)
		c.frame(http2.FrameData, flags(len(message)-part), s.id, part)
		c.output = append(c.output, message[:part]...)
		message = message[part:]
	}
	c.loop.touch(c)
}

// sendWaiting sends what has room by now.
func (c *Conn) sendWaiting() {
	sent := 0
	for _, w := range c.waiting {
		if !c.room(w.stream, len(w.message)) {
			break
		}
		c.send(w.stream, w.message, w.last)
		sent++
	}
	c.waiting = append(c.waiting[:0], c.waiting[sent:]...)
}

// Release lets a held connection read on, from then on like any other.
func (c *Conn) Release() {
	c.options = Options{Window: 1 << 30}
	c.grant(0, windowMax/2)
	for id := range c.streams {
		c.grant(id, windowMax/2)
	}
	c.taken = 0
	c.loop.touch(c)
}

// grant gives window to the server: of a stream, or, with 0, of the connection.
func (c *Conn) grant(stream uint32, bytes int64) {
	c.frame(http2.FrameWindowUpdate, 0, stream, 4)
	c.output = binary.BigEndian.AppendUint32(c.output, uint32(bytes))
}

func (c *Conn) setting(id http2.SettingID, value uint32) {
	c.output = binary.BigEndian.AppendUint16(c.output, uint16(id))
	c.output = binary.BigEndian.AppendUint32(c.output, value)
}

// frame writes the head of a frame.
func (c *Conn) frame(kind http2.FrameType, flags http2.Flags, stream uint32, length int) {
	c.output = append(c.output, byte(length>>16), byte(length>>8), byte(length), byte(kind), byte(flags))
	c.output = binary.BigEndian.AppendUint32(c.output, stream)
}

// write gives the kernel what it takes.
func (c *Conn) write() error {
	output := &c.output
	if c.secured != nil {
		if _, err := c.secured.Write(c.output); err != nil {
			return err
		}
		c.output, output = c.output[:0], &c.secured.output
	}
	for c.fd >= 0 && c.written < len(*output) {
		n, err := unix.Write(c.fd, (*output)[c.written:])
		if errors.Is(err, unix.EAGAIN) {
			return c.watch(true)
		}
		if errors.Is(err, unix.EINTR) {
			continue
		}
		if err != nil {
			return err
		}
		c.written += n
	}
	*output, c.written = (*output)[:0], 0
	return c.watch(false)
}

// watch tells epoll whether to say when the kernel takes more.
func (c *Conn) watch(blocked bool) error {
	if c.blocked == blocked || c.fd < 0 {
		return nil
	}
	c.blocked = blocked
	event := unix.EpollEvent{Events: unix.EPOLLIN, Fd: int32(c.fd)}
	if blocked {
		event.Events |= unix.EPOLLOUT
	}
	return unix.EpollCtl(c.loop.epoll, unix.EPOLL_CTL_MOD, c.fd, &event)
}

// read takes what has arrived, as far as it fits. Epoll says it again if there is more: a server that sends faster than
// this would otherwise keep everybody else waiting, and the timetable.
func (c *Conn) read() error {
	if c.secured == nil {
		_, err := c.takeFrom(func(into []byte) (int, error) { return receive(c.fd, into) })
		return err
	}
	n, err := receive(c.fd, c.loop.records)
	c.secured.input = c.loop.records[:n]
	for n = 1; n > 0 && err == nil && c.fd >= 0; {
		n, err = c.takeFrom(c.secured.Read) // a record at most
	}
	return err
}

// takeFrom reads once, after what was left over, and takes the frames that are whole by then. It returns how much was read.
func (c *Conn) takeFrom(read func(into []byte) (int, error)) (int, error) {
	input := c.loop.input
	kept := copy(input, c.leftover)
	n, err := read(input[kept:])
	if n == 0 || err != nil {
		if errors.Is(err, os.ErrDeadlineExceeded) {
			err = nil
		}
		return 0, err
	}
	rest, err := c.frames(input[:kept+n], c.loop.Now())
	c.leftover = append(c.leftover[:0], rest...)
	return n, err
}

// receive reads what has arrived on a socket, which may be nothing.
func receive(fd int, into []byte) (int, error) {
	n, err := unix.Read(fd, into)
	switch {
	case errors.Is(err, unix.EAGAIN), errors.Is(err, unix.EINTR):
		return 0, nil
	case err != nil:
		return 0, err
	case n == 0:
		return 0, errors.New("the server has closed it")
	}
	return n, nil
}

// frames takes the whole frames from the input, and returns what is left.
func (c *Conn) frames(input []byte, now int64) ([]byte, error) {
	for len(input) >= frameHeadBytes && c.fd >= 0 {
		length := int(input[0])<<16 | int(input[1])<<8 | int(input[2])
		if length > frameBytesMax {
			return nil, fmt.Errorf("a frame of %d bytes: we have allowed %d", length, frameBytesMax)
		}
		if len(input) < frameHeadBytes+length {
			break
		}
		kind, flags := http2.FrameType(input[3]), http2.Flags(input[4])
		stream := binary.BigEndian.Uint32(input[5:]) & (1<<31 - 1)
		if err := c.take(kind, flags, stream, input[frameHeadBytes:frameHeadBytes+length], now); err != nil {
			return nil, err
		}
		input = input[frameHeadBytes+length:]
	}
	return input, nil
}

func (c *Conn) take(kind http2.FrameType, flags http2.Flags, id uint32, payload []byte, now int64) error {
	switch kind {
	case http2.FrameData:
		return c.takeData(flags, id, payload, now)
	case http2.FrameHeaders:
		return c.takeHead(flags, id, payload, now)
	case http2.FrameRSTStream:
		if s, known := c.streams[id]; known && len(payload) == 4 {
			c.end(s, fmt.Errorf("reset by the server: %v", http2.ErrCode(binary.BigEndian.Uint32(payload))), now)
		}
	case http2.FrameSettings:
		if !flags.Has(http2.FlagSettingsAck) {
			return c.takeSettings(payload)
		}
	case http2.FramePing:
		if !flags.Has(http2.FlagPingAck) {
			c.frame(http2.FramePing, http2.FlagPingAck, 0, len(payload))
			c.output = append(c.output, payload...)
			c.loop.touch(c)
		}
	case http2.FrameGoAway:
		return fmt.Errorf("the server says GOAWAY: %q", payload[min(8, len(payload)):])
	case http2.FrameWindowUpdate:
		if len(payload) != 4 {
			return errors.New("a WINDOW_UPDATE that is none")
		}
		more := int64(binary.BigEndian.Uint32(payload) & (1<<31 - 1))
		if s, known := c.streams[id]; known {
			s.window += more
		} else if id == 0 {
			c.window += more
		}
		c.sendWaiting()
	case http2.FramePriority:
	default:
		return fmt.Errorf("a frame %v, which no gRPC server has to send", kind)
	}
	return nil
}

func (c *Conn) takeSettings(payload []byte) error {
	for ; len(payload) >= 6; payload = payload[6:] {
		value := binary.BigEndian.Uint32(payload[2:])
		switch http2.SettingID(binary.BigEndian.Uint16(payload)) {
		case http2.SettingInitialWindowSize:
			for _, s := range c.streams {
				s.window += int64(value) - c.streamWindow
			}
			c.streamWindow = int64(value)
		case http2.SettingMaxConcurrentStreams:
			c.streamsMax = value
		case http2.SettingHeaderTableSize:
			c.heads.limit(value)
		}
	}
	c.settled = true
	c.frame(http2.FrameSettings, http2.FlagSettingsAck, 0, 0)
	c.loop.touch(c)
	c.sendWaiting()
	return nil
}

func (c *Conn) takeHead(flags http2.Flags, id uint32, payload []byte, now int64) error {
	if !flags.Has(http2.FlagHeadersEndHeaders) || flags.Has(http2.FlagHeadersPadded) || flags.Has(http2.FlagHeadersPriority) {
		return fmt.Errorf("a head with flags %#x, which is not provided for", flags)
	}
	head, err := c.answers.read(payload)
	if err != nil {
		return err
	}
	s, known := c.streams[id]
	if !known {
		return nil
	}
	isFirst := !s.answered
	s.answered = true // before the end: its handler may use the stream again
	switch {
	case isFirst && head.httpStatus != "200":
		c.end(s, fmt.Errorf("HTTP status %q", head.httpStatus), now)
	case flags.Has(http2.FlagHeadersEndStream):
		c.end(s, head.outcome(len(s.gathered)), now)
	}
	return nil
}

func (c *Conn) takeData(flags http2.Flags, id uint32, payload []byte, now int64) error {
	if flags.Has(http2.FlagDataPadded) {
		return errors.New("padded data, which is not provided for")
	}
	c.taken += int64(len(payload))
	if !c.options.Held && c.taken >= int64(c.options.Window/2) {
		c.grant(0, c.taken)
		c.taken = 0
		c.loop.touch(c)
	}
	s, known := c.streams[id]
	if !known {
		return nil
	}
	if s.taken += int64(len(payload)); !c.options.Held && s.taken >= int64(c.options.Window/2) {
		c.grant(id, s.taken)
		s.taken = 0
		c.loop.touch(c)
	}
	if err := s.take(payload, now); err != nil {
		return err
	}
	if flags.Has(http2.FlagDataEndStream) {
		c.end(s, errors.New("the stream ended without trailers"), now)
	}
	return nil
}

// take cuts messages out of the bytes of a stream. Only what comes in parts is copied.
func (s *Stream) take(payload []byte, now int64) error {
	if len(s.gathered) > 0 {
		s.gathered = append(s.gathered, payload...)
		rest, err := s.messages(s.gathered, now)
		if err != nil {
			return err
		}
		s.gathered = s.gathered[:copy(s.gathered, rest)]
		return nil
	}
	rest, err := s.messages(payload, now)
	s.gathered = append(s.gathered, rest...)
	return err
}

func (s *Stream) messages(data []byte, now int64) ([]byte, error) {
	for len(data) >= messageHeadBytes {
		length := int(binary.BigEndian.Uint32(data[1:]))
		if data[0] != 0 || length > messageBytesMax {
			return nil, fmt.Errorf("a message with flag %d and %d bytes", data[0], length)
		}
		if len(data) < messageHeadBytes+length {
			break
		}
		s.Handler.Message(s, data[messageHeadBytes:messageHeadBytes+length], now)
		data = data[messageHeadBytes+length:]
	}
	return data, nil
}

func (c *Conn) end(s *Stream, err error, now int64) {
	delete(c.streams, s.id)
	s.Handler.End(s, err, now)
}
