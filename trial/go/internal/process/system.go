package process

import (
	"fmt"
	"slices"
	"strings"
)

// System is a server to be judged: its name in the tables, and its command with placeholders.
type System struct {
	Name    string
	Command []string
}

// TakeSystems takes `--a NAME 'COMMAND'` and `--b NAME 'COMMAND'` out of the arguments, which package flag cannot do as
// they have two words each. A COMMAND is split at blanks.
func TakeSystems(args []string) (systems []System, rest []string, err error) {
	byLetter := map[string]System{}
	for i := 0; i < len(args); i++ {
		letter := strings.TrimLeft(args[i], "-")
		if !strings.HasPrefix(args[i], "-") || (letter != "a" && letter != "b") {
			rest = append(rest, args[i])
			continue
		}
		if i+2 >= len(args) {
			return nil, nil, fmt.Errorf("%s takes two words: a name and a command", args[i])
		}
		byLetter[letter] = System{args[i+1], strings.Fields(args[i+2])}
		i += 2
	}
	for _, letter := range []string{"a", "b"} {
		if system, given := byLetter[letter]; given {
			if slices.ContainsFunc(systems, func(s System) bool { return s.Name == system.Name }) {
				return nil, nil, fmt.Errorf("two systems are called %s", system.Name)
			}
			systems = append(systems, system)
		}
	}
	return systems, rest, nil
}
