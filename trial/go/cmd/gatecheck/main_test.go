package main

import (
	"regexp"
	"testing"
)

func TestEverythingAsksForAllPathsAndEnough(t *testing.T) {
	asked := map[string]int{}
	steps := everything()
	for _, s := range steps {
		asked[s.path]++
	}
	if len(paths) != 51 {
		t.Errorf("there are 51 paths, not %d", len(paths))
	}
	for _, path := range paths {
		if asked[path] < 4 {
			t.Errorf("%s is asked %d times", path, asked[path])
		}
	}
	if len(steps) < 400 {
		t.Errorf("%d requests are too few", len(steps))
	}
}

func TestWhatDiffersForGoodReasonsIsMasked(t *testing.T) {
	s := newSide("left")
	s.known["lease"] = "77"
	got := answer{compact: true}
	line := s.comparable(&got, step{mask: []string{`"dbSize":"([0-9]+)"`}, save: map[string]string{"rev": `"revision":"([0-9]+)"`}},
		`{"header":{"cluster_id":"1", "member_id":"2","revision":"34","raft_term":"5"},"ID":"77","dbSize":"9","count":"3"}`+"\n")
	want := `{"header":{"cluster_id":"*","member_id":"*","revision":"${rev}","raft_term":"*"},"ID":"${lease}","dbSize":"*","count":"3"}` + "\n"
	if line != want {
		t.Errorf("%s is not %s", line, want)
	}
	if got.compact {
		t.Error("white space was not seen")
	}
	if s.known["rev"] != "34" {
		t.Error("the revision was not kept")
	}
}

func TestMaskedReplacesTheGroupAlone(t *testing.T) {
	if got := masked(regexp.MustCompile(`a(b+)c`), "abc abbc ac"); got != "a*c a*c ac" {
		t.Error(got)
	}
}

func TestWhiteSpaceOfTheRightOneIsADifference(t *testing.T) {
	p := pair{answers: [2]answer{{status: 200, body: "{}"}, {status: 200, body: "{}"}}}
	if p.difference() == nil {
		t.Error("it was not noticed")
	}
	p.answers[1].compact = true
	if err := p.difference(); err != nil {
		t.Error(err)
	}
}
