package main

import (
	"fmt"
	"math"
	"math/rand/v2"
	"strings"

	pb "go.etcd.io/etcd/api/v3/etcdserverpb"
	clientv3 "go.etcd.io/etcd/client/v3"
	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"
)

// generator makes a sequence from a seed. Keys collide on purpose: few of them, close to each other in every way.
type generator struct {
	*rand.Rand
	families families
	reading  bool              // in a run of reads, else of writes
	run      int               // what is left of it
	unique   int               // values that are there once
	later    map[int]operation // at which place something started must be ended
	expiries int               // how many leases may still be waited for
}

var keys = strings.Fields("a ab abc b ba c d k k0 k1 k2 k3 k4 k5 k6 k7 k8 k9 m x z")

func init() {
	keys = append(keys, "\x00", "\x00\x00", "\x01", "a\x00", "a\x00\x00", "a\xff", "a\xff\xff", "b\x00", "\xfe", "\xff", "\xff\x00", "\xff\xff")
}

// leases are the ids that are granted and named; one of them never exists, and none is 0, which the server would choose.
var leases = []int64{1, 2, 3, 4711, math.MaxInt64, -5}

const (
	leaseNever      = int64(99)
	requestBytesMax = 1_572_864 // etcd's default for one entry
	messageBytesMax = requestBytesMax + 512<<10
	bulkKeys        = 100
)

func generate(seed uint64, length int, f families, restartEvery int) []operation {
	g := &generator{Rand: rand.New(rand.NewPCG(seed, 0x1f)), families: f, later: map[int]operation{}, expiries: min(2, length/5000)}
	sequence := make([]operation, 0, length)
	for place := range length - 4 {
		next, due := g.later[place]
		switch {
		case due:
			delete(g.later, place)
		case restartEvery > 0 && g.IntN(restartEvery) == 0:
			next = operation{pick(g, "Kill", "Kill", "Stop"), nil}
		default:
			next = g.operation(place)
		}
		if next.request != nil && g.oneIn(100) {
			unknown := protowire.AppendVarint(protowire.AppendTag(nil, 1000, protowire.VarintType), 7)
			next.request.ProtoReflect().SetUnknown(unknown)
		}
		sequence = append(sequence, next)
	}
	// What all of it has left behind.
	everything := []byte{0}
	sequence = append(sequence, operation{"Range", &pb.RangeRequest{Key: everything, RangeEnd: everything}},
		operation{"Range", &pb.RangeRequest{Key: everything, RangeEnd: everything, Revision: revisionNow - 10}})
	if f.has("watch") {
		sequence = append(sequence, operation{"WatchSettle", &pb.WatchProgressRequest{}})
	}
	if f.has("hash") {
		sequence = append(sequence, operation{"HashKV", &pb.HashKVRequest{}})
	}
	return sequence
}

func pick[T any](g *generator, from ...T) T { return from[g.IntN(len(from))] }

// at keeps an operation for a place to come, or the next that is free.
func (g *generator) at(place int, o operation) {
	for _, taken := g.later[place]; taken; _, taken = g.later[place] {
		place++
	}
	g.later[place] = o
}

func (g *generator) oneIn(n int) bool { return g.IntN(n) == 0 }

// A choice is one kind of operation, with its weight among those that are served.
type choice struct {
	weight int
	family string
	make   func() operation
}

// operation chooses by weight. Reads come in runs, since they can be asked for together, and every state is worth many.
func (g *generator) operation(place int) operation {
	if g.run == 0 {
		g.reading = !g.reading
		g.run = 1 + g.IntN(5)
		if g.reading {
			g.run = 1 + g.IntN(40)
		}
	}
	g.run--
	if g.reading {
		return g.choose([]choice{
			{500, "kv", func() operation { return operation{"Range", g.read()} }},
			{60, "kv", func() operation { return operation{"Txn", g.readTxn()} }},
			{70, "stream", func() operation { return operation{"RangeStream", g.streamed()} }},
			{15, "hash", func() operation { return operation{"HashKV", &pb.HashKVRequest{Revision: g.revision()}} }},
			{20, "ttl", g.leaseRead},
		})
	}
	return g.choose([]choice{
		{560, "kv", func() operation { return operation{"Put", g.put()} }},
		{160, "kv", func() operation { return operation{"DeleteRange", g.deletion()} }},
		{240, "kv", func() operation { return operation{"Txn", g.txn(place)} }},
		{4, "kv", func() operation { return g.tooLarge(place) }},
		{40, "compact", func() operation { return operation{"Compact", g.compaction()} }},
		{80, "lease", g.lease},
		{24, "alarm", func() operation { return operation{"Alarm", g.alarm(place)} }},
		{160, "watch", g.watch},
		{12, "expiry", g.expiry},
	})
}

