package main

import (
	"cmp"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"time"
)

// report renders everything measured as Markdown.
func (p *plan) report() string {
	a, b := p.contenders[0], p.contenders[1]
	var out strings.Builder
	fmt.Fprintf(&out, "%d rounds of %v for each cell, medians; %v of uncounted load on each server first; %d processors, shared by server "+
		"and client (`h2load -t1`); data on %s; one key of 8 bytes, values of %d bytes.\n\n",
		p.rounds, p.length, p.warmup, runtime.NumCPU(), filesystem(p.home), valueBytes)
	if p.members > 1 {
		fmt.Fprintf(&out, "%d members of each; connections are spread over them, with another first in each round; CPU and memory are sums over "+
			"the members.\n\n", p.members)
	}

	fmt.Fprintf(&out, "| cell | connections × streams | %[1]s req/s | %[2]s req/s | %[1]s : %[2]s (rounds) | %[1]s CPU µs/req | %[2]s CPU µs/req "+
		"| %[1]s p50 / p99 ms | %[2]s p50 / p99 ms |\n", a.name, b.name)
	out.WriteString("|---|---|--:|--:|--:|--:|--:|--:|--:|\n")
	for _, c := range p.cells {
		ours, theirs := a.medians(c), b.medians(c)
		fmt.Fprintf(&out, "| %s | %d × %d | %s | %s | %s | %s | %s | %s | %s |\n", c.name, c.connections, c.streams,
			ours.rateText(), theirs.rateText(), p.ratioText(c), ours.cpuText(), theirs.cpuText(), a.latencyText(c), b.latencyText(c))
	}

	fmt.Fprintf(&out, "\n| process | %s | %s |\n|---|--:|--:|\n", a.name, b.name)
	fmt.Fprintf(&out, "| time to ready, s (median of %d) | %.2f | %.2f |\n", p.starts, median(a.ready).Seconds(), median(b.ready).Seconds())
	for _, row := range []struct {
		what string
		of   func(c *contender) int64
	}{
		{"RSS idle, MB", func(c *contender) int64 { return c.idle }},
		{"RSS after load, MB", func(c *contender) int64 { return c.after }},
		{"RSS at its highest, MB", func(c *contender) int64 { return c.peak }},
	} {
		fmt.Fprintf(&out, "| %s | %.0f | %.0f |\n", row.what, float64(row.of(a))/1e6, float64(row.of(b))/1e6)
	}
	return out.String()
}

// ratioText is the ratio of the medians, and how far the ratios of the single rounds lie apart: where that is wide, the
// machine was busy with something else, and the ratio means little.
func (p *plan) ratioText(c cell) string {
	ours, theirs := p.contenders[0].measured[c.name], p.contenders[1].measured[c.name]
	if len(ours) != p.rounds || len(theirs) != p.rounds {
		return "–"
	}
	var ratios []float64
	for i := range ours {
		ratios = append(ratios, ours[i].rate/theirs[i].rate)
	}
	ofMedians := p.contenders[0].medians(c).rate / p.contenders[1].medians(c).rate
	return fmt.Sprintf("%.2f (%.2f–%.2f)", ofMedians, slices.Min(ratios), slices.Max(ratios))
}

// medians of a cell over the rounds; zero when no round held.
func (c *contender) medians(cell cell) measure {
	var rates []float64
	var cpus []time.Duration
	for _, m := range c.measured[cell.name] {
		rates = append(rates, m.rate)
		cpus = append(cpus, m.cpu)
	}
	return measure{median(rates), median(cpus)}
}

func median[T cmp.Ordered](values []T) T {
	var none T
	if len(values) == 0 {
		return none
	}
	sorted := slices.Sorted(slices.Values(values))
	return sorted[(len(sorted)-1)/2]
}

func (m measure) rateText() string {
	if m.rate == 0 {
		return "failed"
	}
	return thousands(int64(m.rate + 0.5))
}

func (m measure) cpuText() string {
	if m.rate == 0 {
		return "–"
	}
	return fmt.Sprintf("%.1f", float64(m.cpu)/float64(time.Microsecond))
}

func (c *contender) latencyText(cell cell) string {
	p50, known := c.median50[cell.name]
	if !known {
		return "–"
	}
	ms := func(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }
	return fmt.Sprintf("%.2f / %.2f", ms(p50), ms(c.tail99[cell.name]))
}

// thousands writes 28356 as 28,356.
func thousands(n int64) string {
	text := fmt.Sprint(n)
	for i := len(text) - 3; i > 0; i -= 3 {
		text = text[:i] + "," + text[i:]
	}
	return text
}

// filesystem names what dir lies on: a table from a memory file system would say nothing about syncing.
func filesystem(dir string) string {
	var stat syscall.Statfs_t
	if err := syscall.Statfs(dir, &stat); err != nil {
		return "an unknown file system"
	}
	names := map[int64]string{0xef53: "ext4", 0x01021994: "tmpfs", 0x794c7630: "overlayfs", 0x58465342: "xfs", 0x9123683e: "btrfs"}
	if name, known := names[int64(stat.Type)]; known {
		return name
	}
	return fmt.Sprintf("file system type %#x", stat.Type)
}
