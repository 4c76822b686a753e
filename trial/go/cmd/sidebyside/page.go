package main

import (
	"fmt"
	"html"
	"math"
	"slices"
	"strings"
)

// page is the record as one HTML file that needs nothing from elsewhere: pictures are SVG, colours follow the reader's
// choice of dark or light.
func (r *record) page() string {
	var out strings.Builder
	title := fmt.Sprintf("%s beside %s", r.Systems[0], r.Systems[1])
	fmt.Fprintf(&out, "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"+
		"<title>%s</title>\n<style>%s</style>\n</head>\n<body>\n<main>\n<h1>%s</h1>\n<p class=\"lead\">%s</p>\n", html.EscapeString(title), pageStyle,
		html.EscapeString(title), html.EscapeString(r.conditions()))
	if len(r.Notes) > 0 {
		out.WriteString("<ul>\n")
		for _, note := range r.Notes {
			fmt.Fprintf(&out, "<li>%s</li>\n", html.EscapeString(note))
		}
		out.WriteString("</ul>\n")
	}
	fmt.Fprintf(&out, "<p>A bar goes from the least to the greatest ratio %s : %s of single rounds, its mark is the median. "+
		"<span class=\"good\">Blue</span> is better than %[2]s, <span class=\"bad\">orange</span> is worse, by the median; grey is as good, by a fiftieth. "+
		"The scale is logarithmic.</p>\n",
		html.EscapeString(r.Systems[0]), html.EscapeString(r.Systems[1]))
	for _, section := range r.sections() {
		fmt.Fprintf(&out, "<section>\n<h2>%s</h2>\n", html.EscapeString(section))
		out.WriteString("<div class=\"pictures\">\n")
		for _, m := range r.metricsOf(section) {
			if m.curved {
				out.WriteString(r.ratioPicture(section, m))
			}
		}
		out.WriteString("</div>\n")
		if curves := r.curvePictures(section); curves != "" {
			fmt.Fprintf(&out, "<details open>\n<summary>How long requests waited</summary>\n<p>Each line is a round: the wait that so many requests "+
				"did not exceed. Timetables count from when a request should have been sent.</p>\n<div class=\"pictures\">\n%s</div>\n</details>\n", curves)
		}
		out.WriteString(r.htmlTable(section))
		out.WriteString("</section>\n")
	}
	fmt.Fprintf(&out, "<footer>Made by <code>sidebyside</code>: <code>%s</code></footer>\n</main>\n</body>\n</html>\n",
		html.EscapeString(strings.Join(r.Command, " ")))
	return out.String()
}

const pageStyle = `
:root { --ground:#fff; --text:#1b1f24; --faint:#6a737d; --line:#d8dee4; --good:#1f6feb; --bad:#bc4c00; --stripe:#f6f8fa; color-scheme:light dark }
@media (prefers-color-scheme: dark) {
:root { --ground:#0d1117; --text:#e6edf3; --faint:#8b949e; --line:#30363d; --good:#58a6ff; --bad:#f0883e; --stripe:#161b22 } }
body { margin:0; background:var(--ground); color:var(--text); font:15px/1.5 system-ui,sans-serif }
main { max-width:80rem; margin:0 auto; padding:1.5rem }
h1 { font-size:1.7rem; margin:.2rem 0 } h2 { margin:2.2rem 0 .6rem; border-bottom:1px solid var(--line) }
.lead,footer,.caption { color:var(--faint) } .good { color:var(--good) } .bad { color:var(--bad) }
.pictures { display:flex; flex-wrap:wrap; gap:1.2rem } figure { margin:0 } figcaption { font-weight:600; margin-bottom:.2rem }
svg { max-width:100%; height:auto; font:12px system-ui,sans-serif } svg text { fill:var(--text) } svg .faint { fill:var(--faint) }
svg .axis { stroke:var(--line); stroke-width:1 } svg .one { stroke:var(--faint); stroke-width:1.5 }
svg .good { fill:var(--good); stroke:var(--good) } svg .bad { fill:var(--bad); stroke:var(--bad) } svg .even { fill:var(--faint); stroke:var(--faint) } svg .curve { fill:none; stroke-width:1.6 }
.scroll { overflow-x:auto } table { border-collapse:collapse; margin:1rem 0; font-variant-numeric:tabular-nums; font-size:13px }
th,td { padding:.25rem .6rem; text-align:right; white-space:nowrap; border-bottom:1px solid var(--line) }
th:first-child,td:first-child { text-align:left; position:sticky; left:0; background:var(--ground) }
tbody tr:nth-child(odd) td { background:var(--stripe) } td small { color:var(--faint) } summary { cursor:pointer; font-weight:600; margin:1rem 0 .4rem }
footer { margin-top:3rem; font-size:13px; overflow-wrap:anywhere }
`

