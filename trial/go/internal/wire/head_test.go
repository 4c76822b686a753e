package wire

import (
	"bytes"
	"testing"

	"golang.org/x/net/http2/hpack"
)

// Heads are encoded for several paths in turns, and decoded by a table that has seen all of them.
func TestHeadsAreUnderstoodHoweverTheyAlternate(t *testing.T) {
	var encoder headEncoder
	encoder.init("127.0.0.1:2379", Options{})
	got := map[string]string{}
	decoder := hpack.NewDecoder(4096, func(f hpack.HeaderField) { got[f.Name] = f.Value })
	for i, path := range []string{"/a", "/a", "/a", "/b", "/a", "/b", "/b", "/c", "/b", "/a", "/c"} {
		clear(got)
		if _, err := decoder.Write(encoder.encode(path)); err != nil {
			t.Fatal(err)
		}
		if got[":path"] != path || got[":method"] != "POST" || got["te"] != "trailers" {
			t.Fatalf("head %d: %v", i, got)
		}
	}
	if again := encoder.encode("/a"); len(again) > 10 {
		t.Errorf("a head that was said before takes %d bytes", len(again))
	}
}

// The same bytes mean something else once the table has changed: they may not be taken for what they meant before.
func TestAHeadIsForgottenWhenTheTableChanges(t *testing.T) {
	var block bytes.Buffer
	encoder := hpack.NewEncoder(&block)
	encode := func(status string) []byte {
		block.Reset()
		encoder.WriteField(hpack.HeaderField{Name: "grpc-status", Value: status})
		return bytes.Clone(block.Bytes())
	}
	var reader headReader
	reader.init()
	expect := func(head []byte, status string) {
		t.Helper()
		h, err := reader.read(head)
		if err != nil || h.grpcStatus != status {
			t.Fatalf("grpc-status %q, %v: not %s", h.grpcStatus, err, status)
		}
	}
	expect(encode("0"), "0") // adds it to the table
	fromTable := encode("0")
	expect(fromTable, "0")
	expect(fromTable, "0")
	expect(encode("7"), "7") // takes its place
	if bytes.Equal(encode("0"), fromTable) {
		t.Fatal("the table did not change")
	}
	expect(fromTable, "7")
}

func TestWhatChangesTheTable(t *testing.T) {
	var block bytes.Buffer
	encoder := hpack.NewEncoder(&block)
	long := string(bytes.Repeat([]byte("x~"), 200))
	for i, c := range []struct {
		field  hpack.HeaderField
		leaves bool
	}{
		{hpack.HeaderField{Name: ":status", Value: "200"}, true},
		{hpack.HeaderField{Name: "grpc-status", Value: "0"}, false},
		{hpack.HeaderField{Name: "grpc-status", Value: "0"}, true},
		{hpack.HeaderField{Name: "grpc-message", Value: long, Sensitive: true}, true},
		{hpack.HeaderField{Name: ":status", Value: "503", Sensitive: true}, true},
	} {
		block.Reset()
		encoder.WriteField(c.field)
		encoder.WriteField(hpack.HeaderField{Name: ":status", Value: "200"}) // something behind it
		if leavesTable(block.Bytes()) != c.leaves {
			t.Errorf("field %d: %t", i, !c.leaves)
		}
	}
}
