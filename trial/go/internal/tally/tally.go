// Package tally counts what a judge checked, and ends every judge in the same way: one line per check, a last line
// with the sums, and an exit code that is 0 only when everything held.
package tally

import (
	"fmt"
	"io"
	"os"
)

// Tally is the count of one run. It belongs to one goroutine.
type Tally struct {
	program string
	lines   io.Writer
	passed  int
	failed  int
}

// New starts a count; the line of each check goes to lines, the sums always go to standard output.
func New(program string, lines io.Writer) *Tally {
	return &Tally{program: program, lines: lines}
}

// Check counts one check, failed when err is not nil, and says whether it passed.
func (t *Tally) Check(what string, err error) bool {
	if err != nil {
		t.failed++
		fmt.Fprintf(t.lines, "FAIL %s: %v\n", what, err)
		return false
	}
	t.passed++
	fmt.Fprintf(t.lines, "ok   %s\n", what)
	return true
}

// Count counts one check whose line the caller has printed already.
func (t *Tally) Count(held bool) {
	if held {
		t.passed++
	} else {
		t.failed++
	}
}

// Close prints the sums and returns the exit code. A run that checked nothing did not hold.
func (t *Tally) Close() int {
	fmt.Fprintf(os.Stdout, "%s: %d passed, %d failed\n", t.program, t.passed, t.failed)
	if t.failed > 0 || t.passed == 0 {
		return 1
	}
	return 0
}
