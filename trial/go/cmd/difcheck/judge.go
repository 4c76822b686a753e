package main

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"

	gocmp "github.com/google/go-cmp/cmp"
	pb "go.etcd.io/etcd/api/v3/etcdserverpb"
	"go.etcd.io/etcd/api/v3/mvccpb"
	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/testing/protocmp"
)

// judge says how two answers differ, or nothing. It tolerates what etcd leaves to chance, and no more: the order of
// elements that are equal for the sort, which of them a limit cuts, the order of lists that have none, and the seconds
// that pass between two answers.
func (p *pair) judge(ctx context.Context, request proto.Message, answers [2]answer) string {
	left, right := answers[0], answers[1]
	switch {
	case gone(left) || gone(right):
		return "a server did not answer"
	case left.code != right.code || left.words != right.words:
		return "the errors differ"
	case left.broken != "" || right.broken != "":
		return "an answer breaks a rule"
	case len(left.messages) != len(right.messages):
		return "the numbers of messages differ"
	}
	for n := range left.messages {
		a, b := left.messages[n], right.messages[n]
		if proto.Equal(a, b) {
			continue
		}
		a, b = proto.Clone(a), proto.Clone(b)
		level(request, a, b)
		if !proto.Equal(a, b) && !p.sameHiddenOrder(ctx, request, a, b) {
			diff := blanks.ReplaceAllString(gocmp.Diff(a, b, protocmp.Transform()), " ")
			return "-left +right\n" + diff[:min(len(diff), lineMax)]
		}
	}
	return ""
}

func gone(a answer) bool { return a.code == codes.Unavailable || a.code == codes.DeadlineExceeded }

// level makes equal in both answers what may differ.
func level(request, a, b proto.Message) {
	switch request := request.(type) {
	case *pb.RangeRequest:
		levelTies(request, a.(*pb.RangeResponse))
		levelTies(request, b.(*pb.RangeResponse))
	case *pb.TxnRequest:
		levelTxn(request, a.(*pb.TxnResponse))
		levelTxn(request, b.(*pb.TxnResponse))
	case *pb.AlarmRequest:
		sortAlarms(a.(*pb.AlarmResponse))
		sortAlarms(b.(*pb.AlarmResponse))
	case *pb.LeaseGrantRequest:
		left, right := a.(*pb.LeaseGrantResponse), b.(*pb.LeaseGrantResponse)
		if request.ID == 0 && left.ID > 0 && right.ID > 0 {
			right.ID = left.ID // the server's choice; no sequence asks for it but one that was shortened
		}
	case *pb.LeaseLeasesRequest:
		sortLeases(a.(*pb.LeaseLeasesResponse))
		sortLeases(b.(*pb.LeaseLeasesResponse))
	case *pb.LeaseTimeToLiveRequest:
		left, right := a.(*pb.LeaseTimeToLiveResponse), b.(*pb.LeaseTimeToLiveResponse)
		slices.SortFunc(left.Keys, bytes.Compare)
		slices.SortFunc(right.Keys, bytes.Compare)
		const secondsApart = 60 // a restart begins a lease anew, and one server is ready sooner than the other
		if left.TTL > 0 && right.TTL > 0 && max(left.TTL-right.TTL, right.TTL-left.TTL) <= secondsApart {
			right.TTL = left.TTL
		}
	}
}

func sortAlarms(a *pb.AlarmResponse) {
	slices.SortFunc(a.Alarms, func(x, y *pb.AlarmMember) int {
		return cmp.Or(cmp.Compare(x.MemberID, y.MemberID), cmp.Compare(x.Alarm, y.Alarm))
	})
}

func sortLeases(a *pb.LeaseLeasesResponse) {
	slices.SortFunc(a.Leases, func(x, y *pb.LeaseStatus) int { return cmp.Compare(x.ID, y.ID) })
}

func levelTxn(request *pb.TxnRequest, response *pb.TxnResponse) {
	steps := request.Failure
	if response.Succeeded {
		steps = request.Success
	}
	for n, step := range steps[:min(len(steps), len(response.Responses))] {
		switch {
		case step.GetRequestRange() != nil && response.Responses[n].GetResponseRange() != nil:
			levelTies(step.GetRequestRange(), response.Responses[n].GetResponseRange())
		case step.GetRequestTxn() != nil && response.Responses[n].GetResponseTxn() != nil:
			levelTxn(step.GetRequestTxn(), response.Responses[n].GetResponseTxn())
		}
	}
}

