package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	pb "go.etcd.io/etcd/api/v3/etcdserverpb"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"quoin.dev/trial/internal/process"
	"quoin.dev/trial/internal/tally"
)

// abuse is what no good client does, to one server, which must answer as etcd does, or refuse, and go on serving others
// within its memory.
type abuse struct {
	creates int
	memory  int64 // MiB

	server *process.Server
	conn   *grpc.ClientConn
	kv     pb.KVClient
	watch  pb.WatchClient
}

func (a *abuse) run(ctx context.Context, command []string, home string, counts *tally.Tally) {
	server, err := process.New(command, home)
	if !counts.Check("prepare", err) {
		return
	}
	defer server.Kill()
	if _, err := server.Start(ctx, time.Minute); !counts.Check("start", err) {
		return
	}
	a.server = server
	if a.conn, err = process.Dial(server.Address()); !counts.Check("dial", err) {
		return
	}
	defer a.conn.Close()
	a.kv, a.watch = pb.NewKVClient(a.conn), pb.NewWatchClient(a.conn)
	for _, c := range []struct {
		name string
		do   func(ctx context.Context) (string, error)
	}{
		{"requests that ask for nothing sensible", a.nonsense},
		{"a stream that is asked for too many watches", a.million},
		{"renewals on a stream that is not read", a.renewals},
		{"readers that never read", a.deaf},
		{"a thousand streams that are opened and left", a.left},
	} {
		ctx, cancel := context.WithTimeout(ctx, 10*time.Minute)
		began := time.Now()
		words, err := c.do(ctx)
		if err == nil {
			err = a.served(ctx)
		}
		if err != nil {
			time.Sleep(200 * time.Millisecond) // a server that dies may still be about to
		}
		if server.Exited() {
			counts.Check(c.name+": "+words, fmt.Errorf("the server has ended (%w); its log ends:\n%s", err, server.LogTail()))
			cancel()
			return
		}
		now, peak, measured := server.Memory()
		cancel()
		if err == nil {
			err = measured
		}
		if err == nil && a.memory > 0 && peak>>20 > a.memory {
			err = fmt.Errorf("it took %d MiB at most, more than %d", peak>>20, a.memory)
		}
		counts.Check(fmt.Sprintf("%s: %s (%.1f s, %d MiB resident, %d at most)", c.name, words, time.Since(began).Seconds(), now>>20, peak>>20), err)
	}
}

// served says whether a good client is served: a put, and a watch that is told of it.
func (a *abuse) served(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, 20*time.Second)
	defer cancel()
	s, err := a.open(ctx)
	if err != nil {
		return fmt.Errorf("a good client: %w", err)
	}
	if _, err := s.create(&pb.WatchCreateRequest{Key: []byte("good")}); err != nil {
		return fmt.Errorf("a good client: %w", err)
	}
	if _, err := a.kv.Put(ctx, &pb.PutRequest{Key: []byte("good"), Value: []byte("1")}); err != nil {
		return fmt.Errorf("a good client: put: %w", err)
	}
	r, err := s.Recv()
	if err != nil || len(r.Events) != 1 {
		return fmt.Errorf("a good client: one event, and it was %v, %w", r, err)
	}
	return nil
}

// one is a stream with its requests.
type one struct{ pb.Watch_WatchClient }

func (a *abuse) open(ctx context.Context) (one, error) {
	stream, err := a.watch.Watch(ctx)
	return one{stream}, err
}

func (s one) ask(r *pb.WatchCreateRequest) error {
	return s.Send(&pb.WatchRequest{RequestUnion: &pb.WatchRequest_CreateRequest{CreateRequest: r}})
}

func (s one) create(r *pb.WatchCreateRequest) (*pb.WatchResponse, error) {
	if err := s.ask(r); err != nil {
		return nil, err
	}
	return s.Recv()
}

