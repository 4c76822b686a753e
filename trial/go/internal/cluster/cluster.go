// Package cluster runs the members of one cluster on loopback, each a process of its own, and asks them who leads.
package cluster

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	pb "go.etcd.io/etcd/api/v3/etcdserverpb"
	"google.golang.org/grpc"
	"google.golang.org/grpc/backoff"
	"google.golang.org/grpc/credentials"

	"quoin.dev/trial/internal/process"
)

// Flags are those of etcd that a member needs, for messages about a command that lacks a placeholder.
const Flags = "--name {name} --data-dir {data} --listen-client-urls {client} --advertise-client-urls {client} " +
	"--listen-peer-urls {listen} --initial-advertise-peer-urls {peer} --initial-cluster {cluster} --initial-cluster-state {state}"

// Member is one process of a cluster, and a connection to it and to nothing else.
type Member struct {
	*process.Server
	ID          uint64 // known once the cluster is ready
	Conn        *grpc.ClientConn
	KV          pb.KVClient
	Maintenance pb.MaintenanceClient

	command []string // of its kind
}

// Is says whether this is the command of the member: what kind it is, in a cluster of several kinds.
func (m *Member) Is(command []string) bool { return slices.Equal(m.command, command) }

// Cluster is its members. It belongs to one goroutine; connections may be used by all.
type Cluster struct {
	Members []*Member

	commands [][]string // of the kinds of members, in turns
	dir      string
	proxy    Proxy
	shown    *tls.Config // to members that speak TLS with everybody; nil: in plain
	named    int         // members so far: a name is not used twice
}

// Proxy stands in front of a member's peer listener, and returns the URL that the others shall dial.
type Proxy func(name, listen string) (string, error)

// Straight is no proxy.
func Straight(_, listen string) (string, error) { return listen, nil }

// New prepares the members of a new cluster, in directories of their own below dir.
func New(command []string, dir string, size int, proxy Proxy) (*Cluster, error) {
	return newCluster([][]string{command}, dir, size, proxy, nil)
}

// NewMixed is New for members of several kinds: the n-th member, and whoever joins as the n-th, is of the n-th kind, and after
// the last kind comes the first again. What we show them must be good for both clients and members; nil: they speak in plain.
func NewMixed(kinds [][]string, dir string, size int, proxy Proxy, shown *tls.Config) (*Cluster, error) {
	return newCluster(kinds, dir, size, proxy, shown)
}

// NewEncrypted is New for members that speak TLS with clients and with each other. What we show them must be good for both.
func NewEncrypted(command []string, dir string, size int, shown *tls.Config) (*Cluster, error) {
	return newCluster([][]string{command}, dir, size, Straight, shown)
}

func newCluster(kinds [][]string, dir string, size int, proxy Proxy, shown *tls.Config) (*Cluster, error) {
	for _, command := range kinds {
		for _, hole := range []string{"{data}", "{client}", "{peer}", "{name}", "{cluster}"} {
			if !strings.Contains(strings.Join(command, " "), hole) {
				return nil, fmt.Errorf("the command has no %s: a member needs %s", hole, Flags)
			}
		}
	}
	c := &Cluster{commands: kinds, dir: dir, proxy: proxy, shown: shown}
	var all []process.Places
	var cluster []string
	for range size {
		places, err := c.places()
		if err != nil {
			return nil, err
		}
		all = append(all, places)
		cluster = append(cluster, places.Name+"="+places.Peer)
	}
	for i, places := range all {
		places.Cluster, places.State = strings.Join(cluster, ","), "new"
		if _, err := c.member(kinds[i%len(kinds)], places); err != nil {
			return nil, err
		}
	}
	return c, nil
}

// places finds where the next member shall be.
func (c *Cluster) places() (process.Places, error) {
	c.named++
	name := fmt.Sprintf("m%d", c.named)
	dir := filepath.Join(c.dir, name)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return process.Places{}, err
	}
	places, err := process.FreePlaces(name, dir)
	if err != nil {
		return places, err
	}
	if c.shown != nil {
		for _, url := range []*string{&places.Client, &places.Peer, &places.Listen} {
			*url = strings.Replace(*url, "http://", "https://", 1)
		}
	}
	places.Peer, err = c.proxy(name, places.Listen)
	return places, err
}

func (c *Cluster) member(command []string, places process.Places) (*Member, error) {
	server, err := process.NewMember(command, filepath.Dir(places.Data), places)
	if err != nil {
		return nil, err
	}
	var more []grpc.DialOption
	if c.shown != nil {
		more = append(more, grpc.WithTransportCredentials(credentials.NewTLS(c.shown)))
	}
	conn, err := Dial(server.Address(), more...)
	if err != nil {
		return nil, err
	}
	m := &Member{Server: server, command: command, Conn: conn, KV: pb.NewKVClient(conn), Maintenance: pb.NewMaintenanceClient(conn)}
	c.Members = append(c.Members, m)
	return m, nil
}

// Dial is process.Dial for a server that may die and return: the connection is tried again within a tenth of a second.
func Dial(address string, more ...grpc.DialOption) (*grpc.ClientConn, error) {
	quickly := backoff.Config{BaseDelay: 20 * time.Millisecond, Multiplier: 1.5, Jitter: 0.2, MaxDelay: 100 * time.Millisecond}
	more = append(more, grpc.WithConnectParams(grpc.ConnectParams{Backoff: quickly, MinConnectTimeout: time.Second}))
	return process.Dial(address, more...)
}

