package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"time"

	pb "go.etcd.io/etcd/api/v3/etcdserverpb"

	"quoin.dev/trial/internal/faults"
	"quoin.dev/trial/internal/process"
)

// pageName is the file, beside the data directory, by which the server is told what its disk does.
const pageName = "faults"

const (
	faultPatience = 5 * time.Second        // until the call comes that is to fail
	endPatience   = 5 * time.Second        // from there until the process has ended
	livesOn       = 500 * time.Millisecond // for one that need not end
	fullFor       = 700 * time.Millisecond
	roomPatience  = 20 * time.Second // from room on a full disk until writes are taken again
	exitFailed    = 1                // the exit code of a server that ends itself
	metShare      = 0.6              // of all rounds, in which something must have failed
)

// fault is a kind of trouble with a disk. Which call fails is drawn for each round.
type fault struct {
	name    string
	kinds   faults.Kind
	path    string // part of the name of the file
	error   syscall.Errno
	upTo    int  // the first call that fails is drawn from 1 to this
	always  bool // all that follow fail as well
	mustEnd bool // the process cannot keep its promises any more
	when    moment
}

// moment is when the disk fails.
type moment int

const (
	underLoad moment = iota
	starting
	founding // the first start, on an empty directory
)

const anyCall = faults.Write | faults.Sync | faults.Name

// everyFault is what the rounds go through, again and again.
var everyFault = []fault{
	{name: "a sync of the log", kinds: faults.Sync, path: ".wal", error: syscall.EIO, upTo: 60, mustEnd: true},
	{name: "a write to the log", kinds: faults.Write, path: ".wal", error: syscall.EIO, upTo: 60, mustEnd: true},
	{name: "a sync of the ledger", kinds: faults.Sync, path: "/ledger", error: syscall.EIO, upTo: 10, mustEnd: true},
	{name: "a write to the ledger", kinds: faults.Write, path: "/ledger", error: syscall.EIO, upTo: 10},
	{name: "any call", kinds: anyCall, path: "/member", error: syscall.EIO, upTo: 200},
	{name: "any call while it starts", kinds: anyCall | faults.Read, path: "/member", error: syscall.EIO, upTo: 80, when: starting},
	{name: "all calls from one on", kinds: anyCall, path: "/member", error: syscall.EIO, upTo: 200, always: true, mustEnd: true},
	{name: "all calls from one on while it starts", kinds: anyCall | faults.Read, path: "/member", error: syscall.EIO, upTo: 40, always: true, when: starting},
	{name: "all that takes space", kinds: faults.Grow, path: "/member", error: syscall.ENOSPC, upTo: 10, always: true},
	{name: "any call of the first start", kinds: anyCall | faults.Read, path: "/member", error: syscall.EIO, upTo: 40, when: founding},
}

// faultsOf are the kinds whose names match.
func faultsOf(only string) ([]fault, error) {
	wanted, err := regexp.Compile(only)
	if err != nil {
		return nil, err
	}
	found := slices.DeleteFunc(slices.Clone(everyFault), func(f fault) bool { return !wanted.MatchString(f.name) })
	if len(found) == 0 {
		return nil, fmt.Errorf("no kind of fault is called %q", only)
	}
	return found, nil
}

// allFaults is the run with failing disks. It ends at the first failure, as the one with kills does.
func (t *trial) allFaults(home string, command []string, kinds []fault, rounds int) {
	fmt.Printf("seed %d, %d clients, %d failing disks\n", t.seed, t.clients, rounds)
	disk, err := faults.New(filepath.Join(home, pageName))
	if err != nil {
		t.counts.Check("make a disk", err)
		return
	}
	defer disk.Close()
	d := &dock{t, disk, home, command}
	took, err := t.server.Start(t.ctx, t.ready)
	if !t.counts.Check(fmt.Sprintf("first start %.2fs", took.Seconds()), err) {
		return
	}
	met := 0
	for n := 1; n <= rounds && t.ctx.Err() == nil; n++ {
		f := kinds[(n-1)%len(kinds)]
		first := 1 + t.random.IntN(f.upTo)
		what, failed, err := d.fail(n, f, first)
		if failed > 0 {
			met++
		}
		if !t.counts.Check(fmt.Sprintf("fault %d: %s, the %d. fails with %v: %s", n, f.name, first, f.error, what), err) {
			return
		}
	}
	if float64(met) < metShare*float64(rounds) {
		err = fmt.Errorf("in %d of %d rounds", met, rounds)
	}
	t.counts.Check("something failed in most rounds", err)
	what, err := t.past.recheck(t.ctx, t.server.Address(), t.random)
	t.counts.Check("at the end: "+what, err)
}

