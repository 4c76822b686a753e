package main

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

	"go.etcd.io/etcd/api/v3/authpb"
	pb "go.etcd.io/etcd/api/v3/etcdserverpb"

	"quoin.dev/trial/internal/certificates"
	"quoin.dev/trial/internal/cluster"
)

// roll replaces three etcd by three Quoin, one after the other, and back, as often as was asked for.
func (t *trial) roll(ctx context.Context) error {
	dir := filepath.Join(t.home, "certificates")
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	authority, err := certificates.New(dir)
	if err != nil {
		return err
	}
	shown, err := authority.Client("")
	if err != nil {
		return err
	}
	flags := slices.Concat(authority.FlagsAsking(), authority.FlagsAmongMembers(), []string{"--bcrypt-cost", "4"})
	m, err := t.start(ctx, "roll", []*kind{t.etcd, t.etcd, t.etcd}, cluster.Straight, shown, flags...)
	if err != nil {
		return err
	}
	if err := m.whole(ctx); err != nil {
		return err
	}
	return m.close(ctx, m.rollUnderLoad(ctx, shown, flags))
}

func (m *mixed) rollUnderLoad(ctx context.Context, shown *tls.Config, flags []string) error {
	if err := m.control(ctx); err != nil {
		return err
	}
	l, err := m.work(ctx, shown)
	if err != nil {
		return err
	}
	err = nil
	for round := 1; round <= m.t.rounds && err == nil; round++ {
		for _, to := range []*kind{m.t.quoin, m.t.etcd} {
			if err == nil && to == m.t.etcd && m.t.downgrade != "" {
				// Once all are Quoin the version rises; before that nothing could be announced that goes back to it.
				if err = m.awaitVersion(ctx, "3.7.0"); err == nil {
					err = m.announce(ctx, m.any(), m.t.downgrade)
				}
			}
			for step := 0; step < len(m.Members) && err == nil; step++ {
				err = m.replace(ctx, l, to, flags)
			}
		}
		m.t.out("%s: round %d of %d is done", m.name, round, m.t.rounds)
	}
	return errors.Join(err, l.finish(ctx, m))
}

// control lets access be controlled.
func (m *mixed) control(ctx context.Context) error {
	auth := pb.NewAuthClient(m.Members[0].Conn)
	keys := &authpb.Permission{PermType: authpb.READWRITE, Key: []byte(loadPrefix), RangeEnd: []byte("load0")}
	var errs []error
	for _, user := range []string{"root", loadUser} {
		_, err := auth.UserAdd(ctx, &pb.AuthUserAddRequest{Name: user, Password: secret, Options: &authpb.UserAddOptions{}})
		errs = append(errs, err)
	}
	_, errRole := auth.RoleAdd(ctx, &pb.AuthRoleAddRequest{Name: "keys"})
	_, errKeys := auth.RoleGrantPermission(ctx, &pb.AuthRoleGrantPermissionRequest{Name: "keys", Perm: keys})
	_, errRoot := auth.UserGrantRole(ctx, &pb.AuthUserGrantRoleRequest{User: "root", Role: "root"})
	_, errUser := auth.UserGrantRole(ctx, &pb.AuthUserGrantRoleRequest{User: loadUser, Role: "keys"})
	if err := errors.Join(append(errs, errRole, errKeys, errRoot, errUser)...); err != nil {
		return err
	}
	_, err := auth.AuthEnable(ctx, &pb.AuthEnableRequest{})
	m.password = secret
	return err
}

// replace takes the oldest member away, after one of this kind has come in its place: it is added as a learner, promoted, and given
// the lead if the old one had it. Then all must hold the same, the revision of the users among it, which moves with every step.
func (m *mixed) replace(ctx context.Context, l *load, to *kind, flags []string) error {
	leaver := m.Members[0]
	joined, err := m.admit(ctx, to, flags...)
	if err != nil {
		return err
	}
	l.follow(m)
	time.Sleep(m.t.length)
	if leader, _, err := m.leader(ctx); err != nil || leader == leaver {
		heir := m.Members[1+m.turn%(len(m.Members)-1)]
		if err := errors.Join(err, m.lead(ctx, heir)); err != nil {
			return err
		}
	}
	err = m.retry(ctx, "add a user", func(ctx context.Context) error {
		_, err := pb.NewAuthClient(m.any().Conn).UserAdd(m.asRoot(ctx), &pb.AuthUserAddRequest{Name: "came-with-" + joined.Name, Password: secret})
		if err != nil && strings.Contains(err.Error(), "already exists") {
			return nil // an attempt before has done it after all
		}
		return err
	})
	if err != nil {
		return err
	}
	if err := m.agree(ctx); err != nil {
		return fmt.Errorf("when %s had joined: %w", m.called(joined), err)
	}
	if err := m.dismiss(ctx, leaver); err != nil {
		return err
	}
	l.follow(m)
	if err := m.agree(ctx); err != nil {
		return fmt.Errorf("when %s had gone: %w", m.called(leaver), err)
	}
	return nil
}
