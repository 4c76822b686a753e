package main

import (
	"context"
	"fmt"
	"iter"
	"maps"
	"slices"
	"strings"
	"time"

	pb "go.etcd.io/etcd/api/v3/etcdserverpb"
	clientv3 "go.etcd.io/etcd/client/v3"
)

// leaderFailed is what a write is told that the old leader took with it.
const leaderFailed = "etcdserver: request timed out, possibly due to previous leader failure"

// Of a stall below this nobody would tell; the client shares the processors with the servers.
const gapMin = 100 * time.Millisecond

// limits are what --assert demands.
type limits struct {
	median   time.Duration
	slow     int // kills above 2.5 s
	gaps     int // kills with a stall of reads above gapMin
	inFlight time.Duration
}

// An election takes at most two election timeouts of 1 s; a write that it cost shall be told within a second more.
var defaultLimits = limits{median: 1500 * time.Millisecond, slow: 2, gaps: 3, inFlight: 3 * time.Second}

func (b limits) judge(s *system) iter.Seq2[string, error] {
	f := s.figures()
	demand := func(holds bool, format string, args ...any) error {
		if holds {
			return nil
		}
		return fmt.Errorf(format, args...)
	}
	return func(yield func(string, error) bool) {
		_ = yield(fmt.Sprintf("the median time to the next write is at most %v", b.median),
			demand(f.median <= b.median, "it is %s", seconds(f.median))) &&
			yield(fmt.Sprintf("at most %d kills cost more than 2.5 s", b.slow), demand(f.above2500 <= b.slow, "%d did", f.above2500)) &&
			yield("no kill costs more than 5 s", demand(f.above5000 == 0, "%d did", f.above5000)) &&
			yield(fmt.Sprintf("at most %d times serializable reads stall for more than %v", b.gaps, gapMin),
				demand(len(f.stalls) <= b.gaps, "%s", strings.Join(f.stalls, ", "))) &&
			yield("no serializable read is refused by those that live", demand(len(f.refused) == 0, "%v", f.refused)) &&
			yield("a write under way through those that live is acknowledged, or told of the leader's failure",
				demand(len(f.foreign) == 0, "%v", f.foreign)) &&
			yield(fmt.Sprintf("it is answered within %v", b.inFlight), demand(f.latest <= b.inFlight, "the last took %s", seconds(f.latest)))
	}
}

// figures are what the table shows of a system.
type figures struct {
	median, p90, most    time.Duration
	above2500, above5000 int
	gapMedian, gapMost   time.Duration
	stalls               []string       // kills with a gap above gapMin
	refused              map[string]int // serializable reads
	inFlight, between    map[string]int // answers by their words
	onVictim             map[string]int
	foreign              map[string]int // neither acknowledged nor leaderFailed
	latest               time.Duration  // of all those answers but onVictim
}

func (s *system) figures() figures {
	f := figures{refused: map[string]int{}, inFlight: map[string]int{}, between: map[string]int{}, onVictim: map[string]int{}, foreign: map[string]int{}}
	var next, gaps []time.Duration
	for _, o := range s.killed {
		next, gaps = append(next, o.next), append(gaps, o.gap)
		if o.next > 2500*time.Millisecond {
			f.above2500++
		}
		if o.next > 5*time.Second {
			f.above5000++
		}
		if o.gap > gapMin {
			f.stalls = append(f.stalls, fmt.Sprintf("kill %d: %s on %s", o.number+1, seconds(o.gap), o.gapAt))
		}
		for _, text := range o.refused {
			f.refused[text]++
		}
		for _, a := range o.onVictim {
			f.onVictim[a.text]++
		}
		for _, a := range slices.Concat(o.inFlight, o.between) {
			f.latest = max(f.latest, a.after)
			if a.text != acknowledged && a.text != leaderFailed {
				f.foreign[a.text]++
			}
		}
		for _, a := range o.inFlight {
			f.inFlight[a.text]++
		}
		for _, a := range o.between {
			f.between[a.text]++
		}
	}
	f.median, f.p90, f.most = quantile(next, 0.5), quantile(next, 0.9), quantile(next, 1)
	f.gapMedian, f.gapMost = quantile(gaps, 0.5), quantile(gaps, 1)
	return f
}

func quantile(values []time.Duration, q float64) time.Duration {
	if len(values) == 0 {
		return 0
	}
	slices.Sort(values)
	return values[int(q*float64(len(values)-1)+0.5)]
}

