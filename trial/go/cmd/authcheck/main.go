// Authcheck asks two servers the same as the same callers, while access is controlled, and compares what they answer:
// every RPC that there is, in many shapes, by nobody, by tokens that are none, and by users who may this and that; under no
// alarm, under NOSPACE and under CORRUPT. It starts both servers itself. What is in the stores at the end is compared, too.
//
//	authcheck --left 'etcd …' --right 'dist/target/quoin/bin/etcd …' [--members 3]
//
// With three members it asks one that does not lead.
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

	"quoin.dev/trial/internal/tally"
)

func main() { os.Exit(run()) }

func run() int {
	left := flag.String("left", "", "command of the server that is right by definition, with {data}, {client}, {peer}, {name}, {cluster} to be filled in")
	right := flag.String("right", "", "command of the server under trial, with the same holes")
	members := flag.Int("members", 1, "how many members each has")
	dir := flag.String("dir", os.TempDir(), "where to make the directory for data and logs")
	timeout := flag.Duration("timeout", 20*time.Minute, "bound for the whole run")
	verbose := flag.Bool("v", false, "print every answer")
	flag.Parse()
	if *left == "" || *right == "" || flag.NArg() > 0 {
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
	var sides [2]*side
	for i, command := range []string{*left, *right} {
		sides[i], err = start(ctx, strings.Fields(command), filepath.Join(home, []string{"left", "right"}[i]), *members)
		if !counts.Check("start "+[]string{"left", "right"}[i], err) {
			return counts.Close()
		}
		defer sides[i].close()
	}
	judge(ctx, sides, counts, *verbose)
	return counts.Close()
}

// judge compares all answers: a check for each alarm, caller and question.
func judge(ctx context.Context, sides [2]*side, counts *tally.Tally, verbose bool) {
	for _, alarm := range alarms {
		for _, caller := range callers {
			for _, s := range sides {
				if err := s.prepare(ctx, alarm); err != nil {
					counts.Check(fmt.Sprintf("%s, %s: prepare", alarm.name, caller.name), err)
					return
				}
			}
			compareAll(ctx, sides, counts, verbose, alarm, caller)
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

func compareAll(ctx context.Context, sides [2]*side, counts *tally.Tally, verbose bool, alarm alarm, caller caller) {
	for _, question := range questions {
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