// nonsense is answered in etcd's words, and the stream lives on.
func (a *abuse) nonsense(ctx context.Context) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, 20*time.Second)
	defer cancel()
	s, err := a.open(ctx)
	if err != nil {
		return "", err
	}
	for _, refused := range []struct {
		request *pb.WatchCreateRequest
		reason  string
	}{
		{&pb.WatchCreateRequest{Key: []byte("a"), StartRevision: -1}, "etcdserver: mvcc: required revision has been compacted"},
		{&pb.WatchCreateRequest{Key: []byte("b"), RangeEnd: []byte("a")}, "mvcc: watcher range is empty"},
		{&pb.WatchCreateRequest{Key: []byte("b"), RangeEnd: []byte("b")}, "mvcc: watcher range is empty"},
		{&pb.WatchCreateRequest{RangeEnd: []byte("\x00\x00"), WatchId: 7}, ""},
		{&pb.WatchCreateRequest{Key: []byte("c"), WatchId: 7}, "mvcc: duplicate watch ID provided on the WatchStream"},
		{&pb.WatchCreateRequest{Key: []byte("c"), WatchId: -5, Filters: []pb.WatchCreateRequest_FilterType{77}}, ""},
	} {
		r, err := s.create(refused.request)
		switch {
		case err != nil:
			return "", fmt.Errorf("%v: %w", refused.request, err)
		case !r.Created || r.CancelReason != refused.reason || r.Canceled != (refused.reason != "") || r.Canceled && r.WatchId != -1:
			return "", fmt.Errorf("%v is answered with %v, and not with the reason %q", refused.request, r, refused.reason)
		}
	}
	// None of these has an answer.
	for _, r := range []*pb.WatchRequest{{},
		{RequestUnion: &pb.WatchRequest_CancelRequest{CancelRequest: &pb.WatchCancelRequest{WatchId: 4711}}}} {
		if err := s.Send(r); err != nil {
			return "", err
		}
	}
	if err := s.Send(&pb.WatchRequest{RequestUnion: &pb.WatchRequest_ProgressRequest{ProgressRequest: &pb.WatchProgressRequest{}}}); err != nil {
		return "", err
	}
	if r, err := s.Recv(); err != nil || r.WatchId != -1 || len(r.Events) > 0 || r.Created || r.Canceled {
		return "", fmt.Errorf("progress after requests without an answer: %v, %w", r, err)
	}
	return "refused in etcd's words, or passed over", nil
}

// million asks for very many watches on one stream. All are created and told their events, or the server says that it
// has enough, and the others go on.
func (a *abuse) million(ctx context.Context) (string, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	s, err := a.open(ctx)
	if err != nil {
		return "", err
	}
	sent := make(chan error, 1)
	go func() {
		for n := range a.creates {
			if err := s.ask(&pb.WatchCreateRequest{Key: fmt.Appendf(nil, "million/%07d", n)}); err != nil {
				sent <- err
				return
			}
		}
		sent <- nil
	}()
	created, refusal := 0, ""
	for range a.creates {
		r, err := s.Recv()
		if err != nil {
			return fmt.Sprintf("%d created, then the stream was ended: %v", created, err), nil
		}
		if r.Canceled {
			refusal = r.CancelReason
			continue
		}
		if !r.Created || r.WatchId != int64(created) {
			return "", fmt.Errorf("after %d were created: %v", created, r)
		}
		created++
	}
	if err := <-sent; err != nil {
		return "", err
	}
	key := fmt.Appendf(nil, "million/%07d", created/2)
	if _, err := a.kv.Put(ctx, &pb.PutRequest{Key: key}); err != nil {
		return "", err
	}
	r, err := s.Recv()
	if err != nil || len(r.Events) != 1 || r.WatchId != int64(created/2) {
		return "", fmt.Errorf("an event for watch %d: %v, %w", created/2, r, err)
	}
	if refusal != "" {
		return fmt.Sprintf("%d created, the others refused: %s", created, refusal), nil
	}
	return fmt.Sprintf("%d created", created), nil
}

