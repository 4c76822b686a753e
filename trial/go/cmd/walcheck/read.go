package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"go.etcd.io/etcd/server/v3/storage/wal"
	"go.etcd.io/etcd/server/v3/storage/wal/walpb"
	"go.etcd.io/raft/v3/raftpb"
	"go.uber.org/zap"
	"google.golang.org/protobuf/proto"

	"quoin.dev/trial/internal/tally"
)

// walDir is dir itself, or the place of the WAL when dir is a data directory.
func walDir(dir string) string {
	inside := filepath.Join(dir, "member", "wal")
	if info, err := os.Stat(inside); err == nil && info.IsDir() {
		return inside
	}
	return dir
}

// read opens the WAL in every way etcd does and prints what is in it. Each way must find the same.
func read(checks *tally.Tally, dir string, writeMode, decode bool) {
	var found content
	first := func() error {
		snapshots, err := validSnapshots(dir)
		if err != nil {
			return err
		}
		found, err = readOnly(dir, snapshots)
		return err
	}
	if !checks.Check("read-only open from the oldest snapshot reads everything", guarded(first)) {
		return
	}
	oldest, newest := found.snapshots[0], found.snapshots[len(found.snapshots)-1]

	checks.Check("Verify accepts the log", guarded(func() error {
		state, err := wal.Verify(zap.NewNop(), dir, oldest)
		if err == nil && !proto.Equal(state, found.state) {
			err = fmt.Errorf("it finds the hard state %v, not %v", state, found.state)
		}
		return err
	}))
	checks.Check("read-only open from the newest snapshot, where a restart begins", guarded(func() error {
		rest, err := openAt(wal.OpenForRead, dir, newest)
		if err != nil {
			return err
		}
		return found.matches(rest, newest)
	}))
	checks.Check("raft could start from it", found.startable())
	if writeMode {
		checks.Check("write-mode open of a copy finds the same, and goes on", guarded(func() error {
			return writeModeOnCopy(dir, found)
		}))
	}
	checks.Check("print", guarded(func() error { return found.print(decode) }))
}

// validSnapshots lists the snapshot records a restart may begin at, oldest first; etcd 3.7 dies when there is none.
func validSnapshots(dir string) ([]*walpb.Snapshot, error) {
	snapshots, err := wal.ValidSnapshotEntries(zap.NewNop(), dir)
	if err != nil {
		return nil, err
	}
	if len(snapshots) == 0 {
		return nil, errors.New("there is no valid snapshot record: etcd 3.7 would die at boot")
	}
	for _, s := range snapshots {
		if err := walpb.ValidateSnapshotForWrite(s); err != nil {
			return nil, fmt.Errorf("snapshot record %v: %w", s, err)
		}
	}
	return snapshots, nil
}

// readOnly reads from the oldest snapshot from which reading works: the records before it may lie in segments that
// are gone, although its own record is repeated nowhere.
func readOnly(dir string, snapshots []*walpb.Snapshot) (content, error) {
	var firstErr error
	for i, s := range snapshots {
		found, err := openAt(wal.OpenForRead, dir, s)
		if err == nil {
			found.snapshots = snapshots[i:]
			return found, nil
		}
		if firstErr == nil {
			firstErr = err
		}
	}
	return content{}, firstErr
}

type opener func(lg *zap.Logger, dir string, snap *walpb.Snapshot) (*wal.WAL, error)

func openAt(open opener, dir string, at *walpb.Snapshot) (content, error) {
	w, err := open(zap.NewNop(), dir, at)
	if err != nil {
		return content{}, err
	}
	// A log opened for reading closes its files itself; Close would trip over the directory it never opened.
	metadata, state, entries, err := w.ReadAll()
	if err != nil {
		return content{}, err
	}
	return content{metadata: metadata, state: state, entries: entries}, nil
}

