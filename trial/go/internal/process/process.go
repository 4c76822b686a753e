// Package process runs one server under trial as a process of its own: it fills in the command line, waits until the
// server answers, kills exactly the process it started, and reads what the kernel knows about it. Linux only.
package process

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	pb "go.etcd.io/etcd/api/v3/etcdserverpb"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
)

// Server is a command line with its own data directory and ports, which stay the same over restarts.
type Server struct {
	Places
	Dialling []grpc.DialOption // how it is asked whether it is ready, where that takes more than a plain connection

	command []string
	logPath string
	running *exec.Cmd
	ended   chan error // receives the result of Wait, once per start
}

// Places is what stands for the placeholders of a command.
type Places struct {
	Data    string // {data}: the data directory; the server creates it
	Client  string // {client}: the client URL
	Peer    string // {peer}: the peer URL that the other members are told
	Listen  string // {listen}: the peer URL to listen on; not {peer} where a proxy of the judge stands between members
	Name    string // {name}
	Cluster string // {cluster}: the first members' names and peer URLs, as in a=http://127.0.0.1:1,b=http://127.0.0.1:2
	State   string // {state}: new, or existing for a member that joins
}

// New prepares a server of its own in dir, which must exist and be its own. In the command, {data}, {client}, {peer}
// and the other placeholders are replaced by the data directory and two free loopback URLs.
func New(command []string, dir string) (*Server, error) { return newAlone(command, dir, "http://") }

// NewEncrypted is New where clients come by TLS: {client} is an https URL.
func NewEncrypted(command []string, dir string) (*Server, error) {
	return newAlone(command, dir, "https://")
}

func newAlone(command []string, dir, scheme string) (*Server, error) {
	places, err := FreePlaces("default", dir)
	if err != nil {
		return nil, err
	}
	places.Client = strings.Replace(places.Client, "http://", scheme, 1)
	places.Cluster, places.State = places.Name+"="+places.Peer, "new"
	return NewMember(command, dir, places)
}

// FreePlaces finds a data directory in dir and free ports. The caller says in which cluster they are.
func FreePlaces(name, dir string) (Places, error) {
	ports, err := freePorts(2)
	if err != nil {
		return Places{}, err
	}
	peer := fmt.Sprintf("http://127.0.0.1:%d", ports[1])
	return Places{
		Data:   filepath.Join(dir, "data"),
		Client: fmt.Sprintf("http://127.0.0.1:%d", ports[0]),
		Peer:   peer,
		Listen: peer,
		Name:   name,
	}, nil
}

// NewMember prepares a server with these places.
func NewMember(command []string, dir string, places Places) (*Server, error) {
	if len(command) == 0 {
		return nil, errors.New("no server command given")
	}
	s := &Server{Places: places, logPath: filepath.Join(dir, "server.log")}
	fill := strings.NewReplacer("{data}", s.Data, "{client}", s.Client, "{peer}", s.Peer, "{listen}", s.Listen,
		"{name}", s.Name, "{cluster}", s.Cluster, "{state}", s.State)
	for _, word := range command {
		s.command = append(s.command, fill.Replace(word))
	}
	return s, nil
}

// Address is the client URL without its scheme, as a dialler wants it.
func (s *Server) Address() string {
	_, address, _ := strings.Cut(s.Client, "://")
	return address
}

// PID is the process of the last start.
func (s *Server) PID() int { return s.running.Process.Pid }

// Spawn starts the process and does not wait for it to be ready. Its output is appended to one log file.
func (s *Server) Spawn() error {
	log, err := os.OpenFile(s.logPath, os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		return err
	}
	defer log.Close()
	cmd := exec.Command(s.command[0], s.command[1:]...)
	cmd.Stdout, cmd.Stderr = log, log
	// The server must not outlive a judge that dies, however it dies.
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("start %s: %w", s.command[0], err)
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	s.running, s.ended = cmd, ended
	return nil
}

