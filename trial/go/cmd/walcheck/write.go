package main

import (
	"fmt"
	"math/rand/v2"

	pb "go.etcd.io/etcd/api/v3/etcdserverpb"
	"go.etcd.io/etcd/server/v3/storage/wal"
	"go.etcd.io/etcd/server/v3/storage/wal/walpb"
	"go.etcd.io/raft/v3/raftpb"
	"go.uber.org/zap"
	"google.golang.org/protobuf/proto"

	"quoin.dev/trial/internal/tally"
)

// The member and cluster that a written log claims to belong to.
const (
	nodeID    = 0x8e9e05c52164694d
	clusterID = 0xcdf818194e3a8c32
)

// write makes the log, prints what a reader must find, and checks that etcd's own reader does find it.
func write(checks *tally.Tally, dir string, entries, seed uint64, segmentBytes int64) {
	wal.SegmentSizeBytes = segmentBytes
	var want content
	if !checks.Check("write", guarded(func() (err error) {
		want, err = writeLog(dir, entries, seed)
		return err
	})) {
		return
	}
	checks.Check("print", want.print(false))
	checks.Check("etcd's reader finds the same", guarded(func() error {
		found, err := openAt(wal.OpenForRead, dir, want.snapshots[0])
		if err != nil {
			return err
		}
		return want.matches(found, want.snapshots[0])
	}))
}

// author writes a log the way a raft member does: batches of entries, each with the hard state when it changed.
type author struct {
	log     *wal.WAL
	random  *rand.Rand
	term    uint64
	commit  uint64
	saved   uint64          // the commit index in the log; the one above may be ahead
	entries []*raftpb.Entry // what counts so far; an overwrite cuts it
}

// writeLog tells one story: three terms, commits that lag behind, a snapshot record on the way, and at the start of
// the last term a new leader that overwrites entries which no majority had.
func writeLog(dir string, entries, seed uint64) (content, error) {
	metadata, err := proto.Marshal(&pb.Metadata{NodeID: new(uint64(nodeID)), ClusterID: new(uint64(clusterID))})
	if err != nil {
		return content{}, err
	}
	log, err := wal.Create(zap.NewNop(), dir, metadata)
	if err != nil {
		return content{}, err
	}
	a := &author{log: log, random: rand.New(rand.NewPCG(seed, 0)), term: 1}
	snapshots := []*walpb.Snapshot{{Index: new(uint64(0)), Term: new(uint64(0))}}

	if err := a.save([]*raftpb.Entry{a.memberAdded()}); err != nil {
		return content{}, err
	}
	a.commit = 1
	if err := a.appendTo(entries / 3); err != nil {
		return content{}, err
	}
	a.term = 2
	if err := a.appendTo(entries / 2); err != nil {
		return content{}, err
	}
	snapshot := &walpb.Snapshot{
		Index:     new(a.commit),
		Term:      new(a.entries[a.commit-1].GetTerm()),
		ConfState: &raftpb.ConfState{Voters: []uint64{nodeID}},
	}
	if err := a.log.SaveSnapshot(snapshot); err != nil {
		return content{}, err
	}
	snapshots = append(snapshots, snapshot)
	if err := a.appendTo(entries * 2 / 3); err != nil {
		return content{}, err
	}
	if err := a.overwrittenTail(); err != nil {
		return content{}, err
	}
	if err := a.appendTo(entries); err != nil {
		return content{}, err
	}
	if a.saved != a.commit {
		if err := a.save(nil); err != nil {
			return content{}, err
		}
	}
	if err := a.log.Close(); err != nil {
		return content{}, err
	}
	return content{metadata: metadata, state: a.state(), snapshots: snapshots, entries: a.entries}, nil
}

// appendTo saves batches of 1 to 20 entries until the last index is reached; after each, some of it is committed.
func (a *author) appendTo(last uint64) error {
	for a.last() < last {
		size := min(1+a.random.Uint64N(20), last-a.last())
		var batch []*raftpb.Entry
		for i := range size {
			batch = append(batch, a.entry(a.last()+1+i))
		}
		if err := a.save(batch); err != nil {
			return err
		}
		a.commit += a.random.Uint64N(a.last() - a.commit + 1)
		// Half of the commits reach the log alone, the others only with the next batch.
		if a.saved != a.commit && a.random.IntN(2) == 0 {
			if err := a.save(nil); err != nil {
				return err
			}
		}
	}
	return nil
}

// overwrittenTail saves ten entries that are never committed, and in the next term replaces all but the first three.
func (a *author) overwrittenTail() error {
	kept := a.last() + 3
	var lost []*raftpb.Entry
	for i := range uint64(10) {
		lost = append(lost, a.entry(a.last()+1+i))
	}
	if err := a.save(lost); err != nil {
		return err
	}
	a.term++
	a.entries = a.entries[:kept]
	return a.save([]*raftpb.Entry{a.entry(kept + 1)})
}

func (a *author) save(batch []*raftpb.Entry) error {
	if err := a.log.Save(a.state(), batch); err != nil {
		return fmt.Errorf("save %d entries after %d: %w", len(batch), a.last(), err)
	}
	a.saved = a.commit
	a.entries = append(a.entries, batch...)
	return nil
}

// state is a new value each time: the log remembers the last one it was given and compares.
func (a *author) state() *raftpb.HardState {
	return &raftpb.HardState{Term: new(a.term), Vote: new(uint64(nodeID)), Commit: new(a.commit)}
}

func (a *author) last() uint64 { return uint64(len(a.entries)) }

// entry makes a normal entry with 0 to 4,096 random bytes. Protocol buffers can leave out an empty field or write
// it, so both are tried, for the data and for the type.
func (a *author) entry(index uint64) *raftpb.Entry {
	data := make([]byte, a.random.IntN(4097))
	if a.random.IntN(20) == 0 {
		data = data[:0]
	}
	for i := range data {
		data[i] = byte(a.random.Uint32())
	}
	e := &raftpb.Entry{Index: new(index), Term: new(a.term), Data: data}
	if a.random.IntN(2) == 0 {
		e.Type = raftpb.EntryNormal.Enum()
	}
	if len(data) == 0 && a.random.IntN(2) == 0 {
		e.Data = nil
	}
	return e
}

// memberAdded is the first entry of every etcd log.
func (a *author) memberAdded() *raftpb.Entry {
	change, err := proto.Marshal(&raftpb.ConfChange{
		Type:    raftpb.ConfChangeAddNode.Enum(),
		NodeId:  new(uint64(nodeID)),
		Context: []byte(`{"id":10276657743932975437,"peerURLs":["http://localhost:2380"],"name":"default"}`),
	})
	if err != nil {
		panic(err) // a value of our own that cannot fail
	}
	return &raftpb.Entry{Index: new(uint64(1)), Term: new(a.term), Type: raftpb.EntryConfChange.Enum(), Data: change}
}