// renewals sends very many requests on one stream before it reads an answer. They come all, in order.
func (a *abuse) renewals(ctx context.Context) (string, error) {
	const requests = 100_000
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	stream, err := pb.NewLeaseClient(a.conn).LeaseKeepAlive(ctx)
	if err != nil {
		return "", err
	}
	sent := make(chan error, 1)
	go func() {
		for n := range int64(requests) {
			if err := stream.Send(&pb.LeaseKeepAliveRequest{ID: n + 1}); err != nil {
				sent <- err
				return
			}
		}
		sent <- stream.CloseSend()
	}()
	select {
	case <-sent:
		sent <- nil
	case <-time.After(3 * time.Second):
	}
	for n := range int64(requests) {
		r, err := stream.Recv()
		switch {
		case status.Code(err) == codes.Unimplemented:
			return "OFF: not served", nil
		case err != nil:
			return fmt.Sprintf("%d answered, then the stream was ended: %v", n, err), nil
		case r.ID != n+1 || r.TTL != 0:
			return "", fmt.Errorf("the answer to the request for lease %d, which there is not, is %v", n+1, r)
		}
	}
	return fmt.Sprintf("%d answered", requests), nil
}

const (
	deafReaders = 10
	deafPuts    = 150
	deafBytes   = 1 << 20
)

// deaf opens streams and reads nothing while much is written. A reader beside them gets everything at once; they get
// it when they begin to read, or the server has ended them: but nothing in between is left out.
func (a *abuse) deaf(ctx context.Context) (string, error) {
	var deaf []one
	for range deafReaders {
		conn, err := process.Dial(a.server.Address()) // each its own: a client that does not read takes no more from it
		if err != nil {
			return "", err
		}
		defer conn.Close()
		stream, err := pb.NewWatchClient(conn).Watch(ctx)
		if err != nil {
			return "", err
		}
		s := one{stream}
		if _, err := s.create(&pb.WatchCreateRequest{Key: []byte("deaf")}); err != nil {
			return "", err
		}
		deaf = append(deaf, s)
	}
	good, err := a.open(ctx)
	if err != nil {
		return "", err
	}
	if _, err := good.create(&pb.WatchCreateRequest{Key: []byte("deaf")}); err != nil {
		return "", err
	}
	value := []byte(strings.Repeat("d", deafBytes))
	var first, last int64
	for range deafPuts {
		answer, err := a.kv.Put(ctx, &pb.PutRequest{Key: []byte("deaf"), Value: value})
		if err != nil {
			return "", fmt.Errorf("put: %w", err)
		}
		if last = answer.Header.Revision; first == 0 {
			first = last
		}
		r, err := good.Recv()
		if err != nil || len(r.Events) != 1 || r.Events[0].Kv.ModRevision != last {
			return "", fmt.Errorf("a reader beside them is not told of revision %d: %w", last, err)
		}
	}
	whole, ended := 0, 0
	for _, s := range deaf {
		next := first
		for next <= last {
			r, err := s.Recv()
			if err != nil || r.Canceled {
				ended++
				break
			}
			for _, e := range r.Events {
				if e.Kv.ModRevision != next {
					return "", fmt.Errorf("revision %d comes, and %d was due", e.Kv.ModRevision, next)
				}
				next++
			}
		}
		if next > last {
			whole++
		}
	}
	return fmt.Sprintf("%d read %d MiB late, %d were ended", whole, deafPuts*deafBytes>>20, ended), nil
}

// left opens streams with a few watches each, and forgets them.
func (a *abuse) left(ctx context.Context) (string, error) {
	const streams, watches = 1000, 10
	for range streams {
		ctx, cancel := context.WithCancel(ctx)
		s, err := a.open(ctx)
		if err != nil {
			cancel()
			return "", err
		}
		for range watches {
			if err := s.ask(&pb.WatchCreateRequest{Key: []byte("left"), StartRevision: 1}); err != nil {
				cancel()
				return "", err
			}
		}
		_, err = s.Recv()
		cancel()
		if err != nil {
			return "", errors.Join(errors.New("the first answer"), err)
		}
	}
	return fmt.Sprintf("%d times", streams), nil
}