// levelTies puts elements that the sort holds for equal into the order of their keys. If there is more, a limit has cut
// the last of these groups, and which of them are there is nobody's promise: only what they are sorted by stays.
func levelTies(request *pb.RangeRequest, response *pb.RangeResponse) {
	if request.SortTarget == pb.RangeRequest_KEY || hidesOrder(request) {
		return
	}
	kvs := response.Kvs
	for begin := 0; begin < len(kvs); {
		end := begin
		for end < len(kvs) && compareBy(request.SortTarget, kvs[begin], kvs[end]) == 0 {
			end++
		}
		slices.SortFunc(kvs[begin:end], func(x, y *mvccpb.KeyValue) int { return bytes.Compare(x.Key, y.Key) })
		if response.More && end == len(kvs) {
			for n := begin; n < end; n++ {
				kvs[n] = onlyWhatSorts(request.SortTarget, kvs[n])
			}
		}
		begin = end
	}
}

func compareBy(target pb.RangeRequest_SortTarget, a, b *mvccpb.KeyValue) int {
	a, b = onlyWhatSorts(target, a), onlyWhatSorts(target, b)
	return cmp.Or(cmp.Compare(a.Version, b.Version), cmp.Compare(a.CreateRevision, b.CreateRevision),
		cmp.Compare(a.ModRevision, b.ModRevision), bytes.Compare(a.Value, b.Value))
}

func onlyWhatSorts(target pb.RangeRequest_SortTarget, kv *mvccpb.KeyValue) *mvccpb.KeyValue {
	switch target {
	case pb.RangeRequest_VERSION:
		return &mvccpb.KeyValue{Version: kv.Version}
	case pb.RangeRequest_CREATE:
		return &mvccpb.KeyValue{CreateRevision: kv.CreateRevision}
	case pb.RangeRequest_MOD:
		return &mvccpb.KeyValue{ModRevision: kv.ModRevision}
	default:
		return &mvccpb.KeyValue{Value: kv.Value}
	}
}

// hidesOrder says that an answer is sorted by values that it does not show.
func hidesOrder(request *pb.RangeRequest) bool {
	return request.KeysOnly && request.SortTarget == pb.RangeRequest_VALUE
}

// sameHiddenOrder judges an answer that is sorted by values that it does not show: it asks the left server for these.
// Both answers must then have the same values in the same order, and the same keys unless a limit has cut.
func (p *pair) sameHiddenOrder(ctx context.Context, request, a, b proto.Message) bool {
	r, ok := request.(*pb.RangeRequest)
	if !ok || !hidesOrder(r) {
		return false
	}
	whole := p.sides[0].ask(ctx, "Range", &pb.RangeRequest{Key: r.Key, RangeEnd: r.RangeEnd, Revision: r.Revision})
	if whole.code != codes.OK {
		return false
	}
	values := map[string][]byte{}
	for _, kv := range whole.messages[0].(*pb.RangeResponse).Kvs {
		values[string(kv.Key)] = kv.Value
	}
	for _, m := range []proto.Message{a, b} {
		for _, kv := range m.(*pb.RangeResponse).Kvs {
			value, there := values[string(kv.Key)]
			if !there || len(kv.Value) > 0 {
				return false
			}
			kv.Value = value
		}
		levelTies(&pb.RangeRequest{SortTarget: r.SortTarget}, m.(*pb.RangeResponse))
	}
	return proto.Equal(a, b)
}

// census counts what was asked and how it was answered, so that a run can be seen to have asked for something.
type census map[string]map[string]int

func (c census) count(o operation, a answer) {
	outcome := "OK"
	if a.code != codes.OK {
		outcome = fmt.Sprintf("%v %q", a.code, number.ReplaceAllString(a.words, "N"))
	}
	if c[o.name] == nil {
		c[o.name] = map[string]int{}
	}
	c[o.name][outcome]++
}

func (c census) print(to interface{ WriteString(string) (int, error) }) {
	var names []string
	for name := range c {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		var outcomes []string
		for outcome, n := range c[name] {
			outcomes = append(outcomes, fmt.Sprintf("%s %d", outcome, n))
		}
		slices.Sort(outcomes)
		to.WriteString(fmt.Sprintf("%s: %s\n", name, strings.Join(outcomes, ", ")))
	}
}
