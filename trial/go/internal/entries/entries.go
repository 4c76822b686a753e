// Package entries says whether what stands in a write-ahead log is what etcd 3.7.1 writes and applies: each entry is decoded
// with etcd's own types, and nothing may be left over that these do not know. Other members die of less.
package entries

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"path/filepath"

	pb "go.etcd.io/etcd/api/v3/etcdserverpb"
	"go.etcd.io/etcd/server/v3/etcdserver/api/membership"
	"go.etcd.io/etcd/server/v3/storage/wal"
	"go.etcd.io/raft/v3/raftpb"
	"go.uber.org/zap"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
)

// Decode is the message in an entry: nil where there is none, as in a leader's first entry. It fails on what etcd's types do not know.
func Decode(e *raftpb.Entry) (proto.Message, error) {
	if unknown := unknownIn(e.ProtoReflect()); unknown != "" {
		return nil, fmt.Errorf("a field that etcd does not know: %s", unknown)
	}
	if len(e.GetData()) == 0 {
		return nil, nil
	}
	var message proto.Message
	switch e.GetType() {
	case raftpb.EntryNormal:
		message = &pb.InternalRaftRequest{}
	case raftpb.EntryConfChange:
		message = &raftpb.ConfChange{}
	case raftpb.EntryConfChangeV2:
		message = &raftpb.ConfChangeV2{}
	default:
		return nil, fmt.Errorf("unknown type %d", e.GetType())
	}
	if err := proto.Unmarshal(e.GetData(), message); err != nil {
		return nil, err
	}
	if unknown := unknownIn(message.ProtoReflect()); unknown != "" {
		return nil, fmt.Errorf("a field that etcd does not know: %s", unknown)
	}
	return message, nil
}

// unknownIn names the first place, at whatever depth, where a message has a field, or a number of an enumeration, that its type
// does not know; else it is empty.
func unknownIn(m protoreflect.Message) (place string) {
	if unknown := m.GetUnknown(); len(unknown) > 0 {
		return fmt.Sprintf("%s, %x", m.Descriptor().FullName(), []byte(unknown))
	}
	m.Range(func(field protoreflect.FieldDescriptor, value protoreflect.Value) bool {
		switch {
		case field.IsMap():
			value.Map().Range(func(_ protoreflect.MapKey, one protoreflect.Value) bool {
				place = unknownAs(field.MapValue(), one)
				return place == ""
			})
		case field.IsList():
			for i := 0; i < value.List().Len() && place == ""; i++ {
				place = unknownAs(field, value.List().Get(i))
			}
		default:
			place = unknownAs(field, value)
		}
		return place == ""
	})
	return place
}

func unknownAs(field protoreflect.FieldDescriptor, value protoreflect.Value) string {
	switch field.Kind() {
	case protoreflect.MessageKind, protoreflect.GroupKind:
		return unknownIn(value.Message())
	case protoreflect.EnumKind:
		if field.Enum().Values().ByNumber(value.Enum()) == nil {
			return fmt.Sprintf("%s is %d", field.FullName(), value.Enum())
		}
	}
	return ""
}

// Kind is what an entry is, in a word; it fails where etcd's members do not write such an entry, or die of it.
func Kind(e *raftpb.Entry) (string, error) {
	message, err := Decode(e)
	if err != nil {
		return "", err
	}
	switch message := message.(type) {
	case nil:
		return "empty", nil
	case *pb.InternalRaftRequest:
		return request(message)
	case *raftpb.ConfChange:
		return change(message)
	default:
		return "", fmt.Errorf("etcd's apply does not know %s", message.ProtoReflect().Descriptor().Name())
	}
}

// request names the one request that there must be: etcd panics where it finds none that it knows, or no id.
func request(r *pb.InternalRaftRequest) (string, error) {
	var found []string
	r.ProtoReflect().Range(func(field protoreflect.FieldDescriptor, _ protoreflect.Value) bool {
		if name := string(field.Name()); name != "header" {
			found = append(found, name)
		}
		return true
	})
	if r.GetHeader().GetID() == 0 {
		return "", errors.New("it has no id")
	}
	if len(found) != 1 {
		return "", fmt.Errorf("it has the requests %v", found)
	}
	if found[0] == "ID" || found[0] == "downgrade_version_test" {
		return "", fmt.Errorf("etcd 3.7.1 never writes %s", found[0])
	}
	return found[0], nil
}

// change names a change of members: etcd panics where its context is not what it expects there.
func change(c *raftpb.ConfChange) (string, error) {
	if c.GetType() == raftpb.ConfChangeRemoveNode {
		return c.GetType().String(), nil
	}
	var member membership.ConfigChangeContext
	strict := json.NewDecoder(bytes.NewReader(c.GetContext()))
	strict.DisallowUnknownFields()
	if err := strict.Decode(&member); err != nil {
		return "", fmt.Errorf("the member of a change: %w", err)
	}
	if uint64(member.ID) != c.GetNodeId() {
		return "", fmt.Errorf("a change of member %x is about %x", c.GetNodeId(), uint64(member.ID))
	}
	return c.GetType().String(), nil
}

// Scan counts, by their kinds, all entries that the log in a data directory still holds.
func Scan(data string) (map[string]int, error) {
	all, err := read(filepath.Join(data, "member", "wal"))
	if err != nil {
		return nil, err
	}
	kinds := map[string]int{}
	for _, e := range all {
		kind, err := Kind(e)
		if err != nil {
			return kinds, fmt.Errorf("entry %d: %w", e.GetIndex(), err)
		}
		kinds[kind]++
	}
	return kinds, nil
}

// ScanAll scans the logs in several data directories, of members that have run and do not any more, and returns how many entries there
// are in all.
func ScanAll(directories []string) (entries int, err error) {
	for _, data := range directories {
		kinds, wrong := Scan(data)
		if wrong == nil && len(kinds) == 0 {
			wrong = errors.New("no entry was found")
		}
		if wrong != nil {
			err = errors.Join(err, fmt.Errorf("the log in %s: %w", data, wrong))
		}
		for _, n := range kinds {
			entries += n
		}
	}
	return entries, err
}

// read takes all entries from the oldest snapshot on from which the log can be read: what stands before it may be gone in part.
func read(dir string) ([]*raftpb.Entry, error) {
	snapshots, err := wal.ValidSnapshotEntries(zap.NewNop(), dir)
	if err != nil {
		return nil, err
	}
	err = errors.New("it has no snapshot record")
	for _, at := range snapshots {
		var w *wal.WAL
		if w, err = wal.OpenForRead(zap.NewNop(), dir, at); err != nil {
			continue
		}
		var all []*raftpb.Entry
		if _, _, all, err = w.ReadAll(); err == nil { // it closes its files itself
			return all, nil
		}
	}
	return nil, fmt.Errorf("%s: %w", dir, err)
}
