// Guardcheck judges what becomes of a cluster's clients while that which guards it is changed: three members with
// certificates on every port, under puts, gets and watches by etcd's Go client.
//
//	guardcheck [flags] -- COMMAND ARGS...
//
// Control of access is enabled: nobody is refused who has a password, and all members hold the same afterwards. Then all
// certificates and the authority are replaced on the disk, as an operator does it who wants nobody to notice: nobody does,
// whoever comes anew is shown the new ones, and whoever has only the old ones is refused. COMMAND is a member's, with
// {name}, {data}, {client}, {peer}, {listen}, {cluster} and {state} to be filled in.
package main

import (
	"context"
	"crypto/tls"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	"go.etcd.io/etcd/api/v3/authpb"
	pb "go.etcd.io/etcd/api/v3/etcdserverpb"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	"quoin.dev/trial/internal/certificates"
	"quoin.dev/trial/internal/cluster"
	"quoin.dev/trial/internal/tally"
)

const (
	size     = 3
	user     = "loader" // of the keys that are asked for: by password, or by the name in a certificate
	password = "a password"
	patience = 10 * time.Second // for each request
)

func main() { os.Exit(run()) }

// trial is a cluster, and who signs its certificates.
type trial struct {
	*cluster.Cluster
	home     string
	old, new *certificates.Authority // old is also where the files are that the members were told of
	between  time.Duration           // how long there is load before and after a change
	within   time.Duration           // for a member to notice that files have changed
	ready    time.Duration           // for the cluster to be ready
}

