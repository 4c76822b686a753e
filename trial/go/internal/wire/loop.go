// Package wire is a gRPC client for servers under load: HTTP/2 by hand, one thread, one epoll. What a request costs here is
// small beside what it costs a server, and is known: [Loop.CPU] is all of it.
//
// A [Loop] owns its connections, they own their streams, and everything belongs to the goroutine that calls [Loop.Turn].
// Handlers are called from there and may open, send and record, but not wait.
package wire

import (
	"errors"
	"fmt"
	"net/netip"
	"runtime"
	"time"

	"golang.org/x/sys/unix"
)

const (
	readBytes   = 256 << 10 // one read at most
	eventsMax   = 512       // of one turn
	connectWait = 10 * time.Second
)

// Loop drives connections. Times are nanoseconds since it was made.
type Loop struct {
	began   time.Time
	epoll   int
	timer   int
	armed   int64 // when the timer goes off; it may be earlier than anybody asks for by now
	conns   map[int32]*Conn
	events  []unix.EpollEvent
	input   []byte
	records []byte  // of TLS, while they are read
	touched []*Conn // have something to flush
	broken  error   // the first connection that failed
}

// NewLoop ties the calling goroutine to its thread until Close: so its processor time can be told.
func NewLoop() (*Loop, error) {
	epoll, err := unix.EpollCreate1(unix.EPOLL_CLOEXEC)
	if err != nil {
		return nil, err
	}
	timer, err := unix.TimerfdCreate(unix.CLOCK_MONOTONIC, unix.TFD_NONBLOCK|unix.TFD_CLOEXEC)
	if err != nil {
		unix.Close(epoll)
		return nil, err
	}
	event := unix.EpollEvent{Events: unix.EPOLLIN, Fd: int32(timer)}
	if err := unix.EpollCtl(epoll, unix.EPOLL_CTL_ADD, timer, &event); err != nil {
		return nil, errors.Join(err, unix.Close(timer), unix.Close(epoll))
	}
	runtime.LockOSThread()
	return &Loop{began: time.Now(), epoll: epoll, timer: timer, conns: map[int32]*Conn{},
		events: make([]unix.EpollEvent, eventsMax), input: make([]byte, readBytes), records: make([]byte, readBytes)}, nil
}

// Close closes all connections, at once and without a word: none is left behind in the kernel.
func (l *Loop) Close() {
	for _, c := range l.conns {
		c.Close()
	}
	unix.Close(l.timer)
	unix.Close(l.epoll)
	runtime.UnlockOSThread()
}

// Now is the time of this loop.
func (l *Loop) Now() int64 { return int64(time.Since(l.began)) }

// CPU is what the thread of the caller, who owns the loop, has used so far.
func (l *Loop) CPU() time.Duration {
	var used unix.Rusage
	if err := unix.Getrusage(unix.RUSAGE_THREAD, &used); err != nil {
		panic(err) // no kernel refuses this
	}
	return time.Duration(used.Utime.Nano() + used.Stime.Nano())
}

// Dial connects, with TLS if there is to be any, and says what an HTTP/2 client says first. Await waits for the server's answer to that.
func (l *Loop) Dial(address string, options Options) (*Conn, error) {
	target, err := netip.ParseAddrPort(address)
	if err != nil || !target.Addr().Is4() {
		return nil, fmt.Errorf("dial %s: not the form 127.0.0.1:2379", address)
	}
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil, err
	}
	c, err := l.open(fd, target, options)
	if err != nil {
		unix.Close(fd)
		return nil, fmt.Errorf("dial %s: %w", address, err)
	}
	l.conns[int32(fd)] = c
	l.touch(c)
	return c, nil
}

