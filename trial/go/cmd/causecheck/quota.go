package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"quoin.dev/trial/internal/cluster"
)

const (
	quotaPeriod = 300 * time.Millisecond // thrice the kernel's own, so that what waits from one to the next is slow by any measure
	quotaShare  = 36 * time.Millisecond  // of each period, for all threads together
)

// errNoGroups is that this machine, or this user, has no control groups to limit a process with.
var errNoGroups = errors.New("no control group can be made here")

// group is a control group of the kernel that limits the processor time of what is in it, as a container does.
type group struct{ dir, parent string }

// throttled makes a group with a small quota, and puts a process into it.
func throttled(pid int) (*group, error) {
	name := fmt.Sprintf("causecheck-%d", os.Getpid())
	period, quota := strconv.FormatInt(quotaPeriod.Microseconds(), 10), strconv.FormatInt(quotaShare.Microseconds(), 10)
	for _, version := range []struct {
		parent string
		files  [][2]string
	}{
		{"/sys/fs/cgroup/cpu", [][2]string{{"cpu.cfs_period_us", period}, {"cpu.cfs_quota_us", quota}}},
		{"/sys/fs/cgroup", [][2]string{{"cpu.max", quota + " " + period}}},
	} {
		g := &group{filepath.Join(version.parent, name), version.parent}
		if os.Mkdir(g.dir, 0o755) != nil {
			continue
		}
		err := error(nil)
		for _, file := range version.files {
			err = errors.Join(err, write(filepath.Join(g.dir, file[0]), file[1]))
		}
		if err == nil {
			err = g.add(g.dir, pid)
		}
		if err == nil {
			return g, nil
		}
		os.Remove(g.dir)
	}
	return nil, errNoGroups
}

func (g *group) add(dir string, pid int) error {
	return write(filepath.Join(dir, "cgroup.procs"), strconv.Itoa(pid))
}

// free puts the process back, and takes the group away, once the kernel has let go of it.
func (g *group) free(pid int) error {
	err := g.add(g.parent, pid)
	for range 100 {
		if os.Remove(g.dir) == nil {
			return err
		}
		time.Sleep(10 * time.Millisecond)
	}
	return errors.Join(err, fmt.Errorf("%s cannot be removed", g.dir))
}

// write writes into a file that is there: to make one is not how the kernel is told anything.
func write(file, text string) error {
	f, err := os.OpenFile(file, os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	_, err = f.WriteString(text)
	return errors.Join(err, f.Close())
}

// throttle gives a member a small share of a processor.
func (t *trial) throttle(asked *cluster.Member) (func() error, error) {
	g, err := throttled(asked.PID())
	if err != nil {
		return nil, err
	}
	return func() error { return g.free(asked.PID()) }, nil
}