func run() int {
	t := &trial{}
	flag.DurationVar(&t.between, "between", time.Second, "how long there is load before and after each change")
	flag.DurationVar(&t.within, "within", 10*time.Second, "for a member to notice that files have changed")
	flag.DurationVar(&t.ready, "ready", time.Minute, "for the cluster to be ready")
	dir := flag.String("dir", ".", "where to make the directory for data and certificates")
	flag.Parse()
	if flag.NArg() == 0 {
		fmt.Fprintln(os.Stderr, "usage: guardcheck [flags] -- COMMAND ARGS...")
		flag.PrintDefaults()
		return 2
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	counts := tally.New("guardcheck", os.Stdout)
	var err error
	if t.home, err = os.MkdirTemp(*dir, "guardcheck-"); !counts.Check("make a directory", err) {
		return counts.Close()
	}
	defer os.RemoveAll(t.home)
	if !counts.Check("start three members", t.start(ctx, flag.Args())) {
		return counts.Close()
	}
	defer t.Kill()
	if t.enable(ctx, counts) {
		t.rotate(ctx, counts)
	}
	return counts.Close()
}

func (t *trial) start(ctx context.Context, command []string) (err error) {
	for name, authority := range map[string]**certificates.Authority{"old": &t.old, "new": &t.new} {
		dir := filepath.Join(t.home, name)
		if err := os.Mkdir(dir, 0o700); err != nil {
			return err
		}
		if *authority, err = certificates.New(dir); err != nil {
			return err
		}
	}
	shown, err := t.old.Client("")
	if err != nil {
		return err
	}
	command = slices.Concat(command, t.old.FlagsAsking(), t.old.FlagsAmongMembers())
	if t.Cluster, err = cluster.NewEncrypted(command, t.home, size, shown); err != nil {
		return err
	}
	if err := t.Start(ctx, t.ready); err != nil {
		return errors.Join(err, t.Kill())
	}
	return nil
}

// enable lets the control of access begin under load.
func (t *trial) enable(ctx context.Context, counts *tally.Tally) bool {
	load, err := t.load(t.old, true, true, true, true, true, true)
	if !counts.Check("clients with passwords", err) {
		return false
	}
	time.Sleep(t.between)
	if !counts.Check("make users, and enable the control of access", t.users(ctx)) {
		return false
	}
	time.Sleep(t.between)
	counts.Check("nobody was refused, no connection was dropped, no event was missed, while access came under control", load.end(ctx))
	_, err = t.Members[0].KV.Put(ctx, &pb.PutRequest{Key: []byte("x"), Value: []byte("by nobody")})
	// etcd takes the name that is missing in the certificate for one that it does not know; Quoin says that there is none.
	if code := status.Code(err); code == codes.PermissionDenied || code == codes.InvalidArgument {
		err = nil
	} else if err == nil {
		err = errors.New("it was done")
	}
	counts.Check("who has no name is refused from then on", err)
	return counts.Check("all members hold the same", t.agree(ctx))
}

func (t *trial) users(ctx context.Context) error {
	auth := pb.NewAuthClient(t.Members[1].Conn)
	keys := &authpb.Permission{PermType: authpb.READWRITE, Key: []byte(prefix), RangeEnd: []byte(prefixEnd)}
	for _, name := range []string{"root", user} {
		if _, err := auth.UserAdd(ctx, &pb.AuthUserAddRequest{Name: name, Password: password, Options: &authpb.UserAddOptions{}}); err != nil {
			return err
		}
	}
	_, err := auth.RoleAdd(ctx, &pb.AuthRoleAddRequest{Name: "keys"})
	_, errKeys := auth.RoleGrantPermission(ctx, &pb.AuthRoleGrantPermissionRequest{Name: "keys", Perm: keys})
	_, errRoot := auth.UserGrantRole(ctx, &pb.AuthUserGrantRoleRequest{User: "root", Role: "root"})
	_, errUser := auth.UserGrantRole(ctx, &pb.AuthUserGrantRoleRequest{User: user, Role: "keys"})
	if err := errors.Join(err, errKeys, errRoot, errUser); err != nil {
		return err
	}
	_, err = auth.AuthEnable(ctx, &pb.AuthEnableRequest{})
	return err
}

// agree compares what the members hold, once each has applied what any of them has.
func (t *trial) agree(ctx context.Context) error {
	known, err := pb.NewAuthClient(t.Members[0].Conn).Authenticate(ctx, &pb.AuthenticateRequest{Name: "root", Password: password})
	if err != nil {
		return err
	}
	ctx = metadata.AppendToOutgoingContext(ctx, "token", known.Token)
	var first string
	for _, m := range t.Members {
		answer, err := m.KV.Range(ctx, &pb.RangeRequest{Key: []byte(prefix), CountOnly: true}) // linearizable: the member is not behind
		if err != nil {
			return fmt.Errorf("%s: %w", m.Name, err)
		}
		hash, err := m.Maintenance.HashKV(ctx, &pb.HashKVRequest{Revision: answer.Header.Revision})
		if err != nil {
			return fmt.Errorf("%s: %w", m.Name, err)
		}
		access, err := pb.NewAuthClient(m.Conn).AuthStatus(ctx, &pb.AuthStatusRequest{})
		if err != nil {
			return fmt.Errorf("%s: %w", m.Name, err)
		}
		held := fmt.Sprintf("revision %d, hash %x, compacted %d, access controlled %v at revision %d", answer.Header.Revision, hash.Hash,
			hash.CompactRevision, access.Enabled, access.AuthRevision)
		if first == "" {
			first = held
		}
		if held != first || !access.Enabled {
			return fmt.Errorf("%s has %s; %s has %s", t.Members[0].Name, first, m.Name, held)
		}
	}
	return nil
}

// rotate replaces everything by what another authority has signed: first both authorities are trusted, then the members show
// the new certificates, then only the new authority is trusted.
func (t *trial) rotate(ctx context.Context, counts *tally.Tally) {
	logs := map[*cluster.Member]int64{}
	for _, m := range t.Members {
		logs[m] = m.LogSize()
	}
	load, err := t.load(t.old, true, true, true, false, false, false)
	if !counts.Check("clients with passwords, and with names in their certificates", err) {
		return
	}
	time.Sleep(t.between)
	for _, step := range []struct {
		what   string
		change func() error
		seen   func(address string) error
	}{
		{"clients of the new authority are let in, beside those of the old one", func() error {
			return t.old.Replace("ca.pem", t.old.File("ca.pem"), t.new.File("ca.pem"))
		}, func(address string) error {
			return errors.Join(t.letIn(address, t.old, t.old), t.letIn(address, t.new, t.old))
		}},
		{"the new certificates are shown", func() error {
			return errors.Join(t.old.Replace("server.key", t.new.File("server.key")), t.old.Replace("server.pem", t.new.File("server.pem")))
		}, func(address string) error { return t.letIn(address, t.new, t.new) }},
		{"clients of the old authority are refused", func() error {
			return t.old.Replace("ca.pem", t.new.File("ca.pem"))
		}, func(address string) error {
			if t.letIn(address, t.old, t.new) == nil {
				return errors.New("one was let in")
			}
			return t.letIn(address, t.new, t.new)
		}},
	} {
		if !counts.Check("replace files", step.change()) || !counts.Check(step.what, t.everywhere(step.seen)) {
			return
		}
	}
	time.Sleep(t.between)
	counts.Check("nobody was refused, no connection was dropped, no event was missed, while certificates changed", load.end(ctx))
	counts.Check("no member has lost another one", stayed(logs))
	counts.Check("new clients with new certificates", t.newcomers(ctx))
}

// stayed reads the members' logs from there on.
func stayed(logs map[*cluster.Member]int64) error {
	var errs []error
	for m, from := range logs {
		log, err := m.LogFrom(from)
		if strings.Contains(log, "lost TCP streaming connection") {
			err = fmt.Errorf("the log of %s:\n%s", m.Name, log)
		}
		errs = append(errs, err)
	}
	return errors.Join(errs...)
}

// everywhere waits until it is so at each port of each member.
func (t *trial) everywhere(seen func(address string) error) error {
	for _, m := range t.Members {
		for _, url := range []string{m.Client, m.Peer} {
			address := strings.TrimPrefix(url, "https://")
			for began := time.Now(); ; time.Sleep(50 * time.Millisecond) {
				err := seen(address)
				if err == nil {
					break
				}
				if time.Since(began) > t.within {
					return fmt.Errorf("%s, %s: not within %v: %w", m.Name, url, t.within, err)
				}
			}
		}
	}
	return nil
}

// letIn shows a server a certificate of one authority, and trusts one of another's. Only its answer tells whether it was good:
// in TLS 1.3 the client is done before it has been looked at.
func (t *trial) letIn(address string, shown, trusted *certificates.Authority) error {
	config, err := shown.Client("newcomer")
	if err != nil {
		return err
	}
	trust, err := trusted.Client("")
	if err != nil {
		return err
	}
	config.RootCAs = trust.RootCAs
	conn, err := tls.Dial("tcp", address, config)
	if err != nil {
		return err
	}
	defer conn.Close()
	conn.SetDeadline(time.Now().Add(patience))
	if _, err := fmt.Fprintf(conn, "GET /version HTTP/1.0\r\n\r\n"); err != nil {
		return err
	}
	_, err = conn.Read(make([]byte, 1))
	return err
}

// newcomers are served on every member, and what they share is the same.
func (t *trial) newcomers(ctx context.Context) error {
	load, err := t.load(t.new, true, true, true, false, false, false)
	if err != nil {
		return err
	}
	time.Sleep(t.between)
	return errors.Join(load.end(ctx), t.agree(ctx))
}