// Sizes of pictures, in pixels.
const (
	labelWidth = 330
	plotWidth  = 260
	valueWidth = 60
	rowHeight  = 22
	axisHeight = 26
)

// ratioPicture shows the ratios of one metric, a bar for each row that has them.
func (r *record) ratioPicture(section string, m metric) string {
	type bar struct {
		row string
		compared
	}
	var bars []bar
	low, high := 0.5, 2.0
	for _, row := range r.rowsOf(section) {
		if c := r.compare(section, row, m); c.mid > 0 && c.least > 0 {
			bars = append(bars, bar{row, c})
			low, high = min(low, c.least), max(high, c.most)
		}
	}
	if len(bars) == 0 {
		return ""
	}
	scale := logScale{low, high, labelWidth, plotWidth}
	height := len(bars)*rowHeight + axisHeight
	width := labelWidth + plotWidth + valueWidth
	better := "less is better"
	if m.more {
		better = "more is better"
	}
	var out strings.Builder
	fmt.Fprintf(&out, "<figure>\n<figcaption>%s <span class=\"caption\">(%s)</span></figcaption>\n<svg viewBox=\"0 0 %[3]d %[4]d\" width=\"%[3]d\" height=\"%[4]d\" "+
		"role=\"img\" aria-label=\"ratios of %[1]s\">\n", html.EscapeString(m.name), better, width, height)
	ticks := []float64{0.01, 0.1, 1, 10, 100}
	if high/low < 100 {
		ticks = []float64{0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50}
	}
	for _, tick := range ticks {
		if tick < low || tick > high {
			continue
		}
		class := "axis"
		if tick == 1 {
			class = "one"
		}
		x := scale.at(tick)
		fmt.Fprintf(&out, "<line class=\"%s\" x1=\"%.1f\" x2=\"%.1f\" y1=\"0\" y2=\"%d\"/><text class=\"faint\" x=\"%.1f\" y=\"%d\" text-anchor=\"middle\">%g</text>\n",
			class, x, x, height-axisHeight+4, x, height-8, tick)
	}
	for i, b := range bars {
		y := i*rowHeight + rowHeight/2
		class := b.class(m)
		fmt.Fprintf(&out, "<text x=\"%d\" y=\"%d\" text-anchor=\"end\">%s</text>\n", labelWidth-10, y+4, html.EscapeString(b.row))
		fmt.Fprintf(&out, "<line class=\"%s\" stroke-width=\"5\" stroke-opacity=\".45\" stroke-linecap=\"round\" x1=\"%.1f\" x2=\"%.1f\" y1=\"%d\" y2=\"%d\"/>"+
			"<circle class=\"%s\" cx=\"%.1f\" cy=\"%d\" r=\"4.5\"/>\n", class, scale.at(b.least), scale.at(b.most), y, y, class, scale.at(b.mid), y)
		fmt.Fprintf(&out, "<text x=\"%d\" y=\"%d\">%s</text>\n", labelWidth+plotWidth+10, y+4, ratioText(b.mid))
	}
	out.WriteString("</svg>\n</figure>\n")
	return out.String()
}

// class is how a ratio looks.
func (c compared) class(m metric) string {
	switch {
	case math.Abs(c.mid-1) < 0.02:
		return "even"
	case c.mid > 1 == m.more:
		return "good"
	default:
		return "bad"
	}
}

// logScale is an axis of pixels for numbers from low to high.
type logScale struct {
	low, high  float64
	from, wide int
}

func (s logScale) at(value float64) float64 {
	part := math.Log(min(max(value, s.low), s.high)/s.low) / math.Log(s.high/s.low)
	return float64(s.from) + part*float64(s.wide)
}

// curvePictures shows the waits of each row: all rounds of both systems.
func (r *record) curvePictures(section string) string {
	var out strings.Builder
	for _, row := range r.rowsOf(section) {
		var curves []curve
		for _, c := range r.Curves {
			if c.Section == section && c.Row == row {
				curves = append(curves, c)
			}
		}
		if len(curves) > 0 {
			out.WriteString(r.curvePicture(row, curves))
		}
	}
	return out.String()
}

