// Package recording keeps what a judge has seen: in a file, to be judged again, and in a line, to be read.
package recording

import (
	"encoding/gob"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
)

// Save writes a history, of whatever type, so that Load gives it back.
func Save(name string, history any) error {
	file, err := os.Create(name)
	if err != nil {
		return err
	}
	return errors.Join(gob.NewEncoder(file).Encode(history), file.Close())
}

// Load reads what Save has written of the same type.
func Load[T any](name string) (T, error) {
	var history T
	file, err := os.Open(name)
	if err != nil {
		return history, err
	}
	defer file.Close()
	return history, gob.NewDecoder(file).Decode(&history)
}

// Counts names how often each thing was seen, in the order of the names.
func Counts(counts map[string]int) string {
	if len(counts) == 0 {
		return "none"
	}
	var parts []string
	for what, n := range counts {
		parts = append(parts, fmt.Sprintf("%d × %s", n, what))
	}
	slices.Sort(parts)
	return strings.Join(parts, "; ")
}
