// Package faults makes the disk of another process fail and stall, while it runs. The process was started with faults.so
// (trial/faults), which looks into a page of memory that both share before each call that touches a file. Linux only; a
// program that makes system calls by itself, as Go's do, is not reached.
package faults

import (
	"encoding/binary"
	"fmt"
	"os"
	"syscall"
	"time"
)

// Kind is a set of calls.
type Kind uint64

// The kinds of calls, as faults.c has them.
const (
	Write Kind = 1 << iota
	Sync
	Name // creating, renaming and deleting
	Read
	Grow // what takes space: creating, and writing into a hole or beyond the end of a file
)

// Always is a Plan's Count: nothing succeeds any more.
const Always = 1 << 62

const pageBytes = 4096

// Where things lie in the page, as faults.c has it.
const (
	atKinds   = 8 * iota
	atPlan    // delay, error, first, count
	_         // error
	_         // first
	_         // count
	atCalls   // counted
	atFailed  // failed
	atPattern // a string that ends with 0
)

// Plan is what is done to calls of some kinds on files whose path contains Path.
type Plan struct {
	Kinds Kind
	Path  string
	Delay time.Duration // before each call
	Error syscall.Errno // 0: none
	First int           // the first call that fails, from 1
	Count int           // how many fail from there on
}

// Disk is what one process sees of its disk.
type Disk struct {
	page *os.File
}

// New makes the page, a file of that name. It has to be there before the process starts.
func New(path string) (*Disk, error) {
	page, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return nil, err
	}
	return &Disk{page}, page.Truncate(pageBytes)
}

// Command is a command line of a program whose disk this is, given its own. The process is the program's.
func (d *Disk) Command(shim string, command []string) []string {
	return Command(shim, d.page.Name(), command)
}

// Command is Disk.Command for a page that will be there under this name.
func Command(shim, page string, command []string) []string {
	return append([]string{"env", "LD_PRELOAD=" + shim, "FAULTS_PAGE=" + page}, command...)
}

// Set makes the plan count from now on, in place of the one before; counts begin anew.
func (d *Disk) Set(plan Plan) error {
	if len(plan.Path) >= pageBytes-atPattern {
		return fmt.Errorf("the path %q is too long", plan.Path)
	}
	rest := make([]byte, pageBytes)
	for i, number := range []uint64{0, uint64(plan.Delay.Microseconds()), uint64(plan.Error), uint64(plan.First), uint64(plan.Count)} {
		binary.LittleEndian.PutUint64(rest[8*i:], number)
	}
	copy(rest[atPattern:], plan.Path)
	// A page of the cache is what the process has mapped. Nothing is touched while the plan is half there.
	if err := d.put(atKinds, 0); err != nil {
		return err
	}
	if _, err := d.page.WriteAt(rest[atPlan:], atPlan); err != nil {
		return err
	}
	return d.put(atKinds, uint64(plan.Kinds))
}

// Heal lets everything succeed again. Counts stay.
func (d *Disk) Heal() error { return d.put(atKinds, 0) }

// Counts says how many calls the plan was about so far, and how many of them failed.
func (d *Disk) Counts() (calls, failed int, err error) {
	both := make([]byte, 16)
	if _, err := d.page.ReadAt(both, atCalls); err != nil {
		return 0, 0, err
	}
	return int(binary.LittleEndian.Uint64(both)), int(binary.LittleEndian.Uint64(both[8:])), nil
}

// Close is for when the process has ended.
func (d *Disk) Close() error { return d.page.Close() }

func (d *Disk) put(at int64, number uint64) error {
	_, err := d.page.WriteAt(binary.LittleEndian.AppendUint64(nil, number), at)
	return err
}