func (l *Loop) open(fd int, target netip.AddrPort, options Options) (*Conn, error) {
	wait := unix.NsecToTimeval(int64(connectWait))
	err := errors.Join(
		unix.SetsockoptTimeval(fd, unix.SOL_SOCKET, unix.SO_SNDTIMEO, &wait),
		unix.SetsockoptTimeval(fd, unix.SOL_SOCKET, unix.SO_RCVTIMEO, &wait),
		unix.SetsockoptInt(fd, unix.IPPROTO_TCP, unix.TCP_NODELAY, 1),
		unix.SetsockoptLinger(fd, unix.SOL_SOCKET, unix.SO_LINGER, &unix.Linger{Onoff: 1}),
		connect(fd, &unix.SockaddrInet4{Port: int(target.Port()), Addr: target.Addr().As4()}))
	if err != nil {
		return nil, err
	}
	var secured *secured
	if options.TLS != nil {
		if secured, err = secure(fd, target.Addr().String(), options.TLS); err != nil {
			return nil, err
		}
	}
	c := newConn(l, fd, secured, target.String(), options)
	return c, errors.Join(
		unix.SetNonblock(fd, true),
		unix.EpollCtl(l.epoll, unix.EPOLL_CTL_ADD, fd, &unix.EpollEvent{Events: unix.EPOLLIN, Fd: int32(fd)}))
}

// connect waits until the connection is there. A signal, such as those of Go's scheduler, ends the waiting, not the connecting.
func connect(fd int, to unix.Sockaddr) error {
	err := unix.Connect(fd, to)
	for errors.Is(err, unix.EINTR) {
		_, err = unix.Poll([]unix.PollFd{{Fd: int32(fd), Events: unix.POLLOUT}}, int(connectWait.Milliseconds()))
		if err == nil {
			failure, errAsking := unix.GetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_ERROR)
			if errAsking != nil || failure == 0 {
				return errAsking
			}
			return unix.Errno(failure)
		}
	}
	return err
}

// Await turns until all of the connections have the server's answer to what they said first.
func (l *Loop) Await(conns []*Conn, within time.Duration) error {
	until := l.Now() + int64(within)
	for _, c := range conns {
		for !c.settled {
			if l.Now() >= until {
				return fmt.Errorf("connection to %s: no SETTINGS within %v", c.address, within)
			}
			if err := l.Turn(until); err != nil {
				return err
			}
		}
	}
	return nil
}

// Turn sends what there is to send, waits until something arrives, but not beyond `until`, and hands that to the handlers.
// It fails once a connection has failed.
func (l *Loop) Turn(until int64) error {
	l.flush()
	if l.broken != nil {
		return l.broken
	}
	n, err := l.wait(until)
	if err != nil {
		return err
	}
	for _, event := range l.events[:n] {
		if event.Fd == int32(l.timer) {
			var expirations [8]byte
			unix.Read(l.timer, expirations[:])
			continue
		}
		c, alive := l.conns[event.Fd]
		if !alive {
			continue // a handler has closed it
		}
		if event.Events&unix.EPOLLOUT != 0 {
			l.touch(c)
		}
		if event.Events&^unix.EPOLLOUT != 0 {
			c.fail(c.read())
		}
	}
	l.flush()
	return l.broken
}

// wait waits for events. The timer is precise to microseconds, where epoll's own timeout is in milliseconds. It is not set
// anew as long as it goes off early enough: that would be a call to the kernel for each lone request.
func (l *Loop) wait(until int64) (int, error) {
	timeout := 0
	if now := l.Now(); until > now {
		if l.armed <= now || l.armed > until {
			spec := unix.ItimerSpec{Value: unix.NsecToTimespec(until - now)}
			if err := unix.TimerfdSettime(l.timer, 0, &spec, nil); err != nil {
				return 0, err
			}
			l.armed = until
		}
		timeout = -1
	}
	n, err := unix.EpollWait(l.epoll, l.events, timeout)
	if errors.Is(err, unix.EINTR) {
		return 0, nil
	}
	return n, err
}

func (l *Loop) touch(c *Conn) {
	if !c.touched {
		c.touched = true
		l.touched = append(l.touched, c)
	}
}

func (l *Loop) flush() {
	for _, c := range l.touched {
		c.touched = false
		c.fail(c.write())
	}
	l.touched = l.touched[:0]
}
