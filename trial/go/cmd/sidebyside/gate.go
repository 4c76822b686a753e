package main

import (
	"context"
	"crypto/tls"
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"go.etcd.io/etcd/api/v3/authpb"
	pb "go.etcd.io/etcd/api/v3/etcdserverpb"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"

	"quoin.dev/trial/internal/certificates"
	"quoin.dev/trial/internal/process"
)

// gate is what a contender's clients come through. The zero gate is open to everybody, in plain.
type gate struct {
	flags   []string
	shown   *tls.Config // what clients show, and whom they trust; nil: plain connections
	control bool        // users, and one of them has the keys
}

// overTLS measures where only those come in who show a certificate of ours.
func (p *plan) overTLS(ctx context.Context) error {
	authority, err := certificates.NewOf(p.keys, p.home)
	if err != nil {
		return err
	}
	shown, err := authority.Client("client")
	if err != nil {
		return err
	}
	gate := gate{flags: authority.FlagsAsking(), shown: shown}
	return p.gated(ctx, "1 member, TLS, clients show certificates", gate, func(ctx context.Context, c *contender, row func(string) note) error {
		if err := p.cellsTurn(p.gatedCells)(ctx, c, row); err != nil {
			return err
		}
		return p.handshakes(ctx, c, row(fmt.Sprintf("%d clients at a time come, get one key, and go", comers)))
	})
}

// asUser measures where only users come in, with tokens that the server remembers or, with a secret, signs.
func (p *plan) asUser(ctx context.Context, tokens string, secret []byte) error {
	gate := gate{control: true}
	if secret != nil {
		file := filepath.Join(p.home, "secret")
		if err := os.WriteFile(file, secret, 0o600); err != nil {
			return err
		}
		gate.flags = []string{"--auth-token", "jwt,sign-method=HS256,ttl=1h,priv-key=" + file}
	}
	return p.gated(ctx, "1 member, users with "+tokens+" tokens", gate, p.cellsTurn(p.gatedCells))
}

// gated gives both systems their turns behind the same gate.
func (p *plan) gated(ctx context.Context, section string, behind gate, do turn) error {
	for _, c := range p.contenders {
		c.gate = behind
		defer func() { c.gate = gate{} }()
	}
	return p.alternate(ctx, section, 1, do)
}

// alone prepares a lone member behind its gate.
func (c *contender) alone() (*process.Server, error) {
	command := append(slices.Clone(c.command), c.flags...)
	if c.shown == nil {
		return process.New(command, c.dir)
	}
	server, err := process.NewEncrypted(command, c.dir)
	if err != nil {
		return nil, err
	}
	server.Dialling = []grpc.DialOption{grpc.WithTransportCredentials(credentials.NewTLS(c.shown))}
	return server, nil
}

const (
	userName = "user"
	password = "a password of common length"
	// tokensCount is how many connections have a token of their own; the next ones share them.
	tokensCount = 10
)

// enroll makes root, and a user who may read and write what begins with a small letter; from then on access is controlled.
func (c *contender) enroll(ctx context.Context) error {
	auth := pb.NewAuthClient(c.conn)
	keys := &authpb.Permission{PermType: authpb.READWRITE, Key: []byte("a"), RangeEnd: []byte("{")}
	for _, step := range []func() (any, error){
		func() (any, error) {
			return auth.UserAdd(ctx, &pb.AuthUserAddRequest{Name: "root", Password: password, Options: &authpb.UserAddOptions{}})
		},
		func() (any, error) {
			return auth.UserGrantRole(ctx, &pb.AuthUserGrantRoleRequest{User: "root", Role: "root"})
		},
		func() (any, error) {
			return auth.UserAdd(ctx, &pb.AuthUserAddRequest{Name: userName, Password: password, Options: &authpb.UserAddOptions{}})
		},
		func() (any, error) { return auth.RoleAdd(ctx, &pb.AuthRoleAddRequest{Name: "keys"}) },
		func() (any, error) {
			return auth.RoleGrantPermission(ctx, &pb.AuthRoleGrantPermissionRequest{Name: "keys", Perm: keys})
		},
		func() (any, error) {
			return auth.UserGrantRole(ctx, &pb.AuthUserGrantRoleRequest{User: userName, Role: "keys"})
		},
		func() (any, error) { return auth.AuthEnable(ctx, &pb.AuthEnableRequest{}) },
	} {
		if _, err := step(); err != nil {
			return fmt.Errorf("make users: %w", err)
		}
	}
	for range tokensCount {
		known, err := auth.Authenticate(ctx, &pb.AuthenticateRequest{Name: userName, Password: password})
		if err != nil {
			return fmt.Errorf("log in: %w", err)
		}
		c.tokens = append(c.tokens, known.Token)
	}
	return nil
}