// dock is where one disk is given to servers.
type dock struct {
	*trial
	disk    *faults.Disk
	home    string
	command []string
}

// fail is one round: trouble, a restart on a disk that works, and everything acknowledged is there. It returns what became
// of the server, and how many calls have failed.
func (d *dock) fail(n int, f fault, first int) (string, int, error) {
	plan := faults.Plan{Kinds: f.kinds, Path: f.path, Error: f.error, First: first, Count: 1}
	if f.always {
		plan.Count = faults.Always
	}
	switch f.when {
	case starting:
		return d.failStart(plan)
	case founding:
		return d.failFirstStart(n, plan)
	default:
		return d.failUnderLoad(n, f, plan)
	}
}

func (d *dock) failUnderLoad(n int, f fault, plan faults.Plan) (string, int, error) {
	before, err := fetch(d.ctx, d.server.Address(), under("none"))
	if err != nil {
		return "before the load", 0, err
	}
	load := startLoad(d.ctx, d.server.Address(), n, d.seed, d.clients, d.past.counters, d.compacts)
	select {
	case <-time.After(50*time.Millisecond + upTo(d.random, 500*time.Millisecond)):
	case <-load.failed:
		return "before the fault", 0, load.failure
	}
	load.killed.Store(true) // from here on, no answer is what we wanted
	logged := d.server.LogSize()
	if err := d.disk.Set(plan); err != nil {
		return "set", 0, err
	}
	var fate string
	round, err := load.stop(before.revision, func() error {
		var err error
		fate, err = d.awaitFate(f, logged)
		return errors.Join(err, d.server.Kill()) // it may have gone on
	})
	_, failed, countErr := d.disk.Counts()
	acked, unknown := round.size()
	fate = fmt.Sprintf("%s; acked %d, unknown %d", fate, acked, unknown)
	if err := errors.Join(err, countErr, d.disk.Heal()); err != nil {
		return fate, failed, fmt.Errorf("%w; the server's log ends:\n%s", err, d.server.LogTail())
	}
	took, err := d.server.Start(d.ctx, d.ready)
	if err != nil {
		return fate, failed, err
	}
	return fmt.Sprintf("%s, restart %.2fs", fate, took.Seconds()), failed, d.past.settle(d.ctx, d.server.Address(), round, d.random)
}

// awaitFate waits for the call that fails, and for what becomes of the server. The disk works again afterwards.
func (d *dock) awaitFate(f fault, logged int64) (string, error) {
	failed, err := d.awaitFailure()
	if err != nil || failed == 0 {
		return "it did not come to that call", err
	}
	if f.error == syscall.ENOSPC {
		return d.awaitRoom(logged)
	}
	patience := livesOn
	if f.mustEnd {
		patience = endPatience
	}
	for until := time.Now().Add(patience); !d.server.Exited(); time.Sleep(5 * time.Millisecond) {
		if time.Now().Before(until) {
			continue
		}
		if f.mustEnd {
			return "it goes on", fmt.Errorf("%s has failed, and the process is still there after %v", f.name, patience)
		}
		return "it goes on", d.serves(f)
	}
	end, err := d.server.AwaitExit(endPatience)
	if err != nil {
		return "it goes on", err
	}
	return "it ended", errors.Join(clean(end), saysWhy(d.server, logged, f.error))
}

// awaitFailure waits until a call has failed.
func (d *dock) awaitFailure() (int, error) {
	for until := time.Now().Add(faultPatience); ; time.Sleep(time.Millisecond) {
		_, failed, err := d.disk.Counts()
		if err != nil || failed > 0 || time.Now().After(until) || d.ctx.Err() != nil {
			return failed, err
		}
	}
}

// serves demands that a server that has gone on still takes writes: one that changes nothing goes the same way as any other.
func (d *dock) serves(f fault) error {
	conn, err := process.Dial(d.server.Address())
	if err != nil {
		return err
	}
	defer conn.Close()
	ctx, cancel := context.WithTimeout(d.ctx, endPatience)
	defer cancel()
	_, err = pb.NewKVClient(conn).DeleteRange(ctx, &pb.DeleteRangeRequest{Key: []byte("there is no such key")})
	if err != nil && d.server.Exited() {
		return nil // it has come to its end after all, and is judged by what is there afterwards
	}
	if err != nil {
		return fmt.Errorf("%s has failed, and the process is there, but does not serve: %w", f.name, err)
	}
	return nil
}

