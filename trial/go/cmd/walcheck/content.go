package main

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"os"

	pb "go.etcd.io/etcd/api/v3/etcdserverpb"
	"go.etcd.io/etcd/server/v3/storage/wal/walpb"
	"go.etcd.io/raft/v3/raftpb"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"

	"quoin.dev/trial/internal/entries"
)

// content is what a reader finds in a WAL: the last value of what is overwritten, and every entry that still counts.
type content struct {
	metadata  []byte
	state     *raftpb.HardState
	snapshots []*walpb.Snapshot
	entries   []*raftpb.Entry
}

// The lines below are the contract with whoever compares them: ids are hexadecimal as etcd prints them, everything
// else is a number, and a field that a record lacks is its zero.

type metadataLine struct {
	Kind    string `json:"kind"`
	Node    string `json:"node"`
	Cluster string `json:"cluster"`
}

type stateLine struct {
	Kind   string `json:"kind"`
	Term   uint64 `json:"term"`
	Vote   string `json:"vote"`
	Commit uint64 `json:"commit"`
}

type snapshotLine struct {
	Kind     string   `json:"kind"`
	Index    uint64   `json:"index"`
	Term     uint64   `json:"term"`
	Voters   []string `json:"voters"`
	Learners []string `json:"learners"`
}

type entryLine struct {
	Kind    string          `json:"kind"`
	Index   uint64          `json:"index"`
	Term    uint64          `json:"term"`
	Type    string          `json:"type"`
	Len     int             `json:"len"`
	SHA256  string          `json:"sha256"`
	Request json.RawMessage `json:"request,omitempty"`
}

// print writes the content as JSON lines. With decode, it returns an error that names the first entry whose data is
// not what etcd's apply would find there.
func (c content) print(decode bool) error {
	out := bufio.NewWriter(os.Stdout)
	defer out.Flush()
	lines := json.NewEncoder(out)

	var metadata pb.Metadata
	if err := proto.Unmarshal(c.metadata, &metadata); err != nil {
		return fmt.Errorf("metadata: %w", err)
	}
	lines.Encode(metadataLine{"metadata", hex(metadata.GetNodeID()), hex(metadata.GetClusterID())})
	lines.Encode(stateLine{"state", c.state.GetTerm(), hex(c.state.GetVote()), c.state.GetCommit()})
	for _, s := range c.snapshots {
		lines.Encode(snapshotLine{"snapshot", s.GetIndex(), s.GetTerm(),
			hexAll(s.GetConfState().GetVoters()), hexAll(s.GetConfState().GetLearners())})
	}
	var undecoded error
	for _, e := range c.entries {
		line := entryLine{Kind: "entry", Index: e.GetIndex(), Term: e.GetTerm(), Type: e.GetType().String(),
			Len: len(e.GetData()), SHA256: fmt.Sprintf("%x", sha256.Sum256(e.GetData()))}
		if decode {
			request, err := decodeEntry(e)
			if err != nil && undecoded == nil {
				undecoded = fmt.Errorf("entry %d: %w", e.GetIndex(), err)
			}
			line.Request = request
		}
		lines.Encode(line)
	}
	return undecoded
}

// decodeEntry renders the data of an entry; a leader's empty entry has none.
func decodeEntry(e *raftpb.Entry) (json.RawMessage, error) {
	message, err := entries.Decode(e)
	if message == nil || err != nil {
		return nil, err
	}
	text, err := protojson.Marshal(message)
	if err != nil {
		return nil, err
	}
	// protojson puts blanks in by chance, on purpose: take them out.
	var compact bytes.Buffer
	if err := json.Compact(&compact, text); err != nil {
		return nil, err
	}
	return compact.Bytes(), nil
}

func hex(id uint64) string { return fmt.Sprintf("%x", id) }

func hexAll(ids []uint64) []string {
	texts := make([]string, 0, len(ids))
	for _, id := range ids {
		texts = append(texts, hex(id))
	}
	return texts
}