func (g *generator) choose(choices []choice) operation {
	sum := 0
	for _, c := range choices {
		if g.families.has(c.family) {
			sum += c.weight
		}
	}
	n := g.IntN(sum)
	for _, c := range choices {
		if !g.families.has(c.family) {
			continue
		}
		if n < c.weight {
			return c.make()
		}
		n -= c.weight
	}
	panic("the weights do not add up")
}

func (g *generator) key() []byte {
	switch {
	case g.oneIn(150):
		return nil
	case g.oneIn(15):
		return []byte(bulkKey(g.IntN(bulkKeys)))
	}
	return []byte(pick(g, keys...))
}

func bulkKey(n int) string { return fmt.Sprintf("n%03d", n) }

// interval is a key and a range end of every form: none, one zero byte, a key before or after, the end of a prefix.
func (g *generator) interval() (key, end []byte) {
	key = g.key()
	switch n := g.IntN(100); {
	case n < 30:
		return key, nil
	case n < 45:
		return key, []byte{0}
	case n < 60:
		return key, g.key()
	case n < 75:
		return key, []byte(clientv3.GetPrefixRangeEnd(string(key)))
	case n < 80:
		return key, append([]byte(string(key)), 0)
	case n < 82:
		return key, key
	case n < 85:
		return key, []byte("\xff\xff\xff")
	case n < 92:
		return []byte("k"), []byte("o")
	}
	return []byte{0}, []byte{0}
}

func (g *generator) value() []byte {
	switch n := g.IntN(1000); {
	case n < 80:
		return nil
	case n < 550:
		return []byte(pick(g, "0", "1", "2", "10", "\x00", "\xff\x00", "\xff"))
	case n < 980:
		g.unique++
		return fmt.Appendf(nil, "v%d", g.unique)
	case n < 998:
		return []byte(strings.Repeat("m", 1+g.IntN(1000)))
	}
	return []byte(strings.Repeat("l", 1+g.IntN(100_000)))
}

// revision is one to read at: mostly the newest, else close to where something happens.
func (g *generator) revision() int64 {
	switch n := g.IntN(100); {
	case n < 50:
		return 0
	case n < 75:
		return revisionNow - g.Int64N(20)
	case n < 82:
		return revisionNow - g.Int64N(200)
	case n < 87:
		return revisionNow + g.Int64N(3)
	case n < 95:
		return revisionCompacted + g.Int64N(6) - 2
	}
	return pick(g, int64(-1), -5, 1, 2, math.MaxInt64, math.MinInt64)
}

// bound is for a filter by revision: mostly none.
func (g *generator) bound() int64 {
	switch n := g.IntN(100); {
	case n < 80:
		return 0
	case n < 97:
		return revisionNow - g.Int64N(30)
	}
	return pick(g, int64(-1), 1, math.MaxInt64)
}

func (g *generator) limit() int64 {
	if g.IntN(100) < 60 {
		return 0
	}
	return pick(g, int64(1), 2, 3, 4, 5, 9, 10, 11, 20, 21, 31, 1000, -1, math.MaxInt64, math.MaxInt64-1)
}

func (g *generator) read() *pb.RangeRequest {
	r := &pb.RangeRequest{Limit: g.limit(), Revision: g.revision(), Serializable: g.oneIn(3), KeysOnly: g.oneIn(6), CountOnly: g.oneIn(8)}
	r.Key, r.RangeEnd = g.interval()
	if g.oneIn(2) {
		r.SortOrder, r.SortTarget = pb.RangeRequest_SortOrder(g.IntN(3)), pb.RangeRequest_SortTarget(g.IntN(5))
	}
	if g.oneIn(100) {
		r.SortOrder = pb.RangeRequest_SortOrder(pick(g, 3, 7, -1))
	}
	if g.oneIn(100) {
		r.SortTarget = pb.RangeRequest_SortTarget(pick(g, 5, 100, -1))
	}
	if g.oneIn(3) {
		r.MinModRevision, r.MaxModRevision = g.bound(), g.bound()
		r.MinCreateRevision, r.MaxCreateRevision = g.bound(), g.bound()
	}
	return r
}

