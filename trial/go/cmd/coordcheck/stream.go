package main

import (
	"context"
	"fmt"
	"time"

	pb "go.etcd.io/etcd/api/v3/etcdserverpb"
)

// stream is a watch stream as it is on the wire, for what the Go client would not send or would hide.
type stream struct {
	t       *trial
	stream  pb.Watch_WatchClient
	answers chan *pb.WatchResponse
}

func (t *trial) stream() *stream {
	ctx, cancel := context.WithCancel(t.ctx)
	t.atEnd(cancel)
	wire, err := t.watch.Watch(ctx)
	t.ok("open", err)
	s := &stream{t, wire, make(chan *pb.WatchResponse, 64)}
	go func() {
		defer close(s.answers)
		for {
			answer, err := wire.Recv()
			if err != nil {
				return
			}
			select {
			case s.answers <- answer:
			case <-ctx.Done():
				return
			}
		}
	}()
	return s
}

func (s *stream) create(name string, more func(*pb.WatchCreateRequest)) {
	request := &pb.WatchCreateRequest{Key: []byte(s.t.key(name))}
	if more != nil {
		more(request)
	}
	s.send(&pb.WatchRequest{RequestUnion: &pb.WatchRequest_CreateRequest{CreateRequest: request}})
}

func (s *stream) cancel(id int64) {
	s.send(&pb.WatchRequest{RequestUnion: &pb.WatchRequest_CancelRequest{CancelRequest: &pb.WatchCancelRequest{WatchId: id}}})
}

func (s *stream) progress() {
	s.send(&pb.WatchRequest{RequestUnion: &pb.WatchRequest_ProgressRequest{ProgressRequest: &pb.WatchProgressRequest{}}})
}

func (s *stream) send(request *pb.WatchRequest) { s.t.ok("send", s.stream.Send(request)) }

// told is the next answer in short, and whole.
func (s *stream) told(what string) (string, *pb.WatchResponse) {
	answer := within(s.t, what, s.answers)
	s.t.that(answer != nil, "%s: the stream is over", what)
	line := fmt.Sprintf("watch %d", answer.WatchId)
	if answer.Created {
		line += " created"
	}
	if answer.Canceled {
		line += " canceled"
	}
	if answer.CancelReason != "" {
		line += " (" + answer.CancelReason + ")"
	}
	if answer.CompactRevision != 0 {
		line += " compacted"
	}
	for _, event := range answer.Events {
		line += " " + s.t.line(event)
	}
	return line, answer
}

func (s *stream) tells(what, want string) *pb.WatchResponse {
	line, answer := s.told(what)
	s.t.equal(what, line, want)
	return answer
}

