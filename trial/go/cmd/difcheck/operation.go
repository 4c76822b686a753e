package main

import (
	"fmt"
	"math"
	"regexp"
	"strings"

	pb "go.etcd.io/etcd/api/v3/etcdserverpb"
	"google.golang.org/protobuf/encoding/prototext"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
)

// An operation is a name of the table below and a request, which may hold symbols instead of revisions: so it means the
// same after operations before it are left out.
type operation struct {
	name    string
	request proto.Message // nil: kill, stop
}

// A kind is how an operation is done.
type kind struct {
	method string               // empty: a way of its own, in side.ask
	answer func() proto.Message // an empty answer to fill
	reads  bool                 // changes nothing: may be asked together with its neighbours
}

var kinds = map[string]kind{
	"Range":       {"/etcdserverpb.KV/Range", func() proto.Message { return &pb.RangeResponse{} }, true},
	"RangeStream": {"", nil, true},
	"Put":         {"/etcdserverpb.KV/Put", func() proto.Message { return &pb.PutResponse{} }, false},
	"DeleteRange": {"/etcdserverpb.KV/DeleteRange", func() proto.Message { return &pb.DeleteRangeResponse{} }, false},
	"Txn":         {"/etcdserverpb.KV/Txn", func() proto.Message { return &pb.TxnResponse{} }, false},
	"Compact":     {"/etcdserverpb.KV/Compact", func() proto.Message { return &pb.CompactionResponse{} }, false},
	"HashKV":      {"/etcdserverpb.Maintenance/HashKV", func() proto.Message { return &pb.HashKVResponse{} }, true},
	"Alarm":       {"/etcdserverpb.Maintenance/Alarm", func() proto.Message { return &pb.AlarmResponse{} }, false},
	"LeaseGrant":  {"/etcdserverpb.Lease/LeaseGrant", func() proto.Message { return &pb.LeaseGrantResponse{} }, false},
	"LeaseRevoke": {"/etcdserverpb.Lease/LeaseRevoke", func() proto.Message { return &pb.LeaseRevokeResponse{} }, false},
	// A lease that the server names, or that lives for seconds only, is revoked at once.
	"GrantAndRevoke":  {"", nil, false},
	"LeaseTimeToLive": {"/etcdserverpb.Lease/LeaseTimeToLive", func() proto.Message { return &pb.LeaseTimeToLiveResponse{} }, true},
	"LeaseLeases":     {"/etcdserverpb.Lease/LeaseLeases", func() proto.Message { return &pb.LeaseLeasesResponse{} }, true},
	"LeaseKeepAlive":  {"", nil, false},
	"LeaseKeepAlives": {"", nil, false}, // several on one stream; the request only lists the ids
	"LeaseExpiry":     {"", nil, false}, // two that live for seconds, and their end

	"WatchCreate":        {"", nil, false},
	"WatchCreateAhead":   {"", nil, false},
	"WatchCancel":        {"", nil, false},
	"WatchCancelAhead":   {"", nil, false},
	"WatchProgressAhead": {"", nil, false},
	"WatchSettle":        {"", nil, false}, // compares what came so far
	"WatchHangUp":        {"", nil, false}, // ends the streams

	"Kill": {"", nil, false}, // SIGKILL for both, and start again
	"Stop": {"", nil, false}, // SIGTERM for both, and start again
}

func (o operation) reads() bool {
	if txn, ok := o.request.(*pb.TxnRequest); ok {
		return onlyRanges(txn.Success) && onlyRanges(txn.Failure)
	}
	return kinds[o.name].reads
}

func onlyRanges(steps []*pb.RequestOp) bool {
	for _, step := range steps {
		if step.GetRequestRange() == nil {
			return false
		}
	}
	return true
}

func (o operation) restarts() bool { return o.request == nil }

// Symbols in place of revisions and of a member's id. An offset of up to symbolSpan may be added to a revision's.
const (
	revisionNow       = int64(1) << 50 // the store's revision
	revisionCompacted = int64(1) << 51 // the last compaction's
	symbolSpan        = int64(1) << 20
	memberSelf        = uint64(1) << 60 // the id of the server that is asked
)

// resolve is the request with what the symbols mean now.
func resolve(request proto.Message, now, compacted int64) proto.Message {
	if request == nil {
		return nil
	}
	resolved := proto.Clone(request)
	walk(resolved.ProtoReflect(), func(m protoreflect.Message, field protoreflect.FieldDescriptor, v protoreflect.Value) {
		if field.Kind() != protoreflect.Int64Kind {
			return
		}
		switch n := v.Int(); {
		case within(n, revisionNow):
			m.Set(field, protoreflect.ValueOfInt64(now+n-revisionNow))
		case within(n, revisionCompacted):
			m.Set(field, protoreflect.ValueOfInt64(compacted+n-revisionCompacted))
		}
	})
	// etcd keeps the hash of a compaction at 0, and answers HashKV at 0, which asks for now, with that.
	if compaction, ok := resolved.(*pb.CompactionRequest); ok && compaction.Revision == 0 {
		compaction.Revision = 1
	}
	return resolved
}

func within(n, symbol int64) bool { return n >= symbol-symbolSpan && n <= symbol+symbolSpan }

// swapMember replaces one member's id by another, wherever it stands in an alarm.
func swapMember(message proto.Message, from, to uint64) {
	walk(message.ProtoReflect(), func(m protoreflect.Message, field protoreflect.FieldDescriptor, v protoreflect.Value) {
		if field.Name() == "memberID" && v.Uint() == from {
			m.Set(field, protoreflect.ValueOfUint64(to))
		}
	})
}

// walk visits every single field that is set, here and below.
func walk(m protoreflect.Message, visit func(protoreflect.Message, protoreflect.FieldDescriptor, protoreflect.Value)) {
	m.Range(func(field protoreflect.FieldDescriptor, v protoreflect.Value) bool {
		switch {
		case field.IsList() && field.Message() != nil:
			for i := range v.List().Len() {
				walk(v.List().Get(i).Message(), visit)
			}
		case field.IsList():
		case field.Message() != nil:
			walk(v.Message(), visit)
		default:
			visit(m, field, v)
		}
		return true
	})
}

var (
	quoted = regexp.MustCompile(`"(?:[^"\\]|\\.)*"`)
	blanks = regexp.MustCompile(` {2,}`)
)

const (
	textMax = 60   // characters of one value that are shown whole
	lineMax = 4000 // of one message
)

// text is a message on one line, long values shortened.
func text(m proto.Message) string {
	line := blanks.ReplaceAllString(prototext.MarshalOptions{}.Format(m), " ")
	line = quoted.ReplaceAllStringFunc(line, func(s string) string {
		if len(s) <= textMax {
			return s
		}
		return fmt.Sprintf("%s…\"(%d characters)", s[:textMax/2], len(s)-2)
	})
	if len(line) > lineMax {
		line = fmt.Sprintf("%s… (%d characters)", line[:lineMax], len(line))
	}
	return line
}

func (o operation) String() string {
	if o.request == nil {
		return o.name
	}
	words := fmt.Sprintf("%s{%s}", o.name, text(o.request))
	for symbol, name := range map[int64]string{revisionNow: "now", revisionCompacted: "compacted"} {
		words = number.ReplaceAllStringFunc(words, func(digits string) string {
			var n int64
			if fmt.Sscan(digits, &n); !within(n, symbol) || n == math.MaxInt64 {
				return digits
			}
			return strings.TrimSuffix(fmt.Sprintf("%s%+d", name, n-symbol), "+0")
		})
	}
	return words
}

var number = regexp.MustCompile(`\b\d{15,19}\b`)
