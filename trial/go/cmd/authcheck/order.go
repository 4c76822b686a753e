package main

import (
	"iter"
	"maps"
	"slices"
)

// ordered goes through a map in the order of its keys, so that every run asks in the same order.
func ordered[V any](m map[string]V) iter.Seq2[string, V] {
	return func(yield func(string, V) bool) {
		for _, key := range slices.Sorted(maps.Keys(m)) {
			if !yield(key, m[key]) {
				return
			}
		}
	}
}