// clean demands an exit with the code of a server that ends itself, and not by a signal.
func clean(end error) error {
	var exit *exec.ExitError
	if !errors.As(end, &exit) || exit.ExitCode() != exitFailed {
		return fmt.Errorf("the process ended with %v, not with exit code %d", end, exitFailed)
	}
	return nil
}

// saysWhy demands a last word in the log that names the file and the error.
func saysWhy(server *process.Server, logged int64, why syscall.Errno) error {
	log, err := server.LogFrom(logged)
	if err != nil {
		return err
	}
	for line := range strings.Lines(log) {
		if strings.Contains(line, `"fatal"`) && strings.Contains(line, server.Data) && strings.Contains(strings.ToLower(line), why.Error()) {
			return nil
		}
	}
	return fmt.Errorf("no fatal line names a file and %q", why)
}

// awaitRoom demands that a server with a full disk says so, serves what it has, and takes writes again once there is room.
func (d *dock) awaitRoom(logged int64) (string, error) {
	time.Sleep(fullFor)
	if d.server.Exited() {
		return "it ended", errors.New("a full disk is no reason to end")
	}
	if _, err := fetch(d.ctx, d.server.Address(), under("c/")); err != nil {
		return "it does not serve", err
	}
	log, err := d.server.LogFrom(logged)
	if err == nil && !strings.Contains(log, "the disk is full") {
		err = errors.New("the log does not say that the disk is full")
	}
	if err != nil {
		return "it goes on", err
	}
	if err := d.disk.Heal(); err != nil {
		return "heal", err
	}
	began := time.Now()
	for {
		err := d.serves(fault{name: "a full disk"})
		if err == nil {
			return fmt.Sprintf("it waits, and takes writes %.2fs after there is room", time.Since(began).Seconds()), nil
		}
		if time.Since(began) > roomPatience {
			return "it does not recover", err
		}
		time.Sleep(50 * time.Millisecond)
	}
}

// failStart kills the server, and has its disk fail while it starts again.
func (d *dock) failStart(plan faults.Plan) (string, int, error) {
	if err := d.server.Kill(); err != nil {
		return "kill", 0, err
	}
	fate, failed, err := d.startOn(d.server, plan)
	if err != nil {
		return fate, failed, err
	}
	took, err := d.server.Start(d.ctx, d.ready)
	if err != nil {
		return fate, failed, err
	}
	return fmt.Sprintf("%s, restart %.2fs", fate, took.Seconds()), failed, d.past.unchanged(d.ctx, d.server.Address())
}

// startOn starts a server on a failing disk. Whatever becomes of it, it does not run afterwards, and the disk works again.
func (d *dock) startOn(server *process.Server, plan faults.Plan) (string, int, error) {
	logged := server.LogSize()
	if err := d.disk.Set(plan); err != nil {
		return "set", 0, err
	}
	_, started := server.Start(d.ctx, d.ready)
	_, failed, err := d.disk.Counts()
	err = errors.Join(err, d.disk.Heal(), server.Kill())
	switch {
	case err != nil:
		return "count", failed, err
	case started == nil && failed == 0:
		return "it did not come to that call", 0, nil
	case started == nil:
		return "it starts all the same", failed, nil
	case failed == 0:
		return "nothing has failed", 0, started
	}
	err = clean(started)
	if err == nil {
		err = saysWhy(server, logged, plan.Error)
	}
	if err != nil {
		err = fmt.Errorf("%w: %w", err, started)
	}
	return "it refused to start", failed, err
}

// failFirstStart has the disk fail under a server that founds its cluster, elsewhere, and starts it once more.
func (d *dock) failFirstStart(n int, plan faults.Plan) (string, int, error) {
	dir := filepath.Join(d.home, fmt.Sprint("elsewhere-", n))
	if err := os.Mkdir(dir, 0o700); err != nil {
		return "elsewhere", 0, err
	}
	server, err := process.New(d.command, dir)
	if err != nil {
		return "elsewhere", 0, err
	}
	plan.Path = server.Data // the other server goes on
	fate, failed, err := d.startOn(server, plan)
	if err != nil {
		return fate, failed, err
	}
	took, err := server.Start(d.ctx, d.ready)
	return fmt.Sprintf("%s, then starts in %.2fs", fate, took.Seconds()), failed, errors.Join(err, server.Kill())
}