// Start spawns the process and waits until it is ready. It returns the time from spawn to ready. On failure the process
// is dead, and the error carries the end of its log.
func (s *Server) Start(ctx context.Context, within time.Duration) (time.Duration, error) {
	begin := time.Now()
	if err := s.Spawn(); err != nil {
		return 0, err
	}
	if err := s.Await(ctx, within); err != nil {
		return 0, err
	}
	return time.Since(begin), nil
}

// Await waits until the spawned process is ready: Status answers and names a leader. The error of a process that has ended
// instead wraps what Wait said of it.
func (s *Server) Await(ctx context.Context, within time.Duration) error {
	ctx, cancel := context.WithTimeout(ctx, within)
	defer cancel()
	for {
		err := s.answers(ctx)
		if err == nil {
			return nil
		}
		select {
		case end := <-s.ended:
			s.running = nil
			return fmt.Errorf("the server ended before it was ready (%w); its log ends:\n%s", end, s.LogTail())
		case <-ctx.Done():
			s.Kill()
			return fmt.Errorf("the server was not ready within %v (%v); its log ends:\n%s", within, err, s.LogTail())
		case <-time.After(5 * time.Millisecond):
		}
	}
}

// answers makes one attempt at Status. It opens the socket itself first: a gRPC channel backs off for a second after
// a refused connection, which would drown what is being measured.
func (s *Server) answers(ctx context.Context) error {
	probe, err := net.DialTimeout("tcp", s.Address(), time.Second)
	if err != nil {
		return err
	}
	probe.Close()
	conn, err := Dial(s.Address(), s.Dialling...)
	if err != nil {
		return err
	}
	defer conn.Close()
	ctx, cancel := context.WithTimeout(ctx, time.Second)
	defer cancel()
	status, err := pb.NewMaintenanceClient(conn).Status(ctx, &pb.StatusRequest{})
	if err != nil {
		return err
	}
	if status.Leader == 0 {
		return errors.New("no leader yet")
	}
	return nil
}

// Kill sends SIGKILL to the process and waits for its end. It does nothing when none runs.
func (s *Server) Kill() error { return s.end(syscall.SIGKILL, 10*time.Second) }

// Running says whether the process was started, and not ended by us since.
func (s *Server) Running() bool { return s.running != nil }

// Signal sends a signal, such as SIGSTOP and SIGCONT, to the process.
func (s *Server) Signal(signal os.Signal) error { return s.running.Process.Signal(signal) }

// Stop asks the process to end, and kills it when it has not ended after ten seconds.
func (s *Server) Stop() error {
	if err := s.end(syscall.SIGTERM, 10*time.Second); err != nil {
		return s.Kill()
	}
	return nil
}

func (s *Server) end(signal os.Signal, patience time.Duration) error {
	if s.running == nil {
		return nil
	}
	if err := s.running.Process.Signal(signal); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return err
	}
	select {
	case <-s.ended:
		s.running = nil
		return nil
	case <-time.After(patience):
		return fmt.Errorf("process %d did not end within %v of %v", s.PID(), patience, signal)
	}
}

// Exited says whether the process has ended by itself since it was started.
func (s *Server) Exited() bool {
	select {
	case end := <-s.ended:
		s.ended <- end // for whoever waits next
		return true
	default:
		return false
	}
}

// AwaitExit waits for the process to end by itself, and returns what Wait says of it: an *exec.ExitError, or nil for code 0.
func (s *Server) AwaitExit(within time.Duration) (end error, err error) {
	select {
	case end := <-s.ended:
		s.running = nil
		return end, nil
	case <-time.After(within):
		return nil, fmt.Errorf("process %d has not ended within %v", s.PID(), within)
	}
}

// LogSize is the length of what the server has printed so far, in all of its lives.
func (s *Server) LogSize() int64 {
	info, err := os.Stat(s.logPath)
	if err != nil {
		return 0
	}
	return info.Size()
}

// LogFrom is what the server has printed from there on.
func (s *Server) LogFrom(offset int64) (string, error) {
	log, err := os.ReadFile(s.logPath)
	if err != nil {
		return "", err
	}
	return string(log[min(offset, int64(len(log))):]), nil
}

