package main

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// page is what a member tells Prometheus: numbers by name and labels, as they are written.
type page map[string]float64

var scraper = http.Client{Timeout: 10 * time.Second}

func scrape(url string) (page, error) {
	answer, err := scraper.Get(url + "/metrics")
	if err != nil {
		return nil, err
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		return nil, err
	}
	if answer.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("%s/metrics: %s", url, answer.Status)
	}
	p := page{}
	for line := range strings.Lines(string(text)) {
		series, number, found := strings.Cut(strings.TrimSpace(line), " ")
		if cut := strings.LastIndexByte(line, '}'); cut >= 0 { // blanks in a label
			series, number, found = line[:cut+1], strings.TrimSpace(line[cut+1:]), true
		}
		if strings.HasPrefix(line, "#") || !found {
			continue
		}
		if p[series], err = strconv.ParseFloat(number, 64); err != nil {
			return nil, fmt.Errorf("%s/metrics: %q: %w", url, line, err)
		}
	}
	return p, nil
}

// above is how many observations of a histogram, of all its series, were above one of its bounds.
func (p page) above(name, bound string) float64 {
	sum := 0.0
	for series, number := range p {
		switch {
		case series == name+"_count", strings.HasPrefix(series, name+"_count{"):
			sum += number
		case strings.HasPrefix(series, name+"_bucket{") && strings.Contains(series, `le="`+bound+`"`):
			sum -= number
		}
	}
	return sum
}

func (p page) slowSyncs() float64 { return p.above("etcd_disk_wal_fsync_duration_seconds", "0.128") }

func (p page) slowWays() float64 {
	return p.above("etcd_network_peer_round_trip_time_seconds", "0.1024")
}

func (p page) paused() float64 { return p["quoin_paused_seconds_total"] }

var slowRequest = regexp.MustCompile(`^quoin_slow_requests_total\{phase="(\w+)"\}$`)

// slowRequests are those since the start, by the phase that was to blame.
func (p page) slowRequests() map[string]float64 {
	byPhase := map[string]float64{}
	for series, number := range p {
		if match := slowRequest.FindStringSubmatch(series); match != nil {
			byPhase[match[1]] = number
		}
	}
	return byPhase
}

// guilty counts the lines of a log about slow requests by the phase that each names.
func guilty(log string) map[string]int {
	byPhase := map[string]int{}
	for line := range strings.Lines(log) {
		var fields struct {
			Message string `json:"msg"`
			Phase   string `json:"guilty-phase"`
		}
		if json.Unmarshal([]byte(line), &fields) == nil && fields.Message == "request stats" {
			byPhase[fields.Phase]++
		}
	}
	return byPhase
}