// table sets the systems side by side.
func (p *plan) table() string {
	var all []figures
	header := []string{fmt.Sprintf("%d kills of the leader, %d members", len(p.systems[0].killed), p.members)}
	for _, s := range p.systems {
		all = append(all, s.figures())
		header = append(header, s.name)
	}
	rows := [][]string{header}
	row := func(what string, of func(figures) string) {
		cells := []string{what}
		for _, f := range all {
			cells = append(cells, of(f))
		}
		rows = append(rows, cells)
	}
	count := func(n int) string { return fmt.Sprint(n) }
	row("next write, median", func(f figures) string { return seconds(f.median) })
	row("next write, p90", func(f figures) string { return seconds(f.p90) })
	row("next write, longest", func(f figures) string { return seconds(f.most) })
	row("  above 2.5 s", func(f figures) string { return count(f.above2500) })
	row("  above 5 s", func(f figures) string { return count(f.above5000) })
	row("serializable reads stall, median", func(f figures) string { return seconds(f.gapMedian) })
	row("serializable reads stall, longest", func(f figures) string { return seconds(f.gapMost) })
	row("  above 100 ms", func(f figures) string { return count(len(f.stalls)) })
	row("under way: the last answer after", func(f figures) string { return seconds(f.latest) })
	for _, group := range []struct {
		what string
		of   func(figures) map[string]int
	}{
		{"in flight through the others", func(f figures) map[string]int { return f.inFlight }},
		{"begun before the next write", func(f figures) map[string]int { return f.between }},
		{"in flight on the killed one", func(f figures) map[string]int { return f.onVictim }},
	} {
		texts := map[string]bool{}
		for _, f := range all {
			for text := range group.of(f) {
				texts[text] = true
			}
		}
		for _, text := range slices.Sorted(maps.Keys(texts)) {
			row(group.what+": "+text, func(f figures) string { return count(group.of(f)[text]) })
		}
	}
	return aligned(rows)
}

func aligned(rows [][]string) string {
	widths := make([]int, len(rows[0]))
	for _, row := range rows {
		for i, cell := range row {
			widths[i] = max(widths[i], len(cell))
		}
	}
	var out strings.Builder
	for _, row := range rows {
		fmt.Fprintf(&out, "%-*s", widths[0], row[0])
		for i, cell := range row[1:] {
			fmt.Fprintf(&out, "  %*s", widths[i+1], cell)
		}
		out.WriteByte('\n')
	}
	return out.String()
}

// readBack demands of every put of the run: it is there if it was acknowledged, at that revision, and it happened once
// at most.
func (s *system) readBack(ctx context.Context) (string, error) {
	there := map[string]state{}
	for next, end := []byte("kill/"), []byte(clientv3.GetPrefixRangeEnd("kill/")); ; {
		page, err := s.cluster.Members[0].KV.Range(ctx, &pb.RangeRequest{Key: next, RangeEnd: end, Limit: 10_000})
		if err != nil {
			return "read everything back", err
		}
		for _, kv := range page.Kvs {
			if string(kv.Value) != string(kv.Key) {
				return "read everything back", fmt.Errorf("%s has another value: %q", kv.Key, kv.Value)
			}
			there[string(kv.Key)] = state{kv.ModRevision, kv.Version}
			next = append(kv.Key, 0)
		}
		if !page.More {
			break
		}
	}
	acked, unknown, happened := 0, 0, 0
	for _, p := range s.puts {
		kv, isThere := there[p.key]
		delete(there, p.key)
		if p.revision != 0 {
			acked++
			if !isThere || kv.mod != p.revision {
				return "read everything back", fmt.Errorf("%s was acknowledged at revision %d; what is there is %+v", p.key, p.revision, kv)
			}
		} else {
			unknown++
			if isThere {
				happened++
			}
		}
		if isThere && kv.version != 1 {
			return "read everything back", fmt.Errorf("%s was written once and happened %d times", p.key, kv.version)
		}
	}
	for key := range there {
		return "read everything back", fmt.Errorf("%s is there, but nobody wrote it", key)
	}
	return fmt.Sprintf("all %d acknowledged puts are there; of %d others %d happened; none twice", acked, unknown, happened), nil
}

// state is what the store says of a key.
type state struct{ mod, version int64 }