func (r *record) curvePicture(row string, curves []curve) string {
	const left, wide, tall, right = 56, 250, 140, 14
	low, high, rarest := math.MaxFloat64, 0.0, 0.99
	for _, c := range curves {
		for _, point := range c.Points {
			low, high, rarest = min(low, max(point[1], 1e-3)), max(high, point[1]), max(rarest, point[0])
		}
	}
	high = max(high, 2*low)
	across := logScale{1, 1 / (1 - rarest), left, wide}
	up := logScale{low, high, 0, tall - 34} // below the names
	var out strings.Builder
	fmt.Fprintf(&out, "<figure>\n<figcaption>%s</figcaption>\n<svg viewBox=\"0 0 %d %d\" width=\"%[2]d\" height=\"%[3]d\" role=\"img\" "+
		"aria-label=\"waits of %[1]s\">\n", html.EscapeString(row), left+wide+right, tall+axisHeight)
	for _, tick := range []float64{0.5, 0.9, 0.99, 0.999, 0.9999, 0.99999} {
		if tick <= rarest {
			x := across.at(1 / (1 - tick))
			fmt.Fprintf(&out, "<line class=\"axis\" x1=\"%.1f\" x2=\"%.1f\" y1=\"0\" y2=\"%d\"/><text class=\"faint\" x=\"%.1f\" y=\"%d\" text-anchor=\"middle\">%g</text>\n",
				x, x, tall, x, tall+16, 100*tick)
		}
	}
	for tick := 0.001; tick <= high; tick *= 10 {
		if tick >= low {
			y := tall - up.at(tick)
			fmt.Fprintf(&out, "<line class=\"axis\" x1=\"%d\" x2=\"%d\" y1=\"%.1f\" y2=\"%.1f\"/><text class=\"faint\" x=\"%d\" y=\"%.1f\" text-anchor=\"end\">%g ms</text>\n",
				left, left+wide, y, y, left-4, y+4, math.Round(tick*1e3)/1e3)
		}
	}
	for _, c := range curves {
		class := []string{"good", "bad"}[slices.Index(r.Systems[:], c.System)]
		var points []string
		for _, point := range c.Points {
			points = append(points, fmt.Sprintf("%.1f,%.1f", across.at(1/(1-point[0])), tall-up.at(point[1])))
		}
		fmt.Fprintf(&out, "<polyline class=\"curve %s\" style=\"fill:none\" points=\"%s\"><title>%s, round %d</title></polyline>\n", class,
			strings.Join(points, " "), html.EscapeString(c.System), c.Round+1)
	}
	fmt.Fprintf(&out, "<text class=\"good\" stroke=\"none\" style=\"stroke:none\" x=\"%d\" y=\"12\">%s</text><text class=\"bad\" style=\"stroke:none\" x=\"%d\" y=\"26\">%s</text>\n",
		left+6, html.EscapeString(r.Systems[0]), left+6, html.EscapeString(r.Systems[1]))
	out.WriteString("</svg>\n</figure>\n")
	return out.String()
}

func (r *record) htmlTable(section string) string {
	columns := r.metricsOf(section)
	var out strings.Builder
	fmt.Fprintf(&out, "<div class=\"scroll\"><table>\n<thead><tr><th>%s : %s</th>", html.EscapeString(r.Systems[0]), html.EscapeString(r.Systems[1]))
	for _, m := range columns {
		fmt.Fprintf(&out, "<th>%s</th>", html.EscapeString(m.name))
	}
	out.WriteString("</tr></thead>\n<tbody>\n")
	for _, row := range r.rowsOf(section) {
		fmt.Fprintf(&out, "<tr><td>%s</td>", html.EscapeString(row))
		for _, m := range columns {
			out.WriteString("<td>" + r.compare(section, row, m).html(m) + "</td>")
		}
		out.WriteString("</tr>\n")
	}
	out.WriteString("</tbody></table></div>\n")
	return out.String()
}

func (c compared) html(m metric) string {
	switch {
	case c.absent():
		return ""
	case m.aside || c.mid == 0:
		return fmt.Sprintf("<small>%s : %s</small>", m.format(c.ours), m.format(c.theirs))
	}
	class := c.class(m)
	return fmt.Sprintf("<b class=\"%s\">%s</b> <small>%s : %s</small>", class, ratioText(c.mid), m.format(c.ours), m.format(c.theirs))
}
