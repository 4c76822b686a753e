package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"syscall"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"quoin.dev/trial/internal/process"
)

const (
	// These are told in the place of a drill's number: whether the silent connections were closed, and a drill that another server is
	// the target of.
	silenceEnds = -1
	elsewhere   = -2
	endIsNear   = 50 * time.Millisecond // a dialler gives up a moment before its context does
)

// target is a server as those see it who attack it.
type target struct {
	Client    string // its URL without TLS
	Address   string // of the same listener
	Encrypted string // address of the listener with TLS
	Token     string // of a user
	Length    time.Duration

	conn      *grpc.ClientConn
	addresses int // that attackers had so far
}

// attackers are a process of their own, of the lowest priority: they have what is left of the processors. In the field they have some of
// their own; with those of the server and of its healthy client they would slow these down whatever the server does.
type attackers struct {
	command *exec.Cmd
	told    *json.Encoder
	answers *json.Decoder
}

// attacked is what came of a drill.
type attacked struct {
	Words string
	Err   string
}

func startAttackers(ctx context.Context, t *target) (*attackers, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	command := exec.CommandContext(ctx, "nice", "-n", "19", self, "--attack")
	command.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	command.Stderr = os.Stderr
	in, err := command.StdinPipe()
	if err != nil {
		return nil, err
	}
	out, err := command.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := command.Start(); err != nil {
		return nil, err
	}
	a := &attackers{command: command, told: json.NewEncoder(in), answers: json.NewDecoder(out)}
	return a, a.told.Encode(t)
}

// do has them do a drill, and says what came of it.
func (a *attackers) do(number int) (string, error) {
	var did attacked
	if err := errors.Join(a.told.Encode(number), a.answers.Decode(&did)); err != nil {
		return "", fmt.Errorf("who attacks has ended: %w", err)
	}
	if did.Err != "" {
		return did.Words, errors.New(did.Err)
	}
	return did.Words, nil
}

func (a *attackers) close() {
	a.command.Process.Kill()
	a.command.Wait() // It was killed.
}

// attackAsTold is the main function of the attackers' process.
func attackAsTold() int {
	told := json.NewDecoder(bufio.NewReader(os.Stdin))
	answers := json.NewEncoder(os.Stdout)
	t := &target{}
	err := told.Decode(t)
	if err == nil {
		t.conn, err = process.Dial(t.Address)
	}
	for err == nil {
		var number int
		if err = told.Decode(&number); err == nil {
			err = answers.Encode(t.attack(number))
		}
	}
	if errors.Is(err, io.EOF) {
		return 0
	}
	fmt.Fprintln(os.Stderr, "hostilecheck: who attacks:", err)
	return 1
}

func (t *target) attack(number int) attacked {
	if number == silenceEnds {
		return attacked{Err: text(stillSilent())}
	}
	drilling, cancel := context.WithTimeout(context.Background(), t.Length)
	defer cancel()
	if number == elsewhere {
		words, err := bodiesElsewhere(drilling, t)
		return attacked{Words: words, Err: text(err)}
	}
	words, err := drills()[number].do(drilling, t)
	end, _ := drilling.Deadline()
	if timeout, is := errors.AsType[net.Error](err); time.Until(end) < endIsNear && (is && timeout.Timeout() || status.Code(err) == codes.DeadlineExceeded) {
		err = nil // The drill was over while something was being opened or asked.
	}
	return attacked{Words: words, Err: text(err)}
}

// bodiesElsewhere sends bodies without measure to a server in this very process, which refuses them unread. What a healthy client of
// the other server waits for meanwhile is no doing of that one's.
func bodiesElsewhere(ctx context.Context, t *target) (string, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	refuse := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Connection", "close")
		w.WriteHeader(http.StatusRequestEntityTooLarge)
	})}
	go refuse.Serve(listener) // It ends with the next line.
	defer refuse.Close()
	return bodies(ctx, &target{Client: "http://" + listener.Addr().String(), Length: t.Length})
}

func text(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

// dial connects from an address of its own: what one address may do must not count against the next drill, or the healthy.
func (t *target) dial(ctx context.Context, from net.IP, to string) (net.Conn, error) {
	dialer := net.Dialer{LocalAddr: &net.TCPAddr{IP: from}, Timeout: patience}
	return dialer.DialContext(ctx, "tcp", to)
}

// address is one of loopback that nobody has had.
func (t *target) address() net.IP {
	t.addresses++
	return net.IPv4(127, 0, byte(1+t.addresses/250), byte(1+t.addresses%250))
}

// drain reads until the other side ends it.
func drain(conn net.Conn) { io.Copy(io.Discard, conn) }
