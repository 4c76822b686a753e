// Puts commands to etcd's own auth store, and prints what it answers.
package main

import (
	"context"
	"encoding/base64"
	"encoding/hex"
	"flag"
	"fmt"
	"math/rand"
	"os"
	"time"

	"go.uber.org/zap"

	"go.etcd.io/etcd/api/v3/authpb"
	pb "go.etcd.io/etcd/api/v3/etcdserverpb"
	"go.etcd.io/etcd/server/v3/auth"
	"go.etcd.io/etcd/server/v3/storage/backend"
	"go.etcd.io/etcd/server/v3/storage/schema"
)

var (
	names = []string{"root", "root", "u", "v", "w", "ü", "\U00010000", "\uffee"}
	roles = []string{"root", "r", "r", "s", "t", "\U00010000", "\uffee"}
	keys  = []string{"a", "a\x00", "aa", "b", "b\xff", "c", "d", "e", "\x00", "\x80", "\xff"}
)

func x(s string) string {
	if s == "" {
		return "-"
	}
	return hex.EncodeToString([]byte(s))
}

type run struct {
	r    *rand.Rand
	as   auth.AuthStore
	be   backend.Backend
	many bool
	few  int // first keys, in scripts about many permissions
}

func (g *run) of(l []string) string {
	if g.r.Intn(30) == 0 {
		return ""
	}
	return l[g.r.Intn(len(l))]
}

func (g *run) rng(forward bool) (string, string) {
	k := g.of(keys)
	if g.many {
		k = keys[g.r.Intn(g.few)]
	}
	switch g.r.Intn(8) {
	case 0, 1, 2:
		if !g.many {
			return k, ""
		}
	case 3:
		return k, "\x00"
	}
	e := keys[g.r.Intn(len(keys))]
	if g.many {
		e += string(rune('a' + g.r.Intn(8)))
	}
	for forward && e != "\x00" && e <= k {
		k, e = keys[g.r.Intn(len(keys))], keys[g.r.Intn(len(keys))]
	}
	return k, e
}

func text(err error) string {
	if err == nil {
		return "ok"
	}
	return err.Error()
}

func (g *run) pw() (string, string) {
	switch g.r.Intn(12) {
	case 0:
		return "", ""
	case 1:
		return "A===", ""
	case 2:
		return "not base64", ""
	case 3:
		return "QU\nI=\r\n", ""
	case 4:
		return "QUI", ""
	case 5:
		return "QUJ=", ""
	case 6:
		return "QQ==QQ==", ""
	case 7:
		return "QQ=\n=", ""
	case 8:
		return "_w==", ""
	}
	b := make([]byte, g.r.Intn(9))
	g.r.Read(b)
	return base64.StdEncoding.EncodeToString(b), ""
}