// matches compares what was read from the snapshot at with the part of c after it.
func (c content) matches(read content, at *walpb.Snapshot) error {
	if !bytes.Equal(c.metadata, read.metadata) {
		return fmt.Errorf("metadata %x, not %x", read.metadata, c.metadata)
	}
	if !proto.Equal(c.state, read.state) {
		return fmt.Errorf("hard state %v, not %v", read.state, c.state)
	}
	var rest []*raftpb.Entry
	for _, e := range c.entries {
		if e.GetIndex() > at.GetIndex() {
			rest = append(rest, e)
		}
	}
	if len(rest) != len(read.entries) {
		return fmt.Errorf("%d entries after index %d, not %d", len(read.entries), at.GetIndex(), len(rest))
	}
	for i, e := range rest {
		if !proto.Equal(e, read.entries[i]) {
			return fmt.Errorf("entry %d differs", e.GetIndex())
		}
	}
	return nil
}

// startable says why raft would panic on this log.
func (c content) startable() error {
	last := c.snapshots[0].GetIndex()
	var term uint64
	for _, e := range c.entries {
		if e.GetIndex() != last+1 {
			return fmt.Errorf("entry %d follows entry %d", e.GetIndex(), last)
		}
		if e.GetTerm() < term {
			return fmt.Errorf("entry %d is of term %d, the one before it of term %d", e.GetIndex(), e.GetTerm(), term)
		}
		last, term = e.GetIndex(), e.GetTerm()
	}
	newest := c.snapshots[len(c.snapshots)-1]
	if commit := c.state.GetCommit(); commit < newest.GetIndex() || commit > last {
		return fmt.Errorf("commit %d is outside [%d, %d], from the newest snapshot to the last entry",
			commit, newest.GetIndex(), last)
	}
	return nil
}

// writeModeOnCopy opens a copy as a starting etcd does, which zeroes what follows the last record, appends an entry,
// and reads all of it again.
func writeModeOnCopy(dir string, want content) error {
	temp, err := os.MkdirTemp("", "walcheck-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(temp)
	copied := filepath.Join(temp, "wal")
	if err := os.CopyFS(copied, os.DirFS(dir)); err != nil {
		return fmt.Errorf("copy: %w", err)
	}
	// CopyFS keeps only the permission bits: a read-only original must still be writable here.
	if err := makeWritable(copied); err != nil {
		return err
	}

	oldest := want.snapshots[0]
	w, found, err := openForWrite(copied, oldest)
	if errors.Is(err, io.ErrUnexpectedEOF) && wal.Repair(zap.NewNop(), copied) {
		fmt.Fprintln(os.Stderr, "note: the last record was torn; cut off as etcd does at boot")
		w, found, err = openForWrite(copied, oldest)
	}
	if err != nil {
		return err
	}
	defer w.Close()
	if err := want.matches(found, oldest); err != nil {
		return err
	}

	next := oldest.GetIndex() + uint64(len(found.entries)) + 1
	added := &raftpb.Entry{Index: &next, Term: new(max(1, found.state.GetTerm())), Data: []byte("one more")}
	if err := w.Save(nil, []*raftpb.Entry{added}); err != nil {
		return fmt.Errorf("append: %w", err)
	}
	longer := want
	longer.entries = append(append([]*raftpb.Entry{}, want.entries...), added)
	again, err := openAt(wal.OpenForRead, copied, oldest)
	if err != nil {
		return fmt.Errorf("after appending one entry: %w", err)
	}
	if err := longer.matches(again, oldest); err != nil {
		return fmt.Errorf("after appending one entry: %w", err)
	}
	return nil
}

func openForWrite(dir string, at *walpb.Snapshot) (*wal.WAL, content, error) {
	w, err := wal.Open(zap.NewNop(), dir, at)
	if err != nil {
		return nil, content{}, err
	}
	metadata, state, entries, err := w.ReadAll()
	if err != nil {
		w.Close()
		return nil, content{}, err
	}
	return w, content{metadata: metadata, state: state, entries: entries}, nil
}

func makeWritable(dir string) error {
	files, err := os.ReadDir(dir)
	if err != nil {
		return err
	}
	if err := os.Chmod(dir, 0o700); err != nil {
		return err
	}
	for _, f := range files {
		if err := os.Chmod(filepath.Join(dir, f.Name()), 0o600); err != nil {
			return err
		}
	}
	return nil
}

// guarded turns a panic into an error: etcd's package panics on a record that it cannot parse.
func guarded(check func() error) (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("panic: %v", r)
		}
	}()
	return check()
}
