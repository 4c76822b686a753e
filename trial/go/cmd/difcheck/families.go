package main

import (
	"context"
	"fmt"
	"math"
	"slices"
	"strings"

	pb "go.etcd.io/etcd/api/v3/etcdserverpb"
	"google.golang.org/grpc/codes"
)

// families are the groups of operations that a sequence draws from.
type families []string

// A family is asked for by a request that changes nothing: Unimplemented means that it is not served.
var allFamilies = []struct {
	name  string
	probe operation
}{
	{"kv", operation{"Range", &pb.RangeRequest{Key: []byte("probe")}}},
	{"stream", operation{"RangeStream", &pb.RangeRequest{Key: []byte("probe")}}},
	{"compact", operation{"Compact", &pb.CompactionRequest{Revision: math.MaxInt64}}},
	{"hash", operation{"HashKV", &pb.HashKVRequest{}}},
	{"lease", operation{"LeaseRevoke", &pb.LeaseRevokeRequest{ID: leaseNever}}},
	{"ttl", operation{"LeaseTimeToLive", &pb.LeaseTimeToLiveRequest{ID: leaseNever}}},
	{"expiry", operation{"LeaseKeepAlives", &pb.LeaseLeasesResponse{Leases: []*pb.LeaseStatus{{ID: leaseNever}}}}},
	{"watch", operation{"WatchCreate", &pb.WatchCreateRequest{Key: []byte("probe"), StartRevision: -1}}},
	{"alarm", operation{"Alarm", &pb.AlarmRequest{Action: pb.AlarmRequest_DEACTIVATE, MemberID: 1, Alarm: pb.AlarmType_NOSPACE}}},
}

func familyNames() []string {
	var names []string
	for _, f := range allFamilies {
		names = append(names, f.name)
	}
	return names
}

func familiesOf(names []string) (families, error) {
	var chosen families
	for _, f := range allFamilies {
		for _, name := range names {
			if name == f.name {
				chosen = append(chosen, name)
			}
		}
	}
	if len(chosen) != len(names) || !chosen.has("kv") {
		return nil, fmt.Errorf("%v: not families, or without kv; there are %v", names, familyNames())
	}
	return chosen, nil
}

// around is a family with those that it lives on: what is neither needed to show a lie nor told it only makes it rare.
func (f families) around(name string) families {
	needed := map[string][]string{
		"kv":     {"kv"},
		"hash":   {"kv", "compact", "hash"},
		"lease":  {"kv", "lease"},
		"expiry": {"kv", "lease", "expiry"},
		"watch":  {"kv", "lease", "watch"},
		"alarm":  {"kv", "alarm"},
	}[name]
	var chosen families
	for _, there := range f {
		if slices.Contains(needed, there) {
			chosen = append(chosen, there)
		}
	}
	return chosen
}

func (f families) has(name string) bool {
	for _, there := range f {
		if there == name {
			return true
		}
	}
	return false
}

func (f families) String() string { return strings.Join(f, ",") }

// served asks a server for each family, and has a line for each that it does not serve.
func (s *side) served(ctx context.Context) (families, []string, error) {
	var chosen families
	var unserved []string
	for _, f := range allFamilies {
		answer := s.ask(ctx, f.probe.name, f.probe.request)
		switch answer.code {
		case codes.Unimplemented:
			unserved = append(unserved, fmt.Sprintf("family %s: %s: %s", f.name, f.probe.name, answer.words))
		case codes.Unavailable, codes.DeadlineExceeded:
			return nil, nil, fmt.Errorf("%s: %s", f.probe.name, answer)
		default:
			chosen = append(chosen, f.name)
		}
	}
	if !chosen.has("kv") {
		return nil, nil, fmt.Errorf("the right server does not serve keys: %v", unserved)
	}
	return chosen, unserved, nil
}
