package main

import (
	"fmt"
	"math"
	"strconv"
	"strings"
)

// markdown is the record as tables: one for each section, a line for each row. A compared metric reads
// `ours : theirs = ratio (least–most)`: medians over the rounds, and the ratios of single rounds.
func (r *record) markdown() string {
	var out strings.Builder
	fmt.Fprintf(&out, "%s\n\n", r.conditions())
	for _, note := range r.Notes {
		fmt.Fprintf(&out, "- %s\n", note)
	}
	for _, section := range r.sections() {
		columns := r.metricsOf(section)
		fmt.Fprintf(&out, "\n### %s\n\n| %s : %s |", section, r.Systems[0], r.Systems[1])
		for _, m := range columns {
			fmt.Fprintf(&out, " %s |", m.name)
		}
		out.WriteString("\n|---|" + strings.Repeat("--:|", len(columns)) + "\n")
		for _, row := range r.rowsOf(section) {
			fmt.Fprintf(&out, "| %s |", row)
			for _, m := range columns {
				fmt.Fprintf(&out, " %s |", r.compare(section, row, m).text(m))
			}
			out.WriteString("\n")
		}
	}
	return out.String()
}

// conditions are what the figures hold for.
func (r *record) conditions() string {
	return fmt.Sprintf("%s beside %s, in turns on fresh data, %d rounds; %s; %d processors (%s), shared by server and client, %d MB of memory, "+
		"%s, Linux %s; load average before: %s. Keys of %d bytes, values of %d.", r.Systems[0], r.Systems[1], r.Rounds,
		r.Made.Format("2006-01-02 15:04 MST"), r.Machine.Processors, r.Machine.Model, r.Machine.MemoryMB, r.Machine.FileSystem, r.Machine.Kernel,
		r.Machine.Load, keyBytes, valueBytes)
}

func (c compared) text(m metric) string {
	switch {
	case c.absent():
		return ""
	case m.aside || c.mid == 0:
		return m.format(c.ours) + " : " + m.format(c.theirs)
	case c.least == c.most:
		return fmt.Sprintf("%s : %s = **%s**", m.format(c.ours), m.format(c.theirs), ratioText(c.mid))
	default:
		return fmt.Sprintf("%s : %s = **%s** (%s–%s)", m.format(c.ours), m.format(c.theirs), ratioText(c.mid), ratioText(c.least), ratioText(c.most))
	}
}

// absent says that neither system has it.
func (c compared) absent() bool { return math.IsNaN(c.ours) && math.IsNaN(c.theirs) }

func ratioText(ratio float64) string { return strconv.FormatFloat(ratio, 'f', 2, 64) }

// format writes 28356.2 as 28,356.
func (m metric) format(value float64) string {
	if math.IsNaN(value) {
		return "–"
	}
	text := strconv.FormatFloat(value, 'f', m.digits, 64)
	whole, fraction, _ := strings.Cut(text, ".")
	for i := len(whole) - 3; i > 0 && whole[i-1] != '-'; i -= 3 {
		whole = whole[:i] + "," + whole[i:]
	}
	if fraction != "" {
		return whole + "." + fraction
	}
	return whole
}
