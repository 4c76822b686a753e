package history

import (
	"fmt"
	"slices"
	"testing"
	"time"
)

// What is right must be accepted, and each fault noticed, whatever it is mixed with.
func TestTheCheckerTellsRightFromWrong(t *testing.T) {
	SelfTest(1, 300, 20, func(what string, err error) {
		t.Run(what, func(t *testing.T) {
			if err != nil {
				t.Error(err)
			}
		})
	})
}

// Every anomaly is one that some fault makes it name.
func TestEveryAnomalyIsNamed(t *testing.T) {
	named := map[Anomaly]bool{}
	for i := range faults() {
		for seed := range uint64(40) {
			f := faults()[i]
			if h, planted := simulate(seed, f); planted {
				for _, v := range Check(h) {
					named[v.Anomaly] = true
				}
			}
		}
	}
	for _, a := range []Anomaly{LostUpdate, LostDelete, StaleRead, DirtyRead, FutureRead, TornState, RevisionReuse, RevisionGap,
		Reordered, AppliedTwice, NotMonotone, WrongPrevious, WrongVersion, WrongGuard, Diverged} {
		if !named[a] {
			t.Errorf("nothing is ever called %q", a)
		}
	}
}

// The same seed must bring a history back.
func TestASeedIsAHistory(t *testing.T) {
	one, _ := simulate(7, nil)
	two, _ := simulate(7, nil)
	if fmt.Sprint(one) != fmt.Sprint(two) {
		t.Error("seed 7 made two histories")
	}
}