// Start starts all members at once and waits until the cluster is ready.
func (c *Cluster) Start(ctx context.Context, within time.Duration) error {
	for _, m := range c.Members {
		if err := m.Spawn(); err != nil {
			return err
		}
	}
	return c.AwaitReady(ctx, within)
}

// Join prepares one more member, after `add` has told the cluster its peer URL. It is not started.
func (c *Cluster) Join(add func(peerURL string) ([]*pb.Member, error)) (*Member, error) {
	return c.JoinAs(c.commands[c.named%len(c.commands)], add)
}

// JoinAs is Join of a kind that need not be one of the cluster's.
func (c *Cluster) JoinAs(command []string, add func(peerURL string) ([]*pb.Member, error)) (*Member, error) {
	places, err := c.places()
	if err != nil {
		return nil, err
	}
	members, err := add(places.Peer)
	if err != nil {
		return nil, err
	}
	var cluster []string
	for _, m := range members {
		name := m.Name
		if len(m.PeerURLs) == 1 && m.PeerURLs[0] == places.Peer {
			name = places.Name
		}
		for _, url := range m.PeerURLs {
			cluster = append(cluster, name+"="+url)
		}
	}
	places.Cluster, places.State = strings.Join(cluster, ","), "existing"
	return c.member(command, places)
}

// Forget drops a member that was removed from the cluster, and ends its process.
func (c *Cluster) Forget(gone *Member) error {
	for i, m := range c.Members {
		if m == gone {
			c.Members = append(c.Members[:i:i], c.Members[i+1:]...)
			break
		}
	}
	gone.Conn.Close()
	return gone.Kill()
}

// View is what one member says of itself.
type View struct {
	ID, Leader, Term uint64
}

// Ask asks a member who leads.
func (m *Member) Ask(ctx context.Context) (View, error) {
	ctx, cancel := context.WithTimeout(ctx, 2*time.Second)
	defer cancel()
	status, err := m.Maintenance.Status(ctx, &pb.StatusRequest{})
	if err != nil {
		return View{}, fmt.Errorf("%s: %w", m.Name, err)
	}
	return View{status.Header.MemberId, status.Leader, status.RaftTerm}, nil
}

// Consensus is the leader and the term that all running members name. It fails where they differ.
func (c *Cluster) Consensus(ctx context.Context) (*Member, uint64, error) {
	var first View
	for _, m := range c.Members {
		if !m.Running() {
			continue
		}
		view, err := m.Ask(ctx)
		if err != nil {
			return nil, 0, err
		}
		m.ID = view.ID
		if view.Leader == 0 {
			return nil, 0, fmt.Errorf("%s knows no leader", m.Name)
		}
		if first.Leader == 0 {
			first = view
		}
		if view.Leader != first.Leader || view.Term != first.Term {
			return nil, 0, fmt.Errorf("%s says leader %x in term %d, another one %x in term %d", m.Name, view.Leader, view.Term, first.Leader, first.Term)
		}
	}
	for _, m := range c.Members {
		if m.ID == first.Leader && m.Running() {
			return m, first.Term, nil
		}
	}
	return nil, 0, fmt.Errorf("the leader %x is no member that runs", first.Leader)
}

// AwaitReady waits until all running members name one leader, and each answers a linearizable read.
func (c *Cluster) AwaitReady(ctx context.Context, within time.Duration) error {
	ctx, cancel := context.WithTimeout(ctx, within)
	defer cancel()
	for {
		err := c.ready(ctx)
		if err == nil {
			return nil
		}
		for _, m := range c.Members {
			if m.Running() && m.Exited() {
				return fmt.Errorf("%s has ended by itself; its log ends:\n%s", m.Name, m.LogTail())
			}
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("the cluster was not ready within %v: %w%s", within, err, c.logTails())
		case <-time.After(20 * time.Millisecond):
		}
	}
}

func (c *Cluster) ready(ctx context.Context) error {
	if _, _, err := c.Consensus(ctx); err != nil {
		return err
	}
	for _, m := range c.Members {
		if !m.Running() {
			continue
		}
		ctx, cancel := context.WithTimeout(ctx, time.Second)
		_, err := m.KV.Range(ctx, &pb.RangeRequest{Key: []byte("ready"), CountOnly: true})
		cancel()
		if err != nil {
			return fmt.Errorf("%s: read: %w", m.Name, err)
		}
	}
	return nil
}

func (c *Cluster) logTails() string {
	var tails strings.Builder
	for _, m := range c.Members {
		fmt.Fprintf(&tails, "\nthe log of %s ends:\n%s", m.Name, m.LogTail())
	}
	return tails.String()
}

// Directories are the members' data directories.
func (c *Cluster) Directories() []string {
	var all []string
	for _, m := range c.Members {
		all = append(all, m.Data)
	}
	return all
}

// Kill ends all processes.
func (c *Cluster) Kill() error {
	var errs []error
	for _, m := range c.Members {
		errs = append(errs, m.Kill())
	}
	return errors.Join(errs...)
}
