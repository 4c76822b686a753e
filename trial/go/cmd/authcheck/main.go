// Authcheck asks two servers the same as the same callers, while access is controlled, and compares what they answer:
// every RPC that there is, in many shapes, by nobody, by tokens that are none, and by users who may this and that; under no
// alarm, under NOSPACE and under CORRUPT. It starts both servers itself. What is in the stores at the end is compared, too.
//
//	authcheck --left 'etcd …' --right 'dist/target/quoin/bin/etcd …' [--members 3] [--gateway] [--certificates] [--secret FILE]
//
// With three members it asks one that does not lead. With --gateway it asks in JSON, but for what the gateway has not. With
// --certificates users show a certificate with their name and no token. With --secret, which must also be the key of the servers'
// HS256, callers are added whose tokens were made elsewhere, or are not to be taken any more. With --logins it asks nothing, and
// measures how many logins a second each takes, and what puts beside them notice.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	pb "go.etcd.io/etcd/api/v3/etcdserverpb"

	"quoin.dev/trial/internal/certificates"
	"quoin.dev/trial/internal/tally"
)

func main() { os.Exit(run()) }

func run() int {
	left := flag.String("left", "", "command of the server that is right by definition, with {data}, {client}, {peer}, {name}, {cluster} to be filled in")
	right := flag.String("right", "", "command of the server under trial, with the same holes")
	members := flag.Int("members", 1, "how many members each has")
	dir := flag.String("dir", os.TempDir(), "where to make the directory for data and logs")
	byGateway := flag.Bool("gateway", false, "ask over the JSON gateway")
	byCertificate := flag.Bool("certificates", false, "let certificates say who asks; of one member")
	secret := flag.String("secret", "", "file with the key of the servers' HS256: callers with tokens made elsewhere are added")
	every := flag.Int("every", 1, "ask each caller only one question of so many, another one each: a sample")
	logins := flag.Duration("logins", 0, "ask nothing, but measure logins and puts of both, for so long each")
	timeout := flag.Duration("timeout", 20*time.Minute, "bound for the whole run")
	verbose := flag.Bool("v", false, "print every answer")
	flag.Parse()
	if *left == "" || *right == "" || flag.NArg() > 0 || (*byCertificate && *members > 1) {
		flag.Usage()
		return 2
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	ctx, cancel := context.WithTimeout(ctx, *timeout)
	defer cancel()
	counts := tally.New("authcheck", os.Stdout)
	home, err := os.MkdirTemp(*dir, "authcheck-")
	if err != nil {
		counts.Check("make a directory", err)
		return counts.Close()
	}
	defer os.RemoveAll(home)
	how := how{members: *members, byGateway: *byGateway}
	if *byCertificate {
		if how.authority, err = certificates.New(home); !counts.Check("make certificates", err) {
			return counts.Close()
		}
	}
	var sides [2]*side
	for i, command := range []string{*left, *right} {
		sides[i], err = start(ctx, strings.Fields(command), filepath.Join(home, []string{"left", "right"}[i]), how)
		if !counts.Check("start "+[]string{"left", "right"}[i], err) {
			return counts.Close()
		}
		defer sides[i].close()
	}
	if *logins > 0 {
		measureLogins(ctx, sides, *logins, counts)
		return counts.Close()
	}
	asking := callers
	if *secret != "" {
		made, err := elsewhere(ctx, sides, *secret)
		if !counts.Check("make tokens", err) {
			return counts.Close()
		}
		asking = append(asking, made...)
	}
	judge(ctx, sides, counts, asking, max(1, *every), *verbose)
	counts.Check("all 49 RPCs were asked", missing(sides[0].asked))
	return counts.Close()
}

// elsewhere are callers with tokens that we make ourselves; both sides must be at the same revision of users.
func elsewhere(ctx context.Context, sides [2]*side, file string) ([]caller, error) {
	key, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	var revisions [2]uint64
	for i, s := range sides {
		status, err := pb.NewAuthClient(s.admin).AuthStatus(s.root(ctx), &pb.AuthStatusRequest{})
		if err != nil {
			return nil, err
		}
		revisions[i] = status.AuthRevision
	}
	if revisions[0] != revisions[1] {
		return nil, fmt.Errorf("revision %d on the left, %d on the right", revisions[0], revisions[1])
	}
	return signedCallers(key, revisions[0]), nil
}

// judge compares all answers: a check for each alarm, caller and question.
func judge(ctx context.Context, sides [2]*side, counts *tally.Tally, callers []caller, every int, verbose bool) {
	for a, alarm := range alarms {
		for c, caller := range callers {
			for _, s := range sides {
				if err := s.prepare(ctx, alarm); err != nil {
					counts.Check(fmt.Sprintf("%s, %s: prepare", alarm.name, caller.name), err)
					return
				}
			}
			compareAll(ctx, sides, counts, verbose, alarm, caller, func(question int) bool { return (question+a+c)%every == 0 })
			var held [2]string
			for i, s := range sides {
				if err := s.unraise(ctx, alarm); err != nil {
					counts.Check(fmt.Sprintf("%s, %s: clear the alarm", alarm.name, caller.name), err)
					return
				}
				held[i] = s.dump(ctx)
			}
			counts.Check(fmt.Sprintf("%s, %s: what is stored", alarm.name, caller.name), differ(held[0], held[1]))
		}
	}
}

func compareAll(ctx context.Context, sides [2]*side, counts *tally.Tally, verbose bool, alarm alarm, caller caller, isAsked func(question int) bool) {
	for q, question := range questions {
		if !isAsked(q) {
			continue
		}
		var answers [2]string
		for i, s := range sides {
			answers[i] = s.ask(ctx, caller, question)
		}
		if verbose {
			fmt.Printf("     %s, %s: %s -> %s\n", alarm.name, caller.name, question.name, answers[0])
		}
		err := differ(answers[0], answers[1])
		if err != nil && question.known != nil && question.known(answers[0], answers[1]) {
			err = nil
		}
		counts.Check(fmt.Sprintf("%s, %s: %s", alarm.name, caller.name, question.name), err)
	}
}

func differ(left, right string) error {
	if left == right {
		return nil
	}
	return fmt.Errorf("left answers %q, right %q", left, right)
}
