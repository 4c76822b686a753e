package main

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"slices"
	"sync"

	pb "go.etcd.io/etcd/api/v3/etcdserverpb"
	"go.etcd.io/etcd/api/v3/mvccpb"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"quoin.dev/trial/internal/cluster"
	"quoin.dev/trial/internal/history"
)

const firstKey = "k"

// Etcd reads everything up to now for each batch that it sends to a watcher that is behind: from here on it is quicker to
// read each revision.
const watchedMax = 50_000

// logOf asks a member for everything that it says has happened up to a revision: by a watch from the first revision on,
// or, where none is served or there is much, by reading all keys at every revision.
func logOf(ctx context.Context, m *cluster.Member, last int64) (history.Log, error) {
	log := history.Log{Member: m.Name}
	if _, err := m.KV.Range(ctx, &pb.RangeRequest{Key: []byte(firstKey)}); err != nil { // it is as far as the others now
		return log, err
	}
	var err error
	if last <= watchedMax {
		log.Changes, err = watched(ctx, m, last)
	}
	if last > watchedMax || status.Code(err) == codes.Unimplemented {
		log.Changes, err = readAtEach(ctx, m, last)
	}
	return log, err
}

func watched(ctx context.Context, m *cluster.Member, last int64) ([]history.Change, error) {
	if last < 2 {
		return nil, nil
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	stream, err := pb.NewWatchClient(m.Conn).Watch(ctx)
	if err != nil {
		return nil, err
	}
	request := &pb.WatchCreateRequest{Key: []byte(firstKey), RangeEnd: []byte(history.KeysEnd), StartRevision: 1}
	if err := stream.Send(&pb.WatchRequest{RequestUnion: &pb.WatchRequest_CreateRequest{CreateRequest: request}}); err != nil {
		return nil, err
	}
	var changes []history.Change
	for {
		response, err := stream.Recv()
		if err != nil {
			return nil, err
		}
		if response.Canceled {
			return nil, fmt.Errorf("the watch was cancelled: %s", response.CancelReason)
		}
		for _, e := range response.Events {
			at := e.Kv.ModRevision
			if at > last {
				return ordered(changes), nil
			}
			if len(changes) == 0 || changes[len(changes)-1].Revision != at {
				changes = append(changes, history.Change{Revision: at})
			}
			change := &changes[len(changes)-1]
			change.Events = append(change.Events, event(e.Kv, e.Type == mvccpb.Event_DELETE))
		}
		if n := len(changes); n > 0 && changes[n-1].Revision == last {
			return ordered(changes), nil // all events of a revision come in one answer
		}
	}
}

func event(kv *mvccpb.KeyValue, deleted bool) history.Event {
	if deleted {
		return history.Event{KV: history.KV{Key: string(kv.Key), Mod: kv.ModRevision}, Deleted: true}
	}
	return history.Event{KV: keyValue(kv)}
}

// ordered orders the events of each revision by key: etcd sends them in the order of the transaction's parts.
func ordered(changes []history.Change) []history.Change {
	for _, change := range changes {
		slices.SortFunc(change.Events, func(a, b history.Event) int { return cmp.Compare(a.Key, b.Key) })
	}
	return changes
}

// readAtEach reads all keys at every revision; what differs from the revision before is what happened.
func readAtEach(ctx context.Context, m *cluster.Member, last int64) ([]history.Change, error) {
	const readers = 8
	states := make([][]*mvccpb.KeyValue, last+1)
	errs := make([]error, readers)
	var reading sync.WaitGroup
	for reader := range readers {
		reading.Go(func() {
			for at := int64(2 + reader); at <= last; at += readers {
				answer, err := m.KV.Range(ctx, &pb.RangeRequest{Key: []byte(firstKey), RangeEnd: []byte(history.KeysEnd), Revision: at, Serializable: true})
				if err != nil {
					errs[reader] = fmt.Errorf("read at revision %d: %w", at, err)
					return
				}
				states[at] = answer.Kvs
			}
		})
	}
	reading.Wait()
	if err := cmp.Or(errs...); err != nil {
		return nil, err
	}
	var changes []history.Change
	for at := int64(2); at <= last; at++ {
		change := history.Change{Revision: at, Events: difference(states[at-1], states[at], at)}
		if len(change.Events) > 0 {
			changes = append(changes, change) // without any it is a gap, which the checker sees
		}
	}
	return changes, nil
}

func difference(before, after []*mvccpb.KeyValue, at int64) []history.Event {
	var events []history.Event
	for len(before) > 0 || len(after) > 0 {
		order := 0
		switch {
		case len(before) == 0:
			order = 1
		case len(after) == 0:
			order = -1
		default:
			order = bytes.Compare(before[0].Key, after[0].Key)
		}
		switch {
		case order < 0:
			events = append(events, history.Event{KV: history.KV{Key: string(before[0].Key), Mod: at}, Deleted: true})
			before = before[1:]
		case order > 0:
			events = append(events, event(after[0], false))
			after = after[1:]
		default:
			if keyValue(before[0]) != keyValue(after[0]) {
				events = append(events, event(after[0], false))
			}
			before, after = before[1:], after[1:]
		}
	}
	return events
}
