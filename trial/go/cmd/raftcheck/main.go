// Raftcheck judges transcripts that Quoin's consensus has written: each command is given to go.etcd.io/raft, through
// the harness with which it tests itself, and must come to the same output, line for line.
//
//	raftcheck FILE...
package main

import (
	"bufio"
	"flag"
	"fmt"
	"os"
	"reflect"
	"strconv"
	"strings"
	"testing"
	"unsafe"

	"github.com/cockroachdb/datadriven"
	"go.etcd.io/raft/v3"
	"go.etcd.io/raft/v3/rafttest"

	"quoin.dev/trial/internal/tally"
)

func main() {
	flag.Usage = func() { fmt.Fprintln(flag.CommandLine.Output(), "usage: raftcheck FILE...") }
	flag.Parse()
	if flag.NArg() == 0 {
		flag.Usage()
		os.Exit(2)
	}
	count := tally.New("raftcheck", os.Stdout)
	for _, path := range flag.Args() {
		done, err := judge(path)
		count.Check(fmt.Sprintf("%s (%d commands)", path, done), err)
	}
	os.Exit(count.Close())
}

type command struct {
	line     int
	text     string
	input    string
	expected string
}

// read takes a transcript apart: comments, then a command, its input, "----", and the output up to an empty line.
func read(path string) ([]command, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	scanner := bufio.NewScanner(file)
	scanner.Buffer(nil, 1<<24)
	var commands []command
	var current *command
	inOutput := false
	for line := 1; scanner.Scan(); line++ {
		text := scanner.Text()
		switch {
		case inOutput && text != "":
			current.expected += text + "\n"
		case inOutput:
			commands = append(commands, *current)
			current, inOutput = nil, false
		case current != nil && text == "----":
			inOutput = true
		case current != nil:
			current.input += text + "\n"
		case text == "" || strings.HasPrefix(text, "#"):
		default:
			current = &command{line: line, text: text}
		}
	}
	if current != nil {
		commands = append(commands, *current)
	}
	return commands, scanner.Err()
}

// judge says how many commands agreed, and what was wrong with the next.
func judge(path string) (done int, err error) {
	commands, err := read(path)
	if err != nil {
		return 0, err
	}
	if len(commands) == 0 {
		return 0, fmt.Errorf("no commands")
	}
	var limits []datadriven.CmdArg // of the nodes that are being added
	env := rafttest.NewInteractionEnv(&rafttest.InteractionOpts{
		OnConfig:                     func(config *raft.Config) { setLimits(config, limits) },
		SetRandomizedElectionTimeout: setTimeout,
	})
	seen := map[int]uint64{} // up to where each node's snapshots are known
	for _, c := range commands {
		name, args, err := datadriven.ParseLine(c.text)
		if err != nil {
			return done, err
		}
		limits = args
		data := datadriven.TestData{Pos: fmt.Sprint("line ", c.line), Cmd: name, CmdArgs: args, Input: c.input}
		actual, err := perform(env, seen, data)
		if err != nil {
			return done, fmt.Errorf("line %d: %s: %w", c.line, c.text, err)
		}
		if normal(actual) != normal(c.expected) {
			return done, fmt.Errorf("line %d: %s\n--- Quoin\n%s--- etcd\n%s", c.line, c.text, c.expected, actual)
		}
		done++
	}
	return done, nil
}

// setLimits sets what the library's harness has no options for, and passes over.
func setLimits(config *raft.Config, args []datadriven.CmdArg) {
	for _, arg := range args {
		number := func() uint64 {
			n, err := strconv.ParseUint(arg.Vals[0], 10, 64)
			if err != nil {
				panic(err)
			}
			return n
		}
		switch arg.Key {
		case "max-size-per-msg":
			config.MaxSizePerMsg = number()
		case "max-inflight-bytes":
			config.MaxInflightBytes = number()
		case "max-uncommitted-size":
			config.MaxUncommittedEntriesSize = number()
		}
	}
}

func perform(env *rafttest.InteractionEnv, seen map[int]uint64, data datadriven.TestData) (output string, err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("etcd panics: %v", r)
		}
	}()
	output = env.Handle(&testing.T{}, data)
	return output, repair(env, seen)
}

// repair completes what the library's harness forgets of a node that has taken over a snapshot: the history of its own
// snapshots goes on from there.
func repair(env *rafttest.InteractionEnv, seen map[int]uint64) error {
	for i := range env.Nodes {
		node := &env.Nodes[i]
		// The harness hides the storage's own snapshot behind the last of the history.
		storage := reflect.ValueOf(node.Storage).FieldByName("Storage").Interface().(rafttest.Storage)
		taken, err := storage.Snapshot()
		if err != nil {
			return err
		}
		index := taken.GetMetadata().GetIndex()
		if index <= seen[i] {
			continue
		}
		seen[i] = index
		at := len(node.History)
		for at > 0 && node.History[at-1].GetMetadata().GetIndex() >= index {
			at--
		}
		if at == len(node.History) {
			node.History = append(node.History, taken)
			continue
		}
		before := node.History[max(at-1, 0)].GetMetadata().GetConfState()
		for _, later := range node.History[at:] {
			if later.GetMetadata().GetConfState() == before {
				later.Metadata.ConfState = taken.GetMetadata().GetConfState()
			}
		}
	}
	return nil
}

// normal is the output without the spaces that protobuf doubles, or does not, to keep anybody from comparing them.
func normal(output string) string {
	lines := strings.Split(strings.TrimRight(output, "\n"), "\n")
	for i, line := range lines {
		if strings.Contains(line, "not in the ConfState") {
			lines[i] = strings.Join(strings.Fields(line), " ")
		}
	}
	return strings.Join(lines, "\n")
}

// setTimeout reaches for a field that only the library's own tests can set.
func setTimeout(node *raft.RawNode, timeout int) {
	inner := reflect.ValueOf(node).Elem().FieldByName("raft").Elem()
	field := inner.FieldByName("randomizedElectionTimeout")
	*(*int)(unsafe.Pointer(field.UnsafeAddr())) = timeout
}