// streamed is a read that a stream takes, mostly. Never one that names a target to sort by and no order: etcd does not
// refuse it, and sends keys twice.
func (g *generator) streamed() *pb.RangeRequest {
	r := g.read()
	if r.SortOrder == pb.RangeRequest_NONE {
		r.SortTarget = pb.RangeRequest_KEY
	}
	if !g.oneIn(10) {
		r.SortOrder, r.SortTarget = 0, 0
		r.MinModRevision, r.MaxModRevision, r.MinCreateRevision, r.MaxCreateRevision = 0, 0, 0, 0
	}
	return r
}

func (g *generator) leaseNamed() int64 {
	if !g.oneIn(4) {
		return 0
	}
	if g.oneIn(10) || !g.families.has("lease") && !g.oneIn(10) {
		return leaseNever
	}
	return pick(g, leases...)
}

func (g *generator) put() *pb.PutRequest {
	p := &pb.PutRequest{Key: g.key(), Value: g.value(), PrevKv: g.oneIn(3), Lease: g.leaseNamed()}
	if g.oneIn(12) {
		p.IgnoreValue = true
		if !g.oneIn(8) {
			p.Value = nil
		}
	}
	if g.oneIn(12) {
		p.IgnoreLease = true
		if !g.oneIn(8) {
			p.Lease = 0
		}
	}
	return p
}

func (g *generator) deletion() *pb.DeleteRangeRequest {
	d := &pb.DeleteRangeRequest{PrevKv: g.oneIn(3)}
	d.Key, d.RangeEnd = g.interval()
	if len(d.RangeEnd) > 0 && !g.oneIn(6) {
		// Else nothing would live for long.
		d.RangeEnd = append([]byte(string(d.Key)), byte(g.IntN(256)))
	}
	return d
}

func (g *generator) compaction() *pb.CompactionRequest {
	c := &pb.CompactionRequest{Physical: !g.oneIn(4)}
	switch n := g.IntN(100); {
	case n < 60:
		c.Revision = revisionNow - g.Int64N(100)
	case n < 75:
		c.Revision = revisionCompacted + 1 + g.Int64N(10)
	case n < 85:
		c.Revision = revisionNow - g.Int64N(2)
	default:
		c.Revision = g.revision()
	}
	return c
}

// tooLarge is a request about the limits on its size; what fits is deleted again soon. Not closer to the limit than the
// ids in a log entry vary in length.
func (g *generator) tooLarge(place int) operation {
	g.at(place+1+g.IntN(10), operation{"DeleteRange", &pb.DeleteRangeRequest{Key: []byte("big"), RangeEnd: []byte("c")}})
	value := []byte(strings.Repeat("t", pick(g, requestBytesMax-200, requestBytesMax+100, requestBytesMax/2, messageBytesMax+100)))
	put := &pb.PutRequest{Key: []byte("big"), Value: value}
	if g.oneIn(3) {
		other := &pb.PutRequest{Key: []byte("big2"), Value: value}
		return operation{"Txn", &pb.TxnRequest{Success: []*pb.RequestOp{putStep(put), putStep(other), deleteStep(&pb.DeleteRangeRequest{Key: []byte("c")})}}}
	}
	return operation{"Put", put}
}

func (g *generator) lease() operation {
	id := pick(g, leases...)
	switch n := g.IntN(100); {
	case n < 50:
		ttl := pick(g, int64(100_000), 1_000_000, 9_000_000_000, 9_000_000_001, math.MaxInt64)
		return operation{"LeaseGrant", &pb.LeaseGrantRequest{ID: id, TTL: ttl}}
	case n < 80:
		if g.oneIn(6) {
			id = pick(g, leaseNever, 0)
		}
		return operation{"LeaseRevoke", &pb.LeaseRevokeRequest{ID: id}}
	}
	// Ids that nobody else names: else this would end another lease.
	request := &pb.LeaseGrantRequest{ID: pick(g, int64(0), 0, 77), TTL: pick(g, int64(0), 1, 2, 5, -1, math.MinInt64)}
	return operation{"GrantAndRevoke", request}
}

