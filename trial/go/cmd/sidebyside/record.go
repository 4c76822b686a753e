package main

import (
	"cmp"
	"encoding/json"
	"math"
	"os"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"
)

// record is all that was measured, and what it was measured on. The tables and the page are made from it alone.
type record struct {
	Made    time.Time `json:"made"`
	Command []string  `json:"command"`
	Machine machine   `json:"machine"`
	Systems [2]string `json:"systems"` // ours, and the one to beat
	Rounds  int       `json:"rounds"`
	Notes   []string  `json:"notes"`
	Samples []sample  `json:"samples"`
	Curves  []curve   `json:"curves"`
}

// sample is one value, of one system in one round.
type sample struct {
	Section string  `json:"section"`
	Row     string  `json:"row"`
	Metric  string  `json:"metric"` // with its unit
	System  string  `json:"system"`
	Round   int     `json:"round"`
	Value   float64 `json:"value"`
}

// curve is how long the requests of one row waited: the wait in milliseconds at each quantile.
type curve struct {
	Section string       `json:"section"`
	Row     string       `json:"row"`
	System  string       `json:"system"`
	Round   int          `json:"round"`
	Points  [][2]float64 `json:"points"`
}

type machine struct {
	Processors int    `json:"processors"`
	Model      string `json:"model"`
	MemoryMB   int64  `json:"memoryMB"`
	Kernel     string `json:"kernel"`
	FileSystem string `json:"fileSystem"`
	Load       string `json:"loadAverage"` // before anything was started: what else was going on
}

func thisMachine(dir string) machine {
	m := machine{Processors: runtime.NumCPU(), FileSystem: filesystem(dir)}
	read := func(file string) string {
		content, _ := os.ReadFile(file) // a line that is missing is seen to be missing
		return strings.TrimSpace(string(content))
	}
	m.Kernel, m.Load = read("/proc/sys/kernel/osrelease"), read("/proc/loadavg")
	for line := range strings.Lines(read("/proc/cpuinfo")) {
		if name, model, found := strings.Cut(line, ":"); found && strings.TrimSpace(name) == "model name" {
			m.Model = strings.TrimSpace(model)
		}
	}
	var info syscall.Sysinfo_t
	if syscall.Sysinfo(&info) == nil {
		m.MemoryMB = int64(info.Totalram) * int64(info.Unit) / 1_000_000
	}
	return m
}

// filesystem names what dir lies on: figures from a memory file system would say nothing about syncing.
func filesystem(dir string) string {
	var stat syscall.Statfs_t
	if err := syscall.Statfs(dir, &stat); err != nil {
		return "an unknown file system"
	}
	names := map[int64]string{0xef53: "ext4", 0x01021994: "tmpfs", 0x794c7630: "overlayfs", 0x58465342: "xfs", 0x9123683e: "btrfs"}
	return cmp.Or(names[int64(stat.Type)], "another file system")
}

// metric is something measured, with its unit in its name.
type metric struct {
	name   string
	digits int
	more   bool // more is better
	aside  bool // of the client, not of the servers: told, not compared
	curved bool // has a picture in the page
}

var (
	perSecond  = metric{name: "requests/s", more: true, curved: true}
	p50        = metric{name: "p50 ms", digits: 2}
	p99        = metric{name: "p99 ms", digits: 2, curved: true}
	p999       = metric{name: "p99.9 ms", digits: 2}
	serverCPU  = metric{name: "server CPU µs/request", digits: 1, curved: true}
	clientCPU  = metric{name: "client CPU µs/request", digits: 1, aside: true}
	clientBusy = metric{name: "client's share of a processor", digits: 2, aside: true}
	late       = metric{name: "behind the timetable ms", digits: 1, aside: true}
	refused    = metric{name: "refused writes", aside: true}

	readySeconds = metric{name: "time to ready s", digits: 2}
	tookSeconds  = metric{name: "time s", digits: 2}
	cpuSeconds   = metric{name: "server CPU s", digits: 2}
	restMB       = metric{name: "RSS MB"}
	peakMB       = metric{name: "peak RSS MB"}

	perSecondEvents     = metric{name: "events/s", more: true, curved: true}
	cpuPerEvent         = metric{name: "server CPU µs/event", digits: 2, curved: true}
	clientPerEvent      = metric{name: "client CPU µs/event", digits: 2, aside: true}
	perSecondHandshakes = metric{name: "handshakes/s", more: true, curved: true}
	cpuPerHandshake     = metric{name: "server CPU µs/handshake", curved: true}
	clientPerHandshake  = metric{name: "client CPU µs/handshake", aside: true}

	bytesEach = metric{name: "bytes each", curved: true}
)