func (g *run) step() {
	c := g.r.Intn(26)
	if (c == 1 || c == 6 || c == 16) && g.r.Intn(3) > 0 {
		c = 0
	}
	if g.many {
		c = 19
		if g.r.Intn(7) == 0 {
			c = 17
		} else if g.r.Intn(6) == 0 {
			c = 22
		}
	}
	switch c {
	case 0:
		fmt.Println("enable", text(g.as.AuthEnable()))
	case 1:
		g.as.AuthDisable()
		fmt.Println("disable ok")
	case 2:
		n := g.of(names)
		ctx := context.WithValue(context.WithValue(context.Background(), auth.AuthenticateParamIndex{}, g.r.Uint64()), auth.AuthenticateParamSimpleTokenPrefix{}, "p")
		_, err := g.as.Authenticate(ctx, n, "")
		fmt.Println("authenticate", x(n), text(err))
	case 3, 4, 5:
		n := g.of(names)
		p, _ := g.pw()
		o := g.r.Intn(3)
		var opt *authpb.UserAddOptions
		if o > 0 {
			opt = &authpb.UserAddOptions{NoPassword: o == 2}
		}
		_, err := g.as.UserAdd(&pb.AuthUserAddRequest{Name: n, HashedPassword: p, Options: opt})
		fmt.Println("useradd", x(n), x(p), o == 2, text(err))
	case 6:
		n := g.of(names)
		_, err := g.as.UserDelete(&pb.AuthUserDeleteRequest{Name: n})
		fmt.Println("userdelete", x(n), text(err))
	case 7:
		n := g.of(names)
		resp, err := g.as.UserGet(&pb.AuthUserGetRequest{Name: n})
		s := "userget " + x(n) + " " + text(err)
		if err == nil {
			for _, r := range resp.Roles {
				s += " " + x(r)
			}
		}
		fmt.Println(s)
	case 8:
		resp, err := g.as.UserList(&pb.AuthUserListRequest{})
		s := "userlist " + text(err)
		for _, r := range resp.Users {
			s += " " + x(r)
		}
		fmt.Println(s)
	case 9:
		n := g.of(names)
		p, _ := g.pw()
		_, err := g.as.UserChangePassword(&pb.AuthUserChangePasswordRequest{Name: n, HashedPassword: p})
		fmt.Println("passwd", x(n), x(p), text(err))
	case 10, 11, 12:
		n, r := g.of(names), g.of(roles)
		_, err := g.as.UserGrantRole(&pb.AuthUserGrantRoleRequest{User: n, Role: r})
		fmt.Println("grantrole", x(n), x(r), text(err))
	case 13:
		n, r := g.of(names), g.of(roles)
		_, err := g.as.UserRevokeRole(&pb.AuthUserRevokeRoleRequest{Name: n, Role: r})
		fmt.Println("revokerole", x(n), x(r), text(err))
	case 14, 15:
		r := g.of(roles)
		_, err := g.as.RoleAdd(&pb.AuthRoleAddRequest{Name: r})
		fmt.Println("roleadd", x(r), text(err))
	case 16:
		if g.many {
			return
		}
		r := g.of(roles)
		_, err := g.as.RoleDelete(&pb.AuthRoleDeleteRequest{Role: r})
		fmt.Println("roledelete", x(r), text(err))
	case 17:
		r := g.of(roles)
		if g.many {
			r = "r"
		}
		resp, err := g.as.RoleGet(&pb.AuthRoleGetRequest{Role: r})
		s := "roleget " + x(r) + " " + text(err)
		if err == nil {
			for _, p := range resp.Perm {
				s += fmt.Sprintf(" %d,%s,%s", p.PermType, x(string(p.Key)), x(string(p.RangeEnd)))
			}
		}
		fmt.Println(s)
	case 18:
		resp, err := g.as.RoleList(&pb.AuthRoleListRequest{})
		s := "rolelist " + text(err)
		for _, r := range resp.Roles {
			s += " " + x(r)
		}
		fmt.Println(s)
	case 19, 20, 21, 23, 24:
		r := g.of(roles)
		if g.many {
			r = "r"
		}
		if !g.many && g.r.Intn(40) == 0 {
			_, err := g.as.RoleGrantPermission(&pb.AuthRoleGrantPermissionRequest{Name: r})
			fmt.Println("grantnothing", x(r), text(err))
			return
		}
		k, e := g.rng(g.r.Intn(8) > 0)
		t := g.r.Intn(3)
		if g.r.Intn(20) == 0 {
			t = 3 + g.r.Intn(200)
		}
		_, err := g.as.RoleGrantPermission(&pb.AuthRoleGrantPermissionRequest{Name: r, Perm: &authpb.Permission{PermType: authpb.Permission_Type(t), Key: []byte(k), RangeEnd: []byte(e)}})
		fmt.Println("grantperm", x(r), t, x(k), x(e), text(err))
	case 22:
		r := g.of(roles)
		k, e := g.rng(false)
		if g.many {
			r = "r"
		}
		if role := schema.NewAuthBackend(zap.NewNop(), g.be).GetRole(r); role != nil && len(role.KeyPermission) > 0 && g.r.Intn(3) > 0 {
			p := role.KeyPermission[g.r.Intn(len(role.KeyPermission))]
			k, e = string(p.Key), string(p.RangeEnd)
		}
		_, err := g.as.RoleRevokePermission(&pb.AuthRoleRevokePermissionRequest{Role: r, Key: []byte(k), RangeEnd: []byte(e)})
		fmt.Println("revokeperm", x(r), x(k), x(e), text(err))
	case 25:
		fmt.Println("status", g.as.IsAuthEnabled(), g.as.Revision())
	}
}