// LogTail is the end of what the server printed.
func (s *Server) LogTail() string {
	log, err := os.ReadFile(s.logPath)
	if err != nil {
		return err.Error()
	}
	const tailBytes = 4096
	if len(log) > tailBytes {
		log = log[len(log)-tailBytes:]
	}
	return string(log)
}

// CPU is the user and system time the process has used so far, in the kernel's steps of 10 ms.
func (s *Server) CPU() (time.Duration, error) {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", s.PID()))
	if err != nil {
		return 0, err
	}
	// The second field is the program's name in parentheses and may hold blanks: count from its end.
	// utime and stime are fields 14 and 15 of proc(5), the 12th and 13th after the name.
	fields := strings.Fields(string(stat[bytes.LastIndexByte(stat, ')')+1:]))
	if len(fields) < 13 {
		return 0, fmt.Errorf("unexpected /proc/%d/stat: %q", s.PID(), stat)
	}
	var ticks int64
	for _, field := range fields[11:13] {
		n, err := strconv.ParseInt(field, 10, 64)
		if err != nil {
			return 0, err
		}
		ticks += n
	}
	return time.Duration(ticks) * 10 * time.Millisecond, nil
}

// Memory is the resident set in bytes, now and at its highest.
func (s *Server) Memory() (now, peak int64, err error) {
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", s.PID()))
	if err != nil {
		return 0, 0, err
	}
	for line := range strings.Lines(string(status)) {
		var kib int64
		if _, err := fmt.Sscanf(line, "VmRSS: %d kB", &kib); err == nil {
			now = kib << 10
		}
		if _, err := fmt.Sscanf(line, "VmHWM: %d kB", &kib); err == nil {
			peak = kib << 10
		}
	}
	return now, peak, nil
}

// ResetPeak makes the highest resident set start anew from the present one (proc(5), clear_refs).
func (s *Server) ResetPeak() error {
	return os.WriteFile(fmt.Sprintf("/proc/%d/clear_refs", s.PID()), []byte("5"), 0)
}

// Dial opens a plain gRPC channel that never sends a request twice by policy. (gRPC still repeats a request that the
// server has said it never looked at; a server that says so wrongly is found by the versions of its keys.)
func Dial(address string, more ...grpc.DialOption) (*grpc.ClientConn, error) {
	return grpc.NewClient("passthrough:///"+address, append([]grpc.DialOption{
		grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithDisableRetry(),
		grpc.WithNoProxy(),
		grpc.WithDefaultCallOptions(grpc.MaxCallRecvMsgSize(256 << 20)),
	}, more...)...)
}

// given are the ports that this program has found before: their servers may not listen yet.
var given = struct {
	sync.Mutex
	ports map[int]bool
}{ports: map[int]bool{}}

// freePorts finds loopback ports below the range from which the kernel takes the ports of outgoing connections.
// A port in that range could be lost to a client's own connection while the server is down. The environment variable
// TRIAL_PORTS, as in 22000-22199, narrows the search.
func freePorts(n int) ([]int, error) {
	lowest, highest := 12_000, 31_999
	if bounds := os.Getenv("TRIAL_PORTS"); bounds != "" {
		if _, err := fmt.Sscanf(bounds, "%d-%d", &lowest, &highest); err != nil || lowest < 1 || highest < lowest {
			return nil, fmt.Errorf("TRIAL_PORTS is %q, not like 22000-22199", bounds)
		}
	}
	given.Lock()
	defer given.Unlock()
	var ports []int
	for range 1000 {
		port := lowest + rand.IntN(highest-lowest+1)
		if given.ports[port] {
			continue
		}
		listener, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", port))
		if err != nil {
			continue
		}
		defer listener.Close() // keeps the port until all are found, so that none is found twice
		ports = append(ports, port)
		given.ports[port] = true
		if len(ports) == n {
			return ports, nil
		}
	}
	return nil, fmt.Errorf("no %d free ports between %d and %d", n, lowest, highest)
}
