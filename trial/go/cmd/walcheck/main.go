// Walcheck judges a write-ahead log with etcd's own package.
//
//	walcheck read DIR [--write-mode] [--decode]
//	walcheck write DIR [--entries N] [--seed S] [--segment-bytes B]
//
// Read prints, as JSON lines, what etcd finds in a WAL directory (or in the member/wal of a data directory). Write
// makes a WAL directory with etcd's package and prints the lines that a reader of it must find. Lines on standard
// output that start with "{" are the content; checks go to standard error; the tally is the last line.
package main

import (
	"flag"
	"fmt"
	"os"

	"quoin.dev/trial/internal/tally"
)

func main() { os.Exit(run(os.Args[1:])) }

func run(args []string) int {
	if len(args) == 0 {
		return usage()
	}
	switch args[0] {
	case "read":
		return runRead(args[1:])
	case "write":
		return runWrite(args[1:])
	default:
		return usage()
	}
}

func usage() int {
	fmt.Fprint(os.Stderr, `usage:
  walcheck read DIR [flags]    print what etcd finds in a WAL directory, or in a data directory's member/wal
  walcheck write DIR [flags]   make a WAL directory with etcd's package, print what a reader of it must find
  walcheck read -h | write -h  the flags of each
`)
	return 2
}

func runRead(args []string) int {
	flags := flag.NewFlagSet("walcheck read DIR", flag.ExitOnError)
	writeMode := flags.Bool("write-mode", false, "open a copy for writing too, as a starting etcd does, and append to it")
	decode := flags.Bool("decode", false, "print the request inside each entry as protojson; an entry that is none fails")
	dir, ok := directory(flags, args)
	if !ok {
		return usage()
	}
	checks := tally.New("walcheck", os.Stderr)
	read(checks, walDir(dir), *writeMode, *decode)
	return checks.Close()
}

func runWrite(args []string) int {
	flags := flag.NewFlagSet("walcheck write DIR", flag.ExitOnError)
	entries := flags.Uint64("entries", 200, "index of the last entry, at least 30")
	seed := flags.Uint64("seed", 1, "seed of everything random; the same seed writes the same records")
	segmentBytes := flags.Int64("segment-bytes", 64_000_000, "size at which etcd's package cuts a segment")
	dir, ok := directory(flags, args)
	if !ok || *entries < 30 {
		return usage()
	}
	checks := tally.New("walcheck", os.Stderr)
	write(checks, dir, *entries, *seed, *segmentBytes)
	return checks.Close()
}

// directory parses flags that stand before or after the one directory.
func directory(flags *flag.FlagSet, args []string) (string, bool) {
	flags.Parse(args)
	if flags.NArg() == 0 {
		return "", false
	}
	dir := flags.Arg(0)
	flags.Parse(flags.Args()[1:])
	return dir, flags.NArg() == 0
}
