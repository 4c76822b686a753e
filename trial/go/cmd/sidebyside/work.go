package main

import (
	"bytes"
	"errors"
	"fmt"

	pb "go.etcd.io/etcd/api/v3/etcdserverpb"
	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"

	"quoin.dev/trial/internal/load"
)

func value() []byte { return bytes.Repeat([]byte{'v'}, valueBytes) }

// keyOf is a key of 8 bytes: a letter and a number.
func keyOf(letter byte, n int) []byte {
	key := make([]byte, keyBytes)
	writeKey(key, letter, n)
	return key
}

func writeKey(key []byte, letter byte, n int) {
	key[0] = letter
	for i := keyBytes - 1; i > 0; i-- {
		key[i] = byte('0' + n%10)
		n /= 10
	}
}

// template is an encoded message with a key in it that can be replaced.
type template struct {
	message []byte
	key     int // where
}

func newTemplate(message proto.Message) template {
	encoded, err := proto.Marshal(message)
	if err != nil {
		panic(err) // ours, and well-formed
	}
	return template{encoded, bytes.Index(encoded, keyOf('?', 0))}
}

func (t template) append(message []byte, letter byte, n int) []byte {
	at := len(message) + t.key
	message = append(message, t.message...)
	writeKey(message[at:at+keyBytes], letter, n)
	return message
}

// spread visits the keys in an order that is no order, the same in every run.
func spread(n int) int { return n * 7919 % keysCount }

// revisions are the last each slot has seen. A slot has one request at a time: each answer is younger than the last.
type revisions map[int]int64

// follow demands that a slot's revision has grown by at least so much.
func (r revisions) follow(slot int, revision, least int64) error {
	if revision < r[slot]+least {
		return fmt.Errorf("revision %d follows %d", revision, r[slot])
	}
	r[slot] = revision
	return nil
}

// puts puts values to keys, one after the other.
type puts struct {
	template
	revisions
	letter byte
	keys   int
}

func newPuts(letter byte, keys int) *puts {
	return &puts{newTemplate(&pb.PutRequest{Key: keyOf('?', 0), Value: value()}), revisions{}, letter, keys}
}

func (*puts) Path() string { return kinds["put"].method }

func (p *puts) Append(message []byte, _, n int) []byte { return p.append(message, p.letter, n%p.keys) }

func (p *puts) Check(slot, _ int, answer []byte) error {
	revision, err := revisionOf(answer)
	if err != nil {
		return err
	}
	return p.follow(slot, revision, 1)
}

// guards puts keys, and remembers the revision of each: key n belongs to slot n of guarded updates.
type guards struct {
	*puts
	made []int64
}

func (g *guards) Check(_, n int, answer []byte) error {
	revision, err := revisionOf(answer)
	g.made[n] = revision
	return err
}

// updates are guarded: each puts its key only if nobody has since the slot's own last update. Nobody ever has.
type updates struct {
	compare template
	success template
	made    []int64 // by slot
	scratch []byte
}

func newUpdates(made []int64) *updates {
	put := &pb.PutRequest{Key: keyOf('?', 0), Value: value()}
	return &updates{
		compare: newTemplate(&pb.Compare{Result: pb.Compare_EQUAL, Target: pb.Compare_MOD, Key: keyOf('?', 0)}),
		success: newTemplate(&pb.TxnRequest{Success: []*pb.RequestOp{{Request: &pb.RequestOp_RequestPut{RequestPut: put}}}}),
		made:    made,
	}
}

// Fields of messages that are put together here, by their numbers in rpc.proto.
const (
	txnCompare         = 1
	compareModRevision = 6
)

func (*updates) Path() string { return kinds["txn"].method }

func (u *updates) Append(message []byte, slot, _ int) []byte {
	u.scratch = u.compare.append(u.scratch[:0], 'g', slot)
	u.scratch = protowire.AppendTag(u.scratch, compareModRevision, protowire.VarintType)
	u.scratch = protowire.AppendVarint(u.scratch, uint64(u.made[slot]))
	message = protowire.AppendTag(message, txnCompare, protowire.BytesType)
	message = protowire.AppendBytes(message, u.scratch)
	return u.success.append(message, 'g', slot)
}

