package recording

import (
	"path/filepath"
	"reflect"
	"testing"
)

func TestWhatIsSavedIsLoaded(t *testing.T) {
	type history struct {
		Seen map[string]int
		Ends []int64
	}
	saved := history{Seen: map[string]int{"kill": 2, "cut": 1}, Ends: []int64{1, -5}}
	name := filepath.Join(t.TempDir(), "history")
	if err := Save(name, &saved); err != nil {
		t.Fatal(err)
	}
	loaded, err := Load[history](name)
	if err != nil || !reflect.DeepEqual(loaded, saved) {
		t.Fatalf("%+v, %v", loaded, err)
	}
	if _, err := Load[history](name + "-not"); err == nil {
		t.Fatal("a file that is not there was loaded")
	}
	if line := Counts(saved.Seen); line != "1 × cut; 2 × kill" {
		t.Fatal(line)
	}
	if line := Counts(nil); line != "none" {
		t.Fatal(line)
	}
}