var streamChecks = []check{
	{"ids count from 0, a wish is granted, a taken one refused", func(t *trial) {
		s := t.stream()
		s.create("a", nil)
		s.tells("the first", "watch 0 created")
		s.create("b", func(r *pb.WatchCreateRequest) { r.WatchId = 7 })
		s.tells("a wish", "watch 7 created")
		s.create("c", nil)
		s.tells("the second", "watch 1 created")
		s.create("d", func(r *pb.WatchCreateRequest) { r.WatchId = 7 })
		s.tells("the same wish", "watch -1 created canceled (mvcc: duplicate watch ID provided on the WatchStream)")
		t.put("b", "1")
		s.tells("an event", "watch 7 put b=1@1")
		s.cancel(7)
		s.tells("cancelled", "watch 7 canceled")
		s.create("d", func(r *pb.WatchCreateRequest) { r.WatchId = 7 })
		s.tells("free again", "watch 7 created")
		t.put("d", "1")
		s.tells("an event", "watch 7 put d=1@1")
	}},
	{"an empty range, a reversed one, a negative revision", func(t *trial) {
		s := t.stream()
		s.create("b", func(r *pb.WatchCreateRequest) { r.RangeEnd = []byte(t.key("a")) })
		s.tells("reversed", "watch -1 created canceled (mvcc: watcher range is empty)")
		s.create("b", func(r *pb.WatchCreateRequest) { r.RangeEnd = r.Key })
		s.tells("empty", "watch -1 created canceled (mvcc: watcher range is empty)")
		s.create("b", func(r *pb.WatchCreateRequest) { r.StartRevision = -1 })
		s.tells("negative", "watch -1 created canceled (etcdserver: mvcc: required revision has been compacted)")
		s.create("b", nil)
		s.tells("it goes on", "watch 0 created")
	}},
	{"a cancelled watch is silent, one that does not exist is not answered", func(t *trial) {
		s := t.stream()
		s.create("a", nil)
		s.tells("the first", "watch 0 created")
		s.create("a", nil)
		s.tells("the second", "watch 1 created")
		s.cancel(99)
		s.cancel(0)
		s.tells("cancelled", "watch 0 canceled")
		t.put("a", "1")
		s.tells("an event", "watch 1 put a=1@1")
	}},
	{"each watch has its own message for the same event", func(t *trial) {
		s := t.stream()
		for i := range 3 {
			s.create("a", nil)
			s.tells("created", fmt.Sprintf("watch %d created", i))
		}
		t.put("a", "1")
		seen := map[string]bool{}
		for range 3 {
			line, _ := s.told("an event")
			seen[line] = true
		}
		t.equal("messages", seen, map[string]bool{"watch 0 put a=1@1": true, "watch 1 put a=1@1": true, "watch 2 put a=1@1": true})
	}},
	{"an empty request is passed over, and so is a half-close", func(t *trial) {
		s := t.stream()
		s.send(&pb.WatchRequest{})
		s.create("a", nil)
		s.tells("created", "watch 0 created")
		t.ok("half-close", s.stream.CloseSend())
		t.put("a", "1")
		s.tells("an event", "watch 0 put a=1@1")
	}},
	{"progress comes in the order of the stream", func(t *trial) {
		s := t.stream()
		s.create("", func(r *pb.WatchCreateRequest) { r.RangeEnd = []byte(t.prefix + "\xff") })
		s.tells("created", "watch 0 created")
		events := map[int64]bool{}
		var revisions []int64
		for i := range 30 {
			revisions = append(revisions, t.put("a", fmt.Sprint(i)))
			s.progress()
		}
		last := revisions[len(revisions)-1]
		asked := time.Now()
		for {
			select {
			case answer := <-s.answers:
				t.that(answer != nil, "the stream is over")
				for _, event := range answer.Events {
					events[event.Kv.ModRevision] = true
				}
				if len(answer.Events) > 0 {
					continue
				}
				t.equal("the progress's id", answer.WatchId, int64(-1))
				for _, revision := range revisions {
					t.that(revision > answer.Header.Revision || events[revision], "progress up to %d before the event of %d", answer.Header.Revision, revision)
				}
				if answer.Header.Revision >= last {
					return
				}
			case <-time.After(100 * time.Millisecond):
			case <-t.ctx.Done():
				t.fail("no progress up to %d", last)
			}
			// What is not up to date is not answered: ask again.
			if time.Since(asked) > 100*time.Millisecond {
				asked = time.Now()
				s.progress()
			}
		}
	}},
	{"progress of a stream without a watch is not told", func(t *trial) {
		s := t.stream()
		s.progress()
		s.create("a", nil)
		s.tells("the first answer", "watch 0 created")
	}},
	{"several streams of one connection do not know each other", func(t *trial) {
		one, other := t.stream(), t.stream()
		one.create("a", nil)
		one.tells("created", "watch 0 created")
		other.create("b", nil)
		other.tells("created", "watch 0 created")
		t.put("a", "1")
		t.put("b", "1")
		one.tells("an event", "watch 0 put a=1@1")
		other.tells("an event", "watch 0 put b=1@1")
	}},
}