// expiry is many renewals on one stream, and twice in a sequence leases that are waited for.
func (g *generator) expiry() operation {
	if g.expiries > 0 && g.oneIn(3) {
		g.expiries--
		return operation{"LeaseExpiry", &pb.LeaseGrantRequest{ID: 500 + 10*int64(g.expiries)}}
	}
	renewals := &pb.LeaseLeasesResponse{}
	for range 1 + g.IntN(8) {
		renewals.Leases = append(renewals.Leases, &pb.LeaseStatus{ID: pick(g, append(leases, leaseNever, 0)...)})
	}
	return operation{"LeaseKeepAlives", renewals}
}

// watch is something on one of the two streams.
func (g *generator) watch() operation {
	which, far := "", g.oneIn(2)
	if far {
		which = "Ahead"
	}
	switch n := g.IntN(100); {
	case n < 50:
		return operation{"WatchCreate" + which, g.watched(far)}
	case n < 70:
		return operation{"WatchCancel" + which, &pb.WatchCancelRequest{WatchId: g.watchID() + g.Int64N(3)}}
	case n < 80:
		return operation{"WatchProgressAhead", &pb.WatchProgressRequest{}}
	case n < 96:
		return operation{"WatchSettle", &pb.WatchProgressRequest{}}
	}
	return operation{"WatchHangUp", &pb.WatchProgressRequest{}}
}

// watched is a watch of whatever form. What begins in the past is on the near stream, what begins in the future on the
// other one.
func (g *generator) watched(far bool) *pb.WatchCreateRequest {
	w := &pb.WatchCreateRequest{PrevKv: g.oneIn(2), Fragment: g.oneIn(4), ProgressNotify: g.oneIn(4)}
	w.Key, w.RangeEnd = g.interval()
	if g.oneIn(2) {
		w.WatchId = g.watchID()
	}
	for g.oneIn(6) {
		w.Filters = append(w.Filters, pb.WatchCreateRequest_FilterType(pick(g, 0, 1, 1, 0, 7)))
	}
	switch n := g.IntN(100); {
	case n < 10:
		w.StartRevision = pick(g, int64(-1), -2, math.MinInt64)
	case n < 50:
	case far:
		w.StartRevision = revisionNow + 1 + g.Int64N(20)
		if g.oneIn(10) {
			w.StartRevision = math.MaxInt64
		}
	case n < 80:
		w.StartRevision = revisionNow - g.Int64N(60)
	case n < 95:
		w.StartRevision = revisionCompacted + g.Int64N(6) - 3
	default:
		w.StartRevision = 1
	}
	return w
}

func (g *generator) watchID() int64 {
	return pick(g, int64(0), 1, 2, 3, 4, 7, 100, -3, math.MaxInt64-2)
}

func (g *generator) leaseRead() operation {
	id := pick(g, append(leases, leaseNever, 0)...)
	switch g.IntN(4) {
	case 0:
		return operation{"LeaseLeases", &pb.LeaseLeasesRequest{}}
	case 1:
		return operation{"LeaseKeepAlive", &pb.LeaseKeepAliveRequest{ID: id}}
	}
	return operation{"LeaseTimeToLive", &pb.LeaseTimeToLiveRequest{ID: id, Keys: g.oneIn(2)}}
}

// alarm mostly lists. One that is raised is disarmed a few operations later: it forbids writing. An unknown action would
// make etcd dereference nil.
func (g *generator) alarm(place int) *pb.AlarmRequest {
	a := &pb.AlarmRequest{Action: pb.AlarmRequest_AlarmAction(g.IntN(3)), MemberID: pick(g, memberSelf, 0, 5),
		Alarm: pb.AlarmType(pick(g, 0, 1, 1, 2, 2, 9))}
	if a.Action == pb.AlarmRequest_ACTIVATE {
		disarm := proto.Clone(a).(*pb.AlarmRequest)
		disarm.Action = pb.AlarmRequest_DEACTIVATE
		g.at(place+1+g.IntN(12), operation{"Alarm", disarm})
	}
	return a
}
