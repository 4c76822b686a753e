package load

import (
	"bytes"
	"crypto/tls"
	"errors"
	"strings"
	"testing"
	"time"

	"quoin.dev/trial/internal/certificates"
	"quoin.dev/trial/internal/wire"
)

// echo asks one thing, and takes one answer.
type echo struct{ request, answer []byte }

func (echo) Path() string                             { return "/trial.Trivial/Ask" }
func (e echo) Append(message []byte, _, _ int) []byte { return append(message, e.request...) }
func (e echo) Check(_, _ int, answer []byte) error {
	if !bytes.Equal(answer, e.answer) {
		return errors.New("another answer")
	}
	return nil
}

// perform runs a load on a server, over so many connections.
func perform(t *testing.T, server *Trivial, run Run, connections int, request []byte) (Result, error) {
	t.Helper()
	address, err := server.Listen()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(server.Close)
	loop, err := wire.NewLoop()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(loop.Close)
	options := wire.Options{}
	if server.TLS != nil {
		options.TLS = &tls.Config{RootCAs: server.TLS.RootCAs}
	}
	for range connections {
		conn, err := loop.Dial(address, options)
		if err != nil {
			t.Fatal(err)
		}
		run.Conns = append(run.Conns, conn)
	}
	run.Work = echo{request, server.Answer}
	return run.Perform(loop)
}

func TestAClosedLoopEndsAfterItsTotal(t *testing.T) {
	edges := 0
	run := Run{Slots: 7, Total: 1000, Edge: func() error { edges++; return nil }}
	result, err := perform(t, &Trivial{Answer: []byte("an answer")}, run, 3, []byte("a request"))
	if err != nil {
		t.Fatal(err)
	}
	if result.Done != 1000 || result.Measured != 1000 || result.Waits.TotalCount() != 1000 || edges != 2 {
		t.Errorf("%d done, %d measured, %d waits, %d edges", result.Done, result.Measured, result.Waits.TotalCount(), edges)
	}
}

func TestAnswersMayComeInManyFrames(t *testing.T) {
	server := &Trivial{Answer: bytes.Repeat([]byte("0123456789"), 10_000), FrameBytes: 3_000}
	if _, err := perform(t, server, Run{Slots: 20, Total: 500}, 1, []byte("a request")); err != nil {
		t.Fatal(err)
	}
}

// Requests and answers of several records of TLS, many of them in one read.
func TestAllOfThatByTLS(t *testing.T) {
	authority, err := certificates.New(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	server := &Trivial{Answer: bytes.Repeat([]byte("0123456789"), 10_000), FrameBytes: 3_000, WindowBytes: 65_535}
	if server.TLS, err = authority.Client("server"); err != nil {
		t.Fatal(err)
	}
	server.TLS.NextProtos = []string{"h2"}
	if _, err := perform(t, server, Run{Slots: 20, Total: 500}, 2, bytes.Repeat([]byte("x"), 50_000)); err != nil {
		t.Fatal(err)
	}
}

// What is under way is ten times what the server's windows allow: requests wait, and none is lost or doubled.
func TestRequestsWaitForTheServersWindows(t *testing.T) {
	server := &Trivial{Answer: []byte("an answer"), WindowBytes: 65_535}
	result, err := perform(t, server, Run{Slots: 200, Total: 1000}, 2, bytes.Repeat([]byte("x"), 20_000))
	if err != nil {
		t.Fatal(err)
	}
	if result.Done != 1000 {
		t.Errorf("%d done", result.Done)
	}
}

// A server that stops for 200 ms at its 100th call. Who was due in the first 150 of them waits for 50 at least: with one
// request a millisecond, 150 waits. A loop that is closed would have asked, and counted, one.
func TestAnOpenLoopCountsWhatShouldHaveBeenSent(t *testing.T) {
	stallsOnce := func(n int) (string, time.Duration) {
		if n == 100 {
			return "0", 200 * time.Millisecond
		}
		return "0", 0
	}
	result, err := perform(t, &Trivial{Faulty: stallsOnce}, Run{Slots: 1, Rate: 1000, Length: time.Second}, 1, []byte("a request"))
	if err != nil {
		t.Fatal(err)
	}
	slow := int64(0)
	for _, bar := range result.Waits.Distribution() {
		if bar.From >= int64(50*time.Millisecond) {
			slow += bar.Count
		}
	}
	if slow < 150 || result.Late < 50*time.Millisecond {
		t.Errorf("%d of %d waits were slow, and the loop was late by %v", slow, result.Measured, result.Late)
	}
}

func TestABadStatusFailsTheRun(t *testing.T) {
	seventh := func(n int) (string, time.Duration) {
		if n == 7 {
			return "14", 0
		}
		return "0", 0
	}
	_, err := perform(t, &Trivial{Faulty: seventh}, Run{Slots: 1, Total: 10}, 1, []byte("a request"))
	if err == nil || !strings.Contains(err.Error(), "grpc-status 14") {
		t.Errorf("a run with a bad status ended with %v", err)
	}
}
