package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	pb "go.etcd.io/etcd/api/v3/etcdserverpb"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"

	"quoin.dev/trial/internal/process"
)

// side is one of the two servers, with its one connection.
type side struct {
	name   string
	server *process.Server
	conn   *grpc.ClientConn
	member uint64 // its id, which it made from its URLs
	lie    lie    // none, but in the self-test

	listeners map[string]*listener // of the watch family, as far as they are open
}

// answer is what a server said: messages, or an error. What a server may choose freely is not in it.
type answer struct {
	messages []proto.Message
	code     codes.Code
	words    string
	broken   string // a rule of the protocol that the messages break by themselves
}

func (a answer) String() string {
	if a.code != codes.OK {
		return fmt.Sprintf("%v %q", a.code, a.words)
	}
	var words []string
	for _, m := range a.messages {
		words = append(words, fmt.Sprintf("%s{%s}", m.ProtoReflect().Descriptor().Name(), text(m)))
	}
	return strings.Join(words, " ") + a.broken
}

// patience is far beyond what any request takes; a deadline that is met is a difference, even if it is met by both.
const patience = 30 * time.Second

func (s *side) connect(ctx context.Context) error {
	conn, err := process.Dial(s.server.Address())
	if err != nil {
		return err
	}
	status, err := pb.NewMaintenanceClient(conn).Status(ctx, &pb.StatusRequest{})
	if err != nil {
		return err
	}
	s.conn, s.member = conn, status.Header.MemberId
	return nil
}

// ask sends a request without symbols, and takes out of the answer what differs by right: ids and terms.
func (s *side) ask(ctx context.Context, name string, request proto.Message) answer {
	if name == "Alarm" {
		request = proto.Clone(request)
		swapMember(request, memberSelf, s.member)
	}
	if s.lie.ask != nil {
		request = proto.Clone(request)
		s.lie.ask(request)
	}
	a := s.askTruly(ctx, name, request)
	if s.lie.tell != nil {
		s.lie.tell(&a)
	}
	return a
}

func (s *side) askTruly(ctx context.Context, name string, request proto.Message) answer {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	var a answer
	switch name {
	case "RangeStream":
		a = s.stream(ctx, request.(*pb.RangeRequest))
	case "LeaseKeepAlive":
		a = s.keepAlive(ctx, request.(*pb.LeaseKeepAliveRequest))
	case "LeaseKeepAlives":
		a = s.keepAlives(ctx, request.(*pb.LeaseLeasesResponse))
	case "LeaseExpiry":
		a = s.expire(ctx, request.(*pb.LeaseGrantRequest))
	case "WatchCreate", "WatchCreateAhead", "WatchCancel", "WatchCancelAhead", "WatchProgressAhead":
		return s.watchOn(ctx, name, request)
	case "WatchSettle", "WatchHangUp":
		return answer{}
	case "GrantAndRevoke":
		a = s.grantAndRevoke(ctx, request.(*pb.LeaseGrantRequest))
	default:
		a = s.call(ctx, name, request)
	}
	for _, m := range a.messages {
		clearHeader(m)
	}
	if name == "Alarm" && a.code == codes.OK {
		swapMember(a.messages[0], s.member, memberSelf)
	}
	return a
}

func (s *side) call(ctx context.Context, name string, request proto.Message) answer {
	reply := kinds[name].answer()
	if err := s.conn.Invoke(ctx, kinds[name].method, request, reply); err != nil {
		return refused(err)
	}
	return answer{messages: []proto.Message{reply}}
}

func refused(err error) answer {
	st := status.Convert(err)
	words := st.Message()
	if len(st.Details()) > 0 {
		words = fmt.Sprintf("%s %v", words, st.Details())
	}
	return answer{code: st.Code(), words: words}
}

func clearHeader(m proto.Message) {
	field := m.ProtoReflect().Descriptor().Fields().ByName("header")
	if field == nil || !m.ProtoReflect().Has(field) {
		return
	}
	header := m.ProtoReflect().Get(field).Message()
	for _, name := range []protoreflect.Name{"cluster_id", "member_id", "raft_term"} {
		id := header.Descriptor().Fields().ByName(name)
		if header.Get(id).Uint() == 0 {
			// One that is missing must not pass.
			header.Set(id, protoreflect.ValueOfUint64(1))
			continue
		}
		header.Clear(id)
	}
}