func (u *updates) Check(slot, _ int, answer []byte) error {
	revision, succeeded := int64(0), false
	err := walk(answer, func(field protowire.Number, number uint64, content []byte) (err error) {
		switch field {
		case 1:
			revision, err = headerRevision(content)
		case 2:
			succeeded = number != 0
		}
		return err
	})
	switch {
	case err != nil:
		return err
	case !succeeded:
		return fmt.Errorf("a guard that holds, at revision %d, was refused", u.made[slot])
	case revision <= u.made[slot]:
		return fmt.Errorf("revision %d follows %d", revision, u.made[slot])
	}
	u.made[slot] = revision
	return nil
}

// gets read one key each.
type gets struct {
	template
	revisions
	serializable bool
}

func newGets(serializable bool) *gets {
	request := &pb.RangeRequest{Key: keyOf('?', 0), Serializable: serializable}
	return &gets{newTemplate(request), revisions{}, serializable}
}

func (*gets) Path() string { return kinds["get"].method }

func (g *gets) Append(message []byte, _, n int) []byte { return g.append(message, 'k', spread(n)) }

func (g *gets) Check(slot, _ int, answer []byte) error {
	var t tallied
	if err := t.scan(answer); err != nil {
		return err
	}
	if len(answer) < keyBytes+valueBytes {
		return errors.New("an answer too short for the value")
	}
	if g.serializable {
		return t.whole(1) // another member may be behind
	}
	return errors.Join(t.whole(1), g.follow(slot, t.revision, 0))
}

// list reads a thousand keys at once.
type list struct{ message []byte }

func newList() *list {
	message, err := proto.Marshal(&pb.RangeRequest{Key: keyOf('k', 1_000), RangeEnd: keyOf('k', 1_000+listedKeys)})
	if err != nil {
		panic(err)
	}
	return &list{message}
}

func (*list) Path() string { return kinds["list"].method }

func (l *list) Append(message []byte, _, _ int) []byte { return append(message, l.message...) }

func (*list) Check(_, _ int, answer []byte) error {
	var t tallied
	if err := t.scan(answer); err != nil {
		return err
	}
	return t.whole(listedKeys)
}

// revisionOf is the revision in the header of an answer, which all but those of watches have in their first field.
func revisionOf(answer []byte) (revision int64, err error) {
	err = walk(answer, func(field protowire.Number, _ uint64, content []byte) (err error) {
		if field == 1 {
			revision, err = headerRevision(content)
		}
		return err
	})
	if err == nil && revision == 0 {
		err = errors.New("an answer without a revision")
	}
	return revision, err
}

func headerRevision(header []byte) (revision int64, err error) {
	err = walk(header, func(field protowire.Number, number uint64, _ []byte) error {
		if field == 3 {
			revision = int64(number)
		}
		return nil
	})
	return revision, err
}

// tallied is what is looked at of a RangeResponse.
type tallied struct {
	keys     int
	lastKey  []byte // valid as long as the answer
	revision int64
	count    int64
	more     bool
}

func (t *tallied) scan(message []byte) error {
	var last []byte
	err := walk(message, func(field protowire.Number, number uint64, content []byte) (err error) {
		switch field {
		case 1:
			t.revision, err = headerRevision(content)
		case 2:
			t.keys++
			last = content
		case 3:
			t.more = number != 0
		case 4:
			t.count = int64(number)
		}
		return err
	})
	if err != nil || last == nil {
		return err
	}
	return walk(last, func(field protowire.Number, _ uint64, content []byte) error {
		if field == 1 {
			t.lastKey = content
		}
		return nil
	})
}

func (t tallied) whole(keys int) error {
	if t.keys != keys || t.count != int64(keys) {
		return fmt.Errorf("%d keys came, count says %d, there are %d", t.keys, t.count, keys)
	}
	return nil
}

// walk visits the fields of a message: numbers, and contents, not copied.
func walk(message []byte, visit func(field protowire.Number, number uint64, content []byte) error) error {
	for len(message) > 0 {
		field, kind, n := protowire.ConsumeTag(message)
		if n < 0 {
			return protowire.ParseError(n)
		}
		message = message[n:]
		var number uint64
		var content []byte
		switch kind {
		case protowire.BytesType:
			content, n = protowire.ConsumeBytes(message)
		case protowire.VarintType:
			number, n = protowire.ConsumeVarint(message)
		default:
			n = protowire.ConsumeFieldValue(field, kind, message)
		}
		if n < 0 {
			return protowire.ParseError(n)
		}
		message = message[n:]
		if err := visit(field, number, content); err != nil {
			return err
		}
	}
	return nil
}

var _ = []load.Work{(*puts)(nil), (*guards)(nil), (*updates)(nil), (*gets)(nil), (*list)(nil)}
