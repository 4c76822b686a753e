package wire

import (
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"os"
	"time"

	"golang.org/x/sys/unix"
)

// secured is TLS between a connection and its socket. The handshake waits. From then on nothing does: records to be sent are
// gathered until the connection is flushed, and where nothing more has arrived crypto/tls is told so by os.ErrDeadlineExceeded,
// after which it may be asked again.
type secured struct {
	*tls.Conn
	fd      int
	shaking bool   // the handshake is under way: reading and writing wait
	output  []byte // records to be sent
	input   []byte // records that have arrived
}

// secure makes the handshake, on a socket that waits.
func secure(fd int, host string, config *tls.Config) (*secured, error) {
	config = config.Clone()
	config.ServerName, config.NextProtos = host, []string{"h2"}
	s := &secured{fd: fd, shaking: true}
	s.Conn = tls.Client(transport{s}, config)
	if err := s.Handshake(); err != nil {
		return nil, fmt.Errorf("TLS: %w", err)
	}
	s.shaking = false
	return s, nil
}

// transport is the socket as crypto/tls sees it.
type transport struct{ *secured }

func (t transport) Read(into []byte) (int, error) {
	if t.shaking {
		return receive(t.fd, into)
	}
	if len(t.input) == 0 {
		return 0, os.ErrDeadlineExceeded
	}
	n := copy(into, t.input)
	t.input = t.input[n:]
	return n, nil
}

func (t transport) Write(records []byte) (int, error) {
	t.output = append(t.output, records...)
	for t.shaking && len(t.output) > 0 {
		n, err := unix.Write(t.fd, t.output)
		if err != nil && !errors.Is(err, unix.EINTR) {
			return 0, err
		}
		t.output = t.output[max(n, 0):]
	}
	return len(records), nil
}

func (transport) Close() error                     { return nil } // the socket is the connection's
func (transport) LocalAddr() net.Addr              { return nil }
func (transport) RemoteAddr() net.Addr             { return nil }
func (transport) SetDeadline(time.Time) error      { return nil }
func (transport) SetReadDeadline(time.Time) error  { return nil }
func (transport) SetWriteDeadline(time.Time) error { return nil }
