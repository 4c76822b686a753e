package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// loadResult is what h2load counted.
type loadResult struct {
	rate              float64 // requests done per second
	started, done     int64   // the difference was in flight at the end, and may have happened or not
	succeeded, answer int64   // answer: bytes of all answers' DATA
}

// drive runs h2load for a while. With a log file it writes a line for each request there, which costs it some speed.
func drive(ctx context.Context, url, bodyFile string, c cell, length time.Duration, logFile string) (loadResult, error) {
	args := []string{
		"-t1",
		fmt.Sprintf("-c%d", c.connections),
		fmt.Sprintf("-m%d", c.streams),
		"-D", fmt.Sprintf("%dms", length.Milliseconds()),
		"-d", bodyFile,
		"-H", "content-type: application/grpc",
		"-H", "te: trailers",
	}
	if logFile != "" {
		args = append(args, "--log-file="+logFile)
	}
	ctx, cancel := context.WithTimeout(ctx, length+30*time.Second)
	defer cancel()
	output, err := exec.CommandContext(ctx, "h2load", append(args, url+c.method)...).CombinedOutput()
	if err != nil {
		return loadResult{}, fmt.Errorf("h2load: %w\n%s", err, output)
	}
	return parseLoad(string(output))
}

var (
	finished = regexp.MustCompile(`finished in .*, ([0-9.]+) req/s`)
	requests = regexp.MustCompile(`requests: \d+ total, (\d+) started, (\d+) done, (\d+) succeeded, (\d+) failed, (\d+) errored, (\d+) timeout`)
	statuses = regexp.MustCompile(`status codes: (\d+) 2xx`)
	traffic  = regexp.MustCompile(`\((\d+)\) data`)
)

func parseLoad(output string) (loadResult, error) {
	unexpected := func(what string) (loadResult, error) {
		return loadResult{}, fmt.Errorf("h2load: %s in its output:\n%s", what, output)
	}
	f, r := finished.FindStringSubmatch(output), requests.FindStringSubmatch(output)
	s, t := statuses.FindStringSubmatch(output), traffic.FindStringSubmatch(output)
	if f == nil || r == nil || s == nil || t == nil {
		return unexpected("a line is missing")
	}
	var result loadResult
	var err error
	if result.rate, err = strconv.ParseFloat(f[1], 64); err != nil {
		return unexpected("a bad rate")
	}
	var n [8]int64
	for i, text := range append(r[1:], s[1], t[1]) {
		if n[i], err = strconv.ParseInt(text, 10, 64); err != nil {
			return unexpected("a bad number")
		}
	}
	result.started, result.done, result.succeeded, result.answer = n[0], n[1], n[2], n[7]
	// A status is counted when it arrives, a request only when its answer is whole.
	good := n[6]
	if failed := n[3] + n[4] + n[5]; failed > 0 || result.succeeded != result.done || good < result.done || result.done == 0 {
		return unexpected("failed requests")
	}
	return result, nil
}

// latencies reads logs of h2load: start, HTTP status, microseconds.
func latencies(logFiles []string) (p50, p99 time.Duration, err error) {
	var micros []int64
	for _, logFile := range logFiles {
		if micros, err = appendMicros(micros, logFile); err != nil {
			return 0, 0, err
		}
	}
	if len(micros) == 0 {
		return 0, 0, errors.New("h2load's log is empty")
	}
	slices.Sort(micros)
	at := func(q float64) time.Duration {
		return time.Duration(micros[int(q*float64(len(micros)-1))]) * time.Microsecond
	}
	return at(0.50), at(0.99), nil
}

func appendMicros(micros []int64, logFile string) ([]int64, error) {
	file, err := os.Open(logFile)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	lines := bufio.NewScanner(file)
	for lines.Scan() {
		fields := strings.Fields(lines.Text())
		if len(fields) != 3 {
			return nil, fmt.Errorf("unexpected line in h2load's log: %q", lines.Text())
		}
		n, err := strconv.ParseInt(fields[2], 10, 64)
		if err != nil {
			return nil, err
		}
		micros = append(micros, n)
	}
	return micros, lines.Err()
}