// stream merges the messages of a stream into the answer that Range would give, and gives that of Range beside it.
func (s *side) stream(ctx context.Context, request *pb.RangeRequest) answer {
	client := pb.NewKVClient(s.conn)
	stream, err := client.RangeStream(ctx, request)
	if err != nil {
		return refused(err)
	}
	merged, sum := &pb.RangeResponse{}, answer{}
	for n := 1; ; n++ {
		message, err := stream.Recv()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return refused(err)
		}
		part := message.RangeResponse
		if merged.Header != nil {
			sum.broken += fmt.Sprintf(" BROKEN: message %d follows one with a header", n)
		}
		if part == nil || part.Header == nil && (part.More || part.Count != 0 || len(part.Kvs) == 0) {
			sum.broken += fmt.Sprintf(" BROKEN: message %d is empty, or has more or count without being the last", n)
		}
		proto.Merge(merged, part)
	}
	if merged.Header == nil {
		sum.broken += " BROKEN: no message has a header"
	}
	whole := s.call(ctx, "Range", request)
	if whole.code != codes.OK {
		return whole
	}
	clearHeader(merged)
	clearHeader(whole.messages[0])
	if !proto.Equal(merged, whole.messages[0]) {
		sum.broken += " BROKEN: Range answers " + text(whole.messages[0])
	}
	sum.messages = []proto.Message{merged}
	return sum
}

func (s *side) keepAlive(ctx context.Context, request *pb.LeaseKeepAliveRequest) answer {
	stream, err := pb.NewLeaseClient(s.conn).LeaseKeepAlive(ctx)
	if err != nil {
		return refused(err)
	}
	if err := stream.Send(request); err != nil {
		return refused(err)
	}
	reply, err := stream.Recv()
	if err != nil {
		return refused(err)
	}
	if err := stream.CloseSend(); err != nil {
		return refused(err)
	}
	if _, err := stream.Recv(); !errors.Is(err, io.EOF) {
		return refused(fmt.Errorf("after the end of the requests: %w", err))
	}
	return answer{messages: []proto.Message{reply}}
}

// keepAlives renews several leases on one stream, all before the first answer is read.
func (s *side) keepAlives(ctx context.Context, ids *pb.LeaseLeasesResponse) answer {
	stream, err := pb.NewLeaseClient(s.conn).LeaseKeepAlive(ctx)
	if err != nil {
		return refused(err)
	}
	for _, l := range ids.Leases {
		if err := stream.Send(&pb.LeaseKeepAliveRequest{ID: l.ID}); err != nil {
			return refused(err)
		}
	}
	if err := stream.CloseSend(); err != nil {
		return refused(err)
	}
	var a answer
	for {
		reply, err := stream.Recv()
		if errors.Is(err, io.EOF) {
			return a
		}
		if err != nil {
			return refused(err)
		}
		a.messages = append(a.messages, reply)
	}
}

// expire grants two leases for seconds, puts keys under both, and waits until they are gone: those of the shorter one
// first, all of a lease in one revision.
func (s *side) expire(ctx context.Context, request *pb.LeaseGrantRequest) answer {
	var a answer
	for n, ttl := range []int64{2, 5} {
		id := request.ID + int64(n)
		granted := s.call(ctx, "LeaseGrant", &pb.LeaseGrantRequest{ID: id, TTL: ttl})
		if granted.code != codes.OK {
			return granted
		}
		a.messages = append(a.messages, granted.messages...)
		for _, key := range []string{"expires b", "expires a", "expires c"} {
			put := s.call(ctx, "Put", &pb.PutRequest{Key: fmt.Appendf(nil, "%s %d", key, n), Lease: id, PrevKv: true})
			if put.code != codes.OK {
				return put
			}
			a.messages = append(a.messages, put.messages...)
		}
	}
	for left := 6; left > 0; time.Sleep(20 * time.Millisecond) {
		there := s.call(ctx, "Range", &pb.RangeRequest{Key: []byte("expires"), RangeEnd: []byte("expiret"), KeysOnly: true})
		if there.code != codes.OK {
			return there
		}
		if kvs := there.messages[0].(*pb.RangeResponse).Kvs; len(kvs) < left {
			left = len(kvs)
			a.messages = append(a.messages, there.messages...)
		}
	}
	return a
}

// grantAndRevoke leaves no lease behind. An id that the server chose is compared only for being one.
func (s *side) grantAndRevoke(ctx context.Context, request *pb.LeaseGrantRequest) answer {
	granted := s.call(ctx, "LeaseGrant", request)
	if granted.code != codes.OK {
		return granted
	}
	grant := granted.messages[0].(*pb.LeaseGrantResponse)
	revoked := s.call(ctx, "LeaseRevoke", &pb.LeaseRevokeRequest{ID: grant.ID})
	if revoked.code != codes.OK {
		return revoked
	}
	if request.ID == 0 && grant.ID > 0 {
		grant.ID = 0
	}
	return answer{messages: append(granted.messages, revoked.messages...)}
}