func (g *run) ask() {
	n := g.of(names)
	if g.many {
		n = "u"
	}
	rev := g.as.Revision()
	switch g.r.Intn(8) {
	case 0:
		rev = uint64(g.r.Int63n(int64(rev) + 2))
	case 1:
		rev = ^uint64(0)
	}
	ai := &auth.AuthInfo{Username: n, Revision: rev}
	k, e := g.rng(g.r.Intn(4) > 0)
	switch g.r.Intn(5) {
	case 0:
		fmt.Println("admin?", x(n), rev, text(g.as.IsAdminPermitted(ai)))
	case 1, 2:
		fmt.Println("read?", x(n), rev, x(k), x(e), text(g.as.IsRangePermitted(ai, []byte(k), []byte(e))))
	case 3:
		fmt.Println("write?", x(n), rev, x(k), x(e), text(g.as.IsDeleteRangePermitted(ai, []byte(k), []byte(e))))
	case 4:
		fmt.Println("put?", x(n), rev, x(k), text(g.as.IsPutPermitted(ai, []byte(k))))
	}
}

func (g *run) dump() {
	g.be.ForceCommit()
	tx := g.be.ReadTx()
	tx.RLock()
	defer tx.RUnlock()
	for _, b := range []backend.Bucket{schema.Auth, schema.AuthRoles, schema.AuthUsers} {
		tx.UnsafeForEach(b, func(k, v []byte) error {
			fmt.Println("dump", b, x(string(k)), x(string(v)))
			return nil
		})
	}
}

func main() {
	seeds := flag.Int("seeds", 20, "")
	steps := flag.Int("steps", 60, "")
	many := flag.Bool("many", false, "")
	flag.Parse()
	for seed := 1; seed <= *seeds; seed++ {
		dir, _ := os.MkdirTemp("", "be")
		be := backend.NewDefaultBackend(zap.NewNop(), dir+"/db")
		tp, err := auth.NewTokenProvider(zap.NewNop(), "simple", func(uint64) <-chan struct{} { return nil }, time.Hour)
		if err != nil {
			panic(err)
		}
		g := &run{r: rand.New(rand.NewSource(int64(seed))), as: auth.NewAuthStore(zap.NewNop(), schema.NewAuthBackend(zap.NewNop(), be), tp, 4), be: be, many: *many, few: 1 + seed%9}
		fmt.Println("new", seed)
		g.dump()
		if *many {
			for _, n := range []string{"root", "u"} {
				_, err := g.as.UserAdd(&pb.AuthUserAddRequest{Name: n})
				fmt.Println("useradd", x(n), x(""), false, text(err))
			}
			_, err := g.as.RoleAdd(&pb.AuthRoleAddRequest{Name: "r"})
			fmt.Println("roleadd", x("r"), text(err))
			for _, l := range [][]string{{"root", "root"}, {"u", "r"}} {
				_, err := g.as.UserGrantRole(&pb.AuthUserGrantRoleRequest{User: l[0], Role: l[1]})
				fmt.Println("grantrole", x(l[0]), x(l[1]), text(err))
			}
			fmt.Println("enable", text(g.as.AuthEnable()))
		}
		if !*many && seed%3 != 0 {
			for _, n := range []string{"root", "u", "v"} {
				_, err := g.as.UserAdd(&pb.AuthUserAddRequest{Name: n, HashedPassword: "QUJD"})
				fmt.Println("useradd", x(n), x("QUJD"), false, text(err))
			}
			for _, r := range []string{"r", "s"} {
				_, err := g.as.RoleAdd(&pb.AuthRoleAddRequest{Name: r})
				fmt.Println("roleadd", x(r), text(err))
			}
			for _, l := range [][]string{{"root", "root"}, {"u", "s"}, {"u", "r"}, {"v", "s"}} {
				_, err := g.as.UserGrantRole(&pb.AuthUserGrantRoleRequest{User: l[0], Role: l[1]})
				fmt.Println("grantrole", x(l[0]), x(l[1]), text(err))
			}
			fmt.Println("enable", text(g.as.AuthEnable()))
		}
		for i := 0; i < *steps; i++ {
			g.step()
			for j := 0; j < 2; j++ {
				g.ask()
			}
			if i%20 == 19 {
				g.dump()
			}
		}
		g.as.Close()
		be.Close()
		os.RemoveAll(dir)
	}
}