// Small histories, each written out: what the text says of an outcome or of a time decides alone.
func TestByHand(t *testing.T) {
	put := func(value string, invoke, ret time.Duration, outcome Outcome, revision int64) Op {
		op := Op{Member: "m1", Session: 1, Invoke: invoke, Return: ret, Outcome: outcome, Request: Request{Then: []Action{{Verb: Put, Key: "a", Value: value}}}}
		if outcome == Answered {
			op.Answer = Answer{revision, true, []Result{{}}}
		}
		return op
	}
	erase := func(invoke, ret time.Duration, outcome Outcome) Op {
		return Op{Member: "m1", Session: 1, Invoke: invoke, Return: ret, Outcome: outcome, Request: Request{Then: []Action{{Verb: Delete, Key: "a"}}}}
	}
	read := func(invoke, ret time.Duration, revision int64, kvs ...KV) Op {
		return Op{Member: "m2", Session: 1, Invoke: invoke, Return: ret, Request: Request{Then: []Action{{Verb: Read, Key: "a"}}},
			Answer: Answer{revision, true, []Result{{kvs, int64(len(kvs))}}}}
	}
	there := func(value string, create, mod, version int64) Change {
		return Change{mod, []Event{{KV{"a", value, create, mod, version}, false}}}
	}
	txn := Op{Member: "m1", Session: 1, Invoke: 1, Return: 2, Request: Request{Then: []Action{
		{Verb: Put, Key: "a", Value: "x"}, {Verb: Read, Key: "a", End: "b"}, {Verb: Delete, Key: "b", Previous: true}, {Verb: Read, Key: "a", End: "c"}}},
		Answer: Answer{2, true, []Result{{}, {[]KV{{"a", "x", 2, 2, 1}}, 1}, {}, {[]KV{{"a", "x", 2, 2, 1}}, 1}}}}
	blind := txn
	blind.Answer = Answer{2, true, []Result{{}, {}, {}, {[]KV{{"a", "x", 2, 2, 1}}, 1}}}
	gone := func(mod int64) Change { return Change{mod, []Event{{KV{Key: "a", Mod: mod}, true}}} }
	for _, c := range []struct {
		what    string
		ops     []Op
		changes []Change
		found   Anomaly
	}{
		{"nothing at all", nil, nil, ""},
		{"a put is read", []Op{put("x", 1, 2, Answered, 2), read(3, 4, 2, KV{"a", "x", 2, 2, 1})}, []Change{there("x", 2, 2, 1)}, ""},
		{"a transaction sees its own first put", []Op{txn}, []Change{there("x", 2, 2, 1)}, ""},
		{"a transaction does not see its own put", []Op{blind}, []Change{there("x", 2, 2, 1)}, StaleRead},
		{"a put is not there", []Op{put("x", 1, 2, Answered, 2)}, nil, LostUpdate},
		{"an unknown put never happened", []Op{put("x", 1, Never, Unknown, 0)}, nil, ""},
		{"an unknown put happened", []Op{put("x", 1, Never, Unknown, 0)}, []Change{there("x", 2, 2, 1)}, ""},
		{"an unknown put happened twice", []Op{put("x", 1, Never, Unknown, 0)}, []Change{there("x", 2, 2, 1), there("x", 2, 3, 2)}, AppliedTwice},
		{"a refused put happened", []Op{put("x", 1, 2, Refused, 0)}, []Change{there("x", 2, 2, 1)}, DirtyRead},
		{"an unknown delete happened", []Op{put("x", 1, 2, Answered, 2), erase(3, Never, Unknown)}, []Change{there("x", 2, 2, 1), gone(3)}, ""},
		{"a delete happened for nobody", []Op{put("x", 1, 2, Answered, 2)}, []Change{there("x", 2, 2, 1), gone(3)}, DirtyRead},
		{"one unknown delete happened twice",
			[]Op{put("x", 1, 2, Answered, 2), erase(3, Never, Unknown), put("y", 4, 5, Answered, 4)},
			[]Change{there("x", 2, 2, 1), gone(3), there("y", 4, 4, 1), gone(5)}, DirtyRead},
		{"a delete was seen before the only one that was asked for",
			[]Op{put("x", 1, 2, Answered, 2), read(3, 4, 3), erase(5, Never, Unknown)}, []Change{there("x", 2, 2, 1), gone(3)}, DirtyRead},
		{"a read that overlaps the put may miss it", []Op{put("x", 1, 4, Answered, 2), read(2, 3, 1)}, []Change{there("x", 2, 2, 1)}, ""},
		{"a read that overlaps the put may see it", []Op{put("x", 1, 4, Answered, 2), read(2, 3, 2, KV{"a", "x", 2, 2, 1})}, []Change{there("x", 2, 2, 1)}, ""},
		{"and the next read may not go back",
			[]Op{put("x", 1, 9, Answered, 2), read(2, 3, 2, KV{"a", "x", 2, 2, 1}), read(4, 5, 1)}, []Change{there("x", 2, 2, 1)}, StaleRead},
		{"a read after the put misses it", []Op{put("x", 1, 2, Answered, 2), read(3, 4, 1)}, []Change{there("x", 2, 2, 1)}, StaleRead},
		{"a read sees a put that is sent later", []Op{read(1, 2, 2, KV{"a", "x", 2, 2, 1}), put("x", 3, 4, Answered, 2)}, []Change{there("x", 2, 2, 1)}, FutureRead},
		{"an unknown put is seen before it is sent", []Op{read(1, 2, 2, KV{"a", "x", 2, 2, 1}), put("x", 3, Never, Unknown, 0)}, []Change{there("x", 2, 2, 1)}, FutureRead},
		{"puts in the order of their answers", []Op{put("x", 1, 2, Answered, 2), put("y", 3, 4, Answered, 3)}, []Change{there("x", 2, 2, 1), there("y", 2, 3, 2)}, ""},
		{"puts in the other order", []Op{put("x", 3, 4, Answered, 2), put("y", 1, 2, Answered, 3)}, []Change{there("x", 2, 2, 1), there("y", 2, 3, 2)}, Reordered},
	} {
		t.Run(c.what, func(t *testing.T) {
			found := Check(History{c.ops, []Log{{"m1", c.changes}}})
			if c.found == "" && len(found) > 0 {
				t.Errorf("found %v", found)
			}
			if c.found != "" && !slices.ContainsFunc(found, func(v Violation) bool { return v.Anomaly == c.found }) {
				t.Errorf("found %v, not %s", found, c.found)
			}
		})
	}
}