var metrics = []metric{perSecond, perSecondEvents, perSecondHandshakes, p50, p99, p999, serverCPU, cpuPerEvent, cpuPerHandshake, readySeconds, tookSeconds, cpuSeconds, bytesEach,
	restMB, peakMB, clientCPU, clientPerEvent, clientPerHandshake, clientBusy, late, refused}

// note is where values of one row, system and round go.
type note struct {
	*record
	section, row, system string
	round                int
}

func (r *record) at(section, row, system string, round int) note {
	return note{r, section, row, system, round}
}

func (n note) add(m metric, value float64) {
	n.Samples = append(n.Samples, sample{n.section, n.row, m.name, n.system, n.round, value})
}

// waits adds percentiles, and the curve that they are points of.
func (n note) waits(waits *hdrhistogram.Histogram) {
	at := func(percent float64) float64 { return float64(waits.ValueAtQuantile(percent)) / 1e6 }
	n.add(p50, at(50))
	n.add(p99, at(99))
	n.add(p999, at(99.9))
	c := curve{n.section, n.row, n.system, n.round, nil}
	// From the fastest to one in as many as there are, each step halving the rest in three.
	for rest := 1.0; rest*float64(waits.TotalCount()) >= 1; rest /= 1.26 {
		c.Points = append(c.Points, [2]float64{1 - rest, at(100 * (1 - rest))})
	}
	n.Curves = append(n.Curves, c)
}

// sections are the names of the sections, and rowsOf those of a section's rows, in the order in which they were measured.
func (r *record) sections() []string {
	return inOrder(r.Samples, func(s sample) (string, bool) { return s.Section, true })
}

func (r *record) rowsOf(section string) []string {
	return inOrder(r.Samples, func(s sample) (string, bool) { return s.Row, s.Section == section })
}

func (r *record) metricsOf(section string) []metric {
	there := inOrder(r.Samples, func(s sample) (string, bool) { return s.Metric, s.Section == section })
	return slices.DeleteFunc(slices.Clone(metrics), func(m metric) bool { return !slices.Contains(there, m.name) })
}

func inOrder(samples []sample, of func(sample) (string, bool)) []string {
	var names []string
	for _, s := range samples {
		if name, counts := of(s); counts && !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	return names
}

// compared is a row's metric over the rounds.
type compared struct {
	ours, theirs     float64 // medians; NaN if there is none
	least, mid, most float64 // of the ratios ours/theirs of single rounds; 0 if there is none
}

func (r *record) compare(section, row string, m metric) compared {
	values := [2]map[int]float64{{}, {}}
	for _, s := range r.Samples {
		if s.Section == section && s.Row == row && s.Metric == m.name {
			values[slices.Index(r.Systems[:], s.System)][s.Round] = s.Value
		}
	}
	var ours, theirs, ratios []float64
	for round := range r.Rounds {
		a, hasA := values[0][round]
		b, hasB := values[1][round]
		if hasA {
			ours = append(ours, a)
		}
		if hasB {
			theirs = append(theirs, b)
		}
		if hasA && hasB && b > 0 {
			ratios = append(ratios, a/b)
		}
	}
	c := compared{ours: median(ours), theirs: median(theirs)}
	if len(ratios) > 0 {
		c.least, c.mid, c.most = slices.Min(ratios), median(ratios), slices.Max(ratios)
	}
	return c
}

// median is the middle, or the mean of the two that are nearest to it; NaN of nothing.
func median(values []float64) float64 {
	if len(values) == 0 {
		return math.NaN()
	}
	sorted := slices.Sorted(slices.Values(values))
	n := len(sorted)
	return (sorted[(n-1)/2] + sorted[n/2]) / 2
}

func (r *record) write(file string) error {
	data, err := json.MarshalIndent(r, "", " ")
	if err != nil {
		return err
	}
	return os.WriteFile(file, append(data, '\n'), 0o644)
}

func readRecord(file string) (*record, error) {
	data, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	r := &record{}
	return r, json.Unmarshal(data, r)
}
